/* Stands between a program and its wall clock: adds the seconds that a shared file holds. Only storms use it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *shift;
static int64_t none;
static int (*real_clock)(clockid_t, struct timespec *);

static void ready(void) {
    if (shift) return;
    real_clock = dlsym(RTLD_NEXT, "clock_gettime");
    const char *path = getenv("STORM_CLOCK");
    int handle = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *place = handle < 0 ? MAP_FAILED : mmap(0, sizeof(int64_t), PROT_READ, MAP_SHARED, handle, 0);
    if (handle >= 0) close(handle);
    shift = place == MAP_FAILED ? &none : place;
}

int clock_gettime(clockid_t which, struct timespec *found) {
    ready();
    int code = real_clock(which, found);
    if (!code && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) found->tv_sec += *shift;
    return code;
}

int gettimeofday(struct timeval *restrict found, void *restrict zone) {
    struct timespec now;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &now)) return -1;
    found->tv_sec = now.tv_sec;
    found->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *found) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (found) *found = now.tv_sec;
    return now.tv_sec;
}
