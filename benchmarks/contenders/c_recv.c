/* The plain loop: one recv() for each datagram. */
#include "flood.h"

static int fd;

static uint64_t flood(uint64_t size)
{
    static _Alignas(struct nlmsghdr) char buffer[SLOT];

    for (uint64_t i = 0; i < size; i++) {
        ssize_t length = recv(fd, buffer, sizeof buffer, 0);

        if (length < 0)
            die("recv");
        check_datagram(buffer, length);
    }
    return size;
}

int main(int argc, char **argv)
{
    const struct work works[] = {{"flood", flood}, {0}};

    fd = flood_socket();
    return measure(works, argc, argv);
}
