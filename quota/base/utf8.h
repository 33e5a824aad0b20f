/* utf8.h - well-formed UTF-8, as RFC 3629 defines it (no surrogates, no overlong forms). Pure. */
#pragma once

#include <stddef.h>

/* Length in bytes (1 to 4) of the well-formed character at 'at', which has 'left' > 0 bytes; 0 when
 * the bytes there are not well-formed. */
size_t utf8_length(const char *at, size_t left);
/* Write a code point (at most 0x10FFFF, not a surrogate) to 'out' (4 bytes); returns its length. */
size_t utf8_put(char *out, unsigned code);
