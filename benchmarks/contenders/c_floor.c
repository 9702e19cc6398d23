/* The floor: the fewest system calls, and of what comes no more is read than where it ends. */
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "measure.h"
#include "routes.h"

static int fd;

/* A part of a dump is as long as the buffer that we receive into, up to 32 KiB (netlink_recvmsg
 * and netlink_dump in net/netlink/af_netlink.c). */
static _Alignas(struct nlmsghdr) char buffer[32 * 1024];

/* Of a message it reads the header alone, to find the next message and the last. */
static uint64_t dump_routes(uint64_t size)
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

    (void)size;
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

/* A thousand requests a send, each formatted as it goes, and one acknowledgement for them all: the
 * kernel takes them in order, and a failure would answer unasked. */
static uint64_t insert_routes(uint64_t size)
{
    enum { BATCH = 1000 };
    static struct route_request requests[BATCH];
    const uint32_t oif = route_oif();

    for (uint64_t i = 0; i < size;) {
        unsigned used = 0;

        while (used < BATCH && i < size) {
            const int last = used == BATCH - 1 || i == size - 1;

            format_route(&requests[used++], i++, last ? NLM_F_ACK : 0, oif);
        }
        if (send(fd, requests, used * sizeof *requests, 0) < 0)
            die("send");
        await_ack(fd, i - 1);
    }
    return size;
}

/* One send and one recv each: no acknowledgement is asked for, the link is the answer. */
static uint64_t request_latency(uint64_t size)
{
    struct {
        struct nlmsghdr header;
        struct ifinfomsg link;
    } request = {
        .header = {
            .nlmsg_len = sizeof request,
            .nlmsg_type = RTM_GETLINK,
            .nlmsg_flags = NLM_F_REQUEST,
        },
        .link = {.ifi_index = route_oif()},
    };

    for (uint64_t i = 0; i < size; i++) {
        request.header.nlmsg_seq++;
        if (send(fd, &request, sizeof request, 0) < 0)
            die("send");
        if (recv(fd, buffer, sizeof buffer, 0) < 0)
            die("recv");
        if (((struct nlmsghdr *)buffer)->nlmsg_type != RTM_NEWLINK) {
            fprintf(stderr, "no link came\n");
            exit(1);
        }
    }
    return size;
}

int main(int argc, char **argv)
{
    const struct work works[] = {
        {"dump-routes", dump_routes},
        {"insert-routes", insert_routes},
        {"request-latency", request_latency},
        {0},
    };

    fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0)
        die("socket");
    return measure(works, argc, argv);
}
