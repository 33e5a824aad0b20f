#include "admitter/kube/reflector.h"

#include <stdio.h>
#include <stdlib.h>
#include "admitter/kube/cutter.h"
#include "admitter/kube/known.h"
#include "admitter/kube/object_head.h"
#include "admitter/kube/status.h"
#include "quota/base/log.h"
#include "quota/base/mem.h"

#define PAGE "500"
#define OBJECT_LIMIT ((size_t)16 << 20) /* bytes of one object; etcd takes 1.5 MiB by default */
#define BACKOFF_FIRST_MS 800
#define BACKOFF_MAX_MS 30000
#define WATCH_SILENCE_MS 150000 /* bookmarks come about every minute */
#define STREAM_STALL_MS 30000   /* silence before the end of a streaming list */
#define SHORT_WATCH_MS 1000

enum phase {
    PHASE_LIST,   /* pages */
    PHASE_STREAM, /* streaming list, then goes on as a watch */
    PHASE_WATCH,
};

struct kube_reflector {
    struct kube_client *client;
    struct kube_reflector_options options;
    char *path, *label_selector, *field_selector;
    char *texts[4]; /* copies that 'options' points to */
    struct known *known;
    struct kube_call *call; /* NULL: waiting for 'timer' */
    struct kube_timer timer;
    struct kube_timer stall; /* while a streaming list is under way */
    struct cutter cutter;
    bool cutting;
    enum phase phase;
    bool stream_refused; /* the server has no streaming list */
    bool synced, absent, listing;
    uint32_t round;     /* marks what the current list has seen */
    char *version;      /* to watch from; NULL: list first */
    char *list_version; /* of the page being read */
    char *next_page;    /* continue token; NULL: the first page */
    char *asked_page;   /* the token of the request in flight */
    unsigned failures;  /* in a row */
    int64_t started_ms, heard_at_ms;
    uint64_t events_before;
    struct err problem; /* what keeps it from making progress */
    struct err said;    /* what the stream itself had to say against going on */
    struct kube_reflector_counts counts;
};

static void call_done(void *context, const struct kube_result *result);

/* ---- events ---- */

static void emit(struct kube_reflector *r, struct kube_change *change)
{
    change->listing = r->listing;
    if (change->kind <= KUBE_DELETED)
        r->counts.events++;
    r->options.change(r->options.context, change);
}

static void emit_gone(struct kube_reflector *r, struct str key, const char *uid)
{
    struct kube_change change = { .kind = KUBE_DELETED, .uid = str_of(uid) };

    (void)str_cut(key, '/', &change.namespace, &change.name);
    emit(r, &change);
}

static void sweep_one(void *context, struct str key, const char *uid)
{
    emit_gone(context, key, uid);
}

/* "namespace/name" into 'buffer'. */
static struct str key_of(const struct object_head *head, char *buffer, size_t size)
{
    int length =
        snprintf(buffer, size, "%.*s/%.*s", STR_ARGS(head->namespace), STR_ARGS(head->name));

    return (struct str){ buffer, (size_t)length < size ? (size_t)length : size - 1 };
}

static void object_seen(struct kube_reflector *r, const struct object_head *head, struct str object)
{
    static const enum kube_change_kind kinds[] = {
        [KNOWN_NEW] = KUBE_ADDED, [KNOWN_CHANGED] = KUBE_MODIFIED, [KNOWN_REPLACED] = KUBE_ADDED
    };
    struct kube_change change = { .namespace = head->namespace,
                                  .name = head->name,
                                  .uid = head->uid,
                                  .resource_version = head->resource_version,
                                  .object = object };
    char buffer[640], old_uid[KNOWN_UID];
    struct str key = key_of(head, buffer, sizeof(buffer));
    enum known_news news =
        known_put(r->known, key, head->uid, head->resource_version, r->round, old_uid);

    if (news == KNOWN_SAME)
        return;
    if (news == KNOWN_REPLACED)
        emit_gone(r, key, old_uid);
    change.kind = kinds[news];
    emit(r, &change);
}

static void object_deleted(struct kube_reflector *r, const struct object_head *head,
                           struct str object)
{
    struct kube_change change = { .kind = KUBE_DELETED,
                                  .namespace = head->namespace,
                                  .name = head->name,
                                  .uid = head->uid,
                                  .resource_version = head->resource_version,
                                  .object = object };
    char buffer[640];

    if (known_remove(r->known, key_of(head, buffer, sizeof(buffer))))
        emit(r, &change);
}

static void replace_text(char **slot, struct str text)
{
    free(*slot);
    *slot = text.length ? mem_dup_n(text.text, text.length) : NULL;
}

/* A list is complete: what it did not show is gone. */
static void list_completed(struct kube_reflector *r, struct str version)
{
    struct kube_change change = { .kind = KUBE_SYNCED };

    known_sweep(r->known, r->round, sweep_one, r);
    replace_text(&r->version, version);
    r->listing = false;
    kube_timer_cancel(r->client, &r->stall);
    r->absent = false;
    r->failures = 0;
    r->counts.lists++;
    err_clear(&r->problem);
    r->synced = true;
    emit(r, &change);
}

/* ---- what arrives ---- */

static bool bad_data(struct kube_reflector *r, const char *what)
{
    err_set(&r->said, ERR_IO, "%s: %s", r->path, what);
    return false;
}

static bool item_take(struct kube_reflector *r, struct str item)
{
    struct object_head head;

    if (!object_head_read(item, &head))
        return bad_data(r, "the list holds something that is no object");
    object_seen(r, &head, item);
    return true;
}

static void list_metadata_take(struct kube_reflector *r, struct str value)
{
    struct object_head head;

    object_head_read_metadata(value, &head);
    replace_text(&r->list_version, head.resource_version);
    replace_text(&r->next_page, head.continue_token);
}

static bool list_take(void *context, struct str key, struct str value)
{
    struct kube_reflector *r = context;

    if (key.length == 0)
        return item_take(r, value);
    if (str_is(key, "metadata"))
        list_metadata_take(r, value);
    return true;
}

/* An ERROR event carries a Status. */
static bool watch_error(struct kube_reflector *r, struct str object)
{
    struct kube_status status;
    unsigned code = kube_status_parse(object, &status) ? (unsigned)status.code : 0;

    kube_status_error(code, object, "watch", r->path, NULL, NULL, &r->said);
    return false;
}

static void bookmark_take(struct kube_reflector *r, const struct object_head *head)
{
    if (r->listing && head->is_initial_end)
        list_completed(r, head->resource_version);
    else if (!r->listing)
        replace_text(&r->version, head->resource_version);
}

static bool watch_take(void *context, struct str key, struct str value)
{
    struct kube_reflector *r = context;
    struct watch_event event;
    struct object_head head;

    (void)key;
    if (!watch_event_read(value, &event))
        return bad_data(r, "the watch sent something that is no event");
    if (event.kind == WATCH_ERROR)
        return watch_error(r, event.object);
    if (!object_head_read(event.object, &head))
        return bad_data(r, "the watch sent an event without an object");
    r->failures = 0;
    if (event.kind == WATCH_BOOKMARK) {
        bookmark_take(r, &head);
        return true;
    }
    if (event.kind == WATCH_DELETED)
        object_deleted(r, &head, event.object);
    else
        object_seen(r, &head, event.object);
    if (!r->listing)
        replace_text(&r->version, head.resource_version);
    return true;
}

static bool data_take(void *context, struct str piece)
{
    struct kube_reflector *r = context;

    r->heard_at_ms = kube_now_ms();
    if (cutter_feed(&r->cutter, piece))
        return true;
    if (r->cutter.problem)
        (void)bad_data(r, r->cutter.problem);
    return false;
}

/* ---- requests ---- */

static void cutter_restart(struct kube_reflector *r)
{
    if (r->cutting)
        cutter_finish(&r->cutter);
    cutter_init(&r->cutter, r->phase == PHASE_LIST ? CUTTER_LIST : CUTTER_VALUES, OBJECT_LIMIT,
                r->phase == PHASE_LIST ? list_take : watch_take, r);
    r->cutting = true;
}

static void query_watch(struct kube_reflector *r, struct strbuf *query)
{
    char seconds[24];

    snprintf(seconds, sizeof(seconds), "%u", 300 + (unsigned)kube_random(r->client, 301));
    kube_query(query, "watch", "true");
    kube_query(query, "allowWatchBookmarks", "true");
    kube_query(query, "timeoutSeconds", seconds);
    if (r->phase == PHASE_STREAM) {
        kube_query(query, "sendInitialEvents", "true");
        kube_query(query, "resourceVersionMatch", "NotOlderThan");
    } else {
        kube_query(query, "resourceVersion", r->version);
    }
}

static void query_make(struct kube_reflector *r, struct strbuf *query)
{
    if (r->phase != PHASE_LIST) {
        query_watch(r, query);
    } else {
        kube_query(query, "limit", PAGE);
        if (r->next_page)
            kube_query(query, "continue", r->next_page);
    }
    if (r->label_selector)
        kube_query(query, "labelSelector", r->label_selector);
    if (r->field_selector)
        kube_query(query, "fieldSelector", r->field_selector);
}

/* A new list begins: from now on objects are marked anew. */
static void list_begin(struct kube_reflector *r)
{
    r->phase = r->stream_refused || r->options.paged_list ? PHASE_LIST : PHASE_STREAM;
    if (r->phase == PHASE_STREAM || !r->next_page) {
        r->round++;
        replace_text(&r->next_page, (struct str){ NULL, 0 });
    }
    r->listing = true;
}

static const char *accept_of(const struct kube_reflector *r)
{
    if (!r->options.metadata_only)
        return NULL;
    return r->phase == PHASE_LIST ? KUBE_ACCEPT_METADATA_LIST : KUBE_ACCEPT_METADATA;
}

static void request_next(void *context)
{
    struct kube_reflector *r = context;
    AUTO_STRBUF struct strbuf query = STRBUF_INIT;
    struct kube_request request;

    if (r->version)
        r->phase = PHASE_WATCH;
    else
        list_begin(r);
    err_clear(&r->said);
    query_make(r, &query);
    cutter_restart(r);
    replace_text(&r->asked_page, str_of(r->phase == PHASE_LIST ? r->next_page : NULL));
    r->started_ms = r->heard_at_ms = kube_now_ms();
    r->events_before = r->counts.events;
    if (r->phase != PHASE_LIST)
        r->counts.watches++;
    request = (struct kube_request){
        .class = r->phase == PHASE_LIST ? KUBE_CLASS_READ : KUBE_CLASS_WATCH,
        .method = "GET",
        .path = r->path,
        .query = query.text,
        .accept = accept_of(r),
        .silence_ms = r->phase == PHASE_LIST ? 0 : WATCH_SILENCE_MS,
        .data = data_take,
        .done = call_done,
        .context = r,
    };
    r->call = kube_request_start(r->client, &request);
    if (r->phase == PHASE_STREAM)
        kube_timer_set(r->client, &r->stall, STREAM_STALL_MS);
}

/* A server too old for streaming lists takes the request for a plain watch and never says that the
 * list is complete. */
static void stream_stalled(void *context)
{
    struct kube_reflector *r = context;
    int64_t left = r->heard_at_ms + STREAM_STALL_MS - kube_now_ms();

    if (!r->call || !r->listing)
        return;
    if (left > 0) {
        kube_timer_set(r->client, &r->stall, left);
        return;
    }
    kube_request_cancel(r->call);
    r->call = NULL;
    r->stream_refused = true;
    kube_timer_set(r->client, &r->timer, 0);
}

/* ---- what comes of a request ---- */

static void again_in(struct kube_reflector *r, int64_t delay_ms)
{
    kube_timer_set(r->client, &r->timer, delay_ms);
}

/* Doubling from 800 ms to 30 s; between one and two times that, but not above 30 s. */
static int64_t backoff(struct kube_reflector *r, int64_t at_least_ms)
{
    unsigned doublings = r->failures < 6 ? r->failures : 6;
    int64_t delay = (int64_t)BACKOFF_FIRST_MS << doublings;

    delay += (int64_t)kube_random(r->client, (uint64_t)delay);
    if (delay > BACKOFF_MAX_MS)
        delay = BACKOFF_MAX_MS - (int64_t)kube_random(r->client, BACKOFF_MAX_MS / 4);
    r->failures++;
    return delay > at_least_ms ? delay : at_least_ms;
}

static void failed(struct kube_reflector *r, const struct err *e, int64_t at_least_ms)
{
    r->problem = *e;
    r->counts.failures++;
    /* One broken connection is daily life; from the second in a row on a person should know. */
    LOG(r->failures ? LOG_WARN : LOG_DEBUG, "list or watch failed, trying again",
        KS("path", r->path), KS("error", r->problem.text), KI("failures", r->failures + 1));
    again_in(r, backoff(r, at_least_ms));
}

static void list_anew(struct kube_reflector *r)
{
    replace_text(&r->version, (struct str){ NULL, 0 });
    replace_text(&r->next_page, (struct str){ NULL, 0 });
}

/* The server does not have this kind (any more). */
static void kind_absent(struct kube_reflector *r)
{
    struct kube_change absent = { .kind = KUBE_ABSENT }, synced = { .kind = KUBE_SYNCED };
    bool news = !r->absent;

    list_anew(r);
    r->round++;
    r->listing = true;
    known_sweep(r->known, r->round, sweep_one, r);
    r->listing = false;
    r->absent = true;
    r->synced = true;
    r->failures = 0;
    err_clear(&r->problem);
    again_in(r, 3000 + (int64_t)kube_random(r->client, 2000));
    if (news) {
        emit(r, &absent);
        emit(r, &synced);
    }
}

static void gone(struct kube_reflector *r)
{
    r->counts.gone++;
    list_anew(r);
    LOG(LOG_INFO, "resource version is too old, listing again", KS("path", r->path));
    again_in(r, (int64_t)kube_random(r->client, 200));
}

/* Some servers have no streaming list. */
static bool is_stream_refusal(const struct kube_reflector *r, enum err_code code)
{
    return r->phase == PHASE_STREAM && r->listing && code == ERR_INVALID;
}

static void answer_bad(struct kube_reflector *r, const struct err *e, int64_t retry_after_ms)
{
    if (is_stream_refusal(r, e->code)) {
        r->stream_refused = true;
        list_anew(r);
        again_in(r, 0);
    } else if (e->code == ERR_GONE) {
        gone(r);
    } else if (e->code == ERR_NOT_FOUND && r->phase == PHASE_WATCH) {
        list_anew(r); /* whether the kind went away the list will say */
        again_in(r, 0);
    } else if (e->code == ERR_NOT_FOUND) {
        kind_absent(r);
    } else {
        if (e->code == ERR_INVALID && r->phase == PHASE_WATCH)
            list_anew(r); /* our version makes no sense to this server */
        failed(r, e, retry_after_ms);
    }
}

static void page_read(struct kube_reflector *r)
{
    struct err e;

    if (!cutter_complete(&r->cutter) || !r->list_version) {
        err_set(&e, ERR_IO, "%s: the list is cut short", r->path);
        replace_text(&r->next_page, str_of(r->asked_page));
        failed(r, &e, 0);
        return;
    }
    if (!r->next_page)
        list_completed(r, str_of(r->list_version));
    again_in(r, 0);
}

/* A watch ended as it should: its time was up, or the server is going down. */
static void watch_ended(struct kube_reflector *r)
{
    bool quick = kube_now_ms() - r->started_ms < SHORT_WATCH_MS;
    struct err e;

    if (r->listing || (quick && r->counts.events == r->events_before)) {
        err_set(&e, ERR_IO, "%s: the server ended the watch at once", r->path);
        failed(r, &e, 0);
        return;
    }
    err_clear(&r->problem);
    r->failures = 0;
    again_in(r, 0);
}

static void call_done(void *context, const struct kube_result *result)
{
    struct kube_reflector *r = context;

    r->call = NULL;
    if (result->error.code != ERR_NONE && r->phase == PHASE_LIST)
        replace_text(&r->next_page, str_of(r->asked_page)); /* read this page again */
    if (r->said.code != ERR_NONE)
        answer_bad(r, &r->said, -1);
    else if (result->error.code != ERR_NONE)
        answer_bad(r, &result->error, result->retry_after_ms);
    else if (r->phase == PHASE_LIST)
        page_read(r);
    else
        watch_ended(r);
}

/* ---- making and asking ---- */

static const char *text_keep(struct kube_reflector *r, unsigned slot, const char *text)
{
    r->texts[slot] = text ? mem_dup(text) : NULL;
    return r->texts[slot];
}

struct kube_reflector *kube_reflector_create(struct kube_client *client,
                                             const struct kube_reflector_options *options)
{
    struct kube_reflector *r = mem_alloc(sizeof(*r));

    r->client = client;
    r->options = *options;
    r->options.resource.group = text_keep(r, 0, options->resource.group);
    r->options.resource.version = text_keep(r, 1, options->resource.version);
    r->options.resource.plural = text_keep(r, 2, options->resource.plural);
    r->options.namespace = text_keep(r, 3, options->namespace);
    r->label_selector = options->label_selector ? mem_dup(options->label_selector) : NULL;
    r->field_selector = options->field_selector ? mem_dup(options->field_selector) : NULL;
    r->path = kube_path(&r->options.resource, r->options.namespace, NULL, NULL);
    r->known = known_create();
    kube_timer_init(&r->timer, request_next, r);
    kube_timer_init(&r->stall, stream_stalled, r);
    kube_timer_set(client, &r->timer, 0);
    return r;
}

void kube_reflector_destroy(struct kube_reflector *r)
{
    if (!r)
        return;
    if (r->call)
        kube_request_cancel(r->call);
    kube_timer_cancel(r->client, &r->timer);
    kube_timer_cancel(r->client, &r->stall);
    if (r->cutting)
        cutter_finish(&r->cutter);
    known_destroy(r->known);
    for (size_t i = 0; i < ARRAY_COUNT(r->texts); i++)
        free(r->texts[i]);
    free(r->label_selector);
    free(r->field_selector);
    free(r->path);
    free(r->version);
    free(r->list_version);
    free(r->next_page);
    free(r->asked_page);
    free(r);
}

bool kube_reflector_synced(const struct kube_reflector *reflector)
{
    return reflector->synced;
}

bool kube_reflector_absent(const struct kube_reflector *reflector)
{
    return reflector->absent;
}

size_t kube_reflector_objects(const struct kube_reflector *reflector)
{
    return known_count(reflector->known);
}

const char *kube_reflector_problem(const struct kube_reflector *reflector)
{
    return reflector->problem.code != ERR_NONE ? reflector->problem.text : "";
}

void kube_reflector_poke(struct kube_reflector *reflector)
{
    if (!reflector->call)
        kube_timer_set(reflector->client, &reflector->timer, 0);
}

struct kube_reflector_counts kube_reflector_count(const struct kube_reflector *reflector)
{
    return reflector->counts;
}
