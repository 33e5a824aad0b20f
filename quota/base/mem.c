#include "quota/base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* No allocation, no locks: the process is out of memory. */
__attribute__((noreturn)) static void die(const char *why)
{
    ssize_t ignored = write(STDERR_FILENO, why, strlen(why));

    (void)ignored;
    _exit(1);
}

__attribute__((noreturn)) static void die_no_memory(void)
{
    die("{\"level\":\"error\",\"msg\":\"out of memory, stopping\"}\n");
}

static size_t product(size_t count, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(count, size, &bytes))
        die("{\"level\":\"error\",\"msg\":\"size of an array overflows, stopping\"}\n");
    return bytes;
}

void *mem_alloc(size_t size)
{
    void *p = calloc(1, size ? size : 1);

    if (!p)
        die_no_memory();
    return p;
}

void *mem_array(size_t count, size_t size)
{
    return mem_alloc(product(count, size));
}

void *mem_resize(void *old, size_t count, size_t size)
{
    size_t bytes = product(count, size);
    void *p = realloc(old, bytes ? bytes : 1);

    if (!p)
        die_no_memory();
    return p;
}

char *mem_dup(const char *text)
{
    return mem_dup_n(text, strlen(text));
}

char *mem_dup_n(const char *text, size_t length)
{
    char *copy = length < PTRDIFF_MAX ? malloc(length + 1) : NULL;

    if (!copy)
        die_no_memory();
    if (length > 0)
        memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *mem_format(const char *fmt, ...)
{
    char *text = NULL;
    va_list args;
    int length;

    va_start(args, fmt);
    length = vasprintf(&text, fmt, args);
    va_end(args);
    if (length < 0)
        die_no_memory();
    return text;
}

void *mem_grow(void *items, size_t count, size_t *capacity, size_t size)
{
    size_t wanted;

    if (items && count < *capacity)
        return items;
    wanted = *capacity < 8 ? 8 : product(*capacity, 2);
    if (wanted <= count)
        wanted = count + 1;
    items = mem_resize(items, wanted, size);
    *capacity = wanted;
    return items;
}
