#include "quota/ledger/task.h"

#include <stdlib.h>
#include <unistd.h>

#include "quota/base/mem.h"
#include "quota/ledger/history.h"

enum { PAGES_PER_SLICE = 64 };

struct task {
    struct task *next;
    struct entry *entry;
    struct history *history; /* ENTRY_ASK */
    sqlite3 *copy;           /* ENTRY_COPY: the other database */
    sqlite3_backup *backup;
};

struct task *task_create(struct entry *entry)
{
    struct task *task = mem_alloc(sizeof(*task));

    task->entry = entry;
    if (entry->kind == ENTRY_ASK)
        task->history = history_create(&entry->query);
    return task;
}

struct task *task_next(const struct task *task)
{
    return task->next;
}

void task_append(struct task **list, struct task *task)
{
    while (*list)
        list = &(*list)->next;
    task->next = NULL;
    *list = task;
}

static void task_destroy(struct task *task)
{
    history_destroy(task->history);
    sqlite3_backup_finish(task->backup);
    sqlite3_close(task->copy);
    entry_destroy(task->entry);
    free(task);
}

static bool task_end(struct task *task, const struct err *error)
{
    struct entry *entry = task->entry;

    if (entry->kind == ENTRY_ASK)
        (void)entry->text(entry->context, (struct str){ "", 0 }, true, error);
    else if (entry->done)
        entry->done(entry->context, error);
    task_destroy(task);
    return false;
}

void task_cancel(struct task *task, const char *why)
{
    struct err error;

    err_set(&error, ERR_IO, "ledger: %s", why);
    (void)task_end(task, &error);
}

static bool ask_step(struct task *task, struct store *s)
{
    AUTO_STRBUF struct strbuf piece = STRBUF_INIT;
    struct err error = { ERR_NONE, "" };
    bool end = true;

    if (history_step(task->history, s, &piece, &end, &error) < 0)
        return task_end(task, &error);
    if (piece.length > 0 &&
        !task->entry->text(task->entry->context, strbuf_view(&piece), false, &error)) {
        task_destroy(task);
        return false;
    }
    return end ? task_end(task, &error) : true;
}

static int copy_open(struct task *task, struct store *s, struct err *e)
{
    const char *path = task->entry->path;

    if (access(path, F_OK) == 0)
        return err_set(e, ERR_EXISTS, "copy of the ledger to %s: the file exists already", path);
    if (sqlite3_open_v2(path, &task->copy,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                        NULL) == SQLITE_OK)
        task->backup = sqlite3_backup_init(task->copy, "main", s->db, "main");
    if (task->backup)
        return 0;
    return err_set(e, ERR_IO, "copy of the ledger to %s: %s", path, sqlite3_errmsg(task->copy));
}

static bool copy_step(struct task *task, struct store *s)
{
    struct err error = { ERR_NONE, "" };
    int code;

    if (!task->backup && copy_open(task, s, &error) < 0)
        return task_end(task, &error);
    code = sqlite3_backup_step(task->backup, PAGES_PER_SLICE);
    if (code == SQLITE_OK)
        return true;
    if (code != SQLITE_DONE)
        err_set(&error, ERR_IO, "copy of the ledger to %s: %s", task->entry->path,
                sqlite3_errstr(code));
    return task_end(task, &error);
}

bool task_step(struct task *task, struct store *s)
{
    return task->entry->kind == ENTRY_ASK ? ask_step(task, s) : copy_step(task, s);
}
