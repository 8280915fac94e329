"""Nodes of directories: docs/specs/directory.md, "Nodes", "Splitting" and "Reading"."""
import cbor
import entry
import node
import seal
from node import array, hold, within
from notation import Refused, expand, mac

PER_NODE, DEEPEST, FULL = 4096, 8, 2**20


class Place:
    """An object, [root, k, n, C], or the one that is being filled and has no root yet."""

    def __init__(self, found=None):
        self.object = found


def last_name(row):
    return row[0]


def weight(depth, row):
    return entry.weight(row) if depth == 0 else 128 + len(last_name(row))


def ends_by_name(secret, depth, name):
    """"Splitting": whether a node of this depth ends after this name, and the number that decides it."""
    key = expand(seal.sub_key(secret, "dir"), "cut")
    number = int.from_bytes(mac(key, bytes([depth]) + name)[:4], "big")
    return number < 2**24, number


class Parts:
    """References and rows of a node, in the order of first use, as it would lie in `current`."""

    def __init__(self, depth, rows, current=None):
        self.current, self.objects, self.children, self.numbers = current, [], [], {}
        self.rows = [1, depth, [self.entry(row) if depth == 0 else self.above(row) for row in rows]]
        self.refs = [1, self.objects, self.children]

    def number(self, place):
        if place is self.current:
            return 0
        root = place.object[0]
        if root not in self.numbers:
            self.objects.append(place.object)
            self.numbers[root] = len(self.objects)
        return self.numbers[root]

    def child(self, place, offset, length, key):
        self.children.append([self.number(place), offset, length, seal.verify_key(key)])
        return len(self.children) - 1

    def above(self, row):
        name, place, offset, length, key = row
        return [name, self.child(place, offset, length, key), key]

    def entry(self, row):
        *front, content = row
        kind = row[1]
        if kind == entry.STREAM:
            content = [self.number(content[0]), *content[1:]]
        elif kind == entry.LARGE:
            place, offset, length, size, key = content
            content = [self.child(place, offset, length, key), size, key]
        elif kind == entry.DIRECTORY:
            content = [self.child(*content), content[-1]]
        return [*front, content]

    def sealed(self, secret):
        """K, the u that bundles use, and the slice."""
        return sealed(secret, self.refs, self.rows)


def sealed(secret, refs, rows, kind="dir"):
    refs_plain, rows_plain = (node.sized(x if isinstance(x, bytes) else cbor.encode(x)) for x in (refs, rows))
    secret_of = mac(seal.sub_key(secret, kind), refs_plain + rows_plain)
    key = expand(secret_of, "readkey")
    u = int.from_bytes(expand(secret_of, "bundle-cut")[:4], "big")
    return key, u, node.sealed_under(key, kind, refs_plain, rows_plain)


def opened(data, key, start=None, topmost=True):
    """Depth, rows, objects and children of a slice of exactly these bytes that lies at `start`."""
    objects, children, rows, rest = node.opened(data, "dir", key, start)
    hold(not rest)
    version, depth, table = array(rows, int, int, list)
    hold(version == 1, within(depth, 0, DEEPEST), len(table) <= PER_NODE)
    hold(table or depth == 0 and topmost)
    for row in table:
        if depth == 0:
            entry.checked(row, objects, children, start)
        else:
            name, number, child_key = array(row, bytes, int, bytes)
            entry.checked_name(name)
            node.below(number, child_key, children)
    names = [last_name(row) for row in table]
    hold(all(a < b for a, b in zip(names, names[1:])))
    return depth, table, objects, children


def opened_below(data, key, depth, last, after, start=None):
    """As `opened`, of a node below one of `depth`: `last` is in its row, `after` in the row before it."""
    found = opened(data, key, start, topmost=False)
    names = [last_name(row) for row in found[1]]
    hold(found[0] == depth - 1, names[-1] == last, after is None or names[0] > after)
    return found


class Writer:
    """Puts rows, in order, into nodes, and these into a sink; gives the topmost one's row."""

    def __init__(self, secret, sink):
        self.secret, self.sink, self.levels = secret, sink, []
        self.last = None

    def add(self, row):
        entry.writable(row)
        if self.last is not None and last_name(row) <= self.last:
            raise Refused("RangeError")
        self.last = last_name(row)
        self.add_at(0, row)

    def add_at(self, depth, row):
        hold(depth <= DEEPEST)
        if depth == len(self.levels):
            self.levels.append(Level())
        level = self.levels[depth]
        if level.pending:
            self.add_at(depth + 1, level.pending)
            level.pending = None
        level.rows.append(row)
        level.weight += weight(depth, row)
        if (ends_by_name(self.secret, depth, last_name(row))[0] or len(level.rows) == PER_NODE
                or level.weight >= FULL):
            self.end(depth)

    def end(self, depth):
        level = self.levels[depth]
        name = last_name(level.rows[-1]) if level.rows else b""
        level.pending = [name, *self.sink.put(self.secret, depth, level.rows)]
        level.rows, level.weight = [], 0

    def finish(self):
        """[last name, place, offset, slice length, K] of the topmost node."""
        if not self.levels:
            self.levels.append(Level())
        depth = 0
        while True:
            level = self.levels[depth]
            if level.rows or not level.pending:
                if level.pending:
                    self.add_at(depth + 1, level.pending)
                self.end(depth)
            if depth + 1 == len(self.levels):
                return level.pending
            self.add_at(depth + 1, level.pending)
            depth += 1


class Level:
    """The rows of the node that is being filled at one depth, and the row of the one before it."""

    def __init__(self):
        self.rows, self.weight, self.pending = [], 0, None
