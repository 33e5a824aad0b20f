/* run.h - `admitter run`: the controller, from its arguments to its exit status.
 * Contract: spec/process.md. */
#pragma once

/* argv[0] is "run". Returns the exit status: 0 stopped as asked, 1 could not start or lost what it
 * cannot run without, 2 usage or configuration error. */
int run_main(int argc, char **argv);
