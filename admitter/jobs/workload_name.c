#include "admitter/jobs/workload_name.h"

#include <ctype.h>
#include <openssl/sha.h>
#include <string.h>

#define HASH_DIGITS 5

static void sha1_digits(const char *payload, char digits[HASH_DIGITS + 1])
{
    static const char hex[] = "0123456789abcdef";
    unsigned char hash[SHA_DIGEST_LENGTH];

    SHA1((const unsigned char *)payload, strlen(payload), hash);
    for (int i = 0; i < HASH_DIGITS; i++)
        digits[i] = hex[i % 2 ? hash[i / 2] & 15 : hash[i / 2] >> 4];
    digits[HASH_DIGITS] = '\0';
}

char *workload_name(struct arena *arena, const char *kind, const char *group,
                    const char *owner_name, const char *owner_uid, const char *extra,
                    bool short_names)
{
    size_t limit = (short_names ? 63 : 253) - (HASH_DIGITS + 1);
    const char *payload = arena_format(arena, "%s\n%s\n%s\n%s%s%s", kind, group, owner_name,
                                       owner_uid, extra && *extra ? "\n" : "", extra ? extra : "");
    char *prefix = arena_format(arena, "%s-%s", kind, owner_name);
    char digits[HASH_DIGITS + 1];

    for (size_t i = 0; kind[i]; i++)
        prefix[i] = (char)tolower((unsigned char)prefix[i]);
    sha1_digits(payload, digits);
    if (strlen(prefix) > limit)
        prefix[limit] = '\0';
    return arena_format(arena, "%s-%s", prefix, digits);
}
