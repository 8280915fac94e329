"""Cases of directory.json that list, look for names and verify: directory.md, "Reading", "Verifying"."""
import hashlib

import caps
import dirnode
import seal
from diropening import KEY, OBJECT, ROOT, SMALL, but, entries
from dirops import SECRET, bad, good, name_of


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
