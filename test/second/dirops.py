"""Ops of directory.json: what is done for each, and entries as a vector gives them (see directory.py)."""
import hashlib

import bundle
import capreader
import caps
import dirnode
import entry
import seal
import verifier
from listing import Directory
from notation import Refused, bulk, u32
from vectors import Vectors

SECRET = bytes(range(32))
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
