"""Answers the cases of test/vectors/log.json, which the project itself makes, from log.md and certificates.md.

    python3 test/second/log.py

Prints the cases again with the answers of this implementation. Of sealed bodies nothing is opened.
"""
import json
from pathlib import Path

import cbor
import ed25519
import logentry
from logbody import Certificate, Genesis, body_of
from logserver import LogServer
from notation import Refused, expand, tagged
from vectors import shown


def signed_by(seed, prefixed, signature):
    """Signing draws nothing, so a case that gives a seed gives the one signature."""
    return seed is None or ed25519.sign(bytes.fromhex(seed), prefixed)[1] == signature


def keys(adminSeed):
    seed = bytes.fromhex(adminSeed)
    sign_seed, read_seed = expand(seed, "log/admin-sign"), expand(seed, "log/read")
    verify_seed = expand(read_seed, "log/verify")
    out = {"signSeed": sign_seed, "adminKey": ed25519.sign(sign_seed, b"")[0], "readSeed": read_seed,
           "verifySeed": verify_seed, "convergenceSecret": expand(seed, "convergence/0"),
           "readerKem": expand(read_seed, "log/kem"), "verifierKem": expand(verify_seed, "log/kem")}
    return {name: value.hex() for name, value in out.items()}


def plain_config(config):
    return {"epoch": config[0], "servers": [key.hex() for key in config[1]]}


def genesis(bytes, logId=None):
    found = Genesis(unhex(bytes), unhex(logId))
    return {"adminKey": found.admin.hex(), "readerKey": shown(found.reader), "verifierKey": shown(found.verifier),
            "profile": ("cdc", "fixed")[found.profile], "convergenceEpoch": found.convergence_epoch,
            "config": plain_config(found.config), "createdMs": found.created, "logId": found.log_id.hex()}


def unhex(text):
    return None if text is None else bytes.fromhex(text)


def certificate(bytes, logId, adminKey, seed=None):
    data = unhex(bytes)
    found = Certificate(data, unhex(logId), unhex(adminKey))
    assert signed_by(seed, b"grid/v1/cert" + data[64:], data[:64])
    return {"logId": found.log_id.hex(), "subject": found.subject.hex(), "rightBits": found.rights,
            "limits": {"bytesPer30Days": found.bytes_in_30_days, "entriesPerDay": found.entries_a_day},
            "label": found.label, "serial": found.serial}


def header(header, signature, seed=None):
    found = logentry.Header(unhex(header), unhex(signature))
    assert signed_by(seed, b"grid/v1/log-entry" + found.data, found.signature)
    acks = [{"authorPrefix": prefix.hex(), "seq": seq, "id": name.hex()} for prefix, seq, name in found.acks]
    fields = {"logId": found.log_id.hex(), "author": found.author.hex(), "seq": found.seq, "prev": found.prev.hex(),
              "skip": found.skip.hex(), "acks": acks, "clientMs": found.client_ms, "kind": found.kind,
              "bodyHash": found.body_hash.hex(), "bodyBytes": found.body_bytes}
    return {"fields": fields, "id": found.id.hex(), "valid": found.signed()}


def seal(header, role):
    value = cbor.decode(unhex(header))
    info = b"grid/v1/seal" + role.encode() + value[2]
    return {"info": info.hex(), "aad": tagged("seal-aad", cbor.encode(value[:10])).hex()}


def skip(seqs):
    return [logentry.skip_of(seq) for seq in seqs]


def quorum(n):
    f, q = logentry.quorum(n)
    return {"f": f, "q": q}


def receipt(logId, id, node, receivedMs, late, signature, seed=None):
    said = logentry.receipt_of(unhex(logId), unhex(id), receivedMs, late, unhex(node))
    assert signed_by(seed, said, unhex(signature))
    return {"valid": ed25519.strict(unhex(node), said, unhex(signature))}


def body(kind, bytes):
    found = body_of(kind, unhex(bytes))
    if kind == "config":
        return plain_config(found)
    if kind == "revocation":
        author, seq, last = found
        return {"author": author.hex(), "lastGoodSeq": seq, "lastGoodId": last.hex()}
    if kind == "checkpoint":
        heads, tests = found
        return {"heads": [{"author": author.hex(), "seq": seq, "id": name.hex()} for author, seq, name in heads],
                "tested": [{"id": name.hex(), "testedMs": when} for name, when in tests]}
    account, server, seq, cutoff, indexes = found
    return {"account": account.hex(), "server": server.hex() or None, "releaseSeq": seq, "cutoffMs": cutoff,
            "storageIndexes": [index.hex() for index in indexes]}


def accept(genesis, entries, serverKey=None):
    server = LogServer(unhex(genesis), unhex(serverKey))
    return [server.offered(unhex(entry["header"]), unhex(entry["signature"]), unhex(entry.get("body")),
                           [receipt_in(given) for given in entry.get("receipts", [])], entry["nowMs"])
            for entry in entries]


def receipt_in(given):
    return unhex(given["node"]), given["receivedMs"], given["late"], unhex(given["signature"])


OPS = {"log-keys": keys, "log-genesis": genesis, "log-certificate": certificate, "log-header": header,
       "log-seal": seal, "log-skip": skip, "log-quorum": quorum, "log-receipt": receipt, "log-body": body,
       "log-accept": accept}


def answered(case):
    asked = {name: case[name] for name in ("id", "op", "in")}
    try:
        return {**asked, "out": OPS[case["op"]](**case["in"])}
    except Refused as refused:
        return {**asked, "error": str(refused)}


def main():
    path = Path(__file__).resolve().parent.parent / "vectors" / "log.json"
    given = json.loads(path.read_text())
    print(json.dumps({**given, "cases": [answered(case) for case in given["cases"]]}, indent=1))


if __name__ == "__main__":
    main()
