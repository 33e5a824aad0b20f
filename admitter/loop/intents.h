/* intents.h - the loop's side of the ledger: a reservation is on disk before it is written.
 *
 * Engine thread. Design: "The ledger", libraries.md 7 "Gang, crash-safe". */
#pragma once

#include "admitter/loop/writes.h"

/* Note what a reservation is about to do. */
void intent_prepare(struct write_op *op, const struct workload_record *record,
                    const struct decision *decision, int64_t now);
/* Hand the op to the ledger, which pushes it on once the intent is durable. False: there is no
 * ledger or nothing to record, the caller pushes. */
bool intent_submit(struct write_op *op);
/* The ledger has answered (engine thread): push the write, or give it up. */
void intent_committed(struct loop *loop, struct write_op *op);
/* The reservation is confirmed, or undone. */
void intent_resolved(struct loop *loop, struct workload_record *record, bool confirmed);

/* History: what the engine decided, and how Workloads move. */
void intents_decision(struct loop *loop, const struct decision *decision, int64_t now);
void intents_workload_seen(struct loop *loop, struct workload_record *record);
void intents_workload_gone(struct loop *loop, struct workload_record *record);
/* Once everything is listed: finish or undo what was open when the process ended. */
void intents_recover(struct loop *loop);
