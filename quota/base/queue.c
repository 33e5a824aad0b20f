#include "quota/base/queue.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "quota/base/map.h"
#include "quota/base/mem.h"

/* The eventfd counts 1 while something waits and 0 otherwise; it is only touched under the lock, at
 * the change from empty to not empty and back, so a batch costs two system calls. */
struct queue {
    pthread_mutex_t lock;
    struct message *first, *last;
    size_t count, limit;
    struct map *keyed; /* key -> the link (struct message **) that points at the waiting message */
    int fd;
};

struct queue *queue_create(size_t limit)
{
    struct queue *q = mem_alloc(sizeof(*q));

    pthread_mutex_init(&q->lock, NULL);
    q->limit = limit;
    q->keyed = map_create();
    q->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (q->fd < 0)
        abort(); /* no descriptors left at start: nothing can work */
    return q;
}

static void message_drop(struct message *m)
{
    if (m->drop)
        m->drop(m);
}

void queue_destroy(struct queue *q)
{
    struct message *m;

    if (!q)
        return;
    for (m = q->first; m;) {
        struct message *next = m->next;

        message_drop(m);
        m = next;
    }
    map_destroy(q->keyed);
    pthread_mutex_destroy(&q->lock);
    close(q->fd);
    free(q);
}

/* Under the lock: change the eventfd between 0 and 1. */
static void signal_waiting(struct queue *q, bool waiting)
{
    uint64_t one = 1;
    ssize_t ignored;

    if (waiting)
        ignored = write(q->fd, &one, sizeof(one));
    else
        ignored = read(q->fd, &one, sizeof(one));
    (void)ignored;
}

/* Under the lock. The message of the same key that waits is replaced in its place and returned. */
static struct message *keyed_replace(struct queue *q, struct message *m)
{
    struct message **link = m->key ? map_get(q->keyed, str_of(m->key)) : NULL;
    struct message *old;

    if (!link)
        return NULL;
    old = *link;
    m->next = old->next;
    *link = m;
    if (q->last == old)
        q->last = m;
    if (m->next && m->next->key)
        map_put(q->keyed, str_of(m->next->key), &m->next);
    return old;
}

/* Under the lock. */
static void append(struct queue *q, struct message *m)
{
    struct message **link = q->last ? &q->last->next : &q->first;

    m->next = NULL;
    *link = m;
    q->last = m;
    if (m->key)
        map_put(q->keyed, str_of(m->key), link);
    if (q->count++ == 0)
        signal_waiting(q, true);
}

/* 0, or -1 when there is no room and 'bounded'. */
static int push(struct queue *q, struct message *m, bool bounded)
{
    struct message *old;
    int result = 0;

    pthread_mutex_lock(&q->lock);
    old = keyed_replace(q, m);
    if (!old && bounded && q->limit > 0 && q->count >= q->limit)
        result = -1;
    else if (!old)
        append(q, m);
    pthread_mutex_unlock(&q->lock);
    if (old)
        message_drop(old);
    return result;
}

int queue_push(struct queue *q, struct message *m, struct err *e)
{
    if (push(q, m, true) < 0)
        return err_set(e, ERR_CONFLICT, "queue is full: %zu messages wait", q->limit);
    return 0;
}

void queue_push_always(struct queue *q, struct message *m)
{
    (void)push(q, m, false);
}

struct message *queue_take(struct queue *q)
{
    struct message *first;

    pthread_mutex_lock(&q->lock);
    first = q->first;
    if (first) {
        for (struct message *m = first; m; m = m->next)
            if (m->key)
                map_remove(q->keyed, str_of(m->key));
        q->first = q->last = NULL;
        q->count = 0;
        signal_waiting(q, false);
    }
    pthread_mutex_unlock(&q->lock);
    return first;
}

bool queue_wait(struct queue *q, int timeout_ms)
{
    struct pollfd waiting = { .fd = q->fd, .events = POLLIN, .revents = 0 };
    int ready;

    /* A signal ends a wait that has an end: the caller looks at its clock anyway. */
    do
        ready = poll(&waiting, 1, timeout_ms);
    while (ready < 0 && errno == EINTR && timeout_ms < 0);
    return ready > 0;
}

int queue_fd(const struct queue *q)
{
    return q->fd;
}

size_t queue_count(const struct queue *q)
{
    struct queue *locked = (struct queue *)(uintptr_t)q;
    size_t count;

    pthread_mutex_lock(&locked->lock);
    count = q->count;
    pthread_mutex_unlock(&locked->lock);
    return count;
}
