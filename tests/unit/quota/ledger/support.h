/* support.h - a folder per test, records in a line, and waiting for the ledger's answers. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "quota/base/mem.h"
#include "quota/base/str.h"
#include "quota/ledger/ledger.h"

struct place {
    char folder[64];
    char *path; /* of a ledger in the folder; not created */
};
struct place place_make(void);
void place_remove(struct place *p); /* with everything in it */

/* Answers arrive on the ledger thread; this counts them. */
struct answers {
    unsigned count, failed;
    struct err last;
};
void answers_note(void *answers, const struct err *error);
/* Until 'count' answers are there; fails the test after ten seconds. */
void answers_wait(const struct answers *a, unsigned count);

/* A gang of two pod sets: "main" (1 pod, cpu and memory) and "workers" (count pods, gpu). */
struct ledger_record gang(struct ledger *l, int64_t time, const char *uid, int64_t workers);
struct ledger_record resolution(int64_t time, uint64_t id, bool confirmed, const char *reason);
struct ledger_record usage(int64_t time, const char *uid, const struct ledger_amount *amounts,
                           size_t count);
struct ledger_record decision(int64_t time, const char *name, const char *outcome);

/* First column of the first row, as text (heap). Opens the file, which must not be in use. */
char *sql_text(const char *path, const char *sql);
long long sql_number(const char *path, const char *sql);
void sql_run(const char *path, const char *sql);

/* The checker finds nothing in the file. */
void expect_sound(const char *path);
