#include "quota/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "quota/base/mem.h"

void auto_close_(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static int set_errno(struct err *e, const char *verb, const char *path)
{
    int number = errno;
    enum err_code code = number == ENOENT ? ERR_NOT_FOUND : ERR_IO;

    return err_set(e, code, "%s %s: %s", verb, path, strerror(number));
}

int file_read(const char *path, size_t limit, struct strbuf *out, struct err *e)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t start = out->length;
    char piece[8192];

    if (fd < 0)
        return set_errno(e, "read", path);
    for (;;) {
        ssize_t length = read(fd, piece, sizeof(piece));

        if (length < 0 && errno == EINTR)
            continue;
        if (length < 0)
            return set_errno(e, "read", path);
        if (length == 0)
            break;
        if ((size_t)length > limit - (out->length - start))
            return err_set(e, ERR_INVALID, "read %s: larger than %zu bytes", path, limit);
        strbuf_add(out, piece, (size_t)length);
    }
    strbuf_add(out, "", 0);
    return 0;
}

static int write_whole(int fd, struct str bytes)
{
    while (bytes.length > 0) {
        ssize_t length = write(fd, bytes.text, bytes.length);

        if (length < 0 && errno == EINTR)
            continue;
        if (length < 0)
            return -1;
        bytes.text += length;
        bytes.length -= (size_t)length;
    }
    return fsync(fd);
}

/* Make the rename itself durable; a file system that cannot is no error. */
static void folder_sync(const char *path)
{
    const char *slash = strrchr(path, '/');
    AUTO_FREE char *folder =
        slash ? mem_dup_n(path, slash == path ? 1 : (size_t)(slash - path)) : mem_dup(".");
    AUTO_CLOSE int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0)
        (void)fsync(fd);
}

int file_write(const char *path, struct str bytes, unsigned mode, struct err *e)
{
    AUTO_FREE char *temporary = mem_format("%s.XXXXXX", path);
    AUTO_CLOSE int fd = mkostemp(temporary, O_CLOEXEC);

    if (fd < 0)
        return set_errno(e, "write", path);
    if (fchmod(fd, (mode_t)mode) < 0 || write_whole(fd, bytes) < 0 || rename(temporary, path) < 0) {
        int saved = errno;

        unlink(temporary);
        errno = saved;
        return set_errno(e, "write", path);
    }
    folder_sync(path);
    return 0;
}
