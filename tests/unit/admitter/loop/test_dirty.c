/* The lists of records that may need something: first come, first served, each once. */
#include "tests/unit/admitter/rules/support.h"

#include <string.h>
#include "admitter/loop/loop_private.h"

static struct dirty_list list, other;
static struct dirty_link links[4];

static int setup(void **state)
{
    (void)state;
    dirty_init(&list);
    dirty_init(&other);
    memset(links, 0, sizeof(links));
    for (size_t i = 0; i < 3; i++)
        dirty_push(&list, &links[i]);
    return 0;
}

static void first_come_first_served(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++)
        assert_ptr_equal(dirty_pop(&list), &links[i]);
    assert_null(dirty_pop(&list));
    dirty_push(&list, &links[3]);
    assert_ptr_equal(dirty_pop(&list), &links[3]);
}

static void lists_count_what_passes_through(void **state)
{
    (void)state;
    dirty_push(&list, &links[0]); /* listed already */
    dirty_pop(&list);
    dirty_remove(&links[2]);
    dirty_remove(&links[2]);
    assert_int_equal(list.added, 3);
    assert_int_equal(list.stepped, 1);
    assert_int_equal(list.waiting, 1);
}

static void who_is_listed_is_not_listed_again(void **state)
{
    (void)state;
    dirty_push(&list, &links[0]);
    dirty_push(&other, &links[1]);
    assert_null(dirty_pop(&other));
    for (size_t i = 0; i < 3; i++)
        assert_ptr_equal(dirty_pop(&list), &links[i]);
    assert_null(dirty_pop(&list));
}

static void anyone_may_leave(void **state)
{
    (void)state;
    dirty_remove(&links[1]);
    dirty_remove(&links[2]);
    dirty_remove(&links[2]);
    dirty_push(&list, &links[3]);
    dirty_remove(&links[0]);
    dirty_push(&list, &links[1]);
    assert_ptr_equal(dirty_pop(&list), &links[3]);
    assert_ptr_equal(dirty_pop(&list), &links[1]);
    assert_null(dirty_pop(&list));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(first_come_first_served, setup),
        cmocka_unit_test_setup(lists_count_what_passes_through, setup),
        cmocka_unit_test_setup(who_is_listed_is_not_listed_again, setup),
        cmocka_unit_test_setup(anyone_may_leave, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
