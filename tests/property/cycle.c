#include "tests/property/cycle.h"

#include <string.h>

#include "tests/property/tell.h"
#include "tests/property/watch.h"

enum { ROUNDS = 100, QUIET_ROUNDS = FLAVORS + 2 };

/* ---- steps ---- */

void cycle_eviction_end(struct play *play, int index)
{
    struct model_workload *own = &play->model.workloads[index];

    own->holds = own->evicting = own->admitted = false;
    play_trace(play, "w%02d has stopped", index);
    tell_workload(play, index, false);
}

void cycle_write_answer(struct play *play, int index)
{
    struct model_workload *own = &play->model.workloads[index];

    if (!own->evicting) {
        own->eviction = EVICTION_NONE;
        own->requeue = TIME_NONE;
    }
    own->admitted = own->admitted || own->told;
    own->told = true;
    play_trace(play, "w%02d: %s", index, own->admitted ? "admitted" : "reserving");
    tell_workload(play, index, false);
}

void cycle_pass(struct play *play, int64_t seconds)
{
    play->model.now += seconds * NANOSECONDS_PER_SECOND;
    play_trace(play, "%lld s pass", (long long)seconds);
    engine_advance(play->engine, play->model.now);
}

/* ---- decisions ---- */

struct outcome_marks {
    bool victims[WORKLOADS];
    int preemptors[WORKLOADS]; /* of each victim */
    bool admitted[WORKLOADS];
    int admitted_count, preempting_count;
};

static void digest_add(struct play *play, const char *text)
{
    for (; *text; text++)
        play->digest = (play->digest ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
}

static void digest_decision(struct play *play, const struct decision *decision)
{
    digest_add(play, decision->name);
    digest_add(play, decision->message);
    play->digest += decision->outcome * 16 + decision->requeue;
    for (size_t v = 0; v < decision->victim_count; v++)
        digest_add(play, decision->victims[v].name);
    for (size_t s = 0; s < decision->admission.pod_set_count; s++)
        digest_add(play, decision->admission.pod_sets[s].uses[0].flavor);
}

static void decision_trace(struct play *play, const struct decision *decision)
{
    play_trace(play, "%s of %s: %s, %s", decision->name, decision->cluster_queue,
               outcome_name(decision->outcome), decision->message);
    for (size_t v = 0; v < decision->victim_count; v++)
        play_trace(play, "  preempts %s (%s)", decision->victims[v].name,
                   decision->victims[v].reason);
}

static void victims_take(struct play *play, const struct decision *decision,
                         struct outcome_marks *marks)
{
    for (size_t v = 0; v < decision->victim_count; v++) {
        int index = tell_index(decision->victims[v].name);

        watch_victim(play, decision, &decision->victims[v]);
        if (marks->victims[index])
            play_broken(play, "w%02d is the victim of two", index);
        marks->victims[index] = true;
        marks->preemptors[index] = tell_index(decision->name);
    }
}

static void decision_take(struct play *play, const struct decision *decision,
                          struct outcome_marks *marks)
{
    int index = tell_index(decision->name);

    digest_decision(play, decision);
    decision_trace(play, decision);
    victims_take(play, decision, marks);
    switch (decision->outcome) {
    case OUTCOME_ADMITTED:
    case OUTCOME_RESERVED:
        watch_admission(play, decision);
        marks->admitted[index] = true;
        marks->admitted_count++;
        play->model.workloads[index].may_be_sticky = false;
        play->model.workloads[index].was_skipped = false;
        break;
    case OUTCOME_PREEMPTING:
        marks->preempting_count++;
        play->model.workloads[index].may_be_sticky = true;
        break;
    case OUTCOME_SKIPPED:
        play->model.workloads[index].may_be_sticky = true;
        play->model.workloads[index].was_skipped = true;
        break;
    case OUTCOME_PENDING:
        break;
    }
}

/* Decide; the model takes over the admissions, and 'marks' who was concerned. */
static void decide(struct play *play, struct outcome_marks *marks)
{
    struct heads heads = watch_order(play);
    struct cells *cells = watch_cells(play);

    *marks = (struct outcome_marks){ 0 };
    arena_reset(&play->answer);
    engine_cycle(play->engine, play->model.now, &play->answer, &play->cycle);
    watch_heads(play, &heads);
    for (size_t i = 0; i < play->cycle.count; i++)
        decision_take(play, &play->cycle.decisions[i], marks);
    for (int w = 0; w < WORKLOADS; w++)
        if (marks->admitted[w] && marks->victims[w])
            play_broken(play, "w%02d is admitted and preempted at once", w);
    if (marks->admitted_count == 0)
        watch_cells_same(play, cells, "after a cycle without admissions");
    else
        watch_cells_forget(cells);
}

static void eviction_fail(struct play *play, int index)
{
    play_trace(play, "the eviction of w%02d cannot be written", index);
    engine_eviction_failed(play->engine,
                           tell_name(play, 'n', play->model.workloads[index].namespace),
                           arena_format(&play->facts, "w%02d", index), false, play->model.now);
}

static void eviction_begin(struct play *play, int index)
{
    struct model_workload *own = &play->model.workloads[index];

    own->told = own->evicting = true;
    own->eviction = EVICTION_PREEMPTED;
    own->evicted = play->model.now;
    own->requeue = TIME_NONE;
    tell_workload(play, index, false);
}

static void evictions_write(struct play *play, const struct outcome_marks *marks, bool reliably)
{
    for (int w = 0; w < WORKLOADS; w++) {
        if (!marks->victims[w] || play->model.workloads[w].evicting)
            continue;
        if (!reliably && draw_below(&play->draw, 10) == 0)
            eviction_fail(play, w);
        else
            eviction_begin(play, w);
    }
}

void cycle_run(struct play *play)
{
    struct outcome_marks marks;

    decide(play, &marks);
    evictions_write(play, &marks, false);
}

static void admission_fail(struct play *play, int index)
{
    struct model_workload *own = &play->model.workloads[index];
    const char *namespace = tell_name(play, 'n', own->namespace);
    const char *name = arena_format(&play->facts, "w%02d", index);
    bool gone = draw_below(&play->draw, 4) == 0;

    play_trace(play, "the admission of w%02d cannot be written%s", index, gone ? ": gone" : "");
    own->holds = own->admitted = false;
    engine_admission_failed(play->engine, namespace, name, gone, play->model.now);
    if (!gone)
        return;
    own->exists = false;
    engine_workload_remove(play->engine, namespace, name, play->model.now);
}

void cycle_fail(struct play *play)
{
    struct cells *cells = watch_cells(play);
    struct outcome_marks marks;

    decide(play, &marks);
    for (int w = 0; w < WORKLOADS; w++) {
        if (marks.admitted[w])
            admission_fail(play, w);
        if (marks.victims[w] && !play->model.workloads[w].evicting)
            eviction_fail(play, w);
    }
    watch_cells_same(play, cells, "after everything was taken back");
}

/* ---- coming to rest ---- */

static void writes_finish(struct play *play)
{
    for (int w = 0; w < WORKLOADS; w++) {
        const struct model_workload *own = &play->model.workloads[w];

        if (!own->exists || !own->holds)
            continue;
        if (own->evicting)
            cycle_eviction_end(play, w);
        else if (!own->told || !own->admitted)
            cycle_write_answer(play, w);
    }
}

/* Who preempted whom since the world was left alone: equals must not do it to each other. */
static void turns_watch(struct play *play, const struct outcome_marks *marks,
                        bool turns[WORKLOADS][WORKLOADS])
{
    const struct model *model = &play->model;

    for (int w = 0; w < WORKLOADS; w++) {
        int by = marks->preemptors[w];

        if (!marks->victims[w])
            continue;
        turns[by][w] = true;
        if (turns[w][by] && !model->fair && !model->usage_based &&
            model->workloads[w].priority == model->workloads[by].priority)
            play_broken(play, "w%02d and w%02d of one priority preempt each other", by, w);
    }
}

void cycle_settle(struct play *play)
{
    static bool turns[WORKLOADS][WORKLOADS];
    int quiet = 0;

    memset(turns, 0, sizeof(turns));
    for (int round = 0; quiet < QUIET_ROUNDS; round++) {
        struct outcome_marks marks;

        if (round == ROUNDS && play->model.comes_to_rest)
            play_broken(play, "no rest after %d rounds", ROUNDS);
        if (round == ROUNDS)
            return;
        arena_reset(&play->facts);
        writes_finish(play);
        cycle_pass(play, 2);
        decide(play, &marks);
        evictions_write(play, &marks, true);
        turns_watch(play, &marks, turns);
        quiet = marks.admitted_count + marks.preempting_count > 0 ? 0 : quiet + 1;
    }
    watch_nobody_forgotten(play);
}
