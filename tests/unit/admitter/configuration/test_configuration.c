/* The configuration file: defaults, and what each field means (spec/config.md 1 to 3). */
#include "tests/unit/admitter/configuration/support.h"

#include <string.h>
#include "quota/base/mem.h"

/* ---- defaults ---- */

static void assert_default_jobs(const struct configuration *c, const char *namespace)
{
    const struct label_requirement *requirement = c->loop.managed_namespaces.requirements;

    assert_string_equal(c->namespace, namespace);
    assert_string_equal(c->loop.own_namespace, namespace);
    assert_false(c->loop.jobs.manage_without_queue_name);
    assert_true(c->loop.managed_namespaces.present);
    assert_int_equal(c->loop.managed_namespaces.label_count, 0);
    assert_int_equal(c->loop.managed_namespaces.requirement_count, 1);
    assert_string_equal(requirement->key, "kubernetes.io/metadata.name");
    assert_int_equal(requirement->operator, SELECTOR_NOT_IN);
    assert_int_equal(requirement->value_count, 2);
    assert_string_equal(requirement->values[0], "kube-system");
    assert_string_equal(requirement->values[1], namespace);
    assert_int_equal(c->loop.owners.built, 1);
    assert_true(c->loop.owners.items[0].is_managed);
    assert_false(c->loop.owners.items[1].is_managed);
    assert_int_equal(c->loop.job_reconcilers, 1);
    assert_int_equal(c->loop.job_webhooks, 1);
    assert_int_equal(c->loop.label_key_count, 0);
}

static void assert_address(const struct listen_address *address, const char *host, uint16_t port)
{
    assert_true(address->enabled);
    assert_string_equal(address->host, host);
    assert_int_equal(address->port, port);
}

static void assert_default_servers(const struct configuration *c)
{
    assert_address(&c->webhook.address, "", 9443);
    assert_string_equal(c->webhook.certificate_folder, "/tmp/k8s-webhook-server/serving-certs");
    assert_true(c->certificates.internal);
    assert_string_equal(c->certificates.service_name, "kueue-webhook-service");
    assert_string_equal(c->certificates.secret_name, "kueue-webhook-server-cert");
    assert_address(&c->metrics.address, "", 8443);
    assert_false(c->metrics.cluster_queue_resources);
    assert_true(c->metrics.local_queues);
    assert_false(c->metrics.local_queue_selector.present);
    assert_int_equal(c->metrics.custom_label_count, 0);
    assert_address(&c->health.address, "", 8081);
    assert_string_equal(c->health.readiness_path, "/readyz");
    assert_string_equal(c->health.liveness_path, "/healthz");
    assert_address(&c->visibility, "", 8082);
    assert_string_equal(c->pprof_address, "");
    assert_false(c->tls.only_1_3);
    assert_int_equal(c->tls.cipher_suite_count, 0);
    assert_int_equal(c->tls.curve_count, 0);
}

static void assert_default_election(const struct configuration *c)
{
    assert_true(c->leader_election.enabled);
    assert_int_equal(c->leader_election.lease_duration, SECONDS(15));
    assert_int_equal(c->leader_election.renew_deadline, SECONDS(10));
    assert_int_equal(c->leader_election.retry_period, SECONDS(2));
    assert_string_equal(c->leader_election.lease_name, "c1f6bfd2.kueue.x-k8s.io");
}

static void assert_default_engine(const struct configuration *c)
{
    assert_false(c->loop.engine.fair_sharing);
    assert_false(c->loop.fair_sharing_status);
    assert_int_equal(c->loop.engine.fair_strategy_count, 0);
    assert_false(c->loop.engine.admission_fair_sharing);
    assert_int_equal(c->loop.engine.exclude_prefix_count, 0);
    assert_int_equal(c->loop.engine.transformation_count, 0);
    assert_false(c->ignore_undeclared_resources);
    assert_int_equal(c->loop.retain_finished, -1);
    assert_int_equal(c->loop.retain_deactivated, -1);
    assert_int_equal(c->multikueue.gc_interval, MINUTES(1));
    assert_int_equal(c->multikueue.worker_lost_timeout, MINUTES(15));
    assert_string_equal(c->multikueue.origin, "multikueue");
    assert_string_equal(c->multikueue.dispatcher,
                        "kueue.x-k8s.io/multikueue-dispatcher-all-at-once");
    assert_int_equal(c->multikueue.step_size, 3);
}

static void assert_wait(const struct configuration *c, int64_t timeout, int64_t recovery,
                        bool block)
{
    assert_true(c->loop.wait_for_pods_ready);
    assert_true(c->loop.engine.wait_for_pods_ready);
    assert_int_equal(c->loop.pods_ready_timeout, timeout);
    assert_int_equal(c->loop.pods_ready_recovery_timeout, recovery);
    assert_int_equal(c->loop.engine.block_admission, block);
    assert_int_equal(c->loop.backoff_limit_count, -1);
    assert_int_equal(c->loop.backoff_base, SECONDS(60));
    assert_int_equal(c->loop.backoff_max, SECONDS(3600));
    assert_false(c->loop.engine.requeue_by_creation);
}

static void assert_all_defaults(const struct configuration *c)
{
    assert_default_jobs(c, "kueue-system");
    assert_default_servers(c);
    assert_default_election(c);
    assert_default_engine(c);
    assert_int_equal(c->warning_count, 0);
    assert_int_equal(c->problem_count, 0);
}

static void without_a_file_everything_has_its_default(void **state)
{
    struct configuration c;
    struct err e;

    (void)state;
    assert_int_equal(configuration_load(NULL, NULL, &c, &e), 0);
    assert_all_defaults(&c);
    assert_wait(&c, MINUTES(30), MINUTES(30), false);
    configuration_finish(&c);
}

static void an_empty_v1beta2_object_is_the_same_as_no_file(void **state)
{
    struct configuration c;

    (void)state;
    load_good(V2, NULL, &c);
    assert_all_defaults(&c);
    assert_wait(&c, MINUTES(30), MINUTES(30), false);
    configuration_finish(&c);
}

static void an_empty_v1beta1_object_has_readiness_off(void **state)
{
    struct configuration c;

    (void)state;
    load_good(V1, NULL, &c);
    assert_all_defaults(&c);
    assert_false(c.loop.wait_for_pods_ready);
    assert_false(c.loop.engine.wait_for_pods_ready);
    configuration_finish(&c);
}

/* The whole of the defaults, written out (section 8 of the specification). */
static const char effective[] =
    "namespace: kueue-system\n"
    "manageJobsWithoutQueueName: false\n"
    "managedJobsNamespaceSelector:\n"
    "  matchExpressions:\n"
    "  - {key: kubernetes.io/metadata.name, operator: NotIn, values: [kube-system, kueue-system]}\n"
    "webhook: {port: 9443, certDir: /tmp/k8s-webhook-server/serving-certs}\n"
    "leaderElection:\n"
    "  leaderElect: true\n"
    "  leaseDuration: 15s\n"
    "  renewDeadline: 10s\n"
    "  retryPeriod: 2s\n"
    "  resourceLock: leases\n"
    "  resourceName: c1f6bfd2.kueue.x-k8s.io\n"
    "  resourceNamespace: \"\"\n"
    "metrics: {bindAddress: \":8443\", localQueueMetrics: {enable: true}}\n"
    "health: {healthProbeBindAddress: \":8081\"}\n"
    "internalCertManagement:\n"
    "  enable: true\n"
    "  webhookServiceName: kueue-webhook-service\n"
    "  webhookSecretName: kueue-webhook-server-cert\n"
    "waitForPodsReady:\n"
    "  timeout: 30m0s\n"
    "  blockAdmission: false\n"
    "  recoveryTimeout: 30m0s\n"
    "  requeuingStrategy: {timestamp: Eviction, backoffBaseSeconds: 60, backoffMaxSeconds: 3600}\n"
    "clientConnection: {qps: 300, burst: 500}\n"
    "integrations: {frameworks: [batch/job]}\n"
    "multiKueue:\n"
    "  gcInterval: 1m0s\n"
    "  origin: multikueue\n"
    "  workerLostTimeout: 15m0s\n"
    "  dispatcherName: kueue.x-k8s.io/multikueue-dispatcher-all-at-once\n";

static void the_client_is_limited_by_what_is_written(void **state)
{
    static const struct {
        const char *text;
        unsigned burst;
        int64_t refill_us;
    } cases[] = {
        { V2, 0, 0 },
        { V2 "clientConnection: {}", 0, 0 },
        { V2 "clientConnection: {qps: 50}", 500, 20000 },
        { V2 "clientConnection: {burst: 7}", 7, 3333 },
        { V2 "clientConnection: {qps: 0.5, burst: -1}", 1, 2000000 },
        { V2 "clientConnection: {qps: -1, burst: 7}", 0, 0 },
        { V2 "clientConnection: {qps: 0}", 500, INT64_C(1000000) * 3600 * 24 * 365 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct configuration c;

        load_good(cases[i].text, NULL, &c);
        assert_int_equal(c.client.burst, cases[i].burst);
        assert_int_equal(c.client.refill_us, cases[i].refill_us);
        configuration_finish(&c);
    }
}

static void the_example_reads_in_both_versions(void **state)
{
    char text[4096];
    struct configuration c;

    (void)state;
    snprintf(text, sizeof(text), V2 "%svisibilityServer: {bindPort: 8082}\n", effective);
    load_good(text, NULL, &c);
    assert_default_jobs(&c, "kueue-system");
    assert_default_servers(&c);
    assert_default_election(&c);
    assert_default_engine(&c);
    assert_wait(&c, MINUTES(30), MINUTES(30), false);
    assert_int_equal(c.client.burst, 500);
    assert_int_equal(c.client.refill_us, 3333);
    configuration_finish(&c);

    snprintf(text, sizeof(text), V1 "%s", effective);
    load_good(text, NULL, &c);
    assert_default_jobs(&c, "kueue-system");
    assert_default_servers(&c);
    assert_false(c.loop.wait_for_pods_ready);
    configuration_finish(&c);
}

/* ---- what each file means ---- */

static void readiness_follows_the_version_of_the_file(void **state)
{
    static const struct {
        const char *text;
        int64_t timeout, recovery;
        bool block;
    } cases[] = {
        { V1 "waitForPodsReady: {enable: true}", MINUTES(5), MINUTES(5), true },
        { V1 "waitForPodsReady: {enable: true, blockAdmission: false}", MINUTES(5), MINUTES(5),
          false },
        { V1 "waitForPodsReady: {enable: true, timeout: 1h}", MINUTES(60), MINUTES(60), true },
        { V2 "waitForPodsReady: {timeout: 0s}", MINUTES(30), MINUTES(30), false },
        { V2 "waitForPodsReady: null", MINUTES(30), MINUTES(30), false },
        { V2 "waitForPodsReady: {timeout: 10m, recoveryTimeout: 0s}", MINUTES(10), 0, false },
        { V2 "waitForPodsReady: {timeout: 10m, blockAdmission: true}", MINUTES(10), MINUTES(10),
          true },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct configuration c;

        load_good(cases[i].text, NULL, &c);
        assert_wait(&c, cases[i].timeout, cases[i].recovery, cases[i].block);
        configuration_finish(&c);
    }
}

static void readiness_can_be_switched_off(void **state)
{
    static const char *const files[] = {
        V1 "waitForPodsReady: {enable: false, timeout: -5m}",
        V1 "waitForPodsReady: {timeout: -5m, requeuingStrategy: {timestamp: Never}}",
        V2 "featureGates: {DisableWaitForPodsReady: true}",
        V2 "featureGates: {DisableWaitForPodsReady: true}\nwaitForPodsReady: {timeout: -5m}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(files); i++) {
        struct configuration c;

        load_good(files[i], NULL, &c);
        assert_false(c.loop.wait_for_pods_ready);
        configuration_finish(&c);
    }
}

static void requeuing_is_taken_over(void **state)
{
    struct configuration c;

    (void)state;
    load_good(V2 "waitForPodsReady:\n  requeuingStrategy: {timestamp: Creation, "
                 "backoffLimitCount: 0, backoffBaseSeconds: 0, backoffMaxSeconds: 7}",
              NULL, &c);
    assert_true(c.loop.engine.requeue_by_creation);
    assert_int_equal(c.loop.backoff_limit_count, 0);
    assert_int_equal(c.loop.backoff_base, 0);
    assert_int_equal(c.loop.backoff_max, SECONDS(7));
    configuration_finish(&c);
}

static void fair_sharing_is_switched_by_presence(void **state)
{
    struct configuration c;

    (void)state;
    load_good(V1 "fairSharing: {enable: true}", NULL, &c);
    assert_true(c.loop.engine.fair_sharing);
    assert_int_equal(c.loop.engine.fair_strategy_count, 2);
    assert_int_equal(c.loop.engine.fair_strategies[0], FAIR_FINAL_SHARE);
    assert_int_equal(c.loop.engine.fair_strategies[1], FAIR_INITIAL_SHARE);
    configuration_finish(&c);
    load_good(V1 "fairSharing: {enable: false, preemptionStrategies: [X]}", NULL, &c);
    assert_false(c.loop.engine.fair_sharing);
    configuration_finish(&c);
    load_good(V2 "fairSharing: {preemptionStrategies: [LessThanInitialShare]}", NULL, &c);
    assert_true(c.loop.fair_sharing_status);
    assert_int_equal(c.loop.engine.fair_strategy_count, 1);
    assert_int_equal(c.loop.engine.fair_strategies[0], FAIR_INITIAL_SHARE);
    configuration_finish(&c);
}

static void admission_fair_sharing_has_weights(void **state)
{
    struct configuration c;

    (void)state;
    load_good(V2 "admissionFairSharing: {usageHalfLifeTime: 0s, resourceWeights: {cpu: 0.5, "
                 "memory: 2}}",
              NULL, &c);
    assert_true(c.loop.engine.admission_fair_sharing);
    assert_int_equal(c.loop.engine.usage_half_life, 0);
    assert_int_equal(c.loop.engine.usage_sampling_interval, MINUTES(5));
    assert_int_equal(c.loop.engine.resource_weight_count, 2);
    assert_string_equal(c.loop.engine.resource_weights[0].resource, "cpu");
    assert_int_equal(
        quantity_compare(c.loop.engine.resource_weights[0].weight, quantity_milli(500)), 0);
    configuration_finish(&c);
    load_good(V2 "admissionFairSharing: {usageHalfLifeTime: 168h}", "AdmissionFairSharing=false",
              &c);
    assert_false(c.loop.engine.admission_fair_sharing);
    configuration_finish(&c);
}

static void resources_are_transformed(void **state)
{
    const struct resource_transformation *made;
    struct configuration c;

    (void)state;
    load_good(
        V2
        "resources:\n"
        "  excludeResourcePrefixes: [example.com/, cpu]\n"
        "  transformations:\n"
        "  - {input: gpu, strategy: Replace, multiplyBy: pods, outputs: {credits: 10, mem: 5Gi}}\n"
        "  - {input: cpu}\n",
        NULL, &c);
    assert_int_equal(c.loop.engine.exclude_prefix_count, 2);
    assert_string_equal(c.loop.engine.exclude_prefixes[0], "example.com/");
    assert_int_equal(c.loop.engine.transformation_count, 2);
    made = c.loop.engine.transformations;
    assert_string_equal(made[0].input, "gpu");
    assert_true(made[0].replace);
    assert_string_equal(made[0].multiply_by, "pods");
    assert_int_equal(made[0].outputs.count, 2);
    assert_string_equal(made[0].outputs.items[1].name, "mem");
    assert_int_equal(quantity_ceil(made[0].outputs.items[1].quantity), INT64_C(5) << 30);
    assert_false(made[1].replace);
    assert_null(made[1].multiply_by);
    assert_int_equal(made[1].outputs.count, 0);
    configuration_finish(&c);
    load_good(V2 "resources: {quotaCheckStrategy: IgnoreUndeclared}", NULL, &c);
    assert_true(c.ignore_undeclared_resources);
    assert_true(c.loop.ignore_undeclared);
    configuration_finish(&c);
    load_good(V2 "resources: {quotaCheckStrategy: IgnoreUndeclared, excludeResourcePrefixes: [x]}",
              "QuotaCheckStrategy=false", &c);
    assert_false(c.ignore_undeclared_resources);
    configuration_finish(&c);
}

static void servers_and_election_are_taken_over(void **state)
{
    struct configuration c;

    (void)state;
    load_good(V2 "namespace: infra\n"
                 "webhook: {host: 127.0.0.1, port: 10250, certDir: /c}\n"
                 "metrics: {bindAddress: \"127.0.0.1:9090\", enableClusterQueueResources: true}\n"
                 "health: {healthProbeBindAddress: \"[::1]:0\", readinessEndpointName: ready, "
                 "livenessEndpointName: /live}\n"
                 "leaderElection: {leaderElect: false, resourceNamespace: ops, resourceName: l}\n"
                 "internalCertManagement: {enable: false, webhookServiceName: Not_Valid}\n"
                 "pprofBindAddress: \":6060\"\n"
                 "tls: {}\n",
              NULL, &c);
    assert_string_equal(c.namespace, "infra");
    assert_string_equal(c.loop.managed_namespaces.requirements->values[1], "infra");
    assert_address(&c.webhook.address, "127.0.0.1", 10250);
    assert_string_equal(c.webhook.certificate_folder, "/c");
    assert_address(&c.metrics.address, "127.0.0.1", 9090);
    assert_true(c.metrics.cluster_queue_resources);
    assert_address(&c.health.address, "::1", 0);
    assert_string_equal(c.health.readiness_path, "/ready");
    assert_string_equal(c.health.liveness_path, "/live");
    assert_false(c.leader_election.enabled);
    assert_string_equal(c.leader_election.lease_namespace, "ops");
    assert_string_equal(c.leader_election.lease_name, "l");
    assert_false(c.certificates.internal);
    assert_false(c.tls.only_1_3);
    assert_true(warns(&c, "pprofBindAddress has no effect"));
    configuration_finish(&c);
}

static void servers_can_be_off(void **state)
{
    struct configuration c;

    (void)state;
    load_good(V2 "metrics: {bindAddress: \"0\"}\nhealth: {healthProbeBindAddress: 0}", NULL, &c);
    assert_false(c.metrics.address.enabled);
    assert_false(c.health.address.enabled);
    configuration_finish(&c);
    load_good(V2 "metrics: {bindAddress: \"\"}\nwebhook: {port: 0}", NULL, &c);
    assert_false(c.metrics.address.enabled);
    assert_int_equal(c.webhook.address.port, 9443);
    configuration_finish(&c);
}

static void local_queue_metrics_follow_presence(void **state)
{
    struct configuration c;

    (void)state;
    load_good(V2 "metrics: {localQueueMetrics: {localQueueSelector: {matchLabels: {a: b}}}}", NULL,
              &c);
    assert_false(c.metrics.local_queues);
    configuration_finish(&c);
    load_good(V2
              "metrics: {localQueueMetrics: {enable: true, localQueueSelector: {matchLabels: {a: "
              "b}}}}",
              NULL, &c);
    assert_true(c.metrics.local_queues);
    assert_true(c.metrics.local_queue_selector.present);
    assert_string_equal(c.metrics.local_queue_selector.labels[0].key, "a");
    assert_string_equal(c.metrics.local_queue_selector.labels[0].value, "b");
    configuration_finish(&c);
    load_good(V2 "metrics: {localQueueMetrics: {enable: true, localQueueSelector: "
                 "{matchExpressions: [{key: a, operator: Huh}]}}}",
              NULL, &c);
    assert_false(c.metrics.local_queue_selector.present); /* a bad one means all of them */
    configuration_finish(&c);
    load_good(V2, "LocalQueueMetrics=false", &c);
    assert_false(c.metrics.local_queues);
    configuration_finish(&c);
}

static void custom_labels_need_their_gate(void **state)
{
    static const char file[] = V2
        "metrics:\n  customLabels:\n"
        "  - {name: team}\n"
        "  - {name: cost_, sourceAnnotationKey: example.com/cost, sourceKind: LocalQueue}\n"
        "  - {name: size, sourceKind: Workload, sourceLabelKey: x/size, trackedValues: [s, l]}\n";
    struct configuration c;

    (void)state;
    load_good(file, NULL, &c);
    assert_int_equal(c.metrics.custom_label_count, 0);
    assert_true(warns(&c, "CustomMetricLabels feature gate is disabled"));
    configuration_finish(&c);
    load_good(file, "CustomMetricLabels=true", &c);
    assert_int_equal(c.metrics.custom_label_count, 3);
    assert_string_equal(c.metrics.custom_labels[0].label, "team");
    assert_int_equal(c.metrics.custom_labels[0].kind, LABEL_FROM_CLUSTER_QUEUE);
    assert_null(c.metrics.custom_labels[1].label);
    assert_string_equal(c.metrics.custom_labels[1].annotation, "example.com/cost");
    assert_int_equal(c.metrics.custom_labels[1].kind, LABEL_FROM_LOCAL_QUEUE);
    assert_int_equal(c.metrics.custom_labels[2].tracked_count, 2);
    assert_int_equal(c.loop.label_key_count, 1);
    assert_string_equal(c.loop.label_keys_to_copy[0], "x/size");
    configuration_finish(&c);
}

static void what_is_not_supported_is_named(void **state)
{
    struct configuration c;

    (void)state;
    load_good(V2 "integrations: {frameworks: [batch/job, ray.io/rayjob], labelKeysToCopy: [k]}\n"
                 "visibilityServer: {bindAddress: 127.0.0.1, bindPort: 1}\n"
                 "controller: {cacheSyncTimeout: 300000000000, groupKindConcurrency: {Pod: 5}}\n"
                 "featureGates: {SchedulerLibraryIntegration: true}\n",
              NULL, &c);
    assert_int_equal(c.loop.job_reconcilers, 1);
    assert_true(
        c.loop.owners.items[owner_kinds_find(&c.loop.owners, "ray.io/v1", "RayJob")].is_managed);
    assert_int_equal(c.loop.label_key_count, 1);
    assert_true(warns(&c, "integrations.frameworks[1]: \"ray.io/rayjob\" has no effect"));
    assert_true(warns(&c, "visibilityServer has no effect"));
    assert_true(warns(&c, "controller.groupKindConcurrency has no effect"));
    assert_true(warns(&c, "feature gate SchedulerLibraryIntegration has no effect"));
    assert_address(&c.visibility, "127.0.0.1", 1);
    configuration_finish(&c);
    load_good(V1 "queueVisibility: {updateIntervalSeconds: 5, clusterQueues: {maxCount: 3}}\n"
                 "integrations: {podOptions: {podSelector: {matchLabels: {a: b}}}}",
              NULL, &c);
    assert_true(warns(&c, "queueVisibility has no effect"));
    configuration_finish(&c);
}

static void files_that_are_accepted(void **state)
{
    static const struct {
        const char *text, *flag;
    } cases[] = {
        { V2 "integrations: {frameworks: []}", NULL },
        { V2 "integrations: {frameworks: [pod], externalFrameworks: [\"Job.v1.batch\"]}", NULL },
        { V2 "integrations: {frameworks: [sparkoperator.k8s.io/sparkapplication]}",
          "SparkApplicationIntegration=true" },
        { V2 "managedJobsNamespaceSelector: {matchLabels: {kueue: \"yes\"}}", NULL },
        { V2 "clientConnection: {qps: -1.5, burst: 3}", NULL },
        { V2 "multiKueue: {dispatcherName: kueue.x-k8s.io/multikueue-dispatcher-incremental}",
          NULL },
        { V2 "multiKueue: {externalFrameworks: [{name: Job.v1.batch}]}\n"
             "integrations: {frameworks: [pod]}",
          NULL },
        { V2 "metrics: {customLabels: [{name: team_, sourceLabelKey: team}]}", NULL },
        { V2 "featureGates: {TLSOptions: true, AllBeta: true}", NULL },
        { V2 "featureGates: {}", "" },
        { V2 "tls: {minVersion: VersionTLS12, cipherSuites: "
             "[TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256], curvePreferences: [29, 23]}",
          NULL },
        { "{\"apiVersion\": \"config.kueue.x-k8s.io/v1beta2\", \"kind\": \"Configuration\"}",
          NULL },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct configuration c;

        load_good(cases[i].text, cases[i].flag, &c);
        configuration_finish(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_file_everything_has_its_default),
        cmocka_unit_test(an_empty_v1beta2_object_is_the_same_as_no_file),
        cmocka_unit_test(an_empty_v1beta1_object_has_readiness_off),
        cmocka_unit_test(the_client_is_limited_by_what_is_written),
        cmocka_unit_test(the_example_reads_in_both_versions),
        cmocka_unit_test(readiness_follows_the_version_of_the_file),
        cmocka_unit_test(readiness_can_be_switched_off),
        cmocka_unit_test(requeuing_is_taken_over),
        cmocka_unit_test(fair_sharing_is_switched_by_presence),
        cmocka_unit_test(admission_fair_sharing_has_weights),
        cmocka_unit_test(resources_are_transformed),
        cmocka_unit_test(servers_and_election_are_taken_over),
        cmocka_unit_test(servers_can_be_off),
        cmocka_unit_test(local_queue_metrics_follow_presence),
        cmocka_unit_test(custom_labels_need_their_gate),
        cmocka_unit_test(what_is_not_supported_is_named),
        cmocka_unit_test(files_that_are_accepted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
