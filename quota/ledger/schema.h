/* schema.h - the tables and their history. */
#pragma once

#include "quota/ledger/store.h"

#define SCHEMA_APPLICATION_ID 0x534C5543 /* "SLUC" */

/* Bring the file to the version that this program writes, one transaction per step. ERR_INVALID
 * when the file belongs to another program or to a newer version. */
MUST_USE int schema_migrate(struct store *s, struct err *e);
/* Is it ours and of this version? For reading. */
MUST_USE int schema_expect(struct store *s, struct err *e);
/* The SQL of a prepared statement. */
const char *schema_statement(enum statement which);
