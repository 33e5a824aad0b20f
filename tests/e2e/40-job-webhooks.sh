#!/usr/bin/env bash
# Webhooks of batch Jobs: every default and every rule, with its message, against the API server.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=api.sh
. "$(dirname "$0")/api.sh"
api_stage "" --components core,webhooks-core,webhook:batch/job

# job_of FILTER: a Job "j" of queue "q", changed by a jq filter.
job_of() {
    jq -nc '{apiVersion: "batch/v1", kind: "Job", metadata: {name: "j", namespace: "t", labels: {"kueue.x-k8s.io/queue-name": "q"}, annotations: {}},
        spec: {parallelism: 3, completions: 3, template: {metadata: {annotations: {}}, spec: {restartPolicy: "Never", containers: [{name: "c", image: "i:1"}]}}}}
        | '"$1"
}
K=kueue.x-k8s.io
A=".metadata.annotations[\"$K/" L=".metadata.labels[\"$K/" T=".spec.template.metadata.annotations[\"$K/"
M="metadata.annotations[$K/" N="metadata.labels[$K/" P="spec.template.metadata.annotations[$K/"
dry="$(at jobs)?dryRun=All"
denied() { check "$1 is refused" refused "$3" POST "$dry" "$(job_of "$2")"; }
# becomes TEXT FILTER EXPECTED: what a created Job looks like.
created() { api POST "$dry" "$(job_of "$1")" | jq -e "$2" >/dev/null; }
becomes() { check "$1" created "$2" "$3"; }
accepted() { check "$1 is accepted" created "$2" '.kind == "Job"'; }

# ---- creation: defaults ----
becomes "a Job with a queue is suspended" . '.spec.suspend == true'
becomes "one without is left alone" 'del(.metadata.labels)' ".spec.suspend == false and .metadata.labels[\"$K/queue-name\"] == null"
make workloadpriorityclasses '{apiVersion: kueue.x-k8s.io/v1beta2, kind: WorkloadPriorityClass, metadata: {name: default}, value: 5}'
check "the default priority class is given" soon created . ".metadata.labels[\"$K/priority-class\"] == \"default\""
becomes "but not instead of another one" "${L}priority-class\"] = \"x\"" ".metadata.labels[\"$K/priority-class\"] == \"x\""
drop workloadpriorityclasses default
check "and no more when it is gone" soon created . ".metadata.labels[\"$K/priority-class\"] == null"
becomes "a managedBy of another controller stays" '.spec.managedBy = "example.com/c"' '.spec.managedBy == "example.com/c" and .spec.suspend == true'

# ---- creation: rules ----
subdomain="a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
denied "a queue name that is none" "${L}queue-name\"] = \"Not_Valid\"" "${N}queue-name]: Invalid value: \"Not_Valid\": $subdomain"
denied "an empty queue name" "${L}queue-name\"] = \"\"" "${N}queue-name]: Invalid value: \"\": $subdomain"
denied "a prebuilt name that is none" "${A}prebuilt-workload-name\"] = \"No!\"" "${M}prebuilt-workload-name]: Invalid value: \"No!\": $subdomain"
denied "the same as a label" "${L}prebuilt-workload-name\"] = \"No_\" | ${L}prebuilt-workload-name\"] = \"No_o\"" "${N}prebuilt-workload-name]: Invalid value: \"No_o\": $subdomain"
denied "a time that is no number" "${L}max-exec-time-seconds\"] = \"NaN\"" "${N}max-exec-time-seconds]: Invalid value: \"NaN\": strconv.Atoi: parsing \"NaN\": invalid syntax"
denied "a time of zero" "${L}max-exec-time-seconds\"] = \"0\"" "${N}max-exec-time-seconds]: Invalid value: 0: should be greater than 0"
denied "a minimum that is no number" "${A}job-min-parallelism\"] = \"NaN\"" "${M}job-min-parallelism]: Invalid value: \"NaN\": strconv.Atoi: parsing \"NaN\": invalid syntax"
denied "a minimum as large as the count" "${A}job-min-parallelism\"] = \"3\"" "${M}job-min-parallelism]: Invalid value: 3: should be between 0 and 2"
denied "a minimum of zero" "${A}job-min-parallelism\"] = \"0\"" "${M}job-min-parallelism]: Invalid value: 0: should be between 0 and 2"
denied "a minimum with slices" "${A}job-min-parallelism\"] = \"2\" | ${A}elastic-job\"] = \"true\"" "${M}job-min-parallelism]: Invalid value: \"2\": partial admission and elastic job cannot be used together"
denied "a switch that is none" "${A}job-completions-equal-parallelism\"] = \"-\"" "${M}job-completions-equal-parallelism]: Invalid value: \"-\": strconv.ParseBool: parsing \"-\": invalid syntax"
denied "following completions without indexes" "${A}job-completions-equal-parallelism\"] = \"true\"" "${M}job-completions-equal-parallelism]: Invalid value: \"true\": should not be enabled for NonIndexed jobs"
denied "following completions that differ" "${A}job-completions-equal-parallelism\"] = \"true\" | .spec.completionMode = \"Indexed\" | .spec.completions = 6" "spec.completions: Invalid value: 6: should be equal to parallelism when $K/job-completions-equal-parallelism annotation is true"
denied "an admission gate without a domain" "${A}admission-gated-by\"] = \"x\"" "${M}admission-gated-by]: Invalid value: \"x\": must be a domain-prefixed path (such as \"acme.io/foo\")"
denied "two errors" "${L}max-exec-time-seconds\"] = \"0\" | ${A}job-min-parallelism\"] = \"0\"" "[${N}max-exec-time-seconds]: Invalid value: 0: should be greater than 0, ${M}job-min-parallelism]: Invalid value: 0: should be between 0 and 2]"

required="name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
accepted "a required topology" "${T}podset-required-topology\"] = \"cloud.com/rack\""
denied "two topologies" "${T}podset-required-topology\"] = \"a\" | ${T}podset-preferred-topology\"] = \"b\"" "spec.template.metadata.annotations: Invalid value: must not contain more than one topology annotation: [\"$K/podset-required-topology\", \"$K/podset-preferred-topology\", \"$K/podset-unconstrained-topology\"]"
for key in podset-required-topology podset-preferred-topology; do
    denied "a $key that is no label key" "$T$key\"] = \"a!\"" "$P$key]: Invalid value: \"a!\": $required"
done
denied "a slice topology that is no label key" "${T}podset-slice-required-topology\"] = \"a!\" | ${T}podset-slice-size\"] = \"1\"" "${P}podset-slice-required-topology]: Invalid value: \"a!\": $required"
denied "a numeric group" "${T}podset-group-name\"] = \"12\" | ${T}podset-required-topology\"] = \"a\"" "${P}podset-group-name]: Invalid value: \"12\": must not be a number"
denied "a group with slices" "${T}podset-group-name\"] = \"g\" | ${T}podset-required-topology\"] = \"a\" | ${T}podset-slice-required-topology\"] = \"a\" | ${T}podset-slice-size\"] = \"1\"" "[${P}podset-group-name]: Forbidden: may not be set when '$K/podset-slice-size' is specified, ${P}podset-group-name]: Forbidden: may not be set when '$K/podset-slice-required-topology' is specified]"
denied "a group alone" "${T}podset-group-name\"] = \"g\"" "${P}podset-group-name]: Forbidden: may not be set when neither '$K/podset-preferred-topology' nor '$K/podset-required-topology' is specified"
denied "an unconstrained that is no boolean" "${T}podset-unconstrained-topology\"] = \"yes\"" "${P}podset-unconstrained-topology]: Invalid value: \"yes\": must be a boolean value"
denied "a slice size that is no number" "${T}podset-slice-required-topology\"] = \"a\" | ${T}podset-slice-size\"] = \"x\"" "${P}podset-slice-size]: Invalid value: \"x\": must be a numeric value"
denied "a slice size of zero" "${T}podset-slice-required-topology\"] = \"a\" | ${T}podset-slice-size\"] = \"0\"" "${P}podset-slice-size]: Invalid value: \"0\": must be greater than or equal to 1"
denied "a slice size above the count" "${T}podset-slice-required-topology\"] = \"a\" | ${T}podset-slice-size\"] = \"4\"" "${P}podset-slice-size]: Invalid value: \"4\": must not be greater than pod set count 3"
denied "a slice topology without size" "${T}podset-slice-required-topology\"] = \"a\"" "${P}podset-slice-size]: Required value: must be set when '$K/podset-slice-required-topology' is specified"
denied "a slice size without topology" "${T}podset-slice-size\"] = \"1\"" "${P}podset-slice-size]: Forbidden: may not be set when '$K/podset-slice-required-topology' is not specified"
C="${T}podset-slice-required-topology-constraints\"]" c="${P}podset-slice-required-topology-constraints]"
accepted "layers of slices" "$C = \"[{\\\"topology\\\": \\\"a\\\", \\\"size\\\": 2}, {\\\"topology\\\": \\\"b\\\", \\\"size\\\": 1}]\""
denied "no layer" "$C = \"[]\"" "$c: Invalid value: \"[]\": topology constraints must contain between 1 and 3 entries"
json_error() { denied "layers that are no JSON ($1)" "$C = \"$1\"" "$c: Invalid value: \"$1\": must be a valid JSON array: $2"; }
json_error 'invalid' "invalid character 'i' looking for beginning of value"
json_error 'not-json' "invalid character 'o' in literal null (expecting 'u')"
json_error '' 'unexpected end of JSON input'
json_error '[1' 'unexpected end of JSON input'
denied "a layer twice" "$C = \"[{\\\"topology\\\": \\\"a\\\", \\\"size\\\": 2}, {\\\"topology\\\": \\\"a\\\", \\\"size\\\": 1}]\"" "${c}[1].topology: Duplicate value: \"a (also at index 0)\""
denied "a layer of size zero" "$C = \"[{\\\"topology\\\": \\\"a\\\", \\\"size\\\": 0}]\"" "${c}[0].size: Invalid value: 0: must be greater than or equal to 1"
denied "layers that do not divide" "$C = \"[{\\\"topology\\\": \\\"a\\\", \\\"size\\\": 3}, {\\\"topology\\\": \\\"b\\\", \\\"size\\\": 2}]\"" "${c}[1].size: Invalid value: 2: must evenly divide the parent layer size 3"
denied "a layer above the count" "$C = \"[{\\\"topology\\\": \\\"a\\\", \\\"size\\\": 4}]\"" "$c: Invalid value: \"[{\\\"topology\\\": \\\"a\\\", \\\"size\\\": 4}]\": must not be greater than pod set count 3"
denied "layers beside a slice size" "$C = \"[{\\\"topology\\\": \\\"a\\\", \\\"size\\\": 1}]\" | ${T}podset-slice-size\"] = \"1\" | ${T}podset-slice-required-topology\"] = \"b\"" "[$c: Forbidden: may not be set when '$K/podset-slice-required-topology' is specified, $c: Forbidden: may not be set when '$K/podset-slice-size' is specified]"
for level in required preferred; do
    denied "slices with a $level topology" "${A}elastic-job\"] = \"true\" | ${T}podset-$level-topology\"] = \"a\"" "spec.template.metadata.annotations.$K/podset-$level-topology: Forbidden: $level topology is not supported with elastic jobs"
done

# ---- the default LocalQueue ----
accepted "a Job without a queue before there is a default" 'del(.metadata.labels)'
make localqueues '{apiVersion: kueue.x-k8s.io/v1beta2, kind: LocalQueue, metadata: {name: default, namespace: t}, spec: {clusterQueue: x}}'
check "the default LocalQueue is given" soon created 'del(.metadata.labels)' ".metadata.labels[\"$K/queue-name\"] == \"default\" and .spec.suspend == true"
becomes "also for an empty name" "${L}queue-name\"] = \"\"" ".metadata.labels[\"$K/queue-name\"] == \"default\""
becomes "but not instead of another one" . ".metadata.labels[\"$K/queue-name\"] == \"q\""

# ---- updates ----
# change STATE OLD NEW: a dry change of a stored Job, made from OLD, which is suspended or running.
stored() {
    api DELETE "$(at jobs j)" '{"propagationPolicy": "Background"}' application/json >/dev/null || true
    soon gone jobs j || return 1
    make jobs "$(job_of "$2")" || return 1
    [ "$1" = suspended ] || merge jobs j '{"spec": {"suspend": false}}'
}
# keeps TEXT NEW MESSAGE: the stored Job may not be changed like this.
changed() { show jobs j | jq -c "$1"; }
keeps() { check "$1 is refused" refused "$3" PUT "$(at jobs j)?dryRun=All" "$(changed "$2")"; }
takes() { check "$1 is accepted" refused accepted PUT "$(at jobs j)?dryRun=All" "$(changed "$2")"; }

stored suspended .
takes "another queue while suspended" "${L}queue-name\"] = \"other\""
keeps "no queue where there is a default one" "del(${L}queue-name\"])" "${N}queue-name]: Invalid value: \"\": queue-name must not be empty in namespace with default queue"
keeps "a malformed queue" "${L}queue-name\"] = \"Upper\"" "${N}queue-name]: Invalid value: \"Upper\": $subdomain"
takes "a prebuilt Workload while suspended" "${A}prebuilt-workload-name\"] = \"w\""
takes "a time while suspended" "${L}max-exec-time-seconds\"] = \"5\""
takes "a priority class while suspended" "${L}priority-class\"] = \"high\""
keeps "becoming elastic" "${A}elastic-job\"] = \"true\"" "${M}elastic-job]: Invalid value: true: field is immutable"
keeps "an admission gate" "${A}admission-gated-by\"] = \"a.b/c\"" "${M}admission-gated-by]: Forbidden: cannot add admission gate after creation"
keeps "two topologies later" "${T}podset-required-topology\"] = \"a\" | ${T}podset-preferred-topology\"] = \"b\"" "spec.template.metadata.annotations: Invalid value: must not contain more than one topology annotation: [\"$K/podset-required-topology\", \"$K/podset-preferred-topology\", \"$K/podset-unconstrained-topology\"]"
drop localqueues default
check "no queue once there is no default" soon refused accepted PUT "$(at jobs j)?dryRun=All" "$(changed "del(${L}queue-name\"])")"

stored running .
keeps "another queue while running" "${L}queue-name\"] = \"other\"" "${N}queue-name]: Invalid value: \"other\": field is immutable"
takes "another queue when it is suspended at the same time" "${L}queue-name\"] = \"other\" | .spec.suspend = true"
keeps "a prebuilt Workload while running" "${A}prebuilt-workload-name\"] = \"w\"" "${M}prebuilt-workload-name]: Invalid value: \"w\": field is immutable"
keeps "a time while running" "${L}max-exec-time-seconds\"] = \"5\"" "${N}max-exec-time-seconds]: Invalid value: \"5\": field is immutable"
keeps "a time while suspending" "${L}max-exec-time-seconds\"] = \"5\" | .spec.suspend = true" "${N}max-exec-time-seconds]: Invalid value: \"5\": field is immutable"
keeps "a priority class while running" "${L}priority-class\"] = \"high\"" "${N}priority-class]: Invalid value: \"high\": WorkloadPriorityClass cannot be added to a non-suspended workload"
keeps "following completions while running" "${A}job-completions-equal-parallelism\"] = \"true\"" "[${M}job-completions-equal-parallelism]: Invalid value: \"true\": should not be enabled for NonIndexed jobs, ${M}job-completions-equal-parallelism]: Forbidden: field is immutable while the job is not suspended]"
takes "more pods" '.spec.parallelism = 2'

stored running "${L}priority-class\"] = \"high\" | ${A}job-min-parallelism\"] = \"2\" | ${A}admission-gated-by\"] = \"a.b/c,a.b/d\""
takes "another priority class while running" "${L}priority-class\"] = \"low\""
keeps "no priority class" "del(${L}priority-class\"])" "${N}priority-class]: Invalid value: \"\": WorkloadPriorityClass cannot be removed from a workload"
keeps "another parallelism under partial admission" '.spec.parallelism = 2' 'spec.parallelism: Forbidden: cannot change when partial admission is enabled and the job is not suspended'
takes "one gate less" "${A}admission-gated-by\"] = \"a.b/d\""
takes "no gate" "del(${A}admission-gated-by\"])"
keeps "another gate" "${A}admission-gated-by\"] = \"a.b/d,a.b/e\"" "${M}admission-gated-by]: Forbidden: can only remove gates, not add new ones"
keeps "a minimum out of range" "${A}job-min-parallelism\"] = \"9\"" "${M}job-min-parallelism]: Invalid value: 9: should be between 0 and 2"

stored suspended "${A}elastic-job\"] = \"true\""
keeps "becoming rigid" "del(${A}elastic-job\"])" "${M}elastic-job]: Invalid value: false: field is immutable"

# ---- gates that are off, parts that do not run ----
api DELETE "$(at jobs j)" '{"propagationPolicy": "Background"}' application/json >/dev/null
soon gone jobs j
api_restart "" --components core,webhooks-core,webhook:batch/job --feature-gates AdmissionGatedBy=false,TopologyAwareScheduling=false,TASProfileMixed=false,TASFailedNodeReplacement=false,TASFailedNodeReplacementFailFast=false,TASReplaceNodeOnPodTermination=false,TASReplaceNodeOnNodeTaints=false,TASMultiLayerTopology=false,TASHandleOverlappingFlavors=false,TASRecomputeAssignmentWithinSchedulingCycle=false,ElasticJobsViaWorkloadSlices=false,WorkloadIdentifierAnnotations=false,WorkloadPriorityClassDefaulting=false
accepted "any gate name without AdmissionGatedBy" "${A}admission-gated-by\"] = \"x\""
accepted "any topology without TopologyAwareScheduling" "${T}podset-required-topology\"] = \"a!\""
accepted "a minimum without slices" "${A}job-min-parallelism\"] = \"2\" | ${A}elastic-job\"] = \"true\""
accepted "any short annotation without WorkloadIdentifierAnnotations" "${A}prebuilt-workload-name\"] = \"No!\""
denied "a long annotation" "${A}prebuilt-workload-name\"] = \"$(printf 'A%.0s' {1..64})\"" "${M}prebuilt-workload-name]: Invalid value: \"$(printf 'A%.0s' {1..64})\": $subdomain"
api_restart "" --components core,webhooks-core
becomes "without the webhook nothing is changed" . '.spec.suspend == false'
accepted "and nothing refused" "${L}max-exec-time-seconds\"] = \"0\""
