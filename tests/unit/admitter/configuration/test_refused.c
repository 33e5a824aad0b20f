/* Files that are refused, and with which words: spec/config.md 4. */
#include "tests/unit/admitter/configuration/support.h"

#include <string.h>
#include "quota/base/mem.h"

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
        cmocka_unit_test(files_that_are_refused_say_why),
        cmocka_unit_test(all_problems_are_reported_in_order),
        cmocka_unit_test(a_missing_file_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
