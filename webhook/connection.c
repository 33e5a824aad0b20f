#include "webhook/webhook_private.h"

#include <time.h>

#include "quota/base/clock.h"
#include "quota/base/mem.h"

/* An arena that grew beyond this for one request is given back after it. */
#define ARENA_KEPT_BYTES ((size_t)256 << 10)

int64_t monotonic_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NANOSECONDS_PER_SECOND + now.tv_nsec;
}

void connections_init(struct connections *list)
{
    pthread_mutex_init(&list->lock, NULL);
}

void connections_finish(struct connections *list)
{
    pthread_mutex_destroy(&list->lock);
}

struct connection *connection_open(struct connections *list, int fd)
{
    struct connection *connection = mem_alloc(sizeof(*connection));

    connection->list = list;
    connection->fd = fd;
    connection->since = monotonic_now();
    pthread_mutex_lock(&list->lock);
    connection->next = list->first;
    connection->link = &list->first;
    if (list->first)
        list->first->link = &connection->next;
    list->first = connection;
    list->count++;
    pthread_mutex_unlock(&list->lock);
    return connection;
}

void connection_close(struct connection *connection)
{
    struct connections *list = connection->list;

    pthread_mutex_lock(&list->lock);
    *connection->link = connection->next;
    if (connection->next)
        connection->next->link = connection->link;
    list->count--;
    pthread_mutex_unlock(&list->lock);
    arena_finish(&connection->arena);
    free(connection);
}

static void connection_turn(struct connection *connection, bool busy)
{
    pthread_mutex_lock(&connection->list->lock);
    connection->busy = busy;
    connection->since = monotonic_now();
    pthread_mutex_unlock(&connection->list->lock);
}

void connection_busy(struct connection *connection)
{
    connection_turn(connection, true);
}

void connection_idle(struct connection *connection)
{
    if (connection->arena.total > ARENA_KEPT_BYTES)
        arena_finish(&connection->arena);
    else
        arena_reset(&connection->arena);
    connection_turn(connection, false);
}

/* Under the lock. The owner thread sees the end of the stream and closes in its own time. */
static void shut_down(struct connection *connection)
{
    if (connection->cut)
        return;
    connection->cut = true;
    atomic_fetch_add(&connection->list->cut, 1);
    shutdown(connection->fd, SHUT_RDWR);
}

void connection_cut(struct connection *connection)
{
    pthread_mutex_lock(&connection->list->lock);
    shut_down(connection);
    pthread_mutex_unlock(&connection->list->lock);
}

/* Has the client left in the middle of something? libmicrohttpd misses an end of stream that comes
 * together with the last bytes, and would keep the connection until its time-out. */
static bool is_deserted(const struct connection *connection)
{
    char byte;

    return recv(connection->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static bool is_late(const struct connection *connection, int64_t now, int64_t idle, int64_t busy)
{
    int64_t age = now - connection->since;

    return age > (connection->busy ? busy : idle) ||
           (age > NANOSECONDS_PER_SECOND && is_deserted(connection));
}

static unsigned cut_late(struct connections *list, int64_t now, int64_t idle, int64_t busy)
{
    unsigned count = 0;

    for (struct connection *c = list->first; c; c = c->next) {
        if (!c->cut && is_late(c, now, idle, busy)) {
            shut_down(c);
            count++;
        }
    }
    return count;
}

unsigned connections_cut(struct connections *list, int64_t idle, int64_t busy)
{
    unsigned count;

    pthread_mutex_lock(&list->lock);
    count = cut_late(list, monotonic_now(), idle, busy);
    pthread_mutex_unlock(&list->lock);
    return count;
}

void connections_sweep(struct connections *list, int64_t idle, int64_t busy)
{
    int64_t now = monotonic_now();

    pthread_mutex_lock(&list->lock);
    if (now - list->swept > NANOSECONDS_PER_SECOND) {
        list->swept = now;
        cut_late(list, now, idle, busy);
    }
    pthread_mutex_unlock(&list->lock);
}

bool connections_cut_oldest(struct connections *list, int64_t idle)
{
    struct connection *oldest = NULL;
    int64_t now = monotonic_now();

    pthread_mutex_lock(&list->lock);
    for (struct connection *c = list->first; c; c = c->next)
        if (!c->cut && !c->busy && now - c->since > idle && (!oldest || c->since < oldest->since))
            oldest = c;
    if (oldest)
        shut_down(oldest);
    pthread_mutex_unlock(&list->lock);
    return oldest != NULL;
}

unsigned connections_count(const struct connections *list)
{
    pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&list->lock;
    unsigned count;

    pthread_mutex_lock(lock);
    count = list->count;
    pthread_mutex_unlock(lock);
    return count;
}
