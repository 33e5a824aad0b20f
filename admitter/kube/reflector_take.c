#include <stdio.h>
#include <stdlib.h>
#include "admitter/kube/object_head.h"
#include "admitter/kube/reflector_private.h"
#include "admitter/kube/status.h"
#include "quota/base/mem.h"

#define OBJECT_LIMIT ((size_t)16 << 20) /* bytes of one object; etcd takes 1.5 MiB by default */

/* ---- events ---- */

void reflector_emit(struct kube_reflector *r, struct kube_change *change)
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
    reflector_emit(r, &change);
}

static void sweep_one(void *context, struct str key, const char *uid)
{
    emit_gone(context, key, uid);
}

void reflector_sweep(struct kube_reflector *r)
{
    known_sweep(r->known, r->round, sweep_one, r);
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
    reflector_emit(r, &change);
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
        reflector_emit(r, &change);
}

void reflector_text(char **slot, struct str text)
{
    free(*slot);
    *slot = text.length ? mem_dup_n(text.text, text.length) : NULL;
}

/* A list is complete: what it did not show is gone. */
void reflector_list_completed(struct kube_reflector *r, struct str version)
{
    struct kube_change change = { .kind = KUBE_SYNCED };

    reflector_sweep(r);
    reflector_text(&r->version, version);
    r->listing = false;
    kube_timer_cancel(r->client, &r->stall);
    r->absent = false;
    r->absences = 0;
    r->failures = 0;
    r->counts.lists++;
    r->synced = true;
    reflector_emit(r, &change);
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
    reflector_text(&r->list_version, head.resource_version);
    reflector_text(&r->next_page, head.continue_token);
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
        reflector_list_completed(r, head->resource_version);
    else if (!r->listing)
        reflector_text(&r->version, head->resource_version);
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
        reflector_text(&r->version, head.resource_version);
    return true;
}

bool reflector_take(void *context, struct str piece)
{
    struct kube_reflector *r = context;

    r->heard_at_ms = kube_now_ms();
    if (cutter_feed(&r->cutter, piece))
        return true;
    if (r->cutter.problem)
        (void)bad_data(r, r->cutter.problem);
    return false;
}

void reflector_take_begin(struct kube_reflector *r)
{
    if (r->cutting)
        cutter_finish(&r->cutter);
    cutter_init(&r->cutter, r->phase == PHASE_LIST ? CUTTER_LIST : CUTTER_VALUES, OBJECT_LIMIT,
                r->phase == PHASE_LIST ? list_take : watch_take, r);
    r->cutting = true;
}
