"""Genesis, certificates and the public bodies: docs/specs/log.md, "Genesis" and "Bodies", certificates.md."""
import unicodedata

import ed25519
from logentry import TOP, array, decoded, hold, of_this_version
from node import within
from notation import tagged

LONGEST_GENESIS, LONGEST_CERTIFICATE, SERVERS, WIDE = 8192, 1024, 32, 1216
APPEND, PUT, RELEASE, RENEW, GRANT = 1, 2, 4, 8, 16


def config_of(code, value):
    """(epoch, servers)"""
    epoch, servers = array(code, value, int, list)
    hold(code, within(epoch, 0, TOP), 1 <= len(servers) <= SERVERS)
    hold(code, all(isinstance(key, bytes) and len(key) == 32 for key in servers), servers == sorted(set(servers)))
    return epoch, servers


class Genesis:
    def __init__(self, data, log_id=None):
        code = "E_GENESIS"
        self.log_id = tagged("log-genesis", data)
        hold(code, log_id in (None, self.log_id))
        value = decoded(code, data, LONGEST_GENESIS)
        of_this_version(code, value, 7)
        _, _, self.admin, self.reader, self.verifier, parameters, self.created = array(
            code, value, int, int, 32, WIDE, WIDE, list, int)
        self.profile, self.convergence_epoch, config = array(code, parameters, int, int, list)
        self.config = config_of(code, config)
        hold(code, self.profile in (0, 1), within(self.convergence_epoch, 0, TOP), self.config[0] == 0)
        hold(code, within(self.created, 0, TOP))


class Certificate:
    def __init__(self, data, log_id, admin):
        code = "E_CERTIFICATE"
        hold(code, 64 < len(data) <= LONGEST_CERTIFICATE)
        statement = data[64:]
        version, self.log_id, self.subject, self.rights, limits, self.label, self.serial = array(
            code, decoded(code, statement, LONGEST_CERTIFICATE), int, 32, 32, int, list, str, int)
        self.bytes_in_30_days, self.entries_a_day = array(code, limits, int, int)
        hold(code, version == 1, self.log_id == log_id, within(self.rights, 1, 31), within(self.serial, 1, TOP))
        hold(code, within(self.bytes_in_30_days, 0, TOP), within(self.entries_a_day, 0, TOP))
        hold(code, len(self.label) <= 64,
             all(unicodedata.category(letter) not in ("Cc", "Cf", "Zl", "Zp") for letter in self.label))
        hold(code, ed25519.strict(admin, b"grid/v1/cert" + statement, data[:64]))


def body_of(kind, data, longest=2**20):
    """What a revocation, config, release or checkpoint says."""
    return {"revocation": revocation, "config": config, "release": release, "checkpoint": checkpoint}[kind](
        decoded("E_ENTRY", data, longest))


def revocation(value):
    """(author, last good seq, last good id)"""
    version, *rest = array("E_ENTRY", value, int, 32, int, 32)
    hold("E_ENTRY", version == 1, within(rest[1], 0, TOP))
    return rest


def config(value):
    version, inner = array("E_ENTRY", value, int, list)
    hold("E_ENTRY", version == 1)
    return config_of("E_ENTRY", inner)


def release(value):
    """(log id, server or empty, release seq, cutoff, storage indexes)"""
    version, *rest = array("E_ENTRY", value, int, 32, bytes, int, int, list)
    _, server, seq, cutoff, indexes = rest
    hold("E_ENTRY", version == 1, len(server) in (0, 32), within(seq, 1, TOP), within(cutoff, 0, TOP))
    hold("E_ENTRY", len(indexes) <= 45000, all(isinstance(index, bytes) and len(index) == 20 for index in indexes))
    return rest


def checkpoint(value):
    """(heads, tests)"""
    version, heads, tests = array("E_ENTRY", value, int, list, list)
    hold("E_ENTRY", version == 1, len(heads) <= 512, len(tests) <= 64)
    authors = [array("E_ENTRY", head, 32, int, 32)[0] for head in heads]
    hold("E_ENTRY", authors == sorted(set(authors)), all(within(seq, 1, TOP) for _, seq, _ in heads))
    for test in tests:
        hold("E_ENTRY", within(array("E_ENTRY", test, 32, int)[1], 0, TOP))
    return heads, tests


class Rules:
    """What the admin chain says so far: certificates.md, "Certificate" and "Revocation"."""

    def __init__(self, genesis):
        self.genesis, self.configs = genesis, [genesis.config]
        self.certificates, self.revoked, self.serial = {}, {}, 0

    def may_write(self, author, kind):
        if author == self.genesis.admin:
            return kind != "snapshot"
        found = self.certificates.get(author)
        right = {"snapshot": APPEND, "release": RELEASE}.get(kind, 0)
        return found is not None and bool(found.rights & right)

    def limits(self, author):
        """Bytes in 30 days, entries a day."""
        if author == self.genesis.admin:
            return 2**30, 1000
        found = self.certificates[author]
        return found.bytes_in_30_days, found.entries_a_day

    def is_revoked(self, author, seq):
        return author in self.revoked and seq > self.revoked[author][0]

    def checked(self, kind, data):
        """What to do once an entry with this body has been taken."""
        if kind == "certificate":
            return self.certifying(Certificate(data, self.genesis.log_id, self.genesis.admin))
        if kind == "snapshot":
            return lambda: None
        body = body_of(kind, data)
        if kind == "revocation":
            author, seq, last = body
            hold("E_ENTRY", author != self.genesis.admin)
            return lambda: self.revoke(author, seq, last)
        if kind == "config":
            hold("E_ENTRY", body[0] == self.configs[-1][0] + 1)
            return lambda: self.configs.append(body)
        if kind == "release":
            hold("E_ENTRY", body[0] == self.genesis.log_id)
        return lambda: None

    def certifying(self, certificate):
        subject = certificate.subject
        old = self.certificates.get(subject)
        hold("E_CERTIFICATE", certificate.serial > self.serial, subject != self.genesis.admin,
             subject not in self.revoked, old is None or not old.rights & ~certificate.rights,
             old is not None or len(self.certificates) < 1023)

        def take():
            self.serial = certificate.serial
            self.certificates[subject] = certificate

        return take

    def revoke(self, author, seq, last):
        if author not in self.revoked or seq < self.revoked[author][0]:
            self.revoked[author] = (seq, last)
