/* base64.h - standard base64 (RFC 4648), as kubeconfig files and Secrets hold it. Pure. */
#pragma once

#include <stdbool.h>
#include "quota/base/str.h"

/* Append the decoded bytes; white space is skipped, padding may be missing. False: not base64. */
bool base64_decode(struct str text, struct strbuf *out);
