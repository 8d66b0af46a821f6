// Loaded before libc: while $FAULTS contains a file with a fault's name, SQLite's file operations fail that way.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int on(const char *fault) {
  char path[512];
  const char *folder = getenv("FAULTS");
  if (!folder) return 0;
  snprintf(path, sizeof path, "%s/%s", folder, fault);
  return access(path, F_OK) == 0;
}

static int is(int fd, const char *end) {
  char link[64], path[512];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  size_t tail = strlen(end);
  return (size_t)length >= tail && strcmp(path + length - tail, end) == 0;
}

// sync-fails: the disk reports an error. write-lost: writes to the WAL are dropped.
int fdatasync(int fd) {
  static int (*real)(int);
  if (!real) real = dlsym(RTLD_NEXT, "fdatasync");
  if (is(fd, "-wal") && on("sync-fails")) { errno = EIO; return -1; }
  return real(fd);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
  static ssize_t (*real)(int, const void *, size_t, off64_t);
  if (!real) real = dlsym(RTLD_NEXT, "pwrite64");
  if (is(fd, "-wal") && on("write-lost")) return (ssize_t)count;
  return real(fd, bytes, count, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) { return pwrite64(fd, bytes, count, at); }

// locks-fail: as on a network file system that has lost its lock service.
static int lock_fails(int fd, int command) {
  return (command == F_SETLK || command == F_SETLKW) && is(fd, "-shm") && on("locks-fail");
}

int fcntl64(int fd, int command, ...) {
  static int (*real)(int, int, void *);
  if (!real) real = dlsym(RTLD_NEXT, "fcntl64");
  va_list list;
  va_start(list, command);
  void *given = va_arg(list, void *);
  va_end(list);
  if (lock_fails(fd, command)) { errno = ENOLCK; return -1; }
  return real(fd, command, given);
}

int fcntl(int fd, int command, ...) {
  va_list list;
  va_start(list, command);
  void *given = va_arg(list, void *);
  va_end(list);
  return fcntl64(fd, command, given);
}
