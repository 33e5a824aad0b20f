#include "admitter/kube/writer.h"

#include <stdatomic.h>
#include <stdlib.h>
#include "admitter/kube/kube_private.h"
#include "admitter/kube/window.h"
#include "quota/base/map.h"
#include "quota/base/mem.h"

#define DEADLINE_MS 30000
#define REQUEST_MS 15000
#define RETRY_FIRST_MS 100
#define RETRY_MAX_MS 5000
#define PAUSE_MAX_MS 5000 /* one answer cannot hold up everything for longer */

/* A write stands in exactly one list: behind others of its lane, ready, or busy. */
struct write_list {
    struct kube_write *first, *last;
};

/* Writes of one 'order'. */
struct kube_lane {
    struct kube_write *active; /* ready, in flight, or waiting to be repeated */
    struct write_list behind;
};

struct writer_tally {
    _Atomic uint64_t pushed, done, failed, repeated, superseded, in_flight;
    _Atomic unsigned window;
    _Atomic int64_t latency_ns;
};

struct kube_writer {
    struct kube_client *client;
    struct window window;
    struct map *lanes;          /* order -> struct kube_lane */
    struct write_list ready[2]; /* may be sent now; [1]: background */
    struct write_list busy;     /* in flight or waiting to be repeated */
    unsigned in_flight, background_in_flight;
    int64_t paused_until_ms;
    struct kube_timer pause;
    bool closed;            /* destroyed, while commands are still on their way */
    _Atomic size_t holders; /* the owner, and each command on its way */
    struct writer_tally tally;
};

static void send_some(struct kube_writer *w);

/* ---- writes and lists of them ---- */

struct kube_write *kube_write_create(enum kube_write_kind kind, char *path, struct strbuf *body)
{
    struct kube_write *write = mem_alloc(sizeof(*write));

    write->kind = kind;
    write->path = path;
    if (body && body->length) {
        write->body_length = body->length;
        write->body = strbuf_take(body);
    } else if (body) {
        strbuf_finish(body);
    }
    return write;
}

void kube_write_destroy(struct kube_write *write)
{
    if (!write)
        return;
    free(write->path);
    free(write->query);
    free(write->body);
    free(write->order);
    free(write);
}

static void list_add(struct write_list *list, struct kube_write *write)
{
    write->previous = list->last;
    write->next = NULL;
    *(list->last ? &list->last->next : &list->first) = write;
    list->last = write;
}

static void list_remove(struct write_list *list, struct kube_write *write)
{
    *(write->previous ? &write->previous->next : &list->first) = write->next;
    *(write->next ? &write->next->previous : &list->last) = write->previous;
    write->previous = write->next = NULL;
}

static struct kube_write *list_pop(struct write_list *list)
{
    struct kube_write *write = list->first;

    if (write) /* the analyzer does not know that the first one has no previous one */
        list_remove(list, write); /* NOLINT(clang-analyzer-unix.Malloc) */
    return write;
}

/* A write that will not be answered. */
static void discard(struct kube_write *write)
{
    if (write->dropped)
        write->dropped(write);
    kube_write_destroy(write);
}

static void list_discard(struct write_list *list)
{
    struct kube_write *write;

    while ((write = list_pop(list)))
        discard(write);
}

/* ---- the writer's life ---- */

static void pause_over(void *context)
{
    send_some(context);
}

struct kube_writer *kube_writer_create(struct kube_client *client)
{
    struct kube_writer *w = mem_alloc(sizeof(*w));

    w->client = client;
    w->lanes = map_create();
    w->holders = 1;
    window_init(&w->window);
    w->tally.window = w->window.size;
    kube_timer_init(&w->pause, pause_over, w);
    return w;
}

static void writer_unref(struct kube_writer *w)
{
    if (atomic_fetch_sub(&w->holders, 1) == 1)
        free(w);
}

static void busy_discard(struct kube_writer *w)
{
    struct kube_write *write;

    while ((write = list_pop(&w->busy))) {
        if (write->call)
            kube_request_cancel(write->call);
        kube_timer_cancel(w->client, &write->timer);
        discard(write);
    }
}

void kube_writer_destroy(struct kube_writer *w)
{
    struct map_entry at;

    if (!w)
        return;
    busy_discard(w);
    list_discard(&w->ready[0]);
    list_discard(&w->ready[1]);
    for (size_t i = 0; map_next(w->lanes, &i, &at);) {
        struct kube_lane *lane = at.value;

        list_discard(&lane->behind);
        free(lane);
    }
    map_destroy(w->lanes);
    kube_timer_cancel(w->client, &w->pause);
    w->closed = true;
    writer_unref(w);
}

/* ---- lanes ---- */

static void make_ready(struct kube_writer *w, struct kube_write *write)
{
    list_add(&w->ready[write->background], write);
}

static struct kube_lane *lane_of(struct kube_writer *w, const char *order)
{
    struct kube_lane *lane = map_get(w->lanes, str_of(order));

    if (!lane) {
        lane = mem_alloc(sizeof(*lane));
        map_put(w->lanes, str_of(order), lane);
    }
    return lane;
}

/* The lane's first is done: the next may go. */
static void lane_advance(struct kube_writer *w, struct kube_write *finished)
{
    struct kube_lane *lane = finished->lane;

    if (!lane || lane->active != finished)
        return;
    lane->active = list_pop(&lane->behind);
    if (lane->active) {
        make_ready(w, lane->active);
    } else {
        map_remove(w->lanes, str_of(finished->order));
        free(lane);
    }
}

/* ---- finishing ---- */

/* The write is in no list any more. */
static void complete(struct kube_writer *w, struct kube_write *write,
                     const struct kube_result *result)
{
    lane_advance(w, write);
    write->lane = NULL;
    if (result->error.code != ERR_NONE)
        w->tally.failed++;
    w->tally.done++;
    if (write->done)
        write->done(write, result);
    kube_write_destroy(write);
}

static void complete_unsent(struct kube_writer *w, struct kube_write *write, enum err_code code,
                            const char *why)
{
    struct kube_result result = { .retry_after_ms = -1 };

    err_set(&result.error, code, "%s: %s", write->path, why);
    complete(w, write, &result);
}

static bool may_help_to_repeat(enum err_code code)
{
    return code == ERR_BUSY || code == ERR_IO;
}

/* Doubling from 100 ms to 5 s, half of it by chance, and not before the server asked for. */
static int64_t retry_delay(struct kube_writer *w, const struct kube_write *write,
                           const struct kube_result *result)
{
    unsigned doublings = write->tries < 6 ? write->tries : 6;
    int64_t delay = (int64_t)RETRY_FIRST_MS << doublings;

    if (delay > RETRY_MAX_MS)
        delay = RETRY_MAX_MS;
    delay = delay / 2 + (int64_t)kube_random(w->client, (uint64_t)delay / 2 + 1);
    return delay > result->retry_after_ms ? delay : result->retry_after_ms;
}

static int64_t time_left_ms(const struct kube_write *write)
{
    return write->pushed_at_ms + write->deadline_ms - kube_now_ms();
}

static void retry_now(void *context)
{
    struct kube_write *write = context;
    struct kube_writer *w = write->writer;

    list_remove(&w->busy, write);
    make_ready(w, write);
    send_some(w);
}

static bool repeat(struct kube_writer *w, struct kube_write *write,
                   const struct kube_result *result)
{
    int64_t delay = retry_delay(w, write, result);

    if (write->once || !may_help_to_repeat(result->error.code) || delay >= time_left_ms(write))
        return false;
    write->tries++;
    w->tally.repeated++;
    kube_timer_set(w->client, &write->timer, delay);
    return true;
}

static void hold(struct kube_writer *w, int64_t milliseconds)
{
    int64_t until = kube_now_ms() + (milliseconds < PAUSE_MAX_MS ? milliseconds : PAUSE_MAX_MS);

    if (until <= w->paused_until_ms)
        return;
    w->paused_until_ms = until;
    kube_timer_set(w->client, &w->pause, until - kube_now_ms());
}

/* What the answer says about how much the server takes. */
static void learn(struct kube_writer *w, const struct kube_write *write,
                  const struct kube_result *result)
{
    if (may_help_to_repeat(result->error.code))
        window_bad(&w->window, result->status == 429, write->sent_at_ns, kube_now_ns());
    else
        window_good(&w->window, write->sent_at_ns, kube_now_ns());
    /* Retry-After speaks of this write; when not even one at a time is taken, of all. */
    if (result->status == 429 && result->retry_after_ms > 0 && w->window.size == 1)
        hold(w, result->retry_after_ms);
    w->tally.window = w->window.size;
    w->tally.latency_ns = w->window.latency_ns;
}

static void answered(void *context, const struct kube_result *result)
{
    struct kube_write *write = context;
    struct kube_writer *w = write->writer;

    write->call = NULL;
    w->in_flight--;
    w->background_in_flight -= write->background;
    w->tally.in_flight = w->in_flight;
    learn(w, write, result);
    if (!repeat(w, write, result)) {
        list_remove(&w->busy, write);
        complete(w, write, result);
    }
    send_some(w);
}

/* ---- sending ---- */

static const struct {
    const char *method, *content_type;
} wire[] = {
    [KUBE_MERGE_PATCH] = { "PATCH", "application/merge-patch+json" },
    [KUBE_JSON_PATCH] = { "PATCH", "application/json-patch+json" },
    [KUBE_STRATEGIC_PATCH] = { "PATCH", "application/strategic-merge-patch+json" },
    [KUBE_APPLY] = { "PATCH", "application/apply-patch+yaml" },
    [KUBE_CREATE] = { "POST", "application/json" },
    [KUBE_REPLACE] = { "PUT", "application/json" },
    [KUBE_DELETE] = { "DELETE", "application/json" },
};

static void write_send(struct kube_writer *w, struct kube_write *write)
{
    int64_t left_ms = time_left_ms(write);
    struct kube_request request = {
        .class = KUBE_CLASS_WRITE,
        .method = wire[write->kind].method,
        .content_type = wire[write->kind].content_type,
        .path = write->path,
        .query = write->query,
        .accept = write->want_object ? NULL : KUBE_ACCEPT_METADATA ",application/json",
        .body = { write->body, write->body_length },
        .timeout_ms = left_ms < REQUEST_MS ? left_ms : REQUEST_MS,
        .done = answered,
        .context = write,
    };

    list_add(&w->busy, write);
    w->in_flight++;
    w->background_in_flight += write->background;
    w->tally.in_flight = w->in_flight;
    write->sent_at_ns = kube_now_ns();
    write->call = kube_request_start(w->client, &request);
}

/* Background writes go when nothing else waits, and leave room for what comes. */
static struct kube_write *next_ready(struct kube_writer *w)
{
    if (w->in_flight >= w->window.size)
        return NULL;
    if (w->ready[0].first)
        return list_pop(&w->ready[0]);
    return w->background_in_flight < (w->window.size + 3) / 4 ? list_pop(&w->ready[1]) : NULL;
}

static void send_some(struct kube_writer *w)
{
    struct kube_write *write;

    if (kube_now_ms() < w->paused_until_ms)
        return; /* the timer calls again */
    while ((write = next_ready(w))) {
        if (time_left_ms(write) > 0)
            write_send(w, write);
        else
            complete_unsent(w, write, ERR_BUSY, "its time was up before it could be sent");
    }
}

/* ---- arriving ---- */

static bool can_be_replaced(const struct kube_write *write)
{
    return write && write->newest_only && !write->call && write->tries == 0;
}

static struct kube_write *replaceable(const struct kube_lane *lane)
{
    if (can_be_replaced(lane->active))
        return lane->active;
    for (struct kube_write *write = lane->behind.first; write; write = write->next)
        if (can_be_replaced(write))
            return write;
    return NULL;
}

/* The waiting write keeps its place and gets the newer content; the older goes back. */
static void supersede(struct kube_writer *w, struct kube_write *waiting, struct kube_write *newer)
{
    struct kube_write older = *waiting, *previous = waiting->previous, *next = waiting->next;
    struct kube_lane *lane = waiting->lane;

    *waiting = *newer;
    waiting->previous = previous;
    waiting->next = next;
    waiting->lane = lane;
    kube_timer_init(&waiting->timer, retry_now, waiting);
    *newer = older;
    newer->previous = newer->next = NULL;
    newer->lane = NULL;
    w->tally.superseded++;
    complete_unsent(w, newer, ERR_CONFLICT, "superseded");
}

static void place(struct kube_writer *w, struct kube_write *write)
{
    struct kube_write *waiting;

    if (!write->order) {
        make_ready(w, write);
        return;
    }
    write->lane = lane_of(w, write->order);
    waiting = write->newest_only ? replaceable(write->lane) : NULL;
    if (waiting) {
        supersede(w, waiting, write);
    } else if (write->lane->active) {
        list_add(&write->lane->behind, write);
    } else {
        write->lane->active = write;
        make_ready(w, write);
    }
}

static void arrive(struct kube_command *command, struct kube_client *client)
{
    struct kube_write *write = (struct kube_write *)command;
    struct kube_writer *w = write->writer;

    (void)client;
    if (w->closed) {
        discard(write);
    } else {
        place(w, write);
        send_some(w);
    }
    writer_unref(w);
}

/* The client ends with the write still on its way. */
static void lost(struct message *message)
{
    struct kube_write *write = (struct kube_write *)message;
    struct kube_writer *w = write->writer;

    discard(write);
    writer_unref(w);
}

void kube_writer_push(struct kube_writer *writer, struct kube_write *write)
{
    write->writer = writer;
    write->pushed_at_ms = kube_now_ms();
    if (write->deadline_ms <= 0)
        write->deadline_ms = DEADLINE_MS;
    kube_timer_init(&write->timer, retry_now, write);
    write->command.message.drop = lost;
    write->command.run = arrive;
    atomic_fetch_add(&writer->holders, 1);
    writer->tally.pushed++;
    kube_client_post(writer->client, &write->command);
}

struct kube_writer_counts kube_writer_count(const struct kube_writer *writer)
{
    const struct writer_tally *t = &writer->tally;
    struct kube_writer_counts c = { .done = t->done }; /* before 'pushed': never less than none */

    c.pushed = t->pushed;
    c.failed = t->failed;
    c.repeated = t->repeated;
    c.superseded = t->superseded;
    c.in_flight = t->in_flight;
    c.waiting = c.pushed - c.done > c.in_flight ? c.pushed - c.done - c.in_flight : 0;
    c.window = t->window;
    c.latency_ns = t->latency_ns;
    return c;
}
