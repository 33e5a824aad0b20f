"""The quota tree: who may use how much (scheduling.md 2). Usage changes, the structure does not.

A node is ("queue", name) or ("cohort", name); an FR is (flavor, resource).
"""
from amounts import add, subtract


class Quota:
    """What one node has of one FR; an absent limit is None."""

    def __init__(self, nominal=0, borrowing=None, lending=None):
        self.nominal, self.borrowing, self.lending = nominal, borrowing, lending


NOTHING = Quota()


class Structure:
    """Nodes, parents and quotas, and what follows from them alone."""

    def __init__(self, queues, cohorts, active):
        self.quotas, self.parents, self.weights = {}, {}, {}
        for cohort in cohorts:
            self._enter(("cohort", cohort.name), cohort.parent, cohort)
        for queue in queues:
            self._enter(("queue", queue.name), queue.cohort, queue)
        self.children = {node: [] for node in self.quotas}
        for node, parent in self.parents.items():
            if parent:
                self.children[parent].append(node)
        self.cyclic = {node for node in self.quotas if self._revisits(node)}
        self.in_snapshot = {
            node for node in self.quotas
            if node not in self.cyclic and (node[0] == "cohort" or node[1] in active)
        }
        self._subtree = {}

    def _enter(self, node, parent, config):
        self.quotas[node] = config.quotas
        self.weights[node] = config.weight
        self.parents[node] = ("cohort", parent) if parent else None
        if parent and ("cohort", parent) not in self.quotas:
            self.quotas[("cohort", parent)] = {}
            self.weights[("cohort", parent)] = 1
            self.parents[("cohort", parent)] = None

    def _revisits(self, node):
        seen = set()
        while node:
            if node in seen:
                return True
            seen.add(node)
            node = self.parents[node]
        return False

    def quota(self, node, fr):
        return self.quotas[node].get(fr, NOTHING)

    def path(self, node):
        """The ancestors, from the parent to the root."""
        found = []
        while self.parents[node] and self.parents[node] not in found:
            node = self.parents[node]
            found.append(node)
        return found

    def root(self, node):
        return ([node] + self.path(node))[-1]

    def below(self, node):
        """The node and all nodes below it; of a cycle only the node."""
        if node in self.cyclic:
            return [node]
        return [node] + [deeper for child in self.children[node] for deeper in self.below(child)]

    def tree_queues(self, node):
        return [n for n in self.below(self.root(node)) if n[0] == "queue"]

    def table(self, node):
        """The FRs that the node or anything below it has a quota for."""
        return {fr for deeper in self.below(node) for fr in self.quotas[deeper]}

    def subtree(self, node, fr):
        if (node, fr) not in self._subtree:
            total = self.quota(node, fr).nominal
            for child in self.children[node] if node not in self.cyclic else ():
                total = add(total, subtract(self.subtree(child, fr), self.local(child, fr)))
            self._subtree[(node, fr)] = total
        return self._subtree[(node, fr)]

    def local(self, node, fr):
        """What the node keeps for itself."""
        lending = self.quota(node, fr).lending
        return 0 if lending is None else max(0, subtract(self.subtree(node, fr), lending))

    def potential(self, node, fr):
        """Capacity when nothing is used."""
        if not self.parents[node]:
            return self.subtree(node, fr)
        amount = add(self.local(node, fr), self.potential(self.parents[node], fr))
        borrowing = self.quota(node, fr).borrowing
        if borrowing is not None:
            amount = min(amount, add(self.subtree(node, fr), borrowing))
        return amount

    def height(self, cohort):
        children = [child for child in self.children[cohort] if child in self.in_snapshot]
        heights = [1 + self.height(child) for child in children if child[0] == "cohort"]
        return max([1] + heights) if children else 0


class Usage:
    """A structure with what is used of it."""

    def __init__(self, structure):
        self.structure = structure
        self.used = {node: {} for node in structure.quotas}

    def copy(self):
        other = Usage(self.structure)
        other.used = {node: dict(table) for node, table in self.used.items()}
        return other

    def usage(self, node, fr):
        return self.used[node].get(fr, 0)

    def local_free(self, node, fr):
        return max(0, subtract(self.structure.local(node, fr), self.usage(node, fr)))

    def add(self, node, fr, amount):
        free = self.local_free(node, fr)
        self.used[node][fr] = add(self.usage(node, fr), amount)
        parent = self.structure.parents[node]
        if parent and amount > free and node not in self.structure.cyclic:
            self.add(parent, fr, subtract(amount, free))

    def subtract(self, node, fr, amount):
        over = subtract(self.usage(node, fr), self.structure.local(node, fr))
        self.used[node][fr] = subtract(self.usage(node, fr), amount)
        parent = self.structure.parents[node]
        if parent and over > 0 and node not in self.structure.cyclic:
            self.subtract(parent, fr, min(amount, over))

    def add_all(self, node, amounts):
        for fr, amount in amounts.items():
            self.add(node, fr, amount)

    def subtract_all(self, node, amounts):
        for fr, amount in amounts.items():
            self.subtract(node, fr, amount)

    def available_or_less(self, node, fr):
        """May be negative."""
        parent = self.structure.parents[node]
        if not parent:
            return subtract(self.structure.subtree(node, fr), self.usage(node, fr))
        from_parent = self.available_or_less(parent, fr)
        borrowing = self.structure.quota(node, fr).borrowing
        if borrowing is not None:
            local = self.structure.local(node, fr)
            stored = subtract(self.structure.subtree(node, fr), local)
            used = max(0, subtract(self.usage(node, fr), local))
            from_parent = min(from_parent, add(subtract(stored, used), borrowing))
        return add(self.local_free(node, fr), from_parent)

    def available(self, node, fr):
        return max(0, self.available_or_less(node, fr))

    def borrowing_with(self, node, fr, amount):
        return self.structure.subtree(node, fr) < add(self.usage(node, fr), amount)

    def within_nominal(self, node, frs):
        return all(self.structure.subtree(node, fr) >= self.usage(node, fr) for fr in frs)

    def borrows(self, node):
        return any(self.usage(node, fr) > self.structure.subtree(node, fr) for fr in self.structure.table(node))

    def level(self, queue, fr, amount):
        """(height of the smallest subtree that fits, is it smaller than the whole tree)"""
        has_parent = self.structure.parents[queue] is not None
        if not has_parent or not self.borrowing_with(queue, fr, amount):
            return 0, has_parent
        rest = subtract(amount, self.local_free(queue, fr))
        cohort = None
        for cohort in self.structure.path(queue):
            if not self.borrowing_with(cohort, fr, rest):
                return self.structure.height(cohort), self.structure.parents[cohort] is not None
            rest = subtract(rest, self.local_free(cohort, fr))
        return self.structure.height(cohort), False

    def fits(self, queue, amounts):
        return all(self.available(queue, fr) >= amount for fr, amount in amounts.items())
