"""Keys, sealed streams and padding, written from docs/specs/encoding.md alone."""
from notation import Refused, ctr, expand, mac, tagged

TYPES = ("raw", "tree", "treev", "dir", "dirv")


def sub_key(secret, name):
    if not any(secret):
        raise Refused("RangeError")
    return expand(secret, "conv/" + name)


def read_key(secret, kind, data):
    return expand(mac(sub_key(secret, kind), data), "readkey")


def verify_key(key):
    return expand(key, "verifykey")


def commitment(kind, key):
    return expand(key, "commit/" + kind)


def seal(kind, key, data):
    return commitment(kind, key) + ctr(expand(key, "enc"), data)


def opened(kind, key, sealed):
    if sealed[:32] != commitment(kind, key):
        raise Refused("E_COMMIT")
    return ctr(expand(key, "enc"), sealed[32:])


def padme(length):
    e = length.bit_length() - 1
    s = e.bit_length()
    mask = 2 ** (e - s) - 1
    return -(-length // (mask + 1)) * (mask + 1)


def padded(secret, streams):
    length = padme(max(len(streams), 1024))
    if length > 2**24:
        raise Refused("RangeError")
    key = mac(sub_key(secret, "pad"), tagged("pad", streams))
    return streams + ctr(key, bytes(length - len(streams)))
