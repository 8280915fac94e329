"""Ed25519 in plain arithmetic (RFC 8032 §5.1), and signatures at the edges of its rules.

    python3 test/second/ed25519.py > test/vectors/ed25519.json

`lax` says whether the bare equation without cofactor, S B = R + h A, holds for points decoded
without a check of canonical form: what a careless verifier would take.
"""
import hashlib
import json

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
I = pow(2, (P - 1) // 4, P)


def add(a, b):
    (x1, y1), (x2, y2) = a, b
    t = D * x1 * x2 * y1 * y2
    both = pow(1 - t * t, -1, P)
    x = (x1 * y2 + x2 * y1) * (1 - t) * both
    y = (y1 * y2 + x1 * x2) * (1 + t) * both
    return x % P, y % P


def times(n, point):
    out = (0, 1)
    while n:
        if n & 1:
            out = add(out, point)
        point = add(point, point)
        n >>= 1
    return out


def root_x(y, sign):
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * I % P
    if (x * x - square) % P:
        return None
    return P - x if x % 2 != sign and x else x


B = (root_x(4 * pow(5, P - 2, P) % P, 0), 4 * pow(5, P - 2, P) % P)


def pack(point):
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def unpack(data):
    """Takes y of any size below 2^255."""
    n = int.from_bytes(data, "little")
    y, sign = n % 2**255 % P, n >> 255
    x = root_x(y, sign)
    return None if x is None else (x, y)


def h(r, a, m):
    return int.from_bytes(hashlib.sha512(r + a + m).digest(), "little") % L


def expand(seed):
    d = hashlib.sha512(seed).digest()
    a = int.from_bytes(d[:32], "little") & (2**254 - 8) | 2**254
    return a, d[32:]


def sign(seed, m):
    a, prefix = expand(seed)
    public = pack(times(a, B))
    r = int.from_bytes(hashlib.sha512(prefix + m).digest(), "little") % L
    big_r = pack(times(r, B))
    return public, big_r + ((r + h(big_r, public, m) * a) % L).to_bytes(32, "little")


def lax(public, m, sig):
    if len(public) != 32 or len(sig) != 64:
        return False
    a, r = unpack(public), unpack(sig[:32])
    s = int.from_bytes(sig[32:], "little")
    if a is None or r is None:
        return False
    return times(s % L, B) == add(r, times(h(sig[:32], public, m), a))


SMALL = [0, 1, 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
         0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7, P - 1]


def strict(public, m, sig):
    """The six rules of docs/specs/signatures.md."""
    if len(public) != 32 or len(sig) != 64:
        return False
    s = int.from_bytes(sig[32:], "little")
    heights = [int.from_bytes(part, "little") % 2**255 for part in (public, sig[:32])]
    if s >= L or any(y >= P or y in SMALL for y in heights):
        return False
    a = unpack(public)
    if a is None:
        return False
    minus = (P - a[0], a[1])
    return pack(add(times(s, B), times(h(sig[:32], public, m), minus))) == sig[:32]


def torsion():
    """A point of order 8: L times anything that is not in the prime-order subgroup."""
    for y in range(2, 99):
        x = root_x(y, 0)
        if x is not None and times(4, times(L, (x, y))) != (0, 1):
            return times(L, (x, y))


cases = []


def case(name, public, m, sig, ok):
    assert strict(public, m, sig) == ok, name
    cases.append({"id": name, "op": "ed25519-verify",
                  "in": {"publicKey": public.hex(), "message": m.hex(), "signature": sig.hex()},
                  "out": {"valid": ok, "lax": lax(public, m, sig)}})


def search(make):
    """The first of messages 0, 1, … for which `make` gives something."""
    for i in range(1000):
        m = b"edge %d" % i
        found = make(m)
        if found:
            return found[0], m, found[1]
    raise SystemExit("not found")


def scalar(n):
    return n.to_bytes(32, "little")


def main():
    t8 = torsion()
    for name, seed, m in [
        ("RFC 8032 test 1", "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", ""),
        ("RFC 8032 test 2", "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "72"),
        ("RFC 8032 test 3", "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7", "af82"),
    ]:
        public, sig = sign(bytes.fromhex(seed), bytes.fromhex(m))
        case(name, public, bytes.fromhex(m), sig, True)

    m = b"grid"
    seed = bytes(range(32))
    a, _ = expand(seed)
    public, sig = sign(seed, m)
    s = int.from_bytes(sig[32:], "little")
    case("another message", public, b"Grid", sig, False)
    case("another key", sign(bytes(32), m)[0], m, sig, False)
    case("R changed", public, m, bytes([sig[0] ^ 1]) + sig[1:], False)
    case("S changed", public, m, sig[:32] + bytes([sig[32] ^ 1]) + sig[33:], False)
    case("all zero", bytes(32), m, bytes(64), False)
    for i in range(1, 16):
        if s + i * L < 2**256:
            case("S + %d L" % i, public, m, sig[:32] + scalar(s + i * L), False)
    case("S of L, for 0", *search(lambda m: (pack((0, 1)), pack((0, 1)) + scalar(L))), False)
    case("key cut short", public[:31], m, sig, False)
    case("key too long", public + b"\0", m, sig, False)
    case("signature cut short", public, m, sig[:63], False)
    case("signature too long", public, m, sig + b"\0", False)
    off = next(scalar(y) for y in range(2, 99) if root_x(y, 0) is None)
    case("a key that is no point", off, m, sig, False)
    case("R that is no point", public, m, off + sig[32:], False)

    # a key of small order signs anything: R = S B - j A for the j that h turns out to be
    for j in range(8):
        small = times(j, t8)

        def forge(m, small=small):
            for i in range(8):
                r = pack(add(times(7, B), times(8 - i, small)))
                if h(r, pack(small), m) % 8 == i:
                    return pack(small), r + scalar(7)

        case("a key of small order, %d times the generator" % j, *search(forge), False)
    # other spellings of such keys
    for name, bits in [("1 with the sign set", 1 | 1 << 255), ("-1 with the sign set", P - 1 | 1 << 255),
                       ("0 as p", P), ("0 as p with the sign set", P | 1 << 255), ("1 as p + 1", P + 1),
                       ("1 as p + 1 with the sign set", P + 1 | 1 << 255)]:
        spelled = bits.to_bytes(32, "little")

        def forge(m, spelled=spelled):
            point = unpack(spelled)
            for i in range(8):
                r = pack(add(times(7, B), times(8 - i, point)))
                if h(r, spelled, m) % 8 == i:
                    return spelled, r + scalar(7)

        case("a key of y = " + name, *search(forge), False)
    # a key with a part of small order
    mixed = pack(add(times(a, B), t8))

    def with_mixed(m, want):
        r = pack(times(99, B))
        k = h(r, mixed, m)
        return (mixed, r + scalar((99 + k * a) % L)) if (k % 8 == 0) == want else None

    case("a mixed key, right without cofactor", *search(lambda m: with_mixed(m, True)), True)
    case("a mixed key, right with cofactor only", *search(lambda m: with_mixed(m, False)), False)
    # R of small order
    one = pack((0, 1))
    case("R of order 1", public, m, one + scalar(h(one, public, m) * a % L), False)
    one = scalar(P + 1)
    case("R of order 1 as p + 1", public, m, one + scalar(h(one, public, m) * a % L), False)

    def small_r(m, j):
        r = pack(times(j, t8))
        k = h(r, mixed, m)
        return (mixed, r + scalar(k * a % L)) if (k + j) % 8 == 0 else None

    for j in range(1, 8):
        case("R of small order, %d times the generator" % j,
             *search(lambda m, j=j: small_r(m, j)), False)

    print(json.dumps({"format": "grid-vectors/1", "suite": 1, "spec": "docs/specs/signatures.md",
                      "cases": cases}, indent=1))


if __name__ == "__main__":
    main()
