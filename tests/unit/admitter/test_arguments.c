#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "admitter/arguments.h"
#include "quota/base/mem.h"

#define WORDS_MAX 8

static int parse(const char *const *words, struct arguments *out, struct err *e)
{
    char *argv[WORDS_MAX];
    int argc = 0;

    e->text[0] = '\0';
    for (; words[argc]; argc++)
        argv[argc] = (char *)(uintptr_t)words[argc];
    return arguments_parse(argc, argv, out, e);
}

#define PARSE(out, ...) parse((const char *const[]){ __VA_ARGS__, NULL }, (out), &(struct err){ 0 })

static void without_flags_everything_has_its_default(void **state)
{
    struct arguments a;

    (void)state;
    assert_int_equal(arguments_parse(0, NULL, &a, NULL), 0);
    assert_string_equal(a.configuration, "");
    assert_string_equal(a.kubeconfig, "");
    assert_null(a.feature_gates);
    assert_string_equal(a.ledger, ARGUMENTS_LEDGER_DEFAULT);
    assert_int_equal(a.log_level, LOG_INFO);
    assert_true(a.all_components);
    assert_false(a.metrics_plaintext);
    assert_false(a.debug_endpoints);
    assert_false(a.help);
    for (size_t i = 0; i < TUNING_COUNT; i++)
        assert_int_equal(a.tuning[i], ARGUMENTS_UNSET);
}

static void flags_are_read_in_all_spellings(void **state)
{
    struct arguments a;

    (void)state;
    assert_int_equal(PARSE(&a, "--config", "/c", "--kubeconfig=/k", "-feature-gates=A=true",
                           "--ledger=:memory:", "--log-level=debug"),
                     0);
    assert_string_equal(a.configuration, "/c");
    assert_string_equal(a.kubeconfig, "/k");
    assert_string_equal(a.feature_gates, "A=true");
    assert_string_equal(a.ledger, ":memory:");
    assert_int_equal(a.log_level, LOG_DEBUG);
    assert_int_equal(PARSE(&a, "--metrics-plaintext", "--debug-endpoints=false", "--help"), 0);
    assert_true(a.metrics_plaintext);
    assert_false(a.debug_endpoints);
    assert_true(a.help);
    assert_int_equal(PARSE(&a, "--config=/a", "--config=/b"), 0);
    assert_string_equal(a.configuration, "/b");
}

static void flags_of_kueues_logger_are_taken(void **state)
{
    static const struct {
        const char *value;
        int rc;
        enum log_level level;
    } cases[] = {
        { "2", 0, LOG_INFO },      { "4", 0, LOG_DEBUG },     { "debug", 0, LOG_DEBUG },
        { "error", 0, LOG_ERROR }, { "panic", 0, LOG_ERROR }, { "warn", -1, LOG_INFO },
        { "0", -1, LOG_INFO },     { "-1", -1, LOG_INFO },
    };
    struct arguments a;
    struct configuration c;

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        assert_int_equal(PARSE(&a, "--zap-log-level", cases[i].value), cases[i].rc);
        if (cases[i].rc == 0)
            assert_int_equal(a.log_level, cases[i].level);
    }
    assert_int_equal(
        PARSE(&a, "--zap-devel", "--zap-encoder=console", "--zap-time-encoding", "iso8601"), 0);
    assert_int_equal(configuration_load(NULL, NULL, &c, NULL), 0);
    arguments_apply(&a, &c);
    assert_int_equal(c.warning_count, 3);
    assert_string_equal(c.warnings[1], "--zap-encoder has no effect");
    configuration_finish(&c);
}

static void parts_become_bits(void **state)
{
    static const struct {
        const char *list;
        bool all;
        unsigned components, jobs, webhooks, unsupported;
    } cases[] = {
        { "all", true, 0, 0, 0, 0 },
        { "none", false, 0, 0, 0, 0 },
        { "core", false, COMPONENT_CORE, 0, 0, 0 },
        { "core,scheduler,webhooks-core", false,
          COMPONENT_CORE | COMPONENT_SCHEDULER | COMPONENT_WEBHOOKS_CORE, 0, 0, 0 },
        { "job:batch/job", false, 0, 1, 0, 0 },
        { "webhook:batch/job, core", false, COMPONENT_CORE, 0, 1, 0 },
        { "job:ray.io/rayjob", false, 0, 0, 0, 1 },
        { "tas,provisioning,multikueue,elastic,concurrent-admission,failure-recovery,dra,"
          "visibility,"
          "retention,core,webhooks-core,scheduler",
          false, COMPONENT_ALL, 0, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct arguments a;

        assert_int_equal(PARSE(&a, "--components", cases[i].list), 0);
        assert_int_equal(a.all_components, cases[i].all);
        assert_int_equal(a.components, cases[i].components);
        assert_int_equal(a.job_reconcilers, cases[i].jobs);
        assert_int_equal(a.job_webhooks, cases[i].webhooks);
        assert_int_equal(a.unsupported_count, cases[i].unsupported);
    }
}

static void mistakes_name_the_word_and_list_what_is_known(void **state)
{
    static const struct {
        const char *words[3];
        const char *problem, *known;
    } cases[] = {
        { { "--confg=x" }, "unknown flag \"--confg=x\"", "--config, --kubeconfig" },
        { { "--config" }, "flag --config needs a value", "" },
        { { "run" }, "unexpected argument \"run\"", "" },
        { { "-" }, "unexpected argument \"-\"", "" },
        { { "--components", "core,foo" }, "unknown part \"foo\"", "scheduler, tas" },
        { { "--components", "job:batch/jobs" }, "unknown part \"job:batch/jobs\"", "job:NAME" },
        { { "--components", "hook:pod" }, "unknown part \"hook:pod\"", "webhook:NAME" },
        { { "--components", "core,all" }, "unknown part \"all\"", "" },
        { { "--components=" }, "--components: empty", "none" },
        { { "--tuning", "requeueBatch" }, "\"requeueBatch\" has no value", "" },
        { { "--tuning", "requeue=1s" },
          "unknown key \"requeue\"",
          "requeueBatch, tasRequeueBatch, queueStatusInterval, podTerminationGrace, multikueueGC, "
          "multikueueEventBatch" },
        { { "--tuning", "requeueBatch=1" }, "requeueBatch: \"1\" is no duration", "" },
        { { "--tuning", "requeueBatch=-1s" }, "requeueBatch: \"-1s\" is no duration", "" },
        { { "--log-level=loud" }, "unknown level \"loud\"", "debug, info, warn, error" },
        { { "--metrics-plaintext=perhaps" }, "\"perhaps\" is neither true nor false", "" },
        { { "--ledger=" }, "--ledger: empty", "" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct arguments a;
        struct err e;

        assert_int_equal(parse(cases[i].words, &a, &e), -1);
        assert_int_equal(e.code, ERR_INVALID);
        assert_non_null(strstr(e.text, cases[i].problem));
        assert_non_null(strstr(e.text, cases[i].known));
    }
}

static void periods_and_parts_reach_the_settings(void **state)
{
    struct configuration c;
    struct arguments a;

    (void)state;
    assert_int_equal(PARSE(&a, "--tuning",
                           "requeueBatch=50ms,tasRequeueBatch=2s,queueStatusInterval=0s,"
                           "podTerminationGrace=5s,multikueueGC=0s,multikueueEventBatch=10ms"),
                     0);
    assert_int_equal(configuration_load(NULL, NULL, &c, NULL), 0);
    arguments_apply(&a, &c);
    assert_int_equal(c.loop.engine.requeue_batch, 50 * NANOSECONDS_PER_MILLISECOND);
    assert_int_equal(c.loop.tas_requeue_batch, 2 * NANOSECONDS_PER_SECOND);
    assert_int_equal(c.loop.queue_status_interval, 0);
    assert_int_equal(c.loop.pod_termination_grace, 5 * NANOSECONDS_PER_SECOND);
    assert_int_equal(c.loop.multikueue_gc, 0);
    assert_int_equal(c.loop.multikueue_event_batch, 10 * NANOSECONDS_PER_MILLISECOND);
    assert_int_equal(c.loop.components, COMPONENT_ALL);
    assert_int_equal(c.loop.job_reconcilers, 1);
    configuration_finish(&c);
}

static void parts_replace_what_the_file_says(void **state)
{
    struct configuration c;
    struct arguments a;

    (void)state;
    assert_int_equal(configuration_load(NULL, NULL, &c, NULL), 0);
    assert_int_equal(PARSE(&a, "--components=core,webhook:batch/job,job:ray.io/rayjob"), 0);
    arguments_apply(&a, &c);
    assert_int_equal(c.loop.components, COMPONENT_CORE);
    assert_int_equal(c.loop.job_reconcilers, 0);
    assert_int_equal(c.loop.job_webhooks, 1);
    assert_true(c.loop.owners.items[0].is_managed); /* who counts as an owner is another matter */
    assert_int_equal(c.loop.engine.requeue_batch, NANOSECONDS_PER_SECOND);
    assert_int_equal(c.warning_count, 1);
    assert_non_null(strstr(c.warnings[0], "ray.io/rayjob"));
    configuration_finish(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_flags_everything_has_its_default),
        cmocka_unit_test(flags_are_read_in_all_spellings),
        cmocka_unit_test(flags_of_kueues_logger_are_taken),
        cmocka_unit_test(parts_become_bits),
        cmocka_unit_test(mistakes_name_the_word_and_list_what_is_known),
        cmocka_unit_test(periods_and_parts_reach_the_settings),
        cmocka_unit_test(parts_replace_what_the_file_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
