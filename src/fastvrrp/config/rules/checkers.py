"""Health checkers: what their keywords mean together, and with the real server around them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from fastvrrp.config.assemble import fields_of
from fastvrrp.config.model import (
    Address,
    BfdCheck,
    Check,
    Connect,
    FileCheck,
    HttpCheck,
    MiscCheck,
    StatusRange,
    UdpCheck,
    Url,
)
from fastvrrp.config.rules.references import find_above

if TYPE_CHECKING:
    from fastvrrp.config.collect import Setting, Settings
    from fastvrrp.config.rules.around import Around, Maker

__all__ = ["CHECKER_MAKERS", "with_target"]


def _make_url(settings: Settings, around: Around) -> Url:
    """Return a page; its lines of status codes are one set."""
    fields = fields_of(settings, around.make)
    lines = cast("tuple[tuple[StatusRange, ...], ...]", fields.get("statuses", ()))
    fields["statuses"] = tuple(one for line in lines for one in line)
    return Url(**fields)  # type: ignore[arg-type]  # checked by the schema's rows


def _make_http_check(settings: Settings, around: Around) -> HttpCheck | None:
    """Return the checker, or None, reported, if there is no page to ask for."""
    fields = fields_of(settings, around.make)
    model = cast("type[HttpCheck]", settings.block.model)
    if fields.get("urls"):
        return model(**fields)  # type: ignore[arg-type]  # checked by the schema's rows
    if settings.blocks.get("urls") or "urls" in settings.rejected:
        return None  # what is wrong with each was reported
    around.report.warning(
        "FV412",
        f"{settings.block.name} has no url to ask for; the checker is skipped",
        settings.head,
        hint="add: url { path / } with each part on a line of its own",
        context=settings.context,
    )
    return None


def _make_udp_check(settings: Settings, around: Around) -> UdpCheck:
    """Return the checker; report lengths that no answer can have."""
    check = UdpCheck(**fields_of(settings, around.make))  # type: ignore[arg-type]  # see the rows
    if check.min_reply_length > check.max_reply_length:
        setting = settings.values.get("min_reply_length") or settings.values["max_reply_length"]
        around.report.warning(
            "FV416",
            f"an answer cannot have {check.min_reply_length} bytes or more and "
            f"{check.max_reply_length} or less: this check always fails",
            setting.span,
            hint="write max_reply_length, 255 if missing, not below min_reply_length",
            context=settings.context,
        )
    return check


def _make_file_check(settings: Settings, around: Around) -> FileCheck | None:
    """Return the checker, or None, reported, if there is no such file."""
    check = FileCheck(**fields_of(settings, around.make))  # type: ignore[arg-type]  # see the rows
    known = _is_known("files", "track_file", settings.values["file"], settings, around)
    return check if known else None


def _make_bfd_check(settings: Settings, around: Around) -> BfdCheck | None:
    """Return the checker, or None, reported, if there is no such session."""
    check = BfdCheck(**fields_of(settings, around.make))  # type: ignore[arg-type]  # see the rows
    name = settings.values["name"]
    known = _is_known("bfd_instances", "bfd_instance", name, settings, around)
    return check if known else None


def _is_known(key: str, keyword: str, setting: Setting, settings: Settings, around: Around) -> bool:
    """Tell if a block of the outermost level exists; report it if not, or if it comes too late."""
    found = find_above(
        str(setting.value),
        setting.span,
        settings,
        around,
        key=key,
        keyword=keyword,
        consequence="the checker is skipped",
    )
    return found is not None


CHECKER_MAKERS: dict[str, Maker] = {
    "url": _make_url,
    "HTTP_GET": _make_http_check,
    "SSL_GET": _make_http_check,
    "UDP_CHECK": _make_udp_check,
    "FILE_CHECK": _make_file_check,
    "BFD_CHECK": _make_bfd_check,
}
"""The rules that make the models of checkers."""


def with_target(check: Check, settings: Settings, server: Address, around: Around) -> Check:
    """Return a checker of a real server whose addresses fit together; report what did not."""
    if isinstance(check, MiscCheck | FileCheck | BfdCheck):
        return check
    return replace(check, connect=_fitting(check.connect, settings, server, around))


def _fitting(connect: Connect, settings: Settings, server: Address, around: Around) -> Connect:
    """Return where to connect to, without the address that came last if two families differ."""
    to, bind = settings.values.get("connect.address"), settings.values.get("connect.bind_address")
    target = connect.address or server
    if bind is not None and connect.bind_address is not None:
        if to is not None and connect.bind_address.version == server.version != target.version:
            order = list(settings.values)
            if order.index("connect.bind_address") < order.index("connect.address"):
                _tell_family(to, connect.bind_address, settings, around)
                return replace(connect, address=None)
        if connect.bind_address.version != target.version:
            _tell_family(bind, target, settings, around)
            connect = replace(connect, bind_address=None)
    if target.is_link_local and target.version == 6 and connect.bind_interface is None:
        around.report.warning(
            "FV415",
            f"{target} is a link-local address: the checker needs an interface",
            (to.span if to is not None else settings.head),
            hint="add: bind_if INTERFACE",
            context=settings.context,
        )
    return connect


def _tell_family(setting: Setting, other: Address, settings: Settings, around: Around) -> None:
    around.report.warning(
        "FV406",
        f"{setting.value} and {other} are of two families; {setting.row.name} is ignored",
        setting.span,
        hint="write addresses of one family",
        context=settings.context,
    )
