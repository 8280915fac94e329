"""The erasure code, written from docs/specs/encoding.md alone, and the vectors it gives.

    python3 test/second/rs.py > test/vectors/rs.json

Field products are made by shift and reduce, the matrix as V times an inverse by elimination: none
of the short cuts of the project's own code. The vectors are frozen: a change of what this prints
is a change of the format.
"""
import hashlib
import json


def product(a, b):
    out = 0
    while b:
        if b & 1:
            out ^= a
        a <<= 1
        if a & 0x100:
            a ^= 0x11D
        b >>= 1
    return out


PRODUCT = [bytes(product(a, b) for b in range(256)) for a in range(256)]
INVERSE = [0] + [PRODUCT[a].index(1) for a in range(1, 256)]


def plus(a, b):
    return (int.from_bytes(a, "big") ^ int.from_bytes(b, "big")).to_bytes(len(a), "big")


def times(a, b):
    """The product of two matrices, lists of rows."""
    return [combined(row, b) for row in a]


def combined(factors, rows):
    out = 0
    for factor, row in zip(factors, rows):
        out ^= int.from_bytes(row.translate(PRODUCT[factor]), "big")
    return out.to_bytes(len(rows[0]), "big")


def inverted(matrix):
    size = len(matrix)
    work = [bytes(row) + bytes(int(r == c) for c in range(size)) for r, row in enumerate(matrix)]
    for c in range(size):
        pivot = next(r for r in range(c, size) if work[r][c])
        work[c], work[pivot] = work[pivot], work[c]
        work[c] = work[c].translate(PRODUCT[INVERSE[work[c][c]]])
        for r in range(size):
            if r != c and work[r][c]:
                work[r] = plus(work[r], work[c].translate(PRODUCT[work[r][c]]))
    return [row[size:] for row in work]


def matrix_of(k, n):
    vandermonde = []
    for r in range(n):
        row = [1]
        for _ in range(k - 1):
            row.append(PRODUCT[row[-1]][r])
        vandermonde.append(row)
    return times(vandermonde, inverted(vandermonde[:k]))


def encode(data, n):
    return times(matrix_of(len(data), n)[len(data):], data)


def decode(rows, k, n):
    matrix = matrix_of(k, n)
    back = inverted([matrix[number] for number, _ in rows])
    return times(back, [row for _, row in rows])


def filler(name, length):
    """Bytes that anyone can make again: SHA-256 of the name and a counter."""
    out, i = b"", 0
    while len(out) < length:
        out += hashlib.sha256(f"rs.json {name} {i}".encode()).digest()
        i += 1
    return out[:length]


def rows_of(name, k, length):
    whole = filler(name, k * length)
    return [whole[i * length:(i + 1) * length] for i in range(k)]


cases = []


def hexed(rows):
    return [row.hex() for row in rows]


def encoding(name, data, n):
    parity = encode(data, n)
    cases.append({"id": name, "op": "rs-encode", "in": {"n": n, "data": hexed(data)},
                  "out": {"parity": hexed(parity)}})
    return list(enumerate(data + parity))


def decoding(name, rows, k, n):
    data = decode(rows, k, n)
    cases.append({"id": name, "op": "rs-decode",
                  "in": {"k": k, "n": n, "rows": [[number, row.hex()] for number, row in rows]},
                  "out": {"data": hexed(data)}})


def refused(name, op, given):
    cases.append({"id": "refused: " + name, "op": op, "in": given, "error": "RangeError"})


def main():
    worked = [bytes(range(1, 5)), bytes(range(5, 9)), bytes(range(9, 13))]
    rows = encoding("worked, 3 of 10", worked, 10)
    decoding("worked, from parity alone", [rows[9], rows[3], rows[5]], 3, 10)
    decoding("worked, one row lost", [rows[0], rows[2], rows[4]], 3, 10)
    decoding("worked, all data rows, out of order", [rows[2], rows[0], rows[1]], 3, 10)
    for k, n, length in [(1, 1, 1), (1, 2, 1), (1, 255, 1), (2, 3, 15), (2, 4, 16), (3, 3, 17),
                         (3, 6, 31), (4, 6, 32), (8, 10, 33), (10, 30, 7), (4, 255, 2),
                         (128, 255, 1), (254, 255, 1)]:
        name = f"{k} of {n}, {length} bytes"
        rows = encoding(name, rows_of(name, k, length), n)
        if 1 < k < n <= 30:
            decoding(name + ", last k rows", rows[-k:], k, n)
    every = [bytes([x]) for x in range(256)]
    encoding("each byte value", [b"".join(every), b"".join(reversed(every))], 4)

    two = ["0102", "0304"]
    for name, n, data in [("no data rows", 3, []), ("n below k", 1, two), ("n of 256", 256, two),
                          ("n of 0", 0, two), ("n negative", -1, two), ("n with a fraction", 3.5, two),
                          ("empty rows", 3, ["", ""]), ("rows of different lengths", 3, ["0102", "03"]),
                          ("256 data rows", 256, ["00"] * 256)]:
        refused("encode, " + name, "rs-encode", {"n": n, "data": data})
    for name, rows in [("too few rows", [[0, "0102"]]),
                       ("too many rows", [[0, "0102"], [1, "0304"], [2, "0506"]]),
                       ("a row twice", [[2, "0102"], [2, "0102"]]),
                       ("row number n", [[0, "0102"], [4, "0304"]]),
                       ("row number below 0", [[0, "0102"], [-1, "0304"]]),
                       ("row number with a fraction", [[0, "0102"], [1.5, "0304"]]),
                       ("rows of different lengths", [[0, "0102"], [1, "03"]]),
                       ("empty rows", [[0, ""], [1, ""]])]:
        refused("decode, " + name, "rs-decode", {"k": 2, "n": 4, "rows": rows})

    print(json.dumps({"format": "grid-vectors/1", "suite": 1, "spec": "docs/specs/encoding.md",
                      "cases": cases}, indent=1))


if __name__ == "__main__":
    main()
