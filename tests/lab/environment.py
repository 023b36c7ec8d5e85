"""What programs on the hosts find around them."""

import os
import shutil
from collections.abc import Mapping

SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/sbin"  # not in the PATH of an ordinary user


def search_path() -> str:
    """The PATH on the hosts: ours, and the directories of system programs."""
    return f"{os.environ.get('PATH', os.defpath)}:{SYSTEM_PATH}"


def installed(program: str) -> bool:
    """Whether a program can be run on the hosts."""
    return shutil.which(program, path=search_path()) is not None


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of programs on the hosts."""
    return {**os.environ, "LC_ALL": "C.UTF-8", "PATH": search_path(), **(extra or {})}
