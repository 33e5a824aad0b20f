/* dump.h - the queues of this moment in the log, for SIGUSR2.
 *
 * Engine thread, through loop_call. Lines at level info between "Started dump" and "Ended dump";
 * lists are JSON texts. Rules: spec/operations.md 4.5. */
#pragma once

#include "admitter/loop/loop.h"

void dump_write(struct loop *loop, void *context); /* no context */
