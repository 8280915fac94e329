"""What readers of logs refuse and what a server takes, at the edges: more vectors of log.md and certificates.md.

    python3 test/second/acceptance.py > test/vectors/acceptance.json

Ops and inputs are those of log.json, whose genesis is used: admin seed 00 01 … 1f, servers of the
seeds SHA-256("server 0") … SHA-256("server 3"). The vectors are frozen.
"""
import hashlib
import json
from pathlib import Path

import cbor
import ed25519
import log
from logentry import KINDS, receipt_of, skip_of
from notation import expand, tagged
from vectors import Vectors

vectors = Vectors("docs/specs/log.md and docs/specs/certificates.md", log.OPS)
good, bad = vectors.good, vectors.bad

GENESIS = bytes.fromhex(next(
    case["in"]["bytes"] for case in json.loads(
        (Path(__file__).resolve().parent.parent / "vectors" / "log.json").read_text())["cases"]
    if case["op"] == "log-genesis"))
LOG, NOW, DAY, PLENTY = tagged("log-genesis", GENESIS), 1_704_067_200_000, 86_400_000, [2**40, 100]
ADMIN_SEED = expand(bytes(range(32)), "log/admin-sign")
ADMIN = ed25519.sign(ADMIN_SEED, b"")[0]


def sha(text):
    return hashlib.sha256(text.encode()).digest()


def key_of(name):
    return ed25519.sign(sha(name), b"")[0]


SERVERS = sorted(key_of(f"server {i}") for i in range(4))
ANY = b"sealed, for all that anybody here can tell"


def certificate(subject, serial, rights=11, limits=PLENTY, label="", log_id=LOG, seed=ADMIN_SEED, version=1):
    statement = cbor.encode([version, log_id, subject, rights, limits, label, serial])
    return ed25519.sign(seed, b"grid/v1/cert" + statement)[1] + statement


class Author:
    """Signs entries; each stands on the one before, unless told otherwise."""

    def __init__(self, seed):
        self.seed, self.key, self.ids = seed, ed25519.sign(seed, b"")[0], [LOG]

    def header(self, kind, body, seq=None, prev=None, skip=None, acks=(), client=NOW, length=None, at=None):
        seq = seq or len(self.ids)
        before, behind = (self.ids[i] if i < len(self.ids) else sha("nowhere") for i in (seq - 1, skip_of(seq)))
        value = [1, 1, LOG, self.key, seq, prev or before, skip or behind, list(acks), client,
                 KINDS.index(kind) + 1, tagged("log-body", body), len(body) if length is None else length]
        for place, item in (at or {}).items():
            value[place] = item
        return cbor.encode(value)

    def entry(self, kind, body, now=NOW, keep=True, without_body=False, receipts=(), seed=None, **fields):
        data = self.header(kind, body, **fields)
        if keep:
            self.ids.append(tagged("log-entry", data))
        signature = ed25519.sign(seed or self.seed, b"grid/v1/log-entry" + data)[1]
        given = {"header": data.hex(), "signature": signature.hex(), "nowMs": now}
        if not without_body:
            given["body"] = body.hex()
        return {**given, "receipts": [receipt(name, tagged("log-entry", data), *rest) for name, *rest in receipts]} \
            if receipts else given


def receipt(name, entry_id, received=NOW, late=False):
    node = key_of(name)
    signature = ed25519.sign(sha(name), receipt_of(LOG, entry_id, received, late, node))[1]
    return {"node": node.hex(), "receivedMs": received, "late": late, "signature": signature.hex()}


def accept(title, entries, expected, server=None, genesis=GENESIS):
    """A case with what the specs say: what this implementation answers is compared with it first."""
    given = {"genesis": genesis.hex(), "entries": entries, **({"serverKey": server.hex()} if server else {})}
    out = good(title, "log-accept", **given)
    assert out == expected.split(", "), (title, out)


def but(data, path, value):
    def replaced(at, path):
        return value if not path else [replaced(item, path[1:]) if i == path[0] else item for i, item in enumerate(at)]

    return cbor.encode(replaced(cbor.decode(data), path))


def many_servers(count):
    return [bytes([i]) * 32 for i in range(count)]


def genesis():
    def one(error, title, path, value):
        data = but(GENESIS, path, value)
        bad(error, f"genesis: {title}", "log-genesis", bytes=data.hex())

    good("genesis: 32 servers", "log-genesis", bytes=but(GENESIS, [5, 2, 1], many_servers(32)).hex())
    good("genesis: created at 0, epoch 2^53 - 1, fixed", "log-genesis",
         bytes=but(but(GENESIS, [6], 0), [5], [1, 2**53 - 1, [0, many_servers(1)]]).hex())
    for title, path, value in [
        ("33 servers", [5, 2, 1], many_servers(33)), ("created before 1970", [6], -1), ("version 0", [0], 0),
        ("a version of text", [0], "1"), ("an admin key of 33 bytes", [2], bytes(33)), ("an admin key of text", [2], "a" * 32),
        ("parameters of two", [5], [0, 0]), ("parameters of four", [5], [0, 0, [0, many_servers(1)], 0]),
        ("a negative epoch", [5, 1], -1), ("a config of three", [5, 2], [0, many_servers(1), 0]),
        ("a server of 31 bytes", [5, 2, 1], [bytes(31)]), ("servers descending", [5, 2, 1], many_servers(2)[::-1]),
        ("a verifier key of 1,217 bytes", [4], bytes(1217)),
    ]:
        one("E_GENESIS", title, path, value)
    one("E_VERSION", "suite 0", [1], 0)
    one("E_VERSION", "suite 2, and nothing else right", [], [1, 2, 0, 0, 0, 0, 0])
    for title, value in [("nothing", []), ("six parts", [1, 1, 0, 0, 0, 0]), ("suite 2 in eight parts", [1, 2] + [0] * 6),
                         ("a number", 1)]:
        one("E_GENESIS", title, [], value)
    bad("E_GENESIS", "genesis: no bytes", "log-genesis", bytes="")
    bad("E_GENESIS", "genesis: a byte behind", "log-genesis", bytes=GENESIS.hex() + "00")


def headers():
    author = Author(sha("laptop"))

    def one(error, title, **fields):
        kind = fields.pop("kind", "snapshot")
        given = author.entry(kind, ANY, keep=False, **fields)
        if error:
            bad(error, f"header: {title}", "log-header", header=given["header"], signature=given["signature"])
        else:
            good(f"header: {title}", "log-header", header=given["header"], signature=given["signature"])

    def acks(count):
        return [[bytes([i]) + bytes(7), 1, sha("ack")] for i in range(count)]

    one(None, "64 acks", acks=acks(64))
    one(None, "all integers at their greatest", seq=2**53 - 1, client=2**53 - 1, length=2**16)
    one(None, "a release of 2^20 bytes", kind="release", length=2**20)
    one(None, "an empty body", length=0)
    one(None, "client time 0", client=0)
    for title, fields in [
        ("an ack of seq 0", {"acks": [[bytes(8), 0, sha("ack")]]}), ("an ack of a prefix of 7 bytes", {"acks": [[bytes(7), 1, sha("a")]]}),
        ("an ack of an id of 31 bytes", {"acks": [[bytes(8), 1, bytes(31)]]}), ("an ack of four parts", {"acks": [[bytes(8), 1, sha("a"), 0]]}),
        ("a negative client time", {"client": -1}), ("a negative length", {"length": -1}),
        ("a config of 65,537 bytes", {"kind": "config", "length": 65537}), ("a body hash of 31 bytes", {"at": {10: bytes(31)}}),
        ("a log id of 33 bytes", {"at": {2: bytes(33)}}), ("an author of text", {"at": {3: "a" * 32}}),
        ("a negative seq", {"at": {4: -1}}), ("acks as a number", {"at": {7: 0}}), ("a kind as bytes", {"at": {9: b"\1"}}),
        ("a version of 0", {"at": {0: 0}}), ("a skip of 31 bytes", {"at": {6: bytes(31)}}),
    ]:
        one("E_ENTRY", title, **fields)
    one("E_VERSION", "suite 0", at={1: 0})
    one("E_VERSION", "suite 2, and nothing else right", at={1: 2, 2: 0, 3: 0, 4: 0, 9: 0})
    for title, value in [("no parts", []), ("eleven parts of suite 2", [1, 2] + [0] * 9), ("a number", 1)]:
        bad("E_ENTRY", f"header: {title}", "log-header", header=cbor.encode(value).hex(), signature="00" * 64)


def certificates():
    laptop = key_of("laptop")

    def one(error, title, subject=laptop, serial=1, data=None, **fields):
        given = {"bytes": (data or certificate(subject, serial, **fields)).hex(), "logId": LOG.hex(), "adminKey": ADMIN.hex()}
        if error:
            bad("E_CERTIFICATE", f"certificate: {title}", "log-certificate", **given)
        else:
            good(f"certificate: {title}", "log-certificate", **given)

    one(None, "the greatest serial", serial=2**53 - 1)
    one(None, "64 characters outside the first plane", label="\U0001f600" * 64)
    one(None, "limits of 0", limits=[0, 0])
    one(None, "right 1 alone", rights=1)
    one(None, "a subject of small order", subject=bytes(32))
    for title, fields in [
        ("65 characters outside the first plane", {"label": "\U0001f600" * 65}), ("a right-to-left override", {"label": "a\u202eb"}),
        ("a zero-width space", {"label": "a\u200bb"}), ("a line separator", {"label": "a\u2028b"}),
        ("a paragraph separator", {"label": "a\u2029b"}), ("a delete", {"label": "a\x7f"}), ("a C1 control", {"label": "\x9b"}),
        ("a soft hyphen", {"label": "a\u00adb"}), ("a label of bytes", {"label": b"laptop"}), ("rights 0", {"rights": 0}),
        ("rights 32", {"rights": 32}), ("rights -1", {"rights": -1}), ("one limit", {"limits": [1]}), ("three limits", {"limits": [1, 2, 3]}),
        ("negative bytes", {"limits": [-1, 1]}), ("version 2", {"version": 2}), ("a negative serial", {"serial": -1}),
        ("a subject of 31 bytes", {"subject": bytes(31)}),
    ]:
        one("E_CERTIFICATE", title, **fields)
    fine = certificate(laptop, 1)
    for title, data in [("nothing", b"\0"), ("a signature alone", fine[:64]), ("a byte behind", fine + b"\0"),
                        ("1,025 bytes", fine + bytes(1025 - len(fine))), ("a bit of the signature", bytes([fine[0] ^ 1]) + fine[1:])]:
        one("E_CERTIFICATE", title, data=data)


def bodies():
    a, b = key_of("laptop"), sha("an entry")

    def one(error, kind, title, value):
        data = value if isinstance(value, bytes) else cbor.encode(value)
        if error:
            bad("E_ENTRY", f"{kind}: {title}", "log-body", kind=kind, bytes=data.hex())
        else:
            good(f"{kind}: {title}", "log-body", kind=kind, bytes=data.hex())

    one(None, "revocation", "of all, seq 0", [1, a, 0, LOG])
    one(None, "revocation", "of the greatest seq", [1, a, 2**53 - 1, b])
    one(None, "config", "of 32 servers", [1, [5, many_servers(32)]])
    one(None, "release", "of no index", [1, LOG, b"", 1, 0, []])
    one(None, "release", "indexes twice and out of order", [1, LOG, a, 2**53 - 1, 2**53 - 1, [b[:20], b[:20], bytes(20)]])
    one(None, "checkpoint", "of nothing", [1, [], []])
    one(None, "checkpoint", "the same test twice", [1, [], [[b, 0], [b, 1]]])
    for kind, title, value in [
        ("revocation", "version 2", [2, a, 1, b]), ("revocation", "seq -1", [1, a, -1, b]),
        ("revocation", "an id of 31 bytes", [1, a, 1, b[:31]]), ("revocation", "of three parts", [1, a, 1]),
        ("revocation", "of five parts", [1, a, 1, b, 0]), ("revocation", "a byte behind", cbor.encode([1, a, 1, b]) + b"\0"),
        ("config", "version 0", [0, [1, many_servers(1)]]), ("config", "of no servers", [1, [1, []]]),
        ("config", "servers descending", [1, [1, many_servers(2)[::-1]]]), ("config", "a server twice", [1, [1, many_servers(1) * 2]]),
        ("config", "epoch -1", [1, [-1, many_servers(1)]]), ("config", "of three parts", [1, [1, many_servers(1)], 0]),
        ("release", "version 2", [2, LOG, b"", 1, 0, []]), ("release", "seq 0", [1, LOG, b"", 0, 0, []]),
        ("release", "a negative cutoff", [1, LOG, b"", 1, -1, []]), ("release", "a server of 33 bytes", [1, LOG, bytes(33), 1, 0, []]),
        ("release", "an index of 21 bytes", [1, LOG, b"", 1, 0, [bytes(21)]]), ("release", "a log id of 31 bytes", [1, LOG[:31], b"", 1, 0, []]),
        ("checkpoint", "heads descending", [1, [[b"\1" * 32, 1, b], [b"\0" * 32, 1, b]], []]),
        ("checkpoint", "a head twice", [1, [[a, 1, b], [a, 2, b]], []]), ("checkpoint", "65 tests", [1, [], [[b, i] for i in range(65)]]),
        ("checkpoint", "a test before 1970", [1, [], [[b, -1]]]), ("checkpoint", "a test of 31 bytes", [1, [], [[b[:31], 1]]]),
        ("checkpoint", "of two parts", [1, []]), ("checkpoint", "513 heads", [1, [[i.to_bytes(32, "big"), 1, b] for i in range(513)], []]),
        ("checkpoint", "an empty body", b""),
    ]:
        one("E_ENTRY", kind, title, value)


def revoked(author, seq, last):
    return cbor.encode([1, author, seq, last])


def rights():
    laptop = key_of("laptop")
    admin, device, pruner = Author(ADMIN_SEED), Author(sha("laptop")), Author(sha("pruner"))
    release = cbor.encode([1, LOG, b"", 1, 0, []])
    accept("rights: a pruner, a device, the admin, and someone else", [
        admin.entry("certificate", certificate(laptop, 1)), admin.entry("certificate", certificate(pruner.key, 2, rights=4)),
        pruner.entry("release", release), pruner.entry("snapshot", ANY, keep=False), device.entry("release", release, keep=False),
        device.entry("snapshot", ANY), admin.entry("snapshot", ANY, keep=False), admin.entry("release", release),
        Author(sha("other")).entry("snapshot", ANY), device.entry("certificate", certificate(laptop, 3), keep=False),
        pruner.entry("release", cbor.encode([1, sha("x"), b"", 1, 0, []]), keep=False),
        pruner.entry("release", release[:-1], keep=False),
    ], "stored, stored, stored, E_CERTIFICATE, E_CERTIFICATE, stored, E_CERTIFICATE, stored, E_CERTIFICATE, E_CERTIFICATE, E_ENTRY, E_ENTRY")

    admin = Author(ADMIN_SEED)
    accept("certificates: rights only grow, serials ascend", [
        admin.entry("certificate", certificate(laptop, 5, rights=3)), admin.entry("certificate", certificate(laptop, 6, rights=2), keep=False),
        admin.entry("certificate", certificate(laptop, 6, rights=5), keep=False), admin.entry("certificate", certificate(laptop, 6, rights=3)),
        admin.entry("certificate", certificate(laptop, 7, rights=7)), admin.entry("certificate", certificate(key_of("b"), 7), keep=False),
        admin.entry("certificate", certificate(key_of("b"), 4), keep=False), admin.entry("certificate", certificate(ADMIN, 8), keep=False),
        admin.entry("certificate", certificate(key_of("b"), 8, seed=sha("laptop")), keep=False),
        admin.entry("certificate", ANY, keep=False), admin.entry("certificate", b"", keep=False),
    ], "stored, E_CERTIFICATE, E_CERTIFICATE, stored, stored, E_CERTIFICATE, E_CERTIFICATE, E_CERTIFICATE, E_CERTIFICATE, "
       "E_CERTIFICATE, E_CERTIFICATE")


def revocations():
    laptop = key_of("laptop")

    def start():
        admin, device = Author(ADMIN_SEED), Author(sha("laptop"))
        return admin, device, admin.entry("certificate", certificate(laptop, 1))

    admin, device, first = start()
    accept("revocation: of the admin, and of all of another", [
        first, admin.entry("revocation", revoked(ADMIN, 1, sha("x")), keep=False), admin.entry("revocation", revoked(laptop, 0, LOG)),
        device.entry("snapshot", ANY),
    ], "stored, E_ENTRY, stored, E_REVOKED")

    admin, device, first = start()
    accept("revocation: of all, with an id that is not the log's", [
        first, admin.entry("revocation", revoked(laptop, 0, sha("x"))), device.entry("snapshot", ANY),
    ], "stored, stored, E_REVOKED")

    admin, device, first = start()
    entries = [device.entry("snapshot", ANY) for _ in range(4)]
    accept("revocation: the smallest counts, and what is held stays", [
        first, *entries[:3], admin.entry("revocation", revoked(laptop, 1, device.ids[1])), entries[2], entries[3],
        device.entry("snapshot", b"another", seq=3, keep=False), admin.entry("revocation", revoked(laptop, 4, device.ids[4])), entries[3],
        admin.entry("revocation", revoked(laptop, 0, LOG)), entries[0], entries[3],
    ], "stored, stored, stored, stored, stored, had, E_REVOKED, E_REVOKED, stored, E_REVOKED, stored, had, E_REVOKED")

    admin, device, first = start()
    accept("revocation: one that lags catches up, and another version up to it is a conflict", [
        first, admin.entry("revocation", revoked(laptop, 2, sha("another version"))), device.entry("snapshot", ANY),
        device.entry("snapshot", ANY), device.entry("snapshot", ANY), device.entry("snapshot", b"another", seq=2, keep=False),
    ], "stored, stored, stored, stored, E_REVOKED, conflict")

    admin, device = Author(ADMIN_SEED), Author(sha("laptop"))
    accept("revocation: before any certificate", [
        admin.entry("revocation", revoked(laptop, 0, LOG)), device.entry("snapshot", ANY),
        admin.entry("certificate", certificate(laptop, 1), keep=False),
    ], "stored, E_REVOKED, E_CERTIFICATE")


def places():
    admin, device = Author(ADMIN_SEED), Author(sha("laptop"))
    first = admin.entry("certificate", certificate(device.key, 1))
    entries = [device.entry("snapshot", ANY) for _ in range(9)]
    other = sha("other")
    accept("places: a skip that leads elsewhere, at each of them", [
        first, entries[0], device.entry("snapshot", ANY, seq=2, skip=device.ids[1], keep=False), *entries[1:3],
        device.entry("snapshot", ANY, seq=4, skip=device.ids[2], keep=False), *entries[3:7],
        device.entry("snapshot", ANY, seq=8, skip=device.ids[4], keep=False), entries[7], entries[8],
    ], "stored, stored, E_LINK, stored, stored, E_LINK, stored, stored, stored, stored, E_LINK, stored, stored")
    accept("places: what is not signed is neither gap nor conflict", [
        first, entries[0], device.entry("snapshot", ANY, seq=3, seed=other, keep=False),
        device.entry("snapshot", b"another", seq=1, seed=other, keep=False), entries[2],
        device.entry("snapshot", b"another", seq=1, keep=False), {**entries[0], "signature": "00" * 64},
    ], "stored, stored, E_SIGNATURE, E_SIGNATURE, gap, conflict, had")
    accept("places: the kind is looked at before them", [
        first, entries[0], device.entry("checkpoint", cbor.encode([1, [], []]), seq=1, keep=False),
        device.entry("checkpoint", cbor.encode([1, [], []]), seq=9, keep=False),
    ], "stored, stored, E_CERTIFICATE, E_CERTIFICATE")
    accept("places: an entry that links to the right place and has another body", [
        first, {**entries[0], "body": (ANY + b"x").hex()}, {**entries[0], "body": ANY[:-1].hex()}, entries[0],
        {name: value for name, value in entries[0].items() if name != "body"},
    ], "stored, E_ENTRY, E_ENTRY, stored, had")


def late():
    admin, device = Author(ADMIN_SEED), Author(sha("laptop"))
    release = cbor.encode([1, LOG, b"", 1, 0, []])
    both = [("server 0",), ("server 1", NOW + 1, True)]
    first = admin.entry("certificate", certificate(device.key, 1, rights=5, limits=[2**40, 1]))
    one = device.entry("snapshot", ANY, keep=False, without_body=True, receipts=both)
    whole = device.entry("snapshot", ANY, receipts=both)
    accept("late: a body may have been dropped, of a snapshot or a release", [
        first, device.entry("snapshot", ANY, keep=False, seq=1, prev=LOG, skip=LOG, without_body=True), one, whole,
        device.entry("release", release, without_body=True, receipts=both), device.entry("snapshot", ANY), device.entry("snapshot", ANY),
        admin.entry("certificate", certificate(key_of("b"), 2), keep=False, without_body=True, receipts=both),
        admin.entry("checkpoint", cbor.encode([1, [], []]), keep=False, without_body=True, receipts=both),
        admin.entry("certificate", certificate(key_of("b"), 2), receipts=both),
    ], "stored, E_ENTRY, stored late, had, stored late, stored, E_RATE, E_ENTRY, E_ENTRY, stored late")

    admin, device = Author(ADMIN_SEED), Author(sha("laptop"))
    first = admin.entry("certificate", certificate(device.key, 1))
    revocation = admin.entry("revocation", revoked(device.key, 0, LOG))
    accept("late: no way around a revocation, a signature, or a certificate", [
        first, revocation, device.entry("snapshot", ANY, receipts=both), Author(sha("b")).entry("snapshot", ANY, receipts=both),
        admin.entry("checkpoint", cbor.encode([1, [], []]), seed=sha("b"), keep=False, receipts=both),
    ], "stored, stored, E_REVOKED, E_CERTIFICATE, E_SIGNATURE")

    admin, device = Author(ADMIN_SEED), Author(sha("laptop"))
    first = admin.entry("certificate", certificate(device.key, 1, limits=[2**40, 0]))
    move = admin.entry("config", cbor.encode([1, [1, [key_of("server 9")]]]))
    ids = device.ids
    accept("late: by servers of the newest config, f + 1 of it", [
        first, device.entry("snapshot", ANY, keep=False), move, device.entry("snapshot", ANY, keep=False, receipts=both),
        device.entry("snapshot", ANY, receipts=[("server 9",)]), device.entry("snapshot", ANY, keep=False, receipts=both),
    ], "stored, E_RATE, stored, E_RATE, stored late, E_RATE")
    assert ids is device.ids


def configs():
    admin, device = Author(ADMIN_SEED), Author(sha("laptop"))

    def config(epoch, *names):
        return cbor.encode([1, [epoch, sorted(map(key_of, names))]])

    first = admin.entry("certificate", certificate(device.key, 1))
    wrong = [admin.entry("config", config(epoch, "server 9"), keep=False) for epoch in (0, 2)]
    move, back = admin.entry("config", config(1, "server 9")), admin.entry("config", config(2, "server 0", "server 9"))
    one = device.entry("snapshot", ANY)
    two = device.entry("snapshot", ANY, receipts=[("server 9",)])
    three = device.entry("snapshot", ANY)
    accept("configs: epochs one by one", [first, *wrong, move, wrong[1], back, one], "stored, E_ENTRY, E_ENTRY, stored, conflict, stored, stored")
    accept("configs: a server that was replaced takes what is late, and all again when it is back", [
        first, one, move, device.entry("snapshot", ANY, seq=2, keep=False), two, three, back, three,
    ], "stored, stored, stored, E_READ_ONLY, stored late, E_READ_ONLY, stored, stored", server=key_of("server 0"))
    accept("configs: a server that never was in one", [first, one, move, device.entry("snapshot", ANY, seq=2, keep=False)],
           "stored, stored, stored, stored", server=key_of("server 7"))


def limits():
    def start(limits):
        admin, device = Author(ADMIN_SEED), Author(sha("laptop"))
        return device, admin.entry("certificate", certificate(device.key, 1, limits=limits))

    size = len(Author(sha("laptop")).header("snapshot", ANY)) + len(ANY)
    for spare, third in ((0, "stored"), (-1, "E_RATE")):
        device, first = start([2 * size + spare, 100])
        entries = [device.entry("snapshot", ANY, now=NOW + day * DAY) for day in (0, 1)]
        again = device.entry("snapshot", ANY, now=NOW + 30 * DAY - 1, keep=False, seq=2)
        if third == "stored":
            accept("limits: bytes in 30 days, exactly", [
                first, *entries, device.entry("snapshot", ANY, now=NOW + 30 * DAY - 1, keep=False),
                device.entry("snapshot", ANY, now=NOW + 30 * DAY), device.entry("snapshot", ANY, now=NOW + 31 * DAY - 1, keep=False),
                device.entry("snapshot", ANY, now=NOW + 31 * DAY)],
                "stored, stored, stored, E_RATE, stored, E_RATE, stored")
        else:
            accept("limits: bytes in 30 days, one too few", [first, entries[0], entries[1], again], "stored, stored, E_RATE, E_RATE")
    device, first = start([2**40, 2])
    one, two, three, four = [device.entry("snapshot", ANY, now=NOW + when) for when in (0, DAY - 1, DAY - 1, DAY)]
    accept("limits: two entries a day", [first, one, two, three, {**three, "nowMs": NOW + DAY}, four], "stored, stored, stored, E_RATE, stored, stored")
    device, first = start([2**40, 1])
    one, two, three = [device.entry("snapshot", ANY, now=NOW + day * DAY) for day in (5, 4, 5)]
    accept("limits: a clock that goes back", [first, one, two, three], "stored, stored, stored, E_RATE")
    device, first = start([0, 100])
    accept("limits: no bytes at all", [first, device.entry("snapshot", b"")], "stored, E_RATE")


def main():
    genesis()
    headers()
    certificates()
    bodies()
    rights()
    revocations()
    places()
    late()
    configs()
    limits()
    vectors.print()


if __name__ == "__main__":
    main()
