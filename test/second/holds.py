"""Records of a journal of holds, and what is signed to enter an account, written from docs/specs/holds.md.

    python3 test/second/holds.py > test/vectors/holds.json
"""
import ed25519
from notation import tagged
from vectors import Vectors

HOLDER, INDEX = 33, 20
MAX_RECORD = 12 + 1 + 3 * 8 + 2 * HOLDER + 45_000 * 44


def u(value, size):
    return value.to_bytes(size, "big")


def body_of(record):
    kind, at = record["kind"], u(record["atMs"], 8)
    if kind == "held":
        payer = bytes.fromhex(record["payer"]) if record.get("payer") else bytes(HOLDER)
        rows = [bytes.fromhex(si) + u(charged, 8) + u(touched, 8) + u(expires, 8)
                for si, charged, touched, expires in record["holds"]]
        return b"\1" + at + bytes.fromhex(record["holder"]) + payer + b"".join(rows)
    indexes = b"".join(bytes.fromhex(si) for si in record.get("storageIndexes", []))
    if kind == "released":
        return (b"\2" + at + bytes.fromhex(record["account"]) + bytes.fromhex(record["author"])
                + u(record["releaseSeq"], 8) + u(record["cutoffMs"], 8) + indexes)
    return (b"\3" + at + indexes) if kind == "gone" else b"\4" + at


def checksum(segment, offset, body):
    name = segment.encode()
    return tagged("hold-record", bytes([len(name)]) + name + u(offset, 8) + body)[:8]


def write(segment, offset, record):
    body = body_of(record)
    return (u(len(body), 4) + checksum(segment, offset, body) + body).hex()


class Fields:
    def __init__(self, data):
        self.data = data

    def take(self, size):
        if size > len(self.data):
            raise ValueError
        taken, self.data = self.data[:size], self.data[size:]
        return taken

    def number(self):
        return min(int.from_bytes(self.take(8), "big"), 2**53 - 1)

    def holder(self):
        taken = self.take(HOLDER)
        if taken[0] > 3:
            raise ValueError
        return taken.hex()

    def rows(self, read):
        rows = []
        while self.data:
            rows.append(read())
        return rows


def parse(body):
    f = Fields(body)
    kind, at = f.take(1)[0], f.number()
    index = lambda: f.take(INDEX).hex()
    if kind == 1:
        holder, payer = f.holder(), f.holder()
        rows = f.rows(lambda: [index(), f.number(), f.number(), f.number()])
        return {"kind": "held", "atMs": at, "holder": holder,
                "payer": payer if any(bytes.fromhex(payer)) else None, "holds": rows}
    if kind == 2:
        account, author = f.holder(), f.take(32).hex()
        return {"kind": "released", "atMs": at, "account": account, "author": author,
                "releaseSeq": f.number(), "cutoffMs": f.number(), "storageIndexes": f.rows(index)}
    if kind == 3:
        return {"kind": "gone", "atMs": at, "storageIndexes": f.rows(index)}
    if kind == 4 and not f.data:
        return {"kind": "closed", "atMs": at}
    raise ValueError


def read(segment, offset, bytes):
    """The first record, or None where none stands."""
    data = __builtins__.bytes.fromhex(bytes)
    if len(data) < 12:
        return None
    end = 12 + int.from_bytes(data[:4], "big")
    if end > min(len(data), MAX_RECORD) or checksum(segment, offset, data[12:end]) != data[4:12]:
        return None
    try:
        return {"record": parse(data[12:end]), "recordBytes": end}
    except ValueError:
        return None


def auth(server, client, nonce, logId, seed):
    ids = b"".join(bytes([len(name)]) + name for name in (server.encode(), client.encode()))
    message = b"grid/v1/auth" + ids + bytes.fromhex(nonce) + bytes.fromhex(logId)
    key, signature = ed25519.sign(bytes.fromhex(seed), message)
    return {"message": message.hex(), "key": key.hex(), "signature": signature.hex()}


NAME = "001700000000000.42.0.journal"
ACCOUNT, CLIENT, PAYER = "01" + "aa" * 32, "02" + "cc" * 32, "03" + "dd" * 32
SI = bytes(range(20)).hex()
NOW = 1_700_000_000_000


def main():
    v = Vectors("holds", {"hold-record-write": write, "hold-record-read": read, "enter": auth})

    def both(name, record, offset=4):
        made = v.good("write " + name, "hold-record-write", segment=NAME, offset=offset, record=record)
        v.good("read " + name, "hold-record-read", segment=NAME, offset=offset, bytes=made)
        return bytes.fromhex(made)

    held = {"kind": "held", "atMs": NOW, "holder": ACCOUNT, "payer": None, "holds": [[SI, 4096, NOW, 0]]}
    released = {"kind": "released", "atMs": NOW + 100_000, "account": ACCOUNT, "author": "bb" * 32,
                "releaseSeq": 1, "cutoffMs": NOW + 50_000, "storageIndexes": [SI]}
    gone = {"kind": "gone", "atMs": 1_703_000_100_000, "storageIndexes": [SI]}
    offset, first = 4, b""
    for name, record in [("held", held), ("released", released), ("gone", gone),
                         ("closed", {"kind": "closed", "atMs": 1_703_000_100_000})]:
        raw = both("the worked " + name, record, offset)
        first = first or raw
        offset += len(raw)
    top = 2**53 - 1
    both("a lease that somebody pays for", {**held, "holder": CLIENT, "payer": PAYER,
                                            "holds": [[SI, top, top, top], ["ff" * 20, 0, 0, 0]]})
    both("a release without indexes", {**released, "cutoffMs": 0, "storageIndexes": []})
    both("nobody's", {**held, "holder": "00" * 33, "holds": []})

    def none(name, data, offset=4, segment=NAME):
        v.good("nothing: " + name, "hold-record-read", segment=segment, offset=offset, bytes=data.hex())

    def framed(body):
        return u(len(body), 4) + checksum(NAME, 4, body) + body

    none("no bytes", b"")
    none("a head alone", first[:12])
    none("the last byte is missing", first[:-1])
    none("a bit changed", first[:40] + bytes([first[40] ^ 1]) + first[41:])
    none("a checksum changed", first[:4] + bytes([first[4] ^ 1]) + first[5:])
    none("at another offset", first, offset=5)
    none("in another segment", first, segment=NAME.replace("42", "43"))
    none("a length beyond all records", b"\xff" * 12 + first[12:])
    none("an unknown kind", framed(b"\5" + u(NOW, 8)))
    none("no body", framed(b""))
    none("a closed one with more", framed(b"\4" + u(NOW, 8) + b"\0"))
    none("half a row", framed(body_of(held)[:-1]))
    none("half an index", framed(body_of(gone) + b"\0"))
    none("a holder of an unknown kind", framed(body_of({**held, "holder": "04" + "00" * 32})))
    v.good("nothing behind counts", "hold-record-read", segment=NAME, offset=4, bytes=(first + b"\1\2").hex())

    seed = bytes(range(32)).hex()
    v.good("enter, worked", "enter", server="server", client="client", nonce="01" * 32,
           logId="02" * 32, seed=seed)
    v.good("enter, ids of other lengths", "enter", server="serverc", client="lient", nonce="01" * 32,
           logId="02" * 32, seed=seed)
    v.good("enter, true peer ids", "enter", seed="07" * 32, nonce=bytes(range(32)).hex(), logId="ff" * 32,
           server="12D3KooWA1bvSgsHbMtTMx2xjBUYBzTDmR1xT9JLjfyjdaiQvPqc",
           client="12D3KooWBmAwcd4PJNJvfV89HwE48nwkRmAgo8Vy3uQEyNNHBox2")
    v.print()


if __name__ == "__main__":
    main()
