/* Starts a program without stalling the process that starts it.

   Why vfork: fork() copies the page tables, which for a parent with hundreds of megabytes takes
   milliseconds, holds its mmap lock meanwhile, and makes every page copy-on-write, so that all its threads
   fault afterwards - among them the one that must send adverts on time. vfork() copies nothing. The price
   is that parent and child share memory and stack until execve(), so that the child may only make
   system calls and write to what was agreed on.

   Why raw system calls for the credentials: they belong to a thread in the kernel and to the process in
   POSIX, so the C library's setresuid() and friends signal every thread that it knows of and wait for all
   to follow. The child shares the C library's list of threads with the parent: it would change the
   parent's. The raw call changes the child alone. */

#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* 32-bit architectures keep 16-bit ids under the plain names. */
#ifdef SYS_setresuid32
#define FV_SYS_SETGROUPS SYS_setgroups32
#define FV_SYS_SETRESGID SYS_setresgid32
#define FV_SYS_SETRESUID SYS_setresuid32
#else
#define FV_SYS_SETGROUPS SYS_setgroups
#define FV_SYS_SETRESGID SYS_setresgid
#define FV_SYS_SETRESUID SYS_setresuid
#endif

/* Linux 5.9 and 5.3; C libraries older than that lack the names. The numbers are the same everywhere. */
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

#define FV_EXIT_NOT_EXECUTED 127 /* as a shell does */

/* --- In the child, which borrows the parent's memory: system calls only, no other function. --- */

static void
default_signals(void)
{
    /* execve() resets what is caught but keeps what is ignored (Python ignores SIGPIPE, nohup SIGHUP). And
       a handler of the parent must not run in the child, on shared memory, once signals are unblocked. */
    static const unsigned char by_default[128]; /* the kernel's struct sigaction: SIG_DFL, no flags, no mask */

    /* A raw system call: the C library hides the two real-time signals that it uses itself, and whoever
       started us may have had them ignored. SIGKILL and SIGSTOP refuse, and may. */
    for (int number = 1; number < _NSIG; number++) {
        (void)syscall(SYS_rt_sigaction, number, by_default, NULL, (size_t)(_NSIG / 8));
    }
}

static void
normal_scheduling(void)
{
    const struct sched_param none = {.sched_priority = 0};

    (void)sched_setscheduler(0, SCHED_OTHER, &none);
    if (getpriority(PRIO_PROCESS, 0) < 0) {
        (void)setpriority(PRIO_PROCESS, 0, 0);
    }
}

static bool
null_stdio(void)
{
    int fd = open("/dev/null", O_RDWR);

    if (fd < 0 || dup2(fd, STDIN_FILENO) < 0 || dup2(fd, STDOUT_FILENO) < 0 ||
        dup2(fd, STDERR_FILENO) < 0) {
        return false;
    }
    return fd <= STDERR_FILENO || close(fd) == 0;
}

static bool
become_user(const fv_spawn_t *what)
{
    /* An unprivileged daemon holds its capabilities as ambient ones; those survive a change between two
       ordinary users and execve(), and must not reach the script. Old kernels have none to clear. */
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0UL, 0UL, 0UL);
    return syscall(FV_SYS_SETGROUPS, what->group_count, what->groups) == 0 &&
           syscall(FV_SYS_SETRESGID, what->gid, what->gid, what->gid) == 0 &&
           syscall(FV_SYS_SETRESUID, what->uid, what->uid, what->uid) == 0;
}

static fv_spawn_step_t
prepare_and_execute(const fv_spawn_t *what, pid_t parent)
{
    sigset_t none;

    /* A session, not only a group: without a terminal, a program that would ask a password fails. */
    (void)setsid();
    default_signals();
    normal_scheduling();
    (void)umask(S_IWGRP | S_IWOTH);
    /* Before anything is opened: the parent may be at its limit of open files. */
    if (syscall(SYS_close_range, STDERR_FILENO + 1U, ~0U, 0U) != 0) {
        return FV_SPAWN_CLOSE;
    }
    if (chdir("/") != 0 || !null_stdio()) {
        return FV_SPAWN_SETUP;
    }
    if (what->switch_user && !become_user(what)) {
        return FV_SPAWN_USER;
    }
    if (what->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL) != 0) {
        return FV_SPAWN_USER;
    }
    /* After the change of user, which clears it. Who died before is not announced: hence the question. */
    (void)prctl(PR_SET_PDEATHSIG, (unsigned long)SIGTERM, 0UL, 0UL, 0UL);
    if (getppid() != parent) {
        errno = ESRCH;
        return FV_SPAWN_PARENT;
    }
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)execve(what->path, what->argv, what->envp);
    return FV_SPAWN_EXEC;
}

_Noreturn static void
be_child(const fv_spawn_t *what, pid_t parent, volatile fv_spawned_t *result)
{
    result->failed = prepare_and_execute(what, parent);
    result->error = errno;
    _exit(FV_EXIT_NOT_EXECUTED);
}

/* --- In the parent. --- */

static void
reap(pid_t pid)
{
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
}

static void
watch(fv_spawned_t *result)
{
    result->pidfd = (int)syscall(SYS_pidfd_open, result->pid, 0U); /* always close-on-exec */
    if (result->pidfd < 0) {
        result->failed = FV_SPAWN_PIDFD;
        result->error = errno;
        (void)kill(-result->pid, SIGKILL);
        reap(result->pid);
    }
}

fv_spawned_t
fv_spawn(const fv_spawn_t *what)
{
    /* volatile: written by the child, in a way that the compiler cannot see. */
    volatile fv_spawned_t shared = {.pid = -1, .pidfd = -1, .failed = FV_SPAWN_NOTHING, .error = 0};
    fv_spawned_t result;
    sigset_t all;
    sigset_t before;
    pid_t parent = getpid();
    pid_t pid;

    /* A handler that ran in the child would run on the parent's memory. */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    pid = vfork();
    if (pid == 0) {
        be_child(what, parent, &shared);
    }
    if (pid < 0) {
        shared.failed = FV_SPAWN_FORK;
        shared.error = errno;
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);

    result = shared;
    result.pid = pid;
    if (pid > 0 && result.failed == FV_SPAWN_NOTHING) {
        watch(&result);
    }
    else if (pid > 0) {
        reap(pid);
    }
    return result;
}
