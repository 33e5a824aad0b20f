"""Random workloads: waiting, running, evicted, held back."""
import copy

from chances import condition, document, notation, second

# The same amounts, written otherwise.
NOTATIONS = {"1": "1000m", "2": "2e0", "3": "3.0", "1Gi": "1024Mi", "2Gi": "2147483648", "3Gi": "3145728Ki"}


class Workloads:
    def __init__(self, chances, queues):
        self.chances, self.queues = chances, queues
        self.waiting = []  # pod sets and priorities of earlier workloads, for twins
        self.running = {}  # keys of those that hold quota, by the names of their pod sets, for slices

    def documents(self):
        crowded = self.chances.crowded
        share = self.chances.pick(0.5, 0.6, 0.7) if crowded else self.chances.pick(0, 0.3, 0.5, 0.7)
        count = self.chances.random.randint(5 if crowded else 1, self.chances.pick(6, 8, 16, 25))
        return [self._workload(index, self.chances.chance(share)) for index in range(count)]

    # ---- pods ----

    def _requests(self, *values):
        chances, resources = self.chances, self.queues.resources
        return {r: chances.amount(r, *values) for r in resources if r == resources[0] or chances.chance(0.7)}

    def _container(self):
        chances = self.chances
        wanted = self._requests(*((1, 1, 2, 2, 3, 4) if chances.crowded else (1, 1, 1, 2, 2, 3, 4, 5, 0)))
        if chances.uses("no requests", 0.05, 0.3):
            wanted = {}
        if chances.uses("fractions", 0.1):
            wanted[self.queues.resources[0]] = chances.pick("500m", "1500m", "0.1")
        if chances.uses("undeclared resources", 0.1, 0.2):
            wanted["example.com/other"] = chances.pick("0", "1")
        if chances.uses("huge requests", 0.02, 0.2):
            wanted[self.queues.resources[0]] = "9223372036854775807"
        resources = {"requests": wanted}
        if chances.uses("limits", 0.15):
            resources["limits"] = self._requests(1, 2, 3, 5)
            if chances.chance(0.3):
                del resources["requests"]
        return {"name": "c", "image": "i", "resources": resources}

    def _affinity(self):
        chances = self.chances

        def term():
            operator = chances.pick("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt")
            expression = {"key": chances.pick("type", "zone"), "operator": operator}
            if operator in ("In", "NotIn"):
                expression["values"] = [chances.pick("a", "b")]
            elif operator in ("Gt", "Lt"):
                expression["key"], expression["values"] = "size", ["5"]
            return {"matchExpressions": [expression]}

        terms = [term() for _ in range(chances.pick(1, 1, 2))]
        return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}

    def _pod_spec(self):
        chances = self.chances
        spec = {"containers": [self._container()]}
        if chances.uses("more containers", 0.1):
            spec["containers"].append({**self._container(), "name": "d"})
        if chances.uses("init containers", 0.1):
            first = self._container()
            if chances.chance(0.5):
                first["restartPolicy"] = "Always"
            spec["initContainers"] = [first]
        if chances.uses("overhead", 0.05):
            spec["overhead"] = self._requests(1)
        if chances.uses("runtime classes", 0.1):
            spec["runtimeClassName"] = chances.pick("heavy", "heavy", "unknown")
        if chances.uses("pod level", 0.05):
            keys = chances.pick(["requests"], ["requests", "limits"], [])
            spec["resources"] = {key: self._requests(1, 2, 6) for key in keys}
        if chances.uses("selectors", 0.3):
            spec["nodeSelector"] = {chances.pick("type", "zone"): chances.pick("a", "b")}
        if chances.uses("affinity", 0.15):
            spec["affinity"] = self._affinity()
        if chances.uses("tolerations", 0.3):
            spec["tolerations"] = [chances.pick(
                {"key": "k", "operator": "Exists"}, {"key": "k", "value": "v"}, {"operator": "Exists"},
                {"key": "l", "operator": "Exists", "effect": "NoSchedule"},
                {"key": "k", "operator": "Gt", "value": "3"},
            )]
        return spec

    def _count(self):
        if self.chances.uses("large counts", 0.1, 0.3):
            return self.chances.pick(0, 7, 10, 23)
        return self.chances.pick(1, 1, 1, 2) if self.chances.crowded else self.chances.pick(1, 1, 1, 2, 3, 4)

    def _pod_sets(self, running):
        chances = self.chances
        names = ["main"] if not chances.uses("several pod sets", 0.3) else ["one", "two", "three"][: chances.pick(2, 3)]
        pod_sets = [
            {"name": name, "count": self._count(), "template": {"spec": self._pod_spec()}}
            for name in names
        ]
        if len(names) > 1 and not running and chances.uses("groups of pod sets", 0.1):
            for pod_set in chances.random.sample(pod_sets, 2):
                pod_set["topologyRequest"] = {"podSetGroupName": "together"}
        for pod_set in pod_sets:
            if not running and chances.uses("partial", 0.3) and pod_set["count"] > 1:
                pod_set["minCount"] = chances.random.randint(1, pod_set["count"])
        return pod_sets

    # ---- workloads ----

    def _workload(self, index, running):
        chances = self.chances
        namespace = "default" if not chances.uses("namespaces", 0.1) else "other"
        made = document("Workload", f"w{index:02d}", {}, namespace)
        metadata, spec = made["metadata"], made["spec"]
        if not chances.uses("no uids", 0.1, 0.7):
            metadata["uid"] = f"u{chances.random.randrange(10**6):06d}"
        if not chances.uses("no creation times", 0.1, 0.7):
            metadata["creationTimestamp"] = second(chances.random.randrange(chances.pick(3, 20)))
        queue = chances.pick(*self.queues.queues)
        spec["queueName"] = queue["metadata"]["name"]
        if self.queues.by_usage and namespace == "default" and chances.chance(0.5):
            spec["queueName"] += "-second"
        spec["podSets"] = self._pod_sets(running)
        spec["priority"] = chances.pick(-1, 0, 0, 0, 1, 2)
        if chances.crowded and not running:
            spec["priority"] = chances.pick(0, 0, 1, 2, 3)
        if not running:
            self._be_twin(spec)
        made["status"] = {"conditions": []}
        self._annotate(metadata, spec)
        self._hold_quota(made, queue) if running else self._hold_back(made)
        if running:
            self._like(spec).append(f"{namespace}/{metadata['name']}")
        if chances.uses("inactive workloads", 0.05, 0.2):
            spec["active"] = False
        if chances.uses("reclaimable", 0.1):
            made["status"]["reclaimablePods"] = [
                {"name": pod_set["name"], "count": chances.pick(1, 2, 5)}
                for pod_set in spec["podSets"] if chances.chance(0.8)
            ]
        if chances.uses("checks", 0.1, 0.7):
            state = chances.pick("Ready", "Ready", "Pending", "Retry") if not running else "Ready"
            names = ["check"] if chances.chance(0.6) else ["check", "other-check"]
            made["status"]["admissionChecks"] = [
                {"name": name, "state": state if name == "check" or running else chances.pick("Ready", "Pending"),
                 "lastTransitionTime": second(60), "message": ""}
                for name in names
            ]
        if chances.uses("preemption gates", 0.03, 0.7):
            spec["preemptionGates"] = [{"name": "example.com/gate"}]
            if chances.chance(0.3):
                state = {"position": chances.pick("Open", "Closed"), "lastTransitionTime": second(60)}
                made["status"]["preemptionGates"] = [{"name": "example.com/gate", **state}]
        return made

    def _be_twin(self, spec):
        """Take over what an earlier one asks for, perhaps in other words."""
        chances = self.chances
        if self.waiting and chances.uses("twins", 0.6):
            spec["podSets"], spec["priority"] = copy.deepcopy(chances.pick(*self.waiting))
            requests = spec["podSets"][0]["template"]["spec"]["containers"][0]["resources"].get("requests", {})
            if chances.chance(0.3):
                requests.update({name: NOTATIONS[value] for name, value in requests.items() if value in NOTATIONS})
        self.waiting.append((spec["podSets"], spec["priority"]))

    def _like(self, spec):
        """Running workloads with pod sets of the same names."""
        return self.running.setdefault(tuple(pod_set["name"] for pod_set in spec["podSets"]), [])

    def _annotate(self, metadata, spec):
        chances, annotations = self.chances, {}
        if chances.uses("durations", 0.5):
            annotations["sluice.dev/simulated-duration"] = chances.pick("1s", "2s", "5s", "500ms", "1m", "0s")
        if chances.uses("boost", 0.1):
            annotations["kueue.x-k8s.io/priority-boost"] = chances.pick("1", "-2", "+1", "x", "99999999999", "")
        if chances.uses("gated", 0.03):
            annotations["kueue.x-k8s.io/admission-gated-by"] = chances.pick("gate", "")
        if chances.uses("allowed flavors", 0.1):
            names = chances.pick(*self.queues.flavors), chances.pick(*self.queues.flavors)
            annotations["kueue.x-k8s.io/workload-allowed-resource-flavors"] = chances.pick(names[0], ",".join(names))
        if chances.uses("slices", 0.1, 0.4):
            old = chances.pick(*self._like(spec), "default/none")
            annotations["kueue.x-k8s.io/workload-slice-replacement-for"] = old
        if annotations:
            metadata["annotations"] = annotations

    def _bend(self, made, assignments):
        """What the record of an admission may look like, apart from what the scheduler writes today."""
        chances, assigned = self.chances, self.chances.pick(*assignments)
        kind = chances.pick("no count", "fewer pods", "no flavor", "another flavor", "fractions", "another queue")
        resource = next(iter(assigned["resourceUsage"]), None)
        if kind == "no count":
            del assigned["count"]
        elif kind == "fewer pods" and assigned["count"] > 1:
            assigned["count"] -= 1
        elif kind == "another queue":
            made["status"]["admission"]["clusterQueue"] = chances.pick(*self.queues.names)
        elif kind == "no flavor" and resource:
            del assigned["flavors"][resource]
        elif kind == "another flavor" and resource:
            assigned["flavors"][resource] = chances.pick("f1", "f2", "f9")
        elif kind == "fractions" and resource:
            assigned["resourceUsage"][resource] = chances.pick("1500m", "0.7", "7")

    def _held(self):
        return self.chances.pick(*((1, 1, 2, 3, 4) if self.chances.crowded else (1, 1, 2, 3, 0)))

    def _hold_quota(self, made, queue):
        """Quota, whether there is room for it or not."""
        chances, assignments = self.chances, []
        for pod_set in made["spec"]["podSets"]:
            wanted = pod_set["template"]["spec"]["containers"][0]["resources"].get("requests", {})
            flavors, usage = {}, {}
            for group in queue["spec"]["resourceGroups"]:
                flavor = chances.pick(*group["flavors"])["name"]
                for resource in group["coveredResources"]:
                    if resource in wanted:
                        flavors[resource] = flavor
                        usage[resource] = notation(resource, self._held() * pod_set["count"])
                    elif resource == "pods":
                        flavors[resource], usage[resource] = flavor, str(pod_set["count"])
            assignments.append({
                "name": pod_set["name"], "flavors": flavors, "resourceUsage": usage, "count": pod_set["count"]
            })
        time, conditions = second(60 + chances.random.randrange(chances.pick(2, 20))), made["status"]["conditions"]
        made["status"]["admission"] = {"clusterQueue": queue["metadata"]["name"], "podSetAssignments": assignments}
        if chances.uses("odd admissions", 0.1, 0.5):
            self._bend(made, assignments)
        conditions.append(condition("QuotaReserved", "True", "QuotaReserved", time))
        if chances.chance(0.9):
            conditions.append(condition("Admitted", "True", "Admitted", time))
        if chances.uses("pods ready", 0.1, 0.8):
            conditions.append(condition("PodsReady", "True", "Started", time))
        if chances.uses("victims", 0.15):
            conditions.append(condition("Evicted", "True", "Preempted", second(100), "gone"))

    def _hold_back(self, made):
        """Marks that an earlier life has left on a waiting workload."""
        chances, status = self.chances, made["status"]
        conditions, time = status["conditions"], second(chances.random.randrange(30))
        if chances.uses("finished", 0.03, 0.3):
            conditions.append(condition("Finished", "True", "Succeeded", time))
        if chances.uses("told", 0.2):
            reason = chances.pick("WaitingForQuota", "PendingEvaluation", "Suspended", "OnHold")
            conditions.append(condition("QuotaReserved", "False", reason, time, "told before"))
        if chances.uses("replacement pods", 0.02):
            conditions.append(condition("WaitingForReplacementPods", "True", "R", time))
        if chances.uses("evicted before", 0.25):
            self._evicted_before(conditions, status, time)

    def _evicted_before(self, conditions, status, time):
        chances = self.chances
        reason = chances.pick(
            "PodsReadyTimeout", "AdmissionCheck", "Preempted", "ClusterQueueStopped", "LocalQueueStopped", "Deactivated"
        )
        conditions.append(condition("Evicted", "True", reason, time))
        if reason == "Preempted":
            why = chances.pick("InClusterQueue", "InCohortReclaimWhileBorrowing")
            conditions.append(condition("Preempted", "True", why, time))
        elif chances.chance(0.7):
            conditions.append(condition("Requeued", chances.pick("True", "False", "False"), reason, time))
            if chances.chance(0.7):
                at = second(3600 + chances.pick(-5, 0, 1, 2, 10, 60))
                status["requeueState"] = {"count": 1, "requeueAt": at}
