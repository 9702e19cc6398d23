/* The plain loop: send one request, and receive its acknowledgement before the next. Programs that
 * do not batch requests work like this, so it shows what batches gain. */
#include "measure.h"
#include "routes.h"

static int fd;

static uint64_t insert_routes(uint64_t size)
{
    const uint32_t oif = route_oif();

    for (uint64_t i = 0; i < size; i++) {
        struct route_request request;

        format_route(&request, i, NLM_F_ACK, oif);
        if (send(fd, &request, sizeof request, 0) < 0)
            die("send");
        await_ack(fd, i);
    }
    return size;
}

int main(int argc, char **argv)
{
    const struct work works[] = {{"insert-routes", insert_routes}, {0}};

    fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0)
        die("socket");
    return measure(works, argc, argv);
}
