/* task.h - a question on the live ledger, answered in slices. Ledger thread. */
#pragma once

#include "quota/ledger/entry.h"
#include "quota/ledger/store.h"

struct task;
struct task *task_create(struct entry *entry); /* takes the entry over */
/* One slice of work. False: the task has answered for good (or its asker stopped) and is gone. */
bool task_step(struct task *task, struct store *s);
void task_cancel(struct task *task, const char *why); /* answers ERR_IO */
struct task *task_next(const struct task *task);
void task_append(struct task **list, struct task *task);
