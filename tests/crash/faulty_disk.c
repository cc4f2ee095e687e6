/* A disk that fails on demand, for LD_PRELOAD.

   The file named by FAULTY_DISK says how, while it exists: a line "fsync" lets every sync
   fail with EIO; a line "readonly" refuses to open files of the events database for
   writing, with EROFS. Without the file everything is as ever. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

static int fails(const char *how) {
  const char *path = getenv("FAULTY_DISK");
  char line[32] = "";
  FILE *file = path ? fopen(path, "r") : NULL;
  if (!file) return 0;
  if (!fgets(line, sizeof line, file)) line[0] = 0;
  fclose(file);
  return strncmp(line, how, strlen(how)) == 0;
}

static int sync_with(const char *name, int fd) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
  if (fails("fsync")) {
    errno = EIO;
    return -1;
  }
  return real(fd);
}

int fsync(int fd) { return sync_with("fsync", fd); }
int fdatasync(int fd) { return sync_with("fdatasync", fd); }

static int open_with(const char *name, const char *path, int flags, mode_t mode) {
  int (*real)(const char *, int, ...) = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, name);
  if ((flags & O_ACCMODE) != O_RDONLY && strstr(path, "events.duckdb") && fails("readonly")) {
    errno = EROFS;
    return -1;
  }
  return real(path, flags, mode);
}

static mode_t mode_of(int flags, va_list given) {
  return flags & (O_CREAT | O_TMPFILE) ? (mode_t)va_arg(given, int) : 0;
}

int open(const char *path, int flags, ...) {
  va_list given;
  va_start(given, flags);
  mode_t mode = mode_of(flags, given);
  va_end(given);
  return open_with("open", path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  va_list given;
  va_start(given, flags);
  mode_t mode = mode_of(flags, given);
  va_end(given);
  return open_with("open64", path, flags, mode);
}
