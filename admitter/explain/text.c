#include "admitter/explain/text.h"

#include <string.h>
#include "admitter/explain/report.h"
#include "quota/base/mem.h"

#define HOLDERS_NAMED 3
#define HOLDERS_ALL_NAMED 6 /* more than these are counted */

static const struct explained_pod_set *first_unfit(const struct explanation *explanation)
{
    for (size_t i = 0; i < explanation->pod_set_count; i++) {
        const struct explained_pod_set *pod_set = &explanation->pod_sets[i];
        bool fits = false;

        for (size_t f = 0; f < pod_set->flavor_count; f++)
            fits = fits || pod_set->flavors[f].verdict == VERDICT_FITS;
        if (pod_set->is_looked_at && (!fits || *pod_set->problem))
            return pod_set;
    }
    return NULL;
}

static const char *owner_kind(const struct binding *binding)
{
    return binding->is_cohort ? "Cohort" : "ClusterQueue";
}

static void limit_text(const struct explained_resource *r, struct strbuf *out)
{
    char available[QUANTITY_TEXT], limit[QUANTITY_TEXT], used[QUANTITY_TEXT];

    explain_amount(r->resource, r->is_never ? r->maximum : r->available, available);
    explain_amount(r->resource, r->binding.limit, limit);
    explain_amount(r->resource, r->binding.used, used);
    if (r->is_never)
        strbuf_printf(out, "never more than %s, ", available);
    else
        strbuf_printf(out, "%s free, ", available);
    if (r->binding.kind == BINDING_BORROWING)
        strbuf_printf(out, "borrowingLimit %s of %s %s with %s borrowed", limit,
                      owner_kind(&r->binding), r->binding.owner, used);
    else
        strbuf_printf(out, "%s %s of %s %s with %s in use",
                      r->binding.kind == BINDING_NOMINAL ? "nominalQuota" : "capacity", limit,
                      owner_kind(&r->binding), r->binding.owner, used);
}

static void holders_text(const struct explained_resource *r, struct strbuf *out)
{
    char amount[QUANTITY_TEXT];

    for (size_t i = 0; !r->is_never && i < r->holder_count && i < HOLDERS_NAMED; i++)
        strbuf_printf(out, "%s%s holds %s%s", i == 0 ? "; " : ", ", r->holders[i].key,
                      explain_amount(r->resource, r->holders[i].amount, amount),
                      r->holders[i].is_evicted ? " and is leaving" : "");
    if (!r->is_never && r->holder_count > HOLDERS_NAMED)
        strbuf_printf(out, " and %zu more", r->holder_count - HOLDERS_NAMED);
}

static void resource_text(const struct explained_flavor *flavor, const struct explained_resource *r,
                          struct strbuf *out)
{
    char missing[QUANTITY_TEXT], requested[QUANTITY_TEXT];

    strbuf_printf(out, "flavor %s lacks %s %s (%s requested, ", flavor->flavor,
                  explain_amount(r->resource, r->missing, missing), r->resource,
                  explain_amount(r->resource, amount_add(r->requested, r->before), requested));
    limit_text(r, out);
    holders_text(r, out);
    strbuf_putc(out, ')');
}

static void flavor_text(const struct explained_flavor *flavor, const char **separator,
                        struct strbuf *out)
{
    if (flavor->verdict == VERDICT_REFUSED) {
        strbuf_printf(out, "%s%s", *separator, flavor->refusal);
        *separator = "; ";
        return;
    }
    for (size_t i = 0; i < flavor->resource_count; i++) {
        if (flavor->resources[i].missing == 0)
            continue;
        strbuf_puts(out, *separator);
        resource_text(flavor, &flavor->resources[i], out);
        *separator = "; ";
    }
}

void explain_missing(const struct explanation *explanation, struct strbuf *out)
{
    const struct explained_pod_set *pod_set = first_unfit(explanation);
    const char *separator = "";

    if (!pod_set)
        return;
    if (*pod_set->problem) {
        strbuf_puts(out, pod_set->problem);
        separator = "; ";
    }
    for (size_t i = 0; i < pod_set->flavor_count; i++)
        flavor_text(&pod_set->flavors[i], &separator, out);
}

/* ---- what would help ---- */

static void add(json_t *list, struct strbuf *text)
{
    if (text->length > 0)
        json_array_append_new(list, json_string(text->text));
    strbuf_reset(text);
}

/* The smallest workload that is enough alone, else the largest ones together; 0: not even all. */
static size_t enough(const struct explained_resource *r, size_t *first)
{
    int64_t sum = 0;

    for (size_t i = r->holder_count; i-- > 0;) {
        *first = i;
        if (r->holders[i].amount >= r->missing)
            return 1;
    }
    *first = 0;
    for (size_t i = 0; i < r->holder_count; i++) {
        sum = amount_add(sum, r->holders[i].amount);
        if (sum >= r->missing)
            return i + 1;
    }
    return 0;
}

static void release_remedy(const struct explained_resource *r, struct strbuf *text)
{
    size_t first = 0, count = r->is_never ? 0 : enough(r, &first);

    if (count == 0)
        return;
    strbuf_puts(text, "the end of ");
    if (count > HOLDERS_ALL_NAMED) {
        strbuf_printf(text, "%zu workloads, %s first", count, r->holders[first].key);
        return;
    }
    for (size_t i = 0; i < count; i++)
        strbuf_printf(text, "%s%s",
                      i == 0           ? ""
                      : i + 1 == count ? " and "
                                       : ", ",
                      r->holders[first + i].key);
}

/* A limit whose rise would only meet the next limit is no help; more quota of the same owner is. */
static void raise_remedy(const struct explained_flavor *flavor, const struct explained_resource *r,
                         struct strbuf *text)
{
    char missing[QUANTITY_TEXT];
    bool helps = r->binding.kind == BINDING_BORROWING && r->binding.slack >= r->missing;
    const char *what = helps ? "borrowingLimit" : "nominalQuota";

    explain_amount(r->resource, r->missing, missing);
    if (r->binding.kind == BINDING_CAPACITY)
        strbuf_printf(text, "%s more nominalQuota of %s in flavor %s somewhere in Cohort %s",
                      missing, r->resource, flavor->flavor, r->binding.owner);
    else
        strbuf_printf(text, "%s more %s of %s in flavor %s of %s %s", missing, what, r->resource,
                      flavor->flavor, owner_kind(&r->binding), r->binding.owner);
}

static void lending_remedy(const struct explained_flavor *flavor,
                           const struct explained_resource *r, struct strbuf *text)
{
    char unlent[QUANTITY_TEXT];

    if (r->unlent > 0 && r->binding.kind == BINDING_CAPACITY)
        strbuf_printf(text, "a higher lendingLimit of others: %s %s in flavor %s free and not lent",
                      explain_amount(r->resource, r->unlent, unlent), r->resource, flavor->flavor);
}

static void victims_remedy(const struct explanation *explanation, struct strbuf *text)
{
    for (size_t i = 0; i < explanation->victim_count; i++)
        strbuf_printf(text, "%s%s", i == 0 ? "the preemption of " : ", ",
                      explanation->victims[i].key);
}

json_t *explain_remedies(const struct explanation *explanation)
{
    const struct explained_pod_set *pod_set = first_unfit(explanation);
    AUTO_STRBUF struct strbuf text = STRBUF_INIT;
    json_t *list = json_array();

    victims_remedy(explanation, &text);
    add(list, &text);
    for (size_t f = 0; pod_set && f < pod_set->flavor_count; f++)
        for (size_t i = 0; i < pod_set->flavors[f].resource_count; i++) {
            const struct explained_resource *r = &pod_set->flavors[f].resources[i];

            if (r->missing == 0)
                continue;
            release_remedy(r, &text);
            add(list, &text);
            lending_remedy(&pod_set->flavors[f], r, &text);
            add(list, &text);
            raise_remedy(&pod_set->flavors[f], r, &text);
            add(list, &text);
        }
    return list;
}
