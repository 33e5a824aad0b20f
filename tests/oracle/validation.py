"""Why a head is refused before flavors are looked at (scheduling.md 4.2)."""
import json

import amounts
import requests


def selector_matches(selector, labels):
    """An absent selector matches nothing, an empty one everything."""
    if selector is None:
        return False
    terms = [{"key": k, "operator": "In", "values": [v]} for k, v in (selector.get("matchLabels") or {}).items()]
    return all(expression_matches(term, labels) for term in terms + (selector.get("matchExpressions") or []))


def expression_matches(term, labels):
    """Selector operators with Kubernetes' meaning."""
    value, values = labels.get(term["key"]), term.get("values") or []
    operator = term["operator"]
    if operator == "In":
        return value in values
    if operator == "NotIn":
        return value not in values
    if operator == "Exists":
        return value is not None
    if operator == "DoesNotExist":
        return value is None
    if value is None:
        return False
    return int(value) > int(values[0]) if operator == "Gt" else int(value) < int(values[0])


def _joined(errors):
    unique = list(dict.fromkeys(errors))
    return unique[0] if len(unique) == 1 else "[" + ", ".join(unique) + "]"


def _invalid(path, names, text):
    return f"{path}: Invalid value: {json.dumps(sorted(names), separators=(',', ':'))}: {text}"


def _holders(index, spec):
    """(path, resources) of everything in a pod that has requests."""
    path = f"spec.podSets[{index}].template.spec"
    for kind in ("initContainers", "containers"):
        for position, container in enumerate(spec.get(kind) or []):
            yield f"{path}.{kind}[{position}]", container["resources"]
    if "resources" in spec:
        yield f"{path}.resources", spec["resources"]


def above_limits(specs):
    errors = []
    for index, spec in enumerate(specs):
        for path, resources in _holders(index, spec):
            limits = resources.get("limits") or {}
            over = [
                name for name, text in (resources.get("requests") or {}).items()
                if name in limits
                and amounts.request(name, amounts.parse(text)) > amounts.request(name, amounts.parse(limits[name]))
            ]
            if over:
                errors.append(_invalid(path, over, "requests must not exceed its limits"))
    return errors


def _range_errors(path, low, high, item):
    above = [n for n, v in high.items() if n in item["max"] and v > amounts.parse(item["max"][n])]
    below = [n for n, v in low.items() if n in item["min"] and v < amounts.parse(item["min"][n])]
    errors = []
    if above:
        errors.append(_invalid(path, above, "requests must not be above the limitRange max"))
    if below:
        errors.append(_invalid(path, below, "requests must not be below the limitRange min"))
    return errors


def outside_range(merged, specs):
    errors = []
    for index, spec in enumerate(specs):
        for path, resources in _holders(index, spec):
            if "Container" in merged and "ontainers[" in path:
                limits = {n: amounts.parse(t) for n, t in (resources.get("limits") or {}).items()}
                wanted = {n: amounts.parse(t) for n, t in (resources.get("requests") or {}).items()}
                names = {**limits, **wanted}
                low = {n: min(limits.get(n, wanted.get(n)), wanted.get(n, limits.get(n))) for n in names}
                high = {n: max(limits.get(n, wanted.get(n)), wanted.get(n, limits.get(n))) for n in names}
                errors += _range_errors(path, low, high, merged["Container"])
        if "Pod" in merged:
            pod = requests.of_pod(spec)
            errors += _range_errors(f"spec.podSets[{index}].template.spec", pod, pod, merged["Pod"])
    return errors


def problem(world, queue, workload):
    """(message, is it the namespace?) or None."""
    if not selector_matches(queue.selector, world.namespace_labels(workload.namespace)):
        return "workload namespace doesn't match ClusterQueue selector", True
    specs = [requests.adjusted(world, workload.namespace, p["template"]) for p in workload.pod_sets]
    errors = above_limits(specs)
    if errors:
        return "resources validation failed: " + _joined(errors), False
    errors = outside_range(requests.summary(world, workload.namespace), specs)
    if errors:
        return "resources didn't satisfy LimitRange constraints: " + _joined(errors), False
    return None
