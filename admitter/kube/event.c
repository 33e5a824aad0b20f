#include "admitter/kube/event.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "admitter/kube/bucket.h"
#include "admitter/kube/event_json.h"
#include "admitter/kube/path.h"
#include "quota/base/clock.h"
#include "quota/base/log.h"
#include "quota/base/map.h"
#include "quota/base/mem.h"

#define REMEMBERED_MAX 4096   /* series and buckets each */
#define SERIES_WRITE_MS 10000 /* a series is written at most so often */

static const struct kube_resource events = { "events.k8s.io", "v1", "events" };

/* Repeats of one thing. */
struct series {
    struct kube_recorder *recorder;
    char *name, *namespace; /* of the Event */
    uint64_t count, written_count;
    int64_t last_ms, written_ms;
    struct kube_timer timer; /* the next write of the count */
    char *key;
};

struct recorder_tally {
    _Atomic uint64_t posted, written, merged, limited, dropped, failed;
};

struct kube_recorder {
    struct kube_client *client;
    struct kube_writer *writer;
    struct kube_recorder_options options;
    char *instance;
    struct map *series;  /* what happened -> struct series */
    struct map *buckets; /* object -> struct bucket */
    uint64_t unique;
    _Atomic size_t waiting; /* notes and writes not done */
    bool closed;
    _Atomic size_t holders; /* the owner, notes on their way, writes not answered */
    struct recorder_tally tally;
};

/* A note on its way to the kube thread. */
struct posting {
    struct kube_command command;
    struct kube_recorder *recorder;
    struct kube_note note;
    struct strbuf texts; /* what 'note' points into */
};

static int64_t real_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * NANOSECONDS_PER_SECOND + now.tv_nsec;
}

/* ---- life ---- */

static void recorder_unref(struct kube_recorder *r)
{
    if (atomic_fetch_sub(&r->holders, 1) > 1)
        return;
    free(r->instance);
    free(r);
}

static void series_free(struct series *s)
{
    kube_timer_cancel(s->recorder->client, &s->timer);
    free(s->name);
    free(s->namespace);
    free(s->key);
    free(s);
}

static char *instance_make(const char *given)
{
    char host[256] = "sluice";

    if (!given)
        gethostname(host, sizeof(host) - 1);
    return mem_dup(given ? given : host);
}

struct kube_recorder *kube_recorder_create(struct kube_client *client, struct kube_writer *writer,
                                           const struct kube_recorder_options *options)
{
    struct kube_recorder *r = mem_alloc(sizeof(*r));

    r->client = client;
    r->writer = writer;
    if (options)
        r->options = *options;
    if (!r->options.limit)
        r->options.limit = 1000;
    if (!r->options.burst)
        r->options.burst = 25;
    if (!r->options.refill_ms)
        r->options.refill_ms = 300000;
    if (!r->options.series_window_ms)
        r->options.series_window_ms = 360000;
    r->instance = instance_make(r->options.instance);
    r->series = map_create();
    r->buckets = map_create();
    r->unique = (uint64_t)real_now();
    r->holders = 1;
    return r;
}

static bool series_drop(struct str key, void *value, void *context)
{
    const int64_t *before_ms = context;
    struct series *s = value;

    (void)key;
    if (before_ms && s->last_ms >= *before_ms)
        return false;
    series_free(s);
    return true;
}

static bool bucket_drop(struct str key, void *value, void *context)
{
    (void)key;
    if (context && !bucket_is_full(value, kube_now_ms()))
        return false;
    free(value);
    return true;
}

void kube_recorder_destroy(struct kube_recorder *r)
{
    if (!r)
        return;
    map_remove_if(r->series, series_drop, NULL);
    map_remove_if(r->buckets, bucket_drop, NULL);
    map_destroy(r->series);
    map_destroy(r->buckets);
    r->closed = true;
    recorder_unref(r);
}

/* ---- writing ---- */

static void write_done(struct kube_write *write, const struct kube_result *result)
{
    struct kube_recorder *r = write->context;

    r->waiting--;
    if (result->error.code == ERR_NONE || result->error.code == ERR_EXISTS)
        r->tally.written++;
    else if (result->error.code != ERR_CONFLICT) /* superseded: the newer count is on its way */
        r->tally.failed++;
    recorder_unref(r);
}

static void write_dropped(struct kube_write *write)
{
    struct kube_recorder *r = write->context;

    r->waiting--;
    recorder_unref(r);
}

static void write_push(struct kube_recorder *r, struct kube_write *write, const char *name)
{
    write->background = true;
    write->order = mem_format("event/%s", name);
    write->done = write_done;
    write->dropped = write_dropped;
    write->context = r;
    r->waiting++;
    r->holders++;
    kube_writer_push(r->writer, write);
}

static void create_push(struct kube_recorder *r, const struct kube_note *note, const char *name)
{
    AUTO_STRBUF struct strbuf body = STRBUF_INIT;
    struct kube_write *write;

    event_json(note, name, r->instance, real_now(), &body);
    write = kube_write_create(KUBE_CREATE, kube_path(&events, event_namespace(note), NULL, NULL),
                              &body);
    write_push(r, write, name);
}

static void series_push(void *context)
{
    struct series *s = context;
    struct kube_recorder *r = s->recorder;
    AUTO_STRBUF struct strbuf body = STRBUF_INIT;
    struct kube_write *write;

    s->written_count = s->count;
    s->written_ms = kube_now_ms();
    event_series_json(s->count, real_now(), &body);
    write =
        kube_write_create(KUBE_MERGE_PATCH, kube_path(&events, s->namespace, s->name, NULL), &body);
    write->newest_only = true;
    write_push(r, write, s->name);
}

/* ---- merging and limiting ---- */

static void key_add(struct strbuf *key, const char *text)
{
    strbuf_puts(key, text ? text : "");
    strbuf_putc(key, '\n');
}

static void object_key(const struct kube_note *note, struct strbuf *key)
{
    key_add(key, note->kind);
    key_add(key, note->namespace);
    key_add(key, note->name);
    key_add(key, note->uid);
}

static void series_key(const struct kube_note *note, struct strbuf *key)
{
    object_key(note, key);
    key_add(key, note->controller);
    key_add(key, note->reason);
    key_add(key, note->action);
    key_add(key, note->note);
}

/* Keep the memory of what happened bounded: forget the oldest, in the worst case all. */
static void series_trim(struct kube_recorder *r)
{
    int64_t before_ms = kube_now_ms() - r->options.series_window_ms;

    if (map_count(r->series) < REMEMBERED_MAX)
        return;
    map_remove_if(r->series, series_drop, &before_ms);
    if (map_count(r->series) >= REMEMBERED_MAX)
        map_remove_if(r->series, series_drop, NULL);
}

static bool bucket_allows(struct kube_recorder *r, const struct kube_note *note)
{
    AUTO_STRBUF struct strbuf key = STRBUF_INIT;
    struct bucket *bucket;

    object_key(note, &key);
    bucket = map_get(r->buckets, strbuf_view(&key));
    if (!bucket) {
        if (map_count(r->buckets) >= REMEMBERED_MAX)
            map_remove_if(r->buckets, bucket_drop, r);
        if (map_count(r->buckets) >= REMEMBERED_MAX)
            map_remove_if(r->buckets, bucket_drop, NULL);
        bucket = mem_alloc(sizeof(*bucket));
        bucket_init(bucket, r->options.burst, r->options.refill_ms, kube_now_ms());
        map_put(r->buckets, strbuf_view(&key), bucket);
    }
    return bucket_take(bucket, kube_now_ms());
}

static void series_repeat(struct kube_recorder *r, struct series *s)
{
    int64_t due = s->written_ms + SERIES_WRITE_MS - kube_now_ms();

    s->count++;
    s->last_ms = kube_now_ms();
    r->tally.merged++;
    if (s->timer.place == HEAP_ABSENT)
        kube_timer_set(r->client, &s->timer, s->count == 2 ? 0 : due);
}

static void series_start(struct kube_recorder *r, const struct kube_note *note, struct str key)
{
    struct series *s = mem_alloc(sizeof(*s));
    struct series *old;

    s->recorder = r;
    s->name = event_name(note, ++r->unique);
    s->namespace = mem_dup(event_namespace(note));
    s->count = s->written_count = 1;
    s->last_ms = s->written_ms = kube_now_ms();
    kube_timer_init(&s->timer, series_push, s);
    create_push(r, note, s->name);
    old = map_put(r->series, key, s);
    if (old)
        series_free(old);
}

static void note_take(struct kube_recorder *r, const struct kube_note *note)
{
    AUTO_STRBUF struct strbuf key = STRBUF_INIT;
    struct series *s;

    series_key(note, &key);
    s = map_get(r->series, strbuf_view(&key));
    if (s && kube_now_ms() - s->last_ms < r->options.series_window_ms) {
        series_repeat(r, s);
    } else if (!bucket_allows(r, note)) {
        r->tally.limited++;
    } else {
        series_trim(r);
        series_start(r, note, strbuf_view(&key));
    }
}

/* ---- posting ---- */

static void posting_end(struct posting *p)
{
    struct kube_recorder *r = p->recorder;

    r->waiting--;
    strbuf_finish(&p->texts);
    free(p);
    recorder_unref(r);
}

static void posting_run(struct kube_command *command, struct kube_client *client)
{
    struct posting *p = (struct posting *)command;

    (void)client;
    if (!p->recorder->closed)
        note_take(p->recorder, &p->note);
    posting_end(p);
}

static void posting_lost(struct message *message)
{
    posting_end((struct posting *)message);
}

/* Copy the texts into one buffer. Two passes, as the buffer moves while it grows. */
static void texts_copy(struct posting *p, const struct kube_note *from)
{
    const char *in[] = { from->api_version, from->kind,   from->namespace,
                         from->name,        from->uid,    from->resource_version,
                         from->reason,      from->action, from->note,
                         from->controller };
    const char **out[] = { &p->note.api_version, &p->note.kind,   &p->note.namespace,
                           &p->note.name,        &p->note.uid,    &p->note.resource_version,
                           &p->note.reason,      &p->note.action, &p->note.note,
                           &p->note.controller };
    size_t at[ARRAY_COUNT(in)];

    for (size_t i = 0; i < ARRAY_COUNT(in); i++) {
        at[i] = p->texts.length;
        if (in[i] && in[i] == from->note)
            strbuf_shortened(&p->texts, str_of(in[i]), EVENT_NOTE_MAX);
        else if (in[i])
            strbuf_puts(&p->texts, in[i]);
        strbuf_putc(&p->texts, '\0');
    }
    for (size_t i = 0; i < ARRAY_COUNT(in); i++)
        *out[i] = in[i] ? p->texts.text + at[i] : NULL;
    p->note.warning = from->warning;
}

void kube_recorder_post(struct kube_recorder *r, const struct kube_note *note)
{
    struct posting *p;

    r->tally.posted++;
    if (r->waiting >= r->options.limit) {
        r->tally.dropped++;
        return;
    }
    p = mem_alloc(sizeof(*p));
    p->recorder = r;
    p->command.message.drop = posting_lost;
    p->command.run = posting_run;
    texts_copy(p, note);
    r->waiting++;
    r->holders++;
    kube_client_post(r->client, &p->command);
}

struct kube_recorder_counts kube_recorder_count(const struct kube_recorder *recorder)
{
    const struct recorder_tally *t = &recorder->tally;

    return (struct kube_recorder_counts){ .posted = t->posted,
                                          .written = t->written,
                                          .merged = t->merged,
                                          .limited = t->limited,
                                          .dropped = t->dropped,
                                          .failed = t->failed };
}
