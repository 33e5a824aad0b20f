/* review.h - AdmissionReview (admission.k8s.io/v1): reading the question, building the answer.
 *
 * Knows the envelope only: object and oldObject stay raw bytes for the handler, who reads from them
 * what it needs. Pure apart from the route adapter; handlers run on server threads, several at a
 * time. Rules: spec/integrations.md 1.24. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "quota/base/arena.h"
#include "quota/base/err.h"
#include "quota/base/str.h"
#include "webhook/route.h"

enum review_operation { REVIEW_CREATE, REVIEW_UPDATE, REVIEW_DELETE, REVIEW_CONNECT };

struct review_kind {
    const char *group, *version, *kind; /* never NULL; the core group is "" */
};
struct review_resource {
    const char *group, *version, *resource;
};

/* Texts are never NULL ("" when absent) and live in the arena; raw pieces point into the body. */
struct review {
    const char *uid;
    struct review_kind kind, request_kind; /* request_*: as the user sent it, before conversion; */
    struct review_resource resource, request_resource; /* equal to the other when absent */
    const char *sub_resource, *request_sub_resource;
    const char *name;           /* may be "" on CREATE with generateName */
    const char *namespace_name; /* "" for cluster-scoped objects */
    enum review_operation operation;
    const char *user_name, *user_uid;
    const char *const *groups;
    size_t group_count;
    struct str object, old_object, options; /* one JSON value each; length 0 when absent or null */
    bool dry_run;
    int64_t deadline; /* as in struct request */
};

struct review_cause {
    const char *type, *field, *message; /* "FieldValueInvalid", "spec.parallelism", ... */
};

/* Starts as "allowed, no patch". Fill it with the functions below. Texts live in the arena. */
struct review_answer {
    bool allowed;
    unsigned code;       /* HTTP-like status of a denial */
    const char *reason;  /* "Forbidden" */
    const char *message; /* for the user; the API server puts the webhook's name in front */
    struct review_cause *causes;
    size_t cause_count, cause_capacity;
    struct str patch; /* RFC 6902 text; empty: no patch */
    const char **warnings;
    size_t warning_count, warning_capacity, warning_bytes;
};

/* Deny with code 403 and reason Forbidden, as a failed validation does. */
void review_deny(struct review_answer *answer, struct arena *arena, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* One entry of status.details.causes, for a denial. Texts are copied. */
void review_cause(struct review_answer *answer, struct arena *arena, const char *type,
                  const char *field, const char *message);
/* A line the user sees beside the result. Cut at 256 bytes each, 4096 in total (the API server's
 * limits), never inside a character. */
void review_warn(struct review_answer *answer, struct arena *arena, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Allow with a patch: the text of a JSON Patch array (see patch.h), which must stay until the
 * answer is rendered (arena). An empty text or "[]" means no patch. */
void review_patch(struct review_answer *answer, struct str patch);

/* Read the envelope. ERR_INVALID says which member is missing, wrong or twice there. */
MUST_USE int review_parse(struct str body, struct review *review, struct arena *arena,
                          struct err *e);
/* The answer envelope, appended to 'out'. A denial drops the patch. */
void review_render(const struct review *review, const struct review_answer *answer,
                   struct strbuf *out);

/* Decide one review. 'answer' is initialised as allowed. 0: answered. -1 and *e: it could not be
 * judged; the caller is denied with e->text and the code that e->code stands for: ERR_INVALID 400,
 * ERR_FORBIDDEN 403, ERR_NOT_FOUND 404, ERR_CONFLICT and ERR_EXISTS 409, ERR_BUSY 503, others
 * 500. */
typedef int review_function(void *context, const struct review *review,
                            struct review_answer *answer, struct arena *arena, struct err *e);

/* Serve reviews on POST 'path'. A malformed envelope is answered 400 with the reason. 'context' is
 * borrowed for the life of the table. */
MUST_USE int review_route_add(struct route_table *table, const char *path,
                              review_function *function, void *context, struct err *e);
/* A review_function that allows everything without a patch: for paths whose part does not run. */
int review_allow(void *context, const struct review *review, struct review_answer *answer,
                 struct arena *arena, struct err *e);
