# life.jq - reads watch events of Workloads, prints a line per violation of spec/api.md 5 and spec/lifecycle.md 1, and "SEEN n".
# Written from those pages, not from the table in admitter/loop/life_cycle.c, so that one can find the other's mistakes.
def cond($t): (.status.conditions // []) | map(select(.type == $t)) | first // {};
def holds($t): cond($t).status == "True";
def life:
    if holds("Finished") then "finished"
    elif holds("QuotaReserved") | not then "pending"
    elif holds("Evicted") then "evicted"
    elif holds("Admitted") then "admitted"
    else "reserved" end;
def follows: {
    pending: ["pending", "reserved", "admitted", "finished"],
    reserved: ["reserved", "admitted", "evicted", "pending", "finished"],
    admitted: ["admitted", "evicted", "finished"],
    evicted: ["evicted", "pending", "finished"],
    finished: ["finished"]};
def reasons: {
    "QuotaReserved/True": "QuotaReserved",
    "QuotaReserved/False": "NoMatchingFlavor|WaitingForQuota|ExceedsMaxQuota|WaitingForPreemptedWorkloads|Misconfigured|Suspended|PendingEvaluation|WaitingForPodsReady|AdmissionGated|OnHold|Deactivated|Pending",
    "Admitted/True": "Admitted",
    "Admitted/False": "NoReservation|UnsatisfiedAdmissionChecks",
    "Evicted/True": "Preempted|PodsReadyTimeout|AdmissionCheck|ClusterQueueStopped|LocalQueueStopped|Deactivated(DueTo[A-Za-z]+)?",
    "Evicted/False": "QuotaReserved",
    "Preempted/True": "InClusterQueue|InCohortReclamation",
    "Preempted/False": "QuotaReserved",
    "Requeued/True": "Preempted|Reactivated|BackoffFinished|ClusterQueueRestarted|LocalQueueRestarted",
    "Requeued/False": "PodsReadyTimeout|AdmissionCheck|ClusterQueueStopped|LocalQueueStopped|Deactivated(DueTo[A-Za-z]+)?",
    "DeactivationTarget/True": "RequeuingLimitExceeded|AdmissionCheck|MaximumExecutionTimeExceeded",
    "PodsReady/True": "Started|Recovered", "PodsReady/False": "WaitForStart|WaitForRecovery",
    "Finished/True": "Succeeded"};
def evictions: [.status.schedulingStats.evictions[]?.count] | add // 0;
def reserved: select(life != "pending" and life != "finished" and .spec.active != false)
    | [.status.admission.podSetAssignments[]?.resourceUsage.cpu // "0" | if endswith("m") then .[:-1] | tonumber / 1000 else tonumber end] | add // 0;

# One version by itself.
def flaws:
    (select(holds("QuotaReserved") and .status.admission == null) | "quota without an admission"),
    (select(holds("Admitted") and (holds("QuotaReserved") | not)) | "admitted without quota"),
    (select(holds("Preempted") and (holds("Evicted") | not)) | "preempted and not evicted"),
    ((.status.conditions // [])[] | "\(.type)/\(.status)" as $key
        | select((reasons[$key] // "") as $known | .reason | test("^(\($known))$") | not) | "\($key) with reason \(.reason)"),
    ((.status.conditions // [])[] | select(.type == "Preempted" and (.observedGeneration // 0) != 0) | "Preempted carries a generation");
# Two versions of one object.
def steps($old):
    ($old | life) as $from | life as $to
    | (select(follows[$from] | index($to) | not) | "from \($from) to \($to)"),
      (select(evictions < ($old | evictions)) | "evictions are forgotten"),
      (select((holds("Evicted") and ($old | holds("Evicted") | not)) != (evictions == ($old | evictions) + 1)) | "an eviction that is not counted once"),
      (select(holds("Evicted") and ($old | holds("Evicted") | not) and any(.status.admissionChecks[]?; .state != "Pending")) | "evicted with checks that are not reset"),
      (select((.status.requeueState.count // 0) < ($old.status.requeueState.count // 0) and .spec.active != false) | "the count of requeues went back"),
      (.status.conditions // [])[] as $new | ($old | cond($new.type)) as $was
    | select($was != {} and $was.status == $new.status and $was.lastTransitionTime != $new.lastTransitionTime)
    | "\($new.type) has a new transition time and the old status";

foreach inputs as $event ({known: {}, seen: 0, out: []};
    .seen += 1 | .out = []
    | $event.object as $o | $o.metadata.name as $name
    | if $event.type == "DELETED" then .known |= del(.[$name])
      else
        (.known[$name] // null) as $old
        | .out = ([$o | flaws] + (if $old != null and $old.metadata.uid == $o.metadata.uid then [$o | steps($old)] else [] end) | map("VIOLATION \($name) \($o.metadata.resourceVersion): \(.)"))
        | .known[$name] = ($o | {metadata: {uid: .metadata.uid}, spec: {active: .spec.active, queueName: .spec.queueName}, status})
        | ([.known[] | reserved] | add // 0) as $sum
        | if $sum > $limit then .out += ["VIOLATION \($name): \($sum) cpu reserved of \($limit)"] else . end
      end
    | if .seen % 100 == 0 then .out += ["SEEN \(.seen)"] else . end;
    .out[])
