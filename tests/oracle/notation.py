"""The same objects as other people might write them: in v1beta1, as YAML, as a list, without what is implied."""
import copy
import json
import zlib

import case_file

V1BETA1 = "kueue.x-k8s.io/v1beta1"
OLD_WORDS = {"whenCanBorrow": "Borrow", "whenCanPreempt": "Preempt"}


def _older_cluster_queue(spec):
    if "cohortName" in spec:
        spec["cohort"] = spec.pop("cohortName")
    for key, word in OLD_WORDS.items():
        fungibility = spec.get("flavorFungibility") or {}
        if fungibility.get(key) == "MayStopSearch":
            fungibility[key] = word
    checks = (spec.get("admissionChecksStrategy") or {}).get("admissionChecks") or []
    if checks and not any("onFlavors" in check for check in checks):
        del spec["admissionChecksStrategy"]
        spec["admissionChecks"] = [check["name"] for check in checks]


def _older(document):
    """In v1beta1 (api.md 2.2), where that says the same."""
    spec = document.get("spec") or {}
    if not document["apiVersion"].startswith("kueue.") or "preemptionGates" in spec:
        return document
    older = {**copy.deepcopy(document), "apiVersion": V1BETA1}
    if document["kind"] == "ClusterQueue":
        _older_cluster_queue(older["spec"])
    return older


def _dice(document):
    """A number that stays the same while the world around the object shrinks."""
    return zlib.crc32(f"{document['kind']}/{document['metadata']['name']}".encode())


def variants(documents):
    """Some objects in the older version."""
    return [_older(document) if _dice(document) % 3 == 0 else document for document in documents]


def text(documents):
    """A manifest: one list, JSON documents, or YAML."""
    form = sum(map(_dice, documents)) % 3
    if form == 0:
        return json.dumps({"apiVersion": "v1", "kind": "List", "items": documents})
    if form == 1:
        return "\n---\n".join(map(json.dumps, documents))
    return case_file.manifests(documents)
