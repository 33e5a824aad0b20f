/* Conditions as they are read and brought up to date: spec/api.md 4.1. */
#include "tests/unit/admitter/objects/support.h"

#include <stdlib.h>
#include <string.h>
#include "admitter/objects/condition.h"
#include "quota/base/clock.h"

#define NOW (INT64_C(1767323045) * NANOSECONDS_PER_SECOND) /* 2026-01-02T03:04:05Z */
#define MINUTE (60 * NANOSECONDS_PER_SECOND)

static void the_transition_time_moves_with_the_status_only(void **state)
{
    json_t *object = tree("{}");
    struct condition_change change = { "A", "True", "R", "m", 1 };

    (void)state;
    assert_int_equal(condition_transition(object, "A"), TIME_NONE);
    assert_true(condition_put(object, &change, NOW - MINUTE));
    assert_false(condition_put(object, &change, NOW));
    change.reason = "S";
    assert_true(condition_put(object, &change, NOW));
    change.generation = 3;
    assert_true(condition_put(object, &change, NOW));
    assert_int_equal(condition_transition(object, "A"), NOW - MINUTE);
    change.status = "False";
    assert_true(condition_put(object, &change, NOW));
    assert_json(object, "{'status':{'conditions':[{'type':'A','status':'False','reason':'S',"
                        "'message':'m','observedGeneration':3,"
                        "'lastTransitionTime':'2026-01-02T03:04:05Z'}]}}");
    json_decref(object);
}

static void conditions_are_told_apart_by_their_type(void **state)
{
    json_t *object = tree("{}");

    (void)state;
    condition_put(object, &(struct condition_change){ "A", "True", "R", "m", 1 }, NOW);
    condition_put(object, &(struct condition_change){ "B", "False", "S", "n", 0 }, NOW);
    assert_true(condition_true(object, "A") && !condition_is(object, "A", "False"));
    assert_true(condition_is(object, "B", "False") && !condition_true(object, "B"));
    assert_string_equal(condition_reason(object, "B"), "S");
    assert_string_equal(condition_message(object, "B"), "n");
    assert_false(has_member(object, "status.conditions.1.observedGeneration"));
    assert_true(condition_drop(object, "A"));
    assert_false(condition_drop(object, "A"));
    assert_null(condition_find(object, "A"));
    assert_string_equal(condition_reason(object, "A"), "");
    assert_true(condition_is(object, "B", "False"));
    json_decref(object);
}

static void long_messages_end_in_dots(void **state)
{
    char *message = malloc(40000);
    json_t *object = tree("{}");

    (void)state;
    memset(message, 'x', 39999);
    message[39999] = '\0';
    condition_put(object, &(struct condition_change){ "A", "True", "R", message, 0 }, NOW);
    assert_int_equal(strlen(condition_message(object, "A")), CONDITION_MESSAGE_BYTES);
    free(message);
    json_decref(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_transition_time_moves_with_the_status_only),
        cmocka_unit_test(conditions_are_told_apart_by_their_type),
        cmocka_unit_test(long_messages_end_in_dots),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
