# zbackup, which takes a tar archive.
zbackup_() { zbackup --silent --password-file "$home/password" "$@"; }
init() {
  echo bench >"$home/password"
  zbackup_ init "$repository"
}
backup() {
  tar -C "$data" --format=posix --sort=name -cf - . | zbackup_ backup "$repository/backups/$snapshot"
}
restore() { zbackup_ restore "$repository/backups/changed" | tar -C "$out" -xpf -; }
check() { zbackup_ restore "$repository/backups/changed" >/dev/null; }
prune() {
  rm -f "$repository/backups/first" "$repository/backups/unchanged"
  zbackup_ gc "$repository"
}
