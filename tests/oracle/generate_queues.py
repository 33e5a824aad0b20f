"""Random flavors, cohorts, queues and what stands around them."""
from chances import condition, document, second


class Queues:
    """The cluster-scoped part of a world, and its LocalQueues."""

    def __init__(self, chances, fair, by_usage):
        self.chances, self.fair, self.by_usage = chances, fair, by_usage
        self.resources = chances.pick(
            ["cpu"], ["cpu"], ["cpu", "memory"], ["cpu", "memory", "example.com/gpu"], ["example.com/gpu"],
            ["nvidia.com/gpu", "cpu", "memory", "ephemeral-storage"], ["hugepages-2Mi", "cpu", "google.com/tpu"],
        )
        if chances.crowded and chances.chance(0.7):
            self.resources = ["cpu"]
        self.flavors = ["f1", "f2", "f3", "f4"][: chances.pick(1, 1, 2, 2, 3, 4)]
        cohorts = chances.pick(1, 1, 2, 3, 4, 5) if chances.crowded else chances.pick(0, 1, 1, 1, 2, 3, 4, 5)
        self.cohorts = ["co-a", "co-b", "co-c", "co-d", "co-e"][:cohorts]
        self.names = [f"q{i}" for i in range(chances.pick(1, 2, 2, 3, 3, 4, 5, 6))]
        if chances.crowded and chances.chance(0.4):  # many heads at once that want the same
            self.names = [f"q{i}" for i in range(chances.pick(4, 5, 6))]
            self.cohorts, self.flavors = self.cohorts[: chances.pick(1, 1, 2)], self.flavors[: chances.pick(1, 2)]
        self.queues = []

    def documents(self):
        chances = self.chances
        found = [self._flavor(name) for name in self.flavors if not chances.uses("missing flavor", 0.03, 0.3)]
        for index, name in enumerate(self.cohorts):
            if chances.chance(0.8):
                found.append(self._cohort(index, name))
        self.queues = [self._cluster_queue(name) for name in self.names]
        found += self.queues + self._checks() + self._namespaced()
        for queue in self.queues:
            if chances.uses("missing queue", 0.03, 0.3):
                found.remove(queue)
        return found

    # ---- quota ----

    def _limits(self, resource, cohort):
        chances = self.chances
        nominal = (0, 2, 3, 4, 4, 5, 6) if chances.crowded else (0, 0, 1, 2, 3, 4, 4, 6, 8, 10)
        quota = {"name": resource, "nominalQuota": chances.amount(resource, *nominal)}
        if chances.uses("huge quota", 0.03, 0.2):
            quota["nominalQuota"] = chances.pick("9223372036854775807", "9e18", "8Ei")
        if cohort and chances.uses("borrowing", 0.5):
            quota["borrowingLimit"] = chances.amount(resource, 0, 1, 2, 3, 5)
        if cohort and chances.uses("lending", 0.5):
            quota["lendingLimit"] = chances.amount(resource, 0, 1, 2, 3, 4)
        return quota

    def _groups(self, cohort):
        """Resource groups: all resources together, or one group each with flavors of its own."""
        chances = self.chances
        flavors, resources = list(self.flavors), list(self.resources)
        if chances.uses("shuffled flavors", 0.4):
            chances.random.shuffle(flavors)
        if chances.uses("fewer flavors", 0.3) and len(flavors) > 1:
            flavors.pop()
        if chances.uses("fewer resources", 0.2) and len(resources) > 1:
            resources.pop()
        if chances.uses("pods quota", 0.1):
            resources.append("pods")
        if chances.uses("credits", 0.1, 0.8):
            resources.append("example.com/credits")
        parts = [(resources, flavors)]
        if len(resources) > 1 and len(flavors) > 1 and chances.uses("several groups", 0.4):
            parts = [(resources[:1], flavors[:1]), (resources[1:], flavors[1:])]
            if len(resources) > 2 and len(flavors) > 2 and chances.chance(0.6):
                parts = [parts[0], (resources[1:2], flavors[1:2]), (resources[2:], flavors[2:])]
        return [
            {
                "coveredResources": covered,
                "flavors": [{"name": f, "resources": [self._limits(r, cohort) for r in covered]} for f in names],
            }
            for covered, names in parts
        ]

    # ---- cluster-scoped objects ----

    def _flavor(self, name):
        chances, spec = self.chances, {}
        if chances.uses("labels", 0.3):
            spec["nodeLabels"] = {chances.pick("type", "zone"): chances.pick("a", "b", "7")}
            if chances.chance(0.3):
                spec["nodeLabels"]["zone"] = "b"
        if chances.uses("taints", 0.2):
            spec["nodeTaints"] = [
                {"key": chances.pick("k", "l"), "value": chances.pick("", "v", "5"), "effect": effect}
                for effect in chances.pick(["NoSchedule"], ["NoExecute"], ["PreferNoSchedule", "NoSchedule"])
            ]
            if chances.chance(0.2):
                spec["tolerations"] = [{"key": "k", "operator": "Exists"}]
        return document("ResourceFlavor", name, spec)

    def _weight(self, spec):
        if self.fair and self.chances.uses("weights", 0.5):
            spec["fairSharing"] = {"weight": self.chances.pick("0", "500m", "1", "2", "3", "300m")}

    def _cohort(self, index, name):
        chances, spec = self.chances, {}
        if index and chances.chance(0.7):
            spec["parentName"] = chances.pick(*self.cohorts[:index])
        elif chances.uses("cohort cycle", 0.03):
            spec["parentName"] = chances.pick(*self.cohorts)
        elif chances.uses("named parent", 0.1):
            spec["parentName"] = "co-z"
        if chances.uses("cohort quota", 0.4):
            spec["resourceGroups"] = self._groups("parentName" in spec)
        self._weight(spec)
        return document("Cohort", name, spec)

    def _preemption(self):
        chances = self.chances
        never = ["Never"] if not chances.crowded or chances.chance(0.1) else []
        spec = {
            "withinClusterQueue": chances.pick("LowerPriority", "LowerPriority", "LowerOrNewerEqualPriority", *never),
            "reclaimWithinCohort": chances.pick("LowerPriority", "Any", "Any", *never),
        }
        if spec["reclaimWithinCohort"] != "Never" and chances.chance(0.4):
            spec["borrowWithinCohort"] = {"policy": "LowerPriority"}
            if chances.chance(0.5):
                spec["borrowWithinCohort"]["maxPriorityThreshold"] = chances.pick(-1, 0, 1)
        return spec

    def _fungibility(self):
        chances = self.chances
        spec = {
            key: chances.pick("MayStopSearch", "TryNextFlavor") for key in ("whenCanBorrow", "whenCanPreempt")
        }
        if set(spec.values()) == {"TryNextFlavor"} and chances.chance(0.6):
            spec["preference"] = chances.pick("BorrowingOverPreemption", "PreemptionOverBorrowing")
        return spec

    def _cluster_queue(self, name):
        chances = self.chances
        cohort = chances.pick(*self.cohorts) if self.cohorts and chances.chance(0.85) else ""
        spec = {"namespaceSelector": {}, "resourceGroups": self._groups(cohort)}
        if cohort:
            spec["cohortName"] = cohort
        if chances.crowded or chances.chance(0.8):
            spec["preemption"] = self._preemption()
        if chances.chance(0.6):
            spec["flavorFungibility"] = self._fungibility()
        if chances.uses("strict", 0.5):
            spec["queueingStrategy"] = "StrictFIFO"
        if chances.uses("stopped", 0.1):
            spec["stopPolicy"] = chances.pick("Hold", "HoldAndDrain")
        if chances.uses("selector", 0.1):
            spec["namespaceSelector"] = chances.pick(
                {"matchLabels": {"team": "a"}},
                {"matchExpressions": [{"key": "team", "operator": chances.pick("Exists", "DoesNotExist")}]},
                {"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["a", "b"]}]},
            )
        if chances.uses("checks", 0.1):
            names = chances.pick(["check"], ["check"], ["other-check"], ["check", "other-check"])
            checks = [{"name": name} for name in names]
            for check in checks:
                if chances.chance(0.4):
                    check["onFlavors"] = chances.pick(self.flavors[:1], self.flavors[-1:], self.flavors)
            spec["admissionChecksStrategy"] = {"admissionChecks": checks}
        if self.by_usage and chances.chance(0.8):
            spec["admissionScope"] = {"admissionMode": "UsageBasedAdmissionFairSharing"}
        self._weight(spec)
        return document("ClusterQueue", name, spec)

    def _checks(self):
        found = []
        for name in ("check", "other-check"):
            if self.chances.chance(0.95):
                check = document("AdmissionCheck", name, {"controllerName": "example.com/checker"})
                status = "True" if self.chances.chance(0.9) else "False"
                check["status"] = {"conditions": [condition("Active", status, "Active", second(0))]}
                found.append(check)
        return found

    # ---- namespaced objects ----

    def _namespaced(self):
        chances = self.chances
        other = {"metadata": {"name": "other", "labels": {"team": chances.pick("a", "b")}}}
        found = [{"apiVersion": "v1", "kind": "Namespace", **other}]
        for name in self.names:
            found += [self._local_queue(name, name, namespace) for namespace in ("default", "other")]
            if self.by_usage or chances.uses("second local queues", 0.1):
                found.append(self._local_queue(name + "-second", name, "default"))
        if chances.uses("limit ranges", 0.1, 1):
            found += [self._limit_range(i) for i in range(chances.pick(1, 1, 2))]
        if chances.uses("runtime classes", 0.1, 1):
            heavy = document("RuntimeClass", "heavy", None, version="node.k8s.io/v1")
            del heavy["spec"]
            heavy.update({"handler": "h", "overhead": {"podFixed": {self.resources[0]: "1"}}})
            found.append(heavy)
        return found

    def _local_queue(self, name, queue, namespace):
        chances = self.chances
        local = document("LocalQueue", name, {"clusterQueue": queue}, namespace)
        if chances.uses("stopped local queue", 0.1, 0.2):
            local["spec"]["stopPolicy"] = "Hold"
        if self.by_usage and chances.chance(0.5):
            local["spec"]["fairSharing"] = {"weight": chances.pick("0", "1", "2", "500m")}
        if self.by_usage and chances.chance(0.5):
            consumed = {r: chances.amount(r, 0, 1, 2, 5, 9) for r in self.resources}
            local["status"] = {"fairSharing": {"admissionFairSharingStatus": {
                "consumedResources": consumed, "lastUpdate": second(chances.pick(3600, 3500, 3000))
            }}}
        return local

    def _limit_range(self, index):
        items = [self._limit_item() for _ in range(self.chances.pick(1, 1, 2, 3))]
        namespace = self.chances.pick("default", "default", "other")
        return document("LimitRange", f"range-{index}", {"limits": items}, namespace, version="v1")

    def _limit_item(self):
        chances = self.chances
        item = {"type": chances.pick("Container", "Container", "Pod", "PersistentVolumeClaim")}
        for key, values in (
            ("max", (2, 3, 5)), ("min", (1,)), ("default", (2, 3)), ("defaultRequest", (1, 2)),
            ("maxLimitRequestRatio", (1,)),
        ):
            if chances.chance(0.35):
                resource = chances.pick(*self.resources)
                item[key] = {resource: chances.amount(resource, *values)}
        return item
