/* The floor: ask, then receive into one buffer until the end. Of a message it reads the header
 * alone, to find the next message and the last. */
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "measure.h"

static int fd;

/* A part of a dump is as long as the buffer that we receive into, up to 32 KiB (netlink_recvmsg
 * and netlink_dump in net/netlink/af_netlink.c). */
static _Alignas(struct nlmsghdr) char buffer[32 * 1024];

static uint64_t dump_routes(void)
{
    struct {
        struct nlmsghdr header;
        struct rtmsg route;
    } request = {
        .header = {
            .nlmsg_len = sizeof request,
            .nlmsg_type = RTM_GETROUTE,
            .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
        },
        .route = {.rtm_family = AF_INET},
    };
    uint64_t count = 0;

    if (send(fd, &request, sizeof request, 0) < 0)
        die("send");
    for (;;) {
        ssize_t length = recv(fd, buffer, sizeof buffer, 0);
        struct nlmsghdr *message = (struct nlmsghdr *)buffer;

        if (length < 0)
            die("recv");
        for (; NLMSG_OK(message, length); message = NLMSG_NEXT(message, length)) {
            if (message->nlmsg_type == NLMSG_DONE)
                return count;
            if (message->nlmsg_type != RTM_NEWROUTE) {
                fprintf(stderr, "unexpected message type %d\n", message->nlmsg_type);
                exit(1);
            }
            count++;
        }
    }
}

int main(int argc, char **argv)
{
    if (argc != 3 || strcmp(argv[1], "dump-routes") != 0) {
        fprintf(stderr, "usage: c_floor dump-routes RUNS\n");
        return 2;
    }
    fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0)
        die("socket");
    measure(dump_routes, atoi(argv[2]));
    return 0;
}
