/* Workloads as they are stored: what changed, and what follows from it (3.1, 3.6, 3.10). */
#include <stdlib.h>
#include <string.h>

#include "quota/base/mem.h"
#include "quota/engine/engine_private.h"

struct item *item_find(const struct engine *engine, const char *namespace, const char *name)
{
    return namespaced_find(engine->items, namespace, name);
}

void item_progress_clear(struct item *item)
{
    free(item->progress);
    item->progress = NULL;
}

static void text_replace(struct engine *engine, struct shared_text **held, const char *text)
{
    struct shared_text *old = *held;

    if (strcmp(old ? old->text : "", text) == 0)
        return;
    *held = text_hold(engine, text);
    text_release(engine, old);
}

void item_text_set(struct engine *engine, struct item *item, const char *reason,
                   const char *message)
{
    text_replace(engine, &item->reason, reason);
    text_replace(engine, &item->message, message);
    item->is_bypass_told = false;
}

bool item_is_admissible(const struct engine *engine, const struct item *item)
{
    bool gated = item->extra && item->extra->gated_by && engine->options.gates.admission_gated_by;
    bool refused = item->extra && item->extra->device_refusal;
    bool is_parent = item->is_parent && engine->options.gates.concurrent_admission;

    return item->active && !item->reserved && !item->on_hold && !item->waits_replacement &&
           !gated && !refused && !is_parent;
}

/* ---- life ---- */

static void text_put(char *to, struct str text)
{
    if (text.length > 0) /* an absent one has no address to copy from */
        memcpy(to, text.text, text.length);
}

static struct item *item_make(struct engine *engine, const struct workload *workload)
{
    struct str namespace = str_of(workload->namespace), name = str_of(workload->name);
    struct str uid = str_of(workload->uid);
    size_t name_at = namespace.length + 1, uid_at = name_at + name.length + 1;
    struct item *item = mem_alloc(offsetof(struct item, key) + uid_at + uid.length + 1);

    text_put(item->key, namespace);
    item->key[namespace.length] = '/';
    text_put(item->key + name_at, name);
    text_put(item->key + uid_at, uid);
    item->name_at = (uint32_t)name_at;
    item->uid_at = (uint32_t)uid_at;
    item->namespace = namespace_get(engine, workload->namespace);
    item->heap_place = item->backoff_place = item->second_place = HEAP_ABSENT;
    item->requeue_at = item->second_pass_at = item->evicted_at = TIME_NONE;
    map_put(engine->items, str_of(item->key), item);
    return item;
}

static void extra_free(struct item *item)
{
    if (!item->extra)
        return;
    free(item->extra->gated_by);
    free(item->extra->slice_for);
    free(item->extra->allowed_flavors);
    free(item->extra->job_uid);
    free(item->extra->ready_checks);
    free(item->extra->device_refusal);
    free(item->extra);
    item->extra = NULL;
}

static void queue_leave(struct engine *engine, struct item *item)
{
    struct local_queue_record *queue = item->local_queue;

    if (!queue)
        return;
    if (item->queue_previous)
        item->queue_previous->queue_next = item->queue_next;
    else
        queue->items = item->queue_next;
    if (item->queue_next)
        item->queue_next->queue_previous = item->queue_previous;
    item->queue_next = item->queue_previous = NULL;
    item->local_queue = NULL;
    queue->item_count--;
    local_queue_changed(engine, queue);
    local_queue_release(engine, queue);
}

static void queue_join(struct engine *engine, struct item *item, const char *name)
{
    struct local_queue_record *queue;

    if (!name || !*name)
        return;
    queue = local_queue_get(engine, item->namespace->name, name);
    item->local_queue = queue;
    item->queue_next = queue->items;
    if (queue->items)
        queue->items->queue_previous = item;
    queue->items = item;
    queue->item_count++;
}

static void item_free(struct engine *engine, struct item *item)
{
    item_shapes_drop(engine, item);
    item_text_set(engine, item, "", "");
    item_progress_clear(item);
    extra_free(item);
    free(item);
}

/* The workload is gone, finished or switched off: its tree may have room now (3.10). */
static void item_unpark_others(struct engine *engine, const struct item *item, int64_t now)
{
    struct cluster_queue_record *queue =
        item->reservation ? item->reservation->queue : item_queue(item);

    if (queue)
        tree_unpark(engine, &queue->node, now);
}

static void item_forget(struct engine *engine, struct item *item, int64_t now)
{
    item_unpark_others(engine, item, now);
    fair_penalty_drop(engine, item);
    pending_remove(engine, item);
    heap_remove(&engine->backoffs, item);
    heap_remove(&engine->second_pass, item);
    reservation_unfile(engine, item);
    reservation_drop(engine, item);
    queue_leave(engine, item);
    map_remove(engine->items, str_of(item->key));
    item_free(engine, item);
}

/* ---- reading ---- */

static const struct condition *condition_find(const struct workload *workload, const char *type)
{
    for (size_t i = 0; i < workload->condition_count; i++)
        if (strcmp(workload->conditions[i].type, type) == 0)
            return &workload->conditions[i];
    return NULL;
}

static const struct condition *condition_if_true(const struct workload *workload, const char *type)
{
    const struct condition *condition = condition_find(workload, type);

    return condition && condition->status == CONDITION_TRUE ? condition : NULL;
}

static bool reason_is(const struct condition *condition, const char *reason)
{
    return condition && condition->reason && strcmp(condition->reason, reason) == 0;
}

/* 3.2: the time that a workload queues with. */
static int64_t queue_time(const struct engine *engine, const struct workload *workload)
{
    const struct condition *evicted = condition_if_true(workload, "Evicted");
    const struct condition *preempted = condition_if_true(workload, "Preempted");

    if (!engine->options.requeue_by_creation && reason_is(evicted, "PodsReadyTimeout"))
        return evicted->transition;
    if (reason_is(evicted, "AdmissionCheck"))
        return evicted->transition;
    if (!engine->options.gates.priority_sorting_within_cohort &&
        reason_is(preempted, "InCohortReclaimWhileBorrowing"))
        return preempted->transition + NANOSECONDS_PER_MILLISECOND;
    return workload->created;
}

static void conditions_read(struct item *item, const struct workload *workload)
{
    const struct condition *reserved = condition_find(workload, "QuotaReserved");
    const struct condition *requeued = condition_find(workload, "Requeued");
    const struct condition *evicted = condition_if_true(workload, "Evicted");

    item->reserved = reserved && reserved->status == CONDITION_TRUE;
    item->on_hold =
        reserved && reserved->status == CONDITION_FALSE && reason_is(reserved, "OnHold");
    item->requeued_false = requeued && requeued->status == CONDITION_FALSE;
    item->evicted = evicted != NULL;
    item->evicted_at = evicted ? evicted->transition : TIME_NONE;
    item->backs_off = reason_is(condition_find(workload, "Evicted"), "PodsReadyTimeout") ||
                      reason_is(condition_find(workload, "Evicted"), "AdmissionCheck");
    item->admitted = condition_if_true(workload, "Admitted") != NULL;
    item->pods_ready = condition_if_true(workload, "PodsReady") != NULL;
    item->waits_replacement = condition_if_true(workload, "WaitingForReplacementPods") != NULL;
}

static void checks_read(struct item *item, const struct workload *workload)
{
    item->open_checks = item->failed_checks = false;
    for (size_t i = 0; i < workload->check_count; i++) {
        enum check_state state = workload->checks[i].state;

        item->open_checks |= state != CHECK_READY;
        item->failed_checks |= state == CHECK_RETRY || state == CHECK_REJECTED;
    }
}

static char *text_keep(const char *text)
{
    return text && *text ? mem_dup(text) : NULL;
}

static char *ready_checks(const struct workload *workload)
{
    AUTO_STRBUF struct strbuf out = STRBUF_INIT;

    for (size_t i = 0; i < workload->check_count; i++)
        if (workload->checks[i].state == CHECK_READY)
            strbuf_printf(&out, "%s,", workload->checks[i].name);
    return out.length > 0 ? strbuf_take(&out) : NULL;
}

static void extra_read(struct item *item, const struct workload *workload)
{
    struct item_extra extra = { text_keep(workload->admission_gated_by),
                                text_keep(workload->slice_replacement_for),
                                text_keep(workload->allowed_flavors),
                                text_keep(workload->job_uid),
                                ready_checks(workload),
                                NULL };

    extra_free(item);
    if (!extra.gated_by && !extra.slice_for && !extra.allowed_flavors && !extra.job_uid &&
        !extra.ready_checks)
        return;
    item->extra = mem_alloc(sizeof(*item->extra));
    *item->extra = extra;
}

static void status_text_read(struct engine *engine, struct item *item,
                             const struct workload *workload)
{
    const struct condition *reserved = condition_find(workload, "QuotaReserved");

    if (!reserved || reserved->status == CONDITION_TRUE)
        return;
    item_text_set(engine, item, reserved->reason ? reserved->reason : "",
                  reserved->message ? reserved->message : "");
}

static void item_read(struct engine *engine, struct item *item, const struct workload *workload)
{
    conditions_read(item, workload);
    checks_read(item, workload);
    extra_read(item, workload);
    status_text_read(engine, item, workload);
    item->active = workload->active;
    item->created = workload->created;
    item->queue_time = queue_time(engine, workload);
    item->generation = workload->generation;
    item->requeue_at = workload->requeue_at;
    item->priority = effective_priority(workload, &engine->options.gates);
    item->priority_base = workload->has_priority ? workload->priority : 0;
    item->closed_gate = workload->has_closed_preemption_gate;
    item->is_parent = workload->is_variant_parent;
    item_shapes_set(engine, item, workload);
}

/* ---- what changed ---- */

struct item_before { /* what 3.6 and 3.10 compare with */
    int64_t priority, evicted_at, requeue_at;
    uint64_t equivalence;
    bool is_new, had_reservation, active, requeued_false, closed_gate, in_heap;
    size_t pod_set_count;
    struct pod_set_use *pod_sets; /* in engine->call; shapes are compared, never looked into */
};

static struct item_before item_state(struct engine *engine, const struct item *item, bool is_new)
{
    struct item_before before = { item->priority,
                                  item->evicted_at,
                                  item->requeue_at,
                                  item->equivalence,
                                  is_new,
                                  item->reservation != NULL,
                                  item->active,
                                  item->requeued_false,
                                  item->closed_gate,
                                  item->place == ITEM_HEAP,
                                  item->pod_set_count,
                                  NULL };

    before.pod_sets = ARENA_ARRAY(&engine->call, item->pod_set_count + 1, struct pod_set_use);
    if (item->pod_set_count > 0)
        memcpy(before.pod_sets, item->pod_sets, item->pod_set_count * sizeof(*item->pod_sets));
    return before;
}

static bool pod_sets_changed(const struct item *item, const struct item_before *before)
{
    if (item->pod_set_count != before->pod_set_count)
        return true;
    for (uint32_t i = 0; i < item->pod_set_count; i++)
        if (item->pod_sets[i].shape != before->pod_sets[i].shape ||
            item->pod_sets[i].count != before->pod_sets[i].count ||
            item->pod_sets[i].effective != before->pod_sets[i].effective)
            return true;
    return false;
}

/* 3.6 rule 3: does a parked workload deserve another look? */
static bool deserves_look(const struct item *item, const struct item_before *before)
{
    return item->generation != item->evaluated_generation || before->priority != item->priority ||
           before->evicted_at != item->evicted_at ||
           before->requeued_false != item->requeued_false ||
           before->requeue_at != item->requeue_at || before->closed_gate != item->closed_gate ||
           pod_sets_changed(item, before);
}

static void backoff_plan(struct engine *engine, struct item *item, int64_t now)
{
    heap_remove(&engine->backoffs, item);
    if (item->requeue_at != TIME_NONE && item->requeue_at > now && !item->reservation)
        heap_push(&engine->backoffs, item);
}

static void item_queue_up(struct engine *engine, struct item *item,
                          const struct item_before *before)
{
    if (!item_is_admissible(engine, item) || item->reservation) {
        pending_remove(engine, item);
        return;
    }
    if (before->equivalence != item->equivalence || !engine->options.gates.preserve_scan_progress)
        item_progress_clear(item);
    if (item->place == ITEM_PARKED) {
        if (!deserves_look(item, before))
            return;
        pending_remove_quietly(engine, item);
    }
    if (before->in_heap)
        pending_push_back(engine, item);
    else
        pending_push(engine, item);
}

/* ---- reservations ---- */

static bool holds_quota(const struct item *item, const struct workload *workload)
{
    return item->reserved && item->active && workload->admission.cluster_queue;
}

/* An assumed reservation whose write has not come back yet survives older news of the object. */
static bool assumption_stands(const struct item *item, const struct workload *workload)
{
    const struct condition *reserved = condition_find(workload, "QuotaReserved");

    if (!item->reservation || !item->reservation->is_assumed || !item->active || item->reserved)
        return false;
    return !reserved || reserved->transition <= item->reservation->reserved_at;
}

/* Older news say nothing about what was decided since. */
static void assumption_keep(struct item *item)
{
    item->admitted = item->reservation->is_admitted;
    item->evicted = false;
    item->evicted_at = TIME_NONE;
}

static void reservation_follow(struct engine *engine, struct item *item,
                               const struct workload *workload, int64_t now)
{
    const struct condition *reserved = condition_find(workload, "QuotaReserved");

    if (holds_quota(item, workload)) {
        pending_remove(engine, item);
        reservation_read(engine, item, workload,
                         reserved->transition != TIME_NONE ? reserved->transition : now);
    } else if (assumption_stands(item, workload)) {
        assumption_keep(item);
    } else {
        if (item->reservation)
            tree_unpark(engine, &item->reservation->queue->node, now);
        reservation_drop(engine, item);
    }
    reservation_file(engine, item);
}

static void others_unpark(struct engine *engine, const struct item *item,
                          const struct item_before *before, int64_t now)
{
    bool frees = before->had_reservation &&
                 (pod_sets_changed(item, before) || before->priority != item->priority);
    bool stops = before->active && !item->active && !before->is_new;

    if (frees || stops)
        item_unpark_others(engine, item, now);
}

/* What waits without a ClusterQueue is in no heap, yet its LocalQueue counts it. */
static void local_queue_note(struct engine *engine, const struct item *item)
{
    const struct cluster_queue_record *queue = item_queue(item);

    if (item->local_queue && (!queue || !queue->exists))
        local_queue_changed(engine, item->local_queue);
}

static void item_update(struct engine *engine, struct item *item, const struct workload *workload,
                        bool is_new, int64_t now)
{
    struct item_before before = item_state(engine, item, is_new);
    const char *queue_name = item->local_queue ? item->local_queue->name : "";
    bool moved = strcmp(queue_name, workload->queue_name ? workload->queue_name : "") != 0;

    reservation_unfile(engine, item);
    pending_key_leave(engine, item);
    if (moved) {
        before.in_heap = false;
        fair_penalty_drop(engine, item);
        pending_remove(engine, item);
        queue_leave(engine, item);
        queue_join(engine, item, workload->queue_name);
    }
    item_read(engine, item, workload);
    reservation_follow(engine, item, workload, now);
    others_unpark(engine, item, &before, now);
    backoff_plan(engine, item, now);
    if (item->admitted && item->reservation && !item->reservation->is_assumed)
        fair_settle(engine, item, now);
    else if (!item->active && !item->reservation)
        fair_penalty_drop(engine, item);
    second_pass_follow(engine, item, workload, now);
    item_queue_up(engine, item, &before);
    local_queue_note(engine, item);
}

void engine_workload_hold(struct engine *engine, const char *namespace, const char *name,
                          int64_t until, int64_t now)
{
    struct item *item = item_find(engine, namespace, name);

    engine->now = now;
    if (!item || item->reservation || until <= now ||
        (item->requeue_at != TIME_NONE && item->requeue_at >= until))
        return;
    item->requeue_at = until;
    backoff_plan(engine, item, now);
    if (item->place != ITEM_HEAP)
        return;
    pending_remove_quietly(engine, item);
    pending_push(engine, item);
}

void engine_workload_put(struct engine *engine, const struct workload *workload, int64_t now)
{
    struct item *item = item_find(engine, workload->namespace, workload->name);
    bool finished = condition_if_true(workload, "Finished") != NULL;

    engine->now = now;
    arena_reset(&engine->call);
    if (item && (finished || strcmp(item_uid(item), workload->uid ? workload->uid : "") != 0)) {
        item_forget(engine, item, now);
        item = NULL;
    }
    if (finished)
        return;
    if (item)
        item_update(engine, item, workload, false, now);
    else
        item_update(engine, item_make(engine, workload), workload, true, now);
}

void engine_workload_remove(struct engine *engine, const char *namespace, const char *name,
                            int64_t now)
{
    struct item *item = item_find(engine, namespace, name);

    engine->now = now;
    if (item)
        item_forget(engine, item, now);
}

void items_finish(struct engine *engine)
{
    struct map_entry entry;

    for (size_t at = 0; map_next(engine->items, &at, &entry);) {
        struct item *item = entry.value;

        free(item->reservation);
        item_free(engine, item);
    }
    map_destroy(engine->items);
}
