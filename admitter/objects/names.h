/* names.h - groups, labels, annotations, finalizers and other names that have a spelling to get
 * wrong.
 *
 * These texts are the interface that manifests, clients and dashboards rely on; here is the one
 * place for them. Types and reasons of conditions and Events are plain words: they stand literally
 * where a rule sets or asks for them, as users read them. Sources: spec/api.md 2.2, 4 to 7. */
#pragma once

#define KUEUE_GROUP "kueue.x-k8s.io"
#define KUEUE_V1BETA1 "kueue.x-k8s.io/v1beta1"
#define KUEUE_V1BETA2 "kueue.x-k8s.io/v1beta2"

/* ---- labels ---- */
#define LABEL_QUEUE_NAME "kueue.x-k8s.io/queue-name"
#define LABEL_PRIORITY_CLASS "kueue.x-k8s.io/priority-class"
#define LABEL_MAX_EXEC_TIME_SECONDS "kueue.x-k8s.io/max-exec-time-seconds"
#define LABEL_JOB_UID "kueue.x-k8s.io/job-uid"
#define LABEL_POD_SET "kueue.x-k8s.io/podset"
#define LABEL_CLUSTER_QUEUE_NAME "kueue.x-k8s.io/cluster-queue-name"
#define LABEL_LOCAL_QUEUE_NAME "kueue.x-k8s.io/local-queue-name"
#define LABEL_MULTIKUEUE_ORIGIN "kueue.x-k8s.io/multikueue-origin"
#define LABEL_MULTIKUEUE_WORKER_POD "kueue.x-k8s.io/multikueue-worker-workload-pod"
#define LABEL_CONCURRENT_ADMISSION_PARENT "kueue.x-k8s.io/concurrent-admission-parent"

/* Label or annotation; the annotation has precedence. */
#define PREBUILT_WORKLOAD_NAME "kueue.x-k8s.io/prebuilt-workload-name"

/* ---- annotations ---- */
#define ANNOTATION_ADMISSION_GATED_BY "kueue.x-k8s.io/admission-gated-by"
#define ANNOTATION_PRIORITY_BOOST "kueue.x-k8s.io/priority-boost"
#define ANNOTATION_ELASTIC_JOB "kueue.x-k8s.io/elastic-job"
#define ANNOTATION_SLICE_NAME "kueue.x-k8s.io/workload-slice-name"
#define ANNOTATION_SLICE_REPLACEMENT_FOR "kueue.x-k8s.io/workload-slice-replacement-for"
#define ANNOTATION_WORKLOAD "kueue.x-k8s.io/workload"
#define ANNOTATION_POD_SET_REQUIRED_TOPOLOGY "kueue.x-k8s.io/podset-required-topology"
#define ANNOTATION_POD_SET_PREFERRED_TOPOLOGY "kueue.x-k8s.io/podset-preferred-topology"
#define ANNOTATION_POD_SET_UNCONSTRAINED_TOPOLOGY "kueue.x-k8s.io/podset-unconstrained-topology"
#define ANNOTATION_POD_SET_SLICE_REQUIRED_TOPOLOGY "kueue.x-k8s.io/podset-slice-required-topology"
#define ANNOTATION_POD_SET_SLICE_SIZE "kueue.x-k8s.io/podset-slice-size"
#define ANNOTATION_POD_SET_SLICE_CONSTRAINTS                                                       \
    "kueue.x-k8s.io/podset-slice-required-topology-constraints"
#define ANNOTATION_POD_SET_GROUP_NAME "kueue.x-k8s.io/podset-group-name"
#define ANNOTATION_IS_GROUP_WORKLOAD "kueue.x-k8s.io/is-group-workload"
#define ANNOTATION_JOB_MIN_PARALLELISM "kueue.x-k8s.io/job-min-parallelism"
#define ANNOTATION_JOB_COMPLETIONS_EQUAL_PARALLELISM                                               \
    "kueue.x-k8s.io/job-completions-equal-parallelism"
#define ANNOTATION_STOPPING "kueue.x-k8s.io/stopping"
#define ANNOTATION_ALLOWED_FLAVORS "kueue.x-k8s.io/workload-allowed-resource-flavors"
#define ANNOTATION_PROVISIONING_PREFIX "provreq.kueue.x-k8s.io/"

/* ---- finalizers, gates, controllers ---- */
#define FINALIZER_RESOURCE_IN_USE "kueue.x-k8s.io/resource-in-use"
#define SCHEDULING_GATE_TOPOLOGY "kueue.x-k8s.io/topology"
#define SCHEDULING_GATE_ELASTIC "kueue.x-k8s.io/elastic-job"
#define CONTROLLER_MULTIKUEUE "kueue.x-k8s.io/multikueue"
#define CONTROLLER_PROVISIONING "kueue.x-k8s.io/provisioning-request"
#define POD_SET_DEFAULT_NAME "main"
#define DEFAULT_NAME "default" /* of the LocalQueue and the WorkloadPriorityClass that jobs get */
#define HOSTNAME_LABEL "kubernetes.io/hostname"
#define NAMESPACE_NAME_LABEL "kubernetes.io/metadata.name"
#define RESOURCE_PODS "pods" /* counted for each pod; not allowed in a template */

/* ---- priority classes (spec/api.md 2.2) ---- */
#define PRIORITY_SOURCE_WORKLOAD "kueue.x-k8s.io/workloadpriorityclass" /* v1beta1 */
#define PRIORITY_SOURCE_POD "scheduling.k8s.io/priorityclass"           /* v1beta1 */
#define PRIORITY_GROUP_WORKLOAD KUEUE_GROUP
#define PRIORITY_KIND_WORKLOAD "WorkloadPriorityClass"
#define PRIORITY_GROUP_POD "scheduling.k8s.io"
#define PRIORITY_KIND_POD "PriorityClass"
