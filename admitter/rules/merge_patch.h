/* merge_patch.h - the smallest JSON merge patch between two trees (RFC 7386). Pure. */
#pragma once

#include <jansson.h>

/* Members of 'after' that differ from 'before', null for removed ones; arrays are whole. New
 * reference, or NULL when there is no difference. Both must be objects. */
json_t *merge_patch_between(json_t *before, json_t *after);
