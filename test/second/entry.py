"""Entries of directories: docs/specs/directory.md, "Entries", "Meta", "Splitting" and "Caps".

An entry is the array of the spec. Before it is sealed, the content of kinds 1 to 3 has a Place where
the array has numbers: [place, offset, bytes, K(, codec, stored)], [place, offset, slice length,
bytes, K] and [place, offset, slice length, K].
"""
import caps
from node import TOP, array, below, hold, stream, within

SMALL, STREAM, LARGE, DIRECTORY, LINK, FIFO, CHARACTER, BLOCK = range(8)
UID, GID, OWNER, GROUP, ATTRIBUTES, HARD_LINK, DEVICE, CHANGED = range(1, 9)
HEAVIEST = 2**19


def checked_name(name):
    hold(isinstance(name, bytes), 1 <= len(name) <= 1024)
    hold(b"\0" not in name, b"/" not in name, name not in (b".", b".."))
    return name


def checked(entry, objects, children, start=None):
    """An entry of a node that lies at `start` and has these references."""
    name, kind, mode, seconds, nanoseconds, pairs, content = array(entry, bytes, int, int, int, int, list, object)
    head(name, kind, mode, seconds, nanoseconds, pairs)
    if kind == STREAM:
        stream(content, objects, start)
    elif kind == LARGE:
        number, size, key = array(content, int, int, bytes)
        hold(within(size, 1, TOP))
        below(number, key, children)
    elif kind == DIRECTORY:
        below(*array(content, int, bytes), children)
    else:
        plain(kind, content)
    return entry


def head(name, kind, mode, seconds, nanoseconds, pairs):
    checked_name(name)
    hold(within(kind, 0, 7), within(mode, 0, 0o7777), within(seconds, -2**52, 2**52))
    hold(within(nanoseconds, 0, 999_999_999))
    for pair in pairs:
        meta(*array(pair, int, object))
    keys = [key for key, _ in pairs]
    hold(keys == sorted(set(keys)), (DEVICE in keys) == (kind in (CHARACTER, BLOCK)))


def meta(key, value):
    if key in (UID, GID):
        hold(within(value, 0, 2**32 - 1))
    elif key in (OWNER, GROUP):
        hold(isinstance(value, str) and 1 <= len(value.encode()) <= 255)
    elif key == ATTRIBUTES:
        hold(isinstance(value, list) and value)
        names = [array(pair, bytes, bytes)[0] for pair in value]
        hold(names == sorted(set(names)), all(1 <= len(name) <= 255 for name in names))
    elif key == HARD_LINK:
        hold(within(value, 0, TOP))
    elif key == DEVICE:
        hold(all(within(number, 0, 2**32 - 1) for number in array(value, int, int)))
    else:
        hold(key == CHANGED, within(value, 1, 1))


def plain(kind, content):
    """Content of the kinds that name no bytes elsewhere."""
    hold(isinstance(content, bytes))
    if kind == SMALL:
        hold(len(content) <= 64)
    elif kind == LINK:
        hold(1 <= len(content) <= 65535, b"\0" not in content)
    else:
        hold(not content)


def weight(entry):
    name, kind, _, _, _, pairs, content = entry
    found = dict(pairs)
    return (128 + len(name) + (len(content) if kind in (SMALL, LINK) else 0)
            + sum(len(found.get(key, "").encode()) for key in (OWNER, GROUP))
            + sum(32 + len(key) + len(value) for key, value in found.get(ATTRIBUTES, [])))


def writable(entry):
    """What a writer refuses before it seals anything; what content names is not looked at."""
    name, kind, mode, seconds, nanoseconds, pairs, content = entry
    head(name, kind, mode, seconds, nanoseconds, pairs)
    if kind not in (STREAM, LARGE, DIRECTORY):
        plain(kind, content)
    hold(weight(entry) <= HEAVIEST)
    return entry


def cap_of(entry, objects, children, own):
    """The cap of an entry in a node of the object `own`, [root, k, n], or None where it has none."""
    kind, content = entry[1], entry[6]
    if kind == SMALL:
        return caps.text("LIT", {"data": content})
    if kind == STREAM:
        number, offset, size, key, codec, stored = content if len(content) == 6 else [*content, 0, content[2]]
        fields = {"readKey": key, **place_of(number, objects, own), "sizeBytes": size}
        if codec == 0 and offset == 0:
            return caps.text("CHK", fields)
        return caps.text("CHK-Slice", {**fields, "offsetBytes": offset, "codec": codec, "storedBytes": stored})
    if kind in (LARGE, DIRECTORY):
        number, offset, length, _ = children[content[0]]
        fields = {"readKey": content[-1], **place_of(number, objects, own)}
        if kind == DIRECTORY:
            return caps.text("DIR-CHK", {**fields, "sliceBytes": length, "offsetBytes": offset})
        if offset == 0:
            return caps.text("CHK", {**fields, "sizeBytes": content[1]})
    return None


def place_of(number, objects, own):
    root, k, n = (own if number == 0 else objects[number - 1])[:3]
    return {"root": root, "k": k, "n": n}
