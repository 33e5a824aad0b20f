#include "webhook/certificate_store.h"

#include <stdio.h>
#include <string.h>

#include "quota/base/mem.h"

void certificate_store_finish(struct certificate_store *store)
{
    certificate_pair_finish(&store->authority);
    certificate_pair_finish(&store->next);
    certificate_pair_finish(&store->leaf);
    free(store->old);
    *store = (struct certificate_store){ 0 };
}

const char *certificate_action_name(enum certificate_action action)
{
    static const char *const names[] = { "keep",     "created",  "renewed",
                                         "prepared", "switched", "retired" };

    return names[action];
}

/* -- what is due -- */

/* Can this authority sign now? */
static bool authority_usable(const struct certificate_pair *authority, int64_t now)
{
    struct certificate_times times;

    return authority->certificate && authority->key &&
           certificate_match(authority->certificate, authority->key, NULL) == 0 &&
           certificate_read_times(authority->certificate, &times, NULL) == 0 &&
           now >= times.not_before && now < times.not_after;
}

static bool authority_due(const struct certificate_pair *authority, int64_t now)
{
    struct certificate_times times;

    return certificate_read_times(authority->certificate, &times, NULL) < 0 ||
           certificate_is_due(times, now);
}

/* A leaf that its authority does not outlive by far has the same end as the authority: then only
 * its real end makes it due, or it would be renewed at each call. */
static bool leaf_good(const struct certificate_store *store, const struct certificate_names *names,
                      int64_t now)
{
    struct certificate_times leaf, authority;

    if (!store->leaf.certificate || !store->leaf.key ||
        certificate_match(store->leaf.certificate, store->leaf.key, NULL) < 0 ||
        certificate_verify(store->leaf.certificate, store->authority.certificate, names, now,
                           NULL) < 0 ||
        certificate_read_times(store->leaf.certificate, &leaf, NULL) < 0 ||
        certificate_read_times(store->authority.certificate, &authority, NULL) < 0)
        return false;
    return leaf.not_after >= authority.not_after || !certificate_is_due(leaf, now);
}

static enum certificate_action due(const struct certificate_store *store,
                                   const struct certificate_names *names, int64_t now,
                                   int64_t published_since)
{
    bool changing = store->next.certificate || store->old;

    if (!authority_usable(&store->authority, now))
        return CERTIFICATE_CREATED;
    if (!leaf_good(store, names, now))
        return CERTIFICATE_RENEWED;
    if (store->next.certificate && !authority_usable(&store->next, now))
        return CERTIFICATE_PREPARED; /* again: the one in waiting has become useless */
    if (store->next.certificate && published_since >= store->stage_time &&
        now - published_since >= CERTIFICATE_SETTLE_SECONDS)
        return CERTIFICATE_SWITCHED;
    if (store->old && now - store->stage_time >= CERTIFICATE_RETIRE_SECONDS)
        return CERTIFICATE_RETIRED;
    if (!changing && authority_due(&store->authority, now))
        return CERTIFICATE_PREPARED;
    return CERTIFICATE_KEEP;
}

/* -- doing it -- */

static int authority_make(int64_t now, struct certificate_pair *authority, struct err *e)
{
    char name[64];

    /* The time in the name tells two authorities of one bundle apart. */
    snprintf(name, sizeof(name), "sluice-webhook-ca-%lld", (long long)now);
    return certificate_authority_create(name, now, CERTIFICATE_AUTHORITY_DAYS, authority, e);
}

static void pair_move(struct certificate_pair *to, struct certificate_pair *from)
{
    certificate_pair_finish(to);
    *to = *from;
    *from = (struct certificate_pair){ NULL, NULL };
}

static int leaf_renew(struct certificate_store *store, const struct certificate_names *names,
                      int64_t now, struct err *e)
{
    struct certificate_pair leaf = { NULL, NULL };

    if (certificate_leaf_create(&store->authority, names, now, CERTIFICATE_LEAF_DAYS, &leaf, e) < 0)
        return -1;
    pair_move(&store->leaf, &leaf);
    return 0;
}

static int create(struct certificate_store *store, const struct certificate_names *names,
                  int64_t now, struct err *e)
{
    struct certificate_store made = { 0 };

    if (authority_make(now, &made.authority, e) < 0 || leaf_renew(&made, names, now, e) < 0) {
        certificate_store_finish(&made);
        return -1;
    }
    certificate_store_finish(store);
    *store = made;
    return 0;
}

static int prepare(struct certificate_store *store, int64_t now, struct err *e)
{
    struct certificate_pair next = { NULL, NULL };

    if (authority_make(now, &next, e) < 0)
        return -1;
    pair_move(&store->next, &next);
    store->stage_time = now;
    return 0;
}

static int switch_over(struct certificate_store *store, const struct certificate_names *names,
                       int64_t now, struct err *e)
{
    struct certificate_pair leaf = { NULL, NULL };

    if (certificate_leaf_create(&store->next, names, now, CERTIFICATE_LEAF_DAYS, &leaf, e) < 0)
        return -1;
    free(store->old);
    store->old = mem_dup(store->authority.certificate);
    pair_move(&store->authority, &store->next);
    pair_move(&store->leaf, &leaf);
    store->stage_time = now;
    return 0;
}

static int retire(struct certificate_store *store)
{
    free(store->old);
    store->old = NULL;
    store->stage_time = 0;
    return 0;
}

int certificate_store_step(struct certificate_store *store, const struct certificate_names *names,
                           int64_t now, int64_t published_since, enum certificate_action *action,
                           struct err *e)
{
    *action = due(store, names, now, published_since);
    switch (*action) {
    case CERTIFICATE_KEEP:
        return 0;
    case CERTIFICATE_CREATED:
        return create(store, names, now, e);
    case CERTIFICATE_RENEWED:
        return leaf_renew(store, names, now, e);
    case CERTIFICATE_PREPARED:
        return prepare(store, now, e);
    case CERTIFICATE_SWITCHED:
        return switch_over(store, names, now, e);
    case CERTIFICATE_RETIRED:
        return retire(store);
    }
    return 0;
}

static void bundle_add(struct strbuf *out, const char *pem)
{
    if (!pem)
        return;
    strbuf_puts(out, pem);
    if (out->length && out->text[out->length - 1] != '\n')
        strbuf_putc(out, '\n');
}

void certificate_store_bundle(const struct certificate_store *store, struct strbuf *out)
{
    bundle_add(out, store->authority.certificate);
    bundle_add(out, store->next.certificate);
    bundle_add(out, store->old);
}

/* -- the Secret -- */

/* Where each text of the store lives, in the order of the header. */
struct store_field {
    const char *key;
    char **text;
};
#define STORE_TEXTS (CERTIFICATE_STORE_KEYS - 1)

static void store_fields(struct certificate_store *store, struct store_field fields[STORE_TEXTS])
{
    const struct store_field all[STORE_TEXTS] = {
        { "tls.crt", &store->leaf.certificate },
        { "tls.key", &store->leaf.key },
        { "ca.crt", &store->authority.certificate },
        { "ca.key", &store->authority.key },
        { "next-ca.crt", &store->next.certificate },
        { "next-ca.key", &store->next.key },
        { "old-ca.crt", &store->old },
    };

    memcpy(fields, all, sizeof(all));
}

size_t certificate_store_save(const struct certificate_store *store,
                              struct certificate_entry entries[CERTIFICATE_STORE_KEYS],
                              char *stage_text)
{
    struct certificate_store view = *store;
    struct store_field fields[STORE_TEXTS];
    size_t count = 0;

    store_fields(&view, fields);
    for (size_t i = 0; i < STORE_TEXTS; i++)
        if (*fields[i].text)
            entries[count++] = (struct certificate_entry){ fields[i].key, str_of(*fields[i].text) };
    if (store->stage_time) {
        time_print(store->stage_time * NANOSECONDS_PER_SECOND, stage_text);
        entries[count++] = (struct certificate_entry){ "stage-time", str_of(stage_text) };
    }
    return count;
}

static int load_time(struct certificate_store *store, struct str text, struct err *e)
{
    int64_t time;

    if (time_parse(text, &time, e) < 0)
        return err_wrap(e, "stage-time");
    store->stage_time = time / NANOSECONDS_PER_SECOND;
    return 0;
}

static int load_entry(struct certificate_store *store, const struct certificate_entry *entry,
                      struct err *e)
{
    struct store_field fields[STORE_TEXTS];

    if (!entry->value.length)
        return 0;
    if (strcmp(entry->key, "stage-time") == 0)
        return load_time(store, entry->value, e);
    store_fields(store, fields);
    for (size_t i = 0; i < STORE_TEXTS; i++) {
        if (strcmp(entry->key, fields[i].key) != 0)
            continue;
        free(*fields[i].text);
        *fields[i].text = mem_dup_n(entry->value.text, entry->value.length);
    }
    return 0;
}

static int check_pair(const struct certificate_pair *pair, const char *name, struct err *e)
{
    if (!pair->certificate && !pair->key)
        return 0;
    if (!pair->certificate)
        return err_set(e, ERR_INVALID, "%s.crt: missing, though %s.key is there", name, name);
    if (!pair->key)
        return err_set(e, ERR_INVALID, "%s.key: missing, though %s.crt is there", name, name);
    return certificate_match(pair->certificate, pair->key, e) < 0
               ? err_wrap(e, "%s.crt and %s.key", name, name)
               : 0;
}

static int check_store(const struct certificate_store *store, struct err *e)
{
    struct certificate_times times;

    if (check_pair(&store->leaf, "tls", e) < 0 || check_pair(&store->authority, "ca", e) < 0 ||
        check_pair(&store->next, "next-ca", e) < 0)
        return -1;
    if (store->old && certificate_read_times(store->old, &times, e) < 0)
        return err_wrap(e, "old-ca.crt");
    return 0;
}

int certificate_store_load(struct certificate_store *store, const struct certificate_entry *entries,
                           size_t count, struct err *e)
{
    struct certificate_store loaded = { 0 };
    int result = 0;

    for (size_t i = 0; i < count && result == 0; i++)
        result = load_entry(&loaded, &entries[i], e);
    if (result == 0)
        result = check_store(&loaded, e);
    if (result < 0)
        certificate_store_finish(&loaded);
    certificate_store_finish(store); /* last, because the entries may point into it */
    *store = loaded;
    return result;
}
