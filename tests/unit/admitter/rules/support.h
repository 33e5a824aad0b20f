/* support.h - Workload trees and settings for tests of the loop's rules. */
#pragma once

#include "admitter/objects/condition.h"
#include "admitter/rules/settings.h"
#include "quota/base/clock.h"
#include "quota/base/mem.h"
#include "tests/unit/admitter/objects/support.h"

#define SECONDS(n) ((n)*NANOSECONDS_PER_SECOND)
/* The test's present: 2026-01-01T01:00:00Z. */
#define NOW_TEXT "2026-01-01T01:00:00Z"
int64_t now_time(void);
/* That many seconds before (negative: after) the present, as text; in 'a'. */
const char *ago(struct arena *a, int64_t seconds);

/* What the rules go by; each test's set-up fills it. */
extern struct loop_settings settings;

/* A Workload "ns/wl" of these JSON members in metadata, spec and status. New reference. */
json_t *workload(const char *metadata, const char *spec, const char *status);
/* One condition as JSON text, in 'a'. */
const char *condition(struct arena *a, const char *type, const char *status, const char *reason,
                      const char *message, int64_t seconds_ago);
/* "Type=Status/reason/message" of a condition; "" when absent. In 'a'. */
const char *condition_text(struct arena *a, const json_t *object, const char *type);
