/* text.h - what is missing and what would help, in words. Pure; one thread. */
#pragma once

#include <jansson.h>
#include "quota/base/str.h"
#include "quota/engine/explain.h"

/* "flavor f lacks 4 cpu (5 requested, 1 free, nominalQuota 4 of ClusterQueue q with 3 in use; t/a
 * holds 3)" for each flavor of the first pod set that does not fit. Appended. */
void explain_missing(const struct explanation *explanation, struct strbuf *out);
/* What would let it in, one text each, the mildest first; new reference. */
json_t *explain_remedies(const struct explanation *explanation);
