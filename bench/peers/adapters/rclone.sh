# rclone to an encrypted folder: a mirror, which keeps no old state.
rclone_() {
  RCLONE_CONFIG=$home/config RCLONE_CONFIG_K_TYPE=crypt RCLONE_CONFIG_K_REMOTE=$repository \
    RCLONE_CONFIG_K_PASSWORD=$(rclone obscure bench) rclone --links "$@"
}
init() { touch "$home/config" && mkdir "$repository"; }
backup() { rclone_ sync --create-empty-src-dirs "$data" k:; }
restore() { rclone_ copy --create-empty-src-dirs k: "$out"; }
check() { rclone_ -q cryptcheck "$data" k:; }
