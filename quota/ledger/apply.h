/* apply.h - one record into the tables, inside the open transaction. Ledger thread. */
#pragma once

#include "quota/ledger/ledger.h"
#include "quota/ledger/store.h"

/* 0 when written. -1 and *refused = true: this record breaks a rule of the tables and left nothing
 * behind, others may go on (*e says why). -1 and *refused = false: the transaction is lost. */
MUST_USE int apply_record(struct store *s, const struct ledger_record *record, bool *refused,
                          struct err *e);
