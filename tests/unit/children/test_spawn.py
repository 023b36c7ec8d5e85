"""What a started program finds: descriptors, signals, session, user; and what its parent keeps."""

import errno
import os
import resource
import select
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict, Unpack

import pytest

from fastvrrp.children.accounts import PATH, Credentials
from fastvrrp.children.spawn import SpawnError, spawn

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="CHANGING USERS IS NOT TESTED: not root")


def wait(pidfd: int) -> os.waitid_result:
    result = os.waitid(os.P_PIDFD, pidfd, os.WEXITED)
    os.close(pidfd)
    assert result is not None
    return result


def run(
    *argv: str,
    env: dict[str, str] | None = None,
    credentials: Credentials | None = None,
    no_new_privs: bool = False,
) -> os.waitid_result:
    _, pidfd = spawn(
        argv, path=argv[0], env=env or {}, credentials=credentials, no_new_privs=no_new_privs
    )
    return wait(pidfd)


@pytest.fixture
def output() -> Iterator[Path]:
    """A file that any user may write; below tmp_path no other user could reach it."""
    directory = Path(tempfile.mkdtemp())
    directory.chmod(0o755)
    file = directory / "output"
    file.touch()
    file.chmod(0o666)
    yield file
    shutil.rmtree(directory)


class Options(TypedDict, total=False):
    """What `run` takes."""

    env: dict[str, str]
    credentials: Credentials
    no_new_privs: bool


def shell(script: str, output: Path, **options: Unpack[Options]) -> str:
    """Run `script`, which writes to "$0", and return what it wrote."""
    result = run("/bin/sh", "-c", script, str(output), **options)
    assert (result.si_code, result.si_status) == (os.CLD_EXITED, 0)
    return output.read_text()


def status_of(output: Path, **options: Unpack[Options]) -> dict[str, str]:
    """Return /proc/self/status of a started program."""
    text = shell('exec cat /proc/self/status > "$0"', output, **options)
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def descriptors() -> list[str]:
    return sorted(os.listdir("/proc/self/fd"))


def has_children() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def test_pidfd_tells_the_exit_status() -> None:
    result = run("/bin/sh", "-c", "exit 7")
    assert (result.si_code, result.si_status) == (os.CLD_EXITED, 7)


def test_pidfd_tells_the_signal() -> None:
    result = run("/bin/sh", "-c", "kill -KILL $$")
    assert (result.si_code, result.si_status) == (os.CLD_KILLED, signal.SIGKILL)


def test_pidfd_is_not_inherited_by_later_programs() -> None:
    pid, pidfd = spawn(["true"], path="/bin/true", env={})
    assert not os.get_inheritable(pidfd)
    assert wait(pidfd).si_pid == pid


def test_path_is_executed_whatever_the_first_word_says(output: Path) -> None:
    _, pidfd = spawn(["other", "-c", 'echo "$@" > "$0"', str(output), "a b", "c"],
                     path="/bin/sh", env={})  # fmt: skip
    wait(pidfd)
    assert output.read_text() == "a b c\n"


def test_environment_is_exactly_the_given_one(output: Path) -> None:
    text = shell('cat /proc/$$/environ > "$0"', output, env={"PATH": "/usr/bin:/bin", "X": "ü =1"})
    assert text.split("\0") == ["PATH=/usr/bin:/bin", "X=ü =1", ""]


def test_stdio_is_the_null_device_and_nothing_else_is_open(output: Path) -> None:
    """
    given a descriptor of the parent that is inheritable
    when a program starts
    then it has /dev/null as 0, 1 and 2, and nothing else but the pipe that the shell itself opens.
    """
    null = os.open("/dev/null", os.O_RDONLY)
    high = os.dup2(null, 900, inheritable=True)
    script = 'x=$(cd /proc/$$/fd && readlink 0 1 2 && echo *); echo "$x" > "$0"'
    try:
        text = shell(script, output, env={"PATH": PATH})
    finally:
        os.close(null)
        os.close(high)
    assert text == "/dev/null\n" * 3 + "0 1 2 3\n"


def test_program_leads_its_own_session_and_group(output: Path) -> None:
    pid, pidfd = spawn(["sh", "-c", 'exec cat /proc/self/stat > "$0"', str(output)],
                       path="/bin/sh", env={})  # fmt: skip
    wait(pidfd)
    fields = output.read_text().rsplit(")", 1)[1].split()
    parent, group, session, terminal = fields[1:5]
    assert (int(parent), int(group), int(session)) == (os.getpid(), pid, pid)
    assert terminal == "0"


def test_program_starts_in_the_root_directory_with_umask_022(output: Path) -> None:
    before = os.umask(0o077)
    try:
        assert shell('(pwd; umask) > "$0"', output) == "/\n0022\n"
    finally:
        os.umask(before)


def test_no_signal_is_blocked_or_ignored_in_the_program(output: Path) -> None:
    ignored = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGUSR1])
    try:
        status = status_of(output)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        signal.signal(signal.SIGHUP, ignored)
    masks = {key: status[key] for key in ("SigBlk", "SigIgn", "SigCgt")}
    assert masks == dict.fromkeys(masks, "0" * 16)


def test_parent_keeps_its_signal_mask_and_handlers() -> None:
    called: list[int] = []
    handler = signal.signal(signal.SIGUSR1, lambda number, _: called.append(number))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
    try:
        run("/bin/true")
        now = signal.pthread_sigmask(signal.SIG_BLOCK, [])
        assert now == mask | {signal.SIGUSR2}
        signal.raise_signal(signal.SIGUSR1)
        assert called == [signal.SIGUSR1]
        assert signal.getsignal(signal.SIGPIPE) is signal.SIG_IGN
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGUSR1, handler)


def test_program_is_terminated_when_its_parent_is_killed() -> None:
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, os\n"
            "from fastvrrp.children.spawn import spawn\n"
            "print(spawn(['sleep', '1000'], path='/bin/sleep', env={})[0], flush=True)\n"
            "sys.stdin.read()\n",
        ],
        env={"PYTHONPATH": ":".join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with parent:
        assert parent.stdout is not None
        pidfd = os.pidfd_open(int(parent.stdout.readline()))
        assert not select.select([pidfd], [], [], 0)[0]
        parent.kill()
        assert select.select([pidfd], [], [], 30)[0]
        os.close(pidfd)


def test_real_time_scheduling_is_not_inherited(output: Path) -> None:
    policy, param = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except PermissionError:
        pytest.skip("REAL-TIME SCHEDULING IS NOT TESTED: not permitted")
    try:
        text = shell('exec cat /proc/self/stat > "$0"', output)
    finally:
        os.sched_setscheduler(0, policy, param)
    assert text.rsplit(")", 1)[1].split()[38] == str(os.SCHED_OTHER)


def test_negative_nice_value_is_not_inherited(output: Path) -> None:
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    try:
        os.setpriority(os.PRIO_PROCESS, 0, -5)
    except PermissionError:
        pytest.skip("NICE VALUES ARE NOT TESTED: not permitted")
    try:
        text = shell('exec cat /proc/self/stat > "$0"', output)
    finally:
        os.setpriority(os.PRIO_PROCESS, 0, nice)
    assert text.rsplit(")", 1)[1].split()[16] == "0"


@pytest.mark.parametrize(
    ("content", "mode", "error"),
    [
        (None, 0, errno.ENOENT),
        ("#!/bin/sh\n", 0o644, errno.EACCES),
        ("no interpreter\n", 0o755, errno.ENOEXEC),
        ("#!/nowhere/sh\n", 0o755, errno.ENOENT),
    ],
)
def test_failure_of_exec_is_raised_and_leaves_nothing(
    tmp_path: Path, content: str | None, mode: int, error: int
) -> None:
    script = tmp_path / "script"
    if content is not None:
        script.write_text(content)
        script.chmod(mode)
    before = descriptors()
    with pytest.raises(SpawnError) as caught:
        spawn(["script"], path=str(script), env={})
    assert (caught.value.errno, caught.value.step) == (error, "exec")
    assert caught.value.filename == str(script)
    assert descriptors() == before
    assert not has_children()


def test_limit_of_open_files_is_reported_and_leaves_nothing() -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    opened = os.open("/dev/null", os.O_RDONLY)
    duplicates = [os.dup(opened) for _ in range(100)]  # no free number is below the last one
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(duplicates) + 1, limits[1]))
    try:
        with pytest.raises(SpawnError) as caught:
            spawn(["true"], path="/bin/true", env={})
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        for fd in (opened, *duplicates):
            os.close(fd)
    assert (caught.value.errno, caught.value.step) == (errno.EMFILE, "pidfd_open")
    assert not has_children()


def test_nul_character_in_a_word_is_refused() -> None:
    with pytest.raises(ValueError, match="NUL"):
        spawn(["true", "a\0b"], path="/bin/true", env={})


def test_thousand_programs_leave_no_descriptor_and_no_zombie() -> None:
    before = descriptors()
    for _ in range(1000):
        run("/bin/true")
    assert descriptors() == before
    assert not has_children()


def test_threads_may_spawn_at_the_same_time() -> None:
    statuses: list[int] = []

    def many() -> None:
        statuses.extend(run("/bin/sh", "-c", "exit 3").si_status for _ in range(20))

    threads = [threading.Thread(target=many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [3] * 80


@needs_root
def test_program_becomes_the_user_with_only_its_groups(output: Path) -> None:
    status = status_of(output, credentials=Credentials(uid=65534, gid=65533, groups=(65532, 7)))
    assert status["Uid"].split() == ["65534"] * 4
    assert status["Gid"].split() == ["65533"] * 4
    assert status["Groups"].split() == ["7", "65532"]
    assert int(status["CapEff"], 16) == 0
    assert status["NoNewPrivs"] == "0"


@needs_root
def test_no_thread_of_the_parent_changes_its_user(output: Path) -> None:
    """The C library's setresuid() would change all of them."""
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        shell(":", output, credentials=Credentials(uid=65534, gid=65534))
        for task in Path("/proc/self/task").iterdir():
            lines = (task / "status").read_text().splitlines()
            assert next(line for line in lines if line.startswith("Uid:")).split()[1:] == ["0"] * 4
    finally:
        stop.set()
        thread.join()


@needs_root
def test_program_of_another_user_is_still_terminated_with_its_parent(output: Path) -> None:
    """The kernel forgets the death signal when the user changes; it must be set afterwards."""
    output.with_name("pdeathsig.py").write_text(
        "import ctypes, sys\n"
        "number = ctypes.c_int()\n"
        "ctypes.CDLL(None).prctl(2, ctypes.byref(number))\n"
        "open(sys.argv[1], 'w').write(str(number.value))\n"
    )
    python = "/usr/bin/python3"
    if not Path(python).exists():
        pytest.skip("THE DEATH SIGNAL OF ANOTHER USER IS NOT TESTED: no /usr/bin/python3")
    script = str(output.with_name("pdeathsig.py"))
    run(python, "-I", script, str(output), credentials=Credentials(uid=65534, gid=65534))
    assert output.read_text() == str(int(signal.SIGTERM))


@needs_root
def test_ambient_capabilities_do_not_reach_another_user(output: Path) -> None:
    """
    given an unprivileged daemon that holds its capabilities as ambient ones (AmbientCapabilities=)
    when it runs a script as another ordinary user
    then the script has none.
    """
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("AMBIENT CAPABILITIES ARE NOT TESTED: no setpriv")
    capabilities = "+setuid,+setgid,+net_admin,+dac_read_search"
    helper = (
        "import os, sys\n"
        "from fastvrrp.children.accounts import PATH, Credentials\n"
        "from fastvrrp.children.spawn import spawn\n"
        "_, pidfd = spawn(['sh', '-c', 'exec cat /proc/self/status > \"$0\"', sys.argv[1]],\n"
        "    path='/bin/sh', env={}, credentials=Credentials(uid=65533, gid=65533))\n"
        "sys.exit(os.waitid(os.P_PIDFD, pidfd, os.WEXITED).si_status)\n"
    )
    subprocess.run(
        [setpriv, "--reuid=65534", "--regid=65534", "--clear-groups",
         f"--inh-caps={capabilities}", f"--ambient-caps={capabilities}",
         sys.executable, "-c", helper, str(output)],
        env={"PYTHONPATH": ":".join(sys.path)},
        check=True,
    )  # fmt: skip
    lines = dict(line.split(":\t", 1) for line in output.read_text().splitlines() if ":\t" in line)
    assert lines["Uid"].split() == ["65533"] * 4
    assert {int(lines[key], 16) for key in ("CapPrm", "CapEff", "CapAmb")} == {0}


@needs_root
def test_impossible_change_of_user_is_raised() -> None:
    """A user namespace without that id, or a process without CAP_SETUID, looks the same."""
    with pytest.raises(SpawnError) as caught:
        run(
            "/bin/true",
            credentials=Credentials(uid=0xFFFFFFFF, gid=0xFFFFFFFF, groups=(0xFFFFFFFF,)),
        )
    assert (caught.value.errno, caught.value.step) == (errno.EINVAL, "user")


def test_no_new_privs_is_set_when_asked_for(output: Path) -> None:
    assert status_of(output, no_new_privs=True)["NoNewPrivs"] == "1"


def test_umask_of_the_parent_is_kept() -> None:
    before = os.umask(0o077)
    try:
        run("/bin/true")
        assert stat.S_IMODE(os.umask(0o077)) == 0o077
    finally:
        os.umask(before)
