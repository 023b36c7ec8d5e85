/* Starts a program without stalling the process that starts it. */
#ifndef FV_SPAWN_H
#define FV_SPAWN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What failed. */
typedef enum {
    FV_SPAWN_NOTHING = 0,
    FV_SPAWN_FORK,      /* the process could not be made */
    FV_SPAWN_PIDFD,     /* it was made, but cannot be watched; it was killed */
    FV_SPAWN_SETUP,     /* "/" or /dev/null could not be opened */
    FV_SPAWN_CLOSE,     /* inherited descriptors could not be closed (Linux 5.9 is needed) */
    FV_SPAWN_USER,      /* it could not become the user */
    FV_SPAWN_PARENT,    /* the parent died meanwhile */
    FV_SPAWN_EXEC,      /* the program could not be executed */
} fv_spawn_step_t;

/* The program and what it runs as. All pointers are borrowed for the time of the call. */
typedef struct {
    const char *path;           /* executed as it is, PATH is not searched */
    char *const *argv;          /* ends with NULL */
    char *const *envp;          /* ends with NULL; the whole environment */
    const gid_t *groups;        /* the supplementary groups */
    size_t group_count;
    uid_t uid;
    gid_t gid;
    bool switch_user;           /* false: uid, gid and groups stay as they are */
    bool no_new_privs;          /* set-user-ID bits and file capabilities have no effect in it */
} fv_spawn_t;

/* The raw system calls take the kernel's 32-bit ids. */
_Static_assert(sizeof(uid_t) == 4, "uid_t is not the kernel's");
_Static_assert(sizeof(gid_t) == 4, "gid_t is not the kernel's");

typedef struct {
    pid_t pid;
    int pidfd;                  /* close-on-exec; readable when the program has ended */
    fv_spawn_step_t failed;     /* FV_SPAWN_NOTHING: pid and pidfd are valid */
    int error;                  /* errno of what failed */
} fv_spawned_t;

/* Starts `what` as leader of its own session and process group, with /dev/null as stdio, nothing else
   open, "/" as working directory, umask 022, default signals and normal scheduling. It is sent SIGTERM
   when the *thread* that called this ends. Blocks the caller until the program is executed or has failed;
   nothing of a failed start remains. */
fv_spawned_t fv_spawn(const fv_spawn_t *what);

#endif
