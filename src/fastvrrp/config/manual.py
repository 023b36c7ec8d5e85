"""Writes fastvrrp.conf(5): `python -m fastvrrp.config.manual > man/fastvrrp.conf.5`."""

from __future__ import annotations

from collections.abc import Iterator

from fastvrrp.config.row import Block, Keyword
from fastvrrp.config.schema import ROOT
from fastvrrp.config.wording import (
    brief_status_text,
    default_text,
    meaning_text,
    place_text,
    sections,
    value_text,
)

__all__ = ["render"]

_HEAD = r"""
.\" Written from the rows in fastvrrp/config/schema by `make docs`; do not edit.
.TH FASTVRRP.CONF 5 "" "fastvrrp" "File Formats"
.SH NAME
fastvrrp.conf, keepalived.conf \- configuration of fastvrrpd
.SH SYNOPSIS
.I /etc/keepalived/keepalived.conf
.SH DESCRIPTION
.B fastvrrpd
reads the configuration of keepalived 2.4.3.
The file is text, one keyword a line, with its values behind it:
.PP
.EX
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    priority 150
    virtual_ipaddress {
        192.0.2.100/24
    }
}
.EE
.PP
Blocks stand in braces.
.B #
and
.B !
start a comment, unless they stand in double quotes or behind a backslash.
Words with blanks in them stand in double quotes.
Times are in seconds, with a decimal point where fractions are allowed.
.TP
.BI include " file"
reads another file here, or all whose names match a pattern;
.BR includer ", " includem ", " includew " and " includeb
are stricter about what cannot be read.
.TP
.BI @ "id line"
counts only if fastvrrpd was started with
.BI \-\-config\-id= id\fR;
.BI @^ "id line"
only if not.
.TP
.BI $ name = value
defines what
.BI $ name
and
.BI ${ name }
stand for in all that follows.
.PP
.B "fastvrrp check"
explains what is wrong with a file, and
.B "fastvrrp keyword"
what a keyword means.
.SH STATUS
Keywords are
.I supported
unless it is said otherwise.
.TP
.I ignored
A note, once.
It makes no difference to who holds an address.
.TP
.I refused
fastvrrpd does not start: without it this router would speak, address or take over differently.
.TP
.I not yet run
It belongs to load balancing.
It is read and checked; virtual routers run without it.
.PP
Where the default is a value, a keyword that is written with it is accepted without a word.
"""

_TAIL = r"""
.SH FILES
.TP
.I /etc/keepalived/keepalived.conf
What is read unless
.B \-\-use\-file
names another file.
.SH SEE ALSO
.BR keepalived.conf (5),
RFC 9568 (VRRPv3), RFC 3768 (VRRPv2)
"""


def render() -> str:
    """Return the page."""
    lines = [*_HEAD.strip().splitlines(), *_section("OUTERMOST LEVEL", "", ROOT)]
    for block, places in sections():
        lines += _section(block.name, f"{place_text(places).capitalize()}.", block)
    return "\n".join([*lines, *_TAIL.strip().splitlines(), ""])


def _section(heading: str, place: str, block: Block) -> Iterator[str]:
    yield f".SH {heading}"
    yield _text(block.doc)
    if place:
        yield _text(place)
    for row in block.rows:
        yield from _entry(row, block)


def _entry(row: Keyword | Block, block: Block) -> Iterator[str]:
    value = value_text(row)
    shown = "" if value == "no value" else f" {_escaped(value)}"
    yield ".TP"
    yield f"\\fB{_escaped(row.name)}\\fR{shown}"
    yield _text(meaning_text(row))
    default = default_text(row, block)
    if default:
        yield _text(f"Default: {default}.")
    status = brief_status_text(row)
    if status != "supported":
        yield _text(f"{status[:1].upper()}{status[1:].removesuffix('.')}.")


def _text(line: str) -> str:
    r"""Return a line that is no request."""
    text = _escaped(line)
    return f"\\&{text}" if text.startswith((".", "'")) else text


def _escaped(text: str) -> str:
    return text.replace("\\", "\\e").replace("-", "\\-").replace("…", "...")


if __name__ == "__main__":
    print(render(), end="")
