#include "admitter/jobs/completed_indexes.h"

#include <stdlib.h>
#include "quota/base/mem.h"
#include "quota/base/str.h"

struct interval {
    int64_t first, last;
};

static bool interval_parse(struct str text, int64_t completions, struct interval *out)
{
    struct str first, last;

    if (!str_cut(text, '-', &first, &last))
        last = first;
    if (!str_to_int64(first, &out->first) || !str_to_int64(last, &out->last))
        return false;
    if (out->last > completions - 1)
        out->last = completions - 1;
    return out->first >= 0 && out->first <= out->last;
}

static size_t intervals_read(const char *list, int64_t completions, struct interval **items,
                             size_t count, size_t *capacity)
{
    struct str rest = str_of(list), one;

    while (rest.length > 0) {
        if (!str_cut(rest, ',', &one, &rest))
            rest = (struct str){ 0 };
        *items = mem_grow(*items, count, capacity, sizeof(**items));
        if (interval_parse(one, completions, &(*items)[count]))
            count++;
    }
    return count;
}

static int by_first(const void *a, const void *b)
{
    const struct interval *x = a, *y = b;

    return (x->first > y->first) - (x->first < y->first);
}

int64_t completed_indexes_count(const char *completed, const char *failed, int64_t completions)
{
    AUTO_FREE struct interval *items = NULL;
    size_t capacity = 0, count;
    int64_t total = 0, next = 0;

    if (completions <= 0)
        return 0;
    count = intervals_read(completed, completions, &items, 0, &capacity);
    count = intervals_read(failed, completions, &items, count, &capacity);
    if (count > 1)
        qsort(items, count, sizeof(*items), by_first);
    for (size_t i = 0; i < count; i++) {
        int64_t first = items[i].first > next ? items[i].first : next;

        if (items[i].last < first)
            continue;
        total += items[i].last - first + 1;
        next = items[i].last + 1;
    }
    return total;
}
