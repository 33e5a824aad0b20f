/* support.h - configuration files in tests, and what became of them. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "admitter/configuration/configuration.h"

#define V1 "apiVersion: config.kueue.x-k8s.io/v1beta1\nkind: Configuration\n"
#define V2 "apiVersion: config.kueue.x-k8s.io/v1beta2\nkind: Configuration\n"
#define SECONDS(n) ((n)*NANOSECONDS_PER_SECOND)
#define MINUTES(n) SECONDS(60 * INT64_C(n))

/* Read a file's text; 'flag' is the value of --feature-gates, or NULL. */
int read_text(const char *text, const char *flag, struct configuration *c, struct err *e);
/* The same; the test fails, showing both, when the text is refused. */
void load_good(const char *text, const char *flag, struct configuration *c);
/* Does some warning contain this? How many problems do? */
bool warns(const struct configuration *c, const char *what);
size_t problems_with(const struct configuration *c, const char *what);
