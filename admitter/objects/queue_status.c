#include "admitter/objects/queue_status.h"

#include <stdlib.h>
#include <string.h>
#include "admitter/objects/condition.h"
#include "quota/base/mem.h"

#define LISTED_FLAVORS 64 /* the schema takes no more, and the rest has to get through */

/* ---- usage per flavor ---- */

/* Rows of flavors that the queue does not name any more are not shown. */
static size_t shown_rows(const struct queue_status *status)
{
    return status->usage_count - status->removed_count;
}

static int by_resource(const void *a, const void *b)
{
    const struct flavor_resource_usage *left = a, *right = b;

    return strcmp(left->resource, right->resource);
}

static json_t *amount_text(const char *resource, int64_t amount)
{
    char text[QUANTITY_TEXT];

    return json_string(amount_print(str_of(resource), amount, true, text));
}

static json_t *resource_row(const struct flavor_resource_usage *usage, bool admitted, bool borrows,
                            bool with_borrowed)
{
    int64_t total = admitted ? usage->admitted : usage->total;
    int64_t borrowed = admitted ? usage->admitted_borrowed : usage->borrowed;
    json_t *row = json_pack("{s:s, s:o}", "name", usage->resource, "total",
                            amount_text(usage->resource, total));

    if (with_borrowed)
        json_object_set_new(row, "borrowed", amount_text(usage->resource, borrows ? borrowed : 0));
    return row;
}

struct usage_form {
    bool admitted;      /* of admitted workloads, else of all that hold a reservation */
    bool with_borrowed; /* ClusterQueue only */
    bool borrows;
};

/* The rows of the flavor that 'first' belongs to, sorted by resource. */
static json_t *flavor_row(const struct queue_status *status, size_t first, struct usage_form form)
{
    AUTO_FREE struct flavor_resource_usage *rows = mem_array(shown_rows(status) + 1, sizeof(*rows));
    const char *flavor = status->usage[first].flavor;
    json_t *resources = json_array();
    size_t count = 0;

    for (size_t i = first; i < shown_rows(status); i++)
        if (strcmp(status->usage[i].flavor, flavor) == 0)
            rows[count++] = status->usage[i];
    qsort(rows, count, sizeof(*rows), by_resource);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(
            resources, resource_row(&rows[i], form.admitted, form.borrows, form.with_borrowed));
    return json_pack("{s:s, s:o}", "name", flavor, "resources", resources);
}

static bool flavor_was_listed(const struct queue_status *status, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (strcmp(status->usage[i].flavor, status->usage[at].flavor) == 0)
            return true;
    return false;
}

static json_t *usage_list(const struct queue_status *status, struct usage_form form)
{
    json_t *list = json_array();

    for (size_t i = 0; i < shown_rows(status) && json_array_size(list) < LISTED_FLAVORS; i++)
        if (!flavor_was_listed(status, i))
            json_array_append_new(list, flavor_row(status, i, form));
    return list;
}

/* ---- parts ---- */

static json_t *status_copy(const json_t *old_status)
{
    return json_is_object(old_status) ? json_deep_copy(old_status) : json_object();
}

/* int32 in the API. */
static void put_counter(json_t *out, const char *key, int64_t value)
{
    json_object_set_new(out, key, json_integer(value > INT32_MAX ? INT32_MAX : value));
}

static void put_counters(json_t *out, const struct queue_status *status)
{
    put_counter(out, "pendingWorkloads", status->pending);
    put_counter(out, "reservingWorkloads", status->reserving);
    put_counter(out, "admittedWorkloads", status->admitted);
}

static void put_weighted_share(json_t *out, const struct queue_status *status)
{
    if (!status->has_weighted_share) {
        json_object_del(out, "fairSharing");
        return;
    }
    json_object_set_new(out, "fairSharing",
                        json_pack("{s:I}", "weightedShare", (json_int_t)status->weighted_share));
}

/* ---- ClusterQueue ---- */

json_t *cluster_queue_status_build(const json_t *old_status, const struct queue_status *status,
                                   bool has_cohort, int64_t generation, int64_t now)
{
    const struct usage_form reserving = { false, true, has_cohort };
    const struct usage_form admitted = { true, true, has_cohort };
    json_t *out = status_copy(old_status);

    status_condition_put(
        out,
        &(struct condition_change){ "Active", status->activity.active ? "True" : "False",
                                    status->activity.reason, status->activity.message, generation },
        now);
    put_counters(out, status);
    json_object_set_new(out, "flavorsReservation", usage_list(status, reserving));
    json_object_set_new(out, "flavorsUsage", usage_list(status, admitted));
    put_weighted_share(out, status);
    return out;
}

/* ---- LocalQueue ---- */

struct activity_text {
    const char *status, *reason, *message;
};

static struct activity_text local_queue_activity(const struct local_queue_facts *facts)
{
    const char *refused = "Can't submit new workloads to clusterQueue";

    if (facts->stopped)
        return (struct activity_text){ "False", "Stopped", "LocalQueue is stopped" };
    if (!facts->cluster_queue_exists)
        return (struct activity_text){ "False", "ClusterQueueDoesNotExist", refused };
    if (!facts->cluster_queue_active)
        return (struct activity_text){ "False", "ClusterQueueIsInactive", refused };
    return (struct activity_text){ "True", "Ready", "Can submit new workloads to localQueue" };
}

bool local_queue_is_active(const struct local_queue_facts *facts)
{
    return strcmp(local_queue_activity(facts).status, "True") == 0;
}

static json_t *consumption(const struct local_queue_facts *facts)
{
    json_t *consumed = json_object();
    char text[QUANTITY_TEXT], time[TIME_TEXT];

    for (size_t i = 0; i < facts->consumed.count; i++)
        json_object_set_new(consumed, facts->consumed.items[i].name,
                            json_string(quantity_print(facts->consumed.items[i].quantity, text)));
    return json_pack("{s:i, s:{s:o, s:s}}", "weightedShare", 0, "admissionFairSharingStatus",
                     "consumedResources", consumed, "lastUpdate",
                     time_print(facts->consumed_updated, time));
}

static void put_fair_sharing(json_t *out, const struct local_queue_facts *facts)
{
    if (facts->has_fair_sharing)
        json_object_set_new(out, "fairSharing", consumption(facts));
    else
        json_object_del(out, "fairSharing");
}

json_t *local_queue_status_build(const json_t *old_status, const struct queue_status *status,
                                 const struct local_queue_facts *facts, int64_t generation,
                                 int64_t now)
{
    const struct usage_form reserving = { false, false, false }, admitted = { true, false, false };
    const struct queue_status nothing = { .pending = 0 };
    const struct activity_text activity = local_queue_activity(facts);
    const struct queue_status *shown = status ? status : &nothing;
    const struct queue_status *usage = facts->cluster_queue_exists ? shown : &nothing;
    json_t *out = status_copy(old_status);

    status_condition_put(out,
                         &(struct condition_change){ "Active", activity.status, activity.reason,
                                                     activity.message, generation },
                         now);
    put_counters(out, shown);
    if (facts->stopped)
        put_counter(out, "pendingWorkloads", 0);
    json_object_set_new(out, "flavorsReservation", usage_list(usage, reserving));
    json_object_set_new(out, "flavorsUsage", usage_list(usage, admitted));
    put_fair_sharing(out, facts);
    return out;
}

/* ---- Cohort ---- */

json_t *cohort_status_build(const json_t *old_status, const struct queue_status *status)
{
    json_t *out = status_copy(old_status);

    put_weighted_share(out, status);
    return out;
}

/* ---- differences ---- */

static bool is_empty(const json_t *value)
{
    return !value || json_is_null(value) ||
           (json_is_integer(value) && json_integer_value(value) == 0) ||
           (json_is_array(value) && json_array_size(value) == 0) ||
           (json_is_object(value) && json_object_size(value) == 0);
}

/* Members of 'a' that 'b' lacks or has otherwise. */
static bool has_more(const json_t *a, const json_t *b)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)a, key, value) {
        json_t *other = json_object_get(b, key);

        if (!json_equal(value, other) && !(is_empty(value) && is_empty(other)))
            return true;
    }
    return false;
}

bool status_differs(const json_t *old_status, const json_t *new_status)
{
    return has_more(old_status, new_status) || has_more(new_status, old_status);
}
