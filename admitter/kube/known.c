#include "admitter/kube/known.h"

#include <stdio.h>
#include <stdlib.h>
#include "quota/base/mem.h"

/* A uid is 16 bytes in nearly every case; any other text is kept as it is. */
struct entry {
    uint64_t version; /* the number, or a hash of a version that is none */
    uint32_t round;
    bool packed;
    union {
        uint8_t bytes[16];
        char *text;
    } uid;
};

struct known {
    struct map *entries; /* key -> struct entry */
};

struct known *known_create(void)
{
    struct known *k = mem_alloc(sizeof(*k));

    k->entries = map_create();
    return k;
}

static void entry_free(struct entry *entry)
{
    if (!entry->packed)
        free(entry->uid.text);
    free(entry);
}

void known_destroy(struct known *k)
{
    struct map_entry at;

    if (!k)
        return;
    for (size_t i = 0; map_next(k->entries, &i, &at);)
        entry_free(at.value);
    map_destroy(k->entries);
    free(k);
}

size_t known_count(const struct known *k)
{
    return map_count(k->entries);
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "01234567-89ab-cdef-0123-456789abcdef", lower case. */
static bool uid_pack(struct str uid, uint8_t *bytes)
{
    size_t n = 0;

    if (uid.length != 36)
        return false;
    for (size_t i = 0; i < 36;) {
        int high, low;

        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (uid.text[i++] != '-')
                return false;
            continue;
        }
        high = hex_value(uid.text[i]);
        low = hex_value(uid.text[i + 1]);
        if (high < 0 || low < 0)
            return false;
        bytes[n++] = (uint8_t)(high << 4 | low);
        i += 2;
    }
    return true;
}

static void uid_print(const struct entry *entry, char *out)
{
    const uint8_t *b = entry->uid.bytes;

    if (!entry->packed) {
        snprintf(out, KNOWN_UID, "%s", entry->uid.text);
        return;
    }
    snprintf(out, KNOWN_UID, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
             b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
             b[14], b[15]);
}

static void uid_set(struct entry *entry, struct str uid)
{
    entry->packed = uid_pack(uid, entry->uid.bytes);
    if (!entry->packed)
        entry->uid.text = mem_dup_n(uid.text ? uid.text : "", uid.length);
}

static bool uid_equals(const struct entry *entry, struct str uid)
{
    uint8_t bytes[16];

    if (uid_pack(uid, bytes) != entry->packed)
        return false;
    return entry->packed ? !memcmp(bytes, entry->uid.bytes, sizeof(bytes))
                         : str_is(uid, entry->uid.text);
}

static uint64_t version_of(struct str text)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    int64_t number;

    if (str_to_int64(text, &number))
        return (uint64_t)number;
    for (size_t i = 0; i < text.length; i++)
        hash = (hash ^ (uint8_t)text.text[i]) * UINT64_C(1099511628211);
    return hash | UINT64_C(1) << 63;
}

enum known_news known_put(struct known *k, struct str key, struct str uid, struct str version,
                          uint32_t round, char *old_uid)
{
    struct entry *entry = map_get(k->entries, key);
    uint64_t number = version_of(version);
    enum known_news news = KNOWN_NEW;

    if (!entry) {
        entry = mem_alloc(sizeof(*entry));
        map_put(k->entries, key, entry);
        uid_set(entry, uid);
    } else if (!uid_equals(entry, uid)) {
        uid_print(entry, old_uid);
        if (!entry->packed)
            free(entry->uid.text);
        uid_set(entry, uid);
        news = KNOWN_REPLACED;
    } else {
        news = entry->version == number ? KNOWN_SAME : KNOWN_CHANGED;
    }
    entry->version = number;
    entry->round = round;
    return news;
}

bool known_remove(struct known *k, struct str key)
{
    struct entry *entry = map_remove(k->entries, key);

    if (!entry)
        return false;
    entry_free(entry);
    return true;
}

struct sweep {
    uint32_t round;
    void (*gone)(void *context, struct str key, const char *uid);
    void *context;
};

static bool sweep_one(struct str key, void *value, void *context)
{
    const struct sweep *sweep = context;
    struct entry *entry = value;
    char uid[KNOWN_UID];

    if (entry->round == sweep->round)
        return false;
    uid_print(entry, uid);
    sweep->gone(sweep->context, key, uid);
    entry_free(entry);
    return true;
}

void known_sweep(struct known *k, uint32_t round,
                 void (*gone)(void *context, struct str key, const char *uid), void *context)
{
    struct sweep sweep = { round, gone, context };

    map_remove_if(k->entries, sweep_one, &sweep);
}
