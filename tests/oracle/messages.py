"""Texts that are no part of an assignment (scheduling.md 5.8, 3.8)."""

WHY = {
    "InClusterQueue": "prioritization in the ClusterQueue",
    "InCohortReclamation": "reclamation within the cohort",
    "InCohortFairSharing": "Fair Sharing within the cohort",
    "InCohortReclaimWhileBorrowing": "reclamation within the cohort while borrowing",
}

# Reasons of waiting that the reconciler leaves as they are (8.2).
KEPT = (
    "WaitingForQuota", "NoMatchingFlavor", "ExceedsMaxQuota", "TopologyPlacementFailed",
    "WaitingForPreemptedWorkloads", "WaitingForPodsReady", "PendingEvaluation",
)
NOT_EVALUATED = "Workload is pending evaluation in the scheduling queue"


def bypassed():
    return "Bypassed scheduling evaluation because an equivalent workload recently failed"


def _path(structure, node):
    return "/" + "/".join(name for _, name in reversed([node] + structure.path(node)))


def preempted(structure, entry, victim, reason):
    uid, job_uid = entry.workload.uid or "UNKNOWN", entry.workload.job_uid or "UNKNOWN"
    paths = (_path(structure, queue.node) for queue in (entry.queue, victim.queue))
    return (
        f"Preempted to accommodate a workload (UID: {uid}, JobUID: {job_uid}) due to {WHY[reason]};"
        " preemptor path: {}; preemptee path: {}".format(*paths)
    )
