/* object_head.h - the few fields of an object that a reflector needs, found without building
 * anything. Pure; the pieces point into the bytes read. */
#pragma once

#include "quota/base/str.h"

struct object_head {
    struct str namespace, name, uid, resource_version;
    struct str continue_token; /* of a list's metadata */
    bool is_initial_end;       /* annotation k8s.io/initial-events-end: "true" */
};

/* False when 'object' is not an object with metadata, or is not JSON. */
bool object_head_read(struct str object, struct object_head *head);
/* The same from the value of "metadata". */
bool object_head_read_metadata(struct str metadata, struct object_head *head);

enum watch_kind { WATCH_ADDED, WATCH_MODIFIED, WATCH_DELETED, WATCH_BOOKMARK, WATCH_ERROR };

struct watch_event {
    enum watch_kind kind;
    struct str object;
};

/* {"type": "ADDED", "object": {...}}; false for anything else. */
bool watch_event_read(struct str bytes, struct watch_event *event);
