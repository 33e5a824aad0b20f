/* cel.h - expressions that select devices, as DeviceClasses and claims write them.
 *
 * The part of CEL that speaks of one device: its operators, literals, lists, has(), the macros
 * exists, exists_one and all, texts with matches() (POSIX extended regular expressions instead of
 * RE2's), quantity() and semver() with their methods. Maps, timestamps and other extensions are not
 * known. Pure; any thread. Rules: spec/lifecycle.md 14.2, spec/config.md 3.9. */
#pragma once

#include "quota/base/arena.h"
#include "quota/base/err.h"
#include "quota/engine/model.h"

struct cel_node;

/* At most 10 KiB, nested at most 64 deep. ERR_INVALID and *e: where and what ("1:8: undeclared
 * reference to 'devise'"). The expression lives in 'a' and borrows nothing. */
MUST_USE int cel_parse(const char *text, struct arena *a, const struct cel_node **out,
                       struct err *e);
/* Is it true of this device? What cannot be evaluated (an attribute that the device does not have,
 * operands of the wrong type, a pattern with references back or with repetitions that multiply to
 * more than 1,000, more than a million steps) is not true. 'a' is used for intermediate values. */
bool cel_selects(const struct cel_node *expression, const struct device *device, struct arena *a);
