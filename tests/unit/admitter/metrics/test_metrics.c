#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "admitter/metrics/metrics.h"
#include "admitter/metrics/table.h"
#include "quota/base/clock.h"
#include "quota/base/mem.h"
#include "quota/base/quantity.h"

#define SECONDS(n) ((n)*NANOSECONDS_PER_SECOND)

/* ---- the table that dashboards rely on, see tests/e2e/metrics.table ---- */

static const struct metrics_row *find_row(const char *name)
{
    for (size_t i = 0; i < METRICS_COUNT; i++)
        if (strcmp(metrics_table[i].name, name) == 0)
            return &metrics_table[i];
    fail_msg("missing: %s", name);
    return NULL;
}

static void row_labels(const struct metrics_row *row, struct strbuf *out)
{
    for (size_t i = 0; i < METRICS_LABELS_MAX && row->labels[i]; i++)
        strbuf_printf(out, "%s%s", i > 0 ? "," : "", row->labels[i]);
}

static void row_custom(const struct metrics_row *row, struct strbuf *out)
{
    static const char *const kinds[] = { "CQ", "CO", "LQ", "WL" };

    for (unsigned i = 0; i < ARRAY_COUNT(kinds); i++)
        if (row->custom & 1u << i)
            strbuf_printf(out, "%s%s", out->length > 0 ? "," : "", kinds[i]);
    if (out->length == 0)
        strbuf_puts(out, "-");
}

struct bucket_set {
    char name[8];
    double bounds[20];
    size_t count;
};

static void read_buckets(const char *line, struct bucket_set *set)
{
    const char *at;
    int used;

    assert_int_equal(sscanf(line, "buckets %7s%n", set->name, &used), 1);
    for (at = line + used; sscanf(at, "%lf%n", &set->bounds[set->count], &used) == 1; at += used)
        set->count++;
}

static void check_type(const struct metrics_row *row, const char *type,
                       const struct bucket_set *sets, size_t set_count)
{
    if (row->type == METRIC_COUNTER || row->type == METRIC_GAUGE) {
        assert_string_equal(row->type == METRIC_COUNTER ? "counter" : "gauge", type);
        return;
    }
    for (size_t i = 0; i < set_count; i++) {
        if (strcmp(sets[i].name, type) != 0)
            continue;
        assert_int_equal(row->buckets->count, sets[i].count);
        assert_memory_equal(row->buckets->bounds, sets[i].bounds,
                            sets[i].count * sizeof(sets[i].bounds[0]));
        return;
    }
    fail_msg("%s: no bucket set %s", row->name, type);
}

static void check_row(const char *line, const struct bucket_set *sets, size_t set_count)
{
    AUTO_STRBUF struct strbuf own_labels = STRBUF_INIT, own_custom = STRBUF_INIT;
    char name[100], type[20], labels[200], custom[40];
    const struct metrics_row *row;

    assert_int_equal(sscanf(line, "%99s %19s %199s %39s", name, type, labels, custom), 4);
    row = find_row(name);
    check_type(row, type, sets, set_count);
    row_labels(row, &own_labels);
    row_custom(row, &own_custom);
    assert_string_equal(own_labels.text, labels);
    assert_string_equal(own_custom.text, custom);
    assert_true(strlen(row->help) > 10);
}

static void names_types_and_labels_are_those_of_the_table(void **state)
{
    struct bucket_set sets[8] = { 0 };
    size_t set_count = 0, rows = 0;
    FILE *file = fopen("tests/e2e/metrics.table", "r");
    char line[500];

    (void)state;
    assert_non_null(file);
    while (fgets(line, sizeof(line), file)) {
        if (*line == '#')
            continue;
        if (strncmp(line, "buckets ", 8) == 0) {
            read_buckets(line, &sets[set_count++]);
            continue;
        }
        check_row(line, sets, set_count);
        rows++;
    }
    fclose(file);
    assert_int_equal(rows, METRICS_COUNT);
}

/* ---- what is written ---- */

static void begin(void (*change)(struct metrics_options *options))
{
    static struct metrics_options options;

    options = (struct metrics_options){ .lease_name = "c1f6bfd2.kueue.x-k8s.io",
                                        .resources = true,
                                        .local_queues = true,
                                        .cohorts = true,
                                        .creation_latency = true,
                                        .unadmitted = true,
                                        .hashes = true };
    if (change)
        change(&options);
    metrics_start(&options);
}

static bool shows(const char *line)
{
    AUTO_STRBUF struct strbuf text = STRBUF_INIT, whole = STRBUF_INIT;

    metrics_render(&text);
    strbuf_printf(&whole, "\n%s\n", line);
    return strstr(text.text, whole.text) != NULL;
}

static bool mentions(const char *piece)
{
    AUTO_STRBUF struct strbuf text = STRBUF_INIT;

    metrics_render(&text);
    return strstr(text.text, piece) != NULL;
}

static void assert_shows(const char *line)
{
    AUTO_STRBUF struct strbuf text = STRBUF_INIT;

    if (shows(line))
        return;
    metrics_render(&text);
    print_message("missing: %s\nin:\n%s\n", line, text.text);
    fail();
}

static struct flavor_resource_usage usage_of_queue[] = {
    { .flavor = "a100", .resource = "cpu", .nominal = 8000, .total = 2500, .admitted = 1500 },
    { .flavor = "a100", .resource = "nvidia.com/gpu", .nominal = AMOUNT_UNLIMITED, .total = 4 },
};
static struct queue_status status_of_queue = {
    .activity = { .active = true, .reason = "Ready" },
    .pending = 5,
    .pending_active = 3,
    .reserving = 2,
    .admitted = 1,
    .usage = usage_of_queue,
    .usage_count = 2,
};

static void without_a_start_nothing_happens(void **state)
{
    AUTO_STRBUF struct strbuf text = STRBUF_INIT;

    (void)state;
    metrics_stop();
    metrics_cycle(1, true, 1);
    metrics_cluster_queue_status("q", &status_of_queue);
    metrics_local_queue_status("n", "l", &status_of_queue, true);
    metrics_cohort_status("c", &status_of_queue);
    metrics_cluster_queue_clear("q");
    metrics_write_failed("Job", "conflict");
    metrics_leading(true);
    metrics_render(&text);
    assert_int_equal(text.length, 0);
    assert_null(metrics_registry());
}

static void cycles_count_with_heads_only(void **state)
{
    (void)state;
    begin(NULL);
    metrics_cycle(0, true, SECONDS(1));
    assert_false(mentions("kueue_admission_attempts_total"));
    metrics_cycle(3, true, SECONDS(1) / 100);
    metrics_cycle(3, false, -5);
    assert_shows("kueue_admission_attempts_total{replica_role=\"follower\",result=\"success\"} 1");
    assert_shows(
        "kueue_admission_attempts_total{replica_role=\"follower\",result=\"inadmissible\"} 1");
    assert_shows("kueue_admission_attempt_duration_seconds_bucket{replica_role=\"follower\",result="
                 "\"success\",le=\"0.01\"} 1");
    assert_shows("kueue_admission_attempt_duration_seconds_sum{replica_role=\"follower\",result="
                 "\"inadmissible\"} 0");
    assert_true(mentions("kueue_build_info{"));
    metrics_stop();
}

static void a_queue_shows_its_state_and_its_quota_in_natural_units(void **state)
{
    (void)state;
    begin(NULL);
    metrics_cluster_queue_place("q", "team", "root");
    metrics_cluster_queue_status("q", &status_of_queue);
    metrics_cluster_queue_limits("q", "a100", "cpu", AMOUNT_UNLIMITED, 500);
#define Q "cluster_queue=\"q\""
#define ROLE "replica_role=\"follower\""
    assert_shows("kueue_pending_workloads{" Q "," ROLE ",status=\"active\"} 3");
    assert_shows("kueue_pending_workloads{" Q "," ROLE ",status=\"inadmissible\"} 2");
    assert_shows("kueue_reserving_active_workloads{" Q "," ROLE "} 2");
    assert_shows("kueue_admitted_active_workloads{" Q "," ROLE "} 1");
    assert_shows("kueue_cluster_queue_status{" Q "," ROLE ",status=\"active\"} 1");
    assert_shows("kueue_cluster_queue_status{" Q "," ROLE ",status=\"pending\"} 0");
    assert_shows("kueue_cluster_queue_status{" Q "," ROLE ",status=\"terminating\"} 0");
#define CPU Q ",cohort=\"team\",flavor=\"a100\"," ROLE ",resource=\"cpu\""
    assert_shows("kueue_cluster_queue_nominal_quota{" CPU "} 8");
    assert_shows("kueue_cluster_queue_resource_reservation{" CPU "} 2.5");
    assert_shows("kueue_cluster_queue_resource_usage{" CPU "} 1.5");
    assert_shows("kueue_cluster_queue_borrowing_limit{" CPU "} +Inf");
    assert_shows("kueue_cluster_queue_lending_limit{" CPU "} 0.5");
    assert_true(mentions("resource=\"nvidia.com/gpu\"} +Inf"));
    assert_shows("kueue_cluster_queue_info{" Q ",parent_cohort=\"team\"," ROLE
                 ",root_cohort=\"root\"} 1");
    assert_false(mentions("weighted_share"));
    metrics_stop();
}

static void an_inactive_queue_has_only_inadmissible_workloads(void **state)
{
    struct queue_status status = status_of_queue;

    (void)state;
    begin(NULL);
    status.activity = (struct queue_activity){ .active = false, .reason = "Stopped" };
    metrics_cluster_queue_status("q", &status);
    assert_shows("kueue_pending_workloads{" Q "," ROLE ",status=\"active\"} 0");
    assert_shows("kueue_pending_workloads{" Q "," ROLE ",status=\"inadmissible\"} 5");
    assert_shows("kueue_cluster_queue_status{" Q "," ROLE ",status=\"pending\"} 1");
    status.activity.reason = "Terminating";
    metrics_cluster_queue_status("q", &status);
    assert_shows("kueue_cluster_queue_status{" Q "," ROLE ",status=\"pending\"} 0");
    assert_shows("kueue_cluster_queue_status{" Q "," ROLE ",status=\"terminating\"} 1");
    metrics_stop();
}

static void flavors_and_cohorts_left_behind_disappear(void **state)
{
    struct queue_status status = status_of_queue;

    (void)state;
    begin(NULL);
    metrics_cluster_queue_place("q", "team", "team");
    metrics_cluster_queue_status("q", &status);
    metrics_cluster_queue_share("q", 12.5);
    assert_shows("kueue_cluster_queue_weighted_share{" Q ",cohort=\"team\"," ROLE "} 12.5");
    status.usage_count = 1;
    metrics_cluster_queue_place("q", "other", "other");
    metrics_cluster_queue_status("q", &status);
    metrics_cluster_queue_share("q", INFINITY);
    assert_false(mentions("nvidia.com/gpu"));
    assert_false(mentions("cohort=\"team\""));
    assert_shows("kueue_cluster_queue_weighted_share{" Q ",cohort=\"other\"," ROLE "} NaN");
    metrics_stop();
}

static void a_workload_counts_for_both_queues(void **state)
{
    const struct metrics_workload w = {
        .cluster_queue = "q", .namespace = "n", .local_queue = "l", .priority_class = "high"
    };

    (void)state;
    begin(NULL);
    metrics_workload_reserved(&w, SECONDS(3));
    metrics_workload_admitted(&w, SECONDS(4), -1);
    metrics_workload_evicted(&w, &(struct metrics_eviction){ .reason = "Deactivated",
                                                             .cause = "RequeuingLimitExceeded",
                                                             .is_first = true,
                                                             .was_ready = SECONDS(9) });
    metrics_workload_finished(&w, -1);
#define LOCAL "name=\"l\",namespace=\"n\",priority_class=\"high\"," ROLE
#define CLUSTER Q ",priority_class=\"high\"," ROLE
    assert_shows("kueue_quota_reserved_workloads_total{" CLUSTER "} 1");
    assert_shows("kueue_local_queue_quota_reserved_workloads_total{" LOCAL "} 1");
    assert_shows("kueue_quota_reserved_wait_time_seconds_sum{" CLUSTER "} 3");
    assert_shows("kueue_local_queue_admission_wait_time_seconds_bucket{" LOCAL ",le=\"2.5\"} 0");
    assert_shows("kueue_local_queue_admission_wait_time_seconds_bucket{" LOCAL ",le=\"5\"} 1");
    assert_false(mentions("kueue_admission_checks_wait_time_seconds"));
    assert_shows("kueue_evicted_workloads_once_total{" Q
                 ",priority_class=\"high\",reason=\"Deactivated\"," ROLE
                 ",underlying_cause=\"RequeuingLimitExceeded\"} 1");
    assert_shows("kueue_pods_ready_to_evicted_time_seconds_sum{" Q ",reason=\"Deactivated\"," ROLE
                 ",underlying_cause=\"RequeuingLimitExceeded\"} 9");
    assert_shows("kueue_finished_workloads_total{" CLUSTER "} 1");
    assert_false(mentions("kueue_execution_time_seconds"));
    metrics_stop();
}

static void waits_of_pods_and_jobs_are_observed(void **state)
{
    const struct metrics_workload w = { .namespace = "n", .local_queue = "l" };

    (void)state;
    begin(NULL);
    metrics_gate_removed("kueue.x-k8s.io/elastic-job", "q", false, SECONDS(2));
    metrics_workload_created(&w, "Job", SECONDS(1) / 50);
    metrics_workload_ready(&w, SECONDS(3), SECONDS(2));
    assert_shows("kueue_pod_scheduling_gate_removal_seconds_bucket{" Q
                 ",is_group=\"false\",name=\"kueue.x-k8s.io/elastic-job\"," ROLE ",le=\"2.5\"} 1");
    assert_shows("kueue_workload_creation_latency_seconds_bucket{job_kind=\"Job\"," ROLE
                 ",le=\"0.02\"} 1");
    assert_shows("kueue_local_queue_admitted_until_ready_wait_time_seconds_sum{name=\"l\","
                 "namespace=\"n\",priority_class=\"\"," ROLE "} 2");
    metrics_stop();
}

static void what_is_deleted_leaves_nothing(void **state)
{
    const struct metrics_workload w = { .cluster_queue = "q",
                                        .namespace = "n",
                                        .local_queue = "l" };

    (void)state;
    begin(NULL);
    metrics_cluster_queue_status("q", &status_of_queue);
    metrics_cluster_queue_status("q2", &status_of_queue);
    metrics_local_queue_status("n", "l", &status_of_queue, true);
    metrics_local_queue_active("n", "l", "True");
    metrics_cohort_status("c", &status_of_queue);
    metrics_workload_admitted(&w, 1, 1);
    metrics_preempted("q", "InClusterQueue");
    metrics_cluster_queue_unadmitted("q", "NoReservation", "WaitingForQuota", 1);
    metrics_local_queue_unadmitted("n", "l", "q", "NoReservation", "WaitingForQuota", 1);
    metrics_cluster_queue_clear("q");
    assert_false(mentions("queue=\"q\""));
    assert_true(mentions("cluster_queue=\"q2\""));
    metrics_local_queue_clear("n", "l");
    assert_false(mentions("name=\"l\""));
    assert_true(mentions("cohort=\"c\""));
    metrics_cohort_clear("c");
    assert_false(mentions("cohort=\"c\""));
    metrics_stop();
}

static void reasons_that_nobody_waits_for_disappear(void **state)
{
    (void)state;
    begin(NULL);
    metrics_cluster_queue_unadmitted("q", "NoReservation", "WaitingForQuota", 2);
    metrics_local_queue_unadmitted("n", "l", "q", "NoReservation", "WaitingForQuota", 1);
    metrics_cluster_queue_unadmitted("q", "NoReservation", "PendingEvaluation", 1);
    metrics_cluster_queue_unadmitted("q", "NoReservation", "PendingEvaluation", 0);
    assert_shows("kueue_unadmitted_workloads{" Q ",reason=\"NoReservation\"," ROLE
                 ",underlying_cause=\"WaitingForQuota\"} 2");
    assert_true(
        mentions("kueue_local_queue_unadmitted_workloads{" Q ",name=\"l\",namespace=\"n\""));
    assert_false(mentions("PendingEvaluation"));
    metrics_stop();
}

static void a_local_queue_without_cluster_queue_holds_nothing(void **state)
{
    (void)state;
    begin(NULL);
    metrics_local_queue_status("n", "l", &status_of_queue, true);
    assert_true(mentions("kueue_local_queue_reserving_active_workloads"));
    metrics_local_queue_status("n", "l", &status_of_queue, false);
    assert_true(mentions("kueue_local_queue_pending_workloads"));
    assert_false(mentions("kueue_local_queue_reserving_active_workloads"));
    assert_false(mentions("kueue_local_queue_resource_usage"));
    metrics_stop();
}

static bool is_team(void *context, const char *name)
{
    (void)context;
    return strcmp(name, "team") == 0;
}

static void a_move_is_told_once_and_cohorts_that_are_no_more_go(void **state)
{
    (void)state;
    begin(NULL);
    metrics_cluster_queue_place("q", "team", "team");
    metrics_cohort_place("implicit", "", "implicit");
    assert_false(metrics_take_moved()); /* they are new */
    metrics_cluster_queue_place("q", "team", "root");
    assert_true(metrics_take_moved());
    metrics_cluster_queue_place("q", "team", "root");
    assert_false(metrics_take_moved());
    metrics_cohort_status("team", &status_of_queue);
    metrics_cohorts_keep(is_team, NULL);
    assert_true(mentions("kueue_cohort_subtree_quota{cohort=\"team\""));
    assert_false(mentions("implicit"));
    metrics_cohort_unplace("team");
    assert_false(mentions("kueue_cohort_info"));
    metrics_stop();
}

static void leading_changes_the_role_and_drops_old_gauges(void **state)
{
    (void)state;
    begin(NULL);
    metrics_cluster_queue_status("q", &status_of_queue);
    metrics_cycle(1, true, 1);
    metrics_leading(true);
    assert_false(mentions("kueue_pending_workloads"));
    assert_true(mentions("kueue_admission_attempts_total{replica_role=\"follower\""));
    metrics_cluster_queue_status("q", &status_of_queue);
    assert_shows("kueue_reserving_active_workloads{" Q ",replica_role=\"leader\"} 2");
    assert_shows("leader_election_master_status{name=\"c1f6bfd2.kueue.x-k8s.io\"} 1");
    metrics_stop();
}

static void switch_all_off(struct metrics_options *options)
{
    options->standalone = true;
    options->resources = options->local_queues = options->cohorts = options->unadmitted = false;
}

static void what_is_switched_off_is_absent(void **state)
{
    const struct metrics_workload w = { .cluster_queue = "q",
                                        .namespace = "n",
                                        .local_queue = "l" };

    (void)state;
    begin(switch_all_off);
    metrics_cluster_queue_place("q", "c", "c");
    metrics_cluster_queue_status("q", &status_of_queue);
    metrics_local_queue_status("n", "l", &status_of_queue, true);
    metrics_workload_admitted(&w, 1, 1);
    metrics_cluster_queue_unadmitted("q", "a", "b", 1);
    metrics_local_queue_unadmitted("n", "l", "q", "a", "b", 1);
    assert_false(mentions("local_queue"));
    assert_false(mentions("nominal_quota"));
    assert_false(mentions("unadmitted"));
    assert_false(mentions("_info{cluster"));
    assert_shows("kueue_reserving_active_workloads{" Q ",replica_role=\"standalone\"} 2");
    metrics_stop();
}

/* ---- labels of objects ---- */

static const char *tracked[] = { "x" };
static const struct custom_label custom_labels[] = {
    { "team", LABEL_FROM_CLUSTER_QUEUE, "team", NULL, NULL, 0 },
    { "cost", LABEL_FROM_LOCAL_QUEUE, NULL, "cost", NULL, 0 },
    { "size", LABEL_FROM_WORKLOAD, "size", NULL, tracked, 1 },
};
static struct label selected_label[] = { { "shown", "yes" } };
static const struct label_selector selector = { .present = true,
                                                .labels = selected_label,
                                                .label_count = 1 };

static void choose_labels(struct metrics_options *options)
{
    options->custom_labels = custom_labels;
    options->custom_label_count = ARRAY_COUNT(custom_labels);
    options->local_queue_selector = &selector;
}

static void objects_bring_their_labels(void **state)
{
    static const struct label team[] = { { "team", "red" } }, size[] = { { "size", "y" } };
    static const struct label shown[] = { { "shown", "yes" } }, cost[] = { { "cost", "9" } };
    const struct metrics_object queue = { .labels = team, .label_count = 1 };
    const struct metrics_object local = {
        .labels = shown, .label_count = 1, .annotations = cost, .annotation_count = 1
    };
    const struct metrics_object plain = { 0 };
    struct metrics_workload w = { .cluster_queue = "q", .namespace = "n", .local_queue = "l" };

    (void)state;
    begin(choose_labels);
    assert_true(metrics_cluster_queue_labels("q", &queue));
    assert_false(metrics_cluster_queue_labels("q", &queue));
    metrics_workload_labels(&w, &(struct metrics_object){ .labels = size, .label_count = 1 });
    metrics_workload_admitted(&w, 0, -1);
    assert_shows("kueue_admitted_workloads_total{" Q
                 ",custom_team=\"red\",priority_class=\"\"," ROLE "} 1");
    assert_false(mentions("name=\"l\"")); /* not selected yet */
    assert_true(metrics_local_queue_labels("n", "l", &local));
    metrics_workload_admitted(&w, 0, -1);
    assert_true(mentions("kueue_local_queue_admitted_workloads_total{custom_cost=\"9\",custom_size="
                         "\"kueue.x-k8s.io/_UNTRACKED_VALUE_\",name=\"l\""));
    assert_true(metrics_cluster_queue_labels("q", &plain));
    assert_false(mentions("custom_team=\"red\""));
    assert_true(metrics_local_queue_labels("n", "l", &plain));
    assert_false(mentions("name=\"l\""));
    metrics_stop();
}

/* Prints, never asserts, how long a scrape of many queues takes. */
static void a_thousand_queues_are_rendered(void **state)
{
    AUTO_STRBUF struct strbuf text = STRBUF_INIT;
    struct timespec from, to;
    char name[32];

    (void)state;
    begin(NULL);
    for (int i = 0; i < 1000; i++) {
        struct metrics_workload w = { .cluster_queue = name,
                                      .namespace = "n",
                                      .local_queue = name };

        snprintf(name, sizeof(name), "queue-%d", i);
        metrics_cluster_queue_status(name, &status_of_queue);
        metrics_local_queue_status("n", name, &status_of_queue, true);
        metrics_workload_reserved(&w, SECONDS(i));
        metrics_workload_admitted(&w, SECONDS(i), -1);
    }
    metrics_render(&text);
    strbuf_reset(&text);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    metrics_render(&text);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    print_message("scrape of 1000 queues: %zu bytes in %.1f ms of CPU\n", text.length,
                  (double)(to.tv_sec - from.tv_sec) * 1e3 +
                      (double)(to.tv_nsec - from.tv_nsec) / 1e6);
    assert_non_null(strstr(text.text, "queue-999"));
    metrics_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_types_and_labels_are_those_of_the_table),
        cmocka_unit_test(without_a_start_nothing_happens),
        cmocka_unit_test(cycles_count_with_heads_only),
        cmocka_unit_test(a_queue_shows_its_state_and_its_quota_in_natural_units),
        cmocka_unit_test(an_inactive_queue_has_only_inadmissible_workloads),
        cmocka_unit_test(flavors_and_cohorts_left_behind_disappear),
        cmocka_unit_test(a_workload_counts_for_both_queues),
        cmocka_unit_test(waits_of_pods_and_jobs_are_observed),
        cmocka_unit_test(what_is_deleted_leaves_nothing),
        cmocka_unit_test(reasons_that_nobody_waits_for_disappear),
        cmocka_unit_test(a_local_queue_without_cluster_queue_holds_nothing),
        cmocka_unit_test(a_move_is_told_once_and_cohorts_that_are_no_more_go),
        cmocka_unit_test(leading_changes_the_role_and_drops_old_gauges),
        cmocka_unit_test(what_is_switched_off_is_absent),
        cmocka_unit_test(objects_bring_their_labels),
        cmocka_unit_test(a_thousand_queues_are_rendered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
