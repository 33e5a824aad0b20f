"""Configuration and feature gates, with their defaults (scheduling.md 7)."""
from fractions import Fraction

import clock

GATES = {
    "PartialAdmission": True,
    "FlavorFungibility": True,
    "FlavorFungibilityPreserveScanProgress": True,
    "PrioritySortingWithinCohort": True,
    "FairSharingPreemptWithinNominal": True,
    "FairSharingPrioritizeNonBorrowing": True,
    "PrioritizePreemptorWorkloads": False,
    "RecomputeAssignmentUponPreemptionTargetsOverlap": True,
    "SchedulingEquivalenceHashing": True,
    "AdmissionFairSharing": True,
    "ReclaimablePods": True,
    "QuotaCheckStrategy": True,
    "PriorityBoost": False,
    "AdmissionGatedBy": True,
    "UnadmittedWorkloadsObservability": True,
    "UnadmittedWorkloadsExplicitStatus": False,
    "DisableWaitForPodsReady": False,
    "MultiKueueOrchestratedPreemption": False,
    "ConcurrentAdmission": False,
    "ElasticJobsViaWorkloadSlices": True,
}

# Where the engine decides otherwise on purpose (tests/cases/DEVIATIONS.md, by number). Off: the recorded behaviour.
DEVIATIONS = {
    "victims keep their quota": True,  # 1, 3
    "uncovered pod sets do not end the assignment": True,  # 2
}


class Config:
    """What of a Configuration (v1beta2) bears on decisions."""

    def __init__(self, document, gates, deviations=None):
        document = document or {}
        self.gates = {**GATES, **gates}
        self.deviations = {**DEVIATIONS, **(deviations or {})}
        resources = document.get("resources") or {}
        self.transformations = {t["input"]: t for t in resources.get("transformations") or []}
        self.excluded = tuple(resources.get("excludeResourcePrefixes") or [])
        self.ignore_undeclared = (
            self.gates["QuotaCheckStrategy"] and resources.get("quotaCheckStrategy") == "IgnoreUndeclared"
        )
        fair = document.get("fairSharing")
        self.fair_sharing = fair is not None
        self.strategies = (fair or {}).get("preemptionStrategies") or []
        self._read_admission_fair_sharing(document.get("admissionFairSharing"))
        self._read_pods_ready(document.get("waitForPodsReady") or {})

    def _read_admission_fair_sharing(self, section):
        self.admission_fair_sharing = section is not None and self.gates["AdmissionFairSharing"]
        section = section or {}
        self.half_life = clock.duration(section.get("usageHalfLifeTime", "0s"))
        self.sampling = clock.duration(section.get("usageSamplingInterval", "0s")) or 300 * clock.SECOND
        weights = section.get("resourceWeights") or {}
        self.resource_weights = {name: Fraction(str(weight)) for name, weight in weights.items()}

    def _read_pods_ready(self, section):
        if self.gates["DisableWaitForPodsReady"]:
            section = {}
        strategy = section.get("requeuingStrategy") or {}
        self.block_admission = bool(section.get("blockAdmission"))
        self.by_eviction_time = strategy.get("timestamp", "Eviction") == "Eviction"
