# bup, which does not encrypt.
export BUP_DIR=$repository
init() { bup init; }
backup() { bup index "$data" && bup save -q -n main --strip "$data"; }
restore() { bup restore -q -C "$out" main/latest/.; }
check() { bup fsck; }
prune() {
  bup ls main | grep -v latest | sed '$d;s,^,main/,' | xargs bup rm --unsafe && bup gc --unsafe
}
