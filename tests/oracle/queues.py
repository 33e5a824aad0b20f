"""Pending workloads of one ClusterQueue: heap, parking, the sticky head (scheduling.md 3)."""


class Progress:
    """Which flavors the last scan looked at (4.6)."""

    def __init__(self, values, generation, cycle, equivalence):
        self.values, self.generation, self.cycle, self.equivalence = values, generation, cycle, equivalence

    def is_outdated(self, config, generation, cycle, equivalence):
        if config.gates["FlavorFungibilityPreserveScanProgress"]:
            if None not in (self.equivalence, equivalence) and self.equivalence != equivalence:
                return True
            if self.cycle >= cycle - 1:
                return False
        return generation > self.generation


class Pending:
    """A workload that waits in a ClusterQueue; with its assignment it is an entry of a cycle."""

    def __init__(self, workload, queue, priority, totals, equivalence):
        self.workload, self.queue, self.key = workload, queue, workload.key
        self.priority, self.totals, self.equivalence = priority, totals, equivalence
        self.progress = None
        self.assignment, self.targets, self.old_slice = None, [], None

    def flavor_start(self, index, resource, count):
        last = self.progress.values.get((index, resource), -1) if self.progress else -1
        return last + 1 if last + 1 < count else 0

    def has_untried_flavors(self):
        return self.progress is not None and any(value != -1 for value in self.progress.values.values())


class PendingQueue:
    def __init__(self, context, queue):
        self.context, self.queue = context, queue
        self.heap, self.parked = {}, {}
        self.sticky = None
        self.preemptor = None
        self.marks = {}
        self.generation = 0
        self.pops, self.unparked_at = 0, -1

    def _order(self, pending):
        usage = ()
        if self.context.fair_usage.in_effect(self.queue):
            usage = self.context.fair_usage.of_local_queue(pending.workload)
        workload = pending.workload
        return (
            usage, pending.key != self.sticky, -pending.priority,
            self.context.queue_time(workload), workload.uid, workload.key,
        )

    def in_order(self):
        return sorted(self.heap.values(), key=self._order)

    def push(self, pending):
        """A workload arrives, or its backoff is over."""
        if pending.key in self.heap:
            return
        self.parked.pop(pending.key, None)
        if not self.context.backoff_is_over(pending.workload):
            self.parked[pending.key] = pending
        elif not self.queue.strict and pending.equivalence in self.marks:
            self.parked[pending.key] = pending
            self.context.bypass(pending.workload, self.marks[pending.equivalence])
        else:
            self.heap[pending.key] = pending

    def pop(self):
        self.pops += 1
        ordered = self.in_order()
        return self.heap.pop(ordered[0].key) if ordered else None

    def remember_preemptor(self, pending):
        self.preemptor = pending.key
        self.sticky = None if self.queue.strict else pending.key

    def forget(self, key):
        """The workload has left the queue."""
        if key == self.preemptor:
            self.preemptor = self.sticky = None

    def requeue(self, pending, why, reason):
        """Back after a cycle (3.4). 'why' is the requeue reason. Answers where it went."""
        if why in ("PendingPreemption", "PendingMigration"):
            self.remember_preemptor(pending)
        if self.queue.strict:
            immediate = why != "NamespaceMismatch"
        else:
            immediate = why in ("FailedAfterNomination", "PendingPreemption", "PendingMigration", "PreemptionFailed")
        immediate = immediate or self.unparked_at >= self.pops or pending.has_untried_flavors()
        if not self.context.backoff_is_over(pending.workload):
            self.parked[pending.key] = pending
            return "Backoff"
        if immediate:
            self.heap[pending.key] = pending
            return "Heap"
        self.parked[pending.key] = pending
        if why in ("NoFit", "PreemptionNoCandidates") and not self.queue.strict and pending.equivalence is not None:
            self._park_equals(pending, reason)
        return "Parked"

    def _park_equals(self, pending, reason):
        self.marks[pending.equivalence] = reason or "PendingEvaluation"
        for other in list(self.heap.values()):
            if other.equivalence == pending.equivalence:
                self.parked[other.key] = self.heap.pop(other.key)
                self.context.bypass(other.workload, self.marks[pending.equivalence])

    def unpark(self, matches):
        """An event may have made room (3.10). Did anything move?"""
        self.unparked_at = self.pops
        self.marks.clear()
        moved = [
            p for p in self.parked.values() if matches(p.workload) and self.context.backoff_is_over(p.workload)
        ]
        for pending in moved:
            self.heap[pending.key] = self.parked.pop(pending.key)
        return bool(moved)
