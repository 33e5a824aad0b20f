"""One scheduling cycle: nominate, order, process (scheduling.md 4, 6.2)."""

import flavors
import validation
from amounts import add, subtract
from flavors import MODE_DEFERRED_FIT, MODE_FIT, MODE_NO_FIT, MODE_PREEMPT
from queues import Progress
from shares import share

DEFERRED = (
    "Workload has overlapping preemption targets with another workload,"
    " but will fit after these preemptions complete"
)
OVERLAP = "Workload has overlapping preemption targets with another workload"
LOST_RACE = "Workload no longer fits after processing another workload"
GATED = "Workload requires preemption, but it's gated"
NOT_READY = "waiting for all admitted workloads to be in PodsReady condition"


class Outcome:
    """What became of one head."""

    def __init__(self, entry, outcome, why="", reason="", message="", preempts=()):
        self.entry, self.outcome, self.why = entry, outcome, why
        self.reason, self.message, self.preempts = reason, message, list(preempts)
        self.requeued = ""


class Cycle:
    """One cycle over the given heads.

    host: admits, evicts and records (simulation.Simulation)
    """

    def __init__(self, host, snapshot, number):
        self.host, self.context, self.config = host, host.context, host.context.config
        self.snapshot, self.number = snapshot, number
        self.real = snapshot.copy()  # without anybody's plans
        self.preempted = {}

    def run(self, heads):
        entries, rejected = self._nominate(heads)
        for entry in self._ordered(entries):
            yield self._process(entry)
        yield from sorted(rejected, key=lambda outcome: outcome.entry.key)

    # ---- nomination ----

    def _nominate(self, heads):
        entries, rejected = [], []
        for head in heads:
            refusal = self._refusal(head)
            if refusal:
                rejected.append(refusal)
                continue
            self._drop_outdated_progress(head)
            self._assign(head, self.snapshot, None)
            entries.append(head)
        return entries, rejected

    def _refusal(self, head):
        workload, queue = head.workload, head.queue
        if any(state in ("Retry", "Rejected") for state in workload.checks.values()):
            return Outcome(head, "Pending", "", "PendingEvaluation", "The workload has failed admission checks")
        if queue.node not in self.snapshot.usage.structure.in_snapshot:
            return Outcome(head, "Pending", "", "Suspended", f"ClusterQueue {queue.name} is inactive")
        found = validation.problem(self.context.world, queue, workload)
        if found:
            why = "NamespaceMismatch" if found[1] else ""
            return Outcome(head, "Pending", why, "Misconfigured", found[0])
        return None

    def _drop_outdated_progress(self, head):
        generation = self.host.queues[head.queue.name].generation
        if head.progress and head.progress.is_outdated(self.config, generation, self.number, head.equivalence):
            head.progress = None

    def _old_slice(self, entry, snapshot):
        """The workload that this one replaces (4.11)."""
        old = snapshot.holders.get(entry.workload.replaces)
        if not self.config.gates["ElasticJobsViaWorkloadSlices"] or not old:
            return None
        near = old.queue is entry.queue and old.workload.namespace == entry.workload.namespace
        return old if near else None

    def _assign(self, entry, snapshot, nominated):
        entry.old_slice = self._old_slice(entry, snapshot)
        entry.assignment, entry.targets = flavors.assign_entry(self.context, snapshot, entry, nominated)
        generation = self.host.queues[entry.queue.name].generation
        entry.progress = Progress(entry.assignment.progress(), generation, self.number, entry.equivalence)

    # ---- order ----

    def _rank(self, entry):
        preemptor = self.config.gates["PrioritizePreemptorWorkloads"] and self._is_preemptor(entry)
        priority = -entry.priority if self.config.gates["PrioritySortingWithinCohort"] else 0
        time = self.context.queue_time(entry.workload)
        return (not preemptor, entry.assignment.borrowing(), priority, time, entry.workload.uid, entry.key)

    def _is_preemptor(self, entry):
        return self.host.queues[entry.queue.name].preemptor == entry.key

    def _ordered(self, entries):
        rest = sorted(entries, key=self._rank)
        while rest:
            entry = self._tournament_winner(rest) if self.config.fair_sharing else rest[0]
            rest.remove(entry)
            yield entry

    def _tournament_winner(self, rest):
        """The winner of the tree of the entry that would be first without fair sharing."""
        structure = self.snapshot.usage.structure
        root = structure.root(rest[0].queue.node)
        if root[0] == "queue":
            return rest[0]
        entries = {e.queue.node: e for e in rest if structure.root(e.queue.node) == root}
        with_usage = {}
        for entry in entries.values():
            usage = self.snapshot.usage.copy()
            usage.add_all(entry.queue.node, entry.assignment.usage())
            with_usage[entry.key] = usage
        return self._winner_below(root, entries, with_usage)

    def _winner_below(self, cohort, entries, with_usage):
        """The best of a cohort's entries, each standing for the child it comes from."""
        contenders = []
        for child in self.snapshot.usage.structure.children[cohort]:
            entry = entries.get(child) if child[0] == "queue" else self._winner_below(child, entries, with_usage)
            if entry:
                contenders.append((child, entry))
        if not contenders:
            return None
        return min(contenders, key=lambda pair: self._tournament_rank(*pair, with_usage[pair[1].key]))[1]

    def _tournament_rank(self, node, entry, usage):
        gates = self.config.gates
        requested = [fr for fr, amount in entry.assignment.usage().items() if amount > 0]
        borrows = gates["FairSharingPrioritizeNonBorrowing"] and not usage.within_nominal(node, requested)
        return (
            not (gates["PrioritizePreemptorWorkloads"] and self._is_preemptor(entry)),
            borrows,
            share(usage, node),
            -entry.priority if gates["PrioritySortingWithinCohort"] else 0,
            self.context.queue_time(entry.workload),
            entry.workload.uid,
            entry.key,
        )

    # ---- processing ----

    def _process(self, entry):
        fits = self._fits(entry)
        overlap = any(target.workload.key in self.preempted for target in entry.targets)
        if overlap and self.config.gates["RecomputeAssignmentUponPreemptionTargetsOverlap"]:
            self._recompute(entry)
            fits = self._fits(entry)
            overlap = False
        mode, message = entry.assignment.mode(), entry.assignment.message()
        if mode == MODE_NO_FIT:
            return Outcome(entry, "Pending", "NoFit", entry.assignment.failure(), message)
        if mode == MODE_PREEMPT and not entry.targets:
            self._reserve(entry)
            return Outcome(entry, "Pending", "PreemptionNoCandidates", "WaitingForQuota", message)
        if mode == MODE_PREEMPT and self._preemption_is_gated(entry):
            entry.progress = None
            return Outcome(entry, "Pending", "PreemptionGated", "AdmissionGated", GATED)
        if mode == MODE_DEFERRED_FIT:
            entry.progress = None
            self.snapshot.usage.add_all(entry.queue.node, entry.assignment.usage())
            return Outcome(entry, "Skipped", "PendingPreemption", "WaitingForPreemptedWorkloads", DEFERRED)
        if overlap:
            return self._skip(entry, OVERLAP)
        if not fits or (mode == MODE_FIT and not self._fits_beside_victims(entry)):
            return self._skip(entry, LOST_RACE)
        return self._accept(entry, mode, message)

    def _preemption_is_gated(self, entry):
        gates = self.config.gates
        return entry.workload.gated and (gates["MultiKueueOrchestratedPreemption"] or gates["ConcurrentAdmission"])

    def _accept(self, entry, mode, message):
        for target in entry.targets:
            self.preempted[target.workload.key] = target.workload
        self.snapshot.usage.add_all(entry.queue.node, entry.assignment.usage())
        if mode == MODE_PREEMPT:
            return self._preempt(entry, message)
        if self.host.must_wait_for_pods():
            entry.progress = None
            return Outcome(entry, "Pending", "FailedAfterNomination", "WaitingForPodsReady", NOT_READY)
        self.real.usage.add_all(entry.queue.node, entry.assignment.usage())
        return Outcome(entry, self.host.admit(entry))

    def _preempt(self, entry, message):
        entry.progress = None
        victims = [target for target in entry.targets if target.workload is not entry.old_slice]
        for victim in victims:
            self.host.evict(entry, victim)
        message += f". Pending the preemption of {len(victims)} workload(s)"
        preempts = [(victim.workload.key, victim.reason) for victim in victims]
        return Outcome(
            entry, "Preempting", "PendingPreemption", "WaitingForPreemptedWorkloads", message, preempts
        )

    def _skip(self, entry, message):
        if not self.config.gates["FlavorFungibilityPreserveScanProgress"]:
            entry.progress = None
        return Outcome(entry, "Skipped", "FailedAfterNomination", "WaitingForQuota", message)

    def _fits(self, entry):
        """With the victims of the cycle and the own ones out of the way."""
        rest = self.snapshot.copy()
        gone = {**self.preempted, **{t.workload.key: t.workload for t in entry.targets}}
        for workload in gone.values():
            rest.remove(workload)
        return rest.usage.fits(entry.queue.node, entry.assignment.usage())

    def _fits_beside_victims(self, entry):
        if not self.config.deviations["victims keep their quota"]:
            return True  # and so does a replaced slice
        return self.real.usage.fits(entry.queue.node, entry.assignment.usage())

    def _recompute(self, entry):
        nominated = entry.assignment.nominated()
        entry.progress = None
        rest = self.snapshot.copy()
        for workload in self.preempted.values():
            rest.remove(workload)
        self._assign(entry, rest, nominated)
        entry.assignment.deferred = True

    def _reserve(self, entry):
        """Quota that a workload without victims may wait for (4.10)."""
        prioritized = self.config.gates["PrioritizePreemptorWorkloads"] and self._is_preemptor(entry)
        if entry.queue.reclaim == "Any" and not prioritized:
            return
        usage, node = self.snapshot.usage, entry.queue.node
        borrowing = entry.assignment.borrowing() > 0
        for fr, amount in entry.assignment.usage().items():
            quota, used = entry.queue.quotas[fr], usage.usage(node, fr)
            if not borrowing:
                amount = max(0, min(amount, subtract(quota.nominal, used)))
            elif quota.borrowing is not None:
                amount = min(amount, subtract(add(quota.nominal, quota.borrowing), used))
            usage.add(node, fr, amount)
