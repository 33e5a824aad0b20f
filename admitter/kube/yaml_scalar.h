/* yaml_scalar.h - the type of a plain YAML scalar, by the rules of Kubernetes' own tools:
 * null and ~; true/yes/on/y and false/no/off/n in their usual spellings; integers with 0x, 0o, 0b
 * or a leading 0 for octal, '_' between digits; decimals. Everything else is text. Pure. */
#pragma once

#include <jansson.h>
#include "quota/base/str.h"

/* A new value; NULL when the text is not UTF-8 or a number that JSON cannot hold (.inf, .nan). */
json_t *yaml_scalar(struct str text);
