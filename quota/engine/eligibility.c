#include "quota/engine/eligibility.h"

#include "quota/base/clock.h"
#include "quota/base/json.h"
#include "quota/engine/selector.h"

/* ---- row 2: topology ---- */

static bool topology_has_level(const struct topology *topology, struct str level)
{
    for (size_t i = 0; i < topology->level_count; i++)
        if (str_is(level, topology->levels[i]))
            return true;
    return false;
}

/* The levels of podsetSliceRequiredTopologyConstraints: how many there are, and how many of them
 * 'topology' (NULL: none) has. */
struct slice_levels {
    size_t count, known;
};

static struct slice_levels slice_levels(const struct topology_request *request,
                                        const struct topology *topology)
{
    struct slice_levels levels = { 0, 0 };
    struct json_reader reader;
    struct str key;

    json_open(&reader, str_of(request->slice_constraints));
    if (!request->slice_constraints || !json_enter_array(&reader))
        return levels;
    while (json_item(&reader)) {
        levels.count++;
        if (!json_enter_object(&reader))
            continue;
        while (json_member(&reader, &key)) {
            if (str_is(key, "topology"))
                levels.known += topology && topology_has_level(topology, json_text_raw(&reader));
            else
                json_skip(&reader);
        }
    }
    return levels;
}

static bool topology_requested(const struct topology_request *request)
{
    return request->present && (request->has_unconstrained || request->required ||
                                request->preferred || request->slice_required ||
                                request->slice_size > 0 || slice_levels(request, NULL).count > 0);
}

/* Every level that is named has to be there, and there has to be one to place the pods at: slices
 * alone and unconstrained placement bring theirs. */
static bool levels_present(const struct topology_request *request, const struct topology *topology)
{
    const char *wanted[] = { request->required, request->preferred, request->slice_required };
    struct slice_levels slices = slice_levels(request, topology);
    bool has_level = request->unconstrained || slices.count > 0;

    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        if (wanted[i] && !topology_has_level(topology, str_of(wanted[i])))
            return false;
        has_level = has_level || wanted[i];
    }
    return has_level && slices.known == slices.count;
}

static enum topology_match explicit_match(const struct topology_request *request,
                                          const struct resource_flavor *flavor,
                                          const struct topology_facts *facts)
{
    if (!flavor->topology)
        return facts->requests_covered ? TOPOLOGY_UNSUPPORTED : TOPOLOGY_COMPATIBLE;
    if (!facts->topology)
        return TOPOLOGY_UNKNOWN;
    return levels_present(request, facts->topology) ? TOPOLOGY_COMPATIBLE : TOPOLOGY_LEVEL_MISSING;
}

enum topology_match topology_match(const struct topology_request *request,
                                   const struct resource_flavor *flavor,
                                   const struct topology_facts *facts)
{
    if (!facts->enabled)
        return TOPOLOGY_COMPATIBLE;
    if (topology_requested(request))
        return explicit_match(request, flavor, facts);
    return flavor->topology && !facts->implied ? TOPOLOGY_ONLY : TOPOLOGY_COMPATIBLE;
}

static const char *topology_reason(enum topology_match match)
{
    switch (match) {
    case TOPOLOGY_UNSUPPORTED:
        return "does not support TopologyAwareScheduling";
    case TOPOLOGY_UNKNOWN:
        return "information missing in TAS cache";
    case TOPOLOGY_LEVEL_MISSING:
        return "does not contain the requested level";
    case TOPOLOGY_ONLY:
        return "supports only TopologyAwareScheduling";
    case TOPOLOGY_COMPATIBLE:
        break;
    }
    return NULL;
}

/* ---- row 3: taints ---- */

static bool toleration_compares(const struct toleration *toleration, const struct taint *taint)
{
    int64_t actual, limit;

    if (!str_to_int64(str_of(taint->value), &actual) ||
        !str_to_int64(str_of(toleration->value), &limit))
        return false;
    return strcmp(toleration->operator, "Lt") == 0 ? actual < limit : actual > limit;
}

bool toleration_matches(const struct toleration *toleration, const struct taint *taint)
{
    const char *how = toleration->operator;

    if (*toleration->effect && strcmp(toleration->effect, taint->effect) != 0)
        return false;
    if (*toleration->key && strcmp(toleration->key, taint->key) != 0)
        return false;
    if (!*how || strcmp(how, "Equal") == 0)
        return strcmp(toleration->value, taint->value) == 0;
    if (strcmp(how, "Exists") == 0)
        return true;
    if (strcmp(how, "Lt") == 0 || strcmp(how, "Gt") == 0)
        return toleration_compares(toleration, taint);
    return false;
}

static bool taint_keeps_out(const struct taint *taint)
{
    return strcmp(taint->effect, "NoSchedule") == 0 || strcmp(taint->effect, "NoExecute") == 0;
}

static bool tolerations_cover(const struct toleration *tolerations, size_t count,
                              const struct taint *taint)
{
    for (size_t i = 0; i < count; i++)
        if (toleration_matches(&tolerations[i], taint))
            return true;
    return false;
}

static const struct taint *first_untolerated(const struct resource_flavor *flavor,
                                             const struct pod_template *pod)
{
    for (size_t i = 0; i < flavor->taint_count; i++) {
        const struct taint *taint = &flavor->taints[i];

        if (taint_keeps_out(taint) &&
            !tolerations_cover(pod->tolerations, pod->toleration_count, taint) &&
            !tolerations_cover(flavor->tolerations, flavor->toleration_count, taint))
            return taint;
    }
    return NULL;
}

/* ---- row 4: labels ---- */

/* Requirements on labels that the flavor does not set are somebody else's business. */
static bool flavor_sets(const struct resource_flavor *flavor, const char *key)
{
    return labels_get(flavor->node_labels, flavor->node_label_count, key) != NULL;
}

static bool node_selector_matches(const struct resource_flavor *flavor,
                                  const struct pod_template *pod)
{
    for (size_t i = 0; i < pod->node_selector_count; i++) {
        const struct label *wanted = &pod->node_selector[i];
        const char *value = labels_get(flavor->node_labels, flavor->node_label_count, wanted->key);

        if (value && strcmp(value, wanted->value) != 0)
            return false;
    }
    return true;
}

static bool term_concerns(const struct resource_flavor *flavor,
                          const struct node_selector_term *term)
{
    for (size_t i = 0; i < term->expression_count; i++)
        if (flavor_sets(flavor, term->expressions[i].key))
            return true;
    return false;
}

/* Terms are ORed, so one that asks nothing of this flavor lets every flavor through. */
static bool affinity_applies(const struct resource_flavor *flavor, const struct pod_template *pod)
{
    if (!pod->has_required_affinity)
        return false;
    for (size_t i = 0; i < pod->affinity_term_count; i++)
        if (!term_concerns(flavor, &pod->affinity_terms[i]))
            return false;
    return pod->affinity_term_count > 0;
}

/* Is an expression malformed? Cheap: the texts are made later, and only if no term matches. */
static bool expression_is_malformed(const struct label_requirement *expression, struct arena *a)
{
    struct problems problems = { 0 };

    requirement_problems(expression, NULL, &problems, a);
    return problems.count > 0;
}

static bool term_matches(const struct resource_flavor *flavor,
                         const struct node_selector_term *term, struct arena *a)
{
    for (size_t i = 0; i < term->expression_count; i++) {
        const struct label_requirement *expression = &term->expressions[i];

        if (!flavor_sets(flavor, expression->key))
            continue;
        if (expression_is_malformed(expression, a) ||
            !requirement_matches(expression, flavor->node_labels, flavor->node_label_count))
            return false;
    }
    return true;
}

/* What is malformed in the terms, counted as if only the relevant expressions were there. */
static const char *affinity_problem(const struct resource_flavor *flavor,
                                    const struct pod_template *pod, struct arena *a)
{
    struct problems problems = { 0 };

    for (size_t i = 0; i < pod->affinity_term_count; i++) {
        const struct node_selector_term *term = &pod->affinity_terms[i];
        size_t at = 0;

        for (size_t j = 0; j < term->expression_count; j++) {
            if (!flavor_sets(flavor, term->expressions[j].key))
                continue;
            requirement_problems(
                &term->expressions[j],
                arena_format(a, "nodeSelectorTerms[%zu].matchExpressions[%zu]", i, at++), &problems,
                a);
        }
    }
    return problems_join(&problems, a);
}

static enum eligibility labels_eligible(const struct resource_flavor *flavor,
                                        const struct pod_template *pod, struct arena *a,
                                        const char **problem)
{
    *problem = NULL;
    if (!node_selector_matches(flavor, pod))
        return INELIGIBLE;
    if (!affinity_applies(flavor, pod))
        return ELIGIBLE;
    for (size_t i = 0; i < pod->affinity_term_count; i++)
        if (term_matches(flavor, &pod->affinity_terms[i], a))
            return ELIGIBLE;
    *problem = affinity_problem(flavor, pod, a);
    return *problem ? ELIGIBILITY_ERROR : INELIGIBLE;
}

/* ---- all rows ---- */

/* A point in time as the dump of a struct shows it. */
static const char *time_dump(const char *text, struct arena *a)
{
    char printed[TIME_TEXT];
    int64_t time;

    if (!text)
        return "<nil>";
    if (time_parse(str_of(text), &time, NULL) < 0)
        return text;
    time_print(time, printed);
    return arena_format(a, "%.10s %.8s +0000 UTC", printed, printed + 11);
}

static enum eligibility pod_eligible(const char *name, const struct resource_flavor *flavor,
                                     const struct pod_template *pod, struct arena *a,
                                     const char **reason)
{
    const struct taint *taint = first_untolerated(flavor, pod);
    enum eligibility labels;

    if (taint) {
        *reason = arena_format(a, "untolerated taint {%s %s %s %s} in flavor %s", taint->key,
                               taint->value, taint->effect, time_dump(taint->time_added, a), name);
        return INELIGIBLE;
    }
    labels = labels_eligible(flavor, pod, a, reason);
    if (labels == INELIGIBLE)
        *reason = arena_format(a, "flavor %s doesn't match node affinity", name);
    return labels;
}

enum eligibility flavor_eligible(const char *name, const struct resource_flavor *flavor,
                                 const struct pod_template *const *pods, size_t pod_count,
                                 const enum topology_match *matches, struct arena *a,
                                 const char **reason)
{
    if (!flavor) {
        *reason = arena_format(a, "flavor %s not found", name);
        return INELIGIBLE;
    }
    for (size_t i = 0; matches && i < pod_count; i++) {
        if (matches[i] == TOPOLOGY_COMPATIBLE)
            continue;
        *reason = arena_format(a, "Flavor \"%s\" %s", name, topology_reason(matches[i]));
        return INELIGIBLE;
    }
    for (size_t i = 0; i < pod_count; i++) {
        enum eligibility answer = pod_eligible(name, flavor, pods[i], a, reason);

        if (answer != ELIGIBLE)
            return answer;
    }
    return ELIGIBLE;
}
