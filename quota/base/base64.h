/* base64.h - the standard alphabet with padding (RFC 4648). Pure; any thread. */
#pragma once

#include <stdbool.h>
#include "quota/base/str.h"

/* Appended. */
void base64_encode(struct str bytes, struct strbuf *out);
/* Appended; white space is skipped. False (and nothing appended) when it is not base64. */
bool base64_decode(struct str text, struct strbuf *out);
