"""Announcements of nodes, written from docs/specs/introducer.md, and the vectors they give.

    python3 test/second/announcement.py > test/vectors/announcement.json
"""
import json

import ed25519
from cbor import encode as cbor, head


def signed(payload, seed, context=b"grid/v1/announce"):
    return ed25519.sign(seed, context + payload)[1] + payload


BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def peer_id(public):
    n, text = int.from_bytes(b"\x00\x24\x08\x01\x12\x20" + public, "big"), ""
    while n:
        n, digit = divmod(n, 58)
        text = BASE58[digit] + text
    return "1" + text


SEED = bytes(range(32))
PUBLIC = ed25519.sign(SEED, b"")[0]
FACTS = ["attic", "home", 2**40, 0, 30, [1], "grid 0.1.0"]
GOOD = [1, "main", PUBLIC, ["/ip4/203.0.113.7/tcp/7780"], 1_704_067_200_000, 1_704_153_600_000, FACTS]
CERTIFIED = [2] + GOOD[1:] + [bytes(range(64))]
cases = []


def good(name, payload):
    raw = cbor(payload)
    version, grid, public, addresses, seq, expires, facts = payload[:7]
    keys = ["nickname", "failureDomain", "freeBytes", "readOnly", "quarantineDays", "suites", "software"]
    out = {"gridName": grid, "nodeId": peer_id(public), "addresses": addresses, "seq": seq,
           "expiresAtMs": expires, "facts": {**dict(zip(keys, facts)), "readOnly": facts[3] == 1}}
    if version == 2:
        out["certificate"] = payload[7].hex()
    cases.append({"id": name, "op": "announcement", "in": {"seed": SEED.hex(), "bytes": signed(raw, SEED).hex()},
                  "out": out})


def bad(name, data):
    cases.append({"id": name, "op": "announcement", "in": {"bytes": data.hex()}, "error": "E_ANNOUNCEMENT"})


def but(i, value):
    return GOOD[:i] + [value] + GOOD[i + 1:]


def facts_but(i, value):
    return but(6, FACTS[:i] + [value] + FACTS[i + 1:])


def main():
    good("an ordinary node", GOOD)
    good("everything empty", [1, "", PUBLIC, [], 1, 1, ["", "", 0, 0, 0, [], ""]])
    top = 2**53 - 1
    good("everything at its bound", [1, "m" * 64, PUBLIC, ["/" + "a" * 199] * 16, top, top,
                                     ["n" * 64, "d" * 64, top, 1, 65535, [255] * 16, "s" * 64]])
    good("an address of 256 characters", but(3, ["/" + "a" * 255]))
    good("a node with a certificate", CERTIFIED)
    good("a certificate of 256 bytes", CERTIFIED[:7] + [bytes(256)])
    good("64 characters outside the first plane", facts_but(0, "\U0001f600" * 64))

    for name, payload in [
        ("payload version 0", but(0, 0)), ("payload version 2", but(0, 2)),
        ("a key of 31 bytes", but(2, PUBLIC[:31])), ("a key as text", but(2, "k" * 32)),
        ("17 addresses", but(3, ["/a"] * 17)), ("an address of 257 characters", but(3, ["/" + "a" * 256])),
        ("an empty address", but(3, [""])), ("an address with a space", but(3, ["/ip4/1.2.3.4/tcp/1 "])),
        ("an address with a line feed", but(3, ["/ip4/1.2.3.4/tcp/1\n"])),
        ("an address beyond ASCII", but(3, ["/dns4/é/tcp/1"])), ("an address of bytes", but(3, [b"/a"])),
        ("addresses as text", but(3, "/a")), ("seq 0", but(4, 0)), ("a negative seq", but(4, -1)),
        ("a seq as text", but(4, "1")), ("expiry 0", but(5, 0)), ("a negative expiry", but(5, -1)),
        ("a grid name of 65 characters", but(1, "m" * 65)), ("a grid name of bytes", but(1, b"main")),
        ("a nickname of 65 characters", facts_but(0, "n" * 65)),
        ("an escape in the nickname", facts_but(0, "\x1b[2Jattic")), ("a line feed in the nickname", facts_but(0, "a\nb")),
        ("a right-to-left override in the nickname", facts_but(0, "a\u202eb")),
        ("a zero-width space in the domain", facts_but(1, "a\u200bb")),
        ("a line separator in the software", facts_but(6, "a\u2028b")),
        ("negative free bytes", facts_but(2, -1)), ("read-only 2", facts_but(3, 2)),
        ("65,536 days", facts_but(4, 65536)), ("suite 0", facts_but(5, [0])), ("suite 256", facts_but(5, [256])),
        ("17 suites", facts_but(5, [1] * 17)), ("suites as a number", facts_but(5, 1)),
        ("a fact too few", but(6, FACTS[:-1])), ("a fact too many", but(6, FACTS + [0])),
        ("facts as a number", but(6, 1)), ("a field too few", GOOD[:-1]), ("a field too many", GOOD + [0]),
        ("not an array", 1), ("an empty array", []),
        ("a certificate in payload version 1", [1] + CERTIFIED[1:]),
        ("payload version 3 with a certificate", [3] + CERTIFIED[1:]),
        ("a certificate of no bytes", CERTIFIED[:7] + [b""]),
        ("a certificate of 257 bytes", CERTIFIED[:7] + [bytes(257)]),
        ("a certificate as text", CERTIFIED[:7] + ["c"]),
        ("more than 4,096 bytes", but(3, ["/" + "a" * 255] * 16)),
    ]:
        bad("signed, but " + name, signed(cbor(payload), SEED))

    raw = cbor(GOOD)
    bad("nothing", b"")
    bad("a signature alone", signed(raw, SEED)[:64])
    bad("signed by another key", signed(raw, bytes(32)))
    bad("signed without its context", signed(raw, SEED, b""))
    bad("signed in another context", signed(raw, SEED, b"grid/v1/log-entry"))
    bad("the payload changed", signed(raw, SEED)[:-1] + b"1")
    bad("the signature changed", b"\0" + signed(raw, SEED)[1:])
    bad("bytes after the payload", signed(raw + b"\0", SEED))
    bad("an integer longer than needed", signed(b"\x87\x18\x01" + raw[2:], SEED))
    bad("a map", signed(b"\xa0", SEED))
    bad("arrays in arrays", signed(b"\x81" * 3000 + b"\0", SEED))
    bad("a seq of 2^53", signed(raw.replace(head(0, GOOD[4]), head(0, 2**53)), SEED))
    small = bytes(32)
    bad("a key of small order", bytes(64) + cbor(but(2, small)))

    print(json.dumps({"format": "grid-vectors/1", "suite": 1, "spec": "docs/specs/introducer.md",
                      "cases": cases}, indent=1))


if __name__ == "__main__":
    main()
