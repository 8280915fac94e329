"""Keys, sealed streams, padding, objects and shares: the vectors of encoding.md and share.md.

    python3 test/second/object.py > test/vectors/object.json

Bytes are hex, or {gen: "ctr", seed, len}, or {gen: "share", of, number, edits, length}: share
`number` of the object of case `of`, with the bytes of `edits` written over it and cut, or filled up
with zeros, to `length` where given. The vectors are frozen: a change of what this prints is a
change of the format.
"""
import hashlib
import re

import seal
import share
from notation import Refused, b32, bulk, ctr, expand, tagged
from vectors import Vectors, shown

SECRET = bytes(range(32)).hex()
WORKED = bytes(i % 256 for i in range(2000)).hex()
encoded = {}


def kdf(secret, type, data):
    key = seal.read_key(bytes.fromhex(secret), type, bulk(data))
    return {"readKey": key.hex(), "verifyKey": seal.verify_key(key).hex(),
            "encryptionKey": expand(key, "enc").hex(), "commitment": seal.commitment(type, key).hex()}


def seal_op(type, key, data):
    return {"sealed": shown(seal.seal(type, bytes.fromhex(key), bulk(data)))}


def seal_open(type, key, sealed):
    return {"data": shown(seal.opened(type, bytes.fromhex(key), bulk(sealed)))}


def seal_range(key, offset, ciphertext):
    """What `ciphertext` opens to that starts `offset` bytes after the commitment."""
    whole = ctr(expand(bytes.fromhex(key), "enc"), bytes(offset) + bulk(ciphertext))
    return {"data": shown(whole[offset:])}


def padme(length):
    return {"padded": seal.padme(length)}


def pad(secret, content):
    return {"ciphertext": shown(seal.padded(bytes.fromhex(secret), bulk(content)))}


def make(secret, streams, k, n):
    secret, keys, content = bytes.fromhex(secret), [], b""
    for stream in streams:
        data = bulk(stream["data"])
        keys.append(seal.read_key(secret, stream["type"], data))
        content += seal.seal(stream["type"], keys[-1], data)
    if not 1 <= k <= n <= 255:
        raise Refused("RangeError")
    ciphertext = seal.padded(secret, content)
    root, descriptor, shares = share.encode(ciphertext, k, n)
    return keys, ciphertext, root, shares


def object_op(**given):
    keys, ciphertext, root, shares = make(**given)
    return {"readKeys": [key.hex() for key in keys], "ciphertextBytes": len(ciphertext),
            "root": root.hex(), "storageIndex": b32(root[:20]), "shareBytes": len(shares[0]),
            "sharesSha256": hashlib.sha256(b"".join(shares)).hexdigest()}


def share_of(given):
    if isinstance(given, str):
        return bytes.fromhex(given)
    data = bytearray(encoded[given["of"]][3][given["number"]])
    for offset, part in given.get("edits", []):
        data[offset:offset + len(part) // 2] = bytes.fromhex(part)
    length = given.get("length", len(data))
    return bytes(data[:length]).ljust(length, b"\0")


def share_parse(share, storageIndex, number):
    data = share_of(share)
    found = parsed(data, storageIndex, number)
    return {"k": found.k, "n": found.n, "ciphertextBytes": found.total,
            "root": tagged("object", found.descriptor).hex(), "blocks": len(found.blocks),
            "sha256": hashlib.sha256(data).hexdigest()}


def parsed(data, index, number):
    return share.parse(data, bytes.fromhex(index), number)


def object_decode(storageIndex, shares):
    """`shares` are [number, share] of exactly k distinct numbers."""
    found = [parsed(share_of(data), storageIndex, number) for number, data in shares]
    return {"ciphertext": shown(share.decode(found))}


vectors = Vectors("docs/specs/encoding.md and docs/specs/share.md", {
    "kdf": kdf, "seal": seal_op, "seal-open": seal_open, "seal-range": seal_range, "padme": padme,
    "pad": pad, "object": object_op, "share-parse": share_parse, "object-decode": object_decode})
good, bad = vectors.good, vectors.bad


def filler(length):
    return {"gen": "ctr", "seed": b"object.json".hex(), "len": length}


def flipped(data, *places):
    out = bytearray(data)
    for place in places:
        out[place] ^= 1
    return bytes(out)


def streams():
    good("keys, worked", "kdf", secret=SECRET, type="raw", data=WORKED)
    for kind in ("raw", "tree", "dir"):
        good(f"keys of {kind}", "kdf", secret=SECRET, type=kind, data="00")
    good("keys of nothing", "kdf", secret=SECRET, type="raw", data="")
    good("keys of a long string", "kdf", secret="ff" * 32, type="raw", data=filler(131072))
    bad("RangeError", "refused: a secret of all zeros", "kdf", secret="00" * 32, type="raw", data="00")

    key = hashlib.sha256(b"object.json key").digest().hex()
    for kind in seal.TYPES:
        good(f"sealed as {kind}", "seal", type=kind, key=key, data=b"hello, world\n".hex())
    for length in (0, 1, 15, 16, 17, 131072, 131073):
        good(f"sealed, {length} bytes", "seal", type="raw", key=key, data=filler(length))
    sealed = seal.seal("raw", bytes.fromhex(key), b"hello, world\n")
    good("opened", "seal-open", type="raw", key=key, sealed=sealed.hex())
    good("opened, no bytes", "seal-open", type="raw", key=key, sealed=sealed[:32].hex())
    for name, kind, other, data in [
        ("nothing", "raw", key, b""), ("31 bytes", "raw", key, sealed[:31]),
        ("the first bit of the commitment", "raw", key, bytes([sealed[0] ^ 128]) + sealed[1:]),
        ("the last bit of the commitment", "raw", key, flipped(sealed, 31)),
        ("a commitment of zeros", "raw", key, bytes(32) + sealed[32:]),
        ("another key", "raw", "11" * 32, sealed), ("raw as tree", "tree", key, sealed),
        ("raw as dir", "dir", key, sealed),
        ("tree as treev", "treev", key, seal.seal("tree", bytes.fromhex(key), b"x")),
        ("dirv as dir", "dir", key, seal.seal("dirv", bytes.fromhex(key), b"x")),
        ("raw under its verify key", "raw", seal.verify_key(bytes.fromhex(key)).hex(), sealed),
    ]:
        bad("E_COMMIT", "not opened: " + name, "seal-open", type=kind, key=other, sealed=data.hex())
    for offset in (0, 1, 15, 16, 17, 4095, 131040, 2**24):
        good(f"a range from {offset}", "seal-range", key=key, offset=offset, ciphertext="00" * 33)


def lengths():
    for exponent in (10, 11, 15, 16, 17, 20, 23, 24):
        for length in (2**exponent - 1, 2**exponent, 2**exponent + 1):
            if 1024 <= length <= 2**24:
                good(f"length {length}", "padme", length=length)
    for length in (1056, 2112, 100000, 4194336, 16000000):
        good(f"length {length}", "padme", length=length)
    for length in (0, 1, 1023, 1024, 1025, 2048, 2049, 131072, 131073):
        good(f"padded, {length} bytes", "pad", secret=SECRET, content=filler(length))


def objects():
    def one(name, length, k, n, data=None):
        given = {"secret": SECRET, "k": k, "n": n,
                 "streams": [{"type": "raw", "data": data or filler(length)}]}
        good(name, "object", **given)
        encoded[name] = make(**given)

    one("worked", 2000, 3, 10, WORKED)
    codings = [(1, 1), (1, 3), (3, 3), (3, 10), (8, 10), (4, 6), (20, 30)]
    for k, n in codings:
        for length in (0, 992, 993, 131040, 131041):
            one(f"{k} of {n}, {length} bytes", length, k, n)
    for length in (262111, 262112, 262113, 524256, 2**22):
        one(f"3 of 10, {length} bytes", length, 3, 10)
    for k, n in [(1, 255), (255, 255), (7, 255), (2, 2), (10, 30)]:
        one(f"{k} of {n}, 5,000 bytes", 5000, k, n)
    one("the largest object", 2**24 - 32, 1, 1)
    good("several streams", "object", secret=SECRET, k=3, n=10, streams=[
        {"type": kind, "data": filler(length)} for kind, length in [("raw", 700), ("raw", 0), ("dir", 300)]])
    for k, n in [(0, 1), (0, 0), (2, 1), (11, 10), (1, 256), (256, 256), (-1, 3)]:
        bad("RangeError", f"refused: {k} of {n}", "object", secret=SECRET, k=k, n=n,
            streams=[{"type": "raw", "data": "00"}])
    bad("RangeError", "refused: one byte more than the largest", "object", secret=SECRET, k=1, n=1,
        streams=[{"type": "raw", "data": filler(2**24 - 31)}])


def recipe(of, number, data):
    """How `data` follows from share `number` of case `of`."""
    old = encoded[of][3][number]
    common = min(len(old), len(data))
    assert not any(data[common:]), "recipes only add zeros"
    changes = re.finditer(b"[^\0]+", share.rs.plus(old[:common], data[:common]))
    edits = [[m.start(), data[m.start():m.end()].hex()] for m in changes]
    return {"gen": "share", "of": of, "number": number, **({"edits": edits} if edits else {}),
            **({"length": len(data)} if len(data) != len(old) else {})}


def index_of(data):
    """The storage index of whatever descriptor a share holds."""
    return tagged("object", data[8:8 + int.from_bytes(data[6:8], "big")])[:20].hex()


class Forger:
    """Changes shares of one case, and puts what depends on the change right."""

    def __init__(self, of):
        self.of = of
        _, _, self.root, self.shares = encoded[of]
        self.index = self.root[:20].hex()
        first = share.parse(self.shares[0], self.root[:20], 0)
        self.k, self.n, self.parts = first.k, first.n, len(first.blocks)
        self.leaves_at = 56 + 32 * self.n
        self.segment_leaves_at = self.leaves_at + 32 * self.parts
        self.blocks_at = self.leaves_at + 64 * self.parts

    def good(self, name, number):
        good(name, "share-parse", share=recipe(self.of, number, self.shares[number]),
             storageIndex=self.index, number=number)

    def bad(self, error, name, data, number=2, index=None):
        bad(error, "refused: " + name, "share-parse", share=recipe(self.of, number, data),
            storageIndex=index or self.index, number=number)

    def with_bytes(self, offset, part, number=2):
        data = self.shares[number]
        return data[:offset] + part + data[offset + len(part):]

    def descriptor_with(self, offset, part):
        """Share 2 with other bytes in its descriptor, and the storage index that fits them."""
        data = self.with_bytes(8 + offset, part)
        return data, 2, index_of(data)


def shares():
    worked = Forger("worked")
    for number in (0, 3, 9):
        worked.good(f"share {number}, worked", number)
    for of in ("1 of 1, 0 bytes", "20 of 30, 131041 bytes", "3 of 10, 262112 bytes",
               "8 of 10, 131040 bytes", "255 of 255, 5,000 bytes"):
        Forger(of).good("share 0: " + of, 0)

    small = Forger("4 of 6, 992 bytes")
    data = small.shares[2]
    for length in (0, 1, 7, 8, 9, 56, 247, 248, 280, 311, 312, 313, len(data) - 1, len(data) + 1,
                   len(data) + 1000):
        small.bad("E_SHARE", f"{length} of {len(data)} bytes", data[:length].ljust(length, b"\0"))
    for name, part in [("GRS2", b"GRS2"), ("GRO1", b"GRO1"), ("grs1", b"grs1"), ("zeros", bytes(4))]:
        small.bad("E_SHARE", "begins with " + name, small.with_bytes(0, part))
    for flags in (1, 2, 128, 255):
        small.bad("E_SHARE", f"flags {flags}", small.with_bytes(5, bytes([flags])))
    for length in (0, 47, 48, 79, 239, 241, 8209, 8240, 65535):
        small.bad("E_SHARE", f"a descriptor of {length} bytes",
                  small.with_bytes(6, length.to_bytes(2, "big")))
    for length, n in ((208, 5), (272, 7)):
        changed = small.with_bytes(6, length.to_bytes(2, "big"))
        small.bad("E_DESCRIPTOR", f"a descriptor of {n} shares that says 6", changed, 2, index_of(changed))
    bad("E_SHARE", "refused: share 2 sent as share 3", "share-parse", share=recipe(small.of, 2, data),
        storageIndex=small.index, number=3)
    for number in (0, 1, 3, 5, 6, 7, 255):
        small.bad("E_SHARE", f"share 2 that says {number}", small.with_bytes(4, bytes([number])))
    for number in (6, 255):
        bad("E_SHARE", f"refused: share 2 that says {number}, sent as {number}", "share-parse",
            share=recipe(small.of, 2, small.with_bytes(4, bytes([number]))),
            storageIndex=small.index, number=number)

    for name, offset, part in [
        ("begins with GRO2", 0, b"GRO2"), ("begins with GRS1", 0, b"GRS1"), ("k of 0", 5, b"\0"),
        ("k above n", 5, b"\7"), ("k of 255", 5, b"\xff"), ("n of 0", 6, b"\0"),
        ("n of 3, below k", 6, b"\3"), ("n of 5", 6, b"\5"), ("n of 7", 6, b"\7"),
        ("segments of 2^16", 7, b"\x10"), ("segments of 2^18", 7, b"\x12"), ("segments of 1", 7, b"\0"),
        ("a ciphertext of 0 bytes", 8, bytes(8)),
        ("a ciphertext of 1,023 bytes", 8, (1023).to_bytes(8, "big")),
        ("a ciphertext of 2^24 + 1 bytes", 8, (2**24 + 1).to_bytes(8, "big")),
        ("a ciphertext of 2^32 + 1,024 bytes", 8, (2**32 + 1024).to_bytes(8, "big")),
        ("a ciphertext of 2^53 bytes", 8, (2**53).to_bytes(8, "big")),
        ("a ciphertext of 2^64 - 1 bytes", 8, b"\xff" * 8),
    ]:
        small.bad("E_DESCRIPTOR", name, *small.descriptor_with(offset, part))
    for suite in (0, 2, 255):
        small.bad("E_VERSION", f"suite {suite}", *small.descriptor_with(4, bytes([suite])))
    longer = (1025).to_bytes(8, "big")
    small.bad("E_SHARE", "a ciphertext of 1,025 bytes, under its index", *small.descriptor_with(8, longer))
    two_segments = (131073).to_bytes(8, "big")
    small.bad("E_SHARE", "a ciphertext of two segments, under its index",
              *small.descriptor_with(8, two_segments))
    small.bad("E_SHARE", "another k, under its index", *small.descriptor_with(5, b"\3"))
    small.bad("E_SHARE", "another list, under its index", *small.descriptor_with(16, bytes(32)))
    small.bad("E_SHARE", "another share root, under its index", *small.descriptor_with(48 + 64, bytes(32)))
    roots = data[8 + 48 + 64:8 + 48 + 128]
    small.bad("E_SHARE", "two share roots exchanged, under its index",
              *small.descriptor_with(48 + 64, roots[32:] + roots[:32]))
    small.bad("E_DESCRIPTOR", "of another object", data, 2, worked.index)
    small.bad("E_DESCRIPTOR", "the last byte of the index", data, 2, small.index[:-1] + "0"
              if small.index[-1] != "0" else small.index[:-1] + "1")
    small.bad("E_DESCRIPTOR", "an index of zeros", data, 2, "00" * 20)

    small.bad("E_SHARE", "a bit of its block leaf changed", flipped(data, small.leaves_at))
    small.bad("E_SHARE", "a bit of its ciphertext leaf changed", flipped(data, small.segment_leaves_at + 31))
    leaves = data[small.leaves_at:small.blocks_at]
    small.bad("E_SHARE", "both leaves exchanged", small.with_bytes(small.leaves_at, leaves[32:] + leaves[:32]))
    own = flipped(data, small.blocks_at)
    fitting = share.leaf(2, 0, own[small.blocks_at:])
    small.bad("E_SHARE", "a block changed together with its leaf",
              own[:small.leaves_at] + fitting + own[small.leaves_at + 32:])
    for name, place in [("first", small.blocks_at), ("last", -1)]:
        small.bad("E_BLOCK", f"the {name} byte of its block changed", flipped(data, place))
    small.bad("E_BLOCK", "a block of zeros", small.with_bytes(small.blocks_at, bytes(256)))
    small.bad("E_BLOCK", "the block of another share",
              small.with_bytes(small.blocks_at, small.shares[3][small.blocks_at:]))
    filled = Forger("20 of 30, 131041 bytes")
    filled.bad("E_BLOCK", "a byte of the filling changed", flipped(filled.shares[19], -1), 19)

    twins = Forger("3 of 10, 262112 bytes")
    data = twins.shares[2]
    half = (len(data) - twins.blocks_at) // 2
    twins.bad("E_BLOCK", "the first block damaged", flipped(data, twins.blocks_at + half - 1))
    twins.bad("E_BLOCK", "the second block damaged", flipped(data, twins.blocks_at + half))
    for name, at in [("block", twins.leaves_at), ("ciphertext", twins.segment_leaves_at)]:
        pair = data[at:at + 64]
        twins.bad("E_SHARE", f"its {name} leaves exchanged", twins.with_bytes(at, pair[32:] + pair[:32]))


def decoding():
    for of, chosen in [("worked", [0, 1, 2]), ("worked", [9, 0, 4]), ("worked", [7, 8, 9]),
                       ("1 of 3, 993 bytes", [2]), ("3 of 3, 131041 bytes", [2, 0, 1]),
                       ("20 of 30, 131041 bytes", list(range(29, 9, -1))),
                       ("8 of 10, 131040 bytes", [9, 8, 7, 6, 5, 4, 3, 2]),
                       ("4 of 6, 131041 bytes", [0, 1, 4, 5])]:
        _, _, root, whole = encoded[of]
        good(f"decoded, {of}, from {' '.join(map(str, chosen))}", "object-decode",
             storageIndex=root[:20].hex(), shares=[[i, recipe(of, i, whole[i])] for i in chosen])

    of = "4 of 6, 992 bytes"
    encoded_shares = encoded[of][3]
    lying = malformed(of, blocks={5: bytes(256)})
    told(lying, "one parity block is another", [0, 1, 2, 3], [0, 1, 2, 5], [5, 4, 3, 2])
    lying = malformed(of, segment_leaf=bytes(32))
    told(lying, "the ciphertext leaf is another", None, [0, 1, 2, 3], [2, 3, 4, 5])
    lying = malformed(of, blocks={0: encoded_shares[1][-256:], 1: encoded_shares[0][-256:]})
    told(lying, "two data blocks are exchanged", None, [0, 1, 2, 3], [2, 3, 4, 0])

    of = "3 of 10, 0 bytes"
    content = encoded[of][1] + b"\1\2"
    table = share.blocks_of(content, share.rs.matrix_of(3, 10), 3)
    odd = malformed(of, blocks=dict(enumerate(table)))
    told(odd, "the filling is not of zeros", [0, 1, 2])
    told(odd, "the filling is not of zeros, parity", [7, 8, 9])


def malformed(of, blocks={}, segment_leaf=None):
    """Shares of a one-segment object whose maker did not follow the rules, and the index they have."""
    _, _, _, whole = encoded[of]
    n = whole[0][8 + 6]
    at = 56 + 32 * n
    new = []
    for i, data in enumerate(whole):
        block = blocks.get(i, data[at + 64:])
        new.append((share.leaf(i, 0, block), segment_leaf or data[at + 32:at + 64], block))
    roots = b"".join(share.share_root(i, leaf) for i, (leaf, _, _) in enumerate(new))
    descriptor = whole[0][8:24] + share.list_root(new[0][1]) + roots
    made = [share.header_of(i, descriptor) + b"".join(parts) for i, parts in enumerate(new)]
    return of, tagged("object", descriptor)[:20].hex(), made


def told(lying, name, fine, *wrong):
    of, index, made = lying

    def given(chosen):
        return {"storageIndex": index, "shares": [[i, recipe(of, i, made[i])] for i in chosen]}

    if fine:
        good(f"decoded though {name}, from {fine[0]} …", "object-decode", **given(fine))
    for chosen in wrong:
        bad("E_ENCODING", f"refused: {name}, from {' '.join(map(str, chosen))}", "object-decode",
            **given(chosen))


def main():
    streams()
    lengths()
    objects()
    shares()
    decoding()
    vectors.print()


if __name__ == "__main__":
    main()
