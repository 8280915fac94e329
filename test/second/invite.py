"""Invitation links and comparison words, written from docs/specs/invite.md, and the vectors they give.

    python3 test/second/invite.py > test/vectors/invite.json
"""
import base64
import hashlib
import json
import re
from pathlib import Path

import ed25519
from announcement import peer_id


def tagged(tag, *parts):
    t = hashlib.sha256(b"grid/v1/" + tag).digest()
    return hashlib.sha256(t + t + b"".join(parts)).digest()


def base32(data):
    return base64.b32encode(data).decode().rstrip("=").lower()


def place(address):
    _, kind, host, _, port = address.split("/")
    return f"{host}/{port}" if kind == "ip4" else f"{kind}/{host.replace(':', '-')}/{port}"


def link(ticket, inviter, addresses):
    body = ":".join(["grid-invite", "1", ",".join(map(place, addresses)), inviter, base32(ticket)])
    return body + ":" + base32(tagged(b"invite-link", body.encode()))[:6]


# the list is part of the spec, as a file
LIST = Path(__file__).resolve().parent.parent.parent / "src" / "members" / "word-list.ts"
WORDS = re.search(r"`(.*?)`", LIST.read_text(), re.S).group(1).split()


def words(ticket, inviter, joiner):
    digest = tagged(b"invite-words", tagged(b"invite-ticket", ticket), inviter.encode(), joiner.encode())
    return " ".join(WORDS[byte] for byte in digest[:4])


def main():
    a, b = (peer_id(ed25519.sign(bytes([i]) * 32, b"")[0]) for i in (7, 8))
    ticket, cases = bytes(range(16)), []
    for name, addresses in [
        ("one address", ["/ip4/192.0.2.1/tcp/7780"]),
        ("three addresses of three kinds", ["/ip4/192.0.2.1/tcp/7780", "/ip6/2001:db8::1/tcp/7780",
                                            "/dns4/grid.example/tcp/1"]),
        ("a name of any kind", ["/dns/a-b.example/tcp/65535"]),
    ]:
        given = {"ticket": ticket.hex(), "inviter": a, "addresses": addresses}
        cases.append({"id": name, "op": "invite-link", "in": given, "out": link(ticket, a, addresses)})
    for name, given in [("words", (ticket, a, b)), ("words the other way round", (ticket, b, a)),
                        ("words of another ticket", (bytes(16), a, b))]:
        cases.append({"id": name, "op": "invite-words",
                      "in": {"ticket": given[0].hex(), "inviter": given[1], "joiner": given[2]}, "out": words(*given)})
    print(json.dumps({"format": "grid-vectors/1", "suite": 1, "spec": "docs/specs/invite.md", "cases": cases}, indent=1))


if __name__ == "__main__":
    main()
