/* The layout of a receive index, which netlink._nlsock writes and netlink._core reads.
 *
 * It is described here and nowhere else. Python code uses netlink._core.INDEX_FORMAT, and the two
 * extension modules use the struct.
 */
#ifndef NETLINK_CORE_H
#define NETLINK_CORE_H

#include <stdint.h>

/* One datagram of a receive. */
struct index_entry {
    uint32_t offset; /* of the datagram in the data, a multiple of 4 */
    uint32_t length;
    uint32_t port;  /* of the sender; 0 is the kernel */
    uint32_t group; /* the multicast group, or 0 */
    int32_t nsid;   /* the network namespace; -1 is that of the socket */
    uint32_t flags; /* of recvmsg(2) */
};

#define INDEX_FORMAT "=IIIIiI" /* the same for Python's struct module */

_Static_assert(sizeof(struct index_entry) == 6 * sizeof(uint32_t), "no padding, as in the format");

#endif
