"""The preemption search under fair sharing (scheduling.md 5.5)."""
import preemption
from shares import share

ALMOST = {
    "LessThanOrEqualToFinalShare": lambda new, old, final: new <= final,
    "LessThanInitialShare": lambda new, old, final: new < old,
}


class Ordering:
    """Which ClusterQueue is to give next (5.5.1). One per strategy run."""

    def __init__(self, search, candidates):
        self.search, self.pruned = search, set()
        self.lists = {}
        for candidate in candidates:
            self.lists.setdefault(candidate.queue.node, []).append(candidate)

    def take(self, node):
        return self.lists[node].pop(0)

    def next(self):
        """The node of the next queue, or None."""
        structure = self.search.snapshot.usage.structure
        root = structure.root(self.search.queue.node)
        if root[0] == "queue":
            return root if self.lists.get(root) else None
        while root not in self.pruned:
            found = self._next_below(root)
            if found:
                return found
        return None

    def _next_below(self, cohort):
        queue, cohorts = None, []
        usage = self.search.snapshot.usage
        for child in usage.structure.children[cohort]:
            if child in self.pruned or child not in usage.structure.in_snapshot:
                continue
            if self._is_done(child):
                self.pruned.add(child)
            elif child[0] == "cohort":
                cohorts.append(child)
            elif queue is None or self._goes_before(child, queue):
                queue = child
        if queue is None and not cohorts:
            self.pruned.add(cohort)
            return None
        best = min(cohorts, key=lambda c: c[1], default=None)
        for child in cohorts:
            if share(usage, child) > share(usage, best):
                best = child
        if best and (queue is None or share(usage, best) >= share(usage, queue)):
            return self._next_below(best)
        return queue

    def _is_done(self, child):
        usage = self.search.snapshot.usage
        own = child == self.search.queue.node or child in usage.structure.path(self.search.queue.node)
        if not own and not usage.borrows(child):
            return True
        return child[0] == "queue" and not self.lists.get(child)

    def _goes_before(self, a, b):
        left, right = (share(self.search.snapshot.usage, node) for node in (a, b))
        return left > right or (left == right and self.search.before(self.lists[a][0], self.lists[b][0]))


def _almost(structure, node, other):
    """The node's ancestor, or itself, right below the lowest cohort that it shares with 'other'."""
    common = [c for c in structure.path(node) if c in structure.path(other)][0]
    line = [node] + structure.path(node)
    return line[line.index(common) - 1]


class Run:
    """The state of one search: the request counts as used, victims are out."""

    def __init__(self, search):
        self.search, self.victims = search, []
        self.node = search.queue.node
        self.usage = search.snapshot.usage
        self.usage.add_all(self.node, search.wanted)

    def fits(self):
        self.usage.subtract_all(self.node, self.search.wanted)
        answer = self.search.request_fits(True)
        self.usage.add_all(self.node, self.search.wanted)
        return answer

    def take(self, candidate, reason):
        """Is it enough now?"""
        self.search.snapshot.remove(candidate)
        self.victims.append(preemption.Target(candidate, reason))
        return self.fits()

    def shares(self, target):
        structure = self.usage.structure
        return (
            share(self.usage, _almost(structure, self.node, target)),
            share(self.usage, _almost(structure, target, self.node)),
        )

    def share_without(self, target, candidate):
        self.search.snapshot.remove(candidate)
        final = share(self.usage, _almost(self.usage.structure, target, self.node))
        self.search.snapshot.put(candidate)
        return final

    def first_strategy(self, passes, candidates, retry):
        ordering = Ordering(self.search, candidates)
        within = self.search.context.config.gates["FairSharingPreemptWithinNominal"] and self.usage.within_nominal(
            self.node, self.search.frs
        )
        while target := ordering.next():
            if target == self.node or within:
                reason = "InClusterQueue" if target == self.node else "InCohortReclamation"
                if self.take(ordering.take(target), reason):
                    return True
                continue
            new, old = self.shares(target)
            if new.infinite and not old.infinite:
                retry += ordering.lists.pop(target)
                continue
            while ordering.lists[target]:
                candidate = ordering.take(target)
                if not passes(new, old, self.share_without(target, candidate)):
                    retry.append(candidate)
                    continue
                if self.take(candidate, "InCohortFairSharing"):
                    return True
                break
        return False

    def second_strategy(self, retry):
        ordering = Ordering(self.search, retry)
        while target := ordering.next():
            candidate = ordering.take(target)
            new, old = self.shares(target)
            if new < old and self.take(candidate, "InCohortFairSharing"):
                return True
            ordering.pruned.add(target)
        return False


def _candidates(search):
    queue, usage = search.queue, search.base.usage
    found = search.own_candidates()
    for node in usage.structure.tree_queues(queue.node):
        if node == queue.node or node not in usage.structure.in_snapshot:
            continue
        if not usage.within_nominal(node, search.frs):
            found += search.allowed(search.context.world.queues[node[1]], queue.reclaim)
    return search.sorted(found)


def find(search):
    candidates = _candidates(search)
    if not candidates:
        return []
    run, retry = Run(search), []
    strategies = search.context.config.strategies or list(ALMOST)
    done = run.first_strategy(ALMOST[strategies[0]], candidates, retry)
    if not done and len(strategies) == 2:
        done = run.second_strategy(retry)
    return search.fill_back(run.victims, run.fits) if done else []
