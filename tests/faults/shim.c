/* Faults of a disk and of a clock, switched while the process runs: LD_PRELOAD this, map the file HEADWATER_FAULTS.
 * Only files below HEADWATER_FAULTS_UNDER meet the disk's faults. See shim.py for what the numbers mean. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct faults {
  volatile long clock_offset, sync_error_every, write_error_every, disk_full, sync_delay_us, syncs, writes, injected;
};
static struct faults *given;
static const char *under;

__attribute__((constructor)) static void map_it(void) {
  const char *path = getenv("HEADWATER_FAULTS");
  under = getenv("HEADWATER_FAULTS_UNDER");
  if (!path || !under) return;
  int fd = open(path, O_RDWR);
  if (fd < 0) abort();
  given = mmap(NULL, sizeof *given, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (given == MAP_FAILED) abort();
  close(fd);
}

static int is_ours(int fd) {
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  return length > 0 && (path[length] = 0, strncmp(path, under, strlen(under)) == 0);
}

static int fails(long every, volatile long *count) {
  long number = __sync_add_and_fetch(count, 1);
  if (!every || number % every) return 0;
  __sync_add_and_fetch(&given->injected, 1);
  return 1;
}

static int sync_one(int fd, long call) {
  if (given && (given->sync_error_every || given->sync_delay_us) && is_ours(fd)) {
    if (given->sync_delay_us) usleep(given->sync_delay_us);
    if (fails(given->sync_error_every, &given->syncs)) { errno = EIO; return -1; }
  }
  return syscall(call, fd);
}

int fsync(int fd) { return sync_one(fd, SYS_fsync); }
int fdatasync(int fd) { return sync_one(fd, SYS_fdatasync); }

static ssize_t write_one(int fd, const void *bytes, size_t size, off_t at) {
  if (given && (given->disk_full || given->write_error_every) && is_ours(fd)) {
    if (fails(given->disk_full ? 1 : given->write_error_every, &given->writes)) { errno = ENOSPC; return -1; }
  }
  return syscall(SYS_pwrite64, fd, bytes, size, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at) { return write_one(fd, bytes, size, at); }
ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at) { return write_one(fd, bytes, size, at); }

int clock_gettime(clockid_t clock, struct timespec *time) {
  int done = syscall(SYS_clock_gettime, clock, time);
  if (!done && given && clock == CLOCK_REALTIME) time->tv_sec += given->clock_offset;
  return done;
}

time_t time(time_t *where) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (where) *where = now.tv_sec;
  return now.tv_sec;
}

int gettimeofday(struct timeval *now, void *zone) {
  struct timespec exact;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &exact);
  now->tv_sec = exact.tv_sec;
  now->tv_usec = exact.tv_nsec / 1000;
  return 0;
}
