/* conversion.h - ConversionReview (apiextensions.k8s.io/v1): objects in, the same in another
 * version out.
 *
 * Knows the envelope only. Kinds are registered before the server starts; the table is immutable
 * afterwards. Functions run on server threads, several at a time. */
#pragma once

#include "quota/base/arena.h"
#include "quota/base/err.h"
#include "quota/base/str.h"
#include "webhook/route.h"

/* Convert one object (a JSON object, raw) from version 'from' to 'to' ("v1beta1"; never the same)
 * and append the result, with its new apiVersion, to 'out'. metadata other than labels and
 * annotations must not change. -1 fails the whole review with e->text, the object's name in
 * front. */
typedef int conversion_function(void *context, struct str object, const char *from, const char *to,
                                struct strbuf *out, struct arena *arena, struct err *e);

struct conversion_table;
struct conversion_table *conversion_table_create(void);
void conversion_table_destroy(struct conversion_table *table); /* NULL is fine */
/* Register a kind, for all pairs of its versions. 'group' and 'kind' are copied. ERR_EXISTS. */
MUST_USE int conversion_add(struct conversion_table *table, const char *group, const char *kind,
                            conversion_function *function, void *context, struct err *e);

/* Answer one review: body in, response envelope appended to 'out'. Objects keep their order; those
 * already in the desired version pass through byte for byte. What cannot be converted gives result
 * Failure with a message and no objects, still 0. -1, ERR_INVALID: the envelope is malformed, there
 * is no uid to answer to. */
MUST_USE int conversion_answer(const struct conversion_table *table, struct str body,
                               struct strbuf *out, struct arena *arena, struct err *e);

/* Serve reviews on POST 'path' ("/convert"). The table is borrowed. */
MUST_USE int conversion_route_add(struct route_table *routes, const char *path,
                                  const struct conversion_table *table, struct err *e);
