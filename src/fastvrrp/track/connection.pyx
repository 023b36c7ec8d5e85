"""Connections that are made only to see if they can be: few system calls, in one call from Python.

A hundred services can be asked every 100 ms so. A TCP connection is reset before the peer's kernel has
heard that we know of it (its confirmation is held back): no program there is woken, and no port stays
in TIME_WAIT, of which a thousand connections a second would soon take them all.
"""

from libc.errno cimport EALREADY, EINPROGRESS, EISCONN, errno
from libc.string cimport memcpy, memset
from posix.unistd cimport close as close_fd

cdef extern from "<sys/socket.h>" nogil:
    int AF_UNIX
    int AF_UNSPEC
    int SOCK_STREAM
    int SOCK_NONBLOCK
    int SOCK_CLOEXEC
    int SOL_SOCKET
    int SO_LINGER
    ctypedef unsigned int socklen_t
    cdef struct sockaddr:
        unsigned short sa_family
    cdef struct sockaddr_storage:
        unsigned short ss_family
    cdef struct linger:
        int l_onoff
        int l_linger
    int socket(int domain, int kind, int protocol)
    int connect(int fd, const sockaddr* address, socklen_t length)
    int setsockopt(int fd, int level, int name, const void* value, socklen_t length)

cdef extern from "<netinet/in.h>" nogil:
    int IPPROTO_TCP

cdef extern from "<netinet/tcp.h>" nogil:
    int TCP_QUICKACK

cdef enum:
    WAITING = -1


cdef class Connection:
    """One attempt after the other to connect to a struct sockaddr, of at most 128 bytes.

    `attempt` and `outcome` return 0: connected, and disconnected again; an errno: it cannot be; or -1:
    `fileno()` becomes writable when it is known.
    """

    def __cinit__(self, bytes address):
        if not 2 < len(address) <= <Py_ssize_t>sizeof(sockaddr_storage):
            raise ValueError("this is no struct sockaddr")
        self.fd = -1
        self.is_waiting = False
        self.address = address

    def __dealloc__(self):
        if self.address is not None:  # else the arguments were refused: every field is still 0
            self.close()

    cpdef int attempt(self) except? -1:
        """Begin to connect."""
        cdef linger reset
        cdef int off = 0
        cdef int family = (<const unsigned short*><const char*>self.address)[0]
        cdef int code
        if self.fd < 0:
            self.fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
            if self.fd < 0:
                return errno
            if family != AF_UNIX:
                reset.l_onoff, reset.l_linger = 1, 0
                setsockopt(self.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset))
        if family != AF_UNIX:
            setsockopt(self.fd, IPPROTO_TCP, TCP_QUICKACK, &off, sizeof(off))
        code = self.ask()
        if code == EINPROGRESS:  # a service of this host has answered by now
            code = self.ask()
        return self.settle(code, False)

    cpdef int outcome(self) except? -1:
        """Tell what has become of the attempt that was waited for."""
        return self.settle(self.ask(), True)

    cpdef int fileno(self) noexcept:
        """Return the descriptor that is waited for, -1 if none is."""
        return self.fd if self.is_waiting else -1

    cpdef int close(self) noexcept:
        """Give up; may be repeated, and `attempt` begins anew."""
        self.is_waiting = False
        if self.fd >= 0:
            close_fd(self.fd)
            self.fd = -1
        return 0

    cdef int ask(self) noexcept:
        """Begin to connect, or see what has become of it: 0, or an errno."""
        cdef sockaddr_storage room
        cdef size_t length = len(self.address)
        memset(&room, 0, sizeof(room))
        memcpy(&room, <const char*>self.address, length)
        return 0 if connect(self.fd, <const sockaddr*>&room, <socklen_t>length) == 0 else errno

    cdef int settle(self, int code, bint waited) noexcept:
        """Disconnect, if it is known what has become of it. A socket that was connected at once is used
        again, which saves half of the calls; one that somebody waits for may not be, he would go on."""
        cdef sockaddr nowhere
        if code == EALREADY or code == EINPROGRESS:
            self.is_waiting = True
            return WAITING
        if code == EISCONN:
            code = 0
        memset(&nowhere, 0, sizeof(nowhere))
        nowhere.sa_family = AF_UNSPEC
        if waited or code != 0 or connect(self.fd, &nowhere, sizeof(nowhere)) != 0:
            self.close()
        return code
