/* The socket of the contenders of the workload flood in C. They only differ in how they receive. */
#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "measure.h"

enum { PORT = 4711, RCVBUF = 4 << 20, SLOT = 8192 };  /* see ../workloads/flood.py */

static int flood_socket(void)
{
    const struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_pid = PORT};
    const struct timeval silence = {.tv_sec = 1};
    const int size = RCVBUF, fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_USERSOCK);

    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof address) < 0)
        die("socket");
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof silence) < 0)
        die("setsockopt");
    return fd;
}

/* Read the number and the length of a datagram. */
static void check_datagram(const void *data, uint32_t length)
{
    check(((const struct nlmsghdr *)data)->nlmsg_seq);
    check(length);
}
