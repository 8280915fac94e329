"""Nodes of trees, written from docs/specs/tree.md alone."""
import cbor
import seal
from notation import Refused, ctr, expand, mac, u32

PER_NODE, DEEPEST = 16384, 8
TOP = 2**53 - 1


def sized(data):
    return u32(len(data)) + data


def slice_of(secret, kind, refs, rows):
    """(read key, slice) of two parts, each given as a value, or as bytes of whatever form."""
    refs_plain, rows_plain = (sized(x if isinstance(x, bytes) else cbor.encode(x)) for x in (refs, rows))
    key = expand(mac(seal.sub_key(secret, kind), refs_plain + rows_plain), "readkey")
    return key, sealed_under(key, kind, refs_plain, rows_plain)


def sealed_under(key, kind, refs_plain, rows_plain):
    return seal.seal(kind + "v", seal.verify_key(key), refs_plain) + seal.seal(kind, key, rows_plain)


def part(data, kind, key):
    """The CBOR of the sealed part that data begins with, and the bytes after it."""
    if len(data) < 36:
        raise Refused("E_NODE")
    if data[:32] != seal.commitment(kind, key):
        raise Refused("E_COMMIT")
    plain = ctr(expand(key, "enc"), data[32:])
    end = 4 + int.from_bytes(plain[:4], "big")
    if end > 4 + cbor.BYTES or end > len(plain):
        raise Refused("E_NODE")
    return cbor.decode(plain[4:end]), data[32 + end:]


def within(value, low, high):
    return isinstance(value, int) and low <= value <= high


def hold(*facts):
    if not all(facts):
        raise Refused("E_NODE")


def array(value, *shape):
    """The value, if it is an array of these types."""
    hold(isinstance(value, list) and len(value) == len(shape)
         and all(isinstance(item, kind) for item, kind in zip(value, shape)))
    return value


def room(number, objects, start):
    """How many bytes a slice at `start` may name of an object; of its own, number 0, what lies before."""
    if number == 0:
        hold(start is not None)
        return start
    hold(within(number, 1, len(objects)))
    return objects[number - 1][3]


def refs_of(value, start=None):
    """Objects and children; without a `start` there must be nothing of the slice's own object."""
    version, objects, children = array(value, int, list, list)
    hold(version == 1)
    for entry in objects:
        root, k, n, total = array(entry, bytes, int, int, int)
        hold(len(root) == 32, 1 <= k <= n <= 255, 1024 <= total <= 2**24)
    hold(len({entry[0] for entry in objects}) == len(objects))
    for entry in children:
        number, offset, length, key = array(entry, int, int, int, bytes)
        hold(len(key) == 32, offset >= 0, length >= 0, offset + length <= room(number, objects, start))
    return objects, children


def verified(data, kind, key, start=None):
    """What a verify key opens: objects and children."""
    return refs_of(part(data, kind + "v", key)[0], start)


def opened(data, kind, key, start=None):
    """Objects, children, rows as they are, and the bytes behind the slice that data begins with."""
    refs, rest = part(data, kind + "v", seal.verify_key(key))
    rows, rest = part(rest, kind, key)
    return *refs_of(refs, start), rows, rest


def file_node(data, key, start=None):
    """Depth, rows, objects and children of the node that data begins with."""
    objects, children, rows, _ = opened(data, "tree", key, start)
    version, depth, table = array(rows, int, int, list)
    hold(version == 1, within(depth, 0, DEEPEST), 1 <= len(table) <= PER_NODE)
    for row in table:
        stream(row, objects, start) if depth == 0 else child_row(row, children)
    return depth, table, objects, children


def node_below(data, key, depth, size, start=None):
    """As file_node, for a node whose parent, of this depth, gives it so many bytes."""
    found = file_node(data, key, start)
    hold(found[0] == depth - 1)
    hold(sum(row[2 if depth == 1 else 1] for row in found[1]) == size)
    return found


def stream(row, objects, start=None):
    """tree.md, "Streams"."""
    hold(isinstance(row, list))
    number, offset, size, key = array(row[:4], int, int, int, bytes)
    stored = size
    if len(row) != 4:
        codec, stored = array(row[4:], int, int)
        hold(codec == 1, stored >= 1)
    hold(offset >= 0, len(key) == 32, within(size, 1, 2**24))
    hold(offset + 32 + stored <= room(number, objects, start))


def child_row(row, children):
    number, size, key = array(row, int, int, bytes)
    hold(within(size, 1, TOP))
    below(number, key, children)


def below(number, key, children):
    """A child whose verify key is that of the key in its row."""
    hold(within(number, 0, len(children) - 1), len(key) == 32)
    hold(children[number][3] == seal.verify_key(key))


def parts_of(depth, rows):
    """refs and rows of a node, from rows of [root, k, n, C, slice length, bytes, K]."""
    objects, numbers, children, table = [], {}, [], []
    for root, k, n, total, length, size, key in rows:
        if root not in numbers:
            objects.append([root, k, n, total])
            numbers[root] = len(objects)
        if depth > 0:
            children.append([numbers[root], 0, length, seal.verify_key(key)])
        table.append([len(children) - 1, size, key] if depth > 0 else [numbers[root], 0, size, key])
    return [1, objects, children], [1, depth, table]
