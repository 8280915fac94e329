"""What the makers of vectors share: cases that this implementation has answered itself."""
import hashlib
import json

from notation import Refused


def shown(data):
    """Bytes as a vector gives them: hex, or length and hash where there are many."""
    if len(data) <= 256:
        return data.hex()
    return {"length": len(data), "sha256": hashlib.sha256(data).hexdigest()}


class Vectors:
    def __init__(self, spec, ops):
        self.spec, self.ops, self.cases = spec, ops, []

    def good(self, name, op, /, **given):
        out = self.ops[op](**given)
        self.cases.append({"id": name, "op": op, "in": given, "out": out})
        return out

    def bad(self, error, name, op, /, **given):
        """A case that must be refused with this code, and is."""
        try:
            self.ops[op](**given)
        except Refused as refused:
            assert str(refused) == error, f"{name}: {refused}, not {error}"
        else:
            raise AssertionError(name + ": not refused")
        self.cases.append({"id": name, "op": op, "in": given, "error": error})

    def print(self):
        names = [case["id"] for case in self.cases]
        assert len(set(names)) == len(names), sorted(names)
        print(json.dumps({"format": "grid-vectors/1", "suite": 1, "spec": self.spec,
                          "cases": self.cases}, indent=1))
