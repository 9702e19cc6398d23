/* netlink._nlsock: the system calls of a netlink socket.
 *
 * This file defines one type, RawSocket, and two functions, unshare() and setns(). It knows struct
 * sockaddr_nl and control messages. It must not look into a datagram, and it uses nothing but
 * Python.h and libc. It exists because the socket module of Python has no recvmmsg(), which
 * receives many datagrams in one system call.
 *
 * Rules:
 * 1. A system call on a socket stands between enter() and leave(). It runs without the GIL if it
 *    can wait.
 * 2. close() sets a mark and wakes the calls that wait. The last call in flight closes the
 *    descriptors in leave(). So the kernel cannot give their numbers to another file while a call
 *    uses them.
 * 3. A RawSocket's fields change only while the GIL is held. The module does not declare
 *    Py_MOD_GIL_NOT_USED: a free-threaded Python enables the GIL when it imports the module.
 * 4. There are no global variables and no module state. Several interpreters may load the module.
 * 5. The threads that this file starts never call Python, and no signal is delivered to them. The
 *    function that starts one, end_send(), close() or the finalizer joins it.
 * 6. EINTR runs the signal handlers. Then the call continues with the remaining time (PEP 475).
 *
 * Receiving: recvmmsg() fills the slots of a scratch area. A slot is large in virtual memory only,
 * so the size of a datagram need not be peeked at, and none up to SLOT_SIZE is truncated. The
 * received bytes are then copied once, to a bytes object of the exact size. A packed index
 * describes the datagrams.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>
#include <net/if.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/sockios.h>

#include "_core.h"

/* Wheels are built with the headers of Linux 4.18 (manylinux_2_28), which lack this. */
#ifndef NETLINK_GET_STRICT_CHK  /* Linux 4.20 */
#define NETLINK_GET_STRICT_CHK 12
#endif

#ifndef SIOCGSKNS  /* Linux 4.10; the headers of 4.18 have it */
#define SIOCGSKNS 0x894C
#endif
#ifndef SO_MEMINFO  /* Linux 4.12 */
#define SO_MEMINFO 55
#endif
#define MEMINFO_DROPS 8  /* SK_MEMINFO_DROPS of linux/sock_diag.h */

#define MAX_DATAGRAMS 64
#define MAX_BUFFERS 1024            /* UIO_MAXIOV of linux/uio.h */
#define SLOT_SIZE (1u << 20)        /* the largest datagram */
#define SLOT_KEPT (1u << 16)        /* resident memory that a slot keeps between two receives */
#define CHUNK_SIZE (1u << 16)       /* of what was read ahead: data and datagrams of one receive() */
#define CHUNK_DATAGRAMS 1024
#define MIN_READ_AHEAD (4 * CHUNK_SIZE)
#define READER_SLOTS 32
#define LEAST_WAIT (100 * INT64_C(1000000))  /* for the thread, if the kernel has datagrams */

#define SECOND INT64_C(1000000000)  /* times are in nanoseconds */
#define SEND_PAUSE INT64_C(1000000)
#define DO_NOT_WAIT INT64_C(0)      /* two deadlines that the clock never shows */
#define FOREVER INT64_MAX

/* Room for the control messages that netlink_recvmsg() adds (net/netlink/af_netlink.c). */
union control {
    struct cmsghdr alignment;
    unsigned char room[CMSG_SPACE(sizeof(struct nl_pktinfo)) + CMSG_SPACE(sizeof(int))];
};

/* The start of the scratch area. The slots begin at SLOT_KEPT, a multiple of every page size. */
struct scratch {
    struct mmsghdr headers[MAX_DATAGRAMS];
    struct iovec vectors[MAX_DATAGRAMS];
    struct sockaddr_nl senders[MAX_DATAGRAMS];
    union control controls[MAX_DATAGRAMS];
};

struct sender;
struct reader;

typedef struct {
    PyObject_HEAD
    int fd;
    int wake;                 /* an eventfd that close() writes to; -1 until a call first waits */
    int waits;                /* what fileno() returns: fd or, with a reader, an epoll instance */
    int protocol;
    char closed;
    char receiving;           /* one call at a time may use the scratch area */
    int undelivered;          /* datagrams in the scratch area, for lack of memory to copy them */
    size_t calls;             /* in flight */
    struct scratch *scratch;  /* NULL until the first receive */
    size_t slots;             /* of the scratch area */
    struct sender *sender;    /* between begin_send() and end_send() */
    struct reader *reader;    /* NULL unless the socket was opened with read_ahead */
} RawSocket;


/* Errors, the clock, arguments. A function that returns an int sets an exception if it is -1. */

static int fail(void)
{
    PyErr_SetFromErrno(PyExc_OSError);
    return -1;
}

static int fail_with(PyObject *type, int error, const char *text)
{
    PyObject *arguments = Py_BuildValue("(is)", error, text);
    if (arguments != NULL)
        PyErr_SetObject(type, arguments);
    Py_XDECREF(arguments);
    return -1;
}

static int fail_closed(void)
{
    return fail_with(PyExc_OSError, EBADF, "netlink socket is closed");
}

static int fail_receiving(void)
{
    PyErr_SetString(PyExc_RuntimeError,
                    "another call is already receiving from this netlink socket: wait for it");
    return -1;
}

static PyObject *none_unless(int failed)
{
    return failed ? NULL : Py_NewRef(Py_None);
}

static int64_t monotonic(void)
{
    struct timespec now = {0, 0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * SECOND + now.tv_nsec;
}

/* Converters for PyArg_Parse: 1 on success, 0 with an exception set. */

static int as_number(PyObject *value, long long most, long long *number)
{
    int overflow;

    *number = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (*number == -1 && PyErr_Occurred())
        return 0;
    if (!overflow && *number >= 0 && *number <= most)
        return 1;
    PyErr_Format(PyExc_ValueError, "expected a number from 0 to %lld, got %R", most, value);
    return 0;
}

static int as_u32(PyObject *value, void *result)
{
    long long number;
    if (!as_number(value, UINT32_MAX, &number))
        return 0;
    *(uint32_t *)result = (uint32_t)number;
    return 1;
}

/* None leaves the result unchanged. It is -1 then, which a caller cannot pass. */
static int as_optional_int(PyObject *value, void *result)
{
    long long number;
    if (value == Py_None)
        return 1;
    if (!as_number(value, INT_MAX, &number))
        return 0;
    *(int *)result = (int)number;
    return 1;
}

static int as_deadline(PyObject *value, void *result)
{
    double seconds = value == Py_None ? HUGE_VAL : PyFloat_AsDouble(value);

    if (seconds == -1.0 && PyErr_Occurred())
        return 0;
    if (!(seconds >= 0.0)) {  /* NaN too */
        PyErr_Format(PyExc_ValueError, "timeout must be None or at least 0 seconds, got %R", value);
        return 0;
    }
    *(int64_t *)result = seconds == 0.0 ? DO_NOT_WAIT : seconds > 1e9 ? FOREVER
                         : monotonic() + (int64_t)(seconds * (double)SECOND);
    return 1;
}


/* The lifetime of a socket: enter, leave, close */

static RawSocket *enter(PyObject *object)
{
    RawSocket *self = (RawSocket *)object;

    if (self->closed) {
        fail_closed();
        return NULL;
    }
    self->calls++;
    return self;
}

static unsigned char *slot(struct scratch *scratch, size_t i)
{
    return (unsigned char *)scratch + SLOT_KEPT + i * SLOT_SIZE;
}

static size_t scratch_size(size_t slots)
{
    return SLOT_KEPT + slots * SLOT_SIZE;
}

static void unmap(struct scratch *scratch, size_t slots)
{
    if (scratch != NULL)
        munmap(scratch, scratch_size(slots));
}

static int new_reader(RawSocket *self, size_t limit);
static void free_reader(struct reader *reader);
static void join_reader(RawSocket *self);

static void release(RawSocket *self)
{
    Py_BEGIN_ALLOW_THREADS
    close(self->fd);
    if (self->wake >= 0)
        close(self->wake);
    if (self->waits >= 0 && self->waits != self->fd)
        close(self->waits);
    unmap(self->scratch, self->slots);
    free_reader(self->reader);
    Py_END_ALLOW_THREADS
    self->fd = self->wake = self->waits = -1;
    self->scratch = NULL;
    self->reader = NULL;
}

static void leave(RawSocket *self)
{
    if (--self->calls == 0 && self->closed)
        release(self);
}

static void shut(RawSocket *self)
{
    if (self->closed)
        return;
    self->closed = 1;
    self->calls++;  /* no other call releases what the thread uses, while this one joins it */
    if (self->wake >= 0)
        eventfd_write(self->wake, 1);  /* stays readable, so it wakes every call that waits */
    join_reader(self);
    leave(self);
}


/* Waiting */

/* What a call does after an error: FAILED has set an exception. */
enum { FAILED = -1, OUSTED = -2, AGAIN = 0, SIGNALLED = 1 };

/* Run the handlers of signals that have arrived. A handler may receive from the same socket, so a
 * call that waits for datagrams gives up its turn meanwhile. It is OUSTED if another thread has
 * taken the turn since, and has an exception set. */
static int check_signals(RawSocket *self, short events)
{
    if (events == POLLIN)
        self->receiving = 0;
    int result = PyErr_CheckSignals();
    if (events != POLLIN)
        return result;
    if (self->receiving) {
        if (result == 0)
            fail_receiving();
        return OUSTED;
    }
    self->receiving = 1;
    return result;
}

/* Wait after EAGAIN. At least 0 means that the caller must try the system call again. */
static int wait_ready(RawSocket *self, short events, int64_t deadline)
{
    int ready;

    if (deadline == DO_NOT_WAIT)
        return fail();  /* BlockingIOError */
    if (self->closed)  /* before the eventfd existed */
        return fail_closed();
    int64_t left = deadline == FOREVER ? FOREVER : deadline - monotonic();
    if (left <= 0)
        return fail_with(PyExc_TimeoutError, ETIMEDOUT, "netlink socket timed out");
    if (self->wake < 0) {
        self->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (self->wake < 0)
            return fail();
    }
    /* A send waits only if another process reads too slowly. POLLOUT does not help: the kernel
     * reports a netlink socket as always writable, because it charges a datagram to the receiver
     * (netlink_attachskb() in net/netlink/af_netlink.c). So a send tries again every SEND_PAUSE. */
    if (events == POLLOUT && left > SEND_PAUSE)
        left = SEND_PAUSE;
    struct pollfd polls[] = {{self->wake, POLLIN, 0}, {self->waits, events, 0}};
    struct timespec span = {(time_t)(left / SECOND), (long)(left % SECOND)};
    Py_BEGIN_ALLOW_THREADS
    ready = ppoll(polls, events == POLLOUT ? 1 : 2, left == FOREVER ? NULL : &span, NULL);
    Py_END_ALLOW_THREADS

    if (ready < 0 && errno != EINTR)
        return fail();
    int interrupted = ready < 0;
    int signals = check_signals(self, events);  /* one may also arrive between two calls */
    if (signals < 0)
        return signals;
    if (self->closed)
        return fail_closed();
    if (ready > 0 && polls[0].revents != 0) {
        eventfd_t value;  /* written by a forked child that closed its copy of the socket */
        eventfd_read(self->wake, &value);
    }
    return interrupted ? SIGNALLED : AGAIN;
}

/* Handle any error. At least 0 means that the caller must try the system call again. */
static int retry(RawSocket *self, short events, int64_t deadline)
{
    if (errno == EAGAIN)
        return wait_ready(self, events, deadline);
    if (errno == EINTR)
        return check_signals(self, events);
    /* A dump that ends while another thread sends is reported to the next receive (netlink_dump()
     * returns EINVAL to netlink_recvmsg(), which keeps it in sk_err). Nothing is lost. */
    if (errno == EINVAL && events == POLLIN)
        return AGAIN;
    return fail();
}


/* Options, opening */

static int set_option(PyObject *object, int level, int option, const void *value, size_t length)
{
    RawSocket *self = enter(object);
    int result;

    if (self == NULL)
        return -1;
    Py_BEGIN_ALLOW_THREADS
    result = setsockopt(self->fd, level, option, value, (socklen_t)length);
    Py_END_ALLOW_THREADS
    if (result < 0)
        fail();
    leave(self);
    return result;
}

static int get_option(PyObject *object, int level, int option, void *value, socklen_t *length)
{
    RawSocket *self = enter(object);
    int result;

    if (self == NULL)
        return -1;
    Py_BEGIN_ALLOW_THREADS
    result = getsockopt(self->fd, level, option, value, length);
    Py_END_ALLOW_THREADS
    if (result < 0)
        fail();
    leave(self);
    return result;
}

static int set_buffer(PyObject *object, int forced, int option, int size)
{
    if (size < 0)  /* None */
        return 0;
    if (set_option(object, SOL_SOCKET, forced, &size, sizeof(size)) == 0)
        return 0;
    PyErr_Clear();  /* without CAP_NET_ADMIN, net.core.[rw]mem_max is the limit */
    return set_option(object, SOL_SOCKET, option, &size, sizeof(size));
}

/* Called without the GIL. Returns 0 or an errno. The thread blocks all signals, because only
 * threads that Python knows can handle them. */
static int start_thread(pthread_t *thread, void *(*run)(void *), void *argument)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(thread, NULL, run, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

struct opener {
    int protocol;
    int netns;
    int fd;
    int error;
};

static void *open_elsewhere(void *argument)
{
    struct opener *opener = argument;

    if (setns(opener->netns, CLONE_NEWNET) == 0)
        opener->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, opener->protocol);
    opener->error = errno;
    return NULL;
}

/* Open a socket in a namespace. A thread has a namespace, and a socket stays in the one in which
 * it was opened. So a new thread enters the namespace, and the caller's thread stays in its own.
 * Called without the GIL. Returns -1 and sets errno on errors. */
static int open_socket(int protocol, int netns)
{
    struct opener opener = {protocol, netns, -1, 0};
    pthread_t thread;

    if (netns < 0)
        return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
    int error = start_thread(&thread, open_elsewhere, &opener);
    if (error == 0) {  /* the thread may have written its error by now */
        pthread_join(thread, NULL);
        error = opener.error;
    }
    errno = error;
    return opener.fd;
}

static PyObject *RawSocket_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"protocol", "netns", "rcvbuf", "sndbuf", "read_ahead", NULL};
    int protocol, fd, netns = -1, rcvbuf = -1, sndbuf = -1, read_ahead = -1;
    const int on = 1;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "i|$O&O&O&O&:RawSocket", keywords, &protocol,
                                     as_optional_int, &netns, as_optional_int, &rcvbuf,
                                     as_optional_int, &sndbuf, as_optional_int, &read_ahead))
        return NULL;
    if (read_ahead >= 0 && (unsigned int)read_ahead < MIN_READ_AHEAD)
        return PyErr_Format(PyExc_ValueError, "read_ahead must be at least %d bytes, got %d",
                            (int)MIN_READ_AHEAD, read_ahead);
    if (rcvbuf < 0)  /* not even a C loop keeps up with the default if another process runs */
        rcvbuf = read_ahead;
    PyObject *object = type->tp_alloc(type, 0);
    if (object == NULL)
        return NULL;
    RawSocket *self = (RawSocket *)object;
    Py_BEGIN_ALLOW_THREADS
    fd = open_socket(protocol, netns);
    Py_END_ALLOW_THREADS
    self->fd = self->waits = fd;
    self->wake = -1;
    self->protocol = protocol;
    self->closed = fd < 0;
    if (fd < 0) {
        fail();
    /* NETLINK_PKTINFO reports the group number of an event. The mask nl_groups of struct
     * sockaddr_nl has 32 bits only. */
    } else if (set_option(object, SOL_NETLINK, NETLINK_PKTINFO, &on, sizeof(on)) < 0 ||
               set_buffer(object, SO_RCVBUFFORCE, SO_RCVBUF, rcvbuf) < 0 ||
               set_buffer(object, SO_SNDBUFFORCE, SO_SNDBUF, sndbuf) < 0 ||
               (read_ahead >= 0 && new_reader(self, (size_t)read_ahead) < 0)) {
        shut(self);
    }
    if (self->closed)
        Py_CLEAR(object);
    return object;
}

/* A thread that sends buffers one after the other. The kernel executes requests during the send.
 * With the thread, it does so while Python builds the next requests, and it never waits for the
 * GIL. */
struct sender {
    pthread_t thread;
    pid_t process;      /* a fork copies this struct, not the thread */
    int fd;
    int error;          /* errno of the send that failed, after which the thread ends */
    size_t count, sent;
    PyObject *buffers;  /* a tuple of bytes */
    struct iovec vectors[];
};

static void *send_all(void *argument)
{
    struct sender *sender = argument;
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    ssize_t sent = 0;

    for (; sender->sent < sender->count; sender->sent++) {
        const struct iovec *vector = &sender->vectors[sender->sent];
        do {  /* EINTR cannot occur while the thread blocks all signals */
            sent = sendto(sender->fd, vector->iov_base, vector->iov_len, MSG_DONTWAIT,
                          (struct sockaddr *)&kernel, sizeof(kernel));
        } while (sent < 0 && errno == EINTR);
        if (sent < 0) {
            sender->error = errno;
            break;
        }
    }
    return NULL;
}

/* Wait for the thread, if there is one. Returns the errno of the send that failed, or 0. */
static int join_sender(RawSocket *self)
{
    struct sender *sender = self->sender;
    int error = 0;

    if (sender == NULL)
        return 0;
    self->sender = NULL;
    if (sender->process == getpid()) {
        Py_BEGIN_ALLOW_THREADS
        pthread_join(sender->thread, NULL);
        Py_END_ALLOW_THREADS
        error = sender->error;
    }
    Py_DECREF(sender->buffers);
    PyMem_Free(sender);
    leave(self);
    return error;
}

static void RawSocket_finalize(PyObject *object)
{
    RawSocket *self = (RawSocket *)object;
    PyObject *type, *value, *traceback;

    PyErr_Fetch(&type, &value, &traceback);
    if (!self->closed && PyErr_ResourceWarning(object, 1, "unclosed %R", object) < 0)
        PyErr_WriteUnraisable(object);
    join_sender(self);
    shut(self);
    PyErr_Restore(type, value, traceback);
}

/* The type does not support cyclic garbage collection: an instance refers only to bytes objects. */
static void RawSocket_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);

    if (PyObject_CallFinalizerFromDealloc(object) < 0)
        return;
    type->tp_free(object);
    Py_DECREF(type);
}

PyDoc_STRVAR(close_doc,
"close($self, /)\n--\n\n"
"Close the socket. Closing it twice is allowed.\n\n"
"A send or receive that waits in another thread raises OSError (EBADF) at once.");

static PyObject *RawSocket_close(PyObject *object, PyObject *Py_UNUSED(arguments))
{
    shut((RawSocket *)object);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(exit_doc, "__exit__($self, /, *exc_info)\n--\n\nClose the socket.");

PyDoc_STRVAR(enter_doc, "__enter__($self, /)\n--\n\nReturn the socket itself.");

static PyObject *RawSocket_enter(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    RawSocket *self = enter(object);

    if (self == NULL)
        return NULL;
    leave(self);
    return Py_NewRef(object);
}

PyDoc_STRVAR(fileno_doc,
"fileno($self, /)\n--\n\n"
"Return the file descriptor, for select() and poll(). Only close() may close it.");

static PyObject *RawSocket_fileno(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    RawSocket *self = enter(object);

    if (self == NULL)
        return NULL;
    PyObject *result = PyLong_FromLong(self->waits);
    leave(self);
    return result;
}

static unsigned int own_port(RawSocket *self)
{
    struct sockaddr_nl address = {.nl_pid = 0};
    socklen_t length = sizeof(address);

    getsockname(self->fd, (struct sockaddr *)&address, &length);
    return address.nl_pid;
}

static PyObject *RawSocket_port(PyObject *object, void *Py_UNUSED(closure))
{
    RawSocket *self = enter(object);

    if (self == NULL)
        return NULL;
    PyObject *result = PyLong_FromUnsignedLong(own_port(self));
    leave(self);
    return result;
}

static PyObject *RawSocket_buffer_size(PyObject *object, void *option)
{
    socklen_t length = sizeof(int);
    int size = 0;

    if (get_option(object, SOL_SOCKET, (int)(intptr_t)option, &size, &length) < 0)
        return NULL;
    return PyLong_FromLong(size);
}

static int RawSocket_set_buffer_size(PyObject *object, PyObject *value, void *option)
{
    const int is_rcvbuf = (int)(intptr_t)option == SO_RCVBUF;
    long long size;

    if (value == NULL) {
        PyErr_SetString(PyExc_AttributeError, "the size of a buffer cannot be deleted");
        return -1;
    }
    if (!as_number(value, INT_MAX, &size))
        return -1;
    return set_buffer(object, is_rcvbuf ? SO_RCVBUFFORCE : SO_SNDBUFFORCE,
                      (int)(intptr_t)option, (int)size);
}

static PyObject *RawSocket_repr(PyObject *object)
{
    RawSocket *self = (RawSocket *)object;

    if (self->closed)
        return PyUnicode_FromFormat("<netlink.RawSocket closed, protocol=%d>", self->protocol);
    return PyUnicode_FromFormat("<netlink.RawSocket fd=%d, protocol=%d, port=%u>", self->fd,
                                self->protocol, own_port(self));
}


/* Addresses, groups, options */

PyDoc_STRVAR(bind_doc,
"bind($self, /, port=0, groups=0)\n--\n\n"
"Bind the socket to a port, and set its membership in groups 1 to 32 to a mask.\n\n"
"With port 0 the kernel chooses a port, as it does by itself at the first send. A port in use\n"
"raises OSError (EADDRINUSE). A second bind() may change the groups but not the port (EINVAL).\n"
"The mask replaces all earlier memberships, even if it is 0, so call bind() before join().\n"
"See netlink(7), and struct sockaddr_nl in linux/netlink.h.");

static PyObject *RawSocket_bind(PyObject *object, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"port", "groups", NULL};
    struct sockaddr_nl address = {.nl_family = AF_NETLINK};
    int result;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O&O&:bind", keywords, as_u32,
                                     &address.nl_pid, as_u32, &address.nl_groups))
        return NULL;
    RawSocket *self = enter(object);
    if (self == NULL)
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    result = bind(self->fd, (struct sockaddr *)&address, sizeof(address));
    Py_END_ALLOW_THREADS
    if (result < 0)
        fail();
    leave(self);
    return none_unless(result < 0);
}

static PyObject *change_membership(PyObject *object, PyObject *value, int option)
{
    uint32_t group;

    return none_unless(!as_u32(value, &group) ||
                       set_option(object, SOL_NETLINK, option, &group, sizeof(group)) < 0);
}

PyDoc_STRVAR(join_doc,
"join($self, group, /)\n--\n\n"
"Join a multicast group by its number (RTNLGRP_LINK is 1), not by a mask.\n\n"
"Call bind() as well. The kernel sends no events to a socket without a port, because\n"
"do_one_broadcast() in net/netlink/af_netlink.c mistakes it for the sender. A group that the\n"
"protocol does not have raises OSError (EINVAL). A group that requires a privilege raises\n"
"PermissionError. Sets NETLINK_ADD_MEMBERSHIP (linux/netlink.h).");

static PyObject *RawSocket_join(PyObject *object, PyObject *group)
{
    return change_membership(object, group, NETLINK_ADD_MEMBERSHIP);
}

PyDoc_STRVAR(leave_doc,
"leave($self, group, /)\n--\n\n"
"Leave a multicast group by its number. It is not an error if the group was not joined.\n\n"
"Sets NETLINK_DROP_MEMBERSHIP (linux/netlink.h).");

static PyObject *RawSocket_leave(PyObject *object, PyObject *group)
{
    return change_membership(object, group, NETLINK_DROP_MEMBERSHIP);
}

PyDoc_STRVAR(ifindex_doc,
"ifindex($self, name, /)\n--\n\n"
"Return the index of a link by its name, in the network namespace of the socket.\n\n"
"Alternative names of at most 15 bytes work too. Raises OSError (ENODEV) if no link has the name.\n"
"No name has a colon: dev_ioctl() in net/core/dev_ioctl.c takes it for the label of an address, and\n"
"would answer \"lo:1\" with the index of lo. Uses SIOCGIFINDEX, see netdevice(7).");

static PyObject *RawSocket_ifindex(PyObject *object, PyObject *name)
{
    struct ifreq request = {0};
    RawSocket *self;
    PyObject *bytes;
    int result;

    if (!PyUnicode_Check(name))
        return PyErr_Format(PyExc_TypeError, "ifindex() expects the name of a link, got %R", name);
    bytes = PyUnicode_AsEncodedString(name, "utf-8", "surrogateescape");
    if (bytes == NULL)
        return NULL;
    const size_t length = (size_t)PyBytes_GET_SIZE(bytes);
    const int fits = length > 0 && length < IFNAMSIZ &&
                     memchr(PyBytes_AS_STRING(bytes), 0, length) == NULL &&
                     memchr(PyBytes_AS_STRING(bytes), ':', length) == NULL;
    if (fits)
        memcpy(request.ifr_name, PyBytes_AS_STRING(bytes), length);
    Py_DECREF(bytes);
    if (!fits) {
        errno = ENODEV;
        fail();
        return NULL;
    }
    self = enter(object);
    if (self == NULL)
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    result = ioctl(self->fd, SIOCGIFINDEX, &request);
    Py_END_ALLOW_THREADS
    if (result < 0)
        fail();
    leave(self);
    return result < 0 ? NULL : PyLong_FromLong(request.ifr_ifindex);
}

PyDoc_STRVAR(namespace_doc,
"namespace($self, /)\n--\n\n"
"Return a new file descriptor of the network namespace of the socket. The caller must close it.\n\n"
"Requires CAP_NET_ADMIN in that namespace (PermissionError). Uses SIOCGSKNS, linux/sockios.h.");

static PyObject *RawSocket_namespace(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    RawSocket *self = enter(object);
    int result;

    if (self == NULL)
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    result = ioctl(self->fd, SIOCGSKNS);
    Py_END_ALLOW_THREADS
    if (result < 0)
        fail();
    leave(self);
    return result < 0 ? NULL : PyLong_FromLong(result);
}

PyDoc_STRVAR(groups_doc,
"groups($self, /)\n--\n\n"
"Return the numbers of the joined multicast groups in ascending order.\n\n"
"Asks the kernel with NETLINK_LIST_MEMBERSHIPS (linux/netlink.h, Linux 4.2).");

static PyObject *RawSocket_groups(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    socklen_t length = 0;

    if (get_option(object, SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, NULL, &length) < 0)
        return NULL;
    /* One word more than the kernel reports: before Linux 6.4 it rounded the length down. */
    const size_t words = length / sizeof(uint32_t) + 1;
    uint32_t *masks = PyMem_Calloc(words, sizeof(*masks));
    if (masks == NULL)
        return PyErr_NoMemory();
    PyObject *list = NULL, *result = NULL;
    length = (socklen_t)(words * sizeof(*masks));
    if (get_option(object, SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, masks, &length) == 0)
        list = PyList_New(0);
    for (size_t bit = 0; list != NULL && bit < words * 32; bit++) {
        if (masks[bit / 32] >> bit % 32 & 1) {
            PyObject *group = PyLong_FromSize_t(bit + 1);
            if (group == NULL || PyList_Append(list, group) < 0)
                Py_CLEAR(list);
            Py_XDECREF(group);
        }
    }
    if (list != NULL)
        result = PyList_AsTuple(list);
    Py_XDECREF(list);
    PyMem_Free(masks);
    return result;
}

PyDoc_STRVAR(setsockopt_doc,
"setsockopt($self, level, option, value, /)\n--\n\n"
"Set a socket option to an int, or to the bytes of a C value. See setsockopt(2) and netlink(7).");

static PyObject *RawSocket_setsockopt(PyObject *object, PyObject *args)
{
    int level, option, number, result;
    PyObject *value;
    Py_buffer view;

    if (!PyArg_ParseTuple(args, "iiO:setsockopt", &level, &option, &value))
        return NULL;
    if (PyObject_CheckBuffer(value)) {
        if (PyObject_GetBuffer(value, &view, PyBUF_SIMPLE) < 0)
            return NULL;
        result = set_option(object, level, option, view.buf, (size_t)view.len);
        PyBuffer_Release(&view);
    } else {
        if (!PyArg_Parse(value, "i", &number))
            return NULL;
        result = set_option(object, level, option, &number, sizeof(number));
    }
    return none_unless(result < 0);
}

PyDoc_STRVAR(attach_filter_doc,
"attach_filter($self, program, /)\n--\n\n"
"Let the kernel run a classic BPF program before it queues a datagram for this socket.\n\n"
"`program` is an array of struct sock_filter as bytes, of at most 4096 instructions. It replaces\n"
"the program before it. What is queued already stays. Raises OSError: EINVAL for a program that the\n"
"kernel refuses, EPERM after lock_filter(), ENOMEM beyond net.core.optmem_max.");

static PyObject *RawSocket_attach_filter(PyObject *object, PyObject *program)
{
    Py_buffer view;
    struct sock_fprog fprog;
    int result;

    if (PyObject_GetBuffer(program, &view, PyBUF_SIMPLE) < 0)
        return NULL;
    size_t count = (size_t)view.len / sizeof(struct sock_filter);
    if (view.len == 0 || (size_t)view.len % sizeof(struct sock_filter) || count > BPF_MAXINSNS) {
        PyErr_Format(PyExc_ValueError, "a filter is 1 to %d instructions of %zu bytes, got %zd bytes",
                     BPF_MAXINSNS, sizeof(struct sock_filter), view.len);
        PyBuffer_Release(&view);
        return NULL;
    }
    /* The buffer need not be aligned, as it may be a slice of another. The kernel copies it. */
    fprog.len = (unsigned short)count;
    fprog.filter = view.buf;
    result = set_option(object, SOL_SOCKET, SO_ATTACH_FILTER, &fprog, sizeof(fprog));
    PyBuffer_Release(&view);
    return none_unless(result < 0);
}

PyDoc_STRVAR(detach_filter_doc,
"detach_filter($self, /)\n--\n\n"
"Remove the filter. Raises OSError: ENOENT if there is none, EPERM after lock_filter().");

static PyObject *switch_on(PyObject *object, int option)
{
    int number = 1;

    return none_unless(set_option(object, SOL_SOCKET, option, &number, sizeof(number)) < 0);
}

static PyObject *RawSocket_detach_filter(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    return switch_on(object, SO_DETACH_FILTER);
}

PyDoc_STRVAR(lock_filter_doc,
"lock_filter($self, /)\n--\n\n"
"Keep the filter, or the lack of one, as it is until the socket is closed (SO_LOCK_FILTER).");

static PyObject *RawSocket_lock_filter(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    return switch_on(object, SO_LOCK_FILTER);
}

PyDoc_STRVAR(getsockopt_doc,
"getsockopt($self, level, option, buflen=0, /)\n--\n\n"
"Return a socket option as an int or, if buflen is given, as at most buflen bytes.");

static PyObject *RawSocket_getsockopt(PyObject *object, PyObject *args)
{
    int level, option, number = 0, buflen = 0;
    socklen_t length = sizeof(number);

    if (!PyArg_ParseTuple(args, "ii|i:getsockopt", &level, &option, &buflen))
        return NULL;
    if (buflen == 0) {
        if (get_option(object, level, option, &number, &length) < 0)
            return NULL;
        return PyLong_FromLong(number);
    }
    if (buflen < 0)
        return PyErr_Format(PyExc_ValueError, "buflen must be at least 0, got %d", buflen);
    PyObject *result = PyBytes_FromStringAndSize(NULL, buflen);
    if (result == NULL)
        return NULL;
    memset(PyBytes_AS_STRING(result), 0, (size_t)buflen);
    length = (socklen_t)buflen;
    if (get_option(object, level, option, PyBytes_AS_STRING(result), &length) < 0)
        Py_CLEAR(result);
    else if (length < (socklen_t)buflen &&  /* a larger length is what the kernel needs */
             _PyBytes_Resize(&result, (Py_ssize_t)length) < 0)
        return NULL;
    return result;
}


/* Sending */

PyDoc_STRVAR(send_doc,
"send($self, /, *buffers, port=0, group=0, timeout=None)\n--\n\n"
"Send the buffers as one datagram and return its length in bytes.\n\n"
"The buffers are up to 1024 contiguous bytes-like objects. Port 0 is the kernel. If a group is\n"
"given, its members receive the datagram as well as the port. The group must be from 1 to 32,\n"
"because the address has no room for others. If nobody listens on the port, send() raises\n"
"ConnectionRefusedError after the group has received the datagram.\n\n"
"The kernel executes a request during the send. So send() waits only if another process reads too\n"
"slowly. It waits at most timeout seconds (None: no limit) and then raises TimeoutError. With\n"
"timeout 0 it raises BlockingIOError instead of waiting. A datagram must be at least 32 bytes\n"
"smaller than sndbuf, otherwise send() raises OSError (EMSGSIZE). Current kernels refuse an empty\n"
"datagram with OSError (ENODATA).");

static PyObject *RawSocket_send(PyObject *object, PyObject *const *args, Py_ssize_t buffers,
                                PyObject *names)
{
    struct sockaddr_nl address = {.nl_family = AF_NETLINK};
    struct msghdr message = {.msg_name = &address, .msg_namelen = sizeof(address)};
    int64_t deadline = FOREVER;
    uint32_t group = 0;

    for (Py_ssize_t i = 0; names != NULL && i < PyTuple_GET_SIZE(names); i++) {
        PyObject *name = PyTuple_GET_ITEM(names, i), *value = args[buffers + i];
        int parsed;
        if (PyUnicode_CompareWithASCIIString(name, "timeout") == 0)
            parsed = as_deadline(value, &deadline);
        else if (PyUnicode_CompareWithASCIIString(name, "port") == 0)
            parsed = as_u32(value, &address.nl_pid);
        else if (PyUnicode_CompareWithASCIIString(name, "group") == 0)
            parsed = as_u32(value, &group);
        else
            return PyErr_Format(PyExc_TypeError,
                                "send() takes the keywords port, group and timeout, not %R", name);
        if (!parsed)
            return NULL;
    }
    if (group > 32)
        return PyErr_Format(PyExc_ValueError, "send() can send to groups 1 to 32, got group %u",
                            (unsigned int)group);
    if (buffers > MAX_BUFFERS)
        return PyErr_Format(PyExc_ValueError, "send() accepts up to %d buffers, got %zd: join some",
                            MAX_BUFFERS, buffers);
    address.nl_groups = group ? 1u << (group - 1) : 0;

    Py_buffer few_views[4], *views = few_views;  /* mostly there is one */
    struct iovec few_vectors[4], *vectors = few_vectors;
    if (buffers > 4) {
        views = PyMem_Calloc((size_t)buffers, sizeof(*views));
        vectors = PyMem_Calloc((size_t)buffers, sizeof(*vectors));
    }
    Py_ssize_t held = 0;
    ssize_t sent = -1;
    if (views == NULL || vectors == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    for (; held < buffers; held++) {
        if (PyObject_GetBuffer(args[held], &views[held], PyBUF_SIMPLE) < 0)
            goto done;
        vectors[held].iov_base = views[held].buf;
        vectors[held].iov_len = (size_t)views[held].len;
    }
    message.msg_iov = vectors;
    message.msg_iovlen = (size_t)buffers;
    RawSocket *self = enter(object);
    if (self == NULL)
        goto done;
    do {
        Py_BEGIN_ALLOW_THREADS
        if (buffers == 1)  /* less work for the kernel than sendmsg() */
            sent = sendto(self->fd, vectors->iov_base, vectors->iov_len, MSG_DONTWAIT,
                          (struct sockaddr *)&address, sizeof(address));
        else
            sent = sendmsg(self->fd, &message, MSG_DONTWAIT);
        Py_END_ALLOW_THREADS
    } while (sent < 0 && retry(self, POLLOUT, deadline) >= 0);
    leave(self);
done:
    while (held > 0)
        PyBuffer_Release(&views[--held]);
    if (buffers > 4) {
        PyMem_Free(views);
        PyMem_Free(vectors);
    }
    return sent < 0 ? NULL : PyLong_FromSsize_t(sent);
}


PyDoc_STRVAR(begin_send_doc,
"begin_send($self, buffers, /)\n--\n\n"
"Start a thread that sends bytes objects to the kernel, one datagram each, and return at once.\n\n"
"The thread never takes the GIL. It ends after the last datagram, or when one cannot be sent.\n"
"Call end_send() before the next begin_send(), which otherwise raises RuntimeError. send() may be\n"
"called meanwhile. Raises OSError if the system cannot start a thread.");

static PyObject *RawSocket_begin_send(PyObject *object, PyObject *argument)
{
    int error;

    if (!PyList_Check(argument) && !PyTuple_Check(argument))
        return PyErr_Format(PyExc_TypeError, "begin_send() expects a list of bytes, got %.200s",
                            Py_TYPE(argument)->tp_name);
    PyObject *buffers = PySequence_Tuple(argument);
    if (buffers == NULL)
        return NULL;
    const size_t count = (size_t)PyTuple_GET_SIZE(buffers);
    struct sender *sender = PyMem_Calloc(1, sizeof(*sender) + count * sizeof(sender->vectors[0]));
    if (sender == NULL) {
        PyErr_NoMemory();
        goto fail;
    }
    for (size_t i = 0; i < count; i++) {
        PyObject *buffer = PyTuple_GET_ITEM(buffers, (Py_ssize_t)i);
        if (!PyBytes_CheckExact(buffer)) {
            PyErr_Format(PyExc_TypeError, "begin_send() expects a list of bytes, got %.200s in it",
                         Py_TYPE(buffer)->tp_name);
            goto fail;
        }
        sender->vectors[i].iov_base = PyBytes_AS_STRING(buffer);
        sender->vectors[i].iov_len = (size_t)PyBytes_GET_SIZE(buffer);
    }
    RawSocket *self = enter(object);
    if (self == NULL)
        goto fail;
    if (self->sender != NULL) {
        PyErr_SetString(PyExc_RuntimeError,
                        "a thread is sending for this netlink socket: call end_send() first");
        leave(self);
        goto fail;
    }
    sender->process = getpid();
    sender->fd = self->fd;
    sender->count = count;
    sender->buffers = buffers;
    error = start_thread(&sender->thread, send_all, sender);
    if (error != 0) {
        leave(self);
        errno = error;
        fail();
        goto fail;
    }
    self->sender = sender;
    Py_RETURN_NONE;
fail:
    Py_DECREF(buffers);
    PyMem_Free(sender);
    return NULL;
}

PyDoc_STRVAR(end_send_doc,
"end_send($self, /)\n--\n\n"
"Wait until the thread of begin_send() has ended. Return at once if there is none.\n\n"
"Raises OSError, as send() does, if a datagram was not sent. The later ones were not sent either.");

static PyObject *RawSocket_end_send(PyObject *object, PyObject *Py_UNUSED(arguments))
{
    errno = join_sender((RawSocket *)object);
    return none_unless(errno != 0 && fail());
}


/* Receiving */

/* Return a scratch area; NULL with errno on errors. Called with or without the GIL. */
static struct scratch *map(size_t slots)
{
    struct scratch *scratch = mmap(NULL, scratch_size(slots), PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (scratch == MAP_FAILED)
        return NULL;
    /* A huge page would cover two slots, and a few bytes in each would use 2 MiB. */
    madvise(scratch, scratch_size(slots), MADV_NOHUGEPAGE);
    for (size_t i = 0; i < slots; i++) {
        struct msghdr *message = &scratch->headers[i].msg_hdr;
        scratch->vectors[i].iov_base = slot(scratch, i);
        scratch->vectors[i].iov_len = SLOT_SIZE;
        message->msg_name = &scratch->senders[i];
        message->msg_iov = &scratch->vectors[i];
        message->msg_iovlen = 1;
        message->msg_control = &scratch->controls[i];
    }
    return scratch;
}

static int reserve(RawSocket *self, size_t slots)
{
    if (self->slots >= slots)
        return 0;
    struct scratch *scratch = map(slots);
    if (scratch == NULL)
        return fail();
    unmap(self->scratch, self->slots);
    self->scratch = scratch;
    self->slots = slots;
    return 0;
}

/* recvmmsg() without waiting. Called without the GIL. */
static int receive_now(int fd, struct scratch *scratch, size_t slots)
{
    for (size_t i = 0; i < slots; i++) {  /* the last call has replaced the sizes by lengths */
        scratch->headers[i].msg_hdr.msg_namelen = sizeof(struct sockaddr_nl);
        scratch->headers[i].msg_hdr.msg_controllen = sizeof(union control);
    }
    return recvmmsg(fd, scratch->headers, (unsigned int)slots, MSG_DONTWAIT, NULL);
}


/* Receiving ahead */

/* A thread that receives into bounded memory, so that the kernel's queue stays short while Python
 * works. What it receives is in a list of chunks. receive() takes the first one. */
struct chunk {
    struct chunk *next;
    int error;            /* errno of the kernel at this place of the stream, instead of datagrams */
    int64_t drops;        /* with ENOBUFS: the drop counter of the socket, when its queue was empty */
    uint32_t size, used;  /* bytes of data */
    uint32_t count;       /* datagrams */
    struct index_entry index[CHUNK_DATAGRAMS];
    unsigned char data[];
};

struct reader {
    int fd;
    int stop;                 /* an eventfd that ends the thread */
    int ready;                /* an eventfd that is readable while there are chunks */
    size_t limit;
    struct scratch *scratch;
    pthread_t thread;
    int wanted;               /* begin_receive() was called */
    pid_t process;            /* in which the thread runs, or is being started; else 0 */
    int running;              /* the thread can be joined */
    atomic_int idle;          /* the thread waits for datagrams */
    struct chunk *taken;      /* by receive(), and not yet delivered */
    int64_t drops;            /* of the last overrun that receive() reported */
    pthread_mutex_t lock;     /* for the rest, and for the chunks of the list */
    pthread_cond_t room;
    struct chunk *first, *last;
    size_t queued;            /* bytes of memory */
    int stopping;
};

static struct index_entry describe(struct mmsghdr *header, uint32_t offset);
static uint32_t align(uint32_t offset);
static void trim(struct scratch *scratch, int count);
static struct scratch *map(size_t slots);
static int receive_now(int fd, struct scratch *scratch, size_t slots);

static int is_reading(RawSocket *self)
{
    return self->reader != NULL && self->reader->process != 0;
}

static int64_t count_drops(int fd)  /* -1 before Linux 4.12 */
{
    uint32_t values[MEMINFO_DROPS + 1] = {0};
    socklen_t length = sizeof(values);

    if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, values, &length) < 0 || length < sizeof(values))
        return -1;
    return values[MEMINFO_DROPS];
}

/* Add a chunk for `size` bytes of data. Returns NULL without memory. The caller holds the lock. */
static struct chunk *add_chunk(struct reader *reader, uint32_t size)
{
    struct chunk *chunk = malloc(sizeof(*chunk) + size);

    if (chunk == NULL)
        return NULL;
    chunk->next = NULL;
    chunk->error = 0;
    chunk->size = size;
    chunk->used = chunk->count = 0;
    chunk->drops = 0;
    reader->queued += sizeof(*chunk) + size;
    if (reader->last != NULL)
        reader->last->next = chunk;
    else
        reader->first = chunk;
    reader->last = chunk;
    return chunk;
}

/* Copy the datagrams from `start` on. Returns the number of the first one for which there is no
 * memory, or `count`. */
static int store(struct reader *reader, int start, int count)
{
    pthread_mutex_lock(&reader->lock);
    const int was_empty = reader->first == NULL;
    for (; start < count; start++) {
        struct mmsghdr *header = &reader->scratch->headers[start];
        struct chunk *chunk = reader->last;
        uint32_t offset = chunk == NULL ? 0 : align(chunk->used);
        if (chunk == NULL || chunk->error || chunk->count == CHUNK_DATAGRAMS ||
            offset > chunk->size || header->msg_len > chunk->size - offset) {
            chunk = add_chunk(reader, header->msg_len > CHUNK_SIZE ? header->msg_len : CHUNK_SIZE);
            if (chunk == NULL)
                break;
            offset = 0;
        }
        memset(chunk->data + chunk->used, 0, offset - chunk->used);
        memcpy(chunk->data + offset, slot(reader->scratch, (size_t)start), header->msg_len);
        chunk->index[chunk->count++] = describe(header, offset);
        chunk->used = offset + header->msg_len;
    }
    if (was_empty && reader->first != NULL)
        eventfd_write(reader->ready, 1);
    pthread_mutex_unlock(&reader->lock);
    return start;
}

/* Store an error after the datagrams before it. Returns -1 without memory. */
static int store_error(struct reader *reader, int error)
{
    pthread_mutex_lock(&reader->lock);
    const int was_empty = reader->first == NULL;
    struct chunk *chunk = add_chunk(reader, 0);
    if (chunk != NULL) {
        chunk->error = error;
        chunk->drops = error == ENOBUFS ? count_drops(reader->fd) : 0;
        if (was_empty)
            eventfd_write(reader->ready, 1);
    }
    pthread_mutex_unlock(&reader->lock);
    return chunk == NULL ? -1 : 0;
}

/* Wait until less than the limit is queued. Returns 0 if the thread must end. */
static int wait_for_room(struct reader *reader)
{
    pthread_mutex_lock(&reader->lock);
    while (reader->queued >= reader->limit && !reader->stopping)
        pthread_cond_wait(&reader->room, &reader->lock);
    const int stopping = reader->stopping;
    pthread_mutex_unlock(&reader->lock);
    return !stopping;
}

/* Wait for datagrams, the end of the thread or, if it is not -1, for some milliseconds. */
static void wait_for_input(struct reader *reader, int milliseconds)
{
    struct pollfd polls[] = {{reader->stop, POLLIN, 0}, {reader->fd, POLLIN, 0}};

    poll(polls, milliseconds < 0 ? 2 : 1, milliseconds);
}

/* After ENOBUFS the kernel drops everything until its queue is empty, and all that is in the queue
 * is older than the loss (netlink_overrun() in net/netlink/af_netlink.c). So the error is stored
 * when the queue was empty. Without memory the thread tries again. */
static void *read_ahead(void *argument)
{
    struct reader *reader = argument;
    int error = 0;

    while (wait_for_room(reader)) {
        atomic_store(&reader->idle, 0);
        int count = receive_now(reader->fd, reader->scratch, READER_SLOTS);
        if (count > 0) {
            int stored = store(reader, 0, count);
            while (stored < count && wait_for_room(reader)) {
                wait_for_input(reader, 1);
                stored = store(reader, stored, count);
            }
            trim(reader->scratch, count);
            /* The queue was empty. A full receive would put the error after ever more datagrams. */
            if (error != 0 && count < READER_SLOTS && store_error(reader, error) == 0)
                error = 0;
        } else if (errno == EAGAIN) {
            if (error == 0) {
                atomic_store(&reader->idle, 1);
                wait_for_input(reader, -1);
            } else if (store_error(reader, error) == 0)
                error = 0;
            else
                wait_for_input(reader, 1);
        } else if (errno != EINTR && errno != EINVAL) {  /* EINVAL: see retry() */
            error = error == ENOBUFS ? error : errno;
        }
    }
    return NULL;
}

static int new_reader(RawSocket *self, size_t limit)
{
    struct epoll_event event = {.events = EPOLLIN};
    struct reader *reader = calloc(1, sizeof(*reader));

    if (reader == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    pthread_mutex_init(&reader->lock, NULL);
    pthread_cond_init(&reader->room, NULL);
    self->reader = reader;
    reader->limit = limit;
    reader->fd = self->fd;
    reader->ready = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    reader->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    const int waits = epoll_create1(EPOLL_CLOEXEC);
    if (waits >= 0)
        self->waits = waits;
    if (reader->ready < 0 || reader->stop < 0 || waits < 0 ||
        epoll_ctl(waits, EPOLL_CTL_ADD, self->fd, &event) < 0)
        return fail();
    return 0;
}

static void free_reader(struct reader *reader)
{
    if (reader == NULL)
        return;
    if (reader->process == 0) {  /* else this is a forked child, and the lock may be locked */
        pthread_mutex_destroy(&reader->lock);
        pthread_cond_destroy(&reader->room);
    }
    while (reader->first != NULL) {
        struct chunk *chunk = reader->first;
        reader->first = chunk->next;
        free(chunk);
    }
    free(reader->taken);
    unmap(reader->scratch, READER_SLOTS);
    if (reader->ready >= 0)
        close(reader->ready);
    if (reader->stop >= 0)
        close(reader->stop);
    free(reader);
}

/* Start the thread, if it is wanted and does not run. No call may be receiving from the socket then,
 * because datagrams would get out of order. */
static int start_reader(RawSocket *self)
{
    struct epoll_event event = {.events = EPOLLIN};
    struct reader *reader = self->reader;
    int error = 0;

    if (reader == NULL || !reader->wanted || reader->process != 0)
        return 0;
    reader->process = getpid();  /* no other call starts it too */
    Py_BEGIN_ALLOW_THREADS
    if (reader->scratch == NULL)
        reader->scratch = map(READER_SLOTS);
    if (reader->scratch == NULL || epoll_ctl(self->waits, EPOLL_CTL_DEL, self->fd, &event) < 0 ||
        epoll_ctl(self->waits, EPOLL_CTL_ADD, reader->ready, &event) < 0)
        error = errno;
    if (error == 0)
        error = start_thread(&reader->thread, read_ahead, reader);
    if (error != 0) {  /* as before */
        epoll_ctl(self->waits, EPOLL_CTL_DEL, reader->ready, &event);
        epoll_ctl(self->waits, EPOLL_CTL_ADD, self->fd, &event);
    }
    Py_END_ALLOW_THREADS
    if (error == 0) {
        reader->running = 1;
        if (self->closed)  /* meanwhile */
            join_reader(self);
        return 0;
    }
    reader->process = 0;
    reader->wanted = 0;  /* or every later receive would fail */
    errno = error;
    return fail();
}

/* End the thread, if it runs in this process. */
static void join_reader(RawSocket *self)
{
    struct reader *reader = self->reader;

    if (reader == NULL || reader->process != getpid() || !reader->running)
        return;
    reader->running = 0;
    Py_BEGIN_ALLOW_THREADS
    pthread_mutex_lock(&reader->lock);
    reader->stopping = 1;
    pthread_cond_signal(&reader->room);
    pthread_mutex_unlock(&reader->lock);
    eventfd_write(reader->stop, 1);
    pthread_join(reader->thread, NULL);
    Py_END_ALLOW_THREADS
    reader->process = 0;
}


/* Take the first chunk, or return NULL. Called without the GIL. */
static struct chunk *take_chunk(struct reader *reader)
{
    eventfd_t value;

    pthread_mutex_lock(&reader->lock);
    struct chunk *chunk = reader->first;
    if (chunk != NULL) {
        reader->first = chunk->next;
        reader->queued -= sizeof(*chunk) + chunk->size;
        if (reader->first == NULL) {
            reader->last = NULL;
            eventfd_read(reader->ready, &value);
        }
        pthread_cond_signal(&reader->room);
    }
    pthread_mutex_unlock(&reader->lock);
    return chunk;
}

/* Whether the thread has received all that the kernel has. It clears `idle` before it receives, and
 * until then what is to be received makes the socket readable. */
static int has_all(struct reader *reader)
{
    struct pollfd polls[] = {{reader->fd, POLLIN, 0}};

    return atomic_load(&reader->idle) && poll(polls, 1, 0) == 0 && atomic_load(&reader->idle);
}

/* Take the first chunk. If there is none, give the thread LEAST_WAIT for what the kernel has. */
static struct chunk *take_soon(struct reader *reader)
{
    struct pollfd polls[] = {{reader->ready, POLLIN, 0}};
    const int64_t end = monotonic() + LEAST_WAIT;

    for (;;) {
        const int is_all = has_all(reader) || monotonic() > end;
        struct chunk *chunk = take_chunk(reader);
        if (chunk != NULL || is_all)
            return chunk;
        poll(polls, 1, 1);
    }
}

/* Take what the thread has received. Returns 1, or -1 with errno. */
static int take_ahead(RawSocket *self)
{
    struct reader *reader = self->reader;
    struct chunk *chunk = reader->taken;

    if (chunk == NULL) {
        Py_BEGIN_ALLOW_THREADS
        chunk = take_soon(reader);
        Py_END_ALLOW_THREADS
    }
    reader->taken = NULL;
    if (chunk == NULL) {
        errno = EAGAIN;
        return -1;
    }
    if (chunk->error == 0) {
        reader->taken = chunk;
        return 1;
    }
    const int error = chunk->error;
    if (error == ENOBUFS)
        reader->drops = chunk->drops;
    free(chunk);
    errno = error;
    return -1;
}

/* Receive into the slots, or take what the thread has received. Returns the number of datagrams,
 * or FAILED or OUSTED. With `brief`, it is 0 if a signal has interrupted the wait, whose handler may
 * have received what the caller wants. */
static int fill(RawSocket *self, size_t slots, int64_t deadline, int brief)
{
    int count, next = check_signals(self, POLLIN);

    if (next < 0)
        return next;
    do {
        if (brief && next == SIGNALLED)
            return 0;
        if (start_reader(self) < 0)
            return FAILED;
        if (is_reading(self)) {
            if (self->reader->process != getpid()) {
                PyErr_SetString(PyExc_RuntimeError, "the thread that reads ahead did not survive "
                                "fork(): the child process must open a socket of its own");
                return FAILED;
            }
            count = take_ahead(self);
            continue;
        }
        if (reserve(self, slots) < 0)
            return FAILED;
        Py_BEGIN_ALLOW_THREADS
        count = receive_now(self->fd, self->scratch, slots);
        Py_END_ALLOW_THREADS
    } while (count < 0 && (next = retry(self, POLLIN, deadline)) >= 0);
    return count < 0 ? next : count;
}

static struct index_entry describe(struct mmsghdr *header, uint32_t offset)
{
    struct msghdr *message = &header->msg_hdr;
    const struct sockaddr_nl *sender = message->msg_name;
    struct index_entry record = {
        .offset = offset,
        .length = header->msg_len,
        .port = sender->nl_pid,
        .nsid = -1,
        .flags = (uint32_t)message->msg_flags,
    };
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level == SOL_NETLINK && c->cmsg_type == NETLINK_PKTINFO)
            memcpy(&record.group, CMSG_DATA(c), sizeof(record.group));
        else if (c->cmsg_level == SOL_NETLINK && c->cmsg_type == NETLINK_LISTEN_ALL_NSID)
            memcpy(&record.nsid, CMSG_DATA(c), sizeof(record.nsid));
    }
    return record;
}

static uint32_t align(uint32_t offset)  /* NLMSG_ALIGN() */
{
    return (offset + 3) & ~UINT32_C(3);
}

/* Copy the first slots to (data, index). */
static PyObject *deliver(struct scratch *scratch, int count)
{
    PyObject *index = NULL, *result = NULL;
    uint32_t end = 0;

    for (int i = 0; i < count; i++)
        end = align(end) + scratch->headers[i].msg_len;
    PyObject *data = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)end);
    if (data != NULL)
        index = PyBytes_FromStringAndSize(NULL, count * (Py_ssize_t)sizeof(struct index_entry));
    if (index == NULL)
        goto done;
    unsigned char *bytes = (unsigned char *)PyBytes_AS_STRING(data);
    unsigned char *records = (unsigned char *)PyBytes_AS_STRING(index);
    end = 0;
    for (int i = 0; i < count; i++) {
        const struct index_entry record = describe(&scratch->headers[i], align(end));
        unsigned char *source = slot(scratch, (size_t)i);

        memset(bytes + end, 0, record.offset - end);
        memcpy(bytes + record.offset, source, record.length);
        memcpy(records + (size_t)i * sizeof(record), &record, sizeof(record));
        end = record.offset + record.length;
    }
    result = PyTuple_Pack(2, data, index);
done:
    Py_XDECREF(data);
    Py_XDECREF(index);
    return result;
}

static PyObject *deliver_chunk(struct chunk *chunk)
{
    return Py_BuildValue("(y#y#)", chunk->data, (Py_ssize_t)chunk->used, chunk->index,
                         (Py_ssize_t)(chunk->count * sizeof(struct index_entry)));
}

/* The kernel sends dumps in parts of at most 32 KiB (netlink_dump()). The rare datagram that is
 * larger returns its memory here. */
static void trim(struct scratch *scratch, int count)
{
    for (int i = 0; i < count; i++)
        if (scratch->headers[i].msg_len > SLOT_KEPT)
            madvise(slot(scratch, (size_t)i) + SLOT_KEPT, scratch->headers[i].msg_len - SLOT_KEPT,
                    MADV_DONTNEED);
}

PyDoc_STRVAR(begin_receive_doc,
"begin_receive($self, /)\n--\n\n"
"Start the thread that receives ahead, of a socket that was opened with read_ahead.\n\n"
"Starting it twice is allowed. The thread never takes the GIL. When read_ahead bytes of memory are in\n"
"use, it stops receiving, and then the kernel drops what its buffer cannot hold. close() ends it.\n"
"From now on receive() returns what the thread has received, up to 64 KiB or one larger datagram, and\n"
"ignores max_datagrams. It raises OSError (ENOBUFS) after all datagrams that are older than the loss.\n"
"The thread does not survive a fork: then receive() raises RuntimeError in the child process.");

static PyObject *RawSocket_begin_receive(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    RawSocket *self = enter(object);
    int failed = 0;

    if (self == NULL)
        return NULL;
    if (self->reader == NULL) {
        PyErr_SetString(PyExc_ValueError,
                        "the socket was opened without read_ahead: RawSocket(..., read_ahead=BYTES)");
        failed = -1;
    } else {
        self->reader->wanted = 1;
        if (!self->receiving)
            failed = start_reader(self);
        else if (self->wake >= 0)  /* the call that receives will start the thread */
            eventfd_write(self->wake, 1);
    }
    leave(self);
    return none_unless(failed);
}

PyDoc_STRVAR(receive_doc,
"receive($self, /, timeout=None, inbox=None, max_datagrams=16)\n--\n\n"
"Wait for datagrams and return (data, index) of all that have arrived, up to max_datagrams.\n\n"
"With a list as inbox, append the pair to it and return None. Then no exception of a signal handler\n"
"can separate the pair from the caller. The call may end without a pair after a signal.\n\n"
"data contains the datagrams, each at an offset that is a multiple of 4, with zeros between them.\n"
"index has one struct of netlink._core.INDEX_FORMAT for each datagram: its offset and length in\n"
"data; the port of the sender (0 is the kernel); the multicast group, or 0 if it was sent to this\n"
"socket alone; the network namespace ID if NETLINK_LISTEN_ALL_NSID is set, else -1; the flags of\n"
"recvmsg(2). A datagram larger than 1 MiB is truncated, and its flags have MSG_TRUNC.\n\n"
"timeout is in seconds, None waits forever, and max_datagrams is from 1 to 64. If nothing arrives\n"
"in time, receive() raises TimeoutError. With timeout 0 it raises BlockingIOError instead of\n"
"waiting. OSError (ENOBUFS) means that the kernel dropped datagrams because the receive buffer\n"
"was full. The socket stays usable. Only one thread may receive at a time, another one gets\n"
"RuntimeError. Other threads may send and close meanwhile.\n\n"
"    data, index = sock.receive()\n"
"    for offset, length, *_ in struct.iter_unpack(INDEX_FORMAT, index):\n"
"        print(data[offset : offset + length])");

static PyObject *RawSocket_receive(PyObject *object, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"timeout", "inbox", "max_datagrams", NULL};
    int64_t deadline = FOREVER;
    int max_datagrams = 16;
    PyObject *inbox = Py_None, *result = NULL;

    if (kwargs == NULL && PyTuple_GET_SIZE(args) == 3) {  /* as a connection calls it */
        long long most;
        if (!as_deadline(PyTuple_GET_ITEM(args, 0), &deadline) ||
            !as_number(PyTuple_GET_ITEM(args, 2), MAX_DATAGRAMS, &most))
            return NULL;
        inbox = PyTuple_GET_ITEM(args, 1);
        max_datagrams = (int)most;
    } else if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O&Oi:receive", keywords, as_deadline,
                                            &deadline, &inbox, &max_datagrams))
        return NULL;
    if (inbox != Py_None && !PyList_CheckExact(inbox))
        return PyErr_Format(PyExc_TypeError, "receive() expects a list as inbox, got %.200s",
                            Py_TYPE(inbox)->tp_name);
    if (max_datagrams < 1 || max_datagrams > MAX_DATAGRAMS)
        return PyErr_Format(PyExc_ValueError, "max_datagrams must be from 1 to %d, got %d",
                            MAX_DATAGRAMS, max_datagrams);
    RawSocket *self = enter(object);
    if (self == NULL)
        return NULL;
    if (self->receiving) {
        fail_receiving();
        leave(self);
        return NULL;
    }
    self->receiving = 1;
    int count = self->undelivered;
    if (count == 0)
        count = fill(self, (size_t)max_datagrams, deadline, inbox != Py_None);
    if (count > 0) {
        struct chunk *chunk = self->reader == NULL ? NULL : self->reader->taken;
        if (chunk == NULL)
            self->undelivered = count;  /* in case of an exception */
        result = chunk == NULL ? deliver(self->scratch, count) : deliver_chunk(chunk);
        if (result != NULL && inbox != Py_None) {
            if (PyList_Append(inbox, result) < 0)
                Py_CLEAR(result);
            else
                Py_SETREF(result, Py_NewRef(Py_None));
        }
        if (result != NULL && chunk != NULL) {
            self->reader->taken = NULL;
            free(chunk);
        } else if (result != NULL) {
            self->undelivered = 0;
            trim(self->scratch, count);
        }
    } else if (count == 0)
        result = Py_NewRef(Py_None);
    if (count != OUSTED)
        self->receiving = 0;
    leave(self);
    return result;
}


/* Options that are on or off. Each row is a property of RawSocket, and a keyword of Connection. */
struct option {
    int level;
    int number;
};

static const struct option pktinfo = {SOL_NETLINK, NETLINK_PKTINFO};
static const struct option broadcast_error = {SOL_NETLINK, NETLINK_BROADCAST_ERROR};
static const struct option no_enobufs = {SOL_NETLINK, NETLINK_NO_ENOBUFS};
static const struct option listen_all_nsid = {SOL_NETLINK, NETLINK_LISTEN_ALL_NSID};
static const struct option cap_ack = {SOL_NETLINK, NETLINK_CAP_ACK};
static const struct option ext_ack = {SOL_NETLINK, NETLINK_EXT_ACK};
static const struct option strict_check = {SOL_NETLINK, NETLINK_GET_STRICT_CHK};

static PyObject *RawSocket_is_on(PyObject *object, void *closure)
{
    const struct option *option = closure;
    socklen_t length = sizeof(int);
    int value = 0;

    if (get_option(object, option->level, option->number, &value, &length) < 0)
        return NULL;
    return PyBool_FromLong(value);
}

static int RawSocket_turn(PyObject *object, PyObject *value, void *closure)
{
    const struct option *option = closure;

    if (value == NULL || !PyBool_Check(value)) {
        PyErr_Format(PyExc_TypeError, "expected True or False, got %R",
                     value == NULL ? Py_None : value);
        return -1;
    }
    const int number = value == Py_True;
    return set_option(object, option->level, option->number, &number, sizeof(number));
}

#define OPTION(name, text) {#name, RawSocket_is_on, RawSocket_turn, text, (void *)&name}

static PyObject *RawSocket_reads_ahead(PyObject *object, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(is_reading((RawSocket *)object));
}

static PyObject *RawSocket_drops(PyObject *object, void *Py_UNUSED(closure))
{
    RawSocket *self = enter(object);

    if (self == NULL)
        return NULL;
    const int64_t drops = is_reading(self) ? self->reader->drops : count_drops(self->fd);
    leave(self);
    return drops < 0 ? Py_NewRef(Py_None) : PyLong_FromLongLong(drops);
}


/* The type */

PyDoc_STRVAR(RawSocket_doc,
"RawSocket(protocol, *, netns=None, rcvbuf=None, sndbuf=None, read_ahead=None)\n--\n\n"
"A netlink socket that sends and receives datagrams without looking into them.\n\n"
"protocol is a number of linux/netlink.h (NETLINK_ROUTE is 0). netns is a file descriptor of the\n"
"network namespace in which the socket is opened (a file of /run/netns, or /proc/PID/ns/net). The\n"
"calling thread stays in its own namespace. rcvbuf and sndbuf are in bytes. With CAP_NET_ADMIN\n"
"they may exceed net.core.rmem_max and net.core.wmem_max, otherwise the kernel reduces them to\n"
"these. With read_ahead, begin_receive() starts a thread that receives into this many bytes of\n"
"memory; rcvbuf is as large then, unless it is given, and fileno() is the same descriptor before and\n"
"after the start. The socket is closed on exec and has NETLINK_PKTINFO set. The caller sets all other\n"
"options with setsockopt().\n\n"
"A failed system call raises OSError with its errno. Every method of a closed socket except\n"
"close() raises OSError (EBADF). Threads may share a socket, but only one of them may receive.\n\n"
"    with RawSocket(NETLINK_ROUTE) as sock:\n"
"        sock.join(RTNLGRP_LINK)\n"
"        data, index = sock.receive()");

#define KEYWORDS(function) ((PyCFunction)(void (*)(void))function), METH_VARARGS | METH_KEYWORDS

static PyMethodDef RawSocket_methods[] = {
    {"bind", KEYWORDS(RawSocket_bind), bind_doc},
    {"join", RawSocket_join, METH_O, join_doc},
    {"leave", RawSocket_leave, METH_O, leave_doc},
    {"groups", RawSocket_groups, METH_NOARGS, groups_doc},
    {"ifindex", RawSocket_ifindex, METH_O, ifindex_doc},
    {"namespace", RawSocket_namespace, METH_NOARGS, namespace_doc},
    {"setsockopt", RawSocket_setsockopt, METH_VARARGS, setsockopt_doc},
    {"getsockopt", RawSocket_getsockopt, METH_VARARGS, getsockopt_doc},
    {"attach_filter", RawSocket_attach_filter, METH_O, attach_filter_doc},
    {"detach_filter", RawSocket_detach_filter, METH_NOARGS, detach_filter_doc},
    {"lock_filter", RawSocket_lock_filter, METH_NOARGS, lock_filter_doc},
    {"send", (PyCFunction)(void (*)(void))RawSocket_send, METH_FASTCALL | METH_KEYWORDS, send_doc},
    {"begin_send", RawSocket_begin_send, METH_O, begin_send_doc},
    {"end_send", RawSocket_end_send, METH_NOARGS, end_send_doc},
    {"begin_receive", RawSocket_begin_receive, METH_NOARGS, begin_receive_doc},
    {"receive", KEYWORDS(RawSocket_receive), receive_doc},
    {"fileno", RawSocket_fileno, METH_NOARGS, fileno_doc},
    {"close", RawSocket_close, METH_NOARGS, close_doc},
    {"__enter__", RawSocket_enter, METH_NOARGS, enter_doc},
    {"__exit__", RawSocket_close, METH_VARARGS, exit_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef RawSocket_properties[] = {
    {"port", RawSocket_port, NULL,
     "The port number of the socket, 0 before bind() and the first send.", NULL},
    {"rcvbuf", RawSocket_buffer_size, RawSocket_set_buffer_size,
     "The size of the receive buffer in bytes. The kernel doubles the requested size, because its\n"
     "own overhead counts too (socket(7)). It may be set at any time: see rcvbuf of the constructor.",
     (void *)(intptr_t)SO_RCVBUF},
    {"sndbuf", RawSocket_buffer_size, RawSocket_set_buffer_size,
     "The size of the send buffer in bytes. The kernel doubles the requested size here too.",
     (void *)(intptr_t)SO_SNDBUF},
    {"drops", RawSocket_drops, NULL,
     "The number of datagrams that the kernel dropped because the receive buffer was full, modulo\n"
     "2**32. While a thread receives ahead, it is the number at the last ENOBUFS that receive() raised.\n"
     "None before Linux 4.12 (SO_MEMINFO).",
     NULL},
    {"reads_ahead", RawSocket_reads_ahead, NULL, "Whether a thread receives ahead.", NULL},
    OPTION(pktinfo, "Whether receive() knows the group of a datagram (NETLINK_PKTINFO). It is on."),
    OPTION(broadcast_error, "Whether a send to a group fails if a member lost the datagram\n"
           "(NETLINK_BROADCAST_ERROR)."),
    OPTION(no_enobufs, "Whether a full receive buffer goes unreported (NETLINK_NO_ENOBUFS). Then only\n"
           "`drops` shows a loss, and nothing shows its place."),
    OPTION(listen_all_nsid, "Whether events of other network namespaces are received too, of those that\n"
           "have an ID in the namespace of the socket (NETLINK_LISTEN_ALL_NSID)."),
    OPTION(cap_ack, "Whether an ACK contains only the header of the request (NETLINK_CAP_ACK)."),
    OPTION(ext_ack, "Whether errors have the kernel's message (NETLINK_EXT_ACK)."),
    OPTION(strict_check, "Whether the kernel checks and applies the filters of dump requests\n"
           "(NETLINK_GET_STRICT_CHK)."),
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef RawSocket_members[] = {
    {"protocol", T_INT, offsetof(RawSocket, protocol), READONLY, "The protocol number."},
    {"closed", T_BOOL, offsetof(RawSocket, closed), READONLY, "Whether close() was called."},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot RawSocket_slots[] = {
    {Py_tp_doc, (void *)RawSocket_doc},
    {Py_tp_new, RawSocket_new},
    {Py_tp_finalize, RawSocket_finalize},
    {Py_tp_dealloc, RawSocket_dealloc},
    {Py_tp_repr, RawSocket_repr},
    {Py_tp_methods, RawSocket_methods},
    {Py_tp_getset, RawSocket_properties},
    {Py_tp_members, RawSocket_members},
    {0, NULL},
};

static PyType_Spec RawSocket_spec = {
    .name = "netlink._nlsock.RawSocket",
    .basicsize = sizeof(RawSocket),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = RawSocket_slots,
};


/* The module */

PyDoc_STRVAR(unshare_doc,
"unshare(flags, /)\n--\n\n"
"Move the calling thread into new namespaces. See unshare(2). os.unshare() needs Python 3.12.");

static PyObject *nlsock_unshare(PyObject *Py_UNUSED(module), PyObject *args)
{
    int flags, result;

    if (!PyArg_ParseTuple(args, "i:unshare", &flags))
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    result = unshare(flags);
    Py_END_ALLOW_THREADS
    return none_unless(result < 0 && fail());
}

PyDoc_STRVAR(setns_doc,
"setns(fd, nstype, /)\n--\n\n"
"Move the calling thread into the namespace of a file descriptor. See setns(2).\n\n"
"nstype is the CLONE_NEW* constant that the namespace must match, 0 for any. os.setns() needs\n"
"Python 3.12.");

static PyObject *nlsock_setns(PyObject *Py_UNUSED(module), PyObject *args)
{
    int fd, nstype, result;

    if (!PyArg_ParseTuple(args, "ii:setns", &fd, &nstype))
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    result = setns(fd, nstype);
    Py_END_ALLOW_THREADS
    return none_unless(result < 0 && fail());
}

static PyMethodDef nlsock_functions[] = {
    {"unshare", nlsock_unshare, METH_VARARGS, unshare_doc},
    {"setns", nlsock_setns, METH_VARARGS, setns_doc},
    {NULL, NULL, 0, NULL},
};

static int nlsock_exec(PyObject *module)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &RawSocket_spec, NULL);
    int failed = type == NULL || PyModule_AddType(module, (PyTypeObject *)type) < 0 ||
                 PyModule_AddIntMacro(module, SOL_NETLINK) < 0 ||
                 PyModule_AddIntMacro(module, NETLINK_BROADCAST_ERROR) < 0 ||
                 PyModule_AddIntMacro(module, NETLINK_NO_ENOBUFS) < 0 ||
                 PyModule_AddIntMacro(module, NETLINK_LISTEN_ALL_NSID) < 0 ||
                 PyModule_AddIntMacro(module, NETLINK_CAP_ACK) < 0 ||
                 PyModule_AddIntMacro(module, NETLINK_EXT_ACK) < 0 ||
                 PyModule_AddIntMacro(module, NETLINK_GET_STRICT_CHK) < 0 ||
                 PyModule_AddIntMacro(module, CLONE_NEWNET) < 0 ||
                 PyModule_AddIntMacro(module, CLONE_NEWUSER) < 0;

    Py_XDECREF(type);
    return failed ? -1 : 0;
}

static PyModuleDef_Slot nlsock_slots[] = {
    {Py_mod_exec, nlsock_exec},
#ifdef Py_mod_multiple_interpreters  /* Python 3.12 */
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
    {0, NULL},
};

static struct PyModuleDef nlsock_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "netlink._nlsock",
    .m_doc = "The system calls of a netlink socket. This module knows no message formats.",
    .m_methods = nlsock_functions,
    .m_slots = nlsock_slots,
};

PyMODINIT_FUNC PyInit__nlsock(void)
{
    return PyModuleDef_Init(&nlsock_module);
}
