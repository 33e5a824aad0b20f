/* event_json.h - an events.k8s.io/v1 Event as JSON. Pure. Rules: spec/api.md 6. */
#pragma once

#include "admitter/kube/event.h"

#define EVENT_NOTE_MAX 1024 /* bytes of a note; the server refuses more */

/* The namespace an Event about this object lives in: its own, or "default". */
const char *event_namespace(const struct kube_note *note);
/* "<object>.<16 hex digits>", fixed for all repeats; the object's name is cut when too long. */
char *event_name(const struct kube_note *note, uint64_t unique);
/* A whole Event; 'time' in nanoseconds since 1970. */
void event_json(const struct kube_note *note, const char *name, const char *instance, int64_t time,
                struct strbuf *out);
/* A merge patch that makes it a series. */
void event_series_json(uint64_t count, int64_t time, struct strbuf *out);
