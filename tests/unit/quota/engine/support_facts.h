/* support_facts.h - short ways to write down facts in tests. Everything lives in the arena 'facts',
 * which facts_finish gives back (use it as a test's teardown). */
#pragma once

#include "quota/engine/requests.h"

extern struct arena facts;
int facts_finish(void **state);

struct quantity quantity(const char *text);
/* resources("cpu", "500m", "memory", "1Gi", NULL) */
struct resource_list resources(const char *name, ...) __attribute__((sentinel));
struct container *containers(size_t count, const struct container *items);
/* A template of one container with these requests. */
struct pod_template pod_of(struct resource_list requests);
struct pod_set pod_set_of(const char *name, int32_t count, struct resource_list requests);
/* labels("zone", "a", NULL) */
struct label *labels(size_t *count, const char *key, ...) __attribute__((sentinel));
struct label_requirement requirement(const char *key, enum selector_operator operator, size_t count,
                                     const char *const *values);
/* "cpu=1000 memory=5", in the rows' order; flavors as "cpu@f=1000". */
const char *amounts_text(struct amounts amounts);
