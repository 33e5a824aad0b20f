#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "admitter/explain/report.h"
#include "admitter/explain/text.h"
#include "quota/base/mem.h"

static struct holder holders[] = { { "t/a", "q", 4000, false },
                                   { "t/b", "q", 2000, true },
                                   { "t/c", "q", 1000, false },
                                   { "t/d", "q", 1000, false } };
static struct explained_resource cpu = {
    .resource = "cpu",
    .requested = 5000,
    .available = 500,
    .maximum = 9000,
    .missing = 4500,
    .binding = { BINDING_CAPACITY, "co", true, 9000, 8500 },
    .unlent = 1000,
    .holders = holders,
    .holder_count = 4,
};
static struct explained_flavor flavors[] = {
    { .flavor = "spot", .verdict = VERDICT_REFUSED, .refusal = "flavor spot not found" },
    { .flavor = "f",
      .verdict = VERDICT_LACKS,
      .refusal = "",
      .resources = &cpu,
      .resource_count = 1 },
};
static struct explained_pod_set pod_set = {
    .name = "main", .is_looked_at = true, .problem = "", .flavors = flavors, .flavor_count = 2
};
static const struct explanation waiting = { .cluster_queue = "q",
                                            .waiting = 1,
                                            .first = "",
                                            .message = "m",
                                            .pod_sets = &pod_set,
                                            .pod_set_count = 1 };

static void assert_missing(const char *wanted)
{
    AUTO_STRBUF struct strbuf text = STRBUF_INIT;

    explain_missing(&waiting, &text);
    assert_string_equal(text.text, wanted);
}

static const char *remedy(const json_t *list, size_t i)
{
    return json_string_value(json_array_get(list, i));
}

static void what_is_missing_is_said_with_numbers(void **state)
{
    (void)state;
    assert_missing(
        "flavor spot not found; flavor f lacks 4500m cpu (5 requested, 500m free, capacity 9 "
        "of Cohort co with 8500m in use; t/a holds 4, t/b holds 2 and is leaving, t/c holds "
        "1 and 1 more)");
}

static void what_helps_is_the_least_that_is_enough(void **state)
{
    json_t *list = explain_remedies(&waiting);

    (void)state;
    assert_int_equal(json_array_size(list), 3);
    assert_string_equal(remedy(list, 0), "the end of t/a and t/b");
    assert_string_equal(remedy(list, 1),
                        "a higher lendingLimit of others: 1 cpu in flavor f free and not lent");
    assert_string_equal(remedy(list, 2),
                        "4500m more nominalQuota of cpu in flavor f somewhere in Cohort co");
    json_decref(list);
    cpu.missing = 1000;
    list = explain_remedies(&waiting);
    assert_string_equal(remedy(list, 0), "the end of t/d");
    cpu.missing = 4500;
    json_decref(list);
}

static void what_never_fits_is_not_waited_for(void **state)
{
    struct explained_resource before = cpu;
    json_t *list;

    (void)state;
    cpu.is_never = true;
    cpu.unlent = 0;
    cpu.binding = (struct binding){ BINDING_BORROWING, "q", false, 1000, 0, 4500 };
    assert_missing(
        "flavor spot not found; flavor f lacks 4500m cpu (5 requested, never more than 9, "
        "borrowingLimit 1 of ClusterQueue q with 0 borrowed)");
    list = explain_remedies(&waiting);
    assert_int_equal(json_array_size(list), 1);
    assert_string_equal(remedy(list, 0),
                        "4500m more borrowingLimit of cpu in flavor f of ClusterQueue q");
    json_decref(list);
    cpu.binding.slack = 4499; /* the cohort has no more to lend */
    list = explain_remedies(&waiting);
    assert_string_equal(remedy(list, 0),
                        "4500m more nominalQuota of cpu in flavor f of ClusterQueue q");
    json_decref(list);
    cpu = before;
}

/* ---- the whole ---- */

static const char *summary_of(const char *workload, const struct explanation *explanation,
                              struct wait_reason why)
{
    static char text[1000];
    struct explain_subject subject = { .workload = json_loads(workload, 0, NULL),
                                       .namespace = (char[]){ "t" },
                                       .name = (char[]){ "w" } };
    json_t *hidden = json_array();
    const struct explain_facts facts = { .subject = &subject,
                                         .cluster_queue = "q",
                                         .explanation = explanation,
                                         .why = why,
                                         .hidden = hidden,
                                         .now = 0 };
    json_t *report = explain_report(&facts);

    assert_non_null(report);
    snprintf(text, sizeof(text), "%s", json_string_value(json_object_get(report, "summary")));
    json_decref(report);
    json_decref(hidden);
    json_decref(subject.workload);
    return text;
}

#define CONDITION(type, message)                                                                   \
    "{\"type\": \"" type "\", \"status\": \"True\", \"reason\": \"R\", \"message\": \"" message    \
    "\"}"
#define STATUS(conditions) "{\"status\": {\"conditions\": [" conditions "]}}"
#define HELD(conditions)                                                                           \
    "{\"status\": {\"admission\": {\"clusterQueue\": \"p\"}, \"conditions\": [" conditions "], "   \
    "\"admissionChecks\": [{\"name\": \"c\", \"state\": \"Pending\", \"message\": \"soon\"}]}}"

static void each_state_has_its_sentence(void **state)
{
    const struct explanation fits = { .cluster_queue = "q",
                                      .fits = true,
                                      .waiting = 3,
                                      .ahead = 1,
                                      .first = "t/x",
                                      .strict_fifo = true };
    static const struct {
        const char *workload, *summary;
    } cases[] = {
        { STATUS(CONDITION("Finished", "done")), "t/w has finished: done." },
        { HELD(CONDITION("QuotaReserved", "m")),
          "t/w holds quota in ClusterQueue p and waits for AdmissionCheck c (Pending: soon)." },
        { HELD(CONDITION("QuotaReserved", "m") ", " CONDITION("Admitted", "m")),
          "t/w is admitted in ClusterQueue p." },
        { HELD(CONDITION("QuotaReserved", "m") ", " CONDITION("Evicted", "Preempted by x")),
          "t/w is being evicted from ClusterQueue p: Preempted by x." },
        { "{\"spec\": {\"active\": false}}",
          "t/w is deactivated; it would queue again with spec.active: true." },
        { "{}", "t/w waits: nobody has looked at it yet." },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        assert_string_equal(summary_of(cases[i].workload, NULL, (struct wait_reason){ "", "", "" }),
                            cases[i].summary);
    assert_string_equal(summary_of("{}", NULL, (struct wait_reason){ "Suspended", "stopped", "" }),
                        "t/w waits: stopped.");
    assert_string_equal(summary_of("{\"status\": {\"requeueState\": {\"requeueAt\": "
                                   "\"2030-01-01T00:00:00Z\"}}}",
                                   &fits, (struct wait_reason){ "", "", "" }),
                        "t/w waits in ClusterQueue q as number 2 of 3 (StrictFIFO: behind t/x) and "
                        "fits now; it is not tried again before 2030-01-01T00:00:00Z.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_missing_is_said_with_numbers),
        cmocka_unit_test(what_helps_is_the_least_that_is_enough),
        cmocka_unit_test(what_never_fits_is_not_waited_for),
        cmocka_unit_test(each_state_has_its_sentence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
