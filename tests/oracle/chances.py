"""Random choices of one world: a feature is first chosen for the world, then for each object."""
import random

import amounts

# Features that crowded worlds have as often as others.
COMMON = {
    "borrowing", "lending", "weights", "strict", "cohort quota", "shuffled flavors", "several groups", "durations",
    "several pod sets", "partial", "victims", "preemption gates", "boost", "second local queues", "slices",
}
NOW = "2026-01-01T01:00:00Z"


def second(offset):
    """A point in time, in seconds after midnight."""
    return f"2026-01-01T{offset // 3600:02d}:{offset // 60 % 60:02d}:{offset % 60:02d}Z"


def document(kind, name, spec, namespace=None, version="kueue.x-k8s.io/v1beta2"):
    metadata = {"name": name}
    if namespace:
        metadata["namespace"] = namespace
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}


def condition(kind, status, reason, time, message="m"):
    return {"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": time}


def notation(resource, number):
    """A number of whole units; bytes come in gibibytes."""
    return f"{number}Gi" if amounts.is_binary(resource) else str(number)


class Chances:
    """crowded: a plain world in which most quota is taken and everybody wants more."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.features = {}
        self.crowded = self.chance(0.6)

    def chance(self, probability):
        return self.random.random() < probability

    def pick(self, *items):
        return self.random.choice(items)

    def uses(self, feature, probability, often=0.5):
        """Does this object use a feature? 'probability': that the world has it at all."""
        if feature not in self.features:
            rare = self.crowded and feature not in COMMON
            self.features[feature] = self.chance(probability * 0.3 if rare else probability)
        return self.features[feature] and self.chance(often)

    def amount(self, resource, *values):
        return notation(resource, self.pick(*values))
