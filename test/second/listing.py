"""Directories read from above: docs/specs/directory.md, "Reading".

`fetch(object, offset, length)` gives so many bytes of an object, [root, k, n, …], or refuses.
"""
import dirnode


class Directory:
    def __init__(self, fetch, own, offset, length, key):
        self.fetch, self.top = fetch, (own, offset, length, key)

    def topmost(self):
        own, offset, length, key = self.top
        return own, dirnode.opened(self.fetch(own, offset, length), key, offset)

    def below(self, own, node, i, after):
        """The node below row i; `after` is the nearest name before that row's first."""
        depth, table, objects, children = node
        last, child, key = table[i]
        number, offset, length, _ = children[child]
        place = own if number == 0 else objects[number - 1]
        after = table[i - 1][0] if i > 0 else after
        data = self.fetch(place, offset, length)
        return place, dirnode.opened_below(data, key, depth, last, after, offset), after

    def entries(self, behind=None):
        """Entries by name, those above `behind` only, each with objects and children of its node and the node's own object."""
        own, node = self.topmost()
        waiting = [(own, node, 0, None)]
        while waiting:
            own, node, i, after = waiting.pop()
            depth, table, objects, children = node
            while i < len(table) and behind is not None and table[i][0] <= behind:
                i += 1
            if depth == 0:
                yield from ((row, objects, children, own) for row in table[i:])
            elif i < len(table):
                waiting.append((own, node, i + 1, after))
                place, child, child_after = self.below(own, node, i, after)
                waiting.append((place, child, 0, child_after))

    def find(self, name):
        """As `entries` gives it, or None."""
        own, node = self.topmost()
        after = None
        while True:
            depth, table, objects, children = node
            i = next((i for i, row in enumerate(table) if row[0] >= name), None)
            if i is None:
                return None
            if depth == 0:
                return (table[i], objects, children, own) if table[i][0] == name else None
            own, node, after = self.below(own, node, i, after)
