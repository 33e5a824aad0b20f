#include "admitter/simulate/table.h"

#include <inttypes.h>

#include "admitter/simulate/json.h"
#include "quota/base/mem.h"
#include "quota/engine/requests.h"

enum tone { TONE_PLAIN, TONE_GOOD, TONE_WAIT, TONE_BAD, TONE_DIM };

static const char *tone_code(const struct simulate_table *table, enum tone tone)
{
    static const char *const codes[] = { "\033[0m", "\033[32m", "\033[33m", "\033[31m", "\033[2m" };

    return table->colour ? codes[tone] : "";
}

static enum tone outcome_tone(enum outcome outcome)
{
    static const enum tone tones[] = { TONE_GOOD, TONE_GOOD, TONE_WAIT, TONE_BAD, TONE_WAIT };

    return tones[outcome];
}

static const char *since(const struct simulate_table *table, int64_t now, char *buffer)
{
    return duration_print(now - table->start, buffer);
}

/* ---- the timeline ---- */

static void flavors_line(struct strbuf *out, const struct admission *admission)
{
    for (size_t i = 0; i < admission->pod_set_count; i++) {
        const struct pod_set_assignment *pod_set = &admission->pod_sets[i];

        strbuf_printf(out, "%s %s x%" PRId32, i ? ";" : ":", pod_set->pod_set, pod_set->count);
        for (size_t j = 0; j < pod_set->use_count; j++) {
            char text[QUANTITY_TEXT];
            const struct resource_flavor_use *use = &pod_set->uses[j];

            if (use->flavor && use->has_usage)
                strbuf_printf(out, "%s %s %s on %s", j ? "," : "", quantity_print(use->usage, text),
                              use->resource, use->flavor);
        }
    }
}

static void decision_line(const struct simulate_table *table, const struct decision *decision,
                          const char *when)
{
    struct strbuf *out = table->out;

    strbuf_printf(out, "%10s  %s%-10s%s  %s/%s in %s", when,
                  tone_code(table, outcome_tone(decision->outcome)),
                  outcome_name(decision->outcome), tone_code(table, TONE_PLAIN),
                  decision->namespace, decision->name, decision->cluster_queue);
    if (decision->admission.cluster_queue)
        flavors_line(out, &decision->admission);
    else if (decision->message && *decision->message)
        strbuf_printf(out, ": %s", decision->message);
    strbuf_putc(out, '\n');
    for (size_t i = 0; i < decision->victim_count; i++)
        strbuf_printf(out, "%10s    %s-> %s/%s%s %s\n", "", tone_code(table, TONE_BAD),
                      decision->victims[i].namespace, decision->victims[i].name,
                      tone_code(table, TONE_PLAIN), decision->victims[i].reason);
}

void simulate_table_cycle(const struct simulate_table *table, const struct cycle_result *result,
                          int64_t now)
{
    char when[DURATION_TEXT];

    since(table, now, when);
    for (size_t i = 0; i < result->count; i++)
        decision_line(table, &result->decisions[i], i ? "" : when);
}

void simulate_table_happening(const struct simulate_table *table, const char *key, const char *what,
                              int64_t now)
{
    char when[DURATION_TEXT];

    strbuf_printf(table->out, "%10s  %s%-10s  %s%s\n", since(table, now, when),
                  tone_code(table, TONE_DIM), what, key, tone_code(table, TONE_PLAIN));
}

/* ---- the end ---- */

#define BAR 24

static void bar(const struct simulate_table *table, int64_t used, int64_t nominal)
{
    int64_t scale = used > nominal ? used : nominal;
    int64_t filled = scale > 0 ? (int64_t)((__int128)used * BAR / scale) : 0;
    int64_t own = scale > 0 ? (int64_t)((__int128)nominal * BAR / scale) : BAR;

    strbuf_putc(table->out, '[');
    for (int64_t i = 0; i < BAR; i++)
        strbuf_puts(table->out, i >= filled ? " " : i < own ? "#" : "+");
    strbuf_putc(table->out, ']');
}

static void usage_line(const struct simulate_table *table, const char *name,
                       const struct flavor_resource_usage *usage)
{
    char used[QUANTITY_TEXT], nominal[QUANTITY_TEXT], borrowed[QUANTITY_TEXT];

    strbuf_printf(table->out, "  %-20s ", name);
    bar(table, usage->total, usage->nominal);
    strbuf_printf(table->out, " %s of %s %s on %s",
                  quantity_print(amount_quantity(usage->resource, usage->total), used),
                  quantity_print(amount_quantity(usage->resource, usage->nominal), nominal),
                  usage->resource, usage->flavor);
    if (usage->borrowed > 0)
        strbuf_printf(table->out, " %s(%s borrowed)%s", tone_code(table, TONE_WAIT),
                      quantity_print(amount_quantity(usage->resource, usage->borrowed), borrowed),
                      tone_code(table, TONE_PLAIN));
    strbuf_putc(table->out, '\n');
}

static void queue_lines(const struct simulate_table *table, const struct engine *engine,
                        const char *name, struct arena *arena)
{
    struct queue_status status = { 0 };

    engine_cluster_queue_status(engine, name, arena, &status);
    if (!status.activity.active)
        strbuf_printf(table->out, "  %-20s %s%s%s\n", name, tone_code(table, TONE_BAD),
                      status.activity.message ? status.activity.message : "inactive",
                      tone_code(table, TONE_PLAIN));
    for (size_t i = 0; i < status.usage_count; i++)
        usage_line(table, i ? "" : name, &status.usage[i]);
}

void simulate_table_state(const struct simulate_table *table, const struct engine *engine,
                          const struct simulate_waiting *waiting, size_t waiting_count, bool idle,
                          int64_t now, struct arena *arena)
{
    char when[DURATION_TEXT];
    size_t count;
    const char **names = engine_cluster_queue_names(engine, arena, &count);

    strbuf_printf(table->out, "%10s  %s\n", since(table, now, when),
                  idle ? "nothing more can change" : "stopped here");
    if (waiting_count)
        strbuf_puts(table->out, "\nWaiting\n");
    for (size_t i = 0; i < waiting_count; i++)
        strbuf_printf(table->out, "  %s%s%s %s: %s\n", tone_code(table, TONE_WAIT), waiting[i].key,
                      tone_code(table, TONE_PLAIN), waiting[i].reason, waiting[i].message);
    if (count)
        strbuf_puts(table->out, "\nUsage\n");
    for (size_t i = 0; i < count; i++)
        queue_lines(table, engine, names[i], arena);
}
