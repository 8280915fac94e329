"""Bytes of files: docs/specs/tree.md, "Reading", and "Streams".

`fetch(object, offset, length)` is that of listing.py. Codec 1 is refused: Python has no brotli of its own.
"""
import entry
import node
import seal
from listing import Directory
from node import hold
from notation import Refused


def stream_bytes(fetch, own, offset, size, key, codec=0, stored=None):
    if codec != 0:
        raise Refused("E_CODEC")
    return seal.opened("raw", key, fetch(own, offset, 32 + size))


def file_bytes(fetch, own, size, key):
    """The pieces of the file of a CHK cap: a plain object, or a tree whose root node is at offset 0."""
    start = fetch(own, 0, 32)
    if start == seal.commitment("raw", key):
        yield stream_bytes(fetch, own, 0, size, key)
    elif start == seal.commitment("treev", seal.verify_key(key)):
        yield from tree_bytes(fetch, own, 0, None, size, key)
    else:
        raise Refused("E_COMMIT")


def tree_bytes(fetch, own, offset, length, size, key):
    """The pieces of the file below a node, which tells its own length."""
    waiting = [(own, offset, length, size, key, None)]
    while waiting:
        own, offset, length, size, key, depth = waiting.pop()
        found = node.file_node(fetch(own, offset, length), key, offset)
        hold(depth is None or found[0] == depth - 1)
        depth, table, objects, children = found
        hold(sum(row[2 if depth == 0 else 1] for row in table) == size)
        if depth == 0:
            for number, *rest in table:
                yield stream_bytes(fetch, place_of(number, objects, own), *rest)
        else:
            waiting.extend(reversed([step(row, objects, children, own, depth) for row in table]))


def step(row, objects, children, own, depth):
    child, size, key = row
    number, offset, length, _ = children[child]
    return place_of(number, objects, own), offset, length, size, key, depth


def place_of(number, objects, own):
    return own if number == 0 else objects[number - 1]


def entry_bytes(fetch, row, objects, children, own):
    """The pieces of the file of an entry."""
    kind, content = row[1], row[6]
    if kind == entry.SMALL:
        yield content
    elif kind == entry.STREAM:
        number, *rest = content
        yield stream_bytes(fetch, place_of(number, objects, own), *rest)
    elif kind == entry.LARGE:
        yield from tree_bytes(fetch, *step(content, objects, children, own, None)[:5])
    else:
        raise Refused("E_NOT_A_FILE")


def directory_of(fetch, row, objects, children, own):
    if row[1] != entry.DIRECTORY:
        raise Refused("E_NOT_A_DIRECTORY")
    child, key = row[6]
    number, offset, length, _ = children[child]
    return Directory(fetch, place_of(number, objects, own), offset, length, key)


def cap_bytes(fetch, kind, cap, path=()):
    """The pieces of the file of a cap, or of the names below a directory's."""
    if kind == "DIR-CHK":
        directory = Directory(fetch, own_of(cap), cap["offsetBytes"], cap["sliceBytes"], cap["readKey"])
        for i, name in enumerate(path):
            found = directory.find(name)
            if found is None:
                raise Refused("E_ABSENT")
            if i + 1 < len(path):
                directory = directory_of(fetch, *found)
            else:
                return entry_bytes(fetch, *found)
        raise Refused("E_NOT_A_FILE")
    if path:
        raise Refused("E_NOT_A_DIRECTORY")
    if kind == "LIT":
        return iter([cap["data"]])
    if kind == "CHK":
        return file_bytes(fetch, own_of(cap), cap["sizeBytes"], cap["readKey"])
    if kind == "CHK-Slice":
        return iter([stream_bytes(fetch, own_of(cap), cap["offsetBytes"], cap["sizeBytes"], cap["readKey"],
                                  cap["codec"])])
    raise Refused("E_CAP_WEAK")


def own_of(cap):
    return [cap["root"], cap["k"], cap["n"]]
