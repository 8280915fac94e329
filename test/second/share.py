"""Objects and their shares, written from docs/specs/encoding.md and share.md alone."""
import hmac
from dataclasses import dataclass

import rs
from notation import Refused, tagged, u32

SEGMENT = 2**17


def segments(whole):
    return [whole[at:at + SEGMENT] for at in range(0, len(whole), SEGMENT)]


def lengths(total):
    return [min(SEGMENT, total - at) for at in range(0, total, SEGMENT)]


def block_length(length, k):
    return -(-length // k)


def blocks_of(segment, matrix, k):
    size = block_length(len(segment), k)
    filled = segment.ljust(k * size, b"\0")
    data = [filled[i * size:(i + 1) * size] for i in range(k)]
    return data + rs.times(matrix[k:], data)


def leaf(number, s, block):
    return tagged("block", bytes([number]), u32(s), block)


def segment_leaf(s, segment):
    return tagged("ct-seg", u32(s), segment)


def share_root(number, leaves):
    return tagged("share", bytes([number]), leaves)


def list_root(leaves):
    return tagged("ct-list", leaves)


def descriptor_of(k, n, total, segment_list, share_roots):
    return b"GRO1" + bytes([1, k, n, 17]) + total.to_bytes(8, "big") + segment_list + b"".join(share_roots)


def header_of(number, descriptor):
    return b"GRS1" + bytes([number, 0]) + len(descriptor).to_bytes(2, "big") + descriptor


def encode(whole, k, n):
    """Root, descriptor and all shares of a padded ciphertext."""
    parts, matrix = segments(whole), rs.matrix_of(k, n)
    table = [blocks_of(part, matrix, k) for part in parts]
    leaves = [b"".join(leaf(i, s, row[i]) for s, row in enumerate(table)) for i in range(n)]
    segment_leaves = b"".join(segment_leaf(s, part) for s, part in enumerate(parts))
    roots = [share_root(i, leaves[i]) for i in range(n)]
    descriptor = descriptor_of(k, n, len(whole), list_root(segment_leaves), roots)
    shares = [header_of(i, descriptor) + leaves[i] + segment_leaves + b"".join(row[i] for row in table)
              for i in range(n)]
    return tagged("object", descriptor), descriptor, shares


@dataclass
class Share:
    number: int
    k: int
    n: int
    total: int
    descriptor: bytes
    leaves: bytes
    segment_leaves: bytes
    blocks: list


def parse_descriptor(raw):
    if raw[:4] != b"GRO1":
        raise Refused("E_DESCRIPTOR")
    if raw[4] != 1:
        raise Refused("E_VERSION")
    k, n, total = raw[5], raw[6], int.from_bytes(raw[8:16], "big")
    if raw[7] != 17 or not 1 <= k <= n or len(raw) != 48 + 32 * n or not 1024 <= total <= 2**24:
        raise Refused("E_DESCRIPTOR")
    return k, n, total


def parse(data, index, number):
    """A share that was sent as `number` under a storage index, every byte of it checked."""
    size = int.from_bytes(data[6:8], "big")
    head = 8 + size
    if len(data) < 8 or data[:4] != b"GRS1" or data[5] != 0 or len(data) < head:
        raise Refused("E_SHARE")
    if (size - 48) % 32 or not 1 <= (size - 48) // 32 <= 255:
        raise Refused("E_SHARE")
    descriptor = data[8:head]
    k, n, total = parse_descriptor(descriptor)
    if tagged("object", descriptor)[:20] != index:
        raise Refused("E_DESCRIPTOR")
    if data[4] != number or number >= n:
        raise Refused("E_SHARE")
    parts = lengths(total)
    sizes = [block_length(length, k) for length in parts]
    after = head + 64 * len(parts)
    if len(data) != after + sum(sizes):
        raise Refused("E_SHARE")
    leaves, segment_leaves = data[head:head + 32 * len(parts)], data[head + 32 * len(parts):after]
    if share_root(number, leaves) != descriptor[48 + 32 * number:80 + 32 * number]:
        raise Refused("E_SHARE")
    if list_root(segment_leaves) != descriptor[16:48]:
        raise Refused("E_SHARE")
    blocks = []
    for s, size in enumerate(sizes):
        start = after + s * block_length(SEGMENT, k)
        blocks.append(data[start:start + size])
        if leaf(number, s, blocks[s]) != leaves[32 * s:32 * s + 32]:
            raise Refused("E_BLOCK")
    return Share(number, k, n, total, descriptor, leaves, segment_leaves, blocks)


def decode(shares):
    """The padded ciphertext of an object, from k checked shares of distinct numbers."""
    first = shares[0]
    k = first.k
    matrix = rs.matrix_of(k, first.n)
    back = rs.inverted([matrix[share.number] for share in shares[:k]])
    out = b""
    for s, length in enumerate(lengths(first.total)):
        blocks = [share.blocks[s] for share in shares[:k]]
        segment = b"".join(rs.times(back, blocks))[:length]
        if segment_leaf(s, segment) != first.segment_leaves[32 * s:32 * s + 32]:
            raise Refused("E_ENCODING")
        out += segment
    return out


def possession(nonce, share):
    return hmac.new(nonce, share, "sha256").digest()
