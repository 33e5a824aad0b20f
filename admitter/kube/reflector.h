/* reflector.h - all objects of one kind, and every change to them, as a stream of events.
 *
 * List once, then watch. Streaming list where the server has it, else pages of 500. A watch that
 * ends is continued; 410 Gone means listing again, during which the objects known stay known and
 * what has vanished is reported as deleted at the end. Network trouble is retried with backoff
 * (800 ms doubling to 30 s, jittered). A kind the server does not have (404) is asked for again
 * every 3 to 5 s and counts as synced with no objects. Only keys and versions are remembered, not
 * objects. Kube thread only. Rules: design.md "Kubernetes client rules". */
#pragma once

#include "admitter/kube/client.h"
#include "admitter/kube/path.h"

enum kube_change_kind {
    KUBE_ADDED,    /* not known before (also while listing) */
    KUBE_MODIFIED, /* known before with this uid, has another version now. A new uid under the same
                      name comes as KUBE_DELETED of the old, then KUBE_ADDED */
    KUBE_DELETED,  /* gone; 'object' is its last state, or empty when found missing by a list */
    KUBE_SYNCED,   /* all objects that existed have been reported; after each list. No object */
    KUBE_ABSENT,   /* the server does not have this kind; objects known were reported as deleted.
                      Comes once per disappearance, followed by KUBE_SYNCED. No object */
};

struct kube_change { /* all pieces are valid during the callback only */
    enum kube_change_kind kind;
    struct str namespace; /* empty for cluster-scoped kinds */
    struct str name;
    struct str uid;
    struct str resource_version;
    struct str object; /* the whole object as JSON; apiVersion and kind may be missing in items of
                          a paged list */
    bool listing;      /* before KUBE_SYNCED: part of a list, in no order */
};
typedef void kube_change_fn(void *context, const struct kube_change *change);

struct kube_reflector_options {
    struct kube_resource resource;               /* texts copied, like all below */
    const char *namespace;                       /* NULL: all */
    const char *label_selector, *field_selector; /* NULL: none */
    bool metadata_only;                          /* PartialObjectMetadata */
    bool paged_list;                             /* never ask for a streaming list */
    bool optional; /* may well be absent or forbidden: asked for ever more rarely, up to every two
                      minutes, without complaint */
    bool forbidden_is_absent; /* without the right to list it, the server does not have it */
    kube_change_fn *change;   /* must not destroy the reflector */
    void *context;
};

struct kube_reflector;
/* Starts at once; the first event comes from the loop. Never fails. */
struct kube_reflector *kube_reflector_create(struct kube_client *client,
                                             const struct kube_reflector_options *options);
void kube_reflector_destroy(struct kube_reflector *reflector); /* NULL is fine */

/* List everything again, now, keeping what is known until then; KUBE_SYNCED follows once more. */
void kube_reflector_relist(struct kube_reflector *reflector);

struct kube_reflector_counts {
    uint64_t lists, watches, events, gone, failures;
};
struct kube_reflector_counts kube_reflector_count(const struct kube_reflector *reflector);
