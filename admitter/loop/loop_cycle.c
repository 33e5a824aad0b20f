/* The scheduling cycle: let the engine decide, turn decisions into writes. */
#include <string.h>
#include "admitter/objects/json_read.h"
#include "admitter/objects/condition.h"
#include "admitter/rules/decision_write.h"
#include "admitter/loop/intents.h"
#include "admitter/rules/life_cycle.h"
#include "admitter/loop/report.h"
#include "admitter/loop/workload_writes.h"
#include "admitter/objects/names.h"
#include "quota/base/log.h"
#include "quota/base/mem.h"

#define SCHEDULER "kueue-admission"

static int64_t seconds_since(int64_t then, int64_t now)
{
    return then == TIME_NONE || now < then ? 0 : (now - then) / NANOSECONDS_PER_SECOND;
}

/* ---- Admitted, Reserved ---- */

static int64_t queued_since(const struct workload_record *record, const json_t *tree)
{
    int64_t evicted =
        condition_true(tree, "Evicted") ? condition_transition(tree, "Evicted") : TIME_NONE;

    return evicted != TIME_NONE && evicted > record->created ? evicted : record->created;
}

static void note_reservation(struct write_op *op, struct loop *loop,
                             const struct workload_record *record, const struct decision *decision,
                             int64_t waited, bool admitted)
{
    const char *considered = decision->flavors_considered ? decision->flavors_considered : "";

    if (!decision->second_pass)
        workload_note(
            op, record, false, "QuotaReserved",
            arena_format(&loop->arena,
                         "Quota reserved in ClusterQueue %s, wait time since queued was %llds%s%s",
                         decision->cluster_queue, (long long)waited,
                         *considered ? "; Flavors considered: " : "", considered),
            SCHEDULER);
    if (admitted)
        workload_note(
            op, record, false, "Admitted",
            arena_format(&loop->arena,
                         "Admitted by ClusterQueue %s, wait time since reservation was 0s",
                         decision->cluster_queue),
            SCHEDULER);
}

static bool reserve(struct loop *loop, struct workload_record *record,
                    const struct decision *decision, int64_t now)
{
    json_t *before = workload_tree(record), *after = json_deep_copy(before);
    bool admitted = decision_reserve(after, decision, loop->settings, now);
    int64_t waited = seconds_since(queued_since(record, before), now);
    struct write_op *op = workload_status_op(loop, record, WRITE_RESERVATION, before, after);

    if (op) {
        note_reservation(op, loop, record, decision, waited, admitted);
        intent_prepare(op, record, decision, now);
        record->is_writing = record->is_admitting = true;
        loop->admissions++;
        LOG(LOG_INFO, admitted ? "workload admitted" : "quota reserved",
            KS("workload", record->key), KS("cluster_queue", decision->cluster_queue),
            KI("wait_s", waited), KI("borrowing", decision->borrowing_level));
        write_op_send(op);
    } else {
        engine_admission_failed(loop->engine, record->namespace, record->name, false, now);
    }
    json_decref(before);
    json_decref(after);
    return op != NULL;
}

/* ---- Preempting ---- */

static void note_preemptor(struct write_op *op, struct loop *loop, const struct decision *decision,
                           const struct victim *victim)
{
    struct kube_note note = { .api_version = KUEUE_V1BETA2,
                              .kind = "Workload",
                              .namespace = decision->namespace,
                              .name = decision->name,
                              .uid = decision->uid,
                              .reason = "PreemptedWorkload",
                              .controller = SCHEDULER };

    note.note = arena_format(
        &loop->arena, "Preempted workload %s/%s (UID: %s) in ClusterQueue %s%s", victim->namespace,
        victim->name, victim->uid, victim->cluster_queue, victim->event_suffix);
    write_op_note(op, &note);
}

/* A write of ours may have evicted or released it already, and the engine hears of that only when
 * the watch shows it: it must not be counted twice. */
static bool may_be_evicted(const json_t *workload)
{
    enum life_state state = life_state_of(workload);

    return state == LIFE_RESERVED || state == LIFE_ADMITTED;
}

static bool preempt(struct loop *loop, const struct decision *decision, const struct victim *victim,
                    int64_t now)
{
    struct workload_record *record = workload_find(loop, victim->namespace, victim->name);
    json_t *before, *after;
    struct write_op *op;

    if (victim->already_evicted)
        return false;
    if (!record || record->is_writing ||
        record->not_before > now) { /* try again when there is news */
        engine_eviction_failed(loop->engine, victim->namespace, victim->name, false, now);
        return false;
    }
    before = workload_tree(record);
    if (!may_be_evicted(before)) {
        json_decref(before);
        return false;
    }
    after = json_deep_copy(before);
    decision_preempt(after, victim, now);
    op = workload_status_op(loop, record, WRITE_PREEMPTION, before, after);
    if (op) {
        workload_note(op, record, false, "EvictedDueToPreempted", victim->message, SCHEDULER);
        workload_note(op, record, false, "Preempted",
                      arena_format(&loop->arena, "%s%s", victim->message, victim->event_suffix),
                      SCHEDULER);
        note_preemptor(op, loop, decision, victim);
        op->eviction_reason = "Preempted";
        op->eviction_cause = "";
        op->preempting_queue = arena_strdup(&op->event.arena, decision->cluster_queue);
        op->preemption_reason = arena_strdup(&op->event.arena, victim->reason);
        record->is_writing = true;
        LOG(LOG_INFO, "workload preempted", KS("workload", record->key),
            KS("reason", victim->reason), KS("preemptor", decision->name));
        write_op_send(op);
    }
    json_decref(before);
    json_decref(after);
    return op != NULL;
}

/* ---- everything that waits ---- */

static void owe(struct workload_record *record, json_t *refusal)
{
    json_decref(record->owed);
    record->owed = refusal;
}

/* Said in one write, with its Event; kept until that has succeeded. */
void workload_say_owed(struct loop *loop, struct workload_record *record)
{
    json_t *before = workload_tree(record), *after = json_deep_copy(before);
    struct write_op *op = NULL;

    if (decision_wait(after, record->owed, loop->settings, loop_now()))
        op = workload_status_op(loop, record, WRITE_WORKLOAD_STATUS, before, after);
    if (op) {
        if (!json_is_true(json_object_get(record->owed, "quiet")))
            workload_note(op, record, true, json_string_at(record->owed, "reason"),
                          json_string_at(record->owed, "message"), SCHEDULER);
        op->says = json_incref(record->owed);
        record->is_writing = true;
        write_op_send(op);
    } else {
        owe(record, NULL);
    }
    json_decref(before);
    json_decref(after);
}

void workload_said(struct workload_record *record, const struct write_op *op)
{
    if (op->says && op->says == record->owed)
        owe(record, NULL);
}

static void wait(struct loop *loop, struct workload_record *record, const struct decision *decision)
{
    owe(record, decision->write_status ? decision_refusal(decision) : NULL);
    if (!record->owed || record->is_writing) /* the answer comes back to this */
        return;
    if (loop->other_writes < OTHER_WRITES_MOST)
        workload_say_owed(loop, record);
    else
        mark_workload(loop, record); /* said when its turn comes */
}

/* True when this moved anything, so that another cycle may find more to do. */
static bool carry_out(struct loop *loop, struct workload_record *record,
                      const struct decision *decision, int64_t now)
{
    bool moved = decision->outcome > OUTCOME_RESERVED && decision->requeue != REQUEUE_HEAP;

    intents_decision(loop, decision, now);
    if (!record) {
        if (decision->outcome <= OUTCOME_RESERVED)
            engine_admission_failed(loop->engine, decision->namespace, decision->name, true, now);
        return moved;
    }
    for (size_t i = 0; i < decision->victim_count; i++)
        moved = preempt(loop, decision, &decision->victims[i], now) || moved;
    if (decision->outcome <= OUTCOME_RESERVED) {
        owe(record, NULL);
        return reserve(loop, record, decision, now) || moved;
    }
    wait(loop, record, decision);
    return moved;
}

/* A reservation that has to wait: another write of ours is under way, or the last try was refused.
 * There will be news, and then it is decided again. */
static bool put_off(struct loop *loop, struct workload_record *record,
                    const struct decision *decision, int64_t now)
{
    if (decision->outcome > OUTCOME_RESERVED || !record ||
        (!record->is_writing && record->not_before <= now))
        return false;
    workload_unreserved(loop, record, false);
    return true;
}

/* Only the decisions that were not put off stay in 'result'. */
static bool carry_out_all(struct loop *loop, struct cycle_result *result, int64_t now)
{
    size_t count = result->count;
    bool moved = false;

    result->count = 0;
    for (size_t i = 0; i < count; i++) {
        struct decision *decision = &result->decisions[i];
        struct workload_record *record =
            workload_find(loop, decision->namespace, decision->name); /* NULL: it is gone */

        if (put_off(loop, record, decision, now))
            continue;
        moved = carry_out(loop, record, decision, now) || moved;
        result->decisions[result->count++] = *decision;
    }
    return moved;
}

#define CYCLES_AT_ONCE 64
/* Cycles without progress before the loop waits for news: a head may have flavors left to try. */
#define FRUITLESS_CYCLES 4
#define RETRY_BLOCKED_HEADS (1 * NANOSECONDS_PER_SECOND)

static bool may_decide(const struct loop *loop)
{
    return loop->is_leading && loop->recovering == 0 && loop->quiet_until == TIME_NONE &&
           (loop->settings->components & COMPONENT_SCHEDULER) && !loop_failed(loop) &&
           loop->admissions < loop->settings->admissions_in_flight &&
           engine_has_heads(loop->engine);
}

int64_t run_cycles(struct loop *loop)
{
    struct arena decisions = ARENA_INIT;
    struct cycle_result result;
    int fruitless = 0;
    bool moved;

    if (loop->quiet_until != TIME_NONE && loop->quiet_until > loop_now())
        return loop->quiet_until;
    loop->quiet_until = TIME_NONE;
    if (loop->blocked_until > loop_now() && !loop->has_news)
        return may_decide(loop) ? loop->blocked_until : TIME_NONE;
    loop->has_news = false;
    for (int i = 0; i < CYCLES_AT_ONCE && fruitless < FRUITLESS_CYCLES && may_decide(loop); i++) {
        int64_t now = loop_now();

        arena_reset(&decisions);
        arena_reset(&loop->arena);
        engine_cycle(loop->engine, now, &decisions, &result);
        loop->cycle = result.cycle;
        moved = carry_out_all(loop, &result, now);
        fruitless = moved ? 0 : fruitless + 1;
        report_cycle(&result, loop_now() - now);
    }
    arena_finish(&decisions);
    if (loop_failed(loop))
        return loop_now() + RETRY_BLOCKED_HEADS;
    if (!may_decide(loop))
        return TIME_NONE;
    loop->blocked_until = loop_now() + (fruitless ? RETRY_BLOCKED_HEADS : 0);
    return loop->blocked_until;
}
