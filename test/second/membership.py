"""Member certificates and revocation lists, written from docs/specs/membership.md, and the vectors they give.

    python3 test/second/membership.py > test/vectors/membership.json
"""
import json

import ed25519
from cbor import encode as cbor, head

MEMBER, REVOKED = b"grid/v1/member", b"grid/v1/revoked"
SEED = bytes(range(32))
GRID = ed25519.sign(SEED, b"")[0]
NODE = ed25519.sign(bytes([7]) * 32, b"")[0]
END = 1_893_456_000_000
GOOD = [1, GRID, 3, NODE, 2**40, END, 1]
LIST = [1, GRID, 2, [1, 5, 2**40]]
TOP = 2**53 - 1
cases = []


def signed(raw, seed=SEED, context=MEMBER):
    return ed25519.sign(seed, context + raw)[1] + raw


def member(name, statement):
    raw = signed(cbor(statement))
    _, grid, kinds, node, quota, end, serial = statement
    fields = {"kindBits": kinds, "publicKey": node.hex(), "quotaBytes": quota, "notAfterMs": end, "serial": serial}
    cases.append({"id": name, "op": "member-certificate", "in": {"gridId": grid.hex(), "bytes": raw.hex()},
                  "out": {"gridId": grid.hex(), **fields}})
    cases.append({"id": "sign " + name, "op": "sign-member", "in": {"seed": SEED.hex(), **fields}, "out": raw.hex()})


def revocations(name, statement):
    raw = signed(cbor(statement), context=REVOKED)
    fields = {"seq": statement[2], "serials": statement[3]}
    cases.append({"id": name, "op": "revocation-list", "in": {"gridId": GRID.hex(), "bytes": raw.hex()},
                  "out": fields})
    cases.append({"id": "sign " + name, "op": "sign-revocations", "in": {"seed": SEED.hex(), **fields},
                  "out": raw.hex()})


def bad(op, name, raw, grid=GRID):
    cases.append({"id": "refuse " + name, "op": op, "in": {"gridId": grid.hex(), "bytes": raw.hex()},
                  "error": "E_CERTIFICATE"})


def but(good, i, value):
    return good[:i] + [value] + good[i + 1:]


def main():
    member("a member that keeps and stores", GOOD)
    member("a server alone, without a bound", but(but(GOOD, 2, 1), 4, 0))
    member("everything at its bound", [1, GRID, 2, NODE, TOP, TOP, TOP])
    revocations("three revoked", LIST)
    revocations("nothing revoked", [1, GRID, 1, []])

    op = "member-certificate"
    for name, statement in [
        ("version 0", but(GOOD, 0, 0)), ("version 2", but(GOOD, 0, 2)), ("a grid id of 31 bytes", but(GOOD, 1, GRID[:31])),
        ("no kind", but(GOOD, 2, 0)), ("an unknown kind", but(GOOD, 2, 4)), ("a kind as text", but(GOOD, 2, "1")),
        ("a key of 33 bytes", but(GOOD, 3, NODE + b"\0")), ("a negative quota", but(GOOD, 4, -1)),
        ("no end", but(GOOD, 5, 0)), ("serial 0", but(GOOD, 6, 0)), ("a negative serial", but(GOOD, 6, -1)),
        ("a field too few", GOOD[:-1]), ("a field too many", GOOD + [0]), ("a number", 1),
    ]:
        bad(op, "a certificate with " + name, signed(cbor(statement)))
    raw = cbor(GOOD)
    bad(op, "a certificate of another grid", signed(raw), NODE)
    bad(op, "a certificate that its subject signed", signed(raw, bytes([7]) * 32))
    bad(op, "a certificate signed as a revocation list", signed(raw, context=REVOKED))
    bad(op, "a certificate without a context", signed(raw, context=b""))
    bad(op, "a certificate with an integer longer than needed", signed(b"\x87\x18\x01" + raw[2:]))
    bad(op, "a certificate with a serial of 2^53", signed(raw[:-1] + head(0, 2**53)))
    bad(op, "a certificate with bytes behind it", signed(raw + b"\0"))
    bad(op, "nothing", b"")

    op = "revocation-list"
    for name, statement in [
        ("version 2", but(LIST, 0, 2)), ("seq 0", but(LIST, 2, 0)), ("a serial twice", but(LIST, 3, [1, 1])),
        ("serials that descend", but(LIST, 3, [2, 1])), ("serial 0", but(LIST, 3, [0])),
        ("serials as a number", but(LIST, 3, 1)), ("4,001 serials", but(LIST, 3, list(range(1, 4002)))),
        ("a field too many", LIST + [0]),
    ]:
        bad(op, "a list with " + name, signed(cbor(statement), context=REVOKED))
    bad(op, "a list signed as a certificate", signed(cbor(LIST)))
    bad(op, "a list of another grid", signed(cbor(LIST), context=REVOKED), NODE)
    bad(op, "a list that another signed", signed(cbor(LIST), bytes(32), REVOKED))

    print(json.dumps({"format": "grid-vectors/1", "suite": 1, "spec": "docs/specs/membership.md",
                      "cases": cases}, indent=1))


if __name__ == "__main__":
    main()
