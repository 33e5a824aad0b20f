/* clock.h - points in time and durations, as numbers and as text. Nothing here reads a clock.
 *
 * A point in time is int64 nanoseconds since 1970-01-01T00:00:00Z; TIME_NONE means "not set".
 * Durations are int64 nanoseconds. Pure; any thread. RFC 3339; Go's time.ParseDuration. */
#pragma once

#include <stdint.h>
#include "quota/base/err.h"
#include "quota/base/str.h"

#define TIME_NONE INT64_MIN
#define NANOSECONDS_PER_SECOND INT64_C(1000000000)
#define NANOSECONDS_PER_MILLISECOND INT64_C(1000000)

/* "2026-01-02T03:04:05Z", fractions and numeric offsets allowed. ERR_INVALID names the text. */
MUST_USE int time_parse(struct str text, int64_t *time, struct err *e);
#define TIME_TEXT 40
const char *time_print(int64_t time, char *buffer);       /* whole seconds, "Z"; returns buffer */
const char *time_print_micro(int64_t time, char *buffer); /* six decimals, for Lease and Event */
const char *time_print_nano(int64_t time, char *buffer);  /* as many decimals as needed */

/* "300ms", "1h2m3.5s", "0". ERR_INVALID names the text. */
MUST_USE int duration_parse(struct str text, int64_t *duration, struct err *e);
#define DURATION_TEXT 40
const char *duration_print(int64_t duration,
                           char *buffer); /* as Go prints it: "1m0s"; returns buffer */
