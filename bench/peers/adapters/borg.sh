# borg 1, with keys in the repository.
borg_() {
  BORG_REPO=$repository BORG_PASSPHRASE=bench BORG_BASE_DIR=$home \
    BORG_RELOCATED_REPO_ACCESS_IS_OK=yes borg "$@"
}
init() { borg_ init -e repokey-blake2; }
backup() { cd "$data" && borg_ create "::$snapshot" .; }
restore() { cd "$out" && borg_ extract ::changed; }
check() { borg_ check --verify-data; }
prune() { borg_ prune --keep-last 1 && borg_ compact; }
