/*
 * Loaded before libc (LD_PRELOAD): fdatasync and fsync of files whose path contains SLOW_PATH take SLOW_MS ms longer, in the thread that
 * calls them. To everything above it is a slow disk.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void wait_as_a_slow_disk_does(int fd) {
  const char *part = getenv("SLOW_PATH"), *ms = getenv("SLOW_MS");
  char link[64], path[4096];
  if (!part || !ms) return;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return;
  path[length] = 0;
  if (!strstr(path, part)) return;
  struct timespec wait = {atol(ms) / 1000, atol(ms) % 1000 * 1000000};
  nanosleep(&wait, 0);
}

int fdatasync(int fd) {
  static int (*next)(int);
  if (!next) next = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  wait_as_a_slow_disk_does(fd);
  return next(fd);
}

int fsync(int fd) {
  static int (*next)(int);
  if (!next) next = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  wait_as_a_slow_disk_does(fd);
  return next(fd);
}
