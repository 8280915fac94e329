# duplicity: a full backup, then increments.
duplicity_() { PASSPHRASE=bench duplicity --archive-dir "$home/archive" --no-print-statistics -v1 "$@"; }
init() { mkdir "$repository"; }
backup() { duplicity_ "$data" "file://$repository"; }
restore() { duplicity_ restore --force "file://$repository" "$out"; }
check() { duplicity_ verify --compare-data "file://$repository" "$data"; }
