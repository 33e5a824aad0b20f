/* What is in effect, written out as a file. */
#include "tests/unit/admitter/configuration/support.h"

#include <string.h>
#include "quota/base/mem.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_written_out),
        cmocka_unit_test(secrets_are_not_written_out),
        cmocka_unit_test(what_is_in_effect_can_be_read_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
