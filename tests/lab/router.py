"""The VRRP daemon under test on a host: keepalived or fastvrrpd, which take the same options."""

import shutil
import sys
from pathlib import Path

from lab.agent import LabError
from lab.environment import search_path
from lab.network import Host
from lab.process import Process

HINTS = {"keepalived": "apt-get install keepalived", "fastvrrpd": "make build"}


def find_program(name: str) -> str:
    """The path of a daemon: a path itself, or a name beside our python or in the system's PATH."""
    beside = str(Path(sys.executable).parent)
    path = shutil.which(name, path=f"{beside}:{search_path()}")
    if path is None:
        hint = HINTS.get(name, "give an existing program")
        raise LabError(f"{name} is not installed; {hint}")
    return path


class Router:
    """A daemon with its configuration on a host; may be started again after it ended."""

    def __init__(self, host: Host, config: str, *, program: str, name: str = "router") -> None:
        self.host = host
        self.config = config
        self.program = find_program(program)
        self.path = f"/run/{name}.conf"
        self._pid_files = (f"/run/{name}.pid", f"/run/{name}-vrrp.pid")
        self.process: Process | None = None

    def start(self) -> Process:
        """Write the configuration and start the daemon in the foreground, all details logged."""
        self.host.write(self.path, self.config)
        parent, child = self._pid_files
        options = ("-f", self.path, "-n", "-l", "-D", "-P", "-G", "-p", parent, "-r", child)
        self.process = self.host.popen(self.program, *options)
        return self.process

    def stop(self) -> None:
        """SIGTERM: the daemon resigns, removes its addresses and ends."""
        if self.process is not None:
            self.process.terminate()

    def kill_whole(self) -> None:
        """kill -9 both processes, and wait until they are gone; the second does not hear of the
        first one's end, or it would resign."""
        parent, child = self._pid_files
        self.host.run(
            "sh",
            "-c",
            f'pids="$(cat {parent}) $(cat {child})"; kill -STOP $(cat {child}); kill -9 $pids; '
            "for pid in $pids; do while kill -0 $pid 2>/dev/null; do :; done; done",
        )

    @property
    def log(self) -> list[str]:
        """What the daemon has written since it was started last, as far as taken in."""
        return [] if self.process is None else self.process.output.lines
