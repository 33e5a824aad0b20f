#include <time.h>
#include "admitter/loop/loop_private.h"

#define RETRY_FIRST (250 * NANOSECONDS_PER_MILLISECOND)
#define RETRY_LAST (300 * NANOSECONDS_PER_SECOND)

static int64_t clock_read(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * NANOSECONDS_PER_SECOND + now.tv_nsec;
}

/* The wall clock may be stepped by hours; timeouts and back-offs must not fire for that. So time
 * here goes with the monotonic clock, follows small corrections at once and large ones slowly. */
#define STEP_AT_ONCE (2 * NANOSECONDS_PER_SECOND)
#define SLEW_DIVISOR 20 /* a large step is followed by 5 % of the time that passes */

int64_t loop_now(void)
{
    static int64_t offset, last;
    int64_t monotonic = clock_read(CLOCK_MONOTONIC);
    int64_t wanted = clock_read(CLOCK_REALTIME) - monotonic,
            most = (monotonic - last) / SLEW_DIVISOR;

    if (last == 0 || (wanted - offset < STEP_AT_ONCE && offset - wanted < STEP_AT_ONCE))
        offset = wanted;
    else
        offset += wanted > offset ? most : -most;
    last = monotonic;
    return monotonic + offset;
}

uint64_t hash_text(uint64_t seed, const char *text)
{
    uint64_t hash = seed ^ 14695981039346656037u;

    for (const char *c = text; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 1099511628211u;
    return (hash ^ 0xff) * 1099511628211u; /* so that "ab","c" and "a","bc" differ */
}

void dirty_init(struct dirty_list *list)
{
    *list = (struct dirty_list){ .last = &list->first };
}

void dirty_push(struct dirty_list *list, struct dirty_link *link)
{
    if (link->list)
        return;
    list->added++;
    list->waiting++;
    link->list = list;
    link->next = NULL;
    link->at = list->last;
    *list->last = link;
    list->last = &link->next;
}

void dirty_remove(struct dirty_link *link)
{
    if (!link->list)
        return;
    *link->at = link->next;
    if (link->next)
        link->next->at = link->at;
    else
        link->list->last = link->at;
    link->list->waiting--;
    link->list = NULL;
}

struct dirty_link *dirty_pop(struct dirty_list *list)
{
    struct dirty_link *link = list->first;

    if (link) {
        list->stepped++;
        dirty_remove(link);
    }
    return link;
}

void look_init(struct look *look, void (*wake)(struct loop *loop, struct look *look))
{
    look->at = TIME_NONE;
    look->place = HEAP_ABSENT;
    look->wake = wake;
}

void look_at(struct loop *loop, struct look *look, int64_t at)
{
    if (at == look->at && (at == TIME_NONE || look->place != HEAP_ABSENT))
        return;
    heap_remove(&loop->looks, look);
    look->at = at;
    if (at != TIME_NONE)
        heap_push(&loop->looks, look);
}

int64_t looks_run(struct loop *loop, int64_t now)
{
    struct look *look;

    while ((look = heap_peek(&loop->looks)) != NULL && look->at <= now) {
        heap_pop(&loop->looks);
        look->at = TIME_NONE;
        look->wake(loop, look);
    }
    return look ? look->at : TIME_NONE;
}

#define PACE_WINDOW (10 * NANOSECONDS_PER_SECOND)
#define PACE_WRITES 50

bool pace_allows(struct pace *pace, int64_t now)
{
    if (now < pace->since || now - pace->since >= PACE_WINDOW)
        *pace = (struct pace){ .since = now };
    return pace->writes++ < PACE_WRITES;
}

int64_t pace_next(const struct pace *pace)
{
    return pace->since + PACE_WINDOW;
}

int64_t retry_delay(unsigned failures)
{
    int64_t delay = RETRY_FIRST;

    for (unsigned i = 1; i < failures && delay < RETRY_LAST; i++)
        delay *= 2;
    return delay < RETRY_LAST ? delay : RETRY_LAST;
}
