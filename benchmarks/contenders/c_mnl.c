/* libmnl, used as its examples use it: one mnl_socket_recvfrom() for each datagram, and callbacks
 * for the messages and the attributes. */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "measure.h"

enum { RCVBUF = 64 << 20 };  /* see ../workloads/events.py */

static struct mnl_socket *nl;

static int attribute(const struct nlattr *attr, void *data)
{
    const struct nlattr **table = data;
    const int type = mnl_attr_get_type(attr);

    if (mnl_attr_type_valid(attr, RTA_MAX) < 0)
        return MNL_CB_OK;
    switch (type) {
    case RTA_DST:
    case RTA_GATEWAY:
    case RTA_OIF:
        if (mnl_attr_validate(attr, MNL_TYPE_U32) < 0)
            die("mnl_attr_validate");
        break;
    }
    table[type] = attr;
    return MNL_CB_OK;
}

static uint32_t u32_of(const struct nlattr *attr)
{
    return attr ? mnl_attr_get_u32(attr) : 0;
}

static int event(const struct nlmsghdr *header, void *data)
{
    const struct nlattr *table[RTA_MAX + 1] = {0};

    mnl_attr_parse(header, sizeof(struct rtmsg), attribute, table);
    check(ntohl(u32_of(table[RTA_DST])));
    check(ntohl(u32_of(table[RTA_GATEWAY])));
    check(u32_of(table[RTA_OIF]));
    ++*(uint64_t *)data;
    return MNL_CB_OK;
}

static uint64_t events(uint64_t size)
{
    static char buffer[32 * 1024];
    const uint64_t count = size / 2 * 2;
    uint64_t delivered = 0;

    while (delivered < count) {
        ssize_t length = mnl_socket_recvfrom(nl, buffer, sizeof buffer);

        if (length >= 0) {
            if (mnl_cb_run(buffer, length, 0, 0, event, &delivered) < 0)
                die("mnl_cb_run");
        } else if (errno == EAGAIN) {  /* silence: the rest is lost */
            break;
        } else if (errno != ENOBUFS) {
            die("mnl_socket_recvfrom");
        }
    }
    lost = count - delivered;
    return count;
}

int main(int argc, char **argv)
{
    const struct work works[] = {{"events", events}, {0}};
    const struct timeval silence = {.tv_sec = 1};
    const int size = RCVBUF, group = RTNLGRP_IPV4_ROUTE;

    nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    if (!nl || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0)
        die("mnl_socket_open2");
    const int fd = mnl_socket_get_fd(nl);
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof silence) < 0
        || setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) < 0)
        die("setsockopt");
    return measure(works, argc, argv);
}
