"""Dominant resource shares, as exact fractions (scheduling.md 5.6)."""
import functools
from fractions import Fraction

from amounts import add, subtract


@functools.total_ordering
class Share:
    """A weighted share. One with weight 0 is greater than every finite one."""

    def __init__(self, ratio, weight):
        self.infinite = ratio > 0 and weight == 0
        self.value = ratio / weight if ratio and weight else ratio

    def _key(self):
        return self.infinite, self.value

    def __eq__(self, other):
        return self._key() == other._key()

    def __lt__(self, other):
        return self._key() < other._key()


def share(usage, node):
    structure = usage.structure
    parent = structure.parents[node]
    borrowed = {}
    for fr in structure.table(node) if parent else ():
        over = subtract(usage.usage(node, fr), structure.subtree(node, fr))
        if over > 0:
            borrowed[fr[1]] = add(borrowed.get(fr[1], 0), over)
    ratio = Fraction(0)
    for resource, amount in borrowed.items():
        lendable = 0
        for fr in structure.table(structure.root(node)):
            if fr[1] == resource:
                lendable = add(lendable, structure.potential(parent, fr))
        if lendable > 0:
            ratio = max(ratio, Fraction(amount * 1000, lendable))
    return Share(ratio, structure.weights[node])
