# A newer restic: RESTIC_NEW names it.
restic=${RESTIC_NEW:?}
. "$here/adapters/restic.sh"
