# restic, at its default settings.
restic=${restic:-restic}
restic_() {
  RESTIC_REPOSITORY=${address:-$repository} RESTIC_PASSWORD=bench RESTIC_CACHE_DIR=$home "$restic" -q "$@"
}
init() { restic_ init; }
backup() { cd "$data" && restic_ backup .; }
restore() { restic_ restore latest --target "$out"; }
check() { restic_ check --read-data; }
prune() { restic_ forget --keep-last 1 --prune; }
