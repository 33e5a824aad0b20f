# Sums what reserving Workloads hold, event by event. Arguments: limits as in lib.sh watch_quota.
def reserved: any(.status.conditions[]?; .type == "QuotaReserved" and .status == "True");
def finished: any(.status.conditions[]?; .type == "Finished" and .status == "True");
# Pods that have ended for good give their share back (status.reclaimablePods).
def reclaimed($name): [.status.reclaimablePods[]? | select(.name == $name) | .count] | add // 0;
def held: . as $w | [.status.admission.podSetAssignments[]? | . as $a |
    ($a.resourceUsage["nvidia.com/gpu"] // "0" | tonumber) as $usage |
    (([$w.spec.podSets[]? | select(.name == $a.name) | .count] | add // $a.count) - ($w | reclaimed($a.name))) as $left |
    if $left < $a.count then ($usage / $a.count | floor) * $left else $usage end] | add // 0;
def limits: [$ARGS.positional[] | split("=") | {queues: (.[0] | split("+")), limit: (.[1] | tonumber)}];
limits as $limits |
foreach inputs as $event (
    {held: {}};
    ($event.object.metadata.namespace + "/" + $event.object.metadata.name) as $key |
    if $event.type == "DELETED" or ($event.object | (reserved | not) or finished) then .held |= del(.[$key])
    else .held[$key] = {queue: $event.object.status.admission.clusterQueue, amount: ($event.object | held),
                        whole: (($event.object.spec.podSets | length) == ($event.object.status.admission.podSetAssignments | length))}
    end |
    .lines = [
        (.held | to_entries[] | select(.value.whole | not) | "VIOLATION \(.key) is admitted in part"),
        (.held as $held | $limits[] | . as $l |
            ([$held[] | select(.queue as $q | $l.queues | index($q)) | .amount] | add // 0) as $sum |
            if $sum > $l.limit then "VIOLATION \($l.queues | join("+")) holds \($sum) of \($l.limit)" else "SUM \($l.queues | join("+")) \($sum)" end)
    ];
    .lines[])
