# Sums what reserving Workloads hold, event by event. Arguments: limits as in lib.sh watch_quota.
def reserved: any(.status.conditions[]?; .type == "QuotaReserved" and .status == "True");
def finished: any(.status.conditions[]?; .type == "Finished" and .status == "True");
def held: [.status.admission.podSetAssignments[]?.resourceUsage["nvidia.com/gpu"] // "0" | tonumber] | add // 0;
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
