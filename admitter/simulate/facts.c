#include "admitter/simulate/facts.h"

#include <stdlib.h>

#include "admitter/objects/decode.h"
#include "admitter/objects/names.h"
#include "admitter/simulate/jobs.h"
#include "quota/base/map.h"
#include "quota/base/mem.h"

#define START_DEFAULT (INT64_C(946684800) * NANOSECONDS_PER_SECOND) /* 2000-01-01 */
#define CREATED_BEFORE (INT64_C(3600) * NANOSECONDS_PER_SECOND)

/* What is shared while one input is read. */
struct reading {
    struct simulate_facts *facts;
    const struct loop_settings *settings;
    int64_t default_duration;
    struct map *namespaces; /* given or named */
    struct map *skipped;    /* kinds that were warned about */
    struct map *workloads;  /* "namespace/name" of those read so far */
    size_t index;           /* of the document being read */
    const struct simulate_document *document;
};

/* Append one zeroed item to a FACT_LIST and answer its address. */
#define FACT_ADD(list)                                                                             \
    ((list).items = mem_grow((list).items, (list).count, &(list).capacity, sizeof(*(list).items)), \
     memset(&(list).items[(list).count], 0, sizeof(*(list).items)), &(list).items[(list).count++])

void simulate_facts_finish(struct simulate_facts *facts)
{
    free(facts->flavors.items);
    free(facts->topologies.items);
    free(facts->checks.items);
    free(facts->cohorts.items);
    free(facts->cluster_queues.items);
    free(facts->local_queues.items);
    free(facts->namespaces.items);
    free(facts->limit_ranges.items);
    free(facts->runtime_classes.items);
    free(facts->device_classes.items);
    free(facts->claim_templates.items);
    free(facts->device_slices.items);
    free(facts->workload_priority_classes.items);
    free(facts->priority_classes.items);
    free(facts->workloads.items);
    free(facts->warnings.items);
    arena_finish(&facts->arena);
    *facts = (struct simulate_facts){ 0 };
}

/* ---- the clock's start ---- */

/* Does a JSON string that starts here look like a point in time? */
static bool looks_like_time(const char *text, const char *end)
{
    static const char pattern[] = "dddd-dd-ddTdd:dd:dd";

    if ((size_t)(end - text) < sizeof(pattern))
        return false;
    for (size_t i = 0; i < sizeof(pattern) - 1; i++)
        if (pattern[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != pattern[i])
            return false;
    return true;
}

static int64_t latest_time_in(struct str json, int64_t latest)
{
    const char *at = json.text, *end = at + json.length;

    while ((at = memchr(at, '"', (size_t)(end - at)))) {
        const char *close;
        int64_t time;

        at++;
        if (!looks_like_time(at, end) || !(close = memchr(at, '"', (size_t)(end - at))))
            continue;
        if (time_parse((struct str){ at, (size_t)(close - at) }, &time, NULL) == 0 && time > latest)
            latest = time;
    }
    return latest;
}

/* ---- what the API server fills in ---- */

/* The namespace of an object, which thereby exists. */
static const char *namespace_of(struct reading *r, const struct object_meta *meta)
{
    const char *name = *meta->namespace ? meta->namespace : "default";

    if (!map_get(r->namespaces, str_of(name)))
        map_put(r->namespaces, str_of(name), r);
    return name;
}

static int64_t created_of(const struct reading *r, const struct object_meta *meta)
{
    if (meta->created != TIME_NONE)
        return meta->created;
    return r->facts->start - CREATED_BEFORE + (int64_t)r->index;
}

static const char *uid_of(const struct reading *r, const struct object_meta *meta,
                          const char *namespace)
{
    if (*meta->uid)
        return meta->uid;
    return arena_format(&r->facts->arena, "%s/%s/%s", r->document->kind, namespace, meta->name);
}

static int name_check(const struct object_meta *meta, struct err *e)
{
    if (*meta->name)
        return 0;
    return err_set(e, ERR_INVALID, "metadata.name: expected a name, got nothing");
}

/* ---- kinds ---- */

typedef int read_fn(struct reading *r, struct err *e);

static int metadata_decode(struct str json, struct arena *a, struct object_meta *out,
                           struct object_meta *meta, struct err *e)
{
    (void)meta;
    return object_meta_decode(json, a, out, e);
}

#define DECODE(r, function, target, meta)                                                          \
    (function((r)->document->json, &(r)->facts->arena, (target), (meta), e) < 0 ||                 \
     name_check((meta), e) < 0)

static int read_flavor(struct reading *r, struct err *e)
{
    struct object_meta meta;

    return DECODE(r, resource_flavor_decode, FACT_ADD(r->facts->flavors), &meta) ? -1 : 0;
}

static int read_topology(struct reading *r, struct err *e)
{
    struct object_meta meta;

    return DECODE(r, topology_decode, FACT_ADD(r->facts->topologies), &meta) ? -1 : 0;
}

static int read_check(struct reading *r, struct err *e)
{
    struct object_meta meta;

    return DECODE(r, admission_check_decode, FACT_ADD(r->facts->checks), &meta) ? -1 : 0;
}

static int read_cohort(struct reading *r, struct err *e)
{
    struct object_meta meta;

    return DECODE(r, cohort_decode, FACT_ADD(r->facts->cohorts), &meta) ? -1 : 0;
}

static int read_cluster_queue(struct reading *r, struct err *e)
{
    struct object_meta meta;

    return DECODE(r, cluster_queue_decode, FACT_ADD(r->facts->cluster_queues), &meta) ? -1 : 0;
}

static int read_local_queue(struct reading *r, struct err *e)
{
    struct local_queue *queue = FACT_ADD(r->facts->local_queues);
    struct object_meta meta;

    if (DECODE(r, local_queue_decode, queue, &meta))
        return -1;
    queue->namespace = namespace_of(r, &meta);
    queue->created = created_of(r, &meta);
    return 0;
}

static int read_namespace(struct reading *r, struct err *e)
{
    struct namespace_labels *given = FACT_ADD(r->facts->namespaces);
    struct object_meta meta;
    struct label *all;

    if (DECODE(r, namespace_decode, given, &meta))
        return -1;
    map_put(r->namespaces, str_of(given->name), &r->namespaces); /* given: nothing to complete */
    for (size_t i = 0; i < given->label_count; i++)
        if (strcmp(given->labels[i].key, NAMESPACE_NAME_LABEL) == 0)
            return 0;
    all = ARENA_ARRAY(&r->facts->arena, given->label_count + 1, struct label);
    if (given->label_count)
        memcpy(all, given->labels, given->label_count * sizeof(*all));
    all[given->label_count++] = (struct label){ NAMESPACE_NAME_LABEL, given->name };
    given->labels = all;
    return 0;
}

static int read_limit_range(struct reading *r, struct err *e)
{
    struct limit_range *range = FACT_ADD(r->facts->limit_ranges);
    struct object_meta meta;

    if (DECODE(r, limit_range_decode, range, &meta))
        return -1;
    range->namespace = namespace_of(r, &meta);
    return 0;
}

static int read_runtime_class(struct reading *r, struct err *e)
{
    struct object_meta meta;

    return DECODE(r, runtime_class_decode, FACT_ADD(r->facts->runtime_classes), &meta) ? -1 : 0;
}

static int read_device_class(struct reading *r, struct err *e)
{
    struct device_class *class_ = FACT_ADD(r->facts->device_classes);
    struct object_meta meta;

    if (DECODE(r, device_class_decode, class_, &meta))
        return -1;
    class_->created = created_of(r, &meta);
    return 0;
}

static int read_claim_template(struct reading *r, struct err *e)
{
    struct claim_template *claim_template = FACT_ADD(r->facts->claim_templates);
    struct object_meta meta;

    if (DECODE(r, claim_template_decode, claim_template, &meta))
        return -1;
    claim_template->namespace = namespace_of(r, &meta);
    return 0;
}

static int read_device_slice(struct reading *r, struct err *e)
{
    struct object_meta meta;

    return DECODE(r, device_slice_decode, FACT_ADD(r->facts->device_slices), &meta) ? -1 : 0;
}

static int read_workload_priority_class(struct reading *r, struct err *e)
{
    struct object_meta meta;

    return DECODE(r, workload_priority_class_decode, FACT_ADD(r->facts->workload_priority_classes),
                  &meta)
               ? -1
               : 0;
}

static int read_priority_class(struct reading *r, struct err *e)
{
    struct object_meta meta;

    return DECODE(r, priority_class_decode, FACT_ADD(r->facts->priority_classes), &meta) ? -1 : 0;
}

/* Kinds that decide nothing yet are still checked for being well formed. */
static int read_metadata(struct reading *r, struct err *e)
{
    struct object_meta meta;

    return DECODE(r, metadata_decode, &meta, &meta) ? -1 : 0;
}

/* ---- workloads ---- */

static int duration_of(struct reading *r, const struct object_meta *meta, int64_t *duration,
                       struct err *e)
{
    const char *text = object_meta_annotation(meta, ANNOTATION_SIMULATED_DURATION);

    *duration = r->default_duration;
    if (!text)
        return 0;
    if (duration_parse(str_of(text), duration, e) < 0 || *duration < 0)
        return err_set(e, ERR_INVALID,
                       "metadata.annotations[%s]: expected a duration like \"90s\", got \"%s\"",
                       ANNOTATION_SIMULATED_DURATION, text);
    return 0;
}

/* The newest workload is complete. One of the same name that came before is replaced by it. */
static void workload_settle(struct reading *r)
{
    struct simulate_facts *facts = r->facts;
    size_t last = facts->workloads.count - 1;
    const struct workload *workload = &facts->workloads.items[last].workload;
    const char *key = arena_format(&facts->arena, "%s/%s", workload->namespace, workload->name);
    uintptr_t place = (uintptr_t)map_get(r->workloads, str_of(key));

    if (!place) {
        map_put(r->workloads, str_of(key), (void *)(uintptr_t)(last + 1));
        return;
    }
    facts->workloads.items[place - 1] = facts->workloads.items[last];
    facts->workloads.count--;
    *FACT_ADD(facts->warnings) =
        arena_format(&facts->arena, "%s: document %u: Workload %s is given again, this one counts",
                     r->document->file, r->document->number, key);
}

static int read_workload(struct reading *r, struct err *e)
{
    struct simulate_workload_fact *fact = FACT_ADD(r->facts->workloads);
    struct object_meta meta;

    if (DECODE(r, workload_decode, &fact->workload, &meta))
        return -1;
    fact->workload.namespace = namespace_of(r, &meta);
    fact->workload.uid = uid_of(r, &meta, fact->workload.namespace);
    fact->workload.created = created_of(r, &meta);
    if (duration_of(r, &meta, &fact->duration, e) < 0)
        return -1;
    workload_settle(r);
    return 0;
}

static int read_job(struct reading *r, struct err *e)
{
    struct simulate_facts *facts = r->facts;
    struct simulate_classes classes = {
        facts->workload_priority_classes.items,
        facts->priority_classes.items,
        facts->workload_priority_classes.count,
        facts->priority_classes.count,
    };
    struct simulate_workload_fact *fact;
    struct object_meta meta;
    struct simulate_job given;
    const char *namespace;
    struct str json;

    if (DECODE(r, metadata_decode, &meta, &meta))
        return -1;
    namespace = namespace_of(r, &meta);
    given = (struct simulate_job){ r->document, namespace, uid_of(r, &meta, namespace),
                                   created_of(r, &meta) };
    if (simulate_job_workload(&given, r->settings, &classes, &facts->arena, &json, e) < 0)
        return -1;
    if (json.length == 0)
        return 0;
    fact = FACT_ADD(facts->workloads);
    if (workload_decode(json, &facts->arena, &fact->workload, NULL, e) < 0)
        return -1;
    fact->workload.created = created_of(r, &meta);
    fact->workload.uid =
        arena_format(&facts->arena, "Workload/%s/%s", namespace, fact->workload.name);
    if (duration_of(r, &meta, &fact->duration, e) < 0)
        return -1;
    workload_settle(r);
    return 0;
}

static const struct reader {
    const char *group, *kind;
    unsigned pass; /* priority classes come before the jobs that name them */
    read_fn *read;
} readers[] = {
    { KUEUE_GROUP, "ResourceFlavor", 0, read_flavor },
    { KUEUE_GROUP, "Topology", 0, read_topology },
    { KUEUE_GROUP, "AdmissionCheck", 0, read_check },
    { KUEUE_GROUP, "Cohort", 0, read_cohort },
    { KUEUE_GROUP, "ClusterQueue", 0, read_cluster_queue },
    { KUEUE_GROUP, "LocalQueue", 0, read_local_queue },
    { KUEUE_GROUP, "Workload", 1, read_workload },
    { KUEUE_GROUP, PRIORITY_KIND_WORKLOAD, 0, read_workload_priority_class },
    { KUEUE_GROUP, "ProvisioningRequestConfig", 0, read_metadata },
    { KUEUE_GROUP, "MultiKueueConfig", 0, read_metadata },
    { KUEUE_GROUP, "MultiKueueCluster", 0, read_metadata },
    { "", "Namespace", 0, read_namespace },
    { "", "LimitRange", 0, read_limit_range },
    { "", "Node", 0, read_metadata },
    { "", "Pod", 0, read_metadata },
    { "node.k8s.io", "RuntimeClass", 0, read_runtime_class },
    { "resource.k8s.io", "DeviceClass", 0, read_device_class },
    { "resource.k8s.io", "ResourceClaimTemplate", 0, read_claim_template },
    { "resource.k8s.io", "ResourceSlice", 0, read_device_slice },
    { PRIORITY_GROUP_POD, PRIORITY_KIND_POD, 0, read_priority_class },
};

/* "group/version" or "version" of the core group. Of our own kinds two versions are known. */
static bool type_matches(const char *api_version, const char *group)
{
    struct str given, version;

    if (!str_cut(str_of(api_version), '/', &given, &version))
        return !*group;
    return str_is(given, group) && (strcmp(group, KUEUE_GROUP) != 0 || str_is(version, "v1beta1") ||
                                    str_is(version, "v1beta2"));
}

static const struct reader *reader_of(const struct simulate_document *document)
{
    static const struct reader job = { NULL, NULL, 1, read_job };

    for (size_t i = 0; i < ARRAY_COUNT(readers); i++)
        if (strcmp(document->kind, readers[i].kind) == 0 &&
            type_matches(document->api_version, readers[i].group))
            return &readers[i];
    return simulate_job_is_known(document) ? &job : NULL;
}

/* Of the objects that are read; TIME_NONE when they name no time. */
static int64_t latest_time(const struct simulate_documents *documents)
{
    int64_t latest = TIME_NONE;

    for (size_t i = 0; i < documents->count; i++)
        if (reader_of(&documents->items[i]))
            latest = latest_time_in(documents->items[i].json, latest);
    return latest;
}

static int warn_skipped(struct reading *r, struct err *e)
{
    const char *type =
        arena_format(&r->facts->arena, "%s %s", r->document->api_version, r->document->kind);

    if (!*r->document->api_version)
        return err_set(e, ERR_INVALID, "apiVersion: expected a group and version, got nothing");
    if (map_get(r->skipped, str_of(type)))
        return 0;
    map_put(r->skipped, str_of(type), r);
    *FACT_ADD(r->facts->warnings) =
        arena_format(&r->facts->arena, "%s: document %u: objects of %s are skipped",
                     r->document->file, r->document->number, type);
    return 0;
}

static int read_pass(struct reading *r, const struct simulate_documents *documents, unsigned pass,
                     struct err *e)
{
    for (r->index = 0; r->index < documents->count; r->index++) {
        const struct reader *reader;

        r->document = &documents->items[r->index];
        reader = reader_of(r->document);
        if (!reader && pass == 0 && warn_skipped(r, e) < 0)
            return simulate_document_error(r->document, e);
        if (reader && reader->pass == pass && reader->read(r, e) < 0)
            return simulate_document_error(r->document, e);
    }
    return 0;
}

/* A namespace that is named but not given exists, with its name as its only label. */
static void namespaces_complete(struct reading *r)
{
    struct map_entry *names = map_sorted(r->namespaces);

    for (size_t i = 0; i < map_count(r->namespaces); i++) {
        struct namespace_labels *implied;

        if (names[i].value != r)
            continue;
        implied = FACT_ADD(r->facts->namespaces);
        implied->name = arena_dup(&r->facts->arena, names[i].key);
        implied->labels = ARENA_NEW(&r->facts->arena, struct label);
        implied->labels[0] = (struct label){ NAMESPACE_NAME_LABEL, implied->name };
        implied->label_count = 1;
    }
    free(names);
}

int simulate_facts_read(struct simulate_facts *facts, const struct simulate_documents *documents,
                        const struct loop_settings *settings, int64_t start,
                        int64_t default_duration, struct err *e)
{
    struct reading r = { .facts = facts,
                         .settings = settings,
                         .default_duration = default_duration,
                         .namespaces = map_create(),
                         .skipped = map_create(),
                         .workloads = map_create() };
    int result;

    facts->start = start != TIME_NONE ? start : latest_time(documents);
    if (facts->start == TIME_NONE)
        facts->start = START_DEFAULT;
    result = read_pass(&r, documents, 0, e);
    if (result == 0)
        result = read_pass(&r, documents, 1, e);
    if (result == 0)
        namespaces_complete(&r);
    map_destroy(r.namespaces);
    map_destroy(r.skipped);
    map_destroy(r.workloads);
    return result;
}
