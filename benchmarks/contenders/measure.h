/* The measuring part of a C contender: warm up, time the runs, and print the line of JSON that
 * __init__.py describes. It must not know a workload. ../measure.py is the same for Python, and
 * both must measure in the same way. */
#include <inttypes.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

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

static void start(char **command)
{
    extern char **environ;
    pid_t child;
    int status;

    if (posix_spawnp(&child, command[0], NULL, NULL, command, environ) != 0
        || waitpid(child, &status, 0) < 0 || status != 0) {
        fprintf(stderr, "%s failed\n", command[0]);
        exit(1);
    }
}

/* The main() of a contender. An entry without a name ends the array of works. */
static int measure(const struct work *work, int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: %s WORKLOAD RUNS SIZE [RESET...]\n", argv[0]);
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
    const long start_kib = peak_kib();
    uint64_t count = 0;

    for (int turn = 0; turn <= runs; turn++) {
        if (argc > 4)
            start(argv + 4);
        int64_t begin = now_ns();
        uint64_t again = work->run(size);
        int64_t end = now_ns();

        if (turn == 0) {
            count = again;
            printf("{\"version\": \"" COMPILER "\", \"count\": %" PRIu64 ", \"digest\": null",
                   count);
        } else if (again == count) {
            printf("%s%" PRId64, turn == 1 ? ", \"ns\": [" : ", ", end - begin);
        } else {
            fprintf(stderr, "counted %" PRIu64 " units in the warm-up, then %" PRIu64 "\n", count,
                    again);
            return 1;
        }
    }
    printf("], \"rss_start_kib\": %ld, \"rss_peak_kib\": %ld}\n", start_kib, peak_kib());
    return 0;
}
