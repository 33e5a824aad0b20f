"""What every rule may look at: the world, its configuration, the time; and a workload that holds quota."""
import clock
import requests
from fair_usage import FairUsage
from messages import bypassed

BACKING_OFF = ("PodsReadyTimeout", "AdmissionCheck")
OVERWRITTEN = ("", "Deactivated", "PendingEvaluation", "Suspended", "Pending")


class Running:
    """A workload that holds quota."""

    def __init__(self, workload, queue, usage, priority):
        self.workload, self.queue, self.by_pod_set = workload, queue, usage
        self.usage = requests.summed(usage)
        self.key, self.priority = workload.key, priority

    def evicted(self):
        return self.workload.is_true("Evicted")

    def reserved_at(self, now):
        return self.workload.conditions["QuotaReserved"].time if self.workload.is_true("QuotaReserved") else now


class Context:
    """One per simulation; the time moves, unless it runs a number of cycles ('stands')."""

    def __init__(self, world, config, stands):
        self.world, self.config, self.now, self.stands = world, config, world.now, stands
        self.fair_usage = FairUsage(world, config)

    def queue_time(self, workload):
        """Queue timestamp (3.2)."""
        evicted, preemption = workload.conditions.get("Evicted"), workload.conditions.get("Preempted")
        if workload.is_true("Evicted"):
            if evicted.reason == "PodsReadyTimeout" and self.config.by_eviction_time:
                return evicted.time
            if evicted.reason == "AdmissionCheck":
                return evicted.time
        if not self.config.gates["PrioritySortingWithinCohort"] and workload.is_true("Preempted"):
            if preemption.reason == "InCohortReclaimWhileBorrowing":
                return preemption.time + clock.SECOND // 1000
        return workload.created

    def backoff_is_over(self, workload):
        """3.5, and deviation 7: where time passes its end counts, not the write that follows it."""
        over = workload.requeue_at is None or self.now >= workload.requeue_at
        if not workload.is_false("Requeued"):
            return over
        if self.stands:
            return False
        evicted = workload.conditions.get("Evicted")
        return over and workload.requeue_at is not None and evicted is not None and evicted.reason in BACKING_OFF

    def bypass(self, workload, reason):
        """An equivalent workload has failed: the reconciler's words (3.8), as if it had not looked in between."""
        old = workload.conditions.get("QuotaReserved")
        if old is None or old.reason in OVERWRITTEN or old.message == bypassed():
            if self.config.gates["UnadmittedWorkloadsObservability"]:
                workload.set_condition("QuotaReserved", "False", reason, bypassed(), self.now)
