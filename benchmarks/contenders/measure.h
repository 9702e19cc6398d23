/* The measuring part of a C contender: warm up, time the runs, and print the line of JSON that
 * __init__.py describes. It must not know a workload. ../measure.py is the same for Python, and
 * both must measure in the same way. */
#include <errno.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "die.h"

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

/* `run` does the work once and returns the number of units. */
struct work {
    const char *name;
    uint64_t (*run)(uint64_t size);
};

/* A run in which the kernel dropped units sets this. It is 0 before each run. */
static uint64_t lost;

/* A contender that reads values gives all of them to check(), in their order. The digest is that of
 * ../measure.py. It is computed in every run, because it takes no more than a nanosecond. */
static uint64_t digest;
static int has_digest;

static inline void check(uint64_t value)
{
    digest = digest * 1000003 + value;
    has_digest = 1;
}

static int64_t now_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* Return the peak resident set of this program in KiB. ru_maxrss is not usable: it survives exec,
 * so it starts with the size of the runner that forked this process (exec_mmap in fs/exec.c). */
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

static pid_t start(char **command)
{
    extern char **environ;
    pid_t child;

    errno = posix_spawnp(&child, command[0], NULL, NULL, command, environ);
    if (errno != 0)
        die(command[0]);
    return child;
}

static void await(pid_t child, char **command)
{
    int status;

    if (waitpid(child, &status, 0) < 0 || status != 0) {
        fprintf(stderr, "%s failed\n", command[0]);
        exit(1);
    }
}

static void print_list(const char *name, const int64_t *values, int count)
{
    printf(", \"%s\": [", name);
    for (int i = 0; i < count; i++)
        printf("%s%" PRId64, i == 0 ? "" : ", ", values[i]);
    printf("]");
}

/* The main() of a contender. An entry without a name ends the array of works. */
static int measure(const struct work *work, int argc, char **argv)
{
    if (argc < 4 || argc == 5) {
        fprintf(stderr, "usage: %s WORKLOAD RUNS SIZE [before|during COMMAND...]\n", argv[0]);
        return 2;
    }
    while (work->name && strcmp(work->name, argv[1]) != 0)
        work++;
    if (!work->name) {
        fprintf(stderr, "this contender has no workload %s\n", argv[1]);
        return 2;
    }

    const int runs = atoi(argv[2]);
    const uint64_t size = strtoull(argv[3], NULL, 10);
    char **command = argc > 5 ? argv + 5 : NULL;
    const int is_before = command && strcmp(argv[4], "before") == 0;
    const long start_kib = peak_kib();
    int64_t *ns = calloc(runs, sizeof *ns), *cpu_ns = calloc(runs, sizeof *ns);
    int64_t *delivered = calloc(runs, sizeof *ns), *losses = calloc(runs, sizeof *ns);
    uint64_t count = 0, first_digest = 0;
    int is_digest = 0;

    if (!ns || !cpu_ns || !delivered || !losses)
        die("calloc");
    for (int turn = 0; turn <= runs; turn++) {
        pid_t child = command ? start(command) : 0;

        if (command && is_before)
            await(child, command);
        lost = digest = 0;
        int64_t cpu_begin = now_ns(CLOCK_PROCESS_CPUTIME_ID), begin = now_ns(CLOCK_MONOTONIC);
        uint64_t again = work->run(size);
        int64_t end = now_ns(CLOCK_MONOTONIC), cpu_end = now_ns(CLOCK_PROCESS_CPUTIME_ID);

        if (command && !is_before)
            await(child, command);
        if (turn == 0) {
            count = again;
            first_digest = digest;
            is_digest = has_digest && lost == 0;
        } else if (again == count) {
            ns[turn - 1] = end - begin;
            cpu_ns[turn - 1] = cpu_end - cpu_begin;
            delivered[turn - 1] = again - lost;
            losses[turn - 1] = lost;
        } else {
            fprintf(stderr, "counted %" PRIu64 " units in the warm-up, then %" PRIu64 "\n", count,
                    again);
            return 1;
        }
    }
    printf("{\"version\": \"" COMPILER "\", \"count\": %" PRIu64 ", \"digest\": ", count);
    if (is_digest)
        printf("%" PRIu64, first_digest);
    else
        printf("null");
    print_list("ns", ns, runs);
    print_list("cpu_ns", cpu_ns, runs);
    print_list("delivered", delivered, runs);
    print_list("lost", losses, runs);
    printf(", \"rss_start_kib\": %ld, \"rss_peak_kib\": %ld}\n", start_kib, peak_kib());
    return 0;
}
