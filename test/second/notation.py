"""The notation of docs/specs/encoding.md: TH, XP, CTR, b32."""
import base64
import hashlib
import hmac
import subprocess
import tempfile


class Refused(Exception):
    """What the specs refuse; its text is the code of their "Errors" sections."""


def tagged(tag, *parts):
    """TH"""
    t = hashlib.sha256(b"grid/v1/" + tag.encode()).digest()
    return hashlib.sha256(t + t + b"".join(parts)).digest()


def mac(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def expand(key, label, length=32):
    """XP: HKDF-Expand, RFC 5869 section 2.3"""
    info, out, block, count = b"grid/v1/" + label.encode(), b"", b"", 0
    while len(out) < length:
        count += 1
        block = mac(key, block + info + bytes([count]))
        out += block
    return out[:length]


def ctr(key, data):
    """CTR(key, data)"""
    return openssl("-aes-256-ctr", "-iv", "00" * 16, key=key, data=data)


def aes(key, blocks):
    """AES-256 of each block of 16 bytes"""
    return openssl("-aes-256-ecb", key=key, data=blocks)


def openssl(*options, key, data):
    if not data:
        return b""
    command = ["openssl", "enc", *options, "-nopad", "-K", key.hex()]
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        return subprocess.run(command, stdin=file, stdout=subprocess.PIPE, check=True).stdout


def b32(data):
    return base64.b32encode(data).decode().lower().rstrip("=")


def unb32(text):
    """The bytes, or None: another letter, a length or pad bits that b32 never gives."""
    try:
        data = base64.b32decode(text.upper() + "=" * (-len(text) % 8))
    except ValueError:
        return None
    return data if b32(data) == text else None


def u32(n):
    return n.to_bytes(4, "big")


def bulk(given):
    """The bytes of a vector: hex, or so many of the keystream under SHA-256(seed)."""
    if isinstance(given, str):
        return bytes.fromhex(given)
    assert given["gen"] == "ctr"
    return ctr(hashlib.sha256(bytes.fromhex(given["seed"])).digest(), bytes(given["len"]))
