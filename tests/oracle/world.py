"""Manifests as objects: queues, cohorts, flavors, workloads (simulate.md, Input)."""
import amounts
import clock
from tree import Quota


def weight_of(spec):
    return amounts.parse((spec.get("fairSharing") or {}).get("weight", 1))


def quotas_of(groups):
    table = {}
    for group in groups:
        for flavor in group["flavors"]:
            for resource in flavor["resources"]:
                name = resource["name"]
                limits = [
                    amounts.quota(name, resource[key]) if resource.get(key) is not None else None
                    for key in ("nominalQuota", "borrowingLimit", "lendingLimit")
                ]
                table[(flavor["name"], name)] = Quota(*limits)
    return table


class ClusterQueue:
    def __init__(self, document):
        spec = document["spec"]
        self.name = document["metadata"]["name"]
        self.node = ("queue", self.name)
        self.cohort = spec.get("cohortName", "")
        self.strict = spec.get("queueingStrategy", "BestEffortFIFO") == "StrictFIFO"
        self.selector = spec.get("namespaceSelector")
        self.groups = spec.get("resourceGroups") or []
        self.quotas = quotas_of(self.groups)
        self.weight = weight_of(spec)
        fungibility = spec.get("flavorFungibility") or {}
        self.try_next_to_borrow = fungibility.get("whenCanBorrow", "MayStopSearch") == "TryNextFlavor"
        self.try_next_to_preempt = fungibility.get("whenCanPreempt", "TryNextFlavor") == "TryNextFlavor"
        self.preemption_over_borrowing = fungibility.get("preference") == "PreemptionOverBorrowing"
        preemption = spec.get("preemption") or {}
        self.within = preemption.get("withinClusterQueue", "Never")
        self.reclaim = preemption.get("reclaimWithinCohort", "Never")
        borrow = preemption.get("borrowWithinCohort") or {}
        self.borrow = borrow.get("policy", "Never")
        self.threshold = borrow.get("maxPriorityThreshold")
        self.stop = spec.get("stopPolicy", "None")
        strategy = spec.get("admissionChecksStrategy") or {}
        self.checks = {c["name"]: c.get("onFlavors") or [] for c in strategy.get("admissionChecks") or []}
        scope = spec.get("admissionScope") or {}
        self.usage_based = scope.get("admissionMode") == "UsageBasedAdmissionFairSharing"

    def group_of(self, resource):
        return next((group for group in self.groups if resource in group["coveredResources"]), None)

    def checks_of(self, flavors):
        """Checks that these flavors require."""
        return {check for check, on in self.checks.items() if flavors & set(on or self.flavors())}

    def checks_for_all(self):
        """Checks that a workload has before it has flavors."""
        return {check for check, on in self.checks.items() if not on or set(on) >= set(self.flavors())}

    def covers(self, resource):
        return self.group_of(resource) is not None

    def flavors(self):
        return [flavor["name"] for group in self.groups for flavor in group["flavors"]]


class Cohort:
    def __init__(self, document):
        spec = document.get("spec") or {}
        self.name = document["metadata"]["name"]
        self.parent = spec.get("parentName", "")
        self.quotas = quotas_of(spec.get("resourceGroups") or [])
        self.weight = weight_of(spec)


class LocalQueue:
    def __init__(self, document):
        spec, metadata = document["spec"], document["metadata"]
        self.namespace, self.name = metadata["namespace"], metadata["name"]
        self.queue = spec["clusterQueue"]
        self.stopped = spec.get("stopPolicy", "None") != "None"
        self.weight = weight_of(spec)
        status = ((document.get("status") or {}).get("fairSharing") or {}).get("admissionFairSharingStatus") or {}
        self.consumed = {name: amounts.parse(value) for name, value in (status.get("consumedResources") or {}).items()}
        self.consumed_at = clock.parse(status["lastUpdate"]) if status.get("lastUpdate") else None


class Condition:
    def __init__(self, status, reason, message, time):
        self.status, self.reason, self.message, self.time = status, reason, message, time


class Workload:
    """A stored Workload. Conditions change while the world runs; the rest does not."""

    def __init__(self, document, created):
        metadata, spec, status = document["metadata"], document["spec"], document.get("status") or {}
        self.namespace, self.name = metadata["namespace"], metadata["name"]
        self.key = f"{self.namespace}/{self.name}"
        self.uid = metadata.get("uid") or f"Workload/{self.key}"
        self.job_uid = (metadata.get("labels") or {}).get("kueue.x-k8s.io/job-uid", "")
        self.annotations = metadata.get("annotations") or {}
        self.created = clock.parse(metadata["creationTimestamp"]) if metadata.get("creationTimestamp") else created
        allowed = self.annotations.get("kueue.x-k8s.io/workload-allowed-resource-flavors")
        self.allowed_flavors = None if allowed is None else allowed.split(",")
        self.replaces = self.annotations.get("kueue.x-k8s.io/workload-slice-replacement-for")
        self.local_queue = spec.get("queueName", "")
        self.pod_sets = spec["podSets"]
        self.priority = spec.get("priority") or 0
        self.active = spec.get("active", True)
        self.admission = status.get("admission")
        self.reclaimable = {r["name"]: r["count"] for r in status.get("reclaimablePods") or []}
        self.checks = {c["name"]: c["state"] for c in status.get("admissionChecks") or []}
        requeue_at = (status.get("requeueState") or {}).get("requeueAt")
        self.requeue_at = clock.parse(requeue_at) if requeue_at else None
        self.gates = [gate["name"] for gate in spec.get("preemptionGates") or []]
        open_gates = [gate["name"] for gate in status.get("preemptionGates") or [] if gate.get("position") == "Open"]
        self.gated = any(gate not in open_gates for gate in self.gates)
        self.conditions = {
            c["type"]: Condition(c["status"], c["reason"], c["message"], clock.parse(c["lastTransitionTime"]))
            for c in status.get("conditions") or []
        }

    def checks_are_ready(self):
        return all(state == "Ready" for state in self.checks.values())

    def require(self, checks):
        """The list of checks becomes exactly these."""
        self.checks = {check: self.checks.get(check, "Pending") for check in checks}

    def is_true(self, kind):
        return kind in self.conditions and self.conditions[kind].status == "True"

    def is_false(self, kind):
        return kind in self.conditions and self.conditions[kind].status == "False"

    def set_condition(self, kind, status, reason, message, now):
        old = self.conditions.get(kind)
        time = old.time if old and old.status == status else now
        self.conditions[kind] = Condition(status, reason, message, time)

    def duration(self):
        text = self.annotations.get("sluice.dev/simulated-duration")
        return clock.duration(text) if text else None


class World:
    """All objects of the input, by name."""

    def __init__(self, documents, now):
        kinds = {}
        for document in documents:
            kinds.setdefault(document["kind"], []).append(document)
        self.now = now
        self.queues = {q.name: q for q in map(ClusterQueue, kinds.get("ClusterQueue", []))}
        self.cohorts = {c.name: c for c in map(Cohort, kinds.get("Cohort", []))}
        self.local_queues = {(q.namespace, q.name): q for q in map(LocalQueue, kinds.get("LocalQueue", []))}
        self.flavors = {f["metadata"]["name"]: f.get("spec") or {} for f in kinds.get("ResourceFlavor", [])}
        self.namespaces = {n["metadata"]["name"]: n["metadata"].get("labels") or {} for n in kinds.get("Namespace", [])}
        self.checks = {c["metadata"]["name"]: self._check_is_active(c) for c in kinds.get("AdmissionCheck", [])}
        self.limit_ranges = kinds.get("LimitRange", [])
        self.runtime_classes = {r["metadata"]["name"]: r for r in kinds.get("RuntimeClass", [])}
        self.workloads = self._read_workloads(documents, now)

    @staticmethod
    def _check_is_active(document):
        conditions = (document.get("status") or {}).get("conditions") or []
        return any(c["type"] == "Active" and c["status"] == "True" for c in conditions)

    @staticmethod
    def _read_workloads(documents, now):
        found = {}
        for index, document in enumerate(documents):
            if document["kind"] == "Workload":
                workload = Workload(document, now - 3600 * clock.SECOND + index)
                found[workload.key] = workload
        return found

    def is_active(self, queue):
        """May this ClusterQueue offer heads (2.5)?"""
        return (
            queue.stop == "None"
            and all(flavor in self.flavors for flavor in queue.flavors())
            and all(self.checks.get(check) for check in queue.checks)
        )

    def namespace_labels(self, name):
        return {"kubernetes.io/metadata.name": name, **self.namespaces.get(name, {})}
