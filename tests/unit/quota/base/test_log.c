#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "quota/base/clock.h"
#include "quota/base/log.h"
#include "quota/base/mem.h"
#include "quota/base/str.h"

static int saved_stderr = -1;
static FILE *captured;

static void capture_begin(void)
{
    fflush(stderr);
    saved_stderr = dup(STDERR_FILENO);
    captured = tmpfile();
    dup2(fileno(captured), STDERR_FILENO);
}

/* What was written to standard error, one parsed object per line; the caller drops the array. */
static json_t *capture_end(void)
{
    json_t *lines = json_array();
    char line[8192];

    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    rewind(captured);
    while (fgets(line, sizeof(line), captured)) {
        json_t *object = json_loads(line, 0, NULL);

        assert_non_null(object);
        json_array_append_new(lines, object);
    }
    fclose(captured);
    return lines;
}

static const char *text_at(json_t *lines, size_t line, const char *key)
{
    return json_string_value(json_object_get(json_array_get(lines, line), key));
}

static void a_line_is_one_json_object(void **state)
{
    json_t *lines;
    int64_t time = 0;

    (void)state;
    log_thread_name("a-rather-long-thread-name");
    capture_begin();
    LOG(LOG_INFO, "workload admitted", KS("workload", "ns/\"w\"\n\xff"), KI("wait_ms", -5),
        KS("none", NULL));
    LOG(LOG_DEBUG, "not shown");
    LOG(LOG_WARN, "no keys");
    lines = capture_end();
    assert_int_equal(json_array_size(lines), 2);
    assert_int_equal(time_parse(str_of(text_at(lines, 0, "ts")), &time, NULL), 0);
    assert_int_equal(strlen(text_at(lines, 0, "ts")), 27);
    assert_string_equal(text_at(lines, 0, "level"), "info");
    assert_string_equal(text_at(lines, 0, "thread"), "a-rather-long-t");
    assert_string_equal(text_at(lines, 0, "msg"), "workload admitted");
    assert_string_equal(text_at(lines, 0, "workload"), "ns/\"w\"\n\xef\xbf\xbd");
    assert_string_equal(text_at(lines, 0, "none"), "");
    assert_int_equal(json_integer_value(json_object_get(json_array_get(lines, 0), "wait_ms")), -5);
    assert_string_equal(text_at(lines, 1, "level"), "warn");
    json_decref(lines);
}

static void say(unsigned number)
{
    LOG(LOG_ERROR, "again", KI("number", number));
}

static void a_site_that_repeats_is_held_back_and_counted(void **state)
{
    size_t shown, held = 0;
    json_t *lines, *line;

    (void)state;
    capture_begin();
    for (unsigned i = 0; i < 1000; i++)
        say(i);
    usleep(1100 * 1000);
    say(1000);
    lines = capture_end();
    shown = json_array_size(lines);
    for (size_t i = 0; i < shown; i++) {
        line = json_array_get(lines, i);
        held += (size_t)json_integer_value(json_object_get(line, "left_out"));
    }
    assert_true(shown >= 2 && shown < 100); /* seconds may turn in between */
    assert_int_equal(shown + held, 1001);
    json_decref(lines);
}

static void *talk(void *argument)
{
    char name[16];

    snprintf(name, sizeof(name), "t%u", *(unsigned *)argument);
    log_thread_name(name);
    for (unsigned i = 0; i < 500; i++) {
        LOG(LOG_INFO, "talk", KS("who", name), KI("i", i));
        LOG(LOG_ERROR, "often", KI("i", i));
        log_level_set(LOG_INFO);
    }
    return NULL;
}

static void lines_of_many_threads_do_not_mix(void **state)
{
    unsigned ids[4] = { 0, 1, 2, 3 };
    pthread_t threads[4];
    size_t talks = 0;
    json_t *lines;

    (void)state;
    capture_begin();
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, talk, &ids[i]), 0);
    for (unsigned i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    lines = capture_end();
    for (size_t i = 0; i < json_array_size(lines); i++) {
        if (strcmp(text_at(lines, i, "msg"), "talk") != 0)
            continue;
        talks++;
        assert_string_equal(text_at(lines, i, "who"), text_at(lines, i, "thread"));
    }
    assert_int_equal(talks, 2000);
    json_decref(lines);
}

static void levels_have_names(void **state)
{
    enum log_level level = LOG_ERROR;

    (void)state;
    assert_true(log_level_parse("debug", &level));
    assert_int_equal(level, LOG_DEBUG);
    assert_false(log_level_parse("loud", &level));
    assert_int_equal(level, LOG_DEBUG);
    log_level_set(LOG_WARN);
    assert_false(log_enabled(LOG_INFO));
    assert_true(log_enabled(LOG_WARN));
    log_level_set(LOG_INFO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_one_json_object),
        cmocka_unit_test(a_site_that_repeats_is_held_back_and_counted),
        cmocka_unit_test(lines_of_many_threads_do_not_mix),
        cmocka_unit_test(levels_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
