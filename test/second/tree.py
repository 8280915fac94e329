"""Nodes of files and whole trees: the vectors of tree.md.

    python3 test/second/tree.py > test/vectors/tree.json

A row is {root, k, n, ciphertextBytes, sliceBytes (above depth 0), plaintextBytes, readKey}; rows
may also be {gen: "rows", count}: row i is of the object SHA-256(u32 i), 3-of-10 and 2^21 bytes,
with a slice of 1,000, 1,000,000 + i bytes of plaintext and the key SHA-256(u32 i, 01). The
vectors are frozen: a change of what this prints is a change of the format.
"""
import hashlib

import cbor
import node
import seal
import share
from notation import tagged, u32
from vectors import Vectors, shown

SECRET = bytes(range(32))
PLAIN = ("root", "k", "n", "ciphertextBytes", "sliceBytes", "plaintextBytes", "readKey")


def rows_of(given):
    if isinstance(given, dict):
        return [[hashlib.sha256(u32(i)).digest(), 3, 10, 2**21, 1000, 10**6 + i,
                 hashlib.sha256(u32(i) + b"\1").digest()] for i in range(given["count"])]
    return [[bytes.fromhex(row[name]) if name in ("root", "readKey") else row.get(name)
             for name in PLAIN] for row in given]


def named(depth, table, objects, children):
    """The rows of an opened node as a vector gives them."""
    out = []
    for row in table:
        if depth == 0:
            number, offset, size, key = row[:4]
            length = None
        else:
            (number, offset, length, _), size, key = children[row[0]], *row[1:]
        root, k, n, total = objects[number - 1]
        values = [root.hex(), k, n, total, length, size, key.hex()]
        plain = {name: value for name, value in zip(PLAIN, values) if value is not None}
        rest = {"codec": row[4], "storedBytes": row[5]} if len(row) == 6 else {}
        out.append({**plain, **({"offset": offset} if offset else {}), **rest})
    return out


def node_op(secret, depth, rows):
    """Seals a node; opening it must give the rows again."""
    rows = rows_of(rows)
    key, data = node.slice_of(bytes.fromhex(secret), "tree", *node.parts_of(depth, rows))
    back = node.file_node(data, key)
    assert back[0] == depth and rows_of(named(*back)) == [
        row if depth > 0 else row[:4] + [None] + row[5:] for row in rows]
    return {"readKey": key.hex(), "verifyKey": seal.verify_key(key).hex(), "sliceBytes": len(data),
            "slice": shown(data)}


def node_open(slice, readKey):
    found = node.file_node(bytes.fromhex(slice), bytes.fromhex(readKey))
    return {"depth": found[0], "rows": named(*found)}


def node_below(slice, readKey, depth, plaintextBytes):
    """As node-open, where a row of a node of `depth` says that it covers so many bytes."""
    found = node.node_below(bytes.fromhex(slice), bytes.fromhex(readKey), depth, plaintextBytes)
    return {"extents": len(found[1])}


def node_verify(slice, verifyKey):
    objects, children = node.verified(bytes.fromhex(slice), "tree", bytes.fromhex(verifyKey))
    return {"objects": [[root.hex(), *numbers] for root, *numbers in objects],
            "children": [[objects[number - 1][0].hex(), offset, length, key.hex()]
                         for number, offset, length, key in children]}


def tree_op(secret, k, n, rows):
    """Stores the nodes of a file of these extents, each as an object of k-of-n."""
    secret, level, depth, written = bytes.fromhex(secret), rows_of(rows), 0, 0
    while depth == 0 or len(level) > 1:
        above = []
        for at in range(0, len(level), node.PER_NODE):
            part = level[at:at + node.PER_NODE]
            key, data = node.slice_of(secret, "tree", *node.parts_of(depth, part))
            ciphertext = seal.padded(secret, data)
            root = share.encode(ciphertext, k, n)[0]
            above.append([root, k, n, len(ciphertext), len(data), sum(row[5] for row in part), key])
        level, depth, written = above, depth + 1, written + len(above)
    root, _, _, _, length, size, key = level[0]
    return {"root": root.hex(), "readKey": key.hex(), "depth": depth - 1, "nodes": written,
            "sizeBytes": size, "sliceBytes": length}


vectors = Vectors("docs/specs/tree.md", {
    "node": node_op, "node-open": node_open, "node-below": node_below, "node-verify": node_verify,
    "tree": tree_op})
good, bad = vectors.good, vectors.bad


def name(text):
    return hashlib.sha256(b"tree.json " + text.encode()).digest()


def extent(text, total, size, k=3, n=10):
    return {"root": name(text).hex(), "k": k, "n": n, "ciphertextBytes": total,
            "plaintextBytes": size, "readKey": name("key of " + text).hex()}


def child(text, total, length, size):
    row = extent(text, total, size)
    return {**row, "sliceBytes": length}


def nodes():
    secret = SECRET.hex()
    worked = {"root": tagged("object").hex(), "k": 3, "n": 10, "ciphertextBytes": 2048,
              "plaintextBytes": 2000, "readKey": "07" * 32}
    good("worked", "node", secret=secret, depth=0, rows=[worked])
    two = [extent("one", 2**21, 2**20 + 1), extent("two", 4456448, 2**22, 8, 10)]
    good("two extents", "node", secret=secret, depth=0, rows=two)
    good("an extent twice", "node", secret=secret, depth=0, rows=[two[0], two[1], two[0]])
    good("the numbers of an object at their least", "node", secret=secret, depth=0,
         rows=[extent("small", 1024, 1, 1, 1)])
    good("the numbers of an object at their greatest", "node", secret=secret, depth=0,
         rows=[extent("great", 2**24, 2**24 - 32, 255, 255)])
    for depth in (1, 8):
        good(f"children, depth {depth}", "node", secret=secret, depth=depth,
             rows=[child("left", 1441792, 1400000, 2**35), child("right", 1024, 160, 7)])
    good("a child of 2^53 - 1 bytes", "node", secret=secret, depth=3,
         rows=[child("vast", 2**24, 2**24, 2**53 - 1)])
    for count in (255, 256):
        good(f"{count} extents", "node", secret=secret, depth=0, rows={"gen": "rows", "count": count})
    for count in (255, 16384):
        good(f"{count} children", "node", secret=secret, depth=1, rows={"gen": "rows", "count": count})
    for k, n in ((1, 1), (3, 10)):
        good(f"a tree of 2 extents, {k} of {n}", "tree", secret=secret, k=k, n=n,
             rows={"gen": "rows", "count": 2})
    for count in (16384, 16385):
        good(f"a tree of {count} extents", "tree", secret=secret, k=3, n=10,
             rows={"gen": "rows", "count": count})


ROOT, KEY = name("object"), name("key")
OBJECT = [ROOT, 3, 10, 4096]
ROW = [1, 0, 100, KEY]
REFS, ROWS = [1, [OBJECT], []], [1, 0, [ROW]]
CHILD = [1, 0, 200, seal.verify_key(KEY)]
ABOVE, CHILDREN = [1, [OBJECT], [CHILD]], [1, 1, [[0, 100, KEY]]]


def of(refs, rows, kind="tree"):
    key, data = node.slice_of(SECRET, kind, refs, rows)
    return {"slice": data.hex(), "readKey": key.hex()}


def verify(given):
    return {"slice": given["slice"], "verifyKey": seal.verify_key(bytes.fromhex(given["readKey"])).hex()}


def but(value, *path_and_new):
    """A copy of nested lists with one item replaced."""
    first, *rest = path_and_new
    if not rest:
        return first
    return [but(item, *rest) if i == first else item for i, item in enumerate(value)]


def opening():
    plain = of(REFS, ROWS)
    good("opened", "node-open", **plain)
    good("opened, with padding behind it", "node-open", **{**plain, "slice": plain["slice"] + "aa" * 50})
    good("opened, depth 1", "node-open", **of(ABOVE, CHILDREN))
    good("opened, depth 8", "node-open", **of(ABOVE, but(CHILDREN, 1, 8)))
    good("opened, an object that no row uses", "node-open",
         **of(but(REFS, 1, [OBJECT, [name("other"), 1, 1, 1024]]), ROWS))
    good("opened, one child in two rows", "node-open", **of(ABOVE, but(CHILDREN, 2, CHILDREN[2] * 2)))
    good("verified", "node-verify", **verify(plain))
    good("verified, depth 1", "node-verify", **verify(of(ABOVE, CHILDREN)))
    good("verified, a child to the end of its object", "node-verify",
         **verify(of(but(ABOVE, 2, 0, 1, 4096 - 200), CHILDREN)))
    good("verified, rows that are not CBOR", "node-verify", **verify(of(REFS, b"\xff")))
    good("below a row that says what it covers", "node-below", **plain, depth=1, plaintextBytes=100)
    for depth, size in ((1, 99), (1, 101), (2, 100), (8, 100)):
        bad("E_NODE", f"below depth {depth} and {size} bytes", "node-below", **plain, depth=depth,
            plaintextBytes=size)
    bad("E_NODE", "below depth 1, of depth 1", "node-below", **of(ABOVE, CHILDREN), depth=1,
        plaintextBytes=100)


def refusing():
    def refs(title, value):
        bad("E_NODE", f"refused: {title}", "node-verify", **verify(of(value, ROWS)))

    def rows(title, value, base=REFS):
        bad("E_NODE", f"refused: {title}", "node-open", **of(base, value))

    for title, value in [
        ("references of version 0", but(REFS, 0, 0)), ("references of version 2", but(REFS, 0, 2)),
        ("references as a number", 1), ("references of two parts", REFS[:2]),
        ("references of four parts", REFS + [[]]), ("objects as bytes", but(REFS, 1, b"")),
        ("an object as a number", but(REFS, 1, [1])), ("an object of three parts", but(REFS, 1, 0, OBJECT[:3])),
        ("a root of 31 bytes", but(REFS, 1, 0, 0, ROOT[:31])),
        ("a root of 33 bytes", but(REFS, 1, 0, 0, ROOT + b"\0")), ("a root as text", but(REFS, 1, 0, 0, "r" * 32)),
        ("k of 0", but(REFS, 1, 0, 1, 0)), ("k above n", but(REFS, 1, 0, 1, 11)),
        ("n of 256", but(REFS, 1, 0, 2, 256)), ("an object of 1,023 bytes", but(REFS, 1, 0, 3, 1023)),
        ("an object of 2^24 + 1 bytes", but(REFS, 1, 0, 3, 2**24 + 1)),
        ("an object twice", but(REFS, 1, [OBJECT, OBJECT])),
        ("a root twice, of different codings", but(REFS, 1, [OBJECT, [ROOT, 1, 1, 4096]])),
        ("children as a number", but(REFS, 2, 0)),
        ("a child of object 0", but(ABOVE, 2, 0, 0, 0)), ("a child of object 2 of 1", but(ABOVE, 2, 0, 0, 2)),
        ("a child at a negative offset", but(ABOVE, 2, 0, 1, -1)),
        ("a child of negative length", but(ABOVE, 2, 0, 2, -1)),
        ("a child longer than its object", but(ABOVE, 2, 0, 2, 4097)),
        ("a child past the end of its object", but(ABOVE, 2, 0, 1, 4096 - 199)),
        ("a verify key of 31 bytes", but(ABOVE, 2, 0, 3, bytes(31))),
    ]:
        refs(title, value)
    bad("E_NODE", "not opened: references of version 2", "node-open", **of(but(REFS, 0, 2), ROWS))

    for title, value in [
        ("rows of version 0", but(ROWS, 0, 0)), ("rows of version 2", but(ROWS, 0, 2)),
        ("depth 9", but(ROWS, 1, 9)), ("a negative depth", but(ROWS, 1, -1)), ("no rows", but(ROWS, 2, [])),
        ("rows as a number", but(ROWS, 2, 0)), ("a row of three parts", but(ROWS, 2, 0, ROW[:3])),
        ("a row of five parts", but(ROWS, 2, 0, ROW + [1])),
        ("a row of seven parts", but(ROWS, 2, 0, ROW + [1, 50, 0])),
        ("codec 0 written out", but(ROWS, 2, 0, ROW + [0, 100])), ("codec 2", but(ROWS, 2, 0, ROW + [2, 50])),
        ("0 stored bytes", but(ROWS, 2, 0, ROW + [1, 0])),
        ("one stored byte too many", but(ROWS, 2, 0, ROW + [1, 4096 - 31])),
        ("2^24 + 1 bytes when decompressed", but(ROWS, 2, 0, [1, 0, 2**24 + 1, KEY, 1, 50])),
        ("a row of object 0", but(ROWS, 2, 0, 0, 0)),
        ("a row of object 2 of 1", but(ROWS, 2, 0, 0, 2)), ("a row of object -1", but(ROWS, 2, 0, 0, -1)),
        ("an extent at offset -1", but(ROWS, 2, 0, 1, -1)),
        ("an extent that ends one byte past its object", but(ROWS, 2, 0, 1, 4096 - 131)),
        ("an extent of 0 bytes", but(ROWS, 2, 0, 2, 0)),
        ("an extent of -1 bytes", but(ROWS, 2, 0, 2, -1)),
        ("an extent of one byte too many", but(ROWS, 2, 0, 2, 4096 - 31)),
        ("an extent as text", but(ROWS, 2, 0, 2, "100")), ("a key of 31 bytes", but(ROWS, 2, 0, 3, KEY[:31])),
        ("a key of 33 bytes", but(ROWS, 2, 0, 3, KEY + b"\0")),
        ("rows of a child where extents belong", but(CHILDREN, 1, 0)),
        ("rows of extents where children belong", but(ROWS, 1, 1)),
    ]:
        rows(title, value)
    good("a row with a codec", "node-open", **of(REFS, but(ROWS, 2, 0, ROW + [1, 50])))
    good("a row with a codec, stored to the end of its object", "node-open",
         **of(REFS, but(ROWS, 2, 0, [1, 0, 2**24, KEY, 1, 4096 - 32])))
    good("an extent to the end of its object", "node-open", **of(REFS, but(ROWS, 2, 0, 1, 4096 - 132)))
    good("a child that is not at the start of its object", "node-open",
         **of(but(ABOVE, 2, 0, 1, 1), CHILDREN))
    good("an extent that fills its object", "node-open", **of(REFS, but(ROWS, 2, 0, 2, 4096 - 32)))

    for title, value in [
        ("child 1 of 1", but(CHILDREN, 2, 0, 0, 1)), ("child -1", but(CHILDREN, 2, 0, 0, -1)),
        ("a child of 0 bytes", but(CHILDREN, 2, 0, 1, 0)), ("a child key of 31 bytes", but(CHILDREN, 2, 0, 2, KEY[:31])),
        ("a child whose verify key is another's", but(CHILDREN, 2, 0, 2, name("other key"))),
    ]:
        rows(title, value, base=ABOVE)


def cbor_and_slices():
    whole = cbor.encode(REFS)
    top = cbor.head(0, 2**53 - 1)
    for title, data in [
        ("nothing", b""), ("cut short", whole[:-1]), ("a byte behind", whole + b"\0"),
        ("a version in two bytes", whole.replace(b"\x83\1", b"\x83\x18\1", 1)),
        ("an array with its length in two bytes", b"\x98\3" + whole[1:]),
        ("an array without a length", b"\x9f" + whole[1:] + b"\xff"),
        ("a byte string without a length", b"\x5f\x40\xff"), ("a float", b"\xf9\x3c\0"), ("true", b"\xf5"),
        ("null", b"\xf6"), ("undefined", b"\xf7"), ("a map", b"\xa0"), ("a tag", b"\xc1\1"),
        ("a text that is not UTF-8", b"\x61\xff"), ("a text with a surrogate", b"\x63\xed\xa0\x80"),
        ("2^53", b"\x1b" + (2**53).to_bytes(8, "big")), ("-2^53", b"\x3b" + top[1:]),
        ("2^64 - 1", b"\x1b" + b"\xff" * 8), ("nine arrays deep", b"\x81" * 8 + b"\x80"),
        ("an array of 2^32 - 1 items", b"\x9a" + b"\xff" * 4),
        ("a byte string longer than the part", b"\x5a\0\1\0\0"), ("a reserved length", b"\x1c"),
    ]:
        bad("E_CBOR", f"rows: {title}", "node-open", **of(REFS, data))
    bad("E_CBOR", "references: a byte behind", "node-open", **of(whole + b"\0", ROWS))
    bad("E_CBOR", "references, verified: a byte behind", "node-verify", **verify(of(whole + b"\0", ROWS)))
    for title, data in [("2^53 - 1", top), ("1 - 2^53", b"\x3b" + (2**53 - 2).to_bytes(8, "big")),
                        ("eight arrays deep", b"\x81" * 7 + b"\x80"), ("an empty text", b"\x60")]:
        bad("E_NODE", f"good CBOR that is no node: {title}", "node-open", **of(data, ROWS))

    plain = of(REFS, ROWS)
    data, key = bytes.fromhex(plain["slice"]), bytes.fromhex(plain["readKey"])
    refs_plain, rows_plain = node.sized(cbor.encode(REFS)), node.sized(cbor.encode(ROWS))
    second = 32 + len(refs_plain)
    for length in (0, 31, 32, 35, 36, second - 1, second, second + 35, len(data) - 1):
        bad("E_NODE", f"a slice cut after {length} bytes", "node-open", slice=data[:length].hex(), readKey=key.hex())
    for title, size in [("2^21 + 1", 2**21 + 1), ("2^32 - 1", 2**32 - 1), ("one too many", len(data))]:
        lying = node.sealed_under(key, "tree", u32(size) + refs_plain[4:], rows_plain)
        bad("E_NODE", f"a part that says {title} bytes", "node-open", slice=lying.hex(), readKey=key.hex())
    short = node.sealed_under(key, "tree", u32(len(refs_plain) - 5) + refs_plain[4:], rows_plain)
    bad("E_CBOR", "a part that says one byte too few", "node-open", slice=short.hex(), readKey=key.hex())

    def wrong(title, sealed, key=key):
        bad("E_COMMIT", f"not opened: {title}", "node-open", slice=sealed.hex(), readKey=key.hex())

    verify_key = seal.verify_key(key)
    wrong("another key", data, name("other key"))
    wrong("its verify key", data, verify_key)
    wrong("a bit of the first commitment", bytes([data[0] ^ 1]) + data[1:])
    wrong("a bit of the second commitment", data[:second] + bytes([data[second] ^ 1]) + data[second + 1:])
    wrong("a node of a directory", node.sealed_under(key, "dir", refs_plain, rows_plain))
    wrong("a plain file", seal.seal("raw", key, refs_plain))
    wrong("the first part sealed as the second", seal.seal("tree", verify_key, refs_plain) + data[second:])
    wrong("the second part sealed as the first", data[:second] + seal.seal("treev", key, rows_plain))
    wrong("the second part under the verify key", data[:second] + seal.seal("tree", verify_key, rows_plain))
    wrong("the parts exchanged", data[second:] + data[:second])
    bad("E_COMMIT", "not verified: the read key", "node-verify", slice=data.hex(), verifyKey=key.hex())
    bad("E_COMMIT", "not verified: a node of a directory", "node-verify",
        **verify(of(REFS, ROWS, "dir")))


def main():
    nodes()
    opening()
    refusing()
    cbor_and_slices()
    vectors.print()


if __name__ == "__main__":
    main()
