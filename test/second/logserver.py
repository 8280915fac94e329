"""One server and one log: docs/specs/log.md, "Acceptance"."""
import ed25519
from logbody import Genesis, Rules
from logentry import Header, hold, place_of, quorum, receipt_of
from notation import Refused, tagged

DAY = 86_400_000


class LogServer:
    def __init__(self, genesis, key=None):
        self.genesis = Genesis(genesis)
        self.rules, self.key = Rules(self.genesis), key
        self.chains, self.taken = {}, {}

    def offered(self, header, signature, body, receipts, now):
        """`stored`, `stored late`, `had`, `conflict`, `gap`, or the code it refuses with."""
        try:
            return self.answer(header, signature, body, receipts, now)
        except Refused as refused:
            return str(refused)

    def answer(self, data, signature, body, receipts, now):
        header = Header(data, signature)                                                    # 1
        hold("E_ENTRY", header.log_id == self.genesis.log_id)
        chain = self.chains.get(header.author, [header.log_id])
        place = place_of(chain, header)
        if place == "had":                                                                  # 2
            return "had"
        hold("E_REVOKED", not self.rules.is_revoked(header.author, header.seq))             # 3
        hold("E_CERTIFICATE", self.rules.may_write(header.author, header.kind))
        hold("E_SIGNATURE", header.signed())                                                # 4
        if place in ("conflict", "gap"):                                                    # 5
            return place
        hold("E_LINK", place == "next")
        late = self.is_late(header, receipts)                                               # 6
        if body is None:                                                                    # 7
            hold("E_ENTRY", late and header.kind in ("snapshot", "release"))
        else:
            hold("E_ENTRY", len(body) == header.body_bytes, tagged("log-body", body) == header.body_hash)
        take = (lambda: None) if body is None else self.rules.checked(header.kind, body)    # 8
        if not late and header.author != self.genesis.admin:                                # 9
            hold("E_READ_ONLY", not self.is_replaced())
        if not late:                                                                        # 10
            self.count(header, now)
        take()                                                                              # 11
        self.chains[header.author] = chain + [header.id]
        return "stored late" if late else "stored"

    def is_late(self, header, receipts):
        servers = self.rules.configs[-1][1]
        witnesses = {node for node, received, late, signature in receipts
                     if node in servers and ed25519.strict(
                         node, receipt_of(header.log_id, header.id, received, late, node), signature)}
        return len(witnesses) >= quorum(len(servers))[0] + 1

    def is_replaced(self):
        *earlier, newest = self.rules.configs
        return self.key not in newest[1] and any(self.key in servers for _, servers in earlier)

    def count(self, header, now):
        """certificates.md, "Limits": days are those of the server's clock."""
        limit, entries = self.rules.limits(header.author)
        size, day = len(header.data) + header.body_bytes, now // DAY
        taken = self.taken.setdefault(header.author, [])
        hold("E_RATE", sum(1 for when, _ in taken if when == day) < entries)
        hold("E_RATE", size + sum(length for when, length in taken if day - 29 <= when <= day) <= limit)
        taken.append((day, size))
