"""Admission fair sharing: what LocalQueues have consumed lately (scheduling.md 6.3 to 6.6)."""
from fractions import Fraction

import clock


def _times(resources, factor):
    """A resource list times a double: exact product of the shortest decimal form, cut to 9 decimals."""
    exact = Fraction(repr(factor))
    return {name: Fraction(int(value * exact * 10**9), 10**9) for name, value in resources.items()}


def _plus(a, b):
    return {name: a.get(name, 0) + b.get(name, 0) for name in {**a, **b}}


class Ledger:
    """History and pending penalties of one LocalQueue."""

    def __init__(self, consumed, updated):
        self.consumed, self.updated = consumed, updated
        self.penalties = {}

    def total(self):
        total = self.consumed
        for penalty in self.penalties.values():
            total = _plus(total, penalty)
        return total


class FairUsage:
    def __init__(self, world, config):
        self.world, self.config = world, config
        self.ledgers = {
            key: Ledger(queue.consumed, world.now if queue.consumed_at is None else queue.consumed_at)
            for key, queue in world.local_queues.items()
        }

    def in_effect(self, queue):
        return self.config.admission_fair_sharing and queue.usage_based

    def _ledger(self, workload):
        return self.ledgers.setdefault((workload.namespace, workload.local_queue), Ledger({}, self.world.now))

    def of_local_queue(self, workload):
        """(is it infinite, value): comparable."""
        local_queue = self.world.local_queues.get((workload.namespace, workload.local_queue))
        weight = local_queue.weight if local_queue else 1
        if weight <= 0:
            return (True, 0)
        total = self._ledger(workload).total()
        weighted = sum(self.config.resource_weights.get(name, 1) * value for name, value in total.items())
        return (False, weighted / weight)

    def alpha(self, nanoseconds):
        half = self.config.half_life / clock.SECOND
        return 1 - 0.5 ** ((nanoseconds / clock.SECOND) / half) if half else 0.0

    def _standard(self, totals, covered):
        """Requests in standard units, summed over pod sets."""
        summed = {}
        for total in totals:
            for name, amount in total.requests.items():
                if covered(name):
                    value = Fraction(amount, 1000) if name == "cpu" else Fraction(amount)
                    summed[name] = summed.get(name, 0) + value
        return summed

    def charge(self, pending):
        """The workload was assumed: an entry penalty."""
        covered = pending.queue.covers if self.config.ignore_undeclared else lambda name: True
        total = self._standard(pending.totals, covered)
        penalty = _times(total, self.alpha(self.config.sampling))
        self._ledger(pending.workload).penalties[pending.key] = penalty

    def sample(self, admitted_of, now):
        """The periodic look at every LocalQueue of a queue in effect; 'admitted_of': usage by LocalQueue."""
        for key, ledger in self.ledgers.items():
            local_queue = self.world.local_queues.get(key)
            queue = self.world.queues.get(local_queue.queue) if local_queue else None
            admitted = admitted_of(key)
            worth = ledger.consumed or admitted
            if queue and self.in_effect(queue) and worth and ledger.updated + self.config.sampling <= now:
                ledger.consumed = self._decayed(ledger, admitted, now)
                ledger.updated = now

    def settle(self, workload, admitted, now):
        """The workload is admitted: its penalty becomes history. 'admitted': usage of the LocalQueue's workloads."""
        ledger = self._ledger(workload)
        penalty = ledger.penalties.pop(workload.key, {})
        ledger.consumed = _plus(self._decayed(ledger, admitted, now), penalty)
        ledger.updated = now

    def _decayed(self, ledger, admitted, now):
        if not self.config.half_life:
            return {}
        elapsed = max(0, now - ledger.updated)
        alpha = self.alpha(elapsed)
        return _plus(_times(ledger.consumed, 1 - alpha), _times(admitted, alpha))
