"""What a workload asks for: pod templates to integer totals (scheduling.md 1.2 to 1.9)."""
import copy
from fractions import Fraction

import amounts


class PodSetTotal:
    """One pod set's name, effective count and total requests."""

    def __init__(self, name, count, requests):
        self.name, self.count, self.requests = name, count, requests

    def scaled(self, count):
        """The same pods, another number of them (4.7)."""
        requests = {r: amounts.clamp(amounts.divide(v, self.count) * count) for r, v in self.requests.items()}
        return PodSetTotal(self.name, count, requests)


def summary(world, namespace):
    """The merged LimitRange items of a namespace, by type (1.2)."""
    merged = {}
    for document in world.limit_ranges:
        items = [i for i in document["spec"]["limits"] if i["type"] in ("Container", "Pod")]
        if document["metadata"]["namespace"] != namespace:
            continue
        for item in items:
            total = merged.setdefault(item["type"], {k: {} for k in ("max", "min", "default", "defaultRequest")})
            for kind, choose in (("max", min), ("min", max), ("default", None), ("defaultRequest", None)):
                for name, text in (item.get(kind) or {}).items():
                    if name not in total[kind]:
                        total[kind][name] = text
                    elif choose:
                        total[kind][name] = choose(total[kind][name], text, key=amounts.parse)
    return merged


def _default(resources, item):
    if item:
        resources["limits"] = {**item["default"], **(resources.get("limits") or {})}
        resources["requests"] = {**item["defaultRequest"], **(resources.get("requests") or {})}


def adjusted(world, namespace, template):
    """The private copy of a pod template (1.2): its spec."""
    spec = copy.deepcopy(template["spec"])
    runtime_class = world.runtime_classes.get(spec.get("runtimeClassName", ""))
    if not spec.get("overhead") and runtime_class and runtime_class.get("overhead"):
        spec["overhead"] = runtime_class["overhead"]["podFixed"]
    merged = summary(world, namespace)
    containers = (spec.get("initContainers") or []) + spec["containers"]
    for container in containers:
        _default(container.setdefault("resources", {}), merged.get("Container"))
    if "resources" in spec:
        _default(spec["resources"], merged.get("Pod"))
    for holder in containers + ([spec] if "resources" in spec else []):
        resources = holder["resources"]
        resources["requests"] = {**(resources.get("limits") or {}), **(resources.get("requests") or {})}
    return spec


def _exact(resources):
    return {name: amounts.parse(text) for name, text in (resources or {}).items()}


def _plus(a, b):
    return {name: a.get(name, 0) + b.get(name, 0) for name in {**a, **b}}


def _maximum(a, b):
    return {name: max(a.get(name, 0), b.get(name, 0)) for name in {**a, **b}}


def of_pod(spec):
    """Exact requests of one pod (1.3)."""
    regular, sidecars, peak = {}, {}, {}
    for container in spec["containers"]:
        regular = _plus(regular, _exact(container["resources"]["requests"]))
    for container in spec.get("initContainers") or []:
        own = _exact(container["resources"]["requests"])
        if container.get("restartPolicy") == "Always":
            regular, sidecars = _plus(regular, own), _plus(sidecars, own)
            candidate = sidecars
        else:
            candidate = _plus(own, sidecars)
        peak = _maximum(peak, candidate)
    pod = _maximum(regular, peak)
    pod_level = _exact((spec.get("resources") or {}).get("requests"))
    pod.update({n: v for n, v in pod_level.items() if n in ("cpu", "memory") or n.startswith("hugepages-")})
    return _plus(pod, _exact(spec.get("overhead")))


def transformed(config, pod):
    """Exclusions and transformations (1.4)."""
    pod = {name: value for name, value in pod.items() if not name.startswith(config.excluded or ("\0",))}
    kept, generated = {}, {}
    for name, value in pod.items():
        rule = config.transformations.get(name)
        if not rule or rule.get("strategy", "Retain") == "Retain":
            kept[name] = value
        if rule:
            value *= pod.get(rule.get("multiplyBy", ""), Fraction(1))
            for output, factor in (rule.get("outputs") or {}).items():
                generated[output] = generated.get(output, 0) + value * amounts.parse(factor)
    return _plus(kept, {name: max(Fraction(0), value) for name, value in generated.items()})


def effective_count(config, workload, pod_set):
    reclaimable = workload.reclaimable.get(pod_set["name"], 0) if config.gates["ReclaimablePods"] else 0
    return pod_set["count"] - min(reclaimable, pod_set["count"])


def pending_view(world, config, workload):
    """Totals per pod set, computed from the spec."""
    totals = []
    for pod_set in workload.pod_sets:
        pod = transformed(config, of_pod(adjusted(world, workload.namespace, pod_set["template"])))
        count = effective_count(config, workload, pod_set)
        requests = {n: amounts.clamp(max(0, amounts.request(n, v)) * count) for n, v in pod.items()}
        totals.append(PodSetTotal(pod_set["name"], count, requests))
    return totals


def reserved_usage(config, workload):
    """(pod set, FR) -> amount of a workload that holds quota (1.9)."""
    used = {}
    specs = {pod_set["name"]: pod_set for pod_set in workload.pod_sets}
    for assigned in workload.admission["podSetAssignments"]:
        spec = specs[assigned["name"]]
        count = assigned.get("count", spec["count"])
        after = effective_count(config, workload, spec)
        for name, text in (assigned.get("resourceUsage") or {}).items():
            amount = amounts.request(name, amounts.parse(text))
            if after < count:
                amount = amounts.divide(amount, count) * after
            flavor = (assigned.get("flavors") or {}).get(name)
            if flavor:
                used[(assigned["name"], (flavor, name))] = amount
    return used


def summed(usage):
    """FR -> amount over all pod sets."""
    total = {}
    for (_, fr), amount in usage.items():
        total[fr] = amounts.add(total.get(fr, 0), amount)
    return total


def effective_priority(config, workload):
    boost = 0
    if config.gates["PriorityBoost"]:
        text = workload.annotations.get("kueue.x-k8s.io/priority-boost", "")
        digits = text[1:] if text[:1] in ("+", "-") else text
        if digits.isascii() and digits.isdigit() and -(2**31) <= int(text) < 2**31:
            boost = int(text)
    return workload.priority + boost


def equivalence(world, config, workload, totals):
    """Two workloads with equal values are equivalent (3.9); None when the gate is off."""
    if not config.gates["SchedulingEquivalenceHashing"]:
        return None

    def quantities(resources):
        return sorted((n, amounts.parse(t), amounts.is_binary_notation(t)) for n, t in (resources or {}).items())

    shapes = []
    for pod_set, total in zip(workload.pod_sets, totals):
        spec = adjusted(world, workload.namespace, pod_set["template"])
        containers = [
            [(quantities(c["resources"]["requests"]), c.get("ports")) for c in spec.get(kind) or []]
            for kind in ("initContainers", "containers")
        ]
        plain = [
            spec.get(key)
            for key in ("nodeSelector", "affinity", "tolerations", "runtimeClassName", "priority")
        ]
        pod_level = quantities((spec.get("resources") or {}).get("requests")) if "resources" in spec else None
        shapes.append([
            total.name, total.count, sorted(total.requests.items()), pod_set.get("minCount"), containers, plain,
            pod_set.get("topologyRequest"),
            quantities(spec.get("overhead")), pod_level,
        ])
    allowed = workload.allowed_flavors if config.gates["ConcurrentAdmission"] else None
    return repr((effective_priority(config, workload), shapes, allowed))
