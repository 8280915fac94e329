"""The chunker, written from docs/specs/encoding.md alone, and the vectors it gives.

    python3 test/second/cdc.py > test/vectors/cdc.json

Hashes are made many at a time, in lanes of one long integer: that of the last 2w bytes is the sum
of those of w and, shifted by w bits, of the w before. The vectors are frozen: a change of what this
prints is a change of the format.
"""
import hashlib
import json
import re

from notation import aes, bulk, expand

MINIMUM, MAXIMUM, FIXED = 2**19, 2**22, 2**21
MASK = 2**64 - 1
# 64 bits, room for a sum of 64 bits shifted by 32, and its carry
LANE = 13
PIECE = 2**18

# a window is 64 bytes of 00 or 02, here as bits
EDGES = [
    ("a hash just below 2^59, which AES lets cut", 0x15c4f00a92cfb526),
    ("a hash just above 2^59, which AES would let cut", 0xc8d81efbb9aed6c7),
    ("an output of 87382, no cut", 0x0260d98ab1275a4c),
    ("an output of 87381, a cut", 0xbb5e63993125756a),
]


def hashes(gear, data):
    """The hash after each byte, in lanes, little-endian."""
    words = bytearray(LANE * len(data))
    for i in range(8):
        words[i::LANE] = data.translate(bytes(word >> 8 * i & 255 for word in gear))
    lanes = int.from_bytes(words, "little")
    mask = int.from_bytes(MASK.to_bytes(LANE, "little") * len(data), "little")
    for width in (1, 2, 4, 8, 16, 32):
        lanes = (lanes + (lanes << (8 * LANE + 1) * width)) & mask
    return lanes.to_bytes(LANE * len(data), "little")


class Keyed:
    def __init__(self, key):
        table = expand(key, "gear", 2048)
        self.gear = [int.from_bytes(table[i:i + 8], "big") for i in range(0, 2048, 8)]
        self.prf = expand(key, "prf")

    def cut(self, data, start):
        end = min(len(data), start + MAXIMUM)
        for at in range(start + MINIMUM - 1, end, PIECE):
            first = max(start, at - 63)
            lanes = hashes(self.gear, data[first:min(at + PIECE, end)])[LANE * (at - first):]
            found = [m.start() for m in re.finditer(b"[\0-\7]", lanes[7::LANE], re.DOTALL)]
            words = [lanes[LANE * i:LANE * i + 8] for i in found]
            cutting = self.cutting(set(words))
            for i, word in zip(found, words):
                if word in cutting:
                    return at + i + 1 - start
        return end - start

    def cutting(self, words):
        """Those of the hashes, little-endian, that AES lets cut."""
        words = list(words)
        outputs = aes(self.prf, b"".join([word[::-1] + bytes(8) for word in words]))
        return {word for i, word in enumerate(words) if int.from_bytes(outputs[16 * i:16 * i + 4], "big") < 87382}


class Fixed:
    def cut(self, data, start):
        return min(len(data) - start, FIXED)


def bytes_of(part):
    if part["gen"] == "ctr":
        return bulk(part)
    unit = bytes.fromhex(part["unit"])
    return (unit * (part["len"] // len(unit) + 1))[:part["len"]]


def lengths(cutter, data):
    out, start = [], 0
    while start < len(data):
        out.append(cutter.cut(data, start))
        start += out[-1]
    return out


cases = []


def good(name, key, *parts):
    given = {"cdcKey": key.hex() if key else None, "data": list(parts)}
    data = b"".join(map(bytes_of, parts))
    cutter = Keyed(key) if key else Fixed()
    cases.append({"id": name, "op": "cdc", "in": given, "out": {"lengths": lengths(cutter, data)}})


def refused(name, key, *parts):
    cases.append({"id": "refused: " + name, "op": "cdc",
                  "in": {"cdcKey": key, "data": list(parts)}, "error": "RangeError"})


def ctr(seed, length):
    return {"gen": "ctr", "seed": seed, "len": length}


def repeat(unit, length):
    return {"gen": "repeat", "unit": unit, "len": length}


def main():
    worked = expand(bytes(range(32)), "conv/cdc")
    other = hashlib.sha256(b"cdc.json other key").digest()
    # a key under which every window of zeros is a candidate, its one AES output no cut
    dense = next(key for key in (hashlib.sha256(b"cdc.json %d" % i).digest() for i in range(10**6))
                 if -Keyed(key).gear[0] & MASK < 2**59)

    table, prf = expand(worked, "gear", 2048), expand(worked, "prf")
    cases.append({"id": "keys of S = 00..1f", "op": "cdc-keys", "in": {"cdcKey": worked.hex()},
                  "out": {"gear": hashlib.sha256(table).hexdigest(), "gear0": table[:8].hex(),
                          "gear255": table[-8:].hex(), "prf": prf.hex()}})
    good("random", worked, ctr("01", 12 * 2**20))
    good("the same under another key", other, ctr("01", 6 * 2**20))
    good("one byte put in front", worked, repeat("ff", 1), ctr("01", 6 * 2**20))
    good("one byte", worked, repeat("00", 1))
    good("the minimum less one", worked, ctr("02", MINIMUM - 1))
    good("the minimum", worked, ctr("02", MINIMUM))
    good("the minimum and one", worked, ctr("02", MINIMUM + 1))
    good("zeros", worked, repeat("00", MAXIMUM + 100))
    good("zeros, all of them candidates", dense, repeat("00", MAXIMUM + 1))
    good("a repeated 61 bytes, no cut in them", worked, repeat("".join("%02x" % i for i in range(61)), MAXIMUM))
    good("zeros, then random", worked, repeat("00", 3 * 2**20), ctr("03", 2 * 2**20))
    # a cut wants only the 64 bytes before it, so the first of "random" can be planted anywhere
    first = cases[1]["out"]["lengths"][0]
    before = bytes_of(ctr("01", first))[-64:].hex()
    for place in (MINIMUM - 1, MINIMUM, MINIMUM + 1, MINIMUM + 2**16 - 1, MINIMUM + 2**16,
                  MINIMUM + 2**16 + 1, MAXIMUM - 1):
        good(f"a cut at {place}", worked, repeat("00", place - 64), repeat(before, 64), repeat("00", 10))
    # windows found by search: hashes about 2^59, AES outputs about the threshold
    for name, bits in EDGES:
        window = bytes(2 * int(bit) for bit in f"{bits:064b}").hex()
        good(name, worked, repeat("00", MINIMUM - 64), repeat(window, 64), repeat("00", 10))
    good("fixed", None, repeat("5a", 5 * 2**20 + 7))
    good("fixed, exactly one", None, repeat("5a", FIXED))
    good("fixed, one byte", None, repeat("5a", 1))
    for name, key in [("no key bytes", ""), ("a key of 31 bytes", worked.hex()[2:]),
                      ("a key of 33 bytes", worked.hex() + "00"), ("a key of 16 bytes", worked.hex()[:32])]:
        refused(name, key, ctr("01", 100))
    refused("no bytes", worked.hex())
    refused("no bytes, fixed", None)

    print(json.dumps({"format": "grid-vectors/1", "suite": 1, "spec": "docs/specs/encoding.md",
                      "cases": cases}, indent=1))


if __name__ == "__main__":
    main()
