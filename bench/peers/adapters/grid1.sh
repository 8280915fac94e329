# Grid with no servers: an embedded grid of one folder, 1-of-1.
client=$home/grid
grid_() { node "$root/dist/bundle/grid.js" "$@" --home "$client"; }
init() {
  mkdir "$repository"
  grid_ init --disks "$repository" --k 1 --happy 1 --n 1
}
backup() { grid_ backup "$data"; }
restore() { grid_ restore "latest:$(basename "$data")" "$out"; }
check() { grid_ restore-test --sample 100%; }
