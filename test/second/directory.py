"""Directories: the vectors of directory.md.

    python3 test/second/directory.py > test/vectors/directory.json

An entry is {name, kind, mode, seconds, nanoseconds, meta, content}, bytes in hex. Content of kinds 1
to 3 is {root, k, n, ciphertextBytes, offset, sliceBytes, plaintextBytes, readKey, codec, storedBytes},
as far as the kind has them; the number of a directory that was written before in the same case may
stand for kind 3. Many entries are {gen: "numbers", from, count}: n0000000 … of kind 0, mode 0644,
1,700,000,000 seconds and 5 nanoseconds, without meta, the number as u32 for content; or
{gen: "links", from, count, bytes}: of kind 4, the target so many letters a.
Objects that are there to be read are given by root, as what is in them; no hash is looked at. The
vectors are frozen: a change of what this prints is a change of the format.
"""
import hashlib

import bundle
import capreader
import caps
import cbor
import dirnode
import entry
import node
import seal
import verifier
from listing import Directory
from notation import Refused, bulk, tagged, u32
from vectors import Vectors, shown

SECRET = bytes(range(32))
LONG = "long 3"
META = {"uid": 1, "gid": 2, "owner": 3, "group": 4, "attributes": 5, "hardLink": 6, "device": 7, "changed": 8}
PLACE = ("root", "k", "n", "ciphertextBytes")
FIELDS = {1: ("offset", "plaintextBytes", "readKey", "codec", "storedBytes"),
          2: ("offset", "sliceBytes", "plaintextBytes", "readKey"), 3: ("offset", "sliceBytes", "readKey")}


def generated(given):
    out = []
    for i in range(given.get("from", 0), given.get("from", 0) + given["count"]):
        kind, content = (0, u32(i)) if given["gen"] == "numbers" else (4, b"a" * given["bytes"])
        out.append([b"n%07d" % i, kind, 0o644, 1_700_000_000, 5, [], content])
    return out


def row_of(given, written=()):
    """The array of an entry of a vector."""
    content, kind = given["content"], given["kind"]
    if isinstance(content, int):
        content = written[content][1:]
    elif kind in FIELDS:
        place = dirnode.Place([raw(name, content[name]) for name in PLACE])
        content = [place, *[raw(name, content[name]) for name in FIELDS[kind] if name in content]]
    else:
        content = bytes.fromhex(content)
    pairs = sorted([META[name], meta_of(name, value)] for name, value in given["meta"].items())
    return [bytes.fromhex(given["name"]), kind, given["mode"], given["seconds"], given["nanoseconds"], pairs, content]


def raw(name, value):
    return bytes.fromhex(value) if name in ("root", "readKey") else value


def meta_of(name, value):
    if name == "attributes":
        return [[bulk(part) for part in pair] for pair in value]
    return 1 if name == "changed" else value


def rows_of(given, written=()):
    if isinstance(given, dict):
        return generated(given)
    return [row for part in given for row in (generated(part) if "gen" in part else [row_of(part, written)])]


def plain(row, objects, children, own):
    """An entry of an opened node as a vector gives it, and its cap."""
    name, kind, mode, seconds, nanoseconds, pairs, content = row
    names = {key: name for name, key in META.items()}
    meta = {names[key]: True if key == entry.CHANGED else
            [[part.hex() for part in pair] for pair in value] if key == entry.ATTRIBUTES else value
            for key, value in pairs}
    if kind in FIELDS:
        numbers = content if kind == 1 else [*children[content[0]][:3], *content[1:]]
        # a node's own object is not described again
        found = own[:3] if numbers[0] == 0 else objects[numbers[0] - 1]
        values = [*zip(PLACE, found), *zip(FIELDS[kind], numbers[1:])]
        content = {name: value.hex() if isinstance(value, bytes) else value for name, value in values}
    else:
        content = content.hex()
    cap = entry.cap_of(row, objects, children, own)
    return {"name": name.hex(), "kind": kind, "mode": mode, "seconds": seconds, "nanoseconds": nanoseconds,
            "meta": meta, "content": content, **({"cap": cap} if cap else {})}


def cut(secret, depth, name):
    ends, number = dirnode.ends_by_name(bytes.fromhex(secret), depth, bytes.fromhex(name))
    return {"number": number, "ends": ends}


def cap_of(found):
    _, place, offset, length, key = found
    root, k, n, _ = place.object
    return caps.text("DIR-CHK", {"readKey": key, "root": root, "k": k, "n": n, "sliceBytes": length,
                                 "offsetBytes": offset})


def write(secret, k, n, placement, directories, verified=True):
    """Directories written one after another, and read again; `below` is what a verifier of the last one finds."""
    secret, objects = bytes.fromhex(secret), bundle.Objects(k, n)
    sink = bundle.Alone(objects) if placement == "alone" else bundle.Bundles(objects)
    written, all_rows = [], []
    for directory in directories:
        writer, rows = dirnode.Writer(secret, sink), rows_of(directory, written)
        for row in rows:
            writer.add(row)
        written.append(writer.finish())
        all_rows.append(rows)
    sink.finish(secret)
    tops = [(found[1].object, *found[2:]) for found in written]
    for top, rows in zip(tops, all_rows):
        found = [row for row, *_ in Directory(fetch_from(objects.held), *top).entries()]
        assert [row[:6] for row in found] == [row[:6] for row in rows]
    out = {"caps": [cap_of(found) for found in written], "slices": len(sink.slices),
           "slicesSha256": hashlib.sha256(b"".join(sink.slices)).hexdigest(),
           "objects": [root.hex() for root in objects.held]}
    if not verified:
        return out
    own, offset, _, key = tops[-1]
    below = verifier.objects_below(fetch_from(objects.held, True), own[:3], offset, seal.verify_key(key))
    return {**out, "below": sorted(place[0].hex() for place in below)}


def fetch_from(held, lax=False):
    """As listing.py wants it, or, lax, verifier.py."""
    def fetch(own, offset, length):
        content = held.get(own[0])
        if content is None:
            raise Refused("E_NOT_ENOUGH_SHARES")
        if not lax and offset + length > len(content):
            raise Refused("E_SIZE")
        return content[offset:None if length is None else offset + length]

    return fetch


def change(secret, k, n, entries, changes):
    """What a directory is after changes, {name} alone where one goes: written anew, every node alone."""
    rows = {row[0]: row for row in rows_of(entries)}
    for given in changes:
        name = bytes.fromhex(given["name"])
        rows.pop(name, None)
        if len(given) > 1:
            rows[name] = row_of(given)
    secret, objects = bytes.fromhex(secret), bundle.Objects(k, n)
    writer = dirnode.Writer(secret, bundle.Alone(objects))
    for name in sorted(rows):
        writer.add(rows[name])
    return {"cap": cap_of(writer.finish())}


def open_op(object, offset, slice, readKey):
    own = [raw(name, object[name]) for name in PLACE]
    depth, table, objects, children = dirnode.opened(bytes.fromhex(slice), bytes.fromhex(readKey), offset)
    if depth == 0:
        return {"depth": 0, "entries": [plain(row, objects, children, own) for row in table]}
    return {"depth": depth, "children": [[row[0].hex(), children[row[1]][2], row[2].hex()] for row in table]}


def held_of(given):
    return {bytes.fromhex(root): bytes.fromhex(content) for root, content in given.items()}


def opened_cap(text):
    """The numbers of a DIR-CHK cap ."""
    _, cap = capreader.parse(text)
    return [[cap["root"], cap["k"], cap["n"]], cap["offsetBytes"], cap["sliceBytes"], cap["readKey"]]


def list_op(objects, cap, behind=None):
    directory = Directory(fetch_from(held_of(objects)), *opened_cap(cap))
    found = directory.entries(bytes.fromhex(behind) if behind else None)
    return {"names": [row[0].hex() for row, *_ in found]}


def find(objects, cap, name):
    found = Directory(fetch_from(held_of(objects)), *opened_cap(cap)).find(bytes.fromhex(name))
    return {"entry": plain(*found) if found else None}


def verify(objects, verifyKey, root, k, n, offset):
    top = [bytes.fromhex(root), k, n]
    found = verifier.objects_below(fetch_from(held_of(objects), True), top, offset, bytes.fromhex(verifyKey))
    return {"roots": sorted(place[0].hex() for place in found)}


vectors = Vectors("docs/specs/directory.md", {
    "directory-cut": cut, "directory": write, "directory-change": change, "directory-open": open_op,
    "directory-list": list_op, "directory-find": find, "directory-verify": verify})
good, bad = vectors.good, vectors.bad


def name_of(text):
    return hashlib.sha256(b"directory.json " + text.encode()).digest()


def letter(name, content="", kind=0, mode=0o644, seconds=1_700_000_000, nanoseconds=5, **meta):
    if isinstance(content, str):
        content = content.encode().hex()
    return {"name": name.encode().hex(), "kind": kind, "mode": mode, "seconds": seconds,
            "nanoseconds": nanoseconds, "meta": meta, "content": content}


def place(text, total=4096, k=3, n=10, **fields):
    return {"root": name_of(text).hex(), "k": k, "n": n, "ciphertextBytes": total, **fields,
            "readKey": name_of("key of " + text).hex()}


def writing():
    secret = SECRET.hex()
    good("whether a node ends, worked", "directory-cut", secret=secret, depth=0, name=b"a".hex())
    for i in (304, 486, 733, 879):
        good(f"whether a node ends, n{i:07d}", "directory-cut", secret=secret, depth=0, name=(b"n%07d" % i).hex())
    good("whether a node of depth 8 ends", "directory-cut", secret=secret, depth=8, name="ff" * 1024)

    def alone(title, *directories, placement="alone", k=3, n=10, **given):
        good(title, "directory", secret=secret, k=k, n=n, placement=placement, directories=list(directories), **given)

    below = [letter("a", "hi", uid=1000, owner="u")]
    extent = {"root": tagged("object").hex(), "k": 3, "n": 10, "ciphertextBytes": 2048, "offset": 0,
              "plaintextBytes": 2000, "readKey": "07" * 32}
    above = [letter("d", 0, 3, 0o755, -1, 0), letter("f", extent, 1, 0o600)]
    alone("empty, worked", [])
    alone("empty, in a bundle", [], placement="bundles")
    alone("two in a bundle, worked", below, above, placement="bundles")
    alone("the same two alone", below, above)
    alone("1,000 names, worked", {"gen": "numbers", "count": 1000})
    alone("1,000 names in a bundle", {"gen": "numbers", "count": 1000}, placement="bundles")
    alone("1,000 names, 1 of 1", {"gen": "numbers", "count": 1000}, k=1, n=1)
    alone("3,000 names", {"gen": "numbers", "count": 3000})
    for count in (305, 306):
        alone(f"{count} names, where one ends a node at 305", {"gen": "numbers", "count": count})
    for depths in ((1,), (0, 1)):
        alone(f"one name, which ends nodes of depth {' and '.join(map(str, depths))}: one node", [letter(ending(depths))])
    alone("links of 64 kB, some nodes ended by weight", {"gen": "links", "count": 20, "bytes": 65535}, k=1, n=1)
    alone("a weight of 2^20 exactly", {"gen": "links", "count": 17, "bytes": 65400}, k=1, n=1)
    alone("every kind", every_kind(), verified=False)
    alone("meta of every key", every_meta())
    alone("names of all sorts", [letter(name) for name in (
        "\n", "\x1b[2J", " ", "-rf", "...", "..a", "A", "__proto__", "a", "a\x01", "aa", "n" * 1024)] + [
        {**letter("x"), "name": name} for name in ("c3a9", "e9", "fe", "ff", "ffff")])
    alone("one directory in two places", below, [letter("a", 0, 3), letter("b", 0, 3)])
    alone("one directory in two places, in a bundle", below, [letter("a", 0, 3), letter("b", 0, 3)], placement="bundles")
    alone("one stream in two rows", [letter("a", extent, 1), letter("b", extent, 1)])
    small = [letter("a", "x")]
    alone("equal directories, one after the other, in a bundle", small, small, placement="bundles")
    filler = {"gen": "links", "count": 14, "bytes": 65535}
    alone("bundles that end by chance", *[{**filler, "from": 100 * i} for i in range(14)], placement="bundles", k=1, n=1)
    # a secret under which a bundle of these fills up before chance ends it
    good("a bundle that ends because it would be too long", "directory", secret=name_of(LONG).hex(), k=1, n=1,
         placement="bundles", directories=nested())

    refused = [
        ("E_NODE", "a name of 0 bytes", letter("")), ("E_NODE", "a name of 1,025 bytes", letter("n" * 1025)),
        ("E_NODE", "a name with NUL", letter("a\0b")), ("E_NODE", "a name with /", letter("a/b")),
        ("E_NODE", "the name .", letter(".")), ("E_NODE", "the name ..", letter("..")),
        ("E_NODE", "a mode of 4,096", letter("a", mode=4096)),
        ("E_NODE", "2^52 + 1 seconds", letter("a", seconds=2**52 + 1)),
        ("E_NODE", "-2^52 - 1 seconds", letter("a", seconds=-2**52 - 1)),
        ("E_NODE", "10^9 nanoseconds", letter("a", nanoseconds=10**9)),
        ("E_NODE", "-1 nanoseconds", letter("a", nanoseconds=-1)),
        ("E_NODE", "a small file of 65 bytes", letter("a", "x" * 65)),
        ("E_NODE", "a link to nothing", letter("a", "", 4)), ("E_NODE", "a link with NUL", letter("a", "a\0", 4)),
        ("E_NODE", "a link of 65,536 bytes", letter("a", "x" * 65536, 4)),
        ("E_NODE", "a character device without a device", letter("a", "", 6)),
        ("E_NODE", "a small file with a device", letter("a", device=[1, 2])),
        ("E_NODE", "a uid of 2^32", letter("a", uid=2**32)), ("E_NODE", "an empty owner", letter("a", owner="")),
        ("E_NODE", "an owner of 256 bytes", letter("a", owner="é" * 128)),
        ("E_NODE", "no attributes", letter("a", attributes=[])),
        ("E_NODE", "an attribute twice", letter("a", attributes=[["61", ""], ["61", ""]])),
        ("E_NODE", "attributes out of order", letter("a", attributes=[["62", ""], ["61", ""]])),
        ("E_NODE", "an attribute name of 256 bytes", letter("a", attributes=[["61" * 256, ""]])),
    ]
    for error, title, row in refused:
        bad(error, f"not written: {title}", "directory", secret=secret, k=3, n=10, placement="alone", directories=[[row]])
    for title, rows in [("out of order", [letter("b"), letter("a")]), ("a name twice", [letter("a"), letter("a")]),
                        ("a prefix behind", [letter("aa"), letter("a")])]:
        bad("RangeError", f"not written: {title}", "directory", secret=secret, k=3, n=10, placement="alone",
            directories=[rows])
    # 128 + 1 + (32 + 1 + value) is 2^19
    heaviest = 2**19 - 162
    good("an entry of weight 2^19", "directory", secret=secret, k=1, n=1, placement="alone",
         directories=[[heavy("a", heaviest)]])
    good("three entries of weight 2^19, two nodes", "directory", secret=secret, k=1, n=1, placement="alone",
         directories=[[heavy("a", heaviest), heavy("b", heaviest), heavy("c", heaviest)]])
    bad("E_NODE", "not written: an entry of weight 2^19 + 1", "directory", secret=secret, k=1, n=1,
        placement="alone", directories=[[heavy("a", heaviest + 1)]])


def ending(depths):
    """The first of n0000000, n0000001, … that ends nodes of just these of the depths 0 and 1."""
    return next(name for name in (f"n{i:07d}" for i in range(10**7)) if depths == tuple(
        depth for depth in (0, 1) if dirnode.ends_by_name(SECRET, depth, name.encode())[0]))


def nested():
    """Directories of about 0.9 MB, each in the next."""
    def one(i):
        above = [letter("a", i - 1, 3)] if i > 0 else []
        return [*above, {"gen": "links", "from": 10 * i, "count": 14, "bytes": 65535}]

    return [one(i) for i in range(10)]


def heavy(name, length):
    return letter(name, attributes=[["78", {"gen": "ctr", "seed": "00", "len": length}]])


def every_kind():
    stream = place("stream", offset=100, plaintextBytes=500)
    return [
        letter("a", "x" * 64), letter("b", ""), letter("c", stream, 1),
        letter("d", place("packed", offset=0, plaintextBytes=2**24, codec=1, storedBytes=4064), 1),
        letter("e", place("large", 2**20, offset=0, sliceBytes=160, plaintextBytes=2**53 - 1), 2, 0o4755),
        letter("f", place("bundled", 2**20, 1, 1, offset=1000, sliceBytes=160, plaintextBytes=5), 2),
        letter("g", place("directory", 2**24, 255, 255, offset=2**24 - 80, sliceBytes=80), 3, 0o1777),
        letter("h", "/../\n\x1b", 4, 0o777), letter("i", "", 5, 0), letter("j", "", 6, device=[0, 2**32 - 1]),
        letter("k", "", 7, device=[8, 1]), letter("l", {**stream, "offset": 632, "plaintextBytes": 3432}, 1),
    ]


def every_meta():
    return [letter("a", uid=0, gid=2**32 - 1, owner="é" * 127, group="g" * 255,
                   attributes=[["61", ""], ["6100", "00ff"], ["ff" * 255, "61"]], hardLink=2**53 - 1, changed=True),
            letter("b", seconds=-2**52, nanoseconds=999_999_999, mode=0, hardLink=0),
            letter("c", seconds=2**52, nanoseconds=0, mode=0o7777, uid=2**32 - 1),
            letter("d", "", 7, device=[1, 2], owner="o", changed=True)]


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


class Made:
    """Objects made by hand, each of one slice, at an offset of its own."""

    def __init__(self):
        self.objects, self.count = {}, 0

    def add(self, rows, refs=None, offset=0, kind="dir", behind=b""):
        """(object, offset, slice length, K) of a node."""
        self.count += 1
        key, _, data = dirnode.sealed(SECRET, refs or [1, [], []], rows, kind)
        root = hashlib.sha256(b"made %d" % self.count).digest()
        self.objects[root.hex()] = (bytes(offset) + data + behind).hex()
        return [root, 3, 10, max(1024, offset + len(data) + len(behind))], offset, len(data), key

    def above(self, depth, *below, **given):
        """A node above these, each (last name, place …)."""
        objects = []
        for _, own, *_ in below:
            if own not in objects:
                objects.append(own)
        children = [[objects.index(own) + 1, offset, length, seal.verify_key(key)] for _, own, offset, length, key in below]
        rows = [1, depth, [[name, i, key] for i, (name, *_, key) in enumerate(below)]]
        return self.add(rows, [1, objects, children], **given)

    def cap(self, place):
        own, offset, length, key = place
        return {"objects": self.objects, "cap": caps.text("DIR-CHK", {
            "readKey": key, "root": own[0], "k": 3, "n": 10, "sliceBytes": length, "offsetBytes": offset})}


def named(*names):
    return entries(*(but(SMALL, 0, name) for name in names))


def listing():
    made = Made()
    left, right = made.add(named(b"a", b"c")), made.add(named(b"e", b"g"))
    top = made.above(1, (b"c", *left), (b"g", *right))
    given = made.cap(made.above(2, (b"g", *top)))
    good("listed", "directory-list", **given)
    for behind in (b"\0", b"a", b"b", b"c", b"d", b"g", b"h"):
        good(f"listed behind {behind.hex()}", "directory-list", **given, behind=behind.hex())
    for name in (b"a", b"b", b"c", b"d", b"e", b"g", b"h", b"c\0"):
        good(f"looked for {name.hex()}", "directory-find", **given, name=name.hex())

    def broken(title, make, name, error="E_NODE"):
        made = Made()
        given = made.cap(make(made))
        bad(error, f"not listed: {title}", "directory-list", **given)
        if name:
            bad(error, f"not found: {title}", "directory-find", **given, name=name.hex())

    def two(title, first, second, depth=1, last=(b"c", b"g"), name=b"e", **given):
        broken(title, lambda made: made.above(
            depth, (last[0], *made.add(first)), (last[1], *made.add(second))), name, **given)

    fine = named(b"a", b"c"), named(b"e", b"g")
    two("a child of depth 0 below depth 2", *fine, depth=2)
    two("a child without rows", fine[0], entries())
    two("a last name that is not in the child", fine[0], named(b"e", b"f"))
    two("a child that goes on behind its last name", fine[0], named(b"e", b"g", b"h"))
    two("a child that begins with the last name before", fine[0], named(b"c", b"g"))
    two("a child that begins before the last name before", fine[0], named(b"b", b"g"))

    def deeper(made):
        left = made.above(1, (b"c", *made.add(named(b"a", b"c"))))
        right = made.above(1, (b"g", *made.add(named(b"b", b"g"))))
        return made.above(2, (b"c", *left), (b"g", *right))

    broken("a first name below the row before, in the parent's parent", deeper, b"g")

    def same_depth(made):
        return made.above(1, (b"c", *made.above(1, (b"c", *made.add(named(b"a", b"c"))))))

    broken("a child of depth 1 below depth 1", same_depth, b"c")

    def longer(made):
        own, offset, length, key = made.add(named(b"a"), behind=b"\0")
        return made.above(1, (b"a", own, offset, length + 1, key))

    broken("a child with a byte behind it", longer, b"a")

    def shorter(made):
        own, offset, length, key = made.add(named(b"a"))
        return made.above(1, (b"a", own, offset, length - 1, key))

    broken("a child with a byte too few", shorter, b"a")
    broken("a file below a directory's node",
           lambda made: made.above(1, (b"a", *made.add([1, 0, [[1, 0, 5, KEY]]], [1, [OBJECT], []], kind="tree"))),
           b"a", "E_COMMIT")
    made = Made()
    own, offset, length, key = made.add(named(b"a"))
    bad("E_SIZE", "not listed: a cap of one byte more than there is", "directory-list",
        **made.cap((own, offset, length + 1, key)))
    bad("E_SIZE", "not listed: a cap beyond its object", "directory-list", **made.cap((own, 100000, length, key)))


def verifying():
    made = Made()

    def walk(title, place, error=None, root=None, key=None, offset=None):
        own, at, _, read_key = place
        given = {"objects": made.objects, "root": (root or own[0]).hex(), "k": 3, "n": 10,
                 "offset": at if offset is None else offset, "verifyKey": (key or seal.verify_key(read_key)).hex()}
        given = {**given, "objects": dict(made.objects)}
        if error:
            bad(error, f"not verified: {title}", "directory-verify", **given)
        else:
            good(f"verified: {title}", "directory-verify", **given)

    extent = [name_of("extent"), 3, 10, 4096]
    file = made.add([1, 0, [[1, 0, 100, KEY]]], [1, [extent], []], kind="tree")
    leaf = made.add(named(b"a", b"c"))
    walk("one node", leaf)
    both = [1, [file[0], leaf[0], OBJECT],
            [[1, 0, file[2], seal.verify_key(file[3])], [2, 0, leaf[2], seal.verify_key(leaf[3])],
             [2, 0, leaf[2], seal.verify_key(leaf[3])]]]
    rows = entries([b"f", 2, 0, 0, 0, [], [0, 100, file[3]]], [b"g", 3, 0, 0, 0, [], [1, leaf[3]]])
    top = made.add(rows, both, offset=77)
    walk("a file and a directory below a node at 77", top)
    walk("a file", file)
    walk("rows that are no rows", made.add(b"\xff", both))
    plain = made.add(named(b"x"))
    made.objects[plain[0][0].hex()] = seal.seal("raw", KEY, b"plain").hex()
    walk("a plain object", plain)
    walk("a plain object, at another offset", top, "E_COMMIT", offset=76)
    walk("another key, elsewhere than at 0", top, "E_COMMIT", key=ROOT)

    def over(child, kind="dir", **given):
        own, offset, length, key = child
        return made.add(named(b"x"), [1, [own], [[1, offset, length, seal.verify_key(key)]]], kind=kind, **given)

    walk("a plain object below a node", over(plain), "E_COMMIT")
    walk("a child of another key", over((*leaf[:3], KEY)), "E_COMMIT")
    walk("a node of a node of a file", over(over(file, "tree")))
    cut_short = made.add(named(b"x"))
    made.objects[cut_short[0][0].hex()] = made.objects[cut_short[0][0].hex()][:70]
    walk("a child that is cut short", over(cut_short), "E_NODE")
    broken = made.add(named(b"x"), [2, [], []])
    walk("references of version 2", broken, "E_NODE")
    walk("references of version 2 below", over(broken), "E_NODE")
    walk("references that are not CBOR", made.add(named(b"x"), b"\xa0"), "E_CBOR")
    own_child = [1, [], [[0, 10, 200, seal.verify_key(KEY)]]]
    walk("a child that reaches into its parent", made.add(named(b"x"), own_child, offset=209), "E_NODE")


def changing():
    def change(title, entries, *changes):
        good(f"changed: {title}", "directory-change", secret=SECRET.hex(), k=1, n=1, entries=entries, changes=list(changes))

    def gone(i):
        return {"name": (b"n%07d" % i).hex()}

    many = {"gen": "numbers", "count": 1000}
    change("nothing", many)
    change("a name added to none", [], letter("a"))
    change("the only name gone", [letter("a")], {"name": b"a".hex()})
    change("a name that is not there gone", [letter("a")], {"name": b"b".hex()})
    change("one entry of 1,000", many, letter("n0000500", "other"))
    change("one added in front", many, letter("a"))
    change("one added behind", many, letter("z"))
    change("one that ended a node gone", many, gone(486))
    change("one that ends a node added", {"gen": "numbers", "count": 304}, letter("n0000304"), letter("n0000305"))
    change("all but one gone", many, *map(gone, range(999)))
    change("all but those before the first end gone", many, *map(gone, range(305, 1000)))
    change("every hundredth gone, and another added", many, *sorted(
        [gone(i) for i in range(0, 1000, 100)] + [letter(f"n{i:07d}x") for i in range(50, 1000, 100)],
        key=lambda given: given["name"]))


def main():
    writing()
    opening()
    listing()
    verifying()
    changing()
    vectors.print()


if __name__ == "__main__":
    main()
