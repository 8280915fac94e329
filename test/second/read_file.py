"""Reads a file from share files and a cap alone.

    python3 test/second/read_file.py SHARES_DIR… CAP [PATH]

Each SHARES_DIR is the `shares` folder of a node (docs/specs/share-store.md, "Layout"). CAP is a CHK,
CHK-Slice or LIT cap, or a DIR-CHK cap with the PATH of a file below it. The bytes go to standard
output. Nothing is taken that does not hash to what the cap says. Exits with 1, and the code of the
spec on standard error, where something is refused; 2 if there is no cap.
"""
import os
import sys

import capreader
from filereader import cap_bytes
from notation import Refused
from sharedirs import ShareDirs


def split(arguments):
    """Directories, the cap, and the names of the path; the cap is the first that is one."""
    for i, argument in enumerate(arguments):
        try:
            cap = capreader.parse(argument)
        except Refused:
            continue
        return arguments[:i], cap, [part for given in arguments[i + 1:] for part in os.fsencode(given).split(b"/") if part]
    return None


def main(arguments):
    found = split(arguments)
    if not found:
        print(__doc__, file=sys.stderr)
        return 2
    dirs, (kind, cap), path = found
    try:
        for piece in cap_bytes(ShareDirs(dirs).fetch, kind, cap, path):
            sys.stdout.buffer.write(piece)
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
