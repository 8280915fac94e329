"""Cases of directory.json that write and change directories: directory.md, "Splitting", "Placement", "Changing"."""
import dirnode
from dirops import SECRET, bad, good, letter, name_of, place
from notation import tagged

LONG = "long 3"


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
