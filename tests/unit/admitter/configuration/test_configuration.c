#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "admitter/configuration/configuration.h"
#include "quota/base/mem.h"

#define V1 "apiVersion: config.kueue.x-k8s.io/v1beta1\nkind: Configuration\n"
#define V2 "apiVersion: config.kueue.x-k8s.io/v1beta2\nkind: Configuration\n"
#define SECONDS(n) ((n)*NANOSECONDS_PER_SECOND)
#define MINUTES(n) SECONDS(60 * INT64_C(n))

static int read_text(const char *text, const char *flag, struct configuration *c, struct err *e)
{
    e->code = ERR_NONE;
    e->text[0] = '\0';
    return configuration_read(str_of(text), "c.yaml", flag, c, e);
}

static void load_good(const char *text, const char *flag, struct configuration *c)
{
    struct err e;

    if (read_text(text, flag, c, &e) < 0) {
        print_message("%s\n%s\n", text, e.text);
        fail();
    }
}

static bool warns(const struct configuration *c, const char *what)
{
    for (size_t i = 0; i < c->warning_count; i++)
        if (strstr(c->warnings[i], what))
            return true;
    return false;
}

static size_t problems_with(const struct configuration *c, const char *what)
{
    size_t count = 0;

    for (size_t i = 0; i < c->problem_count; i++)
        count += strstr(c->problems[i], what) != NULL;
    return count;
}

/* ---- what is in effect, as a file ---- */

#define EFFECTIVE_DEFAULTS                                                                         \
    V2 "namespace: \"kueue-system\"\n"                                                             \
       "manageJobsWithoutQueueName: false\n"                                                       \
       "managedJobsNamespaceSelector: {\"matchExpressions\":[{\"key\":"                            \
       "\"kubernetes.io/metadata.name\",\"operator\":\"NotIn\","                                   \
       "\"values\":[\"kube-system\",\"kueue-system\"]}]}\n"                                        \
       "webhook:\n  port: 9443\n  certDir: \"/tmp/k8s-webhook-server/serving-certs\"\n"            \
       "leaderElection:\n  leaderElect: true\n  leaseDuration: 15s\n  renewDeadline: 10s\n"        \
       "  retryPeriod: 2s\n  resourceLock: \"leases\"\n"                                           \
       "  resourceName: \"c1f6bfd2.kueue.x-k8s.io\"\n"                                             \
       "metrics:\n  bindAddress: \":8443\"\n  enableClusterQueueResources: false\n"                \
       "  localQueueMetrics:\n    enable: true\n"                                                  \
       "health:\n  healthProbeBindAddress: \":8081\"\n  readinessEndpointName: \"readyz\"\n"       \
       "  livenessEndpointName: \"healthz\"\n"                                                     \
       "internalCertManagement:\n  enable: true\n"                                                 \
       "  webhookServiceName: \"kueue-webhook-service\"\n"                                         \
       "  webhookSecretName: \"kueue-webhook-server-cert\"\n"                                      \
       "integrations:\n  frameworks: [\"batch/job\"]\n"                                            \
       "waitForPodsReady:\n  timeout: 30m0s\n  blockAdmission: false\n  recoveryTimeout: 30m0s\n"  \
       "  requeuingStrategy:\n    timestamp: \"Eviction\"\n    backoffBaseSeconds: 60\n"           \
       "    backoffMaxSeconds: 3600\n"                                                             \
       "multiKueue:\n  gcInterval: 1m0s\n  origin: \"multikueue\"\n  workerLostTimeout: 15m0s\n"   \
       "  dispatcherName: \"kueue.x-k8s.io/multikueue-dispatcher-all-at-once\"\n"                  \
       "visibilityServer:\n  bindPort: 8082\n"

static void defaults_are_written_out(void **state)
{
    struct configuration c;

    (void)state;
    load_good(V2, NULL, &c);
    assert_string_equal(c.effective, EFFECTIVE_DEFAULTS);
    configuration_finish(&c);
}

static void secrets_are_not_written_out(void **state)
{
    struct configuration c;

    (void)state;
    load_good(V2
              "multiKueue: {clusterProfile: {accessProviders: [{name: a, execConfig: {command: "
              "b, apiVersion: c, interactiveMode: Never, env: [{name: TOKEN, value: hidden}]}}]}}",
              NULL, &c);
    assert_non_null(strstr(c.effective, "value: \"...\"\n"));
    assert_null(strstr(c.effective, "hidden"));
    configuration_finish(&c);
}

/* Reading what was written gives the same again. */
static void what_is_in_effect_can_be_read_back(void **state)
{
    static const char *const files[] = {
        V1,
        V1 "waitForPodsReady: {enable: true, blockAdmission: false}\nfairSharing: {enable: true}\n",
        V1 "waitForPodsReady: {enable: false, timeout: 5m}\n"
           "fairSharing: {enable: false, preemptionStrategies: [X]}\n",
        V2 "namespace: x\nmanagedJobsNamespaceSelector: {matchLabels: {kueue: \"yes\"}}\n"
           "tls: {minVersion: VersionTLS12, curvePreferences: [23, 29]}\nadmissionFairSharing: "
           "{resourceWeights: {cpu: 2.5}}\nfairSharing: {preemptionStrategies: "
           "[LessThanInitialShare]}\nfeatureGates: {PartialAdmission: false}\n"
           "controller: {groupKindConcurrency: {Job.batch: 5}, cacheSyncTimeout: 300000000000}\n"
           "clientConnection: {qps: 0.5, burst: 7}\nobjectRetentionPolicies: {}\n",
        V2 "resources:\n  transformations:\n  - {input: a, strategy: Replace, outputs: {b: 2Gi}}\n"
           "  - {input: c}\n  deviceClassMappings:\n  - name: d\n    deviceClassNames: [e, f]\n"
           "    sources: [{counter: {name: g, driver: h, deviceSelector: {cel: {expression: "
           "\"true\"}}}}]\n",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(files); i++) {
        struct configuration first, second;

        load_good(files[i], NULL, &first);
        load_good(first.effective, NULL, &second);
        /* What v1beta1 leaves out is the default of v1beta2. */
        if (!strstr(files[i], "v1beta1"))
            assert_string_equal(first.effective, second.effective);
        configuration_finish(&first);
        configuration_finish(&second);
    }
    {
        struct configuration c;

        load_good(files[2], NULL, &c);
        assert_null(strstr(c.effective, "waitForPodsReady"));
        assert_null(strstr(c.effective, "fairSharing"));
        configuration_finish(&c);
        load_good(files[4], NULL, &c);
        assert_non_null(strstr(c.effective, "  - input: \"a\"\n    strategy: \"Replace\"\n"));
        configuration_finish(&c);
    }
}

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

/* ---- what is refused, and with which words ---- */

#define DEVICES "resources:\n  deviceClassMappings:\n"
#define CEL "deviceSelector: {cel: {expression: \"true\"}}"

static const struct {
    const char *text, *flag, *problem;
} refused[] = {
    /* form */
    { "", NULL, "c.yaml: the file is empty" },
    { "kind: Configuration", NULL, "apiVersion is missing" },
    { "apiVersion: config.kueue.x-k8s.io/v1beta2", NULL, "kind is missing" },
    { "apiVersion: config.kueue.x-k8s.io/v1alpha1\nkind: Configuration", NULL,
      "no kind \"Configuration\" in version \"config.kueue.x-k8s.io/v1alpha1\"" },
    { "apiVersion: v1\nkind: ConfigMap", NULL, "no kind \"ConfigMap\" in version \"v1\"" },
    { "[1]", NULL, "expected a Configuration object" },
    { V2 "---\n" V2, NULL, "a second document" },
    { V2 "namespace: a\nnamespace: b", NULL, "line 4" },
    { V2 "health:\n  bindAddress: x\n", NULL,
      "c.yaml: line 4: unknown field \"health.bindAddress\"" },
    { V2 "waitForPodsReady: {enable: true}", NULL, "unknown field \"waitForPodsReady.enable\"" },
    { V2 "waitforpodsready: {}", NULL, "unknown field \"waitforpodsready\"" },
    { V2 "fairSharing: {enable: true}", NULL, "unknown field \"fairSharing.enable\"" },
    { V1 "visibilityServer: {}", NULL, "unknown field \"visibilityServer\"" },
    { V1 "multiKueue: {incrementalDispatcherConfig: {}}", NULL,
      "unknown field \"multiKueue.incrementalDispatcherConfig\"" },
    { V1 "metrics: {customLabels: [{name: a, sourceKind: Cohort}]}", NULL,
      "unknown field \"metrics.customLabels[0].sourceKind\"" },
    { V2 "manageJobsWithoutQueueName: \"true\"", NULL,
      "c.yaml: line 3: manageJobsWithoutQueueName: expected true or false, got \"true\"" },
    { V2 "webhook: {port: abc}", NULL, "webhook.port: expected a 32-bit integer, got \"abc\"" },
    { V2 "webhook: {port: 99999999999}", NULL, "expected a 32-bit integer" },
    { V2 "webhook: 5", NULL, "webhook: expected an object, got 5" },
    { V2 "controller: {cacheSyncTimeout: 5m}", NULL,
      "controller.cacheSyncTimeout: expected an integer (nanoseconds), got \"5m\"" },
    { V2 "leaderElection: {leaseDuration: 15}", NULL,
      "leaderElection.leaseDuration: expected a duration such as \"1m30s\", got 15" },
    { V2 "integrations: {frameworks: batch/job}", NULL, "expected a list of texts" },
    { V2 "integrations: {frameworks: [1]}", NULL, "integrations.frameworks[0]: expected a text" },
    { V2 "featureGates: {PartialAdmission: yes please}", NULL,
      "featureGates.PartialAdmission: expected true or false" },
    { V2 "resources: {transformations: [{input: a, outputs: {b: 1x}}]}", NULL,
      "resources.transformations[0].outputs.b: expected a quantity" },
    { V2 "managedJobsNamespaceSelector: {matchLabel: {}}", NULL,
      "unknown field \"managedJobsNamespaceSelector.matchLabel\"" },
    /* gates */
    { V2 "featureGates: {NoSuch: true}", NULL, "unrecognized feature gate: NoSuch" },
    { V2, "NoSuch=true", "--feature-gates: unrecognized feature gate: NoSuch" },
    { V2 "featureGates: {}", "PartialAdmission=true",
      "featureGates: Invalid value: {}: feature gates for CLI and configuration cannot both "
      "specified" },
    { V2 "featureGates: {TopologyAwareScheduling: false}", NULL,
      "depends on features that are disabled: [TopologyAwareScheduling]" },
    { V2 "featureGates: {TLSOptions: false}", NULL, "feature is locked to true" },
    /* 1 */
    { V2 "waitForPodsReady: {timeout: -5m}", NULL,
      "waitForPodsReady.timeout: Invalid value: \"-5m0s\": must be greater than or equal to 0" },
    { V2 "waitForPodsReady: {timeout: -5m}", NULL,
      "waitForPodsReady.recoveryTimeout: Invalid value" },
    { V1 "waitForPodsReady: {enable: true, timeout: 0s}", NULL,
      "waitForPodsReady.timeout: Required value: must be specified" },
    { V2 "waitForPodsReady: {requeuingStrategy: {timestamp: Never}}", NULL,
      "waitForPodsReady.requeuingStrategy.timestamp: Unsupported value: \"Never\": supported "
      "values: "
      "\"Creation\", \"Eviction\"" },
    { V2 "waitForPodsReady: {requeuingStrategy: {backoffLimitCount: -1}}", NULL,
      "waitForPodsReady.requeuingStrategy.backoffLimitCount: Invalid value: -1: must be greater "
      "than "
      "or equal to 0" },
    { V2 "waitForPodsReady: {requeuingStrategy: {backoffBaseSeconds: -1}}", NULL,
      "backoffBaseSeconds: Invalid value: -1" },
    { V2 "waitForPodsReady: {requeuingStrategy: {backoffMaxSeconds: -1}}", NULL,
      "backoffMaxSeconds: Invalid value: -1" },
    /* 2, 9 */
    { V2 "integrations: {frameworks: [batch/jobs]}", NULL,
      "integrations.frameworks[0]: Unsupported value: \"batch/jobs\": supported values: "
      "\"batch/job\", "
      "\"deployment\", \"jobset.x-k8s.io/jobset\"" },
    { V2 "integrations: {frameworks: [pod, pod]}", NULL,
      "integrations.frameworks[1]: Duplicate value: \"pod\"" },
    { V2 "integrations: {frameworks: [sparkoperator.k8s.io/sparkapplication]}", NULL,
      "please enable SparkApplicationIntegration" },
    { V2 "integrations: {externalFrameworks: [Foo.v1]}", NULL,
      "integrations.externalFrameworks[0]: Invalid value: \"Foo.v1\": must be format, "
      "'Kind.version.group.com'" },
    { V2 "integrations: {externalFrameworks: [A.v1.x.io, A.v1.x.io]}", NULL,
      "integrations.externalFrameworks[1]: Duplicate value: \"A.v1.x.io\"" },
    { V2 "integrations: {frameworks: [batch/job], externalFrameworks: [Job.v1.batch]}", NULL,
      "integrations.externalFrameworks[0]: Duplicate value: \"Job.v1.batch\"" },
    { V2 "managedJobsNamespaceSelector: {}", NULL,
      "managedJobsNamespaceSelector: Invalid value: {}: should not match the \"kube-system\" "
      "namespace" },
    { V2 "managedJobsNamespaceSelector: {}", NULL,
      "should not match the \"kueue-system\" namespace" },
    { V2 "namespace: infra\nmanagedJobsNamespaceSelector: {matchExpressions: [{key: "
         "kubernetes.io/metadata.name, operator: NotIn, values: [kube-system]}]}",
      NULL, "should not match the \"infra\" namespace" },
    { V2 "managedJobsNamespaceSelector: {matchExpressions: [{key: a, operator: DoesNotExist}]}",
      NULL, "should not match the \"kube-system\" namespace" },
    { V2 "managedJobsNamespaceSelector: {matchExpressions: [{key: a, operator: Like}]}", NULL,
      "managedJobsNamespaceSelector: Invalid value" },
    /* 3 */
    { V2 "multiKueue: {gcInterval: -1s}", NULL, "multiKueue.gcInterval: Invalid value: \"-1s\"" },
    { V2 "multiKueue: {workerLostTimeout: -1s}", NULL, "multiKueue.workerLostTimeout: Invalid" },
    { V2 "multiKueue: {origin: \"a b\"}", NULL, "multiKueue.origin: Invalid value: \"a b\"" },
    { V2 "multiKueue: {externalFrameworks: [{name: x}]}", NULL,
      "multiKueue.externalFrameworks[0].name: Invalid value: \"x\": must be in "
      "'kind.version.group' "
      "format" },
    { V2 "multiKueue: {externalFrameworks: [{name: A.v1.x}, {name: A.v1.x}]}", NULL,
      "multiKueue.externalFrameworks[1].name: Duplicate value: \"A.v1.x\"" },
    { V2 "multiKueue: {externalFrameworks: [{name: Job.v1.batch}]}", NULL,
      "conflicts with a built-in MultiKueue adapter" },
    { V2 "multiKueue: {incrementalDispatcherConfig: {stepSize: 5}}", NULL,
      "incrementalDispatcherConfig is only valid when dispatcherName is set" },
    { V2 "multiKueue: {dispatcherName: kueue.x-k8s.io/multikueue-dispatcher-incremental, "
         "incrementalDispatcherConfig: {stepSize: 0}}",
      NULL,
      "multiKueue.incrementalDispatcherConfig.stepSize: Invalid value: 0: must be greater than or "
      "equal to 1" },
    { V2 "multiKueue: {clusterProfile: {accessProviders: [{name: \"\"}]}}", NULL,
      "multiKueue.clusterProfile.accessProviders.name: Required value: must be specified" },
    { V2 "multiKueue: {clusterProfile: {accessProviders: [{name: a, execConfig: {command: c, "
         "apiVersion: v, interactiveMode: Maybe}}]}}",
      NULL,
      "multiKueue.clusterProfile.accessProviders.execConfig.interactiveMode: Unsupported value: "
      "\"Maybe\"" },
    { V2
      "multiKueue: {clusterProfile: {accessProviders: [{name: a}], credentialsProviders: [{name: "
      "b}]}}",
      NULL,
      "multiKueue.clusterProfile.credentialsProviders: Forbidden: must not be specified when "
      "accessProviders is specified" },
    /* 4, 5 */
    { V2 "fairSharing: {}", NULL,
      "fairSharing.preemptionStrategies: Required value: must be specified" },
    { V2 "fairSharing: {preemptionStrategies: [LessThanInitialShare, "
         "LessThanOrEqualToFinalShare]}",
      NULL,
      "fairSharing.preemptionStrategies: Unsupported value: "
      "\"LessThanInitialShare,LessThanOrEqualToFinalShare\"" },
    { V2 "admissionFairSharing: {usageHalfLifeTime: -1s}", NULL,
      "admissionFairSharing.usageHalfLifeTime: Invalid value: \"-1s\"" },
    { V2 "admissionFairSharing: {usageSamplingInterval: -1s}", NULL,
      "admissionFairSharing.usageSamplingInterval: Invalid value: \"-1s\": must be greater than "
      "0" },
    { V2 "admissionFairSharing: {resourceWeights: {cpu: -0.5}}", NULL,
      "must be greater than or equal to 0" },
    /* 6 */
    { V2 "internalCertManagement: {webhookServiceName: Not_Valid}", NULL,
      "internalCertManagement.webhookServiceName: Invalid value: \"Not_Valid\": a DNS-1035 label" },
    { V2 "internalCertManagement: {webhookServiceName: \"\"}", NULL,
      "internalCertManagement.webhookServiceName: Invalid value: \"\"" },
    { V2 "internalCertManagement: {webhookSecretName: a_b}", NULL,
      "internalCertManagement.webhookSecretName: Invalid value: \"a_b\"" },
    /* 7, 14 */
    { V2 "resources: {transformations: [{input: a, strategy: Swap}]}", NULL,
      "resources.transformations[0].strategy: Unsupported value: \"Swap\"" },
    { V2 "resources: {transformations: [{input: a}, {input: a}]}", NULL,
      "resources.transformations[1].input: Duplicate value: \"a\"" },
    { V2 "resources: {excludeResourcePrefixes: [x.io/], quotaCheckStrategy: IgnoreUndeclared}",
      NULL,
      "resources.quotaCheckStrategy: Invalid value: \"IgnoreUndeclared\": excludeResourcePrefixes "
      "is "
      "not allowed when quotaCheckStrategy is IgnoreUndeclared" },
    { V2 "resources: {quotaCheckStrategy: Maybe}", NULL,
      "resources.quotaCheckStrategy: Unsupported value: \"Maybe\"" },
    /* 8 */
    { V2 DEVICES "  - {name: \"a b\", deviceClassNames: [c]}", NULL,
      "resources.deviceClassMappings[0].name: Invalid value: \"a b\"" },
    { V2 DEVICES "  - {name: a}", NULL,
      "resources.deviceClassMappings[0].deviceClassNames: Required value: at least one device "
      "class "
      "name is required" },
    { V2 DEVICES "  - {name: a, deviceClassNames: [a, b, c, d, e, f, g, h, i]}", NULL,
      "resources.deviceClassMappings[0].deviceClassNames: Too many: 9: must have at most 8 items" },
    { V2 DEVICES "  - {name: a, deviceClassNames: [c, c]}", NULL,
      "resources.deviceClassMappings[0].deviceClassNames[1]: Duplicate value: \"c\"" },
    { V2 DEVICES "  - {name: a, deviceClassNames: [c]}\n  - {name: a, deviceClassNames: [d]}", NULL,
      "resources.deviceClassMappings[1].name: Duplicate value: \"a\"" },
    { V2 DEVICES "  - {name: a, deviceClassNames: [c]}\n  - {name: b, deviceClassNames: [c]}", NULL,
      "resources.deviceClassMappings[1].deviceClassNames[0]: Invalid value: \"c\": device class "
      "already mapped to resource a" },
    { V2 DEVICES "  - {name: a, deviceClassNames: [c], sources: [{}]}", NULL,
      "resources.deviceClassMappings[0].sources[0]: Required value: exactly one source type must "
      "be "
      "set per entry" },
    { V2 DEVICES
      "  - {name: a, deviceClassNames: [c], sources: [{counter: {name: m, driver: d, " CEL
      "}, capacity: {name: m, driver: d, " CEL "}}]}",
      NULL, "\"counter+capacity\": exactly one source type must be set per entry" },
    { V2 DEVICES
      "  - {name: a, deviceClassNames: [c], sources: [{capacity: {name: m, driver: d, " CEL "}}]}",
      NULL, "capacity sources require KueueDRAIntegrationConsumableCapacity to be enabled" },
    { V2 DEVICES "  - {name: a, deviceClassNames: [c], sources: [{counter: {name: m, driver: d}}]}",
      NULL, "counter.deviceSelector.cel.expression: Required value" },
    { V2 DEVICES "  - {name: a, deviceClassNames: [c], sources: [{counter: {name: m, driver: d, "
                 "deviceSelector: {cel: {expression: devise}}}}]}",
      NULL,
      "counter.deviceSelector.cel.expression: Invalid value: \"devise\": CEL compilation failed: "
      "1:1: undeclared reference to 'devise'" },
    /* 10 */
    { V2 "objectRetentionPolicies: {workloads: {afterFinished: -1s}}", NULL,
      "objectRetentionPolicies.workloads.afterFinished: Invalid value: \"-1s\"" },
    { V2 "objectRetentionPolicies: {workloads: {afterDeactivatedByKueue: -1s}}", NULL,
      "objectRetentionPolicies.workloads.afterDeactivatedByKueue: Invalid value" },
    /* 11 */
    { V2 "tls: {minVersion: VersionTLS11}", NULL, "invalid minVersion. Please use VersionTLS12" },
    { V2 "tls: {cipherSuites: [FOO]}", NULL, "tls: Invalid value: \"FOO\": invalid cipher suites" },
    { V2 "tls: {curvePreferences: [1]}", NULL, "tls: Invalid value: 1: invalid curve preferences" },
    { V2 "tls: {curvePreferences: [23, 23]}", NULL, "is listed twice" },
    { V2 "tls: {minVersion: VersionTLS13, cipherSuites: [TLS_AES_128_GCM_SHA256]}", NULL,
      "may not be specified when `minVersion` is 'VersionTLS13'" },
    /* 12 */
    { V2 "visibilityServer: {bindAddress: localhost}", NULL,
      "visibilityServer.bindAddress: Invalid value: \"localhost\": must be a valid IP address" },
    { V2 "visibilityServer: {bindPort: 0}", NULL,
      "visibilityServer.bindPort: Invalid value: 0: must be a valid port number (1-65535)" },
    /* 13 */
    { V2 "metrics: {customLabels: [{name: 1a}]}", NULL,
      "metrics.customLabels[0].name: Invalid value: \"1a\": must match ^[a-zA-Z][a-zA-Z0-9_]*$" },
    { V2 "metrics: {customLabels: [{name: team_}]}", NULL,
      "metrics.customLabels[0].name: Invalid value: \"team_\"" },
    { V2 "metrics: {customLabels: [{name: a}, {name: a}]}", NULL,
      "metrics.customLabels[1].name: Duplicate value: \"a\"" },
    { V2 "metrics: {customLabels: [{name: a, sourceLabelKey: b, sourceAnnotationKey: c}]}", NULL,
      "sourceLabelKey and sourceAnnotationKey are mutually exclusive" },
    { V2 "metrics: {customLabels: [{name: a, sourceKind: Workload}]}", NULL,
      "must not be empty when sourceKind is 'Workload'" },
    { V2 "metrics: {customLabels: [{name: a, trackedValues: [x, x]}]}", NULL,
      "must not contain duplicates" },
    { V2 "metrics: {customLabels: [{name: a, sourceKind: Node}]}", NULL,
      "unknown source kind: Node" },
    { V2
      "metrics: {customLabels: [{name: a}, {name: b}, {name: c}, {name: d}, {name: e}, {name: f}, "
      "{name: g}]}",
      NULL, "too many custom labels for source kind ClusterQueue: found 7, expected <= 6" },
    /* what would fail at start */
    { V2 "metrics: {bindAddress: \"8443\"}", NULL, "metrics.bindAddress: Invalid value: \"8443\"" },
    { V2 "health: {healthProbeBindAddress: \":99999\"}", NULL, "is not between 0 and 65535" },
    { V2 "leaderElection: {resourceLock: configmaps}", NULL,
      "leaderElection.resourceLock: Unsupported value: \"configmaps\"" },
    { V2 "leaderElection: {leaseDuration: 5s}", NULL,
      "leaderElection.leaseDuration: Invalid value" },
};

static void files_that_are_refused_say_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
        struct configuration c;
        struct err e;

        if (read_text(refused[i].text, refused[i].flag, &c, &e) == 0) {
            print_message("accepted: %s\n", refused[i].text);
            fail();
        }
        if (!strstr(e.text, refused[i].problem) && !problems_with(&c, refused[i].problem)) {
            print_message("%s\n  expected: %s\n  got: %s\n", refused[i].text, refused[i].problem,
                          e.text);
            fail();
        }
        assert_int_equal(e.code, ERR_INVALID);
        configuration_finish(&c);
    }
}

static void all_problems_are_reported_in_order(void **state)
{
    struct configuration c;
    struct err e;

    (void)state;
    assert_int_equal(read_text(V2 "a: 1\nwebhook: {b: 2}", NULL, &c, &e), -1);
    assert_int_equal(c.problem_count, 2);
    assert_string_equal(e.text,
                        "[c.yaml: line 3: unknown field \"a\", c.yaml: line 4: unknown field "
                        "\"webhook.b\"]");
    configuration_finish(&c);
    assert_int_equal(read_text(V2 "visibilityServer: {bindPort: 0}\nfairSharing: {}", NULL, &c, &e),
                     -1);
    assert_int_equal(c.problem_count, 2);
    assert_non_null(strstr(c.problems[0], "fairSharing"));
    assert_non_null(strstr(c.problems[1], "visibilityServer"));
    configuration_finish(&c);
}

static void a_missing_file_is_named(void **state)
{
    struct configuration c;
    struct err e;

    (void)state;
    assert_int_equal(configuration_load("/no/such/file.yaml", NULL, &c, &e), -1);
    assert_int_equal(e.code, ERR_NOT_FOUND);
    assert_non_null(strstr(e.text, "/no/such/file.yaml"));
    configuration_finish(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_written_out),
        cmocka_unit_test(secrets_are_not_written_out),
        cmocka_unit_test(what_is_in_effect_can_be_read_back),
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
        cmocka_unit_test(files_that_are_refused_say_why),
        cmocka_unit_test(all_problems_are_reported_in_order),
        cmocka_unit_test(a_missing_file_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
