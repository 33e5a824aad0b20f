#include "admitter/loop/intents.h"

void intent_prepare(struct write_op *op, const struct workload_record *record, const struct decision *decision,
                    int64_t now)
{
    (void)op, (void)record, (void)decision, (void)now;
}

bool intent_submit(struct write_op *op)
{
    (void)op;
    return false;
}

void intent_committed(struct loop *loop, struct write_op *op)
{
    (void)loop;
    write_op_push(op);
}

void intent_resolved(struct loop *loop, struct workload_record *record, bool confirmed)
{
    (void)loop, (void)record, (void)confirmed;
}

void intents_decision(struct loop *loop, const struct decision *decision, int64_t now)
{
    (void)loop, (void)decision, (void)now;
}

void intents_workload_seen(struct loop *loop, struct workload_record *record)
{
    (void)loop, (void)record;
}

void intents_workload_gone(struct loop *loop, struct workload_record *record)
{
    (void)loop, (void)record;
}

void intents_recover(struct loop *loop)
{
    (void)loop;
}
