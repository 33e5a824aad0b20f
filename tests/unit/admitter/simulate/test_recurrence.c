#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "admitter/simulate/recurrence.h"

#define SECOND INT64_C(1000000000)

static void cycle(struct recurrence *r, const char *name, bool changed, int64_t now,
                  uint64_t outlook)
{
    struct decision decision = { .namespace = "default", .name = name, .message = "" };
    struct cycle_result result = { .decisions = &decision, .count = 1 };

    recurrence_cycle(r, &result, changed, now, outlook);
}

/* Two workloads in turn, a second apart; how many cycles until that counts as endless, or 'limit'.
 */
static int turns(struct recurrence *r, int limit, bool something_comes_nearer)
{
    for (int i = 0; i < limit; i++) {
        cycle(r, i % 2 ? "b" : "a", true, i * SECOND,
              something_comes_nearer ? (uint64_t)(limit - i) : 0);
        if (recurrence_is_endless(r))
            return i + 1;
    }
    return limit;
}

static void workloads_in_turn_are_noticed(void **state)
{
    struct recurrence r;

    (void)state;
    recurrence_init(&r, 1);
    /* The first cycle has no time before it, and is no part of what repeats. */
    assert_int_equal(turns(&r, 1000, false), 1 + RECURRENCE_STRETCH + 2);
    assert_false(recurrence_is_stuck(&r));
    recurrence_finish(&r);
}

static void what_is_due_keeps_it_going(void **state)
{
    struct recurrence r;

    (void)state;
    recurrence_init(&r, 1);
    assert_int_equal(turns(&r, 1000, true), 1000);
    assert_false(recurrence_is_endless(&r));
    recurrence_finish(&r);
}

static void a_long_queue_is_no_repetition(void **state)
{
    static const char names[] = "abcdefghijklmnopqrstuvwxyz";
    struct recurrence r;
    char name[3] = "";

    (void)state;
    recurrence_init(&r, 1);
    for (int i = 0; i < 600; i++) {
        name[0] = names[i / 26];
        name[1] = names[i % 26];
        cycle(&r, name, true, 0, 0);
    }
    assert_false(recurrence_is_endless(&r));
    recurrence_finish(&r);
}

static void failing_heads_are_stuck_until_something_happens(void **state)
{
    struct recurrence r;

    (void)state;
    recurrence_init(&r, 2);
    for (int i = 0; i < 3; i++) {
        assert_false(recurrence_is_stuck(&r));
        cycle(&r, "a", false, 0, 0);
    }
    assert_true(recurrence_is_stuck(&r));
    recurrence_event(&r);
    assert_false(recurrence_is_stuck(&r));
    cycle(&r, "a", false, 0, 0);
    cycle(&r, "a", true, 0, 0);
    cycle(&r, "a", false, 0, 0);
    assert_false(recurrence_is_stuck(&r));
    recurrence_finish(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(workloads_in_turn_are_noticed),
        cmocka_unit_test(what_is_due_keeps_it_going),
        cmocka_unit_test(a_long_queue_is_no_repetition),
        cmocka_unit_test(failing_heads_are_stuck_until_something_happens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
