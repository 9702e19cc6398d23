/* The measuring half of a C contender: warm up, time the runs, print the line of JSON that
 * __init__.py describes. Its Python twin is ../measure.py. */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

static _Noreturn void die(const char *what)
{
    perror(what);
    exit(1);
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* Peak resident set of this program, in KiB. ru_maxrss would not do: it survives exec, and so
 * starts at the size of the runner that forked us (exec_mmap in fs/exec.c). */
static long peak_kib(void)
{
    char line[256];
    long peak = -1;
    FILE *status = fopen("/proc/self/status", "r");

    if (!status)
        die("/proc/self/status");
    while (fgets(line, sizeof line, status) && sscanf(line, "VmHWM: %ld", &peak) != 1)
        ;
    fclose(status);
    return peak;
}

/* `run` does the work once and returns how many units that was. */
static void measure(uint64_t (*run)(void), int runs)
{
    long start_kib = peak_kib();
    uint64_t count = run();

    printf("{\"version\": \"" COMPILER "\", \"count\": %" PRIu64 ", \"digest\": null", count);
    for (int i = 0; i < runs; i++) {
        int64_t start = now_ns();
        uint64_t again = run();
        int64_t end = now_ns();

        if (again != count) {
            fprintf(stderr, "counted %" PRIu64 ", then %" PRIu64 "\n", count, again);
            exit(1);
        }
        printf("%s%" PRId64, i ? ", " : ", \"ns\": [", end - start);
    }
    printf("], \"rss_start_kib\": %ld, \"rss_peak_kib\": %ld}\n", start_kib, peak_kib());
}
