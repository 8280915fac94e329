"""Entries of a log and receipts: docs/specs/log.md, "Entry", "Chain", "Receipt", "Servers and quorums"."""
import cbor
import ed25519
from node import within
from notation import Refused, tagged

LONGEST_HEADER, ACKS, TOP = 4096, 64, 2**53 - 1
KINDS = ["snapshot", "certificate", "revocation", "config", "release", "checkpoint"]
LONGEST_BODY = {kind: 2**20 if kind == "release" else 2**16 for kind in KINDS}


def hold(code, *facts):
    if not all(facts):
        raise Refused(code)


def array(code, value, *shape):
    """The value, if it is an array of these types: int, bytes, list, or a number of bytes."""
    hold(code, isinstance(value, list) and len(value) == len(shape))
    for item, kind in zip(value, shape):
        wide = isinstance(kind, int)
        hold(code, isinstance(item, bytes if wide else kind), not wide or len(item) == kind)
    return value


def decoded(code, data, longest):
    hold(code, len(data) <= longest)
    try:
        return cbor.decode(data)
    except Refused as error:
        raise Refused(code) from error


def of_this_version(code, value, length):
    hold(code, isinstance(value, list) and len(value) == length and value[0] == 1 and isinstance(value[1], int))
    hold("E_VERSION", value[1] == 1)


class Header:
    def __init__(self, data, signature):
        code = "E_ENTRY"
        hold(code, len(signature) == 64)
        value = decoded(code, data, LONGEST_HEADER)
        of_this_version(code, value, 12)
        (_, _, self.log_id, self.author, self.seq, self.prev, self.skip, self.acks, self.client_ms, kind,
         self.body_hash, self.body_bytes) = array(code, value, int, int, 32, 32, int, 32, 32, list, int, int, 32, int)
        hold(code, within(self.seq, 1, TOP), within(self.client_ms, 0, TOP), within(kind, 1, 6))
        self.kind = KINDS[kind - 1]
        hold(code, within(self.body_bytes, 0, LONGEST_BODY[self.kind]), len(self.acks) <= ACKS)
        prefixes = [array(code, ack, 8, int, 32)[0] for ack in self.acks]
        hold(code, all(within(seq, 1, TOP) for _, seq, _ in self.acks))
        hold(code, prefixes == sorted(set(prefixes)), self.author[:8] not in prefixes)
        self.data, self.signature, self.fields = data, signature, value
        self.id = tagged("log-entry", data)

    def signed(self):
        return ed25519.strict(self.author, b"grid/v1/log-entry" + self.data, self.signature)


def skip_of(seq):
    return seq & (seq - 1)


def place_of(chain, header):
    """`chain` are the ids from that of seq 0, the log id, to the head's."""
    if header.seq < len(chain):
        return "had" if header.id == chain[header.seq] else "conflict"
    if header.seq > len(chain):
        return "gap"
    linked = header.prev == chain[-1] and header.skip == chain[skip_of(header.seq)]
    return "next" if linked else "unlinked"


def receipt_of(log_id, entry_id, received, late, server):
    return (b"grid/v1/receipt" + log_id + entry_id + received.to_bytes(8, "big") + bytes([late]) + server)


def quorum(n):
    """f and q"""
    f = (n - 1) // 3
    return f, -(-(n + f + 1) // 2)
