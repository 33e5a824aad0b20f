"""Who has to go: policies, candidate order, fill back, and the choice of the search (scheduling.md 5)."""
import functools

import classical
import fair


class Target:
    def __init__(self, workload, reason):
        self.workload, self.reason = workload, reason


def satisfies(context, preemptor, candidate, policy):
    """Does a policy allow this victim (5.1)?"""
    if policy == "Any":
        return True
    if policy == "Never":
        return False
    if preemptor.priority != candidate.priority:
        return preemptor.priority > candidate.priority
    if policy != "LowerOrNewerEqualPriority":
        return False
    return context.queue_time(preemptor.workload) < context.queue_time(candidate.workload)


class Search:
    """One search for victims on a copy of a snapshot.

    preemptor: the entry; frs: the contested FRs; wanted: FR -> amount
    """

    def __init__(self, context, snapshot, preemptor, frs, wanted):
        self.context, self.preemptor, self.frs, self.wanted = context, preemptor, frs, wanted
        self.queue = preemptor.queue
        self.base = snapshot
        self.snapshot = snapshot.copy()

    def own_candidates(self):
        return self.allowed(self.queue, self.queue.within)

    def allowed(self, queue, policy):
        found = [c for c in self.base.candidates(queue, self.frs) if c is not self.preemptor.old_slice]
        return [c for c in found if satisfies(self.context, self.preemptor, c, policy)]

    def request_fits(self, borrowing):
        node, usage = self.queue.node, self.snapshot.usage
        return all(
            (borrowing or not usage.borrowing_with(node, fr, amount)) and amount <= usage.available(node, fr)
            for fr, amount in self.wanted.items()
        )

    def fill_back(self, victims, fits):
        """Let those stay who need not go (5.4.3)."""
        for index in range(len(victims) - 2, -1, -1):
            self.snapshot.put(victims[index].workload)
            if fits():
                victims[index] = victims[-1]
                victims.pop()
            else:
                self.snapshot.remove(victims[index].workload)
        return victims

    def _key(self, candidate):
        reserved = candidate.reserved_at(self.context.now)
        own = candidate.queue is self.queue
        return (not candidate.evicted(), own, candidate.priority, -reserved, candidate.workload.uid)

    def before(self, a, b):
        """The order without rule 3, between queues."""
        return self._key(a) < self._key(b)

    def sorted(self, candidates):
        """Candidate order (5.3); with admission fair sharing each queue's own list is merged by its first members."""
        lists = {}
        for candidate in candidates:
            lists.setdefault(candidate.queue.name, []).append(candidate)
        for members in lists.values():
            members.sort(key=functools.cmp_to_key(self._compare))
        merged = []
        while any(lists.values()):
            first = min((members for members in lists.values() if members), key=lambda members: self._key(members[0]))
            merged.append(first.pop(0))
        return merged

    def _compare(self, a, b):
        if self.context.fair_usage.in_effect(a.queue) and a.evicted() == b.evicted():
            left, right = (self.context.fair_usage.of_local_queue(c.workload) for c in (a, b))
            if left != right:
                return -1 if left > right else 1
        return -1 if self._key(a) < self._key(b) else 1


def search(context, snapshot, preemptor, frs, wanted):
    """The targets, in the order in which they are evicted; empty when there is no way."""
    if context.config.fair_sharing:
        return fair.find(Search(context, snapshot, preemptor, frs, wanted))
    return classical.find(Search(context, snapshot, preemptor, frs, wanted))
