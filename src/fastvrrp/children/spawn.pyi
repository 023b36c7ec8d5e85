from collections.abc import Mapping, Sequence

from fastvrrp.children.accounts import Credentials

class SpawnError(OSError):
    step: str
    def __init__(self, error: int, step: str, path: str) -> None: ...

def spawn(
    argv: Sequence[str],
    *,
    path: str,
    env: Mapping[str, str],
    credentials: Credentials | None = None,
    no_new_privs: bool = False,
) -> tuple[int, int]: ...
