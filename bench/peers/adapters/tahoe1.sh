# Tahoe-LAFS, 1-of-1.
shares='1 1 1'
. "$here/adapters/tahoe.sh"
