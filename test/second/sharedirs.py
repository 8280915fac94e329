"""Objects from share files as nodes keep them: docs/specs/share-store.md, "Layout", share.md, "Checks"."""
import sys
from functools import lru_cache
from pathlib import Path

import share
from notation import Refused, b32, tagged


class ShareDirs:
    """Directories that hold <xy>/<storage index>.<number>."""

    def __init__(self, dirs):
        self.dirs = [Path(name) for name in dirs]
        self.ciphertext = lru_cache(4)(self.decoded)

    def fetch(self, own, offset, length):
        """So many bytes of the object [root, k, n, …]; without a length all that there are."""
        root, k, n = own[:3]
        whole = self.ciphertext(root, k, n)
        if length is None:
            return whole[offset:]
        if offset + length > len(whole):
            raise Refused("E_SIZE")
        return whole[offset:offset + length]

    def decoded(self, root, k, n):
        found = []
        for number in range(n):
            good = self.good(root, k, n, number)
            if good:
                found.append(good)
            if len(found) == k:
                return share.decode(found)
        raise Refused("E_NOT_ENOUGH_SHARES")

    def good(self, root, k, n, number):
        """The first sound share of this number of the very object that is meant."""
        name = b32(root[:20])
        for folder in self.dirs:
            path = folder / name[:2] / f"{name}.{number}"
            if not path.is_file():
                continue
            try:
                found = share.parse(path.read_bytes(), root[:20], number)
            except Refused as refused:
                print(f"{path}: {refused}", file=sys.stderr)
                continue
            if tagged("object", found.descriptor) == root and (found.k, found.n) == (k, n):
                return found
        return None
