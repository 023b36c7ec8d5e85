"""Starts a program without stalling the other threads; the Python face of `csrc/spawn.c`."""

import os

from cpython.mem cimport PyMem_Free, PyMem_Malloc
from posix.types cimport gid_t

from fastvrrp.children.spawn cimport (
    FV_SPAWN_CLOSE,
    FV_SPAWN_EXEC,
    FV_SPAWN_FORK,
    FV_SPAWN_NOTHING,
    FV_SPAWN_PARENT,
    FV_SPAWN_PIDFD,
    FV_SPAWN_SETUP,
    FV_SPAWN_USER,
    fv_spawn,
    fv_spawn_t,
    fv_spawned_t,
)

cdef dict STEPS = {
    FV_SPAWN_FORK: "fork",
    FV_SPAWN_PIDFD: "pidfd_open",
    FV_SPAWN_SETUP: "/dev/null",
    FV_SPAWN_CLOSE: "close_range",
    FV_SPAWN_USER: "user",
    FV_SPAWN_PARENT: "parent",
    FV_SPAWN_EXEC: "exec",
}


class SpawnError(OSError):
    """A program could not be started: `step` says at what, `errno` why."""

    def __init__(self, error: int, step: str, path: str) -> None:
        super().__init__(error, os.strerror(error), path)
        self.step = step


cdef char** _vector(list words) except NULL:
    """Return the pointers to the content of `words` (bytes, which must outlive them), and NULL."""
    cdef Py_ssize_t i
    cdef char** vector = <char**>PyMem_Malloc((len(words) + 1) * sizeof(char*))
    if vector == NULL:
        raise MemoryError
    for i in range(len(words)):
        vector[i] = <char*><bytes>words[i]
    vector[len(words)] = NULL
    return vector


cdef list _encode(words: list):
    """Return `words` as the file system encodes them; raises ValueError for one with a NUL."""
    encoded = [os.fsencode(word) for word in words]
    if any(b"\0" in word for word in encoded):
        raise ValueError("a word of a command contains a NUL character")
    return encoded


def spawn(argv, *, path, env, credentials=None, no_new_privs=False):
    """Start `path` with `argv` and exactly the environment `env`; return (pid, pidfd).

    The program leads its own session and process group, has /dev/null as stdio and no other descriptor,
    working directory "/", umask 022, default signals. `credentials` None: it runs as we do. `no_new_privs`:
    sudo, and file capabilities such as ping's, will not work in it. The caller owns `pidfd`, which becomes
    readable when the program ends, and must collect the status.

    The kernel sends the program SIGTERM when the calling *thread* ends: call it from one that lives on.

    Blocks until the program is executed, typically below 1 ms, without the GIL. Raises SpawnError.
    Thread: cold.
    """
    cdef list arguments = _encode(list(argv))
    cdef list variables = _encode([f"{name}={value}" for name, value in env.items()])
    cdef list program = _encode([path])
    cdef Py_ssize_t count = 0 if credentials is None else len(credentials.groups)
    cdef Py_ssize_t i
    cdef fv_spawn_t what
    cdef fv_spawned_t result
    cdef char** argv_vector = NULL
    cdef char** env_vector = NULL
    cdef gid_t* groups = NULL
    try:
        argv_vector = _vector(arguments)
        env_vector = _vector(variables)
        groups = <gid_t*>PyMem_Malloc((count + 1) * sizeof(gid_t))
        if groups == NULL:
            raise MemoryError
        for i in range(count):
            groups[i] = credentials.groups[i]
        what.path = <char*><bytes>program[0]
        what.argv = argv_vector
        what.envp = env_vector
        what.groups = groups
        what.group_count = <size_t>count
        what.uid = 0 if credentials is None else credentials.uid
        what.gid = 0 if credentials is None else credentials.gid
        what.switch_user = credentials is not None
        what.no_new_privs = no_new_privs
        with nogil:
            result = fv_spawn(&what)
    finally:
        PyMem_Free(argv_vector)
        PyMem_Free(env_vector)
        PyMem_Free(groups)
    if result.failed != FV_SPAWN_NOTHING:
        raise SpawnError(result.error, STEPS[result.failed], path)
    return result.pid, result.pidfd
