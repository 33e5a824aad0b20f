#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "admitter/simulate/simulate.h"
#include "quota/base/clock.h"
#include "quota/base/mem.h"

static struct simulate_options options;
static struct err e;

static int finish(void **state)
{
    (void)state;
    free(options.paths);
    options.paths = NULL;
    err_clear(&e);
    return 0;
}

static int arguments(const char *text)
{
    char *argv[24] = { (char *)(uintptr_t) "simulate" };
    static char kept[256];
    int argc = 1;

    snprintf(kept, sizeof(kept), "%s", text);
    for (char *word = strtok(kept, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    return simulate_arguments(argc, argv, &options, &e);
}

static void the_defaults_are_until_idle_and_a_table(void **state)
{
    (void)state;
    assert_int_equal(arguments("-f x.yaml"), 0);
    assert_int_equal(options.cycles, -1);
    assert_int_equal(options.duration, -1);
    assert_true(options.now == TIME_NONE);
    assert_false(options.json);
    assert_int_equal(options.path_count, 1);
    assert_string_equal(options.paths[0], "x.yaml");
}

static void every_flag_is_read_with_and_without_equals(void **state)
{
    (void)state;
    assert_int_equal(arguments("-f a -f=b --config c --feature-gates=A=true,B=false --now "
                               "1970-01-01T00:00:01Z --cycles=3 --duration 90s -o json"),
                     0);
    assert_int_equal(options.path_count, 2);
    assert_string_equal(options.paths[1], "b");
    assert_string_equal(options.config_path, "c");
    assert_string_equal(options.feature_gates, "A=true,B=false");
    assert_true(options.now == NANOSECONDS_PER_SECOND);
    assert_int_equal(options.cycles, 3);
    assert_true(options.duration == 90 * NANOSECONDS_PER_SECOND);
    assert_true(options.json);
}

static void wrong_arguments_are_named(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        { "", "-f: name at least one file, folder or -" },
        { "-f", "-f: needs a value" },
        { "-f x --cycle 3", "unknown argument \"--cycle\"" },
        { "-f x extra", "unknown argument \"extra\"" },
        { "-f x --cycles -1", "--cycles: expected a number from 0 on, got \"-1\"" },
        { "-f x --cycles many", "--cycles: expected a number from 0 on, got \"many\"" },
        { "-f x -o yaml", "-o: expected table or json, got \"yaml\"" },
        { "-f x --until-idle=yes", "--until-idle: takes no value" },
        { "-f x --cycles 1 --until-idle", "--cycles and --until-idle exclude each other" },
        { "-f x --duration -5s", "--duration: expected no negative duration, got \"-5s\"" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        assert_int_equal(arguments(cases[i].text), -1);
        assert_string_equal(e.text, cases[i].message);
        finish(NULL);
    }
    assert_int_equal(arguments("-f x --now yesterday"), -1);
    assert_non_null(strstr(e.text, "--now: "));
    assert_non_null(strstr(e.text, "yesterday"));
}

#define T(f) cmocka_unit_test_teardown(f, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_defaults_are_until_idle_and_a_table),
        T(every_flag_is_read_with_and_without_equals),
        T(wrong_arguments_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
