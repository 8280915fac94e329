"""Capability strings, written from docs/specs/caps.md alone, and the vectors they give.

    python3 test/second/caps.py > test/vectors/caps.json

The vectors are frozen: a change of what this prints is a change of the format.
"""
import hashlib
import json

from notation import b32, expand, tagged

KEY, OPTIONAL, U8, U64, REST = "key", "optional", "u8", "u64", "rest"
# type: code, then fields in order
TYPES = {
    "CHK": (1, [("readKey", KEY), ("root", KEY), ("k", U8), ("n", U8), ("sizeBytes", U64)]),
    "CHK-Slice": (2, [("readKey", KEY), ("root", KEY), ("k", U8), ("n", U8), ("sizeBytes", U64),
                      ("offsetBytes", U64), ("codec", U8), ("storedBytes", U64)]),
    "CHK-Verifier": (3, [("verifyKey", OPTIONAL), ("root", KEY), ("k", U8), ("n", U8),
                         ("offsetBytes", U64)]),
    "LIT": (4, [("data", REST)]),
    "DIR-CHK": (5, [("readKey", KEY), ("root", KEY), ("k", U8), ("n", U8), ("sliceBytes", U64),
                    ("offsetBytes", U64)]),
    "DIR-CHK-Verifier": (6, [("verifyKey", KEY), ("root", KEY), ("k", U8), ("n", U8),
                             ("offsetBytes", U64)]),
    "LOG-Admin": (7, [("adminSeed", KEY), ("logId", KEY)]),
    "LOG-Read": (8, [("readSeed", KEY), ("logId", KEY)]),
    "LOG-Verify": (9, [("verifySeed", KEY), ("logId", KEY)]),
    "LOG-Append": (10, [("deviceSeed", KEY), ("convergenceSecret", OPTIONAL), ("logId", KEY)]),
    "LOG-Prune": (11, [("pruneSeed", KEY), ("verifySeed", KEY), ("logId", KEY)]),
}


def with_check(body):
    return body + ":" + b32(tagged("cap", body.encode()))[:6]


def text(kind, values):
    forms = []
    for name, field in TYPES[kind][1]:
        value = values[name]
        forms.append(str(value) if field in (U8, U64) else b32(value or b""))
    return with_check(":".join(["URI", kind, *forms]))


def word(kind, payload):
    name = "g" + kind.lower().replace("-", "") + "1"
    return name + b32(payload + tagged("cap", payload)[:4])


def compact(kind, values):
    payload = bytes([TYPES[kind][0]])
    for name, field in TYPES[kind][1]:
        value = values[name]
        if field in (U8, U64):
            value = value.to_bytes(1 if field == U8 else 8, "big")
        payload += value if value is not None else bytes(32)
    return word(kind, payload)


def key(name):
    return hashlib.sha256(b"caps.json " + name.encode()).digest()


def plain(kind, values):
    return {"type": kind, **{n: v.hex() if isinstance(v, bytes) else v for n, v in values.items()}}


cases = []


def good(name, kind, given=None, **values):
    whole, one = text(kind, values), compact(kind, values)
    cases.append({"id": name, "op": "cap-parse", "in": {"text": given(whole) if given else whole},
                  "out": {"cap": plain(kind, values), "text": whole, "compact": one}})
    return whole


def bad(name, given, error):
    cases.append({"id": name, "op": "cap-parse", "in": {"text": given}, "error": error})


def weaker(name, given, to, out=None, error=None):
    case = {"id": name, "op": "cap-attenuate", "in": {"text": given, "to": to}}
    cases.append({**case, **({"out": {"text": out}} if out else {"error": error})})


def worked():
    """The worked example: S = 00..1f, 2,000 bytes i mod 256, 3-of-10 (root from encoding.md)."""
    read = bytes.fromhex("30a9ea166be6b4a6f9bdf6b381b0a2302e2c807f82224fc2db918b78a1171057")
    root = bytes.fromhex("40fe4870291843e163764c92135342a36ae52749e821fd33289abb92a7045ce6")
    return {"readKey": read, "root": root, "k": 3, "n": 10, "sizeBytes": 2000}


def main():
    chk = worked()
    place = {"root": key("root"), "k": 3, "n": 10}
    read, verify = key("read"), expand(key("read"), "verifykey")
    log_read = expand(key("admin"), "log/read")
    log_verify = expand(log_read, "log/verify")
    top = 2**53 - 1

    chk_text = good("chk", "CHK", **chk)
    good("chk, smallest", "CHK", **{**chk, "k": 1, "n": 1, "sizeBytes": 0})
    good("chk, largest", "CHK", **{**chk, "k": 255, "n": 255, "sizeBytes": top})
    good("chk in upper case", "CHK", str.upper, **chk)
    good("chk broken over lines", "CHK", lambda t: " " + t[:40] + "\r\n\t" + t[40:] + "\n", **chk)
    piece = {"readKey": read, **place, "sizeBytes": 900, "offsetBytes": 4096}
    slice_text = good("slice, stored", "CHK-Slice", **piece, codec=0, storedBytes=900)
    good("slice, compressed", "CHK-Slice", **piece, codec=1, storedBytes=411)
    edge = {**piece, "offsetBytes": 2**24 - 32, "sizeBytes": 0}
    good("slice at the very end", "CHK-Slice", **edge, codec=0, storedBytes=0)
    ver_text = good("verifier", "CHK-Verifier",
                    verifyKey=expand(chk["readKey"], "verifykey"),
                    **{n: chk[n] for n in ("root", "k", "n")}, offsetBytes=0)
    good("verifier of a slice", "CHK-Verifier", verifyKey=verify, **place, offsetBytes=4096)
    alone_text = good("verifier of one object", "CHK-Verifier", verifyKey=None, **place,
                      offsetBytes=0)
    lit_text = good("literal", "LIT", data=b"hello, world\n")
    good("literal, empty", "LIT", data=b"")
    good("literal of 16 bytes, 26 letters", "LIT", data=bytes(range(16)))
    good("literal, longest", "LIT", data=bytes(range(64)))
    dir_text = good("directory", "DIR-CHK", readKey=read, **place, sliceBytes=1234,
                    offsetBytes=77)
    dirv_text = good("directory verifier", "DIR-CHK-Verifier", verifyKey=verify, **place,
                     offsetBytes=77)
    log = {"logId": key("log")}
    admin_text = good("log admin", "LOG-Admin", adminSeed=key("admin"), **log)
    lread_text = good("log read", "LOG-Read", readSeed=log_read, **log)
    lver_text = good("log verify", "LOG-Verify", verifySeed=log_verify, **log)
    append_text = good("log append", "LOG-Append", deviceSeed=key("device"),
                       convergenceSecret=key("secret"), **log)
    good("log append without secret", "LOG-Append", deviceSeed=key("device"),
         convergenceSecret=None, **log)
    prune_text = good("log prune", "LOG-Prune", pruneSeed=key("prune"), verifySeed=log_verify, **log)

    weaker("chk to its verifier", chk_text, None, ver_text)
    weaker("slice to its verifier", slice_text, "CHK-Verifier",
           text("CHK-Verifier", {"verifyKey": verify, **place, "offsetBytes": 4096}))
    weaker("directory to its verifier", dir_text, None, dirv_text)
    weaker("admin to read", admin_text, None, lread_text)
    weaker("admin to verify, two steps", admin_text, "LOG-Verify", lver_text)
    weaker("read to verify", lread_text, None, lver_text)
    weaker("prune to verify", prune_text, None, lver_text)
    weaker("a cap to its own type", alone_text, "CHK-Verifier", alone_text)
    for name, given, to in [
        ("verifier to chk", ver_text, "CHK"), ("verifier further", ver_text, None),
        ("chk to directory verifier", chk_text, "DIR-CHK-Verifier"),
        ("literal", lit_text, None), ("literal to a verifier", lit_text, "CHK-Verifier"),
        ("append to verify", append_text, "LOG-Verify"), ("append further", append_text, None),
        ("admin to append, which takes a certificate", admin_text, "LOG-Append"),
        ("prune to read", prune_text, "LOG-Read"), ("read to admin", lread_text, "LOG-Admin"),
    ]:
        weaker("refused: " + name, given, to, error="E_CAP_WEAK")

    body = chk_text.rsplit(":", 1)[0].split(":")

    def with_field(i, form):
        return with_check(":".join(body[:i] + [form] + body[i + 1:]))

    for name, given in [("nothing", ""), ("white space", " \n"), ("no prefix", chk_text[4:]),
                        ("another scheme", "http://example.org/"), ("a letter beyond ASCII", chk_text + "é"),
                        ("a Kelvin sign for k", with_field(4, "3").replace("CHK", "CH\u212a", 1)),
                        ("a NUL", chk_text + "\0"), ("more than 4,096 characters", chk_text + " " * 4096),
                        ("compact that is not base32", "gchk1" + "0" * 60)]:
        bad("syntax: " + name, given, "E_CAP_SYNTAX")
    for name, given in [("unknown", with_check("URI:BLOB:" + ":".join(body[2:]))), ("none", "URI:"),
                        ("the object prototype", with_check("URI:constructor:a")),
                        ("__proto__", with_check("URI:__proto__:a")),
                        ("compact, unknown", "gblob1" + compact("CHK", chk)[5:])]:
        bad("type: " + name, given, "E_CAP_TYPE")
    for name, given in [("one letter changed", chk_text.replace("gcu6", "gcu7", 1)),
                        ("two letters swapped", chk_text.replace("gcu6", "gc6u", 1)),
                        ("a digit changed", chk_text.replace(":2000:", ":2001:")),
                        ("the last letter lost", chk_text[:-1]), ("one letter more", chk_text + "a"),
                        ("no check", ":".join(body)), ("an empty check", ":".join(body) + ":"),
                        ("type alone", "URI:CHK"),
                        ("the check of the verifier", ":".join(body) + ":" + ver_text[-6:]),
                        ("compact with a letter changed", compact("CHK", chk).replace("1ae", "1aq", 1)),
                        ("compact of another type", "glit1" + compact("CHK", chk)[5:]),
                        ("compact, empty", "gchk1")]:
        bad("check: " + name, given, "E_CAP_CHECK")
    for name, i, form in [
        ("k of 0", 4, "0"), ("k above n", 4, "11"), ("k with a leading zero", 4, "03"),
        ("k with a sign", 4, "+3"), ("k in hex", 4, "0x3"), ("k empty", 4, ""), ("n of 256", 5, "256"),
        ("n of 0", 5, "0"), ("a negative size", 6, "-1"), ("a size of 2^53", 6, str(2**53)),
        ("a size of 10^16", 6, "1" + "0" * 16), ("a size of 2^64", 6, str(2**64)),
        ("a size with a fraction", 6, "2000.0"), ("a size with an exponent", 6, "2e3"),
        ("an empty key", 2, ""), ("a key of 31 bytes", 2, b32(bytes(31))),
        ("a key of 33 bytes", 2, b32(bytes(33))), ("a key with pad bits", 2, body[2][:-1] + "r"),
        ("a key with padding", 2, body[2] + "===="), ("a key with a 1", 2, "1" + body[2][1:]),
        ("a root of one letter", 3, "a"),
    ]:
        bad("field: " + name, with_field(i, form), "E_CAP_FIELD")
    bad("field: one too few", with_check(":".join(body[:-1])), "E_CAP_FIELD")
    bad("field: one too many", with_check(":".join(body + ["0"])), "E_CAP_FIELD")
    bad("field: none", with_check("URI:CHK"), "E_CAP_FIELD")
    for name, kind, values in [
        ("a literal of 65 bytes", "LIT", {"data": bytes(65)}),
        ("a zero verify key", "CHK-Verifier", {"verifyKey": bytes(32), **place, "offsetBytes": 0}),
        ("an offset without verify key", "CHK-Verifier", {"verifyKey": None, **place, "offsetBytes": 1}),
        ("an empty verify key of a directory", "DIR-CHK-Verifier",
         {"verifyKey": b"", **place, "offsetBytes": 0}),
        ("a zero convergence secret", "LOG-Append",
         {"deviceSeed": key("device"), "convergenceSecret": bytes(32), **log}),
        ("codec 2", "CHK-Slice", {**piece, "codec": 2, "storedBytes": 900}),
        ("stored, of another length", "CHK-Slice", {**piece, "codec": 0, "storedBytes": 901}),
        ("a slice past the end", "CHK-Slice",
         {**piece, "offsetBytes": 2**24 - 32, "codec": 1, "storedBytes": 1}),
        ("an offset past the end", "CHK-Slice",
         {**piece, "offsetBytes": 2**24 - 31, "codec": 1, "storedBytes": 1}),
        ("a directory slice of 63 bytes", "DIR-CHK",
         {"readKey": read, **place, "sliceBytes": 63, "offsetBytes": 0}),
        ("a directory slice past the end", "DIR-CHK",
         {"readKey": read, **place, "sliceBytes": 2**24, "offsetBytes": 1}),
    ]:
        bad("field: " + name, text(kind, values), "E_CAP_FIELD")
    for name, kind, payload in [
        ("compact with k of 0", "CHK", compact_payload(chk, k=0)),
        ("compact with a size of 2^53", "CHK", compact_payload(chk, size=2**53)),
        ("compact, a byte short", "CHK", compact_payload(chk)[:-1]),
        ("compact, a byte too long", "CHK", compact_payload(chk) + b"\0"),
        ("compact literal of 65 bytes", "LIT", b"\x04" + bytes(65)),
        ("compact with a zero key where none may lack", "LOG-Admin", b"\x07" + bytes(63)),
    ]:
        bad("field: " + name, word(kind, payload), "E_CAP_FIELD")
    for name, given in [
        ("CHK", "URI:CHK:gcu6uftl422kn6n562zydmfcga:" + body[3] + ":3:10:2000"),
        ("CHK-Verifier", "URI:CHK-Verifier:gcu6uftl422kn6n562zydmfcga:" + body[3] + ":3:10:2000"),
        ("DIR2", "URI:DIR2:gcu6uftl422kn6n562zydmfcga:" + body[3]),
        ("SSK-RO", "uri:ssk-ro:gcu6uftl422kn6n562zydmfcga:" + body[3]),
    ]:
        bad("Tahoe-LAFS: " + name, given, "E_CAP_TAHOE")

    print(json.dumps({"format": "grid-vectors/1", "suite": 1, "spec": "docs/specs/caps.md",
                      "cases": cases}, indent=1, ensure_ascii=True))


def compact_payload(chk, k=3, size=2000):
    return b"\x01" + chk["readKey"] + chk["root"] + bytes([k, 10]) + size.to_bytes(8, "big")


if __name__ == "__main__":
    main()
