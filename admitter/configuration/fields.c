#include "admitter/configuration/object.h"
#include "quota/base/mem.h"

/* One row each: the field's name, its type, the versions that have it, where it goes. */
#define AT(object, member) offsetof(struct object, member)
#define TABLE(name, type)                                                                          \
    static const struct field_table name = { name##_fields, ARRAY_COUNT(name##_fields),            \
                                             sizeof(type) }
#define CONFIG(member) AT(configuration_object, member)
#define SIZE_OF(member) sizeof(((struct configuration_object *)0)->member)
/* Offset of a member of a section, counted from the section. */
#define IN(section, member) (CONFIG(section.member) - CONFIG(section)) /* NOLINT: names */
#define SECTION(name, section)                                                                     \
    static const struct field_table name = { name##_fields, ARRAY_COUNT(name##_fields),            \
                                             SIZE_OF(section) }
#define ANY VERSION_ANY
#define LEAF(name, type, versions, offset)                                                         \
    {                                                                                              \
        (name), FIELD_##type, (versions), (offset), NULL, NULL                                     \
    }

/* clang-format off */
static const struct field webhook_fields[] = {
    LEAF("port", INT, ANY, IN(webhook, port)),
    LEAF("host", TEXT, ANY, IN(webhook, host)),
    LEAF("certDir", TEXT, ANY, IN(webhook, certificate_folder)),
};
SECTION(webhook, webhook);

static const struct field leader_election_fields[] = {
    LEAF("leaderElect", BOOL, ANY, IN(leader_election, enabled)),
    LEAF("leaseDuration", DURATION, ANY, IN(leader_election, lease_duration)),
    LEAF("renewDeadline", DURATION, ANY, IN(leader_election, renew_deadline)),
    LEAF("retryPeriod", DURATION, ANY, IN(leader_election, retry_period)),
    LEAF("resourceLock", TEXT, ANY, IN(leader_election, lock)),
    LEAF("resourceName", TEXT, ANY, IN(leader_election, name)),
    LEAF("resourceNamespace", TEXT, ANY, IN(leader_election, namespace)),
};
SECTION(leader_election, leader_election);

static const struct field local_queue_metrics_fields[] = {
    LEAF("enable", BOOL, ANY, IN(metrics.local_queues, enabled)),
    LEAF("localQueueSelector", SELECTOR, ANY, IN(metrics.local_queues, selector)),
};
SECTION(local_queue_metrics, metrics.local_queues);

static const struct field custom_label_fields[] = {
    LEAF("name", TEXT, ANY, AT(custom_label_row, name)),
    LEAF("sourceLabelKey", TEXT, ANY, AT(custom_label_row, label)),
    LEAF("sourceAnnotationKey", TEXT, ANY, AT(custom_label_row, annotation)),
    LEAF("sourceKind", TEXT, VERSION_2, AT(custom_label_row, kind)),
    LEAF("trackedValues", TEXTS, VERSION_2, AT(custom_label_row, tracked)),
};
TABLE(custom_label, struct custom_label_row);

static const struct field metrics_fields[] = {
    LEAF("bindAddress", ADDRESS, ANY, IN(metrics, bind_address)),
    LEAF("enableClusterQueueResources", BOOL, ANY, IN(metrics, cluster_queue_resources)),
    { "localQueueMetrics", FIELD_OBJECT, ANY, IN(metrics, local_queues), &local_queue_metrics,
      NULL },
    { "customLabels", FIELD_ROWS, ANY, IN(metrics, custom_labels), &custom_label, NULL },
};
SECTION(metrics, metrics);

static const struct field health_fields[] = {
    LEAF("healthProbeBindAddress", ADDRESS, ANY, IN(health, bind_address)),
    LEAF("readinessEndpointName", TEXT, ANY, IN(health, readiness)),
    LEAF("livenessEndpointName", TEXT, ANY, IN(health, liveness)),
};
SECTION(health, health);

static const struct field controller_fields[] = {
    { "groupKindConcurrency", FIELD_INT_MAP, ANY, IN(controller, concurrency), NULL,
      "one thread decides for all kinds" },
    { "cacheSyncTimeout", FIELD_LONG, ANY, IN(controller, cache_sync_timeout), NULL,
      "lists are retried for as long as it takes, and readiness says so" },
};
SECTION(controller, controller);

static const struct field tls_fields[] = {
    LEAF("minVersion", TEXT, ANY, IN(tls, minimum)),
    LEAF("cipherSuites", TEXTS, ANY, IN(tls, cipher_suites)),
    LEAF("curvePreferences", INTS, ANY, IN(tls, curves)),
};
SECTION(tls, tls);

static const struct field certificates_fields[] = {
    LEAF("enable", BOOL, ANY, IN(certificates, enabled)),
    LEAF("webhookServiceName", TEXT, ANY, IN(certificates, service_name)),
    LEAF("webhookSecretName", TEXT, ANY, IN(certificates, secret_name)),
};
SECTION(certificates, certificates);

static const struct field client_fields[] = {
    LEAF("qps", NUMBER, ANY, IN(client, qps)),
    LEAF("burst", INT, ANY, IN(client, burst)),
};
SECTION(client, client);

static const struct field pod_options_fields[] = {
    { "namespaceSelector", FIELD_DROPPED, VERSION_1, 0, NULL, "use managedJobsNamespaceSelector" },
    { "podSelector", FIELD_DROPPED, VERSION_1, 0, NULL, "use managedJobsNamespaceSelector" },
};
static const struct field_table pod_options = { pod_options_fields, 2, 0 };

static const struct field integrations_fields[] = {
    LEAF("frameworks", TEXTS, ANY, IN(integrations, frameworks)),
    LEAF("externalFrameworks", TEXTS, ANY, IN(integrations, external)),
    LEAF("labelKeysToCopy", TEXTS, ANY, IN(integrations, label_keys)),
    { "podOptions", FIELD_DROPPED, VERSION_1, 0, &pod_options, NULL },
};
SECTION(integrations, integrations);

static const struct field requeuing_fields[] = {
    LEAF("timestamp", TEXT, ANY, IN(wait_for_pods_ready.requeuing, timestamp)),
    LEAF("backoffLimitCount", INT, ANY, IN(wait_for_pods_ready.requeuing, limit)),
    LEAF("backoffBaseSeconds", INT, ANY, IN(wait_for_pods_ready.requeuing, base)),
    LEAF("backoffMaxSeconds", INT, ANY, IN(wait_for_pods_ready.requeuing, maximum)),
};
SECTION(requeuing, wait_for_pods_ready.requeuing);

static const struct field wait_fields[] = {
    LEAF("enable", BOOL, VERSION_1, IN(wait_for_pods_ready, enabled)),
    LEAF("timeout", DURATION, ANY, IN(wait_for_pods_ready, timeout)),
    LEAF("blockAdmission", BOOL, ANY, IN(wait_for_pods_ready, block_admission)),
    LEAF("recoveryTimeout", DURATION, ANY, IN(wait_for_pods_ready, recovery_timeout)),
    { "requeuingStrategy", FIELD_OBJECT, ANY, IN(wait_for_pods_ready, requeuing), &requeuing,
      NULL },
};
SECTION(wait, wait_for_pods_ready);

static const struct field named_fields[] = {
    LEAF("name", TEXT, ANY, AT(named_row, name)),
};
TABLE(named, struct named_row);

static const struct field environment_fields[] = {
    LEAF("name", TEXT, ANY, AT(environment_row, name)),
    LEAF("value", SECRET, ANY, AT(environment_row, value)),
};
TABLE(environment, struct environment_row);

static const struct field exec_fields[] = {
    LEAF("command", TEXT, ANY, AT(exec_object, command)),
    LEAF("args", TEXTS, ANY, AT(exec_object, args)),
    { "env", FIELD_ROWS, ANY, AT(exec_object, env), &environment, NULL },
    LEAF("apiVersion", TEXT, ANY, AT(exec_object, api_version)),
    LEAF("installHint", TEXT, ANY, AT(exec_object, install_hint)),
    LEAF("provideClusterInfo", BOOL, ANY, AT(exec_object, provide_cluster_info)),
    LEAF("interactiveMode", TEXT, ANY, AT(exec_object, interactive_mode)),
};
TABLE(exec, struct exec_object);

static const struct field provider_fields[] = {
    LEAF("name", TEXT, ANY, AT(provider_row, name)),
    { "execConfig", FIELD_OBJECT, ANY, AT(provider_row, exec), &exec, NULL },
};
TABLE(provider, struct provider_row);

static const struct field profile_fields[] = {
    { "accessProviders", FIELD_ROWS, ANY, IN(multikueue.profile, access), &provider, NULL },
    { "credentialsProviders", FIELD_ROWS, ANY, IN(multikueue.profile, credentials), &provider,
      NULL },
};
SECTION(profile, multikueue.profile);

static const struct field incremental_fields[] = {
    LEAF("stepSize", INT, ANY, IN(multikueue.incremental, step_size)),
};
SECTION(incremental, multikueue.incremental);

static const struct field multikueue_fields[] = {
    LEAF("gcInterval", DURATION, ANY, IN(multikueue, gc_interval)),
    LEAF("origin", TEXT, ANY, IN(multikueue, origin)),
    LEAF("workerLostTimeout", DURATION, ANY, IN(multikueue, worker_lost_timeout)),
    LEAF("dispatcherName", TEXT, ANY, IN(multikueue, dispatcher)),
    { "externalFrameworks", FIELD_ROWS, ANY, IN(multikueue, external), &named, NULL },
    { "clusterProfile", FIELD_OBJECT, VERSION_2, IN(multikueue, profile), &profile, NULL },
    { "incrementalDispatcherConfig", FIELD_OBJECT, VERSION_2, IN(multikueue, incremental),
      &incremental, NULL },
};
SECTION(multikueue, multikueue);

static const struct field fair_sharing_fields[] = {
    LEAF("enable", BOOL, VERSION_1, IN(fair_sharing, enabled)),
    LEAF("preemptionStrategies", TEXTS, ANY, IN(fair_sharing, strategies)),
};
SECTION(fair_sharing, fair_sharing);

static const struct field admission_fair_sharing_fields[] = {
    LEAF("usageHalfLifeTime", DURATION, ANY, IN(admission_fair_sharing, half_life)),
    LEAF("usageSamplingInterval", DURATION, ANY, IN(admission_fair_sharing, sampling_interval)),
    LEAF("resourceWeights", NUMBER_MAP, ANY, IN(admission_fair_sharing, weights)),
};
SECTION(admission_fair_sharing, admission_fair_sharing);

static const struct field transformation_fields[] = {
    LEAF("input", TEXT, ANY, AT(transformation_row, input)),
    LEAF("strategy", TEXT, ANY, AT(transformation_row, strategy)),
    LEAF("multiplyBy", TEXT, ANY, AT(transformation_row, multiply_by)),
    LEAF("outputs", QUANTITY_MAP, ANY, AT(transformation_row, outputs)),
};
TABLE(transformation, struct transformation_row);

/* Offsets inside the nested structs of a device source. */
#define SELECTOR_IN_SOURCE offsetof(struct device_source, selector)
#define CEL_IN_SOURCE offsetof(struct device_source, selector.cel)
static const struct field cel_fields[] = {
    { "expression", FIELD_TEXT, ANY,
      offsetof(struct device_source, selector.cel.expression) - CEL_IN_SOURCE, NULL, NULL },
};
static const struct field_table cel = { cel_fields, 1, 0 };
static const struct field device_selector_fields[] = {
    { "cel", FIELD_OBJECT, ANY, CEL_IN_SOURCE - SELECTOR_IN_SOURCE, &cel, NULL },
};
static const struct field_table device_selector = { device_selector_fields, 1, 0 };
static const struct field device_source_fields[] = {
    LEAF("name", TEXT, ANY, AT(device_source, name)),
    LEAF("driver", TEXT, ANY, AT(device_source, driver)),
    { "deviceSelector", FIELD_OBJECT, ANY, AT(device_source, selector), &device_selector, NULL },
};
TABLE(device_source, struct device_source);

static const struct field source_fields[] = {
    { "counter", FIELD_OBJECT, ANY, AT(device_source_row, counter), &device_source, NULL },
    { "capacity", FIELD_OBJECT, ANY, AT(device_source_row, capacity), &device_source, NULL },
};
TABLE(source, struct device_source_row);

static const struct field device_mapping_fields[] = {
    LEAF("name", TEXT, ANY, AT(device_mapping_row, name)),
    LEAF("deviceClassNames", TEXTS, ANY, AT(device_mapping_row, classes)),
    { "sources", FIELD_ROWS, VERSION_2, AT(device_mapping_row, sources), &source, NULL },
};
TABLE(device_mapping, struct device_mapping_row);

static const struct field resources_fields[] = {
    LEAF("quotaCheckStrategy", TEXT, VERSION_2, IN(resources, quota_check)),
    LEAF("excludeResourcePrefixes", TEXTS, ANY, IN(resources, exclude_prefixes)),
    { "transformations", FIELD_ROWS, ANY, IN(resources, transformations), &transformation, NULL },
    { "deviceClassMappings", FIELD_ROWS, ANY, IN(resources, device_mappings), &device_mapping,
      NULL },
};
SECTION(resources, resources);

static const struct field retention_workloads_fields[] = {
    LEAF("afterFinished", DURATION, ANY, IN(retention.workloads, after_finished)),
    LEAF("afterDeactivatedByKueue", DURATION, ANY, IN(retention.workloads, after_deactivated)),
};
SECTION(retention_workloads, retention.workloads);

static const struct field retention_fields[] = {
    { "workloads", FIELD_OBJECT, ANY, IN(retention, workloads), &retention_workloads, NULL },
};
SECTION(retention, retention);

static const struct field visibility_fields[] = {
    LEAF("bindAddress", TEXT, VERSION_2, IN(visibility, bind_address)),
    LEAF("bindPort", INT, VERSION_2, IN(visibility, port)),
};
SECTION(visibility, visibility);

static const struct field visibility_1_counts_fields[] = {
    LEAF("maxCount", DROPPED, VERSION_1, 0),
};
static const struct field_table visibility_1_counts = { visibility_1_counts_fields, 1, 0 };
static const struct field visibility_1_fields[] = {
    LEAF("updateIntervalSeconds", DROPPED, VERSION_1, 0),
    { "clusterQueues", FIELD_DROPPED, VERSION_1, 0, &visibility_1_counts, NULL },
};
static const struct field_table visibility_1 = { visibility_1_fields, 2, 0 };

static const struct field top_fields[] = {
    LEAF("apiVersion", DROPPED, ANY, 0),
    LEAF("kind", DROPPED, ANY, 0),
    LEAF("namespace", TEXT, ANY, CONFIG(namespace)),
    LEAF("manageJobsWithoutQueueName", BOOL, ANY, CONFIG(manage_without_queue_name)),
    LEAF("managedJobsNamespaceSelector", SELECTOR, ANY, CONFIG(managed_namespaces)),
    { "webhook", FIELD_OBJECT, ANY, CONFIG(webhook), &webhook, NULL },
    { "leaderElection", FIELD_OBJECT, ANY, CONFIG(leader_election), &leader_election, NULL },
    { "metrics", FIELD_OBJECT, ANY, CONFIG(metrics), &metrics, NULL },
    { "health", FIELD_OBJECT, ANY, CONFIG(health), &health, NULL },
    { "pprofBindAddress", FIELD_ADDRESS, ANY, CONFIG(pprof_address), NULL,
      "there is no profiling server" },
    { "controller", FIELD_OBJECT, ANY, CONFIG(controller), &controller, NULL },
    { "tls", FIELD_OBJECT, ANY, CONFIG(tls), &tls, NULL },
    { "internalCertManagement", FIELD_OBJECT, ANY, CONFIG(certificates), &certificates, NULL },
    { "clientConnection", FIELD_OBJECT, ANY, CONFIG(client), &client, NULL },
    { "integrations", FIELD_OBJECT, ANY, CONFIG(integrations), &integrations, NULL },
    { "waitForPodsReady", FIELD_OBJECT, ANY, CONFIG(wait_for_pods_ready), &wait, NULL },
    { "queueVisibility", FIELD_DROPPED, VERSION_1, 0, &visibility_1, "it is gone from v1beta2" },
    { "multiKueue", FIELD_OBJECT, ANY, CONFIG(multikueue), &multikueue,
      "several clusters are not supported yet" },
    { "fairSharing", FIELD_OBJECT, ANY, CONFIG(fair_sharing), &fair_sharing, NULL },
    { "admissionFairSharing", FIELD_OBJECT, ANY, CONFIG(admission_fair_sharing),
      &admission_fair_sharing, NULL },
    { "resources", FIELD_OBJECT, ANY, CONFIG(resources), &resources, NULL },
    LEAF("featureGates", BOOL_MAP, ANY, CONFIG(feature_gates)),
    { "objectRetentionPolicies", FIELD_OBJECT, ANY, CONFIG(retention), &retention, NULL },
    { "visibilityServer", FIELD_OBJECT, VERSION_2, CONFIG(visibility), &visibility,
      "the visibility API is not served yet" },
};
/* clang-format on */
const struct field_table configuration_fields = { top_fields, ARRAY_COUNT(top_fields),
                                                  sizeof(struct configuration_object) };
