/* The routes of the workload insert-routes as netlink messages, for contenders in C. They must be
 * the same routes as those that ../workloads/dump_routes.py has as text. */
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "die.h"

struct route_request {  /* the size of every member is a multiple of 4: no padding is needed */
    struct nlmsghdr header;
    struct rtmsg route;
    struct nlattr dst_header;
    uint32_t dst;
    struct nlattr gateway_header;
    uint32_t gateway;
    struct nlattr oif_header;
    uint32_t oif;
};

static uint32_t route_oif(void)
{
    uint32_t index = if_nametoindex("v0");

    if (index == 0)
        die("v0");
    return index;
}

static void format_route(struct route_request *request, uint32_t i, uint16_t ack, uint32_t oif)
{
    const uint16_t length = sizeof(struct nlattr) + sizeof(uint32_t);

    *request = (struct route_request){
        .header = {
            .nlmsg_len = sizeof *request,
            .nlmsg_type = RTM_NEWROUTE,
            .nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL | ack,
            .nlmsg_seq = i,
        },
        .route = {
            .rtm_family = AF_INET,
            .rtm_dst_len = 32,
            .rtm_table = RT_TABLE_MAIN,
            .rtm_protocol = RTPROT_STATIC,
            .rtm_scope = RT_SCOPE_UNIVERSE,
            .rtm_type = RTN_UNICAST,
        },
        .dst_header = {length, RTA_DST},
        .dst = htonl((10u << 24) + i),
        .gateway_header = {length, RTA_GATEWAY},
        .gateway = htonl((192u << 24) + (2u << 8) + 2 + i % 16),
        .oif_header = {length, RTA_OIF},
        .oif = oif,
    };
}

/* Wait for the acknowledgement of request `i`. An error of an earlier request arrives first. */
static void await_ack(int fd, uint32_t i)
{
    struct {
        struct nlmsghdr header;
        struct nlmsgerr status;
        char rest[1024];
    } answer;

    if (recv(fd, &answer, sizeof answer, 0) < 0)
        die("recv");
    if (answer.header.nlmsg_type != NLMSG_ERROR || answer.header.nlmsg_seq != i
        || answer.status.error != 0) {
        fprintf(stderr, "expected the ACK of route %u, got type %d, error %d for route %u\n", i,
                answer.header.nlmsg_type, answer.status.error, answer.header.nlmsg_seq);
        exit(1);
    }
}
