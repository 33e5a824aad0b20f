/* queue.h - a bounded queue between threads, many producers, one consumer, woken by an eventfd.
 *
 * Messages are intrusive: a struct begins with struct message. A keyed message replaces one of the
 * same key that still waits (the old one is handed to its 'drop'), keeping the older one's place,
 * so overload costs freshness, not memory. Any thread may push; one thread takes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "quota/base/err.h"

struct message {
    struct message *next;            /* the queue's */
    const char *key;                 /* owned by the message; NULL: never merged */
    void (*drop)(struct message *m); /* releases a message that was replaced or left over */
};

struct queue;
/* 'limit' messages at most wait (0: no limit). */
struct queue *queue_create(size_t limit);
void queue_destroy(struct queue *q); /* drops what is left; NULL is fine */
/* Takes ownership on success. ERR_CONFLICT when full: the caller keeps 'm' and must merge or
 * shed. */
MUST_USE int queue_push(struct queue *q, struct message *m, struct err *e);
/* Push beyond the limit: for answers and controls that must not be lost. */
void queue_push_always(struct queue *q, struct message *m);
/* All waiting messages, oldest first, as a list through 'next'; NULL when none. Never blocks. */
struct message *queue_take(struct queue *q);
/* Wait until something waits or 'timeout_ms' passed (negative: for ever). True: something waits. */
bool queue_wait(struct queue *q, int timeout_ms);
int queue_fd(const struct queue *q); /* readable while something waits; for poll */
size_t queue_count(const struct queue *q);
