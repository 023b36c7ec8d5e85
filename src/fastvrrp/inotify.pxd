"""Changes in directories as a file descriptor (inotify(7))."""

cpdef int create() except -1
cpdef int watch(int fd, bytes directory) except -1
cpdef int forget(int fd, int watched) except -1
cpdef tuple read(int fd)
