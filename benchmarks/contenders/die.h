/* die(), which ends a program of the benchmarks when a system call fails. It is a file of its own
 * because the programs of workloads need it too, and they must not include measure.h. */
#ifndef DIE_H
#define DIE_H

#include <stdio.h>
#include <stdlib.h>

static inline _Noreturn void die(const char *what)
{
    perror(what);
    exit(1);
}

#endif
