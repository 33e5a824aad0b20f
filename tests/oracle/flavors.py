"""Which flavors a workload gets (scheduling.md 4.4 to 4.7)."""
import functools

import amounts
import eligibility
import preemption
import requests
from amounts import add, render, render_amount, subtract

# Fine modes of the scan, from worst to best.
NO_FIT, NO_CANDIDATES, PREEMPT, RECLAIM, FIT = range(5)
# Modes of an assignment, from worst to best.
MODE_NO_FIT, MODE_PREEMPT, MODE_DEFERRED_FIT, MODE_FIT = range(4)
COARSE = {NO_FIT: MODE_NO_FIT, NO_CANDIDATES: MODE_PREEMPT, PREEMPT: MODE_PREEMPT, RECLAIM: MODE_PREEMPT, FIT: MODE_FIT}

SEVERITY = ["", "TopologyPlacementFailed", "WaitingForQuota", "ExceedsMaxQuota", "NoMatchingFlavor"]


class PodSetAssignment:
    def __init__(self, index, total):
        self.index, self.name, self.count = index, total.name, total.count
        self.requests = total.requests
        self.flavors = {}  # resource -> (flavor, coarse mode, level)
        self.progress = {}  # resource -> index of the last flavor tried, or -1
        self.reasons = []
        self.failure = ""  # the granular reason when there is no flavor

    def mode(self):
        if not self.reasons:
            return MODE_FIT
        return min((mode for _, mode, _ in self.flavors.values()), default=MODE_NO_FIT)

    def why_not(self):
        """The granular reason, if it does not fit (4.5.6)."""
        return (self.failure or "WaitingForQuota") if self.mode() == MODE_NO_FIT else ""


class Assignment:
    """old_slice: whom the workload replaces (context.Running), or None"""

    def __init__(self, old_slice=None):
        self.pod_sets, self.old_slice = [], old_slice
        self.deferred = False

    def mode(self):
        mode = min((p.mode() for p in self.pod_sets), default=MODE_NO_FIT)
        return MODE_DEFERRED_FIT if self.deferred and mode == MODE_FIT else mode

    def progress(self):
        """(pod set index, resource) -> index of the last flavor tried, or -1"""
        return {(p.index, resource): last for p in self.pod_sets for resource, last in p.progress.items()}

    def by_pod_set(self):
        """(pod set, FR) -> amount"""
        return {
            (pod_set.name, (flavor, resource)): pod_set.requests[resource]
            for pod_set in self.pod_sets
            for resource, (flavor, _, _) in pod_set.flavors.items()
        }

    def usage(self):
        """FR -> amount; of what a replaced slice holds for the same pod sets only the difference."""
        total = requests.summed(self.by_pod_set())
        for (pod_set, fr), amount in (self.old_slice.by_pod_set if self.old_slice else {}).items():
            if fr in total and any(p.name == pod_set for p in self.pod_sets):
                total[fr] = subtract(total[fr], amount)
        return total

    def borrowing(self):
        return max((level for p in self.pod_sets for _, _, level in p.flavors.values()), default=0)

    def contested(self):
        """FRs that need preemption."""
        return {
            (flavor, resource)
            for p in self.pod_sets
            for resource, (flavor, mode, _) in p.flavors.items()
            if mode == MODE_PREEMPT
        }

    def message(self):
        parts = [
            f"couldn't assign flavors to pod set {p.name}: " + ", ".join(sorted(p.reasons, key=str.encode))
            for p in self.pod_sets
            if p.reasons
        ]
        return "; ".join(parts)

    def failure(self):
        return max((p.why_not() for p in self.pod_sets), key=SEVERITY.index, default="")

    def nominated(self):
        """(pod set index, flavor, resource) of every choice."""
        return {
            (pod_set.index, flavor, resource)
            for pod_set in self.pod_sets
            for resource, (flavor, _, _) in pod_set.flavors.items()
        }


class Scan:
    """What came of looking through the flavors of one resource group."""

    def __init__(self):
        self.best, self.mode = None, (NO_FIT, float("inf"))
        self.progress = None  # 4.6
        self.reasons, self.failures = [], []


class Assigner:
    """Assigns flavors to one workload on one snapshot.

    nominated: choices (Assignment.nominated) that the scan is restricted to, or None
    """

    def __init__(self, context, snapshot, entry, nominated=None):
        self.context, self.snapshot, self.entry = context, snapshot, entry
        self.config, self.queue = context.config, entry.queue
        self.nominated = nominated
        self.specs = [
            requests.adjusted(context.world, entry.workload.namespace, p["template"])
            for p in entry.workload.pod_sets
        ]

    def assign(self, totals):
        result = Assignment(self.entry.old_slice)
        for indices in self._groups():
            members = [PodSetAssignment(index, self._with_pods(totals[index])) for index in indices]
            skipped_all = self._assign_group(result, members)
            if skipped_all and not self.config.deviations["uncovered pod sets do not end the assignment"]:
                break
            result.pod_sets += members
            if members[0].mode() == MODE_NO_FIT:
                break
        return result

    def _groups(self):
        """Indices of pod sets that share their flavors, where their first member stands."""
        groups = {}
        for index, pod_set in enumerate(self.entry.workload.pod_sets):
            name = (pod_set.get("topologyRequest") or {}).get("podSetGroupName")
            groups.setdefault(index if name is None else name, []).append(index)
        return groups.values()

    def _with_pods(self, total):
        if not self.queue.covers("pods"):
            return total
        return requests.PodSetTotal(total.name, total.count, {**total.requests, "pods": total.count})

    def _skipped(self, resource, amount):
        return not self.queue.covers(resource) and (amount == 0 or self.config.ignore_undeclared)

    def _assign_group(self, result, members):
        """Fill 'members'. True: they ask for something, but all of it is skipped."""
        usage, total = result.usage(), {}
        for member in members:
            for name, amount in member.requests.items():
                total[name] = add(total.get(name, 0), amount)
        wanted = [name for name in amounts.hash_order(total) if not self._skipped(name, total[name])]
        chosen, reasons, failures = set(), [], []
        for resource in wanted:
            if resource in chosen:
                continue
            if not self.queue.covers(resource):
                self._fail(members, [f"resource {resource} unavailable in ClusterQueue"], "NoMatchingFlavor")
                return False
            scan = self._scan(members, total, resource, usage)
            failures.append(min(scan.failures, key=SEVERITY.index, default=""))
            if scan.best is None:
                self._fail(members, scan.reasons, max(failures, key=SEVERITY.index) or "NoMatchingFlavor")
                return False
            chosen.update(scan.best)
            self._keep(members, scan)
            if scan.mode[0] != FIT:
                reasons += scan.reasons
        for member in members:
            member.reasons, member.failure = reasons, max(failures, key=SEVERITY.index, default="")
        return bool(total) and not wanted

    @staticmethod
    def _keep(members, scan):
        for member in members:
            for resource in scan.best:
                if resource in member.requests:
                    member.flavors[resource] = scan.best[resource]
                    if scan.progress is not None:
                        member.progress[resource] = scan.progress

    @staticmethod
    def _fail(members, reasons, failure):
        for member in members:
            member.flavors, member.progress = {}, {}
            member.reasons, member.failure = reasons, failure

    def _scan(self, members, total, resource, usage):
        group = self.queue.group_of(resource)
        names = [flavor["name"] for flavor in group["flavors"]]
        here = [r for r in amounts.hash_order(total) if r in group["coveredResources"]]
        fungible = self.config.gates["FlavorFungibility"]
        scan = Scan()
        for position in range(self._start(members, resource, len(names)), len(names)):
            flavor = names[position]
            scan.progress = (-1 if flavor == names[-1] else position) if fungible else None
            problem = self._ineligible(members, flavor, resource)
            if problem:
                scan.reasons.append(problem)
                scan.failures.append("NoMatchingFlavor")
                continue
            less = {r: self._held_by_old_slice(members, (flavor, r)) for r in here}
            asked = {r: subtract(total[r], less[r]) for r in here}
            choice, mode = self._try(scan, flavor, here, asked, usage)
            better = self.preferred(mode, scan.mode) if fungible else mode[0] > scan.mode[0]
            if better:
                scan.best, scan.mode = choice, mode
            if not self._try_next(mode) if fungible else mode[0] == FIT:
                scan.best, scan.mode = choice, mode
                break
        return scan

    def _start(self, members, resource, count):
        if not self.config.gates["FlavorFungibility"]:
            return 0
        return self.entry.flavor_start(members[0].index, resource, count)

    def _ineligible(self, members, flavor, resource):
        named = [(member.index, flavor, resource) for member in members]
        if self.nominated is not None and not self.nominated.intersection(named):
            return f"skipping flavor {flavor} as it is not found in the nomination mapping for resource {resource}"
        allowed = self.entry.workload.allowed_flavors
        if self.config.gates["ConcurrentAdmission"] and allowed is not None and flavor not in allowed:
            return f"skipping flavor {flavor} due to WorkloadAllowedResourceFlavorAnnotation annotation"
        problems = (eligibility.problem(self.context.world, flavor, self.specs[member.index]) for member in members)
        problem = next((problem for problem in problems if problem), None)
        return problem or self._other_slice(members[0], flavor, resource)

    def _other_slice(self, member, flavor, resource):
        """A new slice keeps the flavors of the old one (4.11)."""
        covered = self.queue.group_of(resource)["coveredResources"]
        for pod_set, (old, name) in self.entry.old_slice.by_pod_set if self.entry.old_slice else {}:
            if pod_set == member.name and name in covered and old != flavor:
                return f"could not assign {flavor} flavor since the original workload is assigned: {old}"
        return None

    def _held_by_old_slice(self, members, fr):
        old = self.entry.old_slice.by_pod_set if self.entry.old_slice else {}
        return functools.reduce(add, (old.get((member.name, fr), 0) for member in members), 0)

    def _try(self, scan, flavor, resources, total, usage):
        mode, choice, failures = (FIT, 0), {}, []
        for resource in resources:
            fr = (flavor, resource)
            fine, level, why, failure = self._classify(fr, usage.get(fr, 0), total[resource])
            scan.reasons += why
            failures.append(failure)
            if self.preferred(mode, (fine, level)):
                mode = (fine, level)
            choice[resource] = (flavor, COARSE[fine], level)
        if mode[0] == NO_FIT:
            scan.failures.append(max(failures, key=SEVERITY.index))
        return choice, mode

    def _classify(self, fr, assumed, amount):
        """(fine mode, level, reasons, NoFit reason), 4.5.3"""
        (flavor, resource), node, usage = fr, self.queue.node, self.snapshot.usage
        value = add(assumed, amount)
        potential = usage.structure.potential(node, fr)
        if value > potential:
            text = (
                f"insufficient quota for {resource} in flavor {flavor}, previously considered podsets requests"
                f" ({render(resource, assumed)}) + current podset request ({render(resource, amount)})"
                f" > maximum capacity ({render_amount(resource, potential)})"
            )
            return NO_FIT, 0, [text], "ExceedsMaxQuota"
        level, reclaimable = usage.level(node, fr, value)
        available = usage.available(node, fr)
        if value <= available:
            return FIT, level, [], ""
        missing = render_amount(resource, subtract(value, available))
        why = [f"insufficient unused quota for {resource} in flavor {flavor}, {missing} more needed"]
        if self.queue.quotas[fr].nominal >= value or reclaimable or self._may_preempt_to_borrow():
            return (*self._simulate(fr, value), why, "")
        return NO_FIT, level, why, "WaitingForQuota"

    def _may_preempt_to_borrow(self):
        return self.queue.borrow != "Never" or (self.config.fair_sharing and self.queue.reclaim != "Never")

    def _simulate(self, fr, value):
        """Would preemption help for this FR alone (4.5.4)?"""
        targets = preemption.search(self.context, self.snapshot, self.entry, {fr}, {fr: value})
        rest = self.snapshot.copy()
        for target in targets:
            rest.remove(target.workload)
        level = rest.usage.level(self.queue.node, fr, value)[0]
        if not targets:
            return NO_CANDIDATES, level
        own = any(target.workload.queue is self.queue for target in targets)
        return (PREEMPT if own else RECLAIM), level

    def _try_next(self, mode):
        fine, level = mode
        return (
            fine in (NO_FIT, NO_CANDIDATES)
            or (fine in (PREEMPT, RECLAIM) and self.queue.try_next_to_preempt)
            or (level > 0 and self.queue.try_next_to_borrow)
        )

    def preferred(self, a, b):
        """Is a strictly better than b?"""
        if a[0] == NO_FIT:
            return False
        if b[0] == NO_FIT:
            return True
        if (a[0] == NO_CANDIDATES) != (b[0] == NO_CANDIDATES):
            return b[0] == NO_CANDIDATES
        if self.queue.preemption_over_borrowing:
            return (-a[1], a[0]) > (-b[1], b[0])
        return (a[0], -a[1]) > (b[0], -b[1])


def request_vector(assignment, totals):
    """FR -> amount that a preemption search has to make room for (5.2)."""
    wanted = {}
    for assigned in assignment.pod_sets:
        for resource, amount in totals[assigned.index].requests.items():
            if amount and resource in assigned.flavors:
                fr = (assigned.flavors[resource][0], resource)
                old = assignment.old_slice.by_pod_set if assignment.old_slice else {}
                wanted[fr] = add(wanted.get(fr, 0), subtract(amount, old.get((assigned.name, fr), 0)))
    return wanted


def assign_entry(context, snapshot, entry, nominated=None):
    """(assignment, targets) of one head (4.3)."""
    assigner = Assigner(context, snapshot, entry, nominated)

    def attempt(totals):
        assignment = assigner.assign(totals)
        targets = []
        if assignment.mode() == MODE_PREEMPT:
            frs, wanted = assignment.contested(), request_vector(assignment, totals)
            targets = preemption.search(context, snapshot, entry, frs, wanted)
        return assignment, targets

    full = attempt(entry.totals)
    if full[0].mode() == MODE_FIT or full[1]:
        replaced = [preemption.Target(entry.old_slice, "")] if entry.old_slice else []
        return full[0], replaced + full[1]
    return (None if entry.old_slice else _partial(context.config, entry, attempt)) or (full[0], [])


def _partial(config, entry, attempt):
    """The largest counts that work, by binary search (4.7); None when there are none."""
    pod_sets = entry.workload.pod_sets
    deltas = [p["count"] - p.get("minCount", p["count"]) for p in pod_sets]
    whole = sum(deltas)
    if not config.gates["PartialAdmission"] or whole <= 0:
        return None

    @functools.cache
    def works(step):
        totals = [
            total.scaled(p["count"] - delta * step // whole)
            for p, delta, total in zip(pod_sets, deltas, entry.totals)
        ]
        assignment, targets = attempt(totals)
        return (assignment, targets) if assignment.mode() == MODE_FIT or targets else None

    low, high, last = 0, whole + 1, None
    while low < high:
        middle = (low + high) // 2
        answer = works(middle)
        if answer:
            high, last = middle, (middle, answer)
        else:
            low = middle + 1
    return last[1] if last and last[0] == low else None
