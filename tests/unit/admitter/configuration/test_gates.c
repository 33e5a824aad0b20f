#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "admitter/configuration/gates.h"
#include "quota/base/mem.h"

static enum gate find(const char *name)
{
    for (unsigned i = 0; i < GATE_COUNT; i++)
        if (strcmp(gate_name((enum gate)i), name) == 0)
            return (enum gate)i;
    fail();
    return GATE_COUNT;
}

/* Off by default, copied by hand from the specification; every other gate is on. */
static const char *const off[] = {
    "PriorityBoost",
    "PrioritizePreemptorWorkloads",
    "ConcurrentAdmission",
    "SchedulerLibraryIntegration",
    "TASBalancedPlacement",
    "TASRespectNodeAffinityPreferred",
    "TASReplaceNodeDueToNotReadyOverFixedTime",
    "MultiKueueClusterProfile",
    "MultiKueueOrchestratedPreemption",
    "MultiKueueManagerQuotaAutomation",
    "RejectUpdatesToCQWithInvalidOnFlavors",
    "DisableWaitForPodsReady",
    "ElasticJobsViaWorkloadSlicesWithTAS",
    "FailureRecoveryPolicy",
    "FastQuotaReleaseInPodIntegration",
    "ShortWorkloadNames",
    "SparkApplicationIntegration",
    "WorkloadRequestUseMergePatch",
    "KueueDRAIntegrationConsumableCapacity",
    "CustomMetricLabels",
    "UnadmittedWorkloadsExplicitStatus",
};

static void every_gate_has_its_default(void **state)
{
    struct gates gates;
    unsigned on = 0;

    (void)state;
    gates_default(&gates);
    for (size_t i = 0; i < ARRAY_COUNT(off); i++)
        assert_false(gates.on[find(off[i])]);
    for (unsigned i = 0; i < GATE_COUNT; i++) {
        on += gates.on[i];
        assert_non_null(gate_name((enum gate)i));
    }
    assert_int_equal(GATE_COUNT, 80);
    assert_int_equal(on, GATE_COUNT - ARRAY_COUNT(off));
    assert_int_equal(gates_check(&gates, NULL), 0);
}

static void settings_made_from_default_gates_are_the_default_settings(void **state)
{
    struct loop_settings plain, applied;
    struct gates gates;

    (void)state;
    memset(&plain, 0, sizeof(plain));
    job_options_default(&plain.jobs);
    applied = plain;
    gates_default(&gates);
    gates_apply(&gates, &applied);
    assert_memory_equal(&applied.jobs, &plain.jobs, sizeof(plain.jobs));
    assert_true(applied.unadmitted_observability);
    assert_false(applied.unadmitted_explicit_status);
    assert_true(applied.finish_orphaned);
    assert_true(applied.admission_gated_by);
    assert_true(applied.engine.gates.recompute_on_overlap);
    assert_false(applied.engine.gates.priority_boost);
}

static const struct {
    const char *text;
    int rc;
    const char *problem;
} flags[] = {
    { "", 0, NULL },
    { "PartialAdmission=false", 0, NULL },
    { " PartialAdmission = F , PriorityBoost=1,", 0, NULL },
    { "TLSOptions=true", 0, NULL },
    { "AllAlpha=true", 0, NULL },
    { "WatchList=true", 0, NULL },
    { "PartialAdmission", -1, "missing bool value for PartialAdmission" },
    { "PartialAdmission=yes", -1, "invalid value of PartialAdmission=yes, err: " },
    { "PartialAdmission=", -1, "invalid value of PartialAdmission=, err: " },
    { "partialAdmission=true", -1, "unrecognized feature gate: partialAdmission" },
    { "PriorityBoost=true,NoSuchGate=true", -1, "unrecognized feature gate: NoSuchGate" },
    { "TLSOptions=false", -1,
      "cannot set feature gate TLSOptions to false, feature is locked to true" },
    { "ManagedJobsNamespaceSelectorAlwaysRespected=0", -1,
      "cannot set feature gate ManagedJobsNamespaceSelectorAlwaysRespected to false" },
};

static void flags_are_read_or_refused_by_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(flags); i++) {
        struct gates gates;
        struct err e = { ERR_NONE, "" };

        gates_default(&gates);
        assert_int_equal(gates_parse(&gates, str_of(flags[i].text), &e), flags[i].rc);
        if (flags[i].rc < 0) {
            assert_int_equal(e.code, ERR_INVALID);
            assert_non_null(strstr(e.text, flags[i].problem));
        }
    }
}

static void a_stage_sets_all_gates_that_are_not_given(void **state)
{
    struct gates gates;

    (void)state;
    gates_default(&gates);
    assert_int_equal(gates_parse(&gates,
                                 STR("PriorityBoost=false,AllAlpha=true,ShortWorkloadNames=false"),
                                 NULL),
                     0);
    assert_false(gates.on[GATE_PRIORITY_BOOST]);
    assert_false(gates.on[GATE_SHORT_WORKLOAD_NAMES]);
    assert_true(gates.on[GATE_CONCURRENT_ADMISSION]);
    assert_true(gates.on[GATE_DISABLE_WAIT_FOR_PODS_READY]);
    assert_false(gates.on[GATE_TAS_REPLACE_NODE_DUE_TO_NOT_READY_OVER_FIXED_TIME]);
    assert_int_equal(gates_parse(&gates, STR("AllBeta=true"), NULL), 0);
    assert_true(gates.on[GATE_UNADMITTED_WORKLOADS_EXPLICIT_STATUS]);
    assert_int_equal(gates_parse(&gates, STR("AllBeta=false"), NULL), 0);
    assert_false(gates.on[GATE_PARTIAL_ADMISSION]);
    assert_true(gates.on[GATE_TLS_OPTIONS]);
}

#define TAS_ALL                                                                                    \
    "TopologyAwareScheduling=false,TASProfileMixed=false,TASFailedNodeReplacement=false,"          \
    "TASFailedNodeReplacementFailFast=false,TASReplaceNodeOnPodTermination=false,"                 \
    "TASReplaceNodeOnNodeTaints=false,TASMultiLayerTopology=false,"                                \
    "TASHandleOverlappingFlavors=false,"

static const struct {
    const char *text, *problem;
} combinations[] = {
    { TAS_ALL "TASRecomputeAssignmentWithinSchedulingCycle=false", NULL },
    { TAS_ALL, "TASRecomputeAssignmentWithinSchedulingCycle is enabled, but depends on features "
               "that are disabled: [TopologyAwareScheduling]" },
    { "TopologyAwareScheduling=false", "depends on features that are disabled" },
    { "FlavorFungibility=false", "FlavorFungibilityPreserveScanProgress is enabled, but" },
    { "FlavorFungibility=false,FlavorFungibilityPreserveScanProgress=false", NULL },
    { "KueueDRAIntegration=false,KueueDRAIntegrationExtendedResource=false,"
      "KueueDRAIntegrationPartitionableDevices=false",
      NULL },
    { "ElasticJobsViaWorkloadSlices=false", NULL },
    { "ElasticJobsViaWorkloadSlices=false,ElasticJobsViaWorkloadSlicesWithTAS=true",
      "disabled: [ElasticJobsViaWorkloadSlices]" },
    { "ElasticJobsViaWorkloadSlices=false,ElasticJobsViaWorkloadSlicesWithTAS=true," TAS_ALL
      "TASRecomputeAssignmentWithinSchedulingCycle=false",
      "disabled: [ElasticJobsViaWorkloadSlices TopologyAwareScheduling]" },
    { "UnadmittedWorkloadsObservability=false,UnadmittedWorkloadsExplicitStatus=true",
      "disabled: [UnadmittedWorkloadsObservability]" },
    { "UnadmittedWorkloadsObservability=false", NULL },
};

static void an_enabled_gate_needs_those_it_depends_on(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(combinations); i++) {
        struct gates gates;
        struct err e = { ERR_NONE, "" };

        gates_default(&gates);
        assert_int_equal(gates_parse(&gates, str_of(combinations[i].text), &e), 0);
        assert_int_equal(gates_check(&gates, &e), combinations[i].problem ? -1 : 0);
        if (combinations[i].problem)
            assert_non_null(strstr(e.text, combinations[i].problem));
    }
}

static void a_flag_is_completed_with_what_needs_the_gates_it_switches_off(void **state)
{
    static const struct {
        const char *flag, *completed;
    } completions[] = {
        { "", "" },
        { "PartialAdmission=false", "PartialAdmission=false" },
        { "FlavorFungibility=false",
          "FlavorFungibility=false,FlavorFungibilityPreserveScanProgress=false" },
        { "FlavorFungibility=false,FlavorFungibilityPreserveScanProgress=true",
          "FlavorFungibility=false,FlavorFungibilityPreserveScanProgress=true" },
        { "KueueDRAIntegration=true", "KueueDRAIntegration=true" },
        { "NoSuchGate=false", "NoSuchGate=false" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(completions); i++) {
        AUTO_STRBUF struct strbuf out = STRBUF_INIT;

        gates_flag_complete(str_of(completions[i].flag), &out);
        assert_string_equal(out.text ? out.text : "", completions[i].completed);
    }
}

static void everything_of_topology_goes_off_together(void **state)
{
    AUTO_STRBUF struct strbuf out = STRBUF_INIT;
    struct gates gates;

    (void)state;
    gates_flag_complete(str_of("TopologyAwareScheduling=false"), &out);
    gates_default(&gates);
    assert_int_equal(gates_parse(&gates, strbuf_view(&out), NULL), 0);
    assert_int_equal(gates_check(&gates, NULL), 0);
}

static void gates_reach_the_settings(void **state)
{
    struct loop_settings settings = { 0 };
    struct gates gates;

    (void)state;
    gates_default(&gates);
    assert_int_equal(gates_parse(&gates,
                                 STR("PartialAdmission=false,ShortWorkloadNames=true,"
                                     "PriorityBoost=true,AdmissionGatedBy=false"),
                                 NULL),
                     0);
    gates_apply(&gates, &settings);
    assert_false(settings.jobs.partial_admission);
    assert_false(settings.engine.gates.partial_admission);
    assert_true(settings.jobs.short_workload_names);
    assert_true(settings.engine.gates.priority_boost);
    assert_false(settings.jobs.admission_gated_by);
    assert_false(settings.admission_gated_by);
    assert_true(gate_has_effect(GATE_PARTIAL_ADMISSION));
    assert_true(gate_has_effect(GATE_CUSTOM_METRIC_LABELS));
    assert_false(gate_has_effect(GATE_SCHEDULER_LIBRARY_INTEGRATION));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_gate_has_its_default),
        cmocka_unit_test(settings_made_from_default_gates_are_the_default_settings),
        cmocka_unit_test(flags_are_read_or_refused_by_name),
        cmocka_unit_test(a_stage_sets_all_gates_that_are_not_given),
        cmocka_unit_test(an_enabled_gate_needs_those_it_depends_on),
        cmocka_unit_test(a_flag_is_completed_with_what_needs_the_gates_it_switches_off),
        cmocka_unit_test(everything_of_topology_goes_off_together),
        cmocka_unit_test(gates_reach_the_settings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
