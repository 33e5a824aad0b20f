/* reflector_private.h - the insides of a reflector, shared by its two files: reflector.c asks,
 * reflector_take.c understands what arrives. Kube thread only. */
#pragma once

#include "admitter/kube/cutter.h"
#include "admitter/kube/known.h"
#include "admitter/kube/reflector.h"

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
    unsigned absences;  /* in a row */
    int64_t started_ms, heard_at_ms;
    uint64_t events_before;
    struct err said; /* what the stream itself had to say against going on */
    struct kube_reflector_counts counts;
};

/* Get ready for the answer to a request of r->phase, then take its bytes as they come. What the
 * answer says against going on stands in r->said. */
void reflector_take_begin(struct kube_reflector *r);
bool reflector_take(void *context, struct str piece);
/* The list is complete: report what is gone, and that we are in step with the server. */
void reflector_list_completed(struct kube_reflector *r, struct str version);
/* Report as deleted what the current round has not seen. */
void reflector_sweep(struct kube_reflector *r);
void reflector_emit(struct kube_reflector *r, struct kube_change *change);
/* Put a copy of 'text' into *slot; an empty text leaves NULL there. */
void reflector_text(char **slot, struct str text);
