"""What the simulator prints (simulate.md, JSON output; scheduling.md 8.2)."""
import amounts
import validation
from messages import KEPT, NOT_EVALUATED


def output(simulation):
    return {
        "version": 1,
        "cycles": simulation.cycles,
        "final": {
            "clusterQueues": [_queue(simulation, name) for name in sorted(simulation.queues)],
            "cohorts": [_cohort(simulation, n) for n in sorted(simulation.structure.quotas) if n[0] == "cohort"],
            "waiting": [_waiting(simulation, key) for key in sorted(simulation.waiting)],
            "idle": True,
        },
    }


def _held(usage, node):
    """What somebody holds there, declared or not."""
    return {fr for fr in usage.used[node] if usage.usage(node, fr)}


def _queue(simulation, name):
    queue, active, node = simulation.queues[name], name in simulation.active, ("queue", name)
    usage, holders = simulation.snapshot().usage, [k for k, r in simulation.running.items() if r.queue.name == name]
    rows = []
    for fr in sorted(set(queue.queue.quotas) | _held(usage, node)):
        reserved = usage.usage(node, fr)
        nominal = simulation.structure.quota(node, fr).nominal
        borrowed = max(0, amounts.subtract(reserved, nominal)) if queue.queue.cohort else 0
        rows.append({
            "flavor": fr[0], "resource": fr[1],
            "reserved": amounts.render(fr[1], reserved), "borrowed": amounts.render(fr[1], borrowed),
        })
    return {
        "name": name,
        "active": active,
        "queue": [p.key for p in queue.in_order()] if active else [],
        "parked": sorted(queue.parked) if active else [],
        "reserving": sorted(holders),
        "usage": rows,
    }


def _cohort(simulation, node):
    usage = simulation.snapshot().usage
    parent = simulation.structure.parents[node]
    rows = [
        {
            "flavor": fr[0], "resource": fr[1],
            "subtreeQuota": amounts.render(fr[1], simulation.structure.subtree(node, fr)),
            "used": amounts.render(fr[1], usage.usage(node, fr)),
        }
        for fr in sorted(simulation.structure.table(node) | _held(usage, node))
    ]
    if node in simulation.structure.cyclic:
        rows = None  # not told: totals are frozen
    return {"name": node[1], "parent": parent[1] if parent else "", "usage": rows}


def _waiting(simulation, key):
    workload = simulation.waiting[key]
    local = simulation.world.local_queues.get((workload.namespace, workload.local_queue))
    condition = workload.conditions.get("QuotaReserved")
    told = (condition.reason, condition.message) if condition else ("", "")
    granular = simulation.config.gates["UnadmittedWorkloadsObservability"]
    held = granular and workload.active and told[0] == "OnHold"
    kept = told[0] in KEPT or (workload.gated and told[0] == "AdmissionGated") if granular else told[0]
    reason, message = told if held else _obstacle(simulation, workload) or (
        told if kept else ("PendingEvaluation", NOT_EVALUATED)
    )
    return {
        "workload": key,
        "clusterQueue": local.queue if local else "",
        "reason": reason,
        "message": message,
    }


def _obstacle(simulation, workload):
    """(reason, message) of what keeps the workload from being offered at all (8.2), or None."""
    missing, stopped = "Misconfigured", "Suspended"
    if not simulation.config.gates["UnadmittedWorkloadsObservability"]:
        missing = stopped = "Inadmissible"
    name = workload.local_queue
    local = simulation.world.local_queues.get((workload.namespace, name))
    if not workload.active and simulation.config.gates["UnadmittedWorkloadsObservability"]:
        return "Deactivated", "The workload is deactivated"
    if not local:
        return missing, f"LocalQueue {name} doesn't exist"
    if local.stopped:
        return stopped, f"LocalQueue {name} is inactive"
    if local.queue not in simulation.world.queues:
        return missing, f"ClusterQueue {local.queue} doesn't exist"
    if local.queue not in simulation.active or ("queue", local.queue) in simulation.structure.cyclic:
        return stopped, f"ClusterQueue {local.queue} is inactive"
    if not simulation.config.gates["UnadmittedWorkloadsObservability"]:
        return None
    found = validation.problem(simulation.world, simulation.world.queues[local.queue], workload)
    if found:
        return "Misconfigured", found[0]
    if simulation.gate(workload):
        return "AdmissionGated", f"Admission is gated by: {simulation.gate(workload)}"
    return None


def decision(outcome, config):
    accepted = outcome.outcome in ("Admitted", "Reserved")
    reason = outcome.reason
    if reason and not config.gates["UnadmittedWorkloadsObservability"]:
        reason = "Waiting" if reason == "WaitingForPodsReady" else "Pending"
    return {
        "workload": outcome.entry.key,
        "clusterQueue": outcome.entry.queue.name,
        "outcome": outcome.outcome,
        "reason": reason,
        "message": outcome.message,
        "admission": outcome.entry.workload.admission if accepted else None,
        "preempts": [{"workload": key, "reason": why} for key, why in outcome.preempts],
        "requeue": outcome.requeued,
    }
