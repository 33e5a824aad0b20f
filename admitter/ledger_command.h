/* ledger_command.h - `admitter ledger check|export|history`: questions to a ledger file. */
#pragma once

/* argv[0] is "ledger". Exit status: 0 sound or done, 1 findings or a failure, 2 wrong usage. */
int ledger_main(int argc, char **argv);
