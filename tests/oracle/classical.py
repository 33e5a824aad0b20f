"""The classical preemption search (scheduling.md 5.4)."""
import preemption
from amounts import add, subtract

NO_BORROW, BORROW_OK, HIERARCHICAL, OWN = range(4)
REASONS = {
    NO_BORROW: "InCohortReclamation",
    BORROW_OK: "InCohortReclaimWhileBorrowing",
    HIERARCHICAL: "InCohortReclamation",
    OWN: "InClusterQueue",
}


class Candidate:
    def __init__(self, running, variant, common):
        self.running, self.variant, self.common = running, variant, common


def _subtree_fits(usage, node, wanted):
    """(does the subtree have room, what is left to find above it)"""
    room = all(usage.structure.subtree(node, fr) >= add(usage.usage(node, fr), v) for fr, v in wanted.items())
    return room, {fr: max(0, subtract(v, usage.local_free(node, fr))) for fr, v in wanted.items()}


def _variant(search, running, hierarchical):
    queue = search.queue
    if hierarchical:
        return HIERARCHICAL
    if queue.borrow == "Never" or running.priority >= search.preemptor.priority:
        return NO_BORROW
    return NO_BORROW if queue.threshold is not None and running.priority > queue.threshold else BORROW_OK


def _queues_below(search, cohort, without):
    """ClusterQueues below a cohort that borrow, not looking into 'without' and satisfied cohorts."""
    usage = search.base.usage
    for child in usage.structure.children[cohort]:
        if child == without or child not in usage.structure.in_snapshot or usage.within_nominal(child, search.frs):
            continue
        if child[0] == "cohort":
            yield from _queues_below(search, child, None)
        elif child != search.queue.node:
            yield search.context.world.queues[child[1]]


def _collect(search):
    """(hierarchy list, priority list) of candidates of other queues"""
    hierarchy, priority = [], []
    usage, queue = search.base.usage, search.queue
    if queue.reclaim == "Never":
        return hierarchy, priority
    advantage, rest = _subtree_fits(usage, queue.node, search.wanted)
    previous = None
    for cohort in usage.structure.path(queue.node):
        for other in _queues_below(search, cohort, previous):
            for running in search.allowed(other, queue.reclaim):
                variant = _variant(search, running, advantage)
                (hierarchy if advantage else priority).append(Candidate(running, variant, cohort))
        room, rest = _subtree_fits(usage, cohort, rest)
        advantage, previous = advantage or room, cohort
    return hierarchy, priority


def _in_order(search, candidates):
    of = {candidate.running.key: candidate for candidate in candidates}
    return [of[running.key] for running in search.sorted([c.running for c in candidates])]


def _sequence(search, hierarchy, priority):
    own = [Candidate(running, OWN, None) for running in search.own_candidates()]
    lists = [_in_order(search, members) for members in (hierarchy, priority, own)]
    return [c for members in lists for c in members if c.running.evicted()] + [
        c for members in lists for c in members if not c.running.evicted()
    ]


def _attempts(search, hierarchy, priority):
    forbidden = search.queue.borrow == "Never"
    usage, node = search.base.usage, search.queue.node
    under = all(usage.structure.subtree(node, fr) > usage.usage(node, fr) for fr in search.frs)
    if (not hierarchy and not priority) or (forbidden and not under):
        return [True]
    return [False, True] if forbidden and not hierarchy else [True, False]


def _is_out(search, candidate, borrowing):
    """Is a candidate of another queue passed over at this point?"""
    usage = search.snapshot.usage
    if borrowing and candidate.variant == NO_BORROW:
        return True
    node = candidate.running.queue.node
    while node != candidate.common:
        if usage.within_nominal(node, search.frs):
            return True
        node = usage.structure.parents[node]
    return False


def _attempt(search, sequence, borrowing):
    search.snapshot = search.base.copy()
    victims = []
    for candidate in sequence:
        if candidate.variant != OWN and _is_out(search, candidate, borrowing):
            continue
        search.snapshot.remove(candidate.running)
        victims.append(preemption.Target(candidate.running, REASONS[candidate.variant]))
        if search.request_fits(borrowing):
            return search.fill_back(victims, lambda: search.request_fits(borrowing))
    return []


def find(search):
    hierarchy, priority = _collect(search)
    sequence = _sequence(search, hierarchy, priority)
    for borrowing in _attempts(search, hierarchy, priority):
        victims = _attempt(search, sequence, borrowing)
        if victims:
            return victims
    return []
