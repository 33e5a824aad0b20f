#include "admitter/objects/topology_assignment.h"

#include <string.h>
#include "admitter/objects/names.h"
#include "quota/base/map.h"
#include "quota/base/mem.h"
#include "quota/base/str.h"

#define SLICE_LIMIT 1000
#define SLICE_DOMAINS 100000
#define DOMAIN_LIMIT 1000000

/* ---- packing: domains as they come in ---- */

struct domains {
    size_t count, levels;
    struct str *values; /* levels per domain */
    json_int_t *counts;
    size_t *key_lengths; /* of the run that a domain belongs to, at the depth being tried */
};

static void domains_finish(struct domains *domains)
{
    free(domains->values);
    free(domains->counts);
    free(domains->key_lengths);
}

static struct str value_at(const struct domains *domains, size_t domain, size_t level)
{
    return domains->values[domain * domains->levels + level];
}

static int domain_read(struct domains *domains, size_t at, const json_t *domain, struct err *e)
{
    const json_t *values = json_object_get(domain, "values");

    if (json_array_size(values) != domains->levels)
        return err_set(e, ERR_INVALID,
                       "domains[%zu].values: expected one value for each of %zu levels, got %zu",
                       at, domains->levels, json_array_size(values));
    for (size_t i = 0; i < domains->levels; i++) {
        const json_t *value = json_array_get(values, i);

        if (!json_is_string(value))
            return err_set(e, ERR_INVALID, "domains[%zu].values[%zu]: expected a string", at, i);
        domains->values[at * domains->levels + i] =
            (struct str){ json_string_value(value), json_string_length(value) };
    }
    domains->counts[at] = json_integer_value(json_object_get(domain, "count"));
    return 0;
}

static int domains_read(struct domains *domains, const json_t *assignment, struct err *e)
{
    const json_t *list = json_object_get(assignment, "domains");

    domains->levels = json_array_size(json_object_get(assignment, "levels"));
    domains->count = json_array_size(list);
    if (domains->count > DOMAIN_LIMIT) {
        err_set(e, ERR_INVALID, "domains: may not have more than %d entries", DOMAIN_LIMIT);
        return -1;
    }
    domains->values = mem_array(domains->count * domains->levels + 1, sizeof(*domains->values));
    domains->counts = mem_array(domains->count + 1, sizeof(*domains->counts));
    domains->key_lengths = mem_array(domains->count + 1, sizeof(*domains->key_lengths));
    for (size_t i = 0; i < domains->count; i++)
        if (domain_read(domains, i, json_array_get(list, i), e) < 0)
            return -1;
    return 0;
}

/* ---- packing: one slice ---- */

struct span { /* domains first..end-1 */
    size_t first, end;
};

static size_t common_start(struct str a, struct str b, size_t most)
{
    size_t n = 0;

    while (n < most && n < b.length && a.text[n] == b.text[n])
        n++;
    return n;
}

static size_t common_end(struct str a, struct str b, size_t most)
{
    size_t n = 0;

    while (n < most && n < b.length && a.text[a.length - 1 - n] == b.text[b.length - 1 - n])
        n++;
    return n;
}

static bool is_inside_character(struct str s, size_t at)
{
    return at < s.length && ((unsigned char)s.text[at] & 0xC0) == 0x80;
}

static json_t *individual_values(const struct domains *domains, struct span span, size_t level)
{
    struct str first = value_at(domains, span.first, level);
    size_t prefix = first.length, suffix = first.length, shortest = first.length;
    json_t *roots = json_array(), *out = json_object();

    for (size_t i = span.first; i < span.end; i++) {
        struct str value = value_at(domains, i, level);

        prefix = common_start(first, value, prefix);
        suffix = common_end(first, value, suffix);
        shortest = value.length < shortest ? value.length : shortest;
    }
    while (suffix > 0 && is_inside_character(first, first.length - suffix))
        suffix--;
    if (prefix + suffix > shortest)
        prefix = shortest - suffix;
    while (prefix > 0 && is_inside_character(first, prefix))
        prefix--;
    for (size_t i = span.first; i < span.end; i++) {
        struct str value = value_at(domains, i, level);

        json_array_append_new(roots,
                              json_stringn(value.text + prefix, value.length - prefix - suffix));
    }
    if (prefix)
        json_object_set_new(out, "prefix", json_stringn(first.text, prefix));
    json_object_set_new(out, "roots", roots);
    if (suffix)
        json_object_set_new(out, "suffix",
                            json_stringn(first.text + first.length - suffix, suffix));
    return json_pack("{s:o}", "individual", out);
}

static json_t *level_values(const struct domains *domains, struct span span, size_t level)
{
    struct str first = value_at(domains, span.first, level);

    for (size_t i = span.first; i < span.end; i++)
        if (!str_equal(value_at(domains, i, level), first))
            return individual_values(domains, span, level);
    return json_pack("{s:s%}", "universal", first.text, first.length);
}

static json_t *pod_counts(const struct domains *domains, struct span span)
{
    json_t *individual;
    size_t i = span.first;

    while (i < span.end && domains->counts[i] == domains->counts[span.first])
        i++;
    if (i == span.end)
        return json_pack("{s:I}", "universal", domains->counts[span.first]);
    individual = json_array();
    for (i = span.first; i < span.end; i++)
        json_array_append_new(individual, json_integer(domains->counts[i]));
    return json_pack("{s:o}", "individual", individual);
}

static json_t *slice_pack(const struct domains *domains, struct span span)
{
    json_t *levels = json_array();

    for (size_t level = 0; level < domains->levels; level++)
        json_array_append_new(levels, level_values(domains, span, level));
    return json_pack("{s:I, s:o, s:o}", "domainCount", (json_int_t)(span.end - span.first),
                     "valuesPerLevel", levels, "podCounts", pod_counts(domains, span));
}

/* ---- packing: where to cut ---- */

/* Length of the n-th prefix (from 1) of a host name that ends in '-' and is not all of it; 0:
 * none. */
static size_t candidate(struct str host, size_t n)
{
    for (size_t i = 0; i + 1 < host.length; i++)
        if (host.text[i] == '-' && --n == 0)
            return i + 1;
    return 0;
}

static struct str host_at(const struct domains *domains, size_t domain)
{
    return value_at(domains, domain, domains->levels - 1);
}

/* How often each candidate occurs; returns the largest number of candidates in a host name. */
static size_t candidates_count(const struct domains *domains, struct map *counts)
{
    size_t deepest = 0;

    for (size_t i = 0; i < domains->count; i++) {
        struct str host = host_at(domains, i);
        size_t n = 1, length;

        for (; (length = candidate(host, n)) != 0; n++) {
            struct str key = { host.text, length };
            uintptr_t before = (uintptr_t)map_get(counts, key);

            map_put(counts, key, (void *)(before + 1));
        }
        deepest = n - 1 > deepest ? n - 1 : deepest;
    }
    return deepest;
}

static size_t key_length(const struct map *counts, struct str host, size_t depth)
{
    size_t best = 0;

    for (size_t n = 1; n <= depth; n++) {
        struct str key = { host.text, candidate(host, n) };

        if (key.length == 0 || (uintptr_t)map_get(counts, key) < 2)
            break;
        best = key.length;
    }
    return best;
}

static size_t run_end(const struct domains *domains, size_t first)
{
    struct str key = { host_at(domains, first).text, domains->key_lengths[first] };
    size_t i = first + 1;

    for (; i < domains->count && i - first < SLICE_DOMAINS; i++) {
        struct str other = { host_at(domains, i).text, domains->key_lengths[i] };

        if (!str_equal(key, other))
            break;
    }
    return i;
}

/* Set key_lengths for the first depth that gives few enough runs. False: no depth does. */
static bool choose_depth(struct domains *domains)
{
    struct map *counts = map_create();
    size_t depth = candidates_count(domains, counts), runs = SLICE_LIMIT + 1;

    for (; depth > 0 && runs > SLICE_LIMIT; depth--) {
        for (size_t i = 0; i < domains->count; i++)
            domains->key_lengths[i] = key_length(counts, host_at(domains, i), depth);
        runs = 0;
        for (size_t i = 0; i < domains->count && runs <= SLICE_LIMIT; i = run_end(domains, i))
            runs++;
    }
    map_destroy(counts);
    return runs <= SLICE_LIMIT;
}

static json_t *one_slice(const struct domains *domains)
{
    return json_pack("[o]", slice_pack(domains, (struct span){ 0, domains->count }));
}

static json_t *slices_by_host(const struct domains *domains)
{
    json_t *slices = json_array();
    size_t i = 0;

    while (i < domains->count) {
        size_t end = run_end(domains, i);

        json_array_append_new(slices, slice_pack(domains, (struct span){ i, end }));
        i = end;
    }
    return slices;
}

static bool is_shorter(const json_t *a, const json_t *b)
{
    return json_dumpb(a, NULL, 0, JSON_COMPACT) < json_dumpb(b, NULL, 0, JSON_COMPACT);
}

static json_t *slices_pack(struct domains *domains, bool by_host)
{
    json_t *slices, *single;

    if (domains->count == 0)
        return json_array();
    if (!by_host || domains->count == 1 || !choose_depth(domains))
        return one_slice(domains);
    slices = slices_by_host(domains);
    if (json_array_size(slices) <= 1 || domains->count > SLICE_DOMAINS)
        return slices;
    single = one_slice(domains);
    if (is_shorter(single, slices)) {
        json_decref(slices);
        return single;
    }
    json_decref(single);
    return slices;
}

static bool ends_with_host(const json_t *levels)
{
    const char *last = json_string_value(json_array_get(levels, json_array_size(levels) - 1));

    return last && strcmp(last, HOSTNAME_LABEL) == 0;
}

json_t *topology_assignment_pack(const json_t *assignment, bool by_host_prefix, struct err *e)
{
    json_t *levels = json_object_get(assignment, "levels"), *out = NULL;
    struct domains domains = { 0 };

    if (domains_read(&domains, assignment, e) == 0)
        out = json_pack("{s:o, s:o}", "levels", levels ? json_incref(levels) : json_array(),
                        "slices", slices_pack(&domains, by_host_prefix && ends_with_host(levels)));
    domains_finish(&domains);
    return out;
}

/* ---- unpacking ---- */

static json_t *level_value(const json_t *values, size_t at)
{
    json_t *universal = json_object_get(values, "universal");
    const json_t *individual = json_object_get(values, "individual");
    const char *prefix = json_string_value(json_object_get(individual, "prefix"));
    const char *suffix = json_string_value(json_object_get(individual, "suffix"));
    const char *root = json_string_value(json_array_get(json_object_get(individual, "roots"), at));

    if (json_is_string(universal))
        return json_incref(universal);
    return root ? json_sprintf("%s%s%s", prefix ? prefix : "", root, suffix ? suffix : "") : NULL;
}

static json_t *pod_count(const json_t *counts, size_t at)
{
    json_t *universal = json_object_get(counts, "universal");
    json_t *individual = json_array_get(json_object_get(counts, "individual"), at);

    if (json_is_integer(universal))
        return json_incref(universal);
    return json_is_integer(individual) ? json_incref(individual) : NULL;
}

static int slice_unpack(const json_t *slice, size_t index, size_t levels, json_t *domains,
                        struct err *e)
{
    json_int_t count = json_integer_value(json_object_get(slice, "domainCount"));
    const json_t *per_level = json_object_get(slice, "valuesPerLevel");

    if (count < 0 || count > (json_int_t)(DOMAIN_LIMIT - json_array_size(domains)))
        return err_set(e, ERR_INVALID, "slices[%zu].domainCount: Invalid value: %lld", index,
                       (long long)count);
    for (size_t i = 0; i < (size_t)count; i++) {
        json_t *values = json_array(), *number = pod_count(json_object_get(slice, "podCounts"), i);

        json_array_append_new(domains, json_pack("{s:o, s:o?}", "values", values, "count", number));
        for (size_t level = 0; level < levels; level++)
            if (json_array_append_new(values, level_value(json_array_get(per_level, level), i)) < 0)
                return err_set(e, ERR_INVALID, "slices[%zu].valuesPerLevel[%zu]: no value %zu",
                               index, level, i);
        if (!number)
            return err_set(e, ERR_INVALID, "slices[%zu].podCounts: no count %zu", index, i);
    }
    return 0;
}

json_t *topology_assignment_unpack(const json_t *assignment, struct err *e)
{
    json_t *levels = json_object_get(assignment, "levels"), *domains = json_array(), *slice;
    size_t i;

    json_array_foreach(json_object_get(assignment, "slices"), i, slice) {
        if (slice_unpack(slice, i, json_array_size(levels), domains, e) < 0) {
            json_decref(domains);
            return NULL;
        }
    }
    return json_pack("{s:o, s:o}", "levels", levels ? json_incref(levels) : json_array(), "domains",
                     domains);
}
