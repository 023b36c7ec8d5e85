"""The pages that explain the codes of diagnostics: `codes/FVnnn.md`, one for each code.

Codes are stable: they are never used for something else, and never renumbered.
"""

from pathlib import Path

__all__ = ["codes", "explanation", "title"]

_PAGES = Path(__file__).with_name("codes")


def codes() -> tuple[str, ...]:
    """Return every code that a diagnostic can carry, in order."""
    return tuple(sorted(page.stem for page in _PAGES.glob("FV*.md")))


def explanation(code: str) -> str:
    """Return the page of a code; KeyError if there is no such code."""
    if code not in codes():
        raise KeyError(code)
    return (_PAGES / f"{code}.md").read_text(encoding="utf-8")


def title(code: str) -> str:
    """Return what is wrong, in a few words; KeyError if there is no such code."""
    return explanation(code).partition("\n")[0].partition(": ")[2]
