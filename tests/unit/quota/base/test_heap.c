#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "quota/base/heap.h"
#include "quota/base/mem.h"

struct item {
    int key, id;
    uint32_t place;
};

static bool item_before(const void *a, const void *b, void *context)
{
    const struct item *x = a, *y = b;

    ++*(unsigned long *)context;
    return x->key != y->key ? x->key < y->key : x->id < y->id;
}

static void a_heap_pops_the_least_under_random_changes(void **state)
{
    enum { ITEMS = 200, STEPS = 50000 };
    static struct item items[ITEMS];
    unsigned long compared = 0;
    unsigned seed = 3;
    size_t inside = 0;
    struct heap h;

    (void)state;
    heap_init(&h, HEAP_PLACE(struct item, place), item_before, &compared);
    for (int i = 0; i < ITEMS; i++)
        items[i] = (struct item){ 0, i, HEAP_ABSENT };
    for (int step = 0; step < STEPS; step++) {
        struct item *item = &items[rand_r(&seed) % ITEMS], *least = NULL;

        switch (rand_r(&seed) % 4) {
        case 0:
            if (!heap_contains(&h, item)) {
                item->key = rand_r(&seed) % 50;
                heap_push(&h, item);
                inside++;
            }
            break;
        case 1:
            inside -= heap_contains(&h, item);
            heap_remove(&h, item);
            assert_true(item->place == HEAP_ABSENT);
            break;
        case 2:
            item->key = rand_r(&seed) % 50;
            heap_update(&h, item);
            break;
        default:
            for (int i = 0; i < ITEMS; i++)
                if (heap_contains(&h, &items[i]) &&
                    (!least || item_before(&items[i], least, &compared)))
                    least = &items[i];
            assert_ptr_equal(heap_peek(&h), least);
            if (step % 3 == 0) {
                assert_ptr_equal(heap_pop(&h), least);
                inside -= least != NULL;
            }
        }
        assert_int_equal(h.count, inside);
    }
    heap_finish(&h);
}

static void a_rebuilt_heap_is_in_order(void **state)
{
    static struct item items[100];
    unsigned long compared = 0;
    struct heap h;

    (void)state;
    heap_init(&h, HEAP_PLACE(struct item, place), item_before, &compared);
    for (int i = 0; i < 100; i++) {
        items[i] = (struct item){ i, i, HEAP_ABSENT };
        heap_push(&h, &items[i]);
    }
    for (int i = 0; i < 100; i++)
        items[i].key = -i;
    heap_rebuild(&h);
    for (int i = 99; i >= 0; i--)
        assert_ptr_equal(heap_pop(&h), &items[i]);
    assert_null(heap_pop(&h));
    heap_finish(&h);
}

static void removing_an_item_that_was_never_pushed_changes_nothing(void **state)
{
    struct item inside = { 1, 1, HEAP_ABSENT }, zeroed = { 0, 0, 0 };
    unsigned long compared = 0;
    struct heap h;

    (void)state;
    heap_init(&h, HEAP_PLACE(struct item, place), item_before, &compared);
    heap_push(&h, &inside);
    heap_remove(&h, &zeroed);
    assert_ptr_equal(heap_peek(&h), &inside);
    heap_finish(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_heap_pops_the_least_under_random_changes),
        cmocka_unit_test(a_rebuilt_heap_is_in_order),
        cmocka_unit_test(removing_an_item_that_was_never_pushed_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
