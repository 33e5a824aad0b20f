/* debug_state.h - the engine's state as JSON, in the form of "final" in spec/simulate.md. Engine
 * thread. */
#pragma once

#include "admitter/loop/loop.h"
#include "quota/base/str.h"

void debug_state_write(struct loop *loop, struct strbuf *out);
/* {"<namespace>/<queue>": {"consumed": {...}, "penalty": {...}}} (spec/process.md). */
void debug_afs_write(struct loop *loop, struct strbuf *out);
