#include "admitter/kube/object_head.h"

#include "quota/base/json.h"

static void annotations_read(struct json_reader *r, struct object_head *head)
{
    struct str key;

    if (!json_enter_object(r))
        return;
    while (json_member(r, &key)) {
        if (str_is(key, "k8s.io/initial-events-end"))
            head->is_initial_end = json_text_is(r, "true");
        else
            json_skip(r);
    }
}

static void metadata_read(struct json_reader *r, struct object_head *head)
{
    struct str key;

    while (json_member(r, &key)) {
        if (str_is(key, "name"))
            head->name = json_text_raw(r);
        else if (str_is(key, "namespace"))
            head->namespace = json_text_raw(r);
        else if (str_is(key, "uid"))
            head->uid = json_text_raw(r);
        else if (str_is(key, "resourceVersion"))
            head->resource_version = json_text_raw(r);
        else if (str_is(key, "continue"))
            head->continue_token = json_text_raw(r);
        else if (str_is(key, "annotations"))
            annotations_read(r, head);
        else
            json_skip(r);
    }
}

bool object_head_read_metadata(struct str metadata, struct object_head *head)
{
    struct json_reader r;

    *head = (struct object_head){ .is_initial_end = false };
    json_open(&r, metadata);
    if (!json_enter_object(&r))
        return false;
    metadata_read(&r, head);
    return !json_failed(&r, NULL);
}

bool object_head_read(struct str object, struct object_head *head)
{
    struct json_reader r;
    struct str key;
    bool found = false;

    *head = (struct object_head){ .is_initial_end = false };
    json_open(&r, object);
    if (!json_enter_object(&r))
        return false;
    while (json_member(&r, &key)) {
        if (str_is(key, "metadata") && json_enter_object(&r)) {
            metadata_read(&r, head);
            found = true;
        } else if (!str_is(key, "metadata")) {
            json_skip(&r);
        }
    }
    return found && !json_failed(&r, NULL);
}

static bool kind_read(struct json_reader *r, enum watch_kind *kind)
{
    static const char *const names[] = { [WATCH_ADDED] = "ADDED",
                                         [WATCH_MODIFIED] = "MODIFIED",
                                         [WATCH_DELETED] = "DELETED",
                                         [WATCH_BOOKMARK] = "BOOKMARK",
                                         [WATCH_ERROR] = "ERROR" };
    struct str text = json_text_raw(r);

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (str_is(text, names[i])) {
            *kind = (enum watch_kind)i;
            return true;
        }
    return false;
}

bool watch_event_read(struct str bytes, struct watch_event *event)
{
    struct json_reader r;
    struct str key;
    bool has_kind = false;

    *event = (struct watch_event){ .kind = WATCH_ERROR };
    json_open(&r, bytes);
    if (!json_enter_object(&r))
        return false;
    while (json_member(&r, &key)) {
        if (str_is(key, "type"))
            has_kind = kind_read(&r, &event->kind);
        else if (str_is(key, "object"))
            event->object = json_raw(&r);
        else
            json_skip(&r);
    }
    return has_kind && event->object.length > 0 && !json_failed(&r, NULL);
}
