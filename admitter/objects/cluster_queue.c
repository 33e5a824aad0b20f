#include "admitter/objects/decode.h"
#include "admitter/objects/objects_private.h"

/* Decoding of ClusterQueue. v1beta1 differs in the name of the cohort, in the plain list of checks
 * and in two words of flavorFungibility: spec/api.md 2.2. */

static void groups_read(struct decoder *d, void *target)
{
    struct cluster_queue *queue = target;

    queue->groups = resource_groups_read(d, &queue->group_count);
}

static void strategy_read(struct decoder *d, void *target)
{
    static const char *const names[] = { "BestEffortFIFO", "StrictFIFO", NULL };
    int choice = decode_choice(d, names, QUEUE_BEST_EFFORT_FIFO);

    if (choice >= 0)
        *(enum queueing_strategy *)target = (enum queueing_strategy)choice;
}

static void stop_read(struct decoder *d, void *target)
{
    int choice = stop_policy_read(d);

    if (choice >= 0)
        *(enum stop_policy *)target = (enum stop_policy)choice;
}

/* ---- preemption ---- */

static void policy_read(struct decoder *d, void *target)
{
    static const char *const names[] = { "Never", "LowerPriority", "LowerOrNewerEqualPriority",
                                         "Any", NULL };
    int choice = decode_choice(d, names, PREEMPT_NEVER);

    if (choice >= 0)
        *(enum preemption_policy *)target = (enum preemption_policy)choice;
}

static void threshold_read(struct decoder *d, void *target)
{
    struct cluster_queue *queue = target;

    if (decode_absent(d))
        return;
    queue->has_borrow_threshold = true;
    decode_int32(d, &queue->borrow_threshold);
}

static void borrow_within_cohort_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("policy", policy_read, struct cluster_queue, borrow_within_cohort),
        DECODE_WHOLE("maxPriorityThreshold", threshold_read),
        DECODE_END,
    };

    decode_record(d, fields, target);
}

static void preemption_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("withinClusterQueue", policy_read, struct cluster_queue, within_cluster_queue),
        DECODE_FIELD("reclaimWithinCohort", policy_read, struct cluster_queue,
                     reclaim_within_cohort),
        DECODE_WHOLE("borrowWithinCohort", borrow_within_cohort_read),
        DECODE_END,
    };

    decode_record(d, fields, target);
}

/* ---- flavor fungibility ---- */

static void fungibility_choice(struct decoder *d, enum fungibility_policy *target,
                               const char *old_word)
{
    const char *names[] = { "MayStopSearch", "TryNextFlavor", d->v1beta1 ? old_word : NULL, NULL };
    int choice = decode_choice(d, names, (int)*target);

    if (choice >= 0)
        *target = choice == FUNGIBILITY_TRY_NEXT_FLAVOR ? FUNGIBILITY_TRY_NEXT_FLAVOR
                                                        : FUNGIBILITY_MAY_STOP_SEARCH;
}

static void borrow_fungibility_read(struct decoder *d, void *target)
{
    fungibility_choice(d, target, "Borrow");
}

static void preempt_fungibility_read(struct decoder *d, void *target)
{
    fungibility_choice(d, target, "Preempt");
}

static void preference_read(struct decoder *d, void *target)
{
    static const char *const names[] = { "BorrowingOverPreemption", "PreemptionOverBorrowing",
                                         NULL };
    int choice = decode_choice(d, names, -1);

    if (!d->failed)
        *(enum fungibility_preference *)target = (enum fungibility_preference)(choice + 1);
}

static void fungibility_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("whenCanBorrow", borrow_fungibility_read, struct cluster_queue,
                     when_can_borrow),
        DECODE_FIELD("whenCanPreempt", preempt_fungibility_read, struct cluster_queue,
                     when_can_preempt),
        DECODE_FIELD("preference", preference_read, struct cluster_queue, preference),
        DECODE_END,
    };

    decode_record(d, fields, target);
}

/* ---- admission checks ---- */

struct check_list {
    struct admission_check_rule *rules;
    size_t count;
};

static void on_flavors_read(struct decoder *d, void *target)
{
    struct admission_check_rule *rule = target;

    rule->on_flavors = decode_texts(d, &rule->on_flavor_count);
}

static void rule_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("name", decode_text, struct admission_check_rule, name),
        DECODE_WHOLE("onFlavors", on_flavors_read),
        DECODE_END,
    };
    struct admission_check_rule *rule = target;

    decode_record(d, fields, rule);
    if (!rule->name)
        decode_problem(d, ".name", "Required value");
}

static void rules_read(struct decoder *d, void *target)
{
    struct check_list *list = target;

    list->rules = decode_list(d, sizeof(struct admission_check_rule), rule_read, &list->count);
}

static void checks_strategy_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_WHOLE("admissionChecks", rules_read),
        DECODE_END,
    };

    decode_record(d, fields, target);
}

/* v1beta1: names only, for all flavors. */
static void check_names_read(struct decoder *d, void *target)
{
    struct check_list *list = target;
    const char **names = decode_texts(d, &list->count);

    list->rules = ARENA_ARRAY(d->arena, list->count + 1, struct admission_check_rule);
    for (size_t i = 0; i < list->count; i++)
        list->rules[i].name = names[i];
}

/* ---- the whole ---- */

struct document {
    struct object_meta meta;
    struct cluster_queue queue;
    struct weight weight;
    struct check_list checks, check_names;
};

static void admission_mode_read(struct decoder *d, void *target)
{
    const char *mode = NULL;

    decode_text(d, &mode);
    *(bool *)target = mode && strcmp(mode, "UsageBasedAdmissionFairSharing") == 0;
}

static void admission_scope_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("admissionMode", admission_mode_read, struct cluster_queue,
                     usage_based_admission),
        DECODE_END,
    };

    decode_record(d, fields, target);
}

#define QUEUE_FIELD(key, read, member)                                                             \
    {                                                                                              \
        key, read, offsetof(struct document, queue.member), DECODE_ALWAYS                          \
    }
#define QUEUE_WHOLE(key, read) DECODE_FIELD(key, read, struct document, queue)

static void spec_read(struct decoder *d, void *target)
{
    static const struct decode_field fields[] = {
        { "cohort", decode_text, offsetof(struct document, queue.cohort), DECODE_V1BETA1 },
        { "cohortName", decode_text, offsetof(struct document, queue.cohort), DECODE_V1BETA2 },
        { "admissionChecks", check_names_read, offsetof(struct document, check_names),
          DECODE_V1BETA1 },
        DECODE_FIELD("admissionChecksStrategy", checks_strategy_read, struct document, checks),
        QUEUE_WHOLE("resourceGroups", groups_read),
        QUEUE_FIELD("queueingStrategy", strategy_read, strategy),
        QUEUE_FIELD("namespaceSelector", selector_read, namespace_selector),
        QUEUE_FIELD("stopPolicy", stop_read, stop_policy),
        QUEUE_WHOLE("preemption", preemption_read),
        QUEUE_WHOLE("flavorFungibility", fungibility_read),
        DECODE_FIELD("fairSharing", weight_read, struct document, weight),
        QUEUE_WHOLE("admissionScope", admission_scope_read),
        { "concurrentAdmissionPolicy", decode_canonical,
          offsetof(struct document, queue.concurrent_admission), DECODE_V1BETA2 },
        DECODE_END,
    };

    decode_record(d, fields, target);
}

static void finish(struct document *document)
{
    struct cluster_queue *queue = &document->queue;
    const struct check_list *checks =
        document->check_names.count ? &document->check_names : &document->checks;

    queue->name = document->meta.name;
    queue->generation = document->meta.generation;
    queue->deleting = document->meta.deleted != TIME_NONE;
    queue->has_weight = document->weight.present;
    queue->weight =
        document->weight.present ? document->weight.value : quantity_of(1, QUANTITY_DECIMAL);
    queue->checks = checks->rules;
    queue->check_count = checks->count;
}

int cluster_queue_decode(struct str json, struct arena *a, struct cluster_queue *out,
                         struct object_meta *meta, struct err *e)
{
    static const struct decode_field fields[] = {
        DECODE_FIELD("metadata", object_meta_read, struct document, meta),
        DECODE_WHOLE("spec", spec_read),
        DECODE_END,
    };
    struct document document = {
        .queue = { .cohort = "", .when_can_preempt = FUNGIBILITY_TRY_NEXT_FLAVOR },
    };

    if (document_decode(json, a, fields, &document.meta, meta, e) < 0)
        return -1;
    finish(&document);
    *out = document.queue;
    return 0;
}
