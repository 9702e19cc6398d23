/* The storm of the workload events: add SIZE / 2 routes and delete them again, at the full speed of
 * the kernel. Each change makes one event. A failed change ends the program with status 1. */
#include "../contenders/routes.h"

enum { BATCH = 1000, FILTERED_TABLE = 100, FILTERED = 100 };  /* the last two: see events.py */

static void change_routes(int fd, uint32_t oif, uint32_t routes, int is_add)
{
    static struct route_request requests[BATCH];

    for (uint32_t i = 0; i < routes;) {
        unsigned used = 0;

        while (used < BATCH && i < routes) {
            const int is_last = used == BATCH - 1 || i == routes - 1;
            struct route_request *request = &requests[used++];

            format_route(request, i, is_last ? NLM_F_ACK : 0, oif);
            if (i % FILTERED == 0)
                request->route.rtm_table = FILTERED_TABLE;
            if (!is_add) {
                request->header.nlmsg_type = RTM_DELROUTE;
                request->header.nlmsg_flags &= ~(NLM_F_CREATE | NLM_F_EXCL);
            }
            i++;
        }
        if (send(fd, requests, used * sizeof *requests, 0) < 0)
            die("send");
        await_ack(fd, i - 1);
    }
}

int main(int argc, char **argv)
{
    const uint32_t routes = argc == 2 ? strtoul(argv[1], NULL, 10) / 2 : 0;
    const uint32_t oif = route_oif();
    const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

    if (fd < 0)
        die("socket");
    change_routes(fd, oif, routes, 1);
    change_routes(fd, oif, routes, 0);
    return 0;
}
