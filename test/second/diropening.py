"""Cases of directory.json that open single nodes: directory.md, "Nodes", "Entries", "Meta"."""
import cbor
import dirnode
import seal
from dirops import SECRET, bad, good, name_of, place

OWN = {**{name: value for name, value in place("own").items() if name != "readKey"}}
ROOT, KEY = name_of("object"), name_of("key")
OBJECT = [ROOT, 3, 10, 4096]
CHILD = [1, 0, 200, seal.verify_key(KEY)]
REFS = [1, [OBJECT], [CHILD]]
SMALL = [b"a", 0, 0o644, 7, 8, [], b"hi"]
STREAM = [b"a", 1, 0o644, 7, 8, [], [1, 0, 100, KEY]]
LARGE = [b"a", 2, 0o644, 7, 8, [], [0, 100, KEY]]
BELOW = [b"a", 3, 0o755, 7, 8, [], [0, KEY]]
LINK, FIFO = [b"a", 4, 0, 7, 8, [], b"to"], [b"a", 5, 0, 7, 8, [], b""]
DEVICE = [b"a", 6, 0, 7, 8, [[7, [1, 2]]], b""]


def but(value, *path_and_new):
    """A copy of nested lists with one item replaced."""
    first, *rest = path_and_new
    if not rest:
        return first
    return [but(item, *rest) if i == first else item for i, item in enumerate(value)]


def of(rows, refs=REFS, offset=0, kind="dir", behind=b""):
    key, _, data = dirnode.sealed(SECRET, refs, rows, kind)
    return {"object": OWN, "offset": offset, "slice": (data + behind).hex(), "readKey": key.hex()}


def entries(*rows):
    return [1, 0, list(rows)]


def opening():
    def fine(title, rows, refs=REFS, offset=0):
        good(f"opened: {title}", "directory-open", **of(rows, refs, offset))

    fine("no entries", entries(), [1, [], []])
    for title, row in [("small", SMALL), ("of a stream", STREAM), ("large", LARGE), ("a directory", BELOW), ("a link", LINK),
                       ("a fifo", FIFO), ("a device", DEVICE)]:
        fine(f"an entry, {title}", entries(row))
    fine("what no row uses", entries(SMALL))
    fine("one child in two rows", entries(BELOW, but(BELOW, 0, b"b")))
    fine("a child of depth 1", [1, 1, [[b"z", 0, KEY]]])
    fine("two children of depth 8", [1, 8, [[b"a", 0, KEY], [b"b", 0, KEY]]])
    fine("a stream with a codec", entries(but(STREAM, 6, [1, 5, 100, KEY, 1, 50])))
    fine("a stream elsewhere than at 0", entries(but(STREAM, 6, 1, 1)))
    fine("a stream of more bytes than its object, packed", entries(but(STREAM, 6, [1, 0, 2**24, KEY, 1, 4064])))
    own = but(REFS, 2, 0, 0, 0)
    fine("a directory in its own object", entries(BELOW), own, 200)
    fine("a file in its own object", entries(LARGE), own, 201)
    fine("a stream in its own object", entries(but(STREAM, 6, 0, 0)), [1, [], []], 132)
    fine("a directory at 10 of its own object", entries(BELOW), but(own, 2, 0, 1, 10), 300)

    def refused(title, rows, refs=REFS, offset=0):
        bad("E_NODE", f"refused: {title}", "directory-open", **of(rows, refs, offset))

    rows_refused(refused)
    entries_refused(refused)
    places_refused(refused, own)


def rows_refused(refused):
    one = entries(SMALL)
    for title, rows in [
        ("version 0", but(one, 0, 0)), ("version 2", but(one, 0, 2)), ("depth 9", [1, 9, [[b"a", 0, KEY]]]),
        ("depth -1", but(one, 1, -1)), ("rows of two parts", one[:2]), ("rows of four parts", one + [0]),
        ("a list that is a number", but(one, 2, 0)), ("an entry that is a number", entries(1)),
        ("an entry where a child belongs", but(one, 1, 1)), ("a child where an entry belongs", entries([b"a", 0, KEY])),
        ("no rows at depth 1", [1, 1, []]), ("rows out of order", entries(but(SMALL, 0, b"b"), SMALL)),
        ("a name twice", entries(SMALL, SMALL)), ("a prefix behind", entries(but(SMALL, 0, b"ab"), SMALL)),
        ("order by signed bytes", entries(but(SMALL, 0, b"\xff"), but(SMALL, 0, b"a"))),
        ("children out of order", [1, 1, [[b"b", 0, KEY], [b"a", 0, KEY]]]),
        ("a last name twice", [1, 1, [[b"b", 0, KEY], [b"b", 0, KEY]]]),
        ("a last name of 0 bytes", [1, 1, [[b"", 0, KEY]]]), ("a last name with /", [1, 1, [[b"a/", 0, KEY]]]),
        ("a last name as text", [1, 1, [["a", 0, KEY]]]), ("child 1 of 1", [1, 1, [[b"a", 1, KEY]]]),
        ("child -1", [1, 1, [[b"a", -1, KEY]]]), ("a child of another key", [1, 1, [[b"a", 0, ROOT]]]),
        ("a child of a key of 31 bytes", [1, 1, [[b"a", 0, KEY[:31]]]]), ("a child of two parts", [1, 1, [[b"a", 0]]]),
        ("4,097 rows", entries(*([b"%04d" % i, 5, 0, 0, 0, [], b""] for i in range(4097)))),
    ]:
        refused(title, rows)


def entries_refused(refused):
    for title, row in [
        ("an entry of six parts", SMALL[:6]), ("an entry of eight parts", SMALL + [0]),
        ("a name as text", but(SMALL, 0, "a")), ("an empty name", but(SMALL, 0, b"")),
        ("a name of 1,025 bytes", but(SMALL, 0, b"n" * 1025)), ("a name with NUL", but(SMALL, 0, b"a\0")),
        ("a name with /", but(SMALL, 0, b"a/b")), ("the name .", but(SMALL, 0, b".")), ("the name ..", but(SMALL, 0, b"..")),
        ("kind 8", but(SMALL, 1, 8)), ("kind -1", but(SMALL, 1, -1)), ("mode 4,096", but(SMALL, 2, 4096)),
        ("mode -1", but(SMALL, 2, -1)), ("2^52 + 1 seconds", but(SMALL, 3, 2**52 + 1)),
        ("-2^52 - 1 seconds", but(SMALL, 3, -2**52 - 1)), ("10^9 nanoseconds", but(SMALL, 4, 10**9)),
        ("-1 nanoseconds", but(SMALL, 4, -1)), ("a small file of 65 bytes", but(SMALL, 6, b"x" * 65)),
        ("a small file of text", but(SMALL, 6, "hi")), ("an empty link", but(LINK, 6, b"")),
        ("a link with NUL", but(LINK, 6, b"a\0")), ("a link of 65,536 bytes", but(LINK, 6, b"x" * 65536)),
        ("a link of text", but(LINK, 6, "to")), ("a fifo with content", but(FIFO, 6, b"x")),
        ("a fifo with a number", but(FIFO, 6, 0)), ("a device with content", but(DEVICE, 6, b"x")),
        ("meta as a number", but(SMALL, 5, 0)), ("a pair of three", but(SMALL, 5, [[1, 2, 3]])),
        ("key 0", but(SMALL, 5, [[0, 1]])), ("key 9", but(SMALL, 5, [[9, 1]])), ("a key as text", but(SMALL, 5, [["uid", 1]])),
        ("keys out of order", but(SMALL, 5, [[2, 1], [1, 1]])), ("a key twice", but(SMALL, 5, [[1, 1], [1, 1]])),
        ("a uid of 2^32", but(SMALL, 5, [[1, 2**32]])), ("a gid of -1", but(SMALL, 5, [[2, -1]])),
        ("a uid as text", but(SMALL, 5, [[1, "0"]])), ("an empty owner", but(SMALL, 5, [[3, ""]])),
        ("an owner of 256 bytes", but(SMALL, 5, [[3, "é" * 128]])), ("an owner of bytes", but(SMALL, 5, [[3, b"u"]])),
        ("an empty group", but(SMALL, 5, [[4, ""]])), ("no attributes", but(SMALL, 5, [[5, []]])),
        ("an attribute of an empty name", but(SMALL, 5, [[5, [[b"", b""]]]])),
        ("an attribute of 256 bytes of name", but(SMALL, 5, [[5, [[b"n" * 256, b""]]]])),
        ("an attribute twice", but(SMALL, 5, [[5, [[b"a", b""], [b"a", b"x"]]]])),
        ("attributes out of order", but(SMALL, 5, [[5, [[b"b", b""], [b"a", b""]]]])),
        ("an attribute as text", but(SMALL, 5, [[5, [[b"a", "x"]]]])), ("an attribute of one part", but(SMALL, 5, [[5, [[b"a"]]]])),
        ("a hard link of -1", but(SMALL, 5, [[6, -1]])), ("changed of 0", but(SMALL, 5, [[8, 0]])),
        ("changed of 2", but(SMALL, 5, [[8, 2]])), ("a small file with a device", but(SMALL, 5, [[7, [1, 2]]])),
        ("a fifo with a device", but(FIFO, 5, [[7, [1, 2]]])), ("a device without one", but(DEVICE, 5, [])),
        ("a device of one number", but(DEVICE, 5, [[7, [1]]])), ("a device of 2^32", but(DEVICE, 5, [[7, [1, 2**32]]])),
        ("a stream as bytes", but(STREAM, 6, b"")), ("a stream of three parts", but(STREAM, 6, [1, 0, 100])),
        ("a stream of five parts", but(STREAM, 6, [1, 0, 100, KEY, 1])),
        ("a stream of codec 0 written out", but(STREAM, 6, [1, 0, 100, KEY, 0, 100])),
        ("a stream of codec 2", but(STREAM, 6, [1, 0, 100, KEY, 2, 50])),
        ("a stream of 0 stored bytes", but(STREAM, 6, [1, 0, 100, KEY, 1, 0])),
        ("a stream of 0 bytes", but(STREAM, 6, 2, 0)), ("a stream of object 2 of 1", but(STREAM, 6, 0, 2)),
        ("a stream past the end of its object", but(STREAM, 6, [1, 4096 - 131, 100, KEY])),
        ("a stream of a key of 31 bytes", but(STREAM, 6, 3, KEY[:31])),
        ("a large file of two parts", but(LARGE, 6, [0, KEY])), ("a large file of 0 bytes", but(LARGE, 6, 1, 0)),
        ("a large file of child 1 of 1", but(LARGE, 6, 0, 1)), ("a large file of another key", but(LARGE, 6, 2, ROOT)),
        ("a directory of three parts", but(BELOW, 6, [0, 100, KEY])), ("a directory of child 1 of 1", but(BELOW, 6, 0, 1)),
        ("a directory of child -1", but(BELOW, 6, 0, -1)), ("a directory of another key", but(BELOW, 6, 1, ROOT)),
    ]:
        refused(title, entries(row))


def places_refused(refused, own):
    for title, row, refs, offset in [
        ("a directory one byte into itself", BELOW, own, 199), ("a directory at its own start", BELOW, own, 0),
        ("a directory behind it in its object", BELOW, but(own, 2, 0, 1, 500), 400),
        ("a file one byte into this node", LARGE, but(own, 2, 0, 1, 10), 209),
        ("a stream one byte into this node", but(STREAM, 6, 0, 0), [1, [], []], 131),
        ("a child of object 2 of 1", BELOW, but(REFS, 2, 0, 0, 2), 0),
        ("a child past the end of its object", BELOW, but(REFS, 2, 0, 1, 4096 - 199), 0),
        ("an object twice", BELOW, but(REFS, 1, [OBJECT, OBJECT]), 0),
        ("references of version 2", BELOW, but(REFS, 0, 2), 0),
    ]:
        refused(title, entries(row), refs, offset)

    def wrong(error, title, given):
        bad(error, f"refused: {title}", "directory-open", **given)

    plain = of(entries(SMALL))
    wrong("E_NODE", "a byte behind the slice", of(entries(SMALL), behind=b"\0"))
    for length in (1, 35, 36, len(plain["slice"]) // 2 - 1):
        wrong("E_NODE", f"a slice cut to {length} bytes", {**plain, "slice": plain["slice"][:2 * length]})
    wrong("E_COMMIT", "a node of a file", of(entries(SMALL), kind="tree"))
    wrong("E_COMMIT", "another key", {**plain, "readKey": KEY.hex()})
    wrong("E_COMMIT", "its verify key", {**plain, "readKey": seal.verify_key(bytes.fromhex(plain["readKey"])).hex()})
    wrong("E_COMMIT", "a bit of the second commitment", {**plain, "slice": second_commitment_changed(plain["slice"])})
    for title, rows in [("rows with a byte behind", cbor.encode(entries(SMALL)) + b"\0"), ("rows that are a map", b"\xa0"),
                        ("a mode in three bytes that has one", cbor.encode(entries(FIFO)).replace(b"a\5\0", b"a\5\x19\0\0"))]:
        wrong("E_CBOR", title, of(rows))


def second_commitment_changed(text):
    data = bytearray.fromhex(text)
    data[32 + 4 + len(cbor.encode(REFS))] ^= 1
    return data.hex()
