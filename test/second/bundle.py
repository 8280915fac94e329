"""Where slices and streams go: docs/specs/directory.md, "Placement", encoding.md, "Bundles"."""
import seal
import share
from dirnode import Parts, Place

LONGEST, FROM, MEAN = 8 * 2**20, 2**20, 3 * 2**20


class Objects:
    """Encodes objects, k-of-n, and keeps their ciphertexts by root."""

    def __init__(self, k, n):
        self.k, self.n, self.held = k, n, {}

    def add(self, secret, content):
        ciphertext = seal.padded(secret, content)
        root = share.encode(ciphertext, self.k, self.n)[0]
        self.held[root] = ciphertext
        return [root, self.k, self.n, len(ciphertext)]


class Alone:
    """Each node an object of its own."""

    def __init__(self, objects):
        self.objects, self.slices = objects, []

    def put(self, secret, depth, rows):
        """[place, offset, slice length, K] of the node."""
        key, _, data = Parts(depth, rows).sealed(secret)
        self.slices.append(data)
        return [Place(self.objects.add(secret, data)), 0, len(data), key]

    def finish(self, secret):
        pass


class Bundles:
    """Nodes one after another."""

    def __init__(self, objects):
        self.objects, self.slices = objects, []
        self.place, self.content = Place(), b""

    def put(self, secret, depth, rows):
        key, u, data = Parts(depth, rows, self.place).sealed(secret)
        if self.content and len(self.content) + len(data) > LONGEST:
            self.finish(secret)
            key, u, data = Parts(depth, rows, self.place).sealed(secret)
        self.slices.append(data)
        found = [self.place, len(self.content), len(data), key]
        self.content += data
        if len(self.content) >= FROM and u * MEAN < len(data) * 2**32:
            self.finish(secret)
        return found

    def finish(self, secret):
        """Ends the bundle that is being filled, if there is anything in it."""
        if self.content:
            self.place.object = self.objects.add(secret, self.content)
            self.place, self.content = Place(), b""
