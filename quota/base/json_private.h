/* json_private.h - what json.c and json_string.c share. */
#pragma once

#include "quota/base/json.h"

/* Note the first problem; always false. */
bool json_problem_(struct json_reader *r, const char *problem, const char *at);
/* Read the string whose opening quote is at r->at: *raw is what stands between the quotes. False
 * and a problem when it is not well-formed. */
bool json_string_read_(struct json_reader *r, struct str *raw, bool *escaped);
/* Decode one character of a well-formed raw string at *at into 'out' (4 bytes); returns its
 * bytes. */
size_t json_character_(const char **at, char *out);
