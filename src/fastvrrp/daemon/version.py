"""The version as keepalived's users read it."""

from fastvrrp import __version__

__all__ = ["KEEPALIVED", "version_text"]

KEEPALIVED = "Keepalived v2.4.3 (11/24,2026)"
"""First line of `-v` and of the log: tools compare the number, and match to the end of the line.

The number is the keepalived release whose behaviour this daemon follows; the date is our own.
"""


def version_text() -> str:
    """Return what `-v` prints; nothing may follow on the first line."""
    return f"{KEEPALIVED}\n\nfastvrrp {__version__}, a VRRP daemon compatible with keepalived\n"
