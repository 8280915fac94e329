# Grid on loopback: an introducer and ten nodes, a process each, 3-of-10.
. "$here/adapters/grid1.sh"
loopback=/ip4/127.0.0.1/tcp/0

# Starts `grid WORDS` on a home of a server; returns when it listens.
run_server() { # HOME WORDS...
  node "$root/dist/bundle/grid.js" "${@:2}" --json --home "$1" >"$1.log" 2>&1 &
  echo $! >>"$repository.pids"
  until grep -q '"event":"listening"' "$1.log"; do
    [ -d "/proc/$!" ] || { cat "$1.log" && exit 1; }
    sleep 0.1
  done
}
start() {
  local i server introducer=$repository/introducer
  mkdir "$repository"
  node "$root/dist/bundle/grid.js" introducer init --listen $loopback --home "$introducer"
  run_server "$introducer" introducer run
  introducer_address >"$home/introducer"
  for i in {1..10}; do
    server=$repository/n$i
    node "$root/dist/bundle/grid.js" node init --listen $loopback --nickname "n$i" --reserve 64MiB \
      --introducer "$(cat "$home/introducer")" --home "$server"
    run_server "$server" node run
  done
}
introducer_address() {
  sed -n 's/.*"event":"listening".*"addresses":\["\([^"]*\)".*/\1/p' "$repository/introducer.log"
}
init() { grid_ init --introducer "$(cat "$home/introducer")" --k 3 --happy 7 --n 10; }
