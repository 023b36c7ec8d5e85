"""`csrc/spawn.h`: starts a program with vfork semantics."""

from libc.stddef cimport size_t
from posix.types cimport gid_t, pid_t, uid_t

cdef extern from "spawn.h" nogil:
    ctypedef enum fv_spawn_step_t:
        FV_SPAWN_NOTHING
        FV_SPAWN_FORK
        FV_SPAWN_PIDFD
        FV_SPAWN_SETUP
        FV_SPAWN_CLOSE
        FV_SPAWN_USER
        FV_SPAWN_PARENT
        FV_SPAWN_EXEC

    ctypedef struct fv_spawn_t:
        const char* path
        char** argv
        char** envp
        const gid_t* groups
        size_t group_count
        uid_t uid
        gid_t gid
        bint switch_user
        bint no_new_privs

    ctypedef struct fv_spawned_t:
        pid_t pid
        int pidfd
        fv_spawn_step_t failed
        int error

    fv_spawned_t fv_spawn(const fv_spawn_t* what)
