"""Key files of docs/specs/key-file.md."""
import base64
import hashlib
import re
import unicodedata

from chacha import encrypted, tag
from notation import Refused, tagged
from vectors import Vectors


def letters(data):
    return base64.b32encode(data).decode().lower().rstrip("=")


def armoured(head, body):
    text = letters(body)
    rows = [text[at:at + 64] for at in range(0, len(text), 64)]
    check = letters(tagged("key-file", f"{head}\n{text}".encode()))[:6]
    return "\n".join([head, *rows, "END " + check]) + "\n"


def derived(passphrase, salt, log_n, r, p):
    secret = unicodedata.normalize("NFC", passphrase).encode()
    made = hashlib.scrypt(secret, salt=salt, n=2**log_n, r=r, p=p, maxmem=2**28, dklen=64)
    return made[:32], made[32:]


def locked(text, passphrase, salt, log_n, r, p, version=1):
    head = f"GRID KEY FILE {version} scrypt {log_n} {r} {p} {letters(salt)}"
    commitment, key = derived(passphrase, salt, log_n, r, p)
    nonce = bytes(12)
    sealed = encrypted(key, nonce, text.encode())
    return armoured(head, commitment + sealed + tag(key, nonce, head.encode(), sealed))


def lock(text, passphrase, salt, cost):
    return locked(text, passphrase, bytes.fromhex(salt), cost["logN"], cost["r"], cost["p"])


def opened(file, passphrase):
    lines = [line.strip() for line in file.split("\n")]
    starts = [i for i, line in enumerate(lines) if line.upper().startswith("GRID KEY FILE ")]
    form = r"GRID KEY FILE (\d{1,9}) (plain|scrypt (\d{1,9}) (\d{1,9}) (\d{1,9}) ([a-z2-7]{26}))"
    first = re.fullmatch(form, lines[starts[0]], re.I) if starts else None
    if first is None:
        raise Refused("E_FILE")
    if first[1] != "1":
        raise Refused("E_VERSION")
    plain = first[2].lower() == "plain"
    if not plain:
        cost = [int(first[i]) for i in (3, 4, 5)]
        if not all(low <= x <= high for x, low, high in zip(cost, (10, 1, 1), (20, 8, 4))):
            raise Refused("E_FILE")
    ends = [i for i, line in enumerate(lines)
            if i > starts[0] and re.fullmatch("END [a-z2-7]{6}", line, re.I)]
    if not ends:
        raise Refused("E_FILE")
    text = "".join("".join(lines[starts[0] + 1:ends[0]]).split()).lower()
    head = first[0][:14].upper() + "1 " + first[0][16:].lower()
    if letters(tagged("key-file", f"{head}\n{text}".encode()))[:6] != lines[ends[0]][4:].lower():
        raise Refused("E_FILE")
    body = base64.b32decode(text.upper() + "=" * (-len(text) % 8))
    if plain:
        return body.decode()
    if len(body) < 48:
        raise Refused("E_FILE")
    salt = base64.b32decode(first[6].upper() + "=" * 6)
    commitment, key = derived(passphrase, salt, *cost)
    if commitment != body[:32]:
        raise Refused("E_PASSPHRASE")
    sealed = body[32:-16]
    if tag(key, bytes(12), head.encode(), sealed) != body[-16:]:
        raise Refused("E_SEAL")
    return encrypted(key, bytes(12), sealed).decode()


def main():
    vectors = Vectors("docs/specs/key-file.md", {
        "keyfile-open": opened, "keyfile-lock": lock,
    })
    salt = hashlib.sha256(b"salt").digest()[:16]
    text = "at disk file:///mnt/a check aaaaaa\nlog backup\n"
    small = {"logN": 10, "r": 1, "p": 1}
    for name, given, passphrase, cost in (
            ("small", text, "correct horse", small),
            ("usual cost", text, "correct horse", {"logN": 17, "r": 8, "p": 1}),
            ("p above 1", text, "correct horse", {"logN": 11, "r": 2, "p": 3}),
            ("empty text", "", "x", small),
            ("a block and a byte", "k" * 65, "x", small),
            ("composed letters", text, "Schlu\u0308ssel \u2713", small)):
        file = vectors.good("lock: " + name, "keyfile-lock", text=given, passphrase=passphrase,
                            salt=salt.hex(), cost=cost)
        vectors.good("open: " + name, "keyfile-open", file=file, passphrase=passphrase)
    file = locked(text, "right", salt, 10, 1, 1)
    vectors.good("open: plain", "keyfile-open", file=armoured("GRID KEY FILE 1 plain", text.encode()),
                 passphrase="")
    vectors.good("open: as pasted", "keyfile-open", passphrase="right",
                 file="Dear Ann,\r\n  " + file.upper().replace("\n", " \r\n") + "Yours\r\n")
    bad = vectors.bad
    bad("E_PASSPHRASE", "wrong passphrase", "keyfile-open", file=file, passphrase="wrong")
    lines = file.split("\n")
    for name, other in (
            ("no end", "\n".join(lines[:-2])),
            ("a letter changed", file.replace(lines[1], lines[1][:-1] + ("b" if lines[1][-1] == "a" else "a"))),
            ("a line missing", file.replace(lines[1] + "\n", "")),
            ("other parameters, same check", file.replace("scrypt 10 1 1", "scrypt 11 1 1")),
            ("no key file", "hello\n"),
            ("nothing", "")):
        bad("E_FILE", name, "keyfile-open", file=other, passphrase="right")
    for log_n, r, p in ((21, 8, 1), (20, 9, 1), (20, 8, 5), (9, 8, 1), (10, 0, 1), (10, 1, 0),
                        (999999999, 8, 1)):
        head = f"GRID KEY FILE 1 scrypt {log_n} {r} {p} {letters(salt)}"
        bad("E_FILE", f"cost {log_n} {r} {p}", "keyfile-open", file=armoured(head, bytes(64)),
            passphrase="right")
    bad("E_FILE", "too short", "keyfile-open", passphrase="right",
        file=armoured(f"GRID KEY FILE 1 scrypt 10 1 1 {letters(salt)}", bytes(47)))
    bad("E_VERSION", "a later version", "keyfile-open", passphrase="right",
        file=locked(text, "right", salt, 10, 1, 1, version=2))
    head = lines[0]
    commitment, key = derived("right", salt, 10, 1, 1)
    sealed = encrypted(key, bytes(12), text.encode())
    mac = tag(key, bytes(12), head.encode(), sealed)
    bad("E_SEAL", "a bit of the text changed", "keyfile-open", passphrase="right",
        file=armoured(head, commitment + bytes([sealed[0] ^ 1]) + sealed[1:] + mac))
    bad("E_SEAL", "a bit of the tag changed", "keyfile-open", passphrase="right",
        file=armoured(head, commitment + sealed + mac[:-1] + bytes([mac[-1] ^ 1])))
    bad("E_PASSPHRASE", "a bit of the commitment changed", "keyfile-open", passphrase="right",
        file=armoured(head, bytes([commitment[0] ^ 1]) + commitment[1:] + sealed + mac))
    bad("E_SEAL", "nothing but a commitment and zeros", "keyfile-open", passphrase="right",
        file=armoured(head, commitment + bytes(16)))
    vectors.print()


if __name__ == "__main__":
    main()
