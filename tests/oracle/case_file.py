"""A world as a file for tests/cases: its manifests, and what the oracle says about it."""
import json
import re

WIDTH = 100
PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9./_-]*$")
RESERVED = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}


def _scalar(value):
    if isinstance(value, str) and PLAIN.match(value) and value.lower() not in RESERVED:
        return value
    return json.dumps(value, ensure_ascii=False)


def _flow(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(k)}: {_flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _scalar(value)


def _lines(value, indent):
    """Block style on the outside, flow style as soon as it fits on a line."""
    space = " " * indent
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            line = f"{space}{_scalar(key)}: {_flow(inner)}"
            if len(line) <= WIDTH or not isinstance(inner, (dict, list)):
                yield line
            else:
                yield f"{space}{_scalar(key)}:"
                yield from _lines(inner, indent if isinstance(inner, list) else indent + 2)
    elif isinstance(value, list):
        for inner in value:
            line = f"{space}- {_flow(inner)}"
            if len(line) <= WIDTH or not isinstance(inner, (dict, list)):
                yield line
            else:
                first, *rest = _lines(inner, indent + 2)
                yield f"{space}- {first.lstrip()}"
                yield from rest


def _expectation(shows, configuration, gates, mode, output):
    run = {"cycles": int(mode[1])} if len(mode) > 1 else {}
    if gates:
        run["gates"] = ",".join(f"{name}={str(on).lower()}" for name, on in gates.items())
    if len(configuration) > 2:
        run["config"] = configuration
    decisions = [
        [{k: v for k, v in d.items() if v not in ("", [], None) and k != "clusterQueue"} for d in cycle["decisions"]]
        for cycle in output["cycles"]
    ]
    for decision in (d for cycle in decisions for d in cycle):
        for assigned in decision.get("admission", {}).get("podSetAssignments", []):
            assigned.pop("resourceUsage")
    return {
        "apiVersion": "sluice.dev/v1", "kind": "Expect", "shows": shows,
        **({"run": run} if run else {}), "decisions": decisions,
    }


def manifests(documents):
    """As YAML."""
    return "\n---\n".join("\n".join(_lines(document, 0)) for document in documents) + "\n"


def text(shows, world, mode, output, now):
    """The whole file."""
    documents, configuration, gates = world
    expectation = _expectation(shows, configuration, gates, mode, output)
    expectation.setdefault("run", {})["now"] = now
    return f"# {shows}\n" + manifests(documents) + "--- # expect\n" + manifests([expectation])
