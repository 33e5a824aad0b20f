/* explain.h - `admitter explain workload|job NAME`: why it waits, and what would let it in.
 *
 * Reads the objects of a live cluster with the caller's own rights and runs the engine of the
 * controller on them; nothing is written, and no controller has to run. One thread.
 *
 * Exit status: 0 explained, 1 the API server could not be asked, 2 wrong usage or configuration,
 * 3 no such workload or job, or it is not managed, 4 several workloads are meant, 5 forbidden. */
#pragma once

/* The whole verb; argv[0] is "explain". Returns the exit status. */
int explain_main(int argc, char **argv);
