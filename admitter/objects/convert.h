/* convert.h - v1beta1 and v1beta2 of the kinds whose CRDs use the conversion webhook.
 *
 * ClusterQueue, LocalQueue, Cohort, Workload, MultiKueueCluster. metadata stays as it is. What one
 * version cannot say is dropped, as the specification lists it. Pure; any thread.
 * Rules: spec/api.md 2. */
#pragma once

#include <jansson.h>
#include "admitter/objects/admission.h"
#include "quota/base/arena.h"
#include "quota/base/err.h"
#include "quota/base/str.h"

/* Change 'object' in place into 'desired_api_version' ("kueue.x-k8s.io/v1beta2"). ERR_INVALID: the
 * kind or a version is not known, it has that version already, or a member cannot be converted; the
 * text says which. */
MUST_USE int object_convert(json_t *object, const char *desired_api_version,
                            const struct object_gates *gates, struct err *e);

/* The kinds, NULL-terminated. */
const char *const *object_convert_kinds(void);

/* The same on bytes: one JSON object in, its other form appended to 'out'. 'from' and 'to' are
 * versions ("v1beta1"), 'context' the struct object_gates; the signature is that of the conversion
 * webhook's functions, so that this can be registered as it is. */
int object_convert_bytes(void *context, struct str object, const char *from, const char *to,
                         struct strbuf *out, struct arena *arena, struct err *e);
