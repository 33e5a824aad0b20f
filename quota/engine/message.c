/* The words for why a workload waits (spec/scheduling.md 8.1, 4.13 step 6). */
#include <stdlib.h>
#include <string.h>

#include "quota/base/mem.h"
#include "quota/engine/assignment.h"

void why_add(struct why_list *list, struct why why, struct arena *a)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 4 : 2 * list->capacity;
        struct why *grown = ARENA_ARRAY(a, capacity, struct why);

        if (list->count > 0)
            memcpy(grown, list->items, list->count * sizeof(*grown));
        list->items = grown;
        list->capacity = capacity;
    }
    list->items[list->count++] = why;
}

const char *why_text(const struct why *why, struct arena *a)
{
    char first[QUANTITY_TEXT], second[QUANTITY_TEXT], third[QUANTITY_TEXT];
    struct str resource = str_of(why->resource);

    switch (why->kind) {
    case WHY_UNAVAILABLE:
        return arena_format(a, "resource %s unavailable in ClusterQueue", why->resource);
    case WHY_EXCEEDS_MAXIMUM:
        return arena_format(a,
                            "insufficient quota for %s in flavor %s, previously considered "
                            "podsets requests (%s) + current podset request (%s) > maximum "
                            "capacity (%s)",
                            why->resource, why->flavor,
                            amount_print(resource, why->a, false, first),
                            amount_print(resource, why->b, true, second),
                            amount_print(resource, why->c, false, third));
    case WHY_LACKS_UNUSED:
        return arena_format(a, "insufficient unused quota for %s in flavor %s, %s more needed",
                            why->resource, why->flavor,
                            amount_print(resource, why->a, false, first));
    case WHY_NOT_NOMINATED:
        return arena_format(a,
                            "skipping flavor %s as it is not found in the nomination mapping "
                            "for resource %s",
                            why->flavor, why->resource);
    case WHY_OTHER_SLICE_FLAVOR:
        return arena_format(a,
                            "could not assign %s flavor since the original workload is "
                            "assigned: %s",
                            why->flavor, why->text);
    case WHY_TEXT:
        break;
    }
    return why->text;
}

static int text_compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char **whys_sorted(const struct why_list *list, struct arena *a)
{
    const char **texts = ARENA_ARRAY(a, list->count + 1, const char *);

    for (size_t i = 0; i < list->count; i++)
        texts[i] = why_text(&list->items[i], a);
    qsort(texts, list->count, sizeof(*texts), text_compare);
    return texts;
}

static const char *pick_name(const struct item *item, const struct pod_set_pick *pod_set)
{
    return item->pod_sets[pod_set->index].shape->pod_set->name;
}

/* In byte order, ", " between them. */
static const char *whys_text(const struct why_list *list, struct arena *a)
{
    const char **texts = whys_sorted(list, a);
    size_t length = 0;
    char *text, *end;

    if (list->count == 1)
        return texts[0];
    for (size_t i = 0; i < list->count; i++)
        length += strlen(texts[i]) + strlen(", ");
    text = end = arena_alloc(a, length + 1);
    for (size_t i = 0; i < list->count; i++)
        end = stpcpy(i > 0 ? stpcpy(end, ", ") : end, texts[i]);
    return text;
}

const char *assignment_message(const struct item *item, const struct assignment *assignment,
                               struct arena *a)
{
    const char *message = "";

    for (size_t s = 0; s < assignment->pod_set_count; s++) {
        const struct pod_set_pick *pod_set = &assignment->pod_sets[s];

        if (pod_set->error)
            return arena_format(a, "failed to assign flavors to pod set %s: %s",
                                pick_name(item, pod_set), pod_set->error);
        if (pod_set->whys.count > 0)
            message = arena_format(a, "%s%scouldn't assign flavors to pod set %s: %s", message,
                                   *message ? "; " : "", pick_name(item, pod_set),
                                   whys_text(&pod_set->whys, a));
    }
    return message;
}

/* ---- Flavors considered ---- */

static int attempt_compare(const void *a, const void *b)
{
    return strcmp(((const struct attempt *)a)->flavor, ((const struct attempt *)b)->flavor);
}

static const char *mode_text(enum scan_mode mode)
{
    static const char *const texts[] = { "NoFit", "preemptionMode=NoCandidates",
                                         "preemptionMode=Preempt", "preemptionMode=Reclaim",
                                         "Fit" };

    return texts[mode];
}

static void attempt_print(struct strbuf *out, const struct attempt *attempt, struct arena *a)
{
    strbuf_printf(out, "%s(%s", attempt->flavor, mode_text(attempt->mode));
    if (attempt->level > 0 && attempt->level != INT32_MAX)
        strbuf_printf(out, ";borrow=%d", attempt->level);
    for (size_t i = 0; i < attempt->why_count; i++)
        strbuf_printf(out, ";%s", why_text(&attempt->whys[i], a));
    strbuf_putc(out, ')');
}

const char *assignment_considered(const struct item *item, const struct assignment *assignment,
                                  struct arena *a)
{
    AUTO_STRBUF struct strbuf out = STRBUF_INIT;

    for (size_t s = 0; s < assignment->pod_set_count; s++) {
        struct pod_set_pick *pod_set = &assignment->pod_sets[s];
        bool begun = false;

        if (pod_set->attempt_count > 1)
            qsort(pod_set->attempts, pod_set->attempt_count, sizeof(*pod_set->attempts),
                  attempt_compare);
        for (size_t i = 0; i < pod_set->attempt_count; i++) {
            const struct attempt *attempt = &pod_set->attempts[i];

            if (attempt->mode == SCAN_FIT && attempt->level == 0)
                continue;
            if (!begun)
                strbuf_printf(&out, "%s%s: ", out.length > 0 ? " | " : "",
                              pick_name(item, pod_set));
            else
                strbuf_puts(&out, ", ");
            begun = true;
            attempt_print(&out, attempt, a);
        }
    }
    return arena_dup(a, strbuf_view(&out));
}
