/* json.h - results of a simulation, and the state of an engine, as JSON.
 *
 * Other programs rely on each word of it: spec/simulate.md "JSON output". Keys in a fixed order, no
 * floating point, equal inputs give equal bytes. The state is also what /debug/state shows
 * (spec/process.md), which is why it takes an engine and a list of who waits. Pure; one thread. */
#pragma once

#include "admitter/simulate/world.h"

/* One element of "cycles". */
void simulate_json_cycle(struct strbuf *out, const struct cycle_result *result,
                         const struct simulate_events *events, int64_t now);

/* The object "final": queues and cohorts of 'engine', and 'waiting' sorted by key. */
void simulate_json_state(struct strbuf *out, const struct engine *engine,
                         const struct simulate_waiting *waiting, size_t waiting_count, bool idle,
                         struct arena *arena);
