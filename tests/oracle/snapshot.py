"""What one cycle decides on: usage, and the workloads that hold it (scheduling.md 0, 4.1)."""
from tree import Usage


class Snapshot:
    """A copy that may be changed. 'holders' are the workloads that can be taken out."""

    def __init__(self, structure):
        self.usage = Usage(structure)
        self.holders = {}  # key -> Running

    def copy(self):
        other = Snapshot(self.usage.structure)
        other.usage, other.holders = self.usage.copy(), dict(self.holders)
        return other

    def put(self, running):
        self.holders[running.key] = running
        self.usage.add_all(running.queue.node, running.usage)

    def remove(self, running):
        del self.holders[running.key]
        self.usage.subtract_all(running.queue.node, running.usage)

    def candidates(self, queue, frs):
        """Workloads of an active ClusterQueue that use any of the FRs, whatever the amount."""
        return [r for r in self.holders.values() if r.queue is queue and any(fr in r.usage for fr in frs)]
