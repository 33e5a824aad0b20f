/* file.h - whole small files. Any thread. */
#pragma once

#include <stddef.h>
#include <stdbool.h>
#include "quota/base/err.h"
#include "quota/base/str.h"

/* Read a file of at most 'limit' bytes into 'out' (appended). ERR_NOT_FOUND, ERR_IO, ERR_INVALID
 * (too big); the text names the path. */
MUST_USE int file_read(const char *path, size_t limit, struct strbuf *out, struct err *e);
/* Write through a temporary file beside it and rename: readers see the old or the new, whole. */
MUST_USE int file_write(const char *path, struct str bytes, unsigned mode, struct err *e);

void auto_close_(int *fd);
#define AUTO_CLOSE __attribute__((cleanup(auto_close_)))
