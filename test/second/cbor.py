"""The canonical CBOR of docs/specs/tree.md: integers, byte strings, texts and arrays."""
from notation import Refused

TOP, DEPTH, ITEMS, BYTES = 2**53 - 1, 8, 2**18, 2**21


def head(major, n):
    if n < 24:
        return bytes([major << 5 | n])
    for info, width in (24, 1), (25, 2), (26, 4), (27, 8):
        if n < 256**width:
            return bytes([major << 5 | info]) + n.to_bytes(width, "big")
    raise ValueError("no head for " + str(n))


def encode(value):
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    return head(4, len(value)) + b"".join(map(encode, value))


def decode(data):
    if len(data) > BYTES:
        raise Refused("E_CBOR")
    reader = Reader(data)
    value = reader.item(0)
    if reader.at != len(data):
        raise Refused("E_CBOR")
    return value


class Reader:
    def __init__(self, data):
        self.data, self.at, self.items = data, 0, 0

    def take(self, count):
        self.at += count
        if self.at > len(self.data):
            raise Refused("E_CBOR")
        return self.data[self.at - count:self.at]

    def item(self, depth):
        self.items += 1
        if self.items > ITEMS:
            raise Refused("E_CBOR")
        start, first = self.at, self.take(1)[0]
        major, n = first >> 5, first & 31
        if n > 27 or major > 4:
            raise Refused("E_CBOR")
        if n > 23:
            n = int.from_bytes(self.take(2 ** (n - 24)), "big")
        if head(major, n) != self.data[start:self.at]:
            raise Refused("E_CBOR")
        if major == 4:
            if depth == DEPTH or n > ITEMS:
                raise Refused("E_CBOR")
            return [self.item(depth + 1) for _ in range(n)]
        if major > 1:
            raw = self.take(n)
            try:
                return raw if major == 2 else raw.decode()
            except UnicodeDecodeError as error:
                raise Refused("E_CBOR") from error
        value = n if major == 0 else -1 - n
        if abs(value) > TOP:
            raise Refused("E_CBOR")
        return value
