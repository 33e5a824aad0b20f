/* lease_record.h - the part of a Lease that says who leads, from and to JSON. Pure. */
#pragma once

#include <stdbool.h>
#include "quota/base/err.h"
#include "quota/base/str.h"

struct lease_record {
    char *holder;  /* never NULL once parsed; "" when nobody */
    char *version; /* resourceVersion */
    int64_t duration_seconds, transitions;
    int64_t acquire_time, renew_time; /* nanoseconds since 1970, TIME_NONE when absent */
};

MUST_USE int lease_record_parse(struct str json, struct lease_record *record, struct err *e);
void lease_record_finish(struct lease_record *record);
bool lease_record_same(const struct lease_record *a, const struct lease_record *b);
/* A merge patch with the record's version; with 'name' a whole new Lease without one. */
void lease_record_json(const struct lease_record *record, const char *name, struct strbuf *out);
