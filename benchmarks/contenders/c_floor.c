/* The floor: as few system calls as possible, and no received value is read. It reads only message
 * headers, to find the end of a dump and to detect errors. Every other contender is compared with
 * it, because it costs little more than the kernel itself. */
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "measure.h"
#include "routes.h"

static int fd;

/* The kernel makes a part of a dump as long as the receive buffer of the program, up to 32 KiB
 * (netlink_recvmsg and netlink_dump in net/netlink/af_netlink.c). */
static _Alignas(struct nlmsghdr) char buffer[32 * 1024];

/* Read only the header of each message, to find the next message and the end. */
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
                fprintf(stderr, "expected RTM_NEWROUTE, got message type %d\n",
                        message->nlmsg_type);
                exit(1);
            }
            count++;
        }
    }
}

/* Send 1,000 requests at a time, built during the run, with one acknowledgement for all of them.
 * The kernel executes them in order. A failed request is answered even without NLM_F_ACK, so every
 * outcome is known. */
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

/* One send and one recv for each request. Without NLM_F_ACK, the link is the only answer. */
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
            fprintf(stderr, "expected RTM_NEWLINK, got message type %d\n",
                    ((struct nlmsghdr *)buffer)->nlmsg_type);
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
