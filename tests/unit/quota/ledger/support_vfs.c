#include "tests/unit/quota/ledger/support_vfs.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "quota/base/map.h"
#include "quota/base/mem.h"

enum { SECTOR = 512 };

struct change { /* since the last sync */
    struct change *next;
    size_t at, length;
    bool truncates; /* to 'at' */
    unsigned char bytes[];
};

struct content {
    unsigned char *bytes;
    size_t length;
};

struct disk_file {
    struct content now, platter;
    struct change *changes, **last;
};

struct open_file {
    sqlite3_file base; /* first */
    struct disk_file *file;
};

static struct {
    pthread_mutex_t lock;
    struct map *files; /* name -> disk_file */
    enum fault fault;
    unsigned long strikes_at, calls;
    unsigned seed;
    bool struck;
} disk = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* ---- content ---- */

static void content_resize(struct content *c, size_t length)
{
    c->bytes = mem_resize(c->bytes, length + 1, 1);
    if (length > c->length)
        memset(c->bytes + c->length, 0, length - c->length);
    c->length = length;
}

static void content_apply(struct content *c, const struct change *change, size_t length)
{
    if (change->truncates) {
        if (c->length > change->at)
            content_resize(c, change->at);
        return;
    }
    if (c->length < change->at + length)
        content_resize(c, change->at + length);
    memcpy(c->bytes + change->at, change->bytes, length);
}

static void changes_forget(struct disk_file *f)
{
    while (f->changes) {
        struct change *next = f->changes->next;

        free(f->changes);
        f->changes = next;
    }
    f->last = &f->changes;
}

static void change_note(struct disk_file *f, size_t at, const void *bytes, size_t length,
                        bool truncates)
{
    struct change *change = mem_alloc(sizeof(*change) + length);

    change->at = at;
    change->length = length;
    change->truncates = truncates;
    if (length > 0)
        memcpy(change->bytes, bytes, length);
    *f->last = change;
    f->last = &change->next;
    content_apply(&f->now, change, length);
}

static void file_sync(struct disk_file *f)
{
    for (struct change *change = f->changes; change; change = change->next)
        content_apply(&f->platter, change, change->length);
    changes_forget(f);
}

/* Some of the unsynced changes reached the platter: whole, in part, or not at all. */
static void file_lose_power(struct disk_file *f)
{
    for (struct change *change = f->changes; change; change = change->next) {
        size_t sectors = change->length / SECTOR;

        switch (rand_r(&disk.seed) % 3) {
        case 0:
            break;
        case 1:
            if (!change->truncates && sectors > 0)
                content_apply(&f->platter, change,
                              (size_t)rand_r(&disk.seed) % (sectors + 1) * SECTOR);
            break;
        default:
            content_apply(&f->platter, change, change->length);
        }
    }
    changes_forget(f);
    content_resize(&f->now, f->platter.length);
    if (f->platter.length > 0)
        memcpy(f->now.bytes, f->platter.bytes, f->platter.length);
}

static void file_free(struct disk_file *f)
{
    changes_forget(f);
    free(f->now.bytes);
    free(f->platter.bytes);
    free(f);
}

/* ---- faults; under the lock ---- */

static bool is_dead(void)
{
    return disk.struck && (disk.fault == FAULT_KILL || disk.fault == FAULT_POWER);
}

/* A changing call begins. SQLITE_OK, or the error it must answer. */
static int strike(bool writes, bool syncs)
{
    bool now = !is_dead() && ++disk.calls == disk.strikes_at && disk.fault != FAULT_NONE;

    disk.struck = disk.struck || now;
    if (is_dead() || (now && disk.fault == FAULT_ONCE))
        return SQLITE_IOERR;
    if (disk.struck && disk.fault == FAULT_FULL && writes)
        return SQLITE_FULL;
    if (disk.struck && disk.fault == FAULT_SYNC && syncs)
        return SQLITE_IOERR_FSYNC;
    return SQLITE_OK;
}

static int unlock_with(int code)
{
    pthread_mutex_unlock(&disk.lock);
    return code;
}

/* ---- SQLite's file methods ---- */

static struct disk_file *file_of(sqlite3_file *base)
{
    return ((struct open_file *)base)->file;
}

static int file_close(sqlite3_file *base)
{
    (void)base;
    return SQLITE_OK;
}

static int file_read(sqlite3_file *base, void *to, int amount, sqlite3_int64 offset)
{
    struct content *c = &file_of(base)->now;
    size_t at = (size_t)offset, wanted = (size_t)amount, there;

    pthread_mutex_lock(&disk.lock);
    if (is_dead())
        return unlock_with(SQLITE_IOERR_READ);
    there = at >= c->length ? 0 : c->length - at < wanted ? c->length - at : wanted;
    if (there > 0)
        memcpy(to, c->bytes + at, there);
    memset((char *)to + there, 0, wanted - there);
    return unlock_with(there < wanted ? SQLITE_IOERR_SHORT_READ : SQLITE_OK);
}

static int file_write(sqlite3_file *base, const void *from, int amount, sqlite3_int64 offset)
{
    int code;

    pthread_mutex_lock(&disk.lock);
    code = strike(true, false);
    if (code == SQLITE_OK)
        change_note(file_of(base), (size_t)offset, from, (size_t)amount, false);
    return unlock_with(code == SQLITE_IOERR ? SQLITE_IOERR_WRITE : code);
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 length)
{
    int code;

    pthread_mutex_lock(&disk.lock);
    code = strike(false, false);
    if (code == SQLITE_OK)
        change_note(file_of(base), (size_t)length, "", 0, true);
    return unlock_with(code);
}

static int file_sync_call(sqlite3_file *base, int flags)
{
    int code;

    (void)flags;
    pthread_mutex_lock(&disk.lock);
    code = strike(false, true);
    if (code == SQLITE_OK)
        file_sync(file_of(base));
    return unlock_with(code == SQLITE_IOERR ? SQLITE_IOERR_FSYNC : code);
}

static int file_size(sqlite3_file *base, sqlite3_int64 *size)
{
    pthread_mutex_lock(&disk.lock);
    *size = (sqlite3_int64)file_of(base)->now.length;
    return unlock_with(is_dead() ? SQLITE_IOERR_FSTAT : SQLITE_OK);
}

static int file_lock(sqlite3_file *base, int level)
{
    (void)base;
    (void)level;
    return SQLITE_OK;
}

static int file_reserved(sqlite3_file *base, int *reserved)
{
    (void)base;
    *reserved = 0;
    return SQLITE_OK;
}

static int file_control(sqlite3_file *base, int operation, void *argument)
{
    (void)base;
    (void)operation;
    (void)argument;
    return SQLITE_NOTFOUND;
}

static int file_sector(sqlite3_file *base)
{
    (void)base;
    return 4096;
}

static int file_character(sqlite3_file *base)
{
    (void)base;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync_call,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_lock,
    .xCheckReservedLock = file_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_character,
};

/* ---- SQLite's VFS methods ---- */

static int disk_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags,
                     int *flags_out)
{
    struct open_file *open = (struct open_file *)base;
    int code = SQLITE_OK;

    (void)vfs;
    pthread_mutex_lock(&disk.lock);
    memset(open, 0, sizeof(*open));
    open->file = name ? map_get(disk.files, str_of(name)) : NULL;
    if (is_dead() || !name)
        code = SQLITE_CANTOPEN;
    else if (!open->file && !(flags & SQLITE_OPEN_CREATE))
        code = SQLITE_CANTOPEN;
    else if (!open->file && (code = strike(true, false)) == SQLITE_OK) {
        open->file = mem_alloc(sizeof(*open->file));
        open->file->last = &open->file->changes;
        map_put(disk.files, str_of(name), open->file);
    }
    if (code == SQLITE_OK)
        open->base.pMethods = &methods;
    if (flags_out)
        *flags_out = flags;
    return unlock_with(code);
}

static int disk_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    struct disk_file *f;
    int code;

    (void)vfs;
    (void)sync;
    pthread_mutex_lock(&disk.lock);
    code = strike(false, false);
    if (code == SQLITE_OK) {
        f = map_remove(disk.files, str_of(name));
        if (f)
            file_free(f);
        else
            code = SQLITE_IOERR_DELETE_NOENT;
    }
    return unlock_with(code);
}

static int disk_access(sqlite3_vfs *vfs, const char *name, int flags, int *result)
{
    (void)vfs;
    (void)flags;
    pthread_mutex_lock(&disk.lock);
    *result = map_get(disk.files, str_of(name)) != NULL;
    return unlock_with(SQLITE_OK);
}

static int disk_path(sqlite3_vfs *vfs, const char *name, int size, char *out)
{
    (void)vfs;
    sqlite3_snprintf(size, out, "%s", name);
    return SQLITE_OK;
}

static int disk_random(sqlite3_vfs *vfs, int size, char *out)
{
    (void)vfs;
    memset(out, 7, (size_t)size);
    return size;
}

static int disk_sleep(sqlite3_vfs *vfs, int microseconds)
{
    (void)vfs;
    return microseconds;
}

static int disk_time(sqlite3_vfs *vfs, double *now)
{
    (void)vfs;
    *now = 2460000.5;
    return SQLITE_OK;
}

static int disk_last_error(sqlite3_vfs *vfs, int size, char *out)
{
    (void)vfs;
    (void)size;
    (void)out;
    return 0;
}

static sqlite3_vfs fault_vfs = {
    .iVersion = 1,
    .szOsFile = sizeof(struct open_file),
    .mxPathname = 512,
    .zName = "fault",
    .xOpen = disk_open,
    .xDelete = disk_delete,
    .xAccess = disk_access,
    .xFullPathname = disk_path,
    .xRandomness = disk_random,
    .xSleep = disk_sleep,
    .xCurrentTime = disk_time,
    .xGetLastError = disk_last_error,
};

/* ---- for tests ---- */

void fault_disk_install(void)
{
    sqlite3_vfs_register(&fault_vfs, 0);
    fault_disk_wipe();
}

static bool free_one(struct str key, void *value, void *context)
{
    (void)key;
    (void)context;
    file_free(value);
    return true;
}

void fault_disk_wipe(void)
{
    if (disk.files)
        map_remove_if(disk.files, free_one, NULL);
    map_destroy(disk.files);
    disk.files = map_create();
    fault_disk_plan(FAULT_NONE, 0, 0);
}

void fault_disk_plan(enum fault fault, unsigned long call, unsigned seed)
{
    pthread_mutex_lock(&disk.lock);
    disk.fault = fault;
    disk.strikes_at = call;
    disk.seed = seed;
    disk.calls = 0;
    disk.struck = false;
    pthread_mutex_unlock(&disk.lock);
}

bool fault_disk_struck(void)
{
    bool struck;

    pthread_mutex_lock(&disk.lock);
    struck = disk.struck;
    pthread_mutex_unlock(&disk.lock);
    return struck;
}

unsigned long fault_disk_calls(void)
{
    unsigned long calls;

    pthread_mutex_lock(&disk.lock);
    calls = disk.calls;
    pthread_mutex_unlock(&disk.lock);
    return calls;
}

void fault_disk_restart(void)
{
    struct map_entry *entries = map_sorted(disk.files); /* a stable order for the seed */

    for (size_t i = 0; disk.struck && disk.fault == FAULT_POWER && i < map_count(disk.files); i++)
        file_lose_power(entries[i].value);
    free(entries);
    fault_disk_plan(FAULT_NONE, 0, 0);
}
