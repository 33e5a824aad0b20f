/* event.h - Events that people see with `kubectl get events` (events.k8s.io/v1).
 *
 * Best effort: behind all other writes, merged (the same object, reason and note becomes a series
 * of one Event), limited per object by a token bucket (25 at once, then one per 5 minutes), and
 * dropped when more than 'limit' wait. Any thread may post. Rights needed: create and patch of
 * events in events.k8s.io. Rules: spec/api.md 6. */
#pragma once

#include "admitter/kube/writer.h"

struct kube_note { /* what happened to whom; everything is copied by post */
    const char *api_version, *kind, *namespace, *name, *uid, *resource_version; /* regarding */
    bool warning;                                                               /* else Normal */
    const char *reason;     /* "QuotaReserved" */
    const char *action;     /* NULL: the reason */
    const char *note;       /* cut to 1024 bytes on a character border */
    const char *controller; /* reportingController, "kueue-admission" */
};

struct kube_recorder_options { /* zero means the default in brackets */
    const char *instance;      /* reportingInstance [host name] */
    size_t limit;              /* Events waiting to be written [1000] */
    unsigned burst;            /* per object [25] */
    int64_t refill_ms;         /* per object and Event after the burst [300000] */
    int64_t series_window_ms;  /* repeats within this join the series [360000] */
};

struct kube_recorder;
struct kube_recorder *kube_recorder_create(struct kube_client *client, struct kube_writer *writer,
                                           const struct kube_recorder_options *options);
void kube_recorder_destroy(struct kube_recorder *recorder); /* before its writer; NULL is fine */
void kube_recorder_post(struct kube_recorder *recorder, const struct kube_note *note); /* any */

struct kube_recorder_counts {
    uint64_t posted, written, merged, limited, dropped, failed;
};
struct kube_recorder_counts kube_recorder_count(const struct kube_recorder *recorder); /* any */
