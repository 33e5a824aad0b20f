/* table.h - results of a simulation for people: a timeline, who waits and why, usage bars.
 *
 * Nothing relies on its words. Pure; one thread. What it shows: spec/simulate.md leaves it open. */
#pragma once

#include "admitter/simulate/world.h"

struct simulate_table {
    struct strbuf *out;
    bool colour;
    int64_t start; /* times are shown as distances from here */
};

void simulate_table_cycle(const struct simulate_table *table, const struct cycle_result *result,
                          int64_t now);
/* What happened to a workload between two cycles. */
void simulate_table_happening(const struct simulate_table *table, const char *key, const char *what,
                              int64_t now);
void simulate_table_state(const struct simulate_table *table, const struct engine *engine,
                          const struct simulate_waiting *waiting, size_t waiting_count, bool idle,
                          int64_t now, struct arena *arena);
