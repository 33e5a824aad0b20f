/* metric_text.h - numbers and texts in the format of Prometheus. Private to metric*.c. Pure. */
#pragma once

#include <stdbool.h>
#include "quota/base/str.h"

#define METRIC_NUMBER_TEXT 40
/* A number in its shortest exact form, "+Inf", "-Inf" or "NaN"; returns the length. */
size_t metric_number(double value, char *buffer);
/* A label value (backslash, quote and newline escaped) or a help text (no quotes). */
void metric_escape(struct strbuf *out, const char *text, bool is_label);
