/* run.c - the part of simulate.h that makes output of documents: cycles and the clock. */
#include "admitter/simulate/simulate.h"

#include <inttypes.h>
#include <stdlib.h>

#include "admitter/configuration/configuration.h"
#include "admitter/simulate/json.h"
#include "admitter/simulate/recurrence.h"
#include "admitter/simulate/table.h"

#define CYCLES_MAXIMUM 1000000

struct run {
    const struct simulate_options *options;
    struct simulate_world *world;
    struct engine *engine;
    struct arena arena; /* of one cycle */
    struct strbuf *out;
    struct simulate_table table;
    int64_t cycles;
    bool idle;
    struct recurrence recurrence;
};

/* ---- cycles ---- */

static void cycle_print(struct run *run, const struct cycle_result *result,
                        const struct simulate_events *events)
{
    int64_t now = simulate_world_now(run->world);

    if (!run->options->json) {
        simulate_table_cycle(&run->table, result, now);
        return;
    }
    if (run->cycles > 1)
        strbuf_putc(run->out, ',');
    simulate_json_cycle(run->out, result, events, now);
}

/* One live scheduling cycle and what follows from it. */
static void cycle_run(struct run *run)
{
    struct cycle_result result = { 0 };
    struct simulate_events events = { 0 };
    bool until_idle = run->options->cycles < 0;
    bool changed;

    arena_reset(&run->arena);
    run->cycles++;
    engine_cycle(run->engine, simulate_world_now(run->world), &run->arena, &result);
    changed = simulate_world_apply(run->world, &result, &run->arena, &events);
    cycle_print(run, &result, &events);
    if (until_idle) {
        changed |= simulate_world_release(run->world);
        recurrence_cycle(&run->recurrence, &result, changed, simulate_world_now(run->world),
                         simulate_world_outlook(run->world));
    }
    free(events.items);
}

/* ---- the clock ---- */

static bool heads_are_worth_a_cycle(const struct run *run)
{
    return engine_has_heads(run->engine) && !recurrence_is_stuck(&run->recurrence);
}

/* Victims that were being evicted when the input was taken stop after the first cycle, also when
 * there was nothing to decide in it. */
static bool clock_jump(struct run *run)
{
    int64_t next;

    if (simulate_world_release(run->world)) {
        recurrence_event(&run->recurrence);
        return true;
    }
    next = simulate_world_next(run->world);
    if (next == TIME_NONE)
        return false;
    simulate_world_advance(run->world, next);
    recurrence_event(&run->recurrence);
    return true;
}

static void run_until_idle(struct run *run)
{
    simulate_world_advance(run->world, simulate_world_now(run->world));
    while (run->cycles < CYCLES_MAXIMUM && !recurrence_is_endless(&run->recurrence)) {
        if (heads_are_worth_a_cycle(run)) {
            cycle_run(run);
        } else if (!clock_jump(run)) {
            run->idle = true;
            return;
        }
    }
}

static void run_steps(struct run *run)
{
    while (run->cycles < run->options->cycles && engine_has_heads(run->engine))
        cycle_run(run);
    run->idle = !engine_has_heads(run->engine);
}

/* ---- output ---- */

static void begin(struct run *run)
{
    if (run->options->json)
        strbuf_puts(run->out, "{\"version\":1,\"cycles\":[");
}

static void end(struct run *run)
{
    size_t count;
    struct simulate_waiting *waiting;

    arena_reset(&run->arena);
    waiting = simulate_world_waiting(run->world, &run->arena, &count);
    if (!run->options->json) {
        simulate_table_state(&run->table, run->engine, waiting, count, run->idle,
                             simulate_world_now(run->world), &run->arena);
        return;
    }
    strbuf_puts(run->out, "],\"final\":");
    simulate_json_state(run->out, run->engine, waiting, count, run->idle, &run->arena);
    strbuf_puts(run->out, "}\n");
}

/* A scan that starts at a later flavor each time comes back to its start after this many cycles. */
static size_t longest_scan(const struct simulate_facts *facts)
{
    size_t longest = 1;

    for (size_t i = 0; i < facts->cluster_queues.count; i++) {
        const struct cluster_queue *queue = &facts->cluster_queues.items[i];

        for (size_t j = 0; j < queue->group_count; j++)
            if (queue->groups[j].flavor_count > longest)
                longest = queue->groups[j].flavor_count;
    }
    return longest;
}

static void happening_print(void *context, const char *key, const char *what, int64_t now)
{
    simulate_table_happening(context, key, what, now);
}

static int run_facts(const struct simulate_facts *facts, const struct loop_settings *settings,
                     const struct simulate_options *options, struct strbuf *out,
                     struct strbuf *warnings, struct err *e)
{
    struct run run = { .options = options,
                       .out = out,
                       .table = { out, options->colour, facts->start } };
    int status;

    recurrence_init(&run.recurrence, longest_scan(facts));
    run.world = simulate_world_create(facts, settings, options->cycles >= 0);
    run.engine = simulate_world_engine(run.world);
    if (!options->json)
        simulate_world_observe(run.world, happening_print, &run.table);
    begin(&run);
    if (options->cycles < 0)
        run_until_idle(&run);
    else
        run_steps(&run);
    end(&run);
    if (recurrence_is_endless(&run.recurrence))
        strbuf_printf(warnings,
                      "stopped after %" PRId64 " cycles: workloads preempt each other in turn, "
                      "and the last %d cycles only repeat earlier ones\n",
                      run.cycles, RECURRENCE_STRETCH);
    status = engine_verify(run.engine, e) < 0 ? 1 : 0;
    simulate_world_destroy(run.world);
    arena_finish(&run.arena);
    recurrence_finish(&run.recurrence);
    return status;
}

static void warnings_add(struct strbuf *warnings, const char *const *lines, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        strbuf_puts(warnings, lines[i]);
        strbuf_putc(warnings, '\n');
    }
}

/* The live controller hands this setting to every ClusterQueue it knows. */
static void undeclared_apply(struct simulate_facts *facts,
                             const struct configuration *configuration)
{
    for (size_t i = 0; i < facts->cluster_queues.count; i++)
        facts->cluster_queues.items[i].ignore_undeclared |=
            configuration->ignore_undeclared_resources;
}

static int run_configured(const struct simulate_documents *documents,
                          const struct simulate_options *options,
                          const struct configuration *configuration, struct strbuf *out,
                          struct strbuf *warnings, struct err *e)
{
    struct simulate_facts facts = { 0 };
    int status = 2;

    if (simulate_facts_read(&facts, documents, &configuration->loop, options->now,
                            options->duration, e) == 0) {
        warnings_add(warnings, configuration->warnings, configuration->warning_count);
        warnings_add(warnings, facts.warnings.items, facts.warnings.count);
        undeclared_apply(&facts, configuration);
        status = run_facts(&facts, &configuration->loop, options, out, warnings, e);
    }
    simulate_facts_finish(&facts);
    return status;
}

static int configure(const struct simulate_options *options, struct configuration *configuration,
                     struct err *e)
{
    AUTO_STRBUF struct strbuf completed = STRBUF_INIT;
    const char *gates = NULL;

    if (options->feature_gates) {
        gates_flag_complete(str_of(options->feature_gates), &completed);
        gates = completed.text;
    }
    if (options->config_text.length)
        return configuration_read(options->config_text, "configuration", gates, configuration, e);
    return configuration_load(options->config_path, gates, configuration, e);
}

int simulate_run(const struct simulate_documents *documents, const struct simulate_options *options,
                 struct strbuf *out, struct strbuf *warnings, struct err *e)
{
    struct configuration configuration = { 0 };
    int status = 2;

    if (configure(options, &configuration, e) == 0)
        status = run_configured(documents, options, &configuration, out, warnings, e);
    configuration_finish(&configuration);
    return status;
}
