"""A world that runs: cycles, virtual time and what becomes of workloads (simulate.md)."""
import amounts
import clock
import report
import requests
import validation
from context import BACKING_OFF, Context, Running
from cycle import Cycle
from messages import preempted
from queues import Pending, PendingQueue
from snapshot import Snapshot
from tree import Structure


def admission_of(entry):
    return {
        "clusterQueue": entry.queue.name,
        "podSetAssignments": [
            {
                "name": p.name,
                "flavors": {resource: flavor for resource, (flavor, _, _) in p.flavors.items()},
                "resourceUsage": {r: amounts.render(r, p.requests[r]) for r in p.flavors},
                "count": p.count,
            }
            for p in entry.assignment.pod_sets
        ],
    }


class Simulation:
    """limit: run so many cycles with the clock standing still; None: until nothing can change"""

    def __init__(self, world, config, limit=None):
        self.world, self.config, self.limit = world, config, limit
        self.context = Context(world, config, limit is not None)
        self.active = {name for name, queue in world.queues.items() if world.is_active(queue)}
        self.structure = Structure(world.queues.values(), world.cohorts.values(), self.active)
        self.queues = {name: PendingQueue(self.context, queue) for name, queue in world.queues.items()}
        self.running, self.waiting = {}, {}
        self.ends, self.unparkings, self.backoffs = {}, {}, {}
        self.cycles, self.events, self.evicting, self.starting = [], [], [], []
        self.written = []  # queues whose running workloads come back as updates: out of the usage and in again
        self._load()

    # ---- start ----

    def _load(self):
        for workload in self.world.workloads.values():
            if workload.is_true("Finished"):
                continue
            if workload.is_true("QuotaReserved") and workload.admission and workload.active:
                queue = self.world.queues.get(workload.admission["clusterQueue"])
                if queue:
                    self._hold(workload, queue, requests.reserved_usage(self.config, workload))
                self._plan_end(workload)
                if workload.is_true("Evicted"):
                    self.evicting.append(workload.key)
            else:
                self._wait(workload)

    def _hold(self, workload, queue, usage):
        priority = requests.effective_priority(self.config, workload)
        self.running[workload.key] = Running(workload, queue, usage, priority)
        self._plan_end(workload)

    def _plan_end(self, workload):
        if workload.duration() is not None and workload.is_true("Admitted"):
            self.ends[workload.key] = workload.conditions["Admitted"].time + workload.duration()

    def _queue_of(self, workload):
        """The ClusterQueue a workload waits in, if it may wait at all."""
        local = self.world.local_queues.get((workload.namespace, workload.local_queue))
        queue = self.world.queues.get(local.queue) if local else None
        held = workload.is_false("QuotaReserved") and workload.conditions["QuotaReserved"].reason == "OnHold"
        if not queue or local.stopped or self.gate(workload) or held or not workload.active:
            return None
        if workload.is_true("QuotaReserved") or workload.is_true("WaitingForReplacementPods"):
            return None
        return queue

    def gate(self, workload):
        on = self.config.gates["AdmissionGatedBy"]
        return workload.annotations.get("kueue.x-k8s.io/admission-gated-by", "") if on else ""

    def _wait(self, workload):
        self.waiting[workload.key] = workload
        if workload.requeue_at is not None:
            self.backoffs[workload.key] = workload.requeue_at
        elif self._is_let_go(workload):
            self.backoffs[workload.key] = self.context.now
        self._enqueue(workload)

    def _is_let_go(self, workload):
        """Was it held back by something that is over, apart from requeueAt (3.1)?"""
        if not workload.is_false("Requeued"):
            return False
        reason = workload.conditions["Requeued"].reason
        local = self.world.local_queues.get((workload.namespace, workload.local_queue))
        queue = self.world.queues.get(local.queue) if local else None
        if reason == "LocalQueueStopped":
            return local is not None and not local.stopped
        if reason == "ClusterQueueStopped":
            return queue is not None and queue.stop == "None"
        if reason.startswith("Deactivated"):
            return workload.active
        return reason in BACKING_OFF

    def _enqueue(self, workload):
        queue = self._queue_of(workload)
        if queue:
            totals = requests.pending_view(self.world, self.config, workload)
            equivalence = requests.equivalence(self.world, self.config, workload, totals)
            priority = requests.effective_priority(self.config, workload)
            self.queues[queue.name].push(Pending(workload, queue, priority, totals, equivalence))

    # ---- what the cycle calls ----

    def must_wait_for_pods(self):
        return self.config.block_admission and not all(
            running.workload.is_true("PodsReady") for running in self.running.values()
        )

    def admit(self, entry):
        workload, queue, now = entry.workload, entry.queue, self.context.now
        workload.admission = admission_of(entry)
        workload.set_condition("QuotaReserved", "True", "QuotaReserved", "", now)
        for kind in ("Evicted", "Preempted"):
            if workload.is_true(kind):
                message = "Previously: " + workload.conditions[kind].message
                workload.set_condition(kind, "False", "QuotaReserved", message, now)
        self.waiting.pop(workload.key)
        self.backoffs.pop(workload.key, None)
        self.queues[queue.name].forget(workload.key)
        self._event(workload, "Normal", "QuotaReserved")
        self._hold(workload, queue, entry.assignment.by_pod_set())
        if entry.old_slice:
            self._finish(entry.old_slice.key)
        self.written.append(queue.name)
        if self.context.fair_usage.in_effect(queue):
            self.context.fair_usage.charge(entry)
        needed = queue.checks_of({flavor for flavor, _ in entry.assignment.usage()})
        at_once = needed <= set(workload.checks) and workload.checks_are_ready()
        workload.require(needed)  # what the controller does next; and what it admits then
        if workload.checks_are_ready():
            self._start(workload, queue)
        if at_once:
            self._event(workload, "Normal", "Admitted")
        return "Admitted" if at_once else "Reserved"

    def _start(self, workload, queue):
        workload.set_condition("Admitted", "True", "Admitted", "The workload is admitted", self.context.now)
        self.starting.append(workload)
        self._plan_end(workload)
        if self.context.fair_usage.in_effect(queue):
            usage = self._admitted_usage((workload.namespace, workload.local_queue))
            self.context.fair_usage.settle(workload, usage, self.context.now)

    def _admitted_usage(self, local_queue):
        """Resource -> usage in standard units of the admitted workloads of a LocalQueue."""
        total = {}
        for running in self.running.values():
            own = (running.workload.namespace, running.workload.local_queue)
            if own == local_queue and running.workload.is_true("Admitted"):
                for (_, name), amount in running.usage.items():
                    total[name] = total.get(name, 0) + amounts.Fraction(amount, 1000 if name == "cpu" else 1)
        return total

    def evict(self, entry, target):
        victim = target.workload
        if not victim.evicted():
            message = preempted(self.structure, entry, victim, target.reason)
            for check in victim.workload.checks:
                victim.workload.checks[check] = "Pending"
            victim.workload.set_condition("Preempted", "True", target.reason, message, self.context.now)
            victim.workload.set_condition("Evicted", "True", "Preempted", message, self.context.now)
            self.evicting.append(victim.key)
            self.written.append(victim.queue.name)
            self.ends.pop(victim.key, None)
            self._event(victim.workload, "Normal", "EvictedDueToPreempted")
            self._event(victim.workload, "Normal", "Preempted")
            self._event(entry.workload, "Normal", "PreemptedWorkload")

    def _event(self, workload, kind, reason):
        self.events.append({"object": workload.key, "type": kind, "reason": reason})

    # ---- cycles ----

    def snapshot(self):
        snapshot = Snapshot(self.structure)
        for running in self.running.values():
            snapshot.put(running)
        return snapshot

    def cycle(self):
        """Run one cycle. False: there are no heads."""
        heads = [self.queues[name].pop() for name in sorted(self.active)]
        heads = [head for head in heads if head]
        if not heads:
            return False
        number = len(self.cycles) + 1
        outcomes = []
        for outcome in Cycle(self, self.snapshot(), number).run(heads):
            outcomes.append(outcome)
            if outcome.outcome not in ("Admitted", "Reserved"):
                self._put_back(outcome)
        self.cycles.append({
            "cycle": number,
            "time": clock.render(self.context.now),
            "decisions": [report.decision(outcome, self.config) for outcome in outcomes],
            "events": self.events,
        })
        self.events = []
        for name in self.written:
            self.queues[name].generation += 1
        self.written = []
        return True

    def _put_back(self, outcome):
        entry, reason = outcome.entry, outcome.reason
        if not self.config.gates["UnadmittedWorkloadsObservability"]:
            reason = "Waiting" if reason == "WaitingForPodsReady" else "Pending"
        queue = self.queues[entry.queue.name]
        outcome.requeued = queue.requeue(entry, outcome.why, outcome.reason)
        entry.workload.set_condition("QuotaReserved", "False", reason, outcome.message, self.context.now)
        if not self.config.gates["FlavorFungibilityPreserveScanProgress"]:
            entry.progress = None  # the write above comes back as an update (3.6)
        if outcome.reason != "WaitingForPodsReady":
            self._event(entry.workload, "Warning", reason)

    # ---- virtual time ----

    def release_victims(self):
        """Pods follow: those of new workloads are ready; victims stop, their quota is free, and they queue again.

        True: there were victims.
        """
        for workload in self.starting:
            workload.set_condition("PodsReady", "True", "Started", "", self.context.now)
        self.starting = []
        for key in self.evicting:
            workload, running = self.world.workloads[key], self.running.pop(key, None)
            self.ends.pop(key, None)
            if running:
                self._quota_came_free(running)
            evicted = workload.conditions["Evicted"]
            reason = "PendingEvaluation" if self.config.gates["UnadmittedWorkloadsObservability"] else "Pending"
            workload.set_condition("QuotaReserved", "False", reason, evicted.message, self.context.now)
            workload.conditions.pop("Admitted", None)
            workload.admission = None
            again = "True" if evicted.reason in ("Preempted", "NodeFailures") else "False"
            workload.set_condition("Requeued", again, evicted.reason, evicted.message, self.context.now)
            local = self.world.local_queues.get((workload.namespace, workload.local_queue))
            queue = self.world.queues.get(local.queue) if local else None
            workload.require(queue.checks_for_all() if queue else set())
            self._wait(workload)
        released, self.evicting = bool(self.evicting), []
        return released

    def _finish(self, key):
        self.ends.pop(key, None)
        self.evicting = [other for other in self.evicting if other != key]
        if key in self.running:
            self._quota_came_free(self.running.pop(key))

    def _quota_came_free(self, running):
        self.queues[running.queue.name].generation += 1
        if running.queue.node in self.structure.cyclic:
            return
        root = self.structure.root(running.queue.node)
        self.unparkings.setdefault(root, self.context.now + clock.SECOND)

    def _next_event(self):
        return min([*self.ends.values(), *self.unparkings.values(), *self.backoffs.values()], default=None)

    def advance(self):
        """Jump to the next event. False: there is none."""
        time = self._next_event()
        if time is None:
            return False
        self.context.now = max(time, self.context.now)
        self._let_things_happen()
        return True

    def _let_things_happen(self):
        """Everything that is due."""
        self._end_workloads()
        self._sample()
        self._unpark()
        self._end_backoffs()

    def _sample(self):
        if self.config.admission_fair_sharing:
            self.context.fair_usage.sample(self._admitted_usage, self.context.now)

    def _end_workloads(self):
        for key in sorted(self.ends):
            if self.ends[key] <= self.context.now:
                self._finish(key)

    def _unpark(self):
        for root, time in list(self.unparkings.items()):
            if time <= self.context.now:
                del self.unparkings[root]
                for node in self.structure.tree_queues(root):
                    self.queues[node[1]].unpark(lambda w, q=self.world.queues[node[1]]: self._matches(w, q))

    def _matches(self, workload, queue):
        return validation.selector_matches(queue.selector, self.world.namespace_labels(workload.namespace))

    def _end_backoffs(self):
        for key in sorted(self.backoffs):
            if self.backoffs[key] <= self.context.now:
                del self.backoffs[key]
                workload = self.waiting[key]
                workload.requeue_at = None
                if self._is_let_go(workload):
                    workload.set_condition("Requeued", "True", "BackoffFinished", "", self.context.now)
                for queue in self.queues.values():
                    if key in queue.parked:
                        queue.push(queue.parked[key])

    def run(self, enough_cycles=300):
        """False: there is no end to it."""
        if self.limit is not None:
            while len(self.cycles) < self.limit and self.cycle():
                pass
            return True
        self._sample()
        self._let_things_happen()
        seen, repeats = set(), 0
        enough = max((len(group["flavors"]) for q in self.world.queues.values() for group in q.groups), default=1)
        while len(self.cycles) < enough_cycles:
            if repeats < enough and self.cycle():
                decisions = self.cycles[-1]["decisions"]
                repeats = repeats + 1 if repr(decisions) in seen else 0
                seen.add(repr(decisions))
                released = self.release_victims()
                if not released and not any(d["outcome"] in ("Admitted", "Reserved", "Preempting") for d in decisions):
                    continue
            elif self.evicting:
                self.release_victims()
            elif not self.advance():
                return True
            seen, repeats = set(), 0
        return False
