"""Writes docs/keywords.md: `python -m fastvrrp.config.reference > docs/keywords.md`."""

from fastvrrp.config.diagnostics import CODES
from fastvrrp.config.row import FULL, IGNORED, REFUSED, Block, Keyword, Support, walk
from fastvrrp.config.schema import ROOT

__all__ = ["render"]

_HEAD = """\
# Keywords of keepalived.conf

Written from `fastvrrp/config/schema.py` by `python -m fastvrrp.config.reference`; do not edit.

| status | what happens |
|---|---|
| supported | it works |
| ignored | one warning; it makes no difference to who holds an address |
| refused | an error: without it this router would speak, address or take over differently |

An ignored or refused keyword that is written with its default value is accepted without a word.
A word that is in no table is skipped with its block, with a warning.
"""


def render() -> str:
    """Return the document."""
    parts = [_HEAD, _section("The outermost level", ROOT)]
    blocks = [row for _, row in walk(ROOT) if isinstance(row, Block) and row.rows]
    parts += [_section(f"`{block.name}`", block) for block in blocks]
    parts += [_diagnostics()]
    return "\n".join(parts)


def _section(title: str, block: Block) -> str:
    lines = [f"## {title}\n", f"{block.doc}\n"]
    full = [row for row in block.rows if row.support is FULL]
    if full:
        lines += ["| keyword | value | default | meaning |", "|---|---|---|---|"]
        lines += [_row(row) for row in full]
        lines.append("")
    for support in (REFUSED, IGNORED):
        lines += _others(block, support)
    return "\n".join(lines)


def _row(row: Keyword | Block) -> str:
    if isinstance(row, Keyword):
        value, default = row.kind.describe(), row.default_text
        doc = f"{row.doc} ({row.rfc})" if row.rfc else row.doc
    else:
        name = "NAME " if row.named else ""
        value = f"{name}{{ {row.entry.describe() if row.entry else '…'} }}"
        default, doc = "", row.doc
    return f"| `{row.name}` | {_cell(value)} | {_cell(default)} | {_cell(doc)} |"


def _others(block: Block, support: Support) -> list[str]:
    """Return one line for each reason, with the keywords that it holds for."""
    reasons: dict[str, list[str]] = {}
    for row in block.rows:
        if row.support is support:
            reasons.setdefault(row.doc, []).append(f"`{row.name}`")
    if not reasons:
        return []
    title = support.value.capitalize()
    return [f"{title}:\n", *(f"- {' '.join(names)} — {doc}" for doc, names in reasons.items()), ""]


def _diagnostics() -> str:
    lines = ["## Codes of diagnostics\n", "| code | what is wrong |", "|---|---|"]
    lines += [f"| {code} | {_cell(what)} |" for code, what in CODES.items()]
    return "\n".join([*lines, ""])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    print(render(), end="")
