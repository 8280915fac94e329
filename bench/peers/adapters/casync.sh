# casync, which does not encrypt.
init() { mkdir "$repository"; }
backup() {
  casync make --store="$repository/store.castr" "$repository/$snapshot.caidx" "$data" >/dev/null
}
restore() { casync extract --store="$repository/store.castr" "$repository/changed.caidx" "$out"; }
prune() {
  rm -f "$repository/first.caidx" "$repository/unchanged.caidx"
  casync gc --store="$repository/store.castr" "$repository/changed.caidx"
}
