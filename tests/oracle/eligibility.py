"""May this pod template use this flavor at all (scheduling.md 1.12, without topologies)?"""
from validation import expression_matches


def tolerated(taint, tolerations):
    return any(_tolerates(toleration, taint) for toleration in tolerations)


def _tolerates(toleration, taint):
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    operator = toleration.get("operator") or "Equal"
    value, wanted = taint.get("value", ""), toleration.get("value", "")
    if operator == "Exists":
        return True
    if operator == "Equal":
        return value == wanted
    if operator in ("Lt", "Gt") and _is_integer(value) and _is_integer(wanted):
        return int(value) < int(wanted) if operator == "Lt" else int(value) > int(wanted)
    return False


def _is_integer(text):
    return text.lstrip("-").isdigit()


def labels_match(spec, labels):
    """Node selector and required affinity, looking at this flavor's label keys only."""
    for key, value in (spec.get("nodeSelector") or {}).items():
        if key in labels and labels[key] != value:
            return False
    required = ((spec.get("affinity") or {}).get("nodeAffinity") or {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution"
    )
    if not required:
        return True
    terms = [
        [e for e in term.get("matchExpressions") or [] if e["key"] in labels]
        for term in required["nodeSelectorTerms"]
    ]
    if any(not term for term in terms):
        return True
    return any(all(expression_matches(e, labels) for e in term) for term in terms)


def problem(world, flavor, spec):
    """The reason why the flavor does not do, or None."""
    config = world.flavors.get(flavor)
    if config is None:
        return f"flavor {flavor} not found"
    tolerations = (spec.get("tolerations") or []) + (config.get("tolerations") or [])
    for taint in config.get("nodeTaints") or []:
        if taint["effect"] in ("NoSchedule", "NoExecute") and not tolerated(taint, tolerations):
            shown = f"{{{taint['key']} {taint.get('value', '')} {taint['effect']} <nil>}}"
            return f"untolerated taint {shown} in flavor {flavor}"
    if not labels_match(spec, config.get("nodeLabels") or {}):
        return f"flavor {flavor} doesn't match node affinity"
    return None
