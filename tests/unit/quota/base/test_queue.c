#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "quota/base/mem.h"
#include "quota/base/queue.h"

struct note {
    struct message message;
    char key[16];
    unsigned producer, number;
};

static unsigned dropped;

static void note_drop(struct message *m)
{
    __atomic_add_fetch(&dropped, 1, __ATOMIC_RELAXED);
    free(m);
}

static struct message *note_create(const char *key, unsigned number)
{
    struct note *n = mem_alloc(sizeof(*n));

    n->number = number;
    n->message.drop = note_drop;
    if (key) {
        snprintf(n->key, sizeof(n->key), "%s", key);
        n->message.key = n->key;
    }
    return &n->message;
}

/* The numbers of a list, as text; frees it. */
static void expect_numbers(struct message *list, const char *expected)
{
    char text[128] = "";

    while (list) {
        struct message *next = list->next;

        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%u ",
                 ((struct note *)list)->number);
        free(list);
        list = next;
    }
    assert_string_equal(text, expected);
}

static bool is_readable(const struct queue *q)
{
    struct pollfd waiting = { queue_fd(q), POLLIN, 0 };

    return poll(&waiting, 1, 0) == 1;
}

static void messages_come_in_order_and_the_fd_follows(void **state)
{
    struct queue *q = queue_create(0);

    (void)state;
    assert_false(is_readable(q));
    assert_null(queue_take(q));
    for (unsigned i = 1; i <= 3; i++)
        assert_int_equal(queue_push(q, note_create(NULL, i), NULL), 0);
    assert_true(is_readable(q));
    assert_true(queue_wait(q, -1));
    assert_int_equal(queue_count(q), 3);
    expect_numbers(queue_take(q), "1 2 3 ");
    assert_false(is_readable(q));
    assert_false(queue_wait(q, 1));
    queue_push_always(q, note_create(NULL, 4));
    assert_true(is_readable(q));
    expect_numbers(queue_take(q), "4 ");
    queue_destroy(q);
}

static void a_keyed_message_takes_the_place_of_the_waiting_one(void **state)
{
    struct queue *q = queue_create(0);

    (void)state;
    dropped = 0;
    assert_int_equal(queue_push(q, note_create("a", 1), NULL), 0);
    assert_int_equal(queue_push(q, note_create("b", 2), NULL), 0);
    assert_int_equal(queue_push(q, note_create("c", 3), NULL), 0);
    assert_int_equal(queue_push(q, note_create("a", 4), NULL), 0);
    assert_int_equal(queue_push(q, note_create("b", 5), NULL), 0);
    assert_int_equal(queue_push(q, note_create("c", 6), NULL), 0);
    assert_int_equal(queue_push(q, note_create(NULL, 7), NULL), 0);
    assert_int_equal(queue_push(q, note_create("c", 8), NULL), 0);
    assert_int_equal(queue_push(q, note_create("a", 9), NULL), 0);
    assert_int_equal(queue_push(q, note_create("b", 10), NULL), 0);
    assert_int_equal(dropped, 6);
    assert_int_equal(queue_count(q), 4);
    expect_numbers(queue_take(q), "9 10 8 7 ");
    assert_int_equal(queue_push(q, note_create("a", 11), NULL), 0);
    assert_int_equal(dropped, 6);
    queue_destroy(q);
    assert_int_equal(dropped, 7);
}

static void a_full_queue_refuses_but_still_merges(void **state)
{
    struct queue *q = queue_create(2);
    struct message *extra = note_create("x", 3);
    struct err e = { ERR_NONE, "" };

    (void)state;
    assert_int_equal(queue_push(q, note_create("a", 1), NULL), 0);
    assert_int_equal(queue_push(q, note_create("b", 2), NULL), 0);
    assert_int_equal(queue_push(q, extra, &e), -1);
    assert_int_equal(e.code, ERR_CONFLICT);
    assert_int_equal(queue_push(q, note_create("b", 4), NULL), 0);
    queue_push_always(q, extra);
    expect_numbers(queue_take(q), "1 4 3 ");
    queue_destroy(q);
}

enum { PRODUCERS = 4, EACH = 20000 };

struct producer {
    struct queue *queue;
    unsigned id;
};

static void *produce(void *argument)
{
    const struct producer *p = argument;

    for (unsigned i = 1; i <= EACH; i++) {
        struct message *m = note_create(NULL, i);

        ((struct note *)m)->producer = p->id;
        if (i % 3 == 0) {
            snprintf(((struct note *)m)->key, 16, "k%u", p->id * 10 + i % 5);
            m->key = ((struct note *)m)->key;
        }
        while (queue_push(p->queue, m, NULL) < 0)
            queue_wait(p->queue, 1);
    }
    return NULL;
}

/* Unkeyed messages all arrive, in the order of their producer; keyed ones arrive or are dropped. */
static void many_producers_lose_nothing(void **state)
{
    struct queue *q = queue_create(500);
    struct producer producers[PRODUCERS];
    pthread_t threads[PRODUCERS];
    unsigned last[PRODUCERS] = { 0 }, taken = 0, wrong = 0;

    (void)state;
    dropped = 0;
    for (unsigned i = 0; i < PRODUCERS; i++) {
        producers[i] = (struct producer){ q, i };
        assert_int_equal(pthread_create(&threads[i], NULL, produce, &producers[i]), 0);
    }
    while (taken + __atomic_load_n(&dropped, __ATOMIC_RELAXED) < PRODUCERS * EACH) {
        struct message *list;

        queue_wait(q, 100);
        for (list = queue_take(q); list;) {
            struct note *n = (struct note *)list;

            list = list->next;
            taken++;
            if (!n->message.key) {
                wrong += n->number <= last[n->producer];
                last[n->producer] = n->number;
            }
            free(n);
        }
    }
    for (unsigned i = 0; i < PRODUCERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(last[i], EACH);
    }
    assert_int_equal(wrong, 0);
    assert_int_equal(queue_count(q), 0);
    queue_destroy(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_in_order_and_the_fd_follows),
        cmocka_unit_test(a_keyed_message_takes_the_place_of_the_waiting_one),
        cmocka_unit_test(a_full_queue_refuses_but_still_merges),
        cmocka_unit_test(many_producers_lose_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
