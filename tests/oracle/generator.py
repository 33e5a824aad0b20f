"""Small but nasty worlds from a seed."""
from chances import Chances
from generate_queues import Queues
from generate_workloads import Workloads


def is_sensible(documents):
    """Would the webhooks let these objects through, roughly?"""
    for document in documents:
        spec = document.get("spec") or {}
        if "apiVersion" not in document:
            return False
        for group in spec.get("resourceGroups") or []:
            for flavor in group["flavors"]:
                if [r["name"] for r in flavor["resources"]] != group["coveredResources"]:
                    return False
            if not group["flavors"] or not group["coveredResources"]:
                return False
        if document["kind"] in ("Workload", "LocalQueue") and "namespace" not in document["metadata"]:
            return False
        admission = (document.get("status") or {}).get("admission")
        if admission is not None and "clusterQueue" not in admission:
            return False
        if document["kind"] == "Workload":
            if not spec["podSets"] or not all(p["template"]["spec"]["containers"] for p in spec["podSets"]):
                return False
    return True


def _transformation(chances, name):
    rule = {"input": name}
    if chances.chance(0.8):
        rule["strategy"] = chances.pick("Retain", "Replace")
    if chances.chance(0.9):
        rule["outputs"] = {"example.com/credits": chances.pick(1, 2, -1, -3, "500m", "1.5")}
        if chances.chance(0.3):
            rule["outputs"][chances.pick("cpu", "example.com/other")] = chances.pick(1, "0.1", 0)
    if chances.chance(0.3):
        rule["multiplyBy"] = chances.pick("example.com/gpu", "cpu", "example.com/credits")
    return rule


def _configuration(chances, fair, by_usage):
    document = {"apiVersion": "config.kueue.x-k8s.io/v1beta2", "kind": "Configuration"}
    both = ["LessThanOrEqualToFinalShare", "LessThanInitialShare"]
    if fair:
        document["fairSharing"] = {"preemptionStrategies": chances.pick(both, both, both[:1], both[1:])}
    if by_usage:
        section = {"usageHalfLifeTime": chances.pick("10m", "168h", "0s"), "usageSamplingInterval": "5m"}
        if chances.chance(0.4):
            section["resourceWeights"] = {"cpu": chances.pick(0, 0.5, 2)}
        document["admissionFairSharing"] = section
    resources = {}
    if chances.chance(0.1):
        resources["quotaCheckStrategy"] = "IgnoreUndeclared"
    elif chances.chance(0.06):
        resources["excludeResourcePrefixes"] = chances.pick(["example.com/"], ["mem"], ["c", "nvidia.com/"])
    if chances.uses("credits", 0.1, 0.9):
        inputs = ["cpu", "example.com/gpu", "memory", "example.com/credits"]
        chosen = chances.random.sample(inputs, chances.pick(1, 1, 2, 3))
        resources["transformations"] = [_transformation(chances, name) for name in chosen]
    if resources:
        document["resources"] = resources
    ready = {}
    if chances.chance(0.05) and not chances.features.get("missing queue"):
        ready["blockAdmission"] = True
    if chances.chance(0.1):
        ready["requeuingStrategy"] = {"timestamp": chances.pick("Creation", "Eviction")}
    if ready:
        document["waitForPodsReady"] = ready
    return document


def _gates(chances):
    off = [
        "PartialAdmission", "FlavorFungibility", "FlavorFungibilityPreserveScanProgress",
        "PrioritySortingWithinCohort", "FairSharingPreemptWithinNominal", "FairSharingPrioritizeNonBorrowing",
        "RecomputeAssignmentUponPreemptionTargetsOverlap", "SchedulingEquivalenceHashing", "QuotaCheckStrategy",
        "UnadmittedWorkloadsObservability", "ReclaimablePods", "AdmissionFairSharing", "AdmissionGatedBy",
        "ElasticJobsViaWorkloadSlices",
    ]
    on = [
        "PrioritizePreemptorWorkloads", "PriorityBoost", "DisableWaitForPodsReady", "MultiKueueOrchestratedPreemption",
        "ConcurrentAdmission",
    ]
    if chances.chance(0.5):
        return {}
    gates = {name: False for name in off if chances.chance(0.12)}
    gates.update({name: True for name in on if chances.chance(0.2)})
    if "FlavorFungibility" in gates:
        gates["FlavorFungibilityPreserveScanProgress"] = False
    return gates


def world(seed):
    """[documents, Configuration, gates]"""
    chances = Chances(seed)
    fair, by_usage = chances.chance(0.35), chances.chance(0.12)
    queues = Queues(chances, fair, by_usage)
    documents = queues.documents() + Workloads(chances, queues).documents()
    if sum(document["kind"] == "LimitRange" for document in documents) < 2:
        chances.random.shuffle(documents)
    return [documents, _configuration(chances, fair, by_usage), _gates(chances)]


def mode(seed):
    """How to run it: command line arguments."""
    chances = Chances(f"mode of {seed}")
    return ["--until-idle"] if chances.chance(0.5) else ["--cycles", str(chances.pick(1, 2, 4, 4, 8))]
