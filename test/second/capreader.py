"""Capability strings read: docs/specs/caps.md, "Reading"."""
import re

import caps
from caps import KEY, OPTIONAL, REST, U8
from notation import Refused, b32, tagged, unb32

WORDS = {"g" + kind.lower().replace("-", "") + "1": kind for kind in caps.TYPES}
BY_LOWER = {kind.lower(): kind for kind in caps.TYPES}


def refuse(code, unless):
    if not unless:
        raise Refused(code)


def parse(given):
    """(type, fields by name) of a cap in either form."""
    refuse("E_CAP_SYNTAX", len(given) <= 4096)
    text = re.sub("[ \t\r\n]", "", given)
    refuse("E_CAP_SYNTAX", all(0x21 <= ord(letter) <= 0x7E for letter in text))
    text = text.lower()
    if text.startswith("uri:"):
        return from_text(text.split(":")[1:])
    found = re.match("g[a-z]+1", text)
    refuse("E_CAP_SYNTAX", found)
    return from_word(found[0], text[found.end():])


def from_text(parts):
    """The parts after `uri`: type, fields, check."""
    kind = parts[0]
    if kind != "lit" and len(parts) > 1 and re.fullmatch("[a-z2-7]{26}", parts[1]):
        raise Refused("E_CAP_TAHOE")
    refuse("E_CAP_TYPE", kind in BY_LOWER)
    kind = BY_LOWER[kind]
    body = ":".join(["URI", kind, *parts[1:-1]])
    refuse("E_CAP_CHECK", len(parts) > 1 and b32(tagged("cap", body.encode()))[:6] == parts[-1])
    fields = caps.TYPES[kind][1]
    refuse("E_CAP_FIELD", len(parts) == len(fields) + 2)
    return kind, within(kind, {name: field_of(form, field) for form, (name, field) in zip(parts[1:], fields)})


def field_of(form, field):
    if field in (KEY, OPTIONAL, REST):
        data = unb32(form)
        refuse("E_CAP_FIELD", data is not None)
        return None if field == OPTIONAL and not data else data
    refuse("E_CAP_FIELD", re.fullmatch("0|[1-9][0-9]{0,15}", form))
    return int(form)


def from_word(word, letters):
    refuse("E_CAP_TYPE", word in WORDS)
    kind, data = WORDS[word], unb32(letters)
    refuse("E_CAP_SYNTAX", data is not None)
    payload, check = data[:-4], data[-4:]
    refuse("E_CAP_CHECK", payload and tagged("cap", payload)[:4] == check and payload[0] == caps.TYPES[kind][0])
    return kind, within(kind, fields_of(kind, payload[1:]))


def fields_of(kind, payload):
    values = {}
    for name, field in caps.TYPES[kind][1]:
        width = {KEY: 32, OPTIONAL: 32, U8: 1, REST: len(payload)}.get(field, 8)
        part, payload = payload[:width], payload[width:]
        refuse("E_CAP_FIELD", len(part) == width)
        if field == OPTIONAL and not any(part):
            part = None
        values[name] = part if field in (KEY, OPTIONAL, REST) else int.from_bytes(part, "big")
    refuse("E_CAP_FIELD", not payload)
    return values


def within(kind, values):
    """caps.md, "Fields": lengths and ranges."""
    for name, field in caps.TYPES[kind][1]:
        value = values[name]
        if field == KEY or field == OPTIONAL and value is not None:
            refuse("E_CAP_FIELD", len(value) == 32 and (field == KEY or any(value)))
    refuse("E_CAP_FIELD", len(values.get("data", b"")) <= 64)
    if "k" in values:
        refuse("E_CAP_FIELD", 1 <= values["k"] <= values["n"] <= 255)
    size, offset = values.get("sizeBytes", 0), values.get("offsetBytes", 0)
    stored, length = values.get("storedBytes", 0), values.get("sliceBytes", 64)
    refuse("E_CAP_FIELD", size <= (2**24 if kind == "CHK-Slice" else 2**53 - 1) and offset <= 2**24 - 32)
    if kind == "CHK-Slice":
        refuse("E_CAP_FIELD", values["codec"] in (0, 1) and (values["codec"] == 1 or stored == size))
        refuse("E_CAP_FIELD", offset + 32 + stored <= 2**24)
    if kind == "DIR-CHK":
        refuse("E_CAP_FIELD", 64 <= length and offset + length <= 2**24)
    if kind == "CHK-Verifier":
        refuse("E_CAP_FIELD", values["verifyKey"] or offset == 0)
    return values


def answered(case):
    """A case of op cap-parse of test/vectors/caps.json, with what it says as read here."""
    asked = {name: case[name] for name in ("id", "op", "in")}
    try:
        kind, values = parse(case["in"]["text"])
    except Refused as refused:
        return {**asked, "error": str(refused)}
    return {**asked, "out": {"cap": caps.plain(kind, values), "text": caps.text(kind, values),
                             "compact": caps.compact(kind, values)}}
