"""ChaCha20-Poly1305 of RFC 8439, in plain Python."""
import struct


def rotated(value, bits):
    return ((value << bits) | (value >> (32 - bits))) & 0xFFFFFFFF


def block(key, counter, nonce):
    start = [0x61707865, 0x3320646E, 0x79622D32, 0x6B206574,
             *struct.unpack("<8I", key), counter, *struct.unpack("<3I", nonce)]
    x = list(start)
    rounds = [(0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
              (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)]
    for a, b, c, d in rounds * 10:
        for p, q, r, bits in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            x[p] = (x[p] + x[q]) & 0xFFFFFFFF
            x[r] = rotated(x[r] ^ x[p], bits)
    return struct.pack("<16I", *((u + v) & 0xFFFFFFFF for u, v in zip(x, start)))


def encrypted(key, nonce, data):
    stream = b"".join(block(key, 1 + i, nonce) for i in range((len(data) + 63) // 64))
    return bytes(a ^ b for a, b in zip(data, stream))


def tag(key, nonce, aad, sealed):
    once = block(key, 0, nonce)[:32]
    r = int.from_bytes(once[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    padded = [part + bytes(-len(part) % 16) for part in (aad, sealed)]
    data, sum_ = b"".join(padded) + struct.pack("<QQ", len(aad), len(sealed)), 0
    for at in range(0, len(data), 16):
        piece = int.from_bytes(data[at:at + 16] + b"\1", "little")
        sum_ = (sum_ + piece) * r % (2**130 - 5)
    return ((sum_ + int.from_bytes(once[16:], "little")) % 2**128).to_bytes(16, "little")
