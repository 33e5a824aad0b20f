#include "admitter/kube/reflector.h"

#include <string.h>
#include <stdio.h>
#include <stdlib.h>
#include "admitter/kube/reflector_private.h"
#include "quota/base/log.h"
#include "quota/base/mem.h"

#define PAGE "500"
#define ABSENCE_FIRST_MS 1000LL
#define ABSENCE_MAX_MS 120000LL
#define BACKOFF_FIRST_MS 800
#define BACKOFF_MAX_MS 30000
#define INITIALIZING_MS 150
#define WATCH_SILENCE_MS 150000 /* bookmarks come about every minute */
#define STREAM_STALL_MS 30000   /* silence before the end of a streaming list */
#define SHORT_WATCH_MS 1000

static void call_done(void *context, const struct kube_result *result);

/* ---- requests ---- */

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
        reflector_text(&r->next_page, (struct str){ NULL, 0 });
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
    reflector_take_begin(r);
    reflector_text(&r->asked_page, str_of(r->phase == PHASE_LIST ? r->next_page : NULL));
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
        .data = reflector_take,
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
    r->counts.failures++;
    /* One broken connection is daily life; from the second in a row on a person should know. */
    LOG(r->failures && !(r->options.optional && e->code == ERR_FORBIDDEN) ? LOG_WARN : LOG_DEBUG,
        "list or watch failed, trying again", KS("path", r->path), KS("error", e->text),
        KI("failures", r->failures + 1));
    again_in(r, backoff(r, at_least_ms));
}

static void list_anew(struct kube_reflector *r)
{
    reflector_text(&r->version, (struct str){ NULL, 0 });
    reflector_text(&r->next_page, (struct str){ NULL, 0 });
}

static int64_t absence(struct kube_reflector *r)
{
    int64_t delay = ABSENCE_FIRST_MS << (r->absences < 7 ? r->absences : 7);

    r->absences++;
    if (!r->options.optional)
        return 3000 + (int64_t)kube_random(r->client, 2000);
    return delay < ABSENCE_MAX_MS ? delay : ABSENCE_MAX_MS;
}

/* The server does not have this kind (any more). */
static void kind_absent(struct kube_reflector *r)
{
    struct kube_change absent = { .kind = KUBE_ABSENT }, synced = { .kind = KUBE_SYNCED };
    bool news = !r->absent;

    list_anew(r);
    r->round++;
    r->listing = true;
    reflector_sweep(r);
    r->listing = false;
    r->absent = true;
    r->synced = true;
    r->failures = 0;
    again_in(r, absence(r));
    if (news) {
        reflector_emit(r, &absent);
        reflector_emit(r, &synced);
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

static bool counts_as_absent(const struct kube_reflector *r, enum err_code code)
{
    bool listed = r->synced && !r->absent;

    return r->options.forbidden_is_absent && code == ERR_FORBIDDEN && !listed;
}

static void kind_hidden(struct kube_reflector *r)
{
    if (!r->absent)
        LOG(LOG_WARN, "no right to list these objects, going on as if there were none",
            KS("path", r->path));
    kind_absent(r);
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
    } else if (counts_as_absent(r, e->code)) {
        kind_hidden(r);
    } else if (e->code == ERR_BUSY && strstr(e->text, "(re)initializing")) {
        /* Its cache of a changed definition is being filled: a matter of moments. */
        again_in(r, INITIALIZING_MS + (int64_t)kube_random(r->client, INITIALIZING_MS));
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
        reflector_text(&r->next_page, str_of(r->asked_page));
        failed(r, &e, 0);
        return;
    }
    if (!r->next_page)
        reflector_list_completed(r, str_of(r->list_version));
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
    r->failures = 0;
    again_in(r, 0);
}

static void call_done(void *context, const struct kube_result *result)
{
    struct kube_reflector *r = context;

    r->call = NULL;
    if (result->error.code != ERR_NONE && r->phase == PHASE_LIST)
        reflector_text(&r->next_page, str_of(r->asked_page)); /* read this page again */
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

void kube_reflector_relist(struct kube_reflector *r)
{
    if (r->call)
        kube_request_cancel(r->call);
    r->call = NULL;
    kube_timer_cancel(r->client, &r->stall);
    list_anew(r);
    kube_timer_set(r->client, &r->timer, 0);
}

struct kube_reflector_counts kube_reflector_count(const struct kube_reflector *reflector)
{
    return reflector->counts;
}
