/* known.h - which objects a reflector has reported: key, uid and version, packed small.
 *
 * One owner thread. */
#pragma once

#include "quota/base/map.h"
#include "quota/base/str.h"

struct known;
struct known *known_create(void);
void known_destroy(struct known *k);
size_t known_count(const struct known *k);

enum known_news { KNOWN_NEW, KNOWN_CHANGED, KNOWN_SAME, KNOWN_REPLACED /* another uid */ };
#define KNOWN_UID 64 /* bytes for a uid's text */

/* Take note of an object and mark it as seen in 'round'. For KNOWN_REPLACED 'old_uid' (KNOWN_UID
 * bytes) gets the uid before. */
enum known_news known_put(struct known *k, struct str key, struct str uid, struct str version,
                          uint32_t round, char *old_uid);
bool known_remove(struct known *k, struct str key); /* false: was not there */
/* Remove and report those not marked in 'round'. 'gone' must not touch 'k'. */
void known_sweep(struct known *k, uint32_t round,
                 void (*gone)(void *context, struct str key, const char *uid), void *context);
