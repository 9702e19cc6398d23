/* One recvmmsg() for up to 64 datagrams. It returns as soon as the queue is empty, and waits only
 * for the first one. */
#define _GNU_SOURCE
#include "flood.h"

enum { MANY = 64 };

static int fd;

static uint64_t flood(uint64_t size)
{
    static _Alignas(struct nlmsghdr) char buffers[MANY][SLOT];
    static struct iovec vectors[MANY];
    static struct mmsghdr messages[MANY];

    for (int i = 0; i < MANY; i++) {
        vectors[i] = (struct iovec){buffers[i], SLOT};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &vectors[i], .msg_iovlen = 1};
    }
    for (uint64_t count = 0; count < size;) {
        int found = recvmmsg(fd, messages, MANY, MSG_WAITFORONE, NULL);

        if (found < 0)
            die("recvmmsg");
        for (int i = 0; i < found; i++)
            check_datagram(buffers[i], messages[i].msg_len);
        count += found;
    }
    return size;
}

int main(int argc, char **argv)
{
    const struct work works[] = {{"flood", flood}, {0}};

    fd = flood_socket();
    return measure(works, argc, argv);
}
