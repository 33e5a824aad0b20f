/* object_status.h - the status of ClusterQueues, LocalQueues and Cohorts, written when it changed.
 * Engine thread. Rules: spec/api.md 4. */
#pragma once

#include "admitter/loop/writes.h"

/* Write the status when it differs from the stored one; not before the interval since the last
 * write is over (the record is then looked at again). */
void object_status_send(struct loop *loop, struct object_record *record);
const char *object_kind_name(enum object_kind kind); /* "ClusterQueue" */
