"""Programs at state changes, which instances and sync groups have in common."""

from fastvrrp.config.row import Keyword
from fastvrrp.config.values import CommandLine

__all__ = ["notify_rows"]


def notify_rows(appended: str) -> tuple[Keyword, ...]:
    """Return the keywords; `appended` are the arguments that `notify` adds to its own."""
    return tuple(
        Keyword(
            f"notify{suffix}",
            CommandLine(),
            f"Program that runs {when}.",
            to=f"notify.{to}",
            first_wins=True,
        )
        for suffix, to, when in (
            ("_master", "master", "when becoming active"),
            ("_backup", "backup", "when becoming backup"),
            ("_fault", "fault", "when entering FAULT"),
            ("_stop", "stop", "when this program stops"),
            ("", "always", f"at every change, with {appended} appended"),
        )
    )
