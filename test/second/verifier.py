"""Which objects there are below a verify cap: docs/specs/directory.md, "Verifying"."""
import node
import seal
from node import hold
from notation import Refused

DEEPEST = 2**13


def kind_of(data, key):
    for kind in ("dir", "tree"):
        if data[:32] == seal.commitment(kind + "v", key):
            return kind
    return None


def objects_below(fetch, top, offset, key):
    """[root, k, n, C or None] of the objects at and below a node, each once; `fetch` gives the bytes
    of an object from an offset on, as many as are asked for, or all."""
    found = {top[0]: [*top, None]}
    waiting, seen = [(top, offset, None, key, 0)], {(top[0], offset, key)}
    while waiting:
        own, offset, length, key, level = waiting.pop()
        hold(level <= DEEPEST)
        data = fetch(own, offset, length)
        kind = kind_of(data, key)
        if kind is None:
            if level == 0 and offset == 0:
                return list(found.values())
            raise Refused("E_COMMIT")
        objects, children = node.verified(data, kind, key, offset)
        for entry in objects:
            found.setdefault(entry[0], entry)
        for number, child_offset, child_length, child_key in children:
            place = own if number == 0 else objects[number - 1]
            if (place[0], child_offset, child_key) not in seen:
                seen.add((place[0], child_offset, child_key))
                waiting.append((place, child_offset, child_length, child_key, level + 1))
    return list(found.values())
