/* The answers to writes of Workloads: what failed is held back, told to people, or made certain. */
#include <string.h>
#include "admitter/objects/json_read.h"
#include "admitter/objects/condition.h"
#include "admitter/loop/elastic.h"
#include "admitter/loop/intents.h"
#include "admitter/loop/report.h"
#include "admitter/loop/workload_writes.h"
#include "admitter/loop/writes.h"
#include "admitter/objects/names.h"
#include "quota/base/log.h"
#include "quota/base/mem.h"

/* A refusal that will not change by itself is told to people once. */
static void complain(struct loop *loop, const struct workload_record *record,
                     const struct write_op *op)
{
    struct kube_note note = { .api_version = KUEUE_V1BETA2,
                              .kind = "Workload",
                              .namespace = record->namespace,
                              .name = record->name,
                              .uid = record->uid,
                              .warning = true,
                              .reason = "UpdateRefused",
                              .note = op->error.text,
                              .controller = "kueue-workload-controller" };

    kube_recorder_post(loop->parts.recorder, &note);
}

static bool is_refusal(const struct write_op *op)
{
    return op->error.code == ERR_INVALID || op->error.code == ERR_FORBIDDEN;
}

static void write_failed(struct loop *loop, struct workload_record *record, struct write_op *op)
{
    metrics_write_failed("Workload", err_name(op->error.code));
    if (op->error.code == ERR_CONFLICT) { /* somebody was faster: decide again on what is there */
        fetch_object(loop, EVENT_WORKLOAD, 0, record->namespace, record->name, record->uid);
        return;
    }
    record->failures++;
    if (is_refusal(op)) {
        LOG(LOG_ERROR, "the API server refused a change of a workload", KS("workload", record->key),
            KS("error", op->error.text));
        if (record->failures == 1)
            complain(loop, record, op);
    } else {
        LOG(LOG_WARN, "a change of a workload failed", KS("workload", record->key),
            KS("error", op->error.text));
    }
    if (op->error.code == ERR_NOT_FOUND || op->outcome_unknown)
        fetch_object(loop, EVENT_WORKLOAD, 0, record->namespace, record->name, record->uid);
    look_at(loop, &record->look, loop_now() + retry_delay(record->failures));
}

/* A reservation or an eviction that the server refuses is not tried again at once. */
static void hold_back(struct loop *loop, struct workload_record *record, struct write_op *op)
{
    record->not_before = loop_now() + retry_delay(++record->refused);
    if (is_refusal(op) && record->refused == 1)
        complain(loop, record, op);
}

/* Why it waits now, in its condition. */
static void owe_refusal(struct loop *loop, struct workload_record *record,
                        const struct write_op *op)
{
    AUTO_FREE char *message =
        mem_format("The API server refuses the reservation: %s", op->error.text);

    json_decref(record->owed);
    record->owed =
        json_pack("{s:s, s:s, s:b}", "reason",
                  loop->settings->unadmitted_observability ? "PendingEvaluation" : "Pending",
                  "message", message, "quiet", 1);
}

#define FENCE_MESSAGE                                                                              \
    "The reservation was not confirmed by the API server; it is decided again (version %lld)"

/* Nobody knows whether the reservation arrived, or still will. A guarded write of something else
 * settles it: when it passes, the version that the reservation was made for is gone for good. */
static void fence_send(struct loop *loop, struct workload_record *record)
{
    json_t *before = workload_tree(record), *after = json_deep_copy(before);
    AUTO_FREE char *message = mem_format(FENCE_MESSAGE, (long long)record->resource_version);
    struct write_op *op;

    condition_put(after,
                  &(struct condition_change){
                      "QuotaReserved", "False",
                      loop->settings->unadmitted_observability ? "PendingEvaluation" : "Pending",
                      message, record->generation },
                  loop_now());
    op = workload_status_op(loop, record, WRITE_FENCE, before, after);
    json_decref(before);
    json_decref(after);
    if (op)
        write_op_send(op);
    else
        fetch_object(loop, EVENT_WORKLOAD, 0, record->namespace, record->name, record->uid);
}

void workload_recover(struct loop *loop, struct workload_record *record, uint64_t intent)
{
    record->intent = intent;
    record->is_writing = record->is_admitting = record->is_resolving = true;
    record->is_recovering = true;
    loop->recovering++;
    loop->admissions++;
    fence_send(loop, record);
}

static void fence_done(struct loop *loop, struct workload_record *record, struct write_op *op)
{
    if (!record->is_resolving)
        return;
    if (op->error.code != ERR_NONE) { /* a conflict: the reservation or somebody else was there */
        if (op->outcome_unknown || op->error.code == ERR_BUSY || op->error.code == ERR_IO)
            look_at(loop, &record->look, loop_now() + retry_delay(++record->failures));
        else
            fetch_object(loop, EVENT_WORKLOAD, 0, record->namespace, record->name, record->uid);
        return;
    }
    workload_replace(loop, record, op->tree, op->resource_version);
    workload_settled(loop, record);
    workload_unreserved(loop, record, false);
    intent_resolved(loop, record, false);
    mark_workload(loop, record);
    mark_owner(loop, record);
    workload_unstash(loop, record);
}

static void reservation_failed(struct loop *loop, struct workload_record *record,
                               struct write_op *op)
{
    metrics_write_failed("Workload", err_name(op->error.code));
    if (op->error.code != ERR_CONFLICT)
        hold_back(loop, record, op);
    if (is_refusal(op))
        owe_refusal(loop, record, op);
    if (op->error.code == ERR_NOT_FOUND) {
        loop->admissions--;
        record->is_admitting = record->is_writing = false;
        workload_unreserved(loop, record, true);
        intent_resolved(loop, record, false);
        mark_owner(loop, record);
        fetch_object(loop, EVENT_WORKLOAD, 0, record->namespace, record->name, record->uid);
        workload_unstash(loop, record);
        return;
    }
    LOG(LOG_WARN, "a reservation was not written, reading the workload again",
        KS("workload", record->key), KS("error", op->error.text));
    record->is_resolving = true;
    if (op->outcome_unknown)
        fence_send(loop, record);
    else
        fetch_object(loop, EVENT_WORKLOAD, 0, record->namespace, record->name, record->uid);
}

static void reservation_done(struct loop *loop, struct workload_record *record, struct write_op *op)
{
    loop->admissions--;
    record->refused = 0;
    record->is_admitting = record->is_writing = false;
    report_write(loop, record, op);
    workload_replace(loop, record, op->tree, op->resource_version);
    intent_resolved(loop, record, true);
    post_notes(op);
    slice_finish_replaced(loop, record); /* before its job would do so in other words */
    mark_workload(loop, record);
    mark_owner(loop, record);
    workload_unstash(loop, record);
}

/* What was written is so from now on; the engine hears the rest of it from the watch. */
static void take_answer(struct loop *loop, struct workload_record *record,
                        const struct write_op *op)
{
    workload_replace(loop, record, op->tree, op->resource_version);
    if (condition_is(op->tree, "QuotaReserved", "False"))
        engine_workload_told(loop->engine, record->namespace, record->name,
                             condition_reason(op->tree, "QuotaReserved"),
                             condition_message(op->tree, "QuotaReserved"));
}

void workload_write_done(struct loop *loop, struct write_op *op)
{
    struct workload_record *record = map_get(loop->workloads, str_of(op->key));

    if (!record || strcmp(record->uid, op->uid) != 0) {
        if (op->error.code == ERR_NONE) /* the watch was faster than the answer to a deletion */
            post_notes(op);
        return;
    }
    if (op->purpose == WRITE_FENCE) {
        fence_done(loop, record, op);
        return;
    }
    if (op->purpose == WRITE_RESERVATION) {
        if (op->error.code == ERR_NONE)
            reservation_done(loop, record, op);
        else
            reservation_failed(loop, record, op);
        return;
    }
    record->is_writing = false;
    if (op->error.code != ERR_NONE) {
        if (op->purpose == WRITE_PREEMPTION) {
            if (op->error.code != ERR_CONFLICT)
                hold_back(loop, record, op);
            engine_eviction_failed(loop->engine, record->namespace, record->name,
                                   op->error.code != ERR_CONFLICT, loop_now());
        }
        write_failed(loop, record, op);
        return;
    }
    record->failures = 0;
    record->refused = 0;
    workload_said(record, op);
    look_at(loop, &record->look, TIME_NONE);
    if (!op->tree && op->resource_version > record->resource_version) {
        record->awaited_version = op->resource_version;
        record->awaited_until = loop_now() + AWAIT_AT_MOST;
    }
    report_write(loop, record, op);
    /* A newer state may have been watched meanwhile: it wins. */
    if (op->tree && op->resource_version > record->resource_version)
        take_answer(loop, record, op);
    post_notes(op);
    mark_workload(loop, record);
    mark_owner(loop, record);
}
