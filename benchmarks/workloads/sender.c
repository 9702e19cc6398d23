/* The sender of the workload flood: send SIZE datagrams to a port, 64 in one system call. It waits
 * while the receive buffer is full. The contenders wait before it begins. */
#define _GNU_SOURCE
#include <linux/netlink.h>
#include <stdint.h>
#include <sys/socket.h>

#include "../contenders/die.h"

enum { PORT = 4711, MANY = 64, LENGTH = 128 };  /* PORT: see flood.py */

int main(int argc, char **argv)
{
    static struct datagram {
        struct nlmsghdr header;
        char payload[LENGTH - sizeof(struct nlmsghdr)];
    } datagrams[MANY];
    static struct iovec vectors[MANY];
    static struct mmsghdr messages[MANY];
    struct sockaddr_nl to = {.nl_family = AF_NETLINK, .nl_pid = PORT};
    const uint32_t size = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
    const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_USERSOCK);

    if (fd < 0)
        die("socket");
    for (int i = 0; i < MANY; i++) {
        datagrams[i].header.nlmsg_len = LENGTH;
        datagrams[i].header.nlmsg_type = NLMSG_MIN_TYPE;
        vectors[i] = (struct iovec){&datagrams[i], LENGTH};
        messages[i].msg_hdr = (struct msghdr){
            .msg_name = &to,
            .msg_namelen = sizeof to,
            .msg_iov = &vectors[i],
            .msg_iovlen = 1,
        };
    }
    for (uint32_t sent = 0; sent < size;) {
        uint32_t many = size - sent < MANY ? size - sent : MANY;

        for (uint32_t i = 0; i < many; i++)
            datagrams[i].header.nlmsg_seq = sent + i;
        int accepted = sendmmsg(fd, messages, many, 0);
        if (accepted < 0)
            die("sendmmsg");
        sent += accepted;
    }
    return 0;
}
