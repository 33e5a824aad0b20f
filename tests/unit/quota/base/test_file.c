#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "quota/base/file.h"
#include "quota/base/mem.h"

static char folder[64];

static int folder_make(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/sluice-file-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int folder_remove(void **state)
{
    (void)state;
    return rmdir(folder);
}

static void a_file_is_written_whole_and_read_back(void **state)
{
    AUTO_FREE char *path = mem_format("%s/f", folder);
    AUTO_STRBUF struct strbuf bytes = STRBUF_INIT, big = STRBUF_INIT;
    struct stat status;

    (void)state;
    while (big.length < 100000)
        strbuf_printf(&big, "%zu,", big.length);
    assert_int_equal(file_write(path, STR("old"), 0600, NULL), 0);
    assert_int_equal(file_write(path, strbuf_view(&big), 0640, NULL), 0);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);
    strbuf_puts(&bytes, "before");
    assert_int_equal(file_read(path, 200000, &bytes, NULL), 0);
    assert_int_equal(bytes.length, big.length + 6);
    assert_string_equal(bytes.text + 6, big.text);
    unlink(path);
}

static void a_file_above_the_limit_is_refused_by_name(void **state)
{
    AUTO_FREE char *path = mem_format("%s/f", folder);
    AUTO_STRBUF struct strbuf bytes = STRBUF_INIT;
    struct err e = { ERR_NONE, "" };

    (void)state;
    assert_int_equal(file_write(path, STR("12345"), 0600, NULL), 0);
    assert_int_equal(file_read(path, 4, &bytes, &e), -1);
    assert_int_equal(e.code, ERR_INVALID);
    assert_non_null(strstr(e.text, path));
    assert_int_equal(file_read(path, 5, &bytes, NULL), 0);
    unlink(path);
}

static void missing_files_and_folders_are_told_apart_from_other_errors(void **state)
{
    AUTO_FREE char *path = mem_format("%s/none", folder), *deep = mem_format("%s/a/b", folder);
    AUTO_STRBUF struct strbuf bytes = STRBUF_INIT;
    struct err e = { ERR_NONE, "" };

    (void)state;
    assert_int_equal(file_read(path, 10, &bytes, &e), -1);
    assert_int_equal(e.code, ERR_NOT_FOUND);
    assert_int_equal(file_read(folder, 10, &bytes, &e), -1);
    assert_int_equal(e.code, ERR_IO);
    assert_int_equal(file_write(deep, STR("x"), 0600, &e), -1);
    assert_int_equal(e.code, ERR_NOT_FOUND);
    assert_non_null(strstr(e.text, deep));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_written_whole_and_read_back),
        cmocka_unit_test(a_file_above_the_limit_is_refused_by_name),
        cmocka_unit_test(missing_files_and_folders_are_told_apart_from_other_errors),
    };

    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
