# restic over a server on loopback.
address=rest:http://127.0.0.1:18080/
. "$here/adapters/restic.sh"
start() {
  rclone serve restic --addr 127.0.0.1:18080 "$repository" >"$home/server.log" 2>&1 &
  echo $! >"$repository.pids"
  sleep 2
}
