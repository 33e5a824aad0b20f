/* support_vfs.h - an SQLite VFS named "fault": files in memory, and a disk that fails on purpose.
 *
 * Each file knows what is on the platter (up to the last sync) and what was written since. A fault
 * strikes at the n-th changing call (write, truncate, sync, delete, creation). Thread-safe. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum fault {
    FAULT_NONE,
    FAULT_KILL,  /* the process is dead from then on: no call works; what was written stays */
    FAULT_POWER, /* as KILL, but of what was not synced only some writes stay, some of them torn */
    FAULT_ONCE,  /* this one call answers an I/O error and does nothing; all others work */
    FAULT_FULL,  /* writes answer "disk full" until the fault is lifted */
    FAULT_SYNC,  /* syncs answer an I/O error until the fault is lifted */
};

void fault_disk_install(void);
void fault_disk_wipe(void); /* no files, no fault, count 0 */
/* 'call' counts changing calls from now, the first is 1. */
void fault_disk_plan(enum fault fault, unsigned long call, unsigned seed);
bool fault_disk_struck(void);
unsigned long fault_disk_calls(void); /* since fault_disk_plan */
/* Start the machine again: calls work. After FAULT_POWER files hold what survived. */
void fault_disk_restart(void);
