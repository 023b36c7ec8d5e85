"""What the host must have for a configuration: interfaces, accounts, programs.

Findings are like those of the reader, with its places; nothing is changed and nothing is run. The
severities are those of `fastvrrp.config.diagnostics`: a missing notify script is only a note, since
keepalived leaves it out without a word.
"""

from __future__ import annotations

import socket
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from ipaddress import ip_address, ip_interface
from pathlib import Path
from typing import TYPE_CHECKING

from fastvrrp.children.accounts import AccountError, resolve
from fastvrrp.children.security import Program, check
from fastvrrp.children.security import Severity as ProblemSeverity
from fastvrrp.config.model import Command, Config, Reference, ReferenceKind, ScriptConfig
from fastvrrp.errors import KernelError
from fastvrrp.host.vmac_plan import names, wanted
from fastvrrp.track.mounts import waits_on

if TYPE_CHECKING:
    from fastvrrp.config.diagnostics import Span
    from fastvrrp.config.model import Address, InstanceConfig, Network
    from fastvrrp.config.source import Report

__all__ = ["NO_INTERFACE_OF_LINKS", "SECURITY_CODES", "advise", "commands", "inspect"]

NO_INTERFACE = "FV501"
NO_INTERFACE_OF_LINKS = "FV502"
NO_ACCOUNT = "FV503"
NO_PROGRAM = "FV504"
REPLACEABLE = "FV505"
SECURITY = "FV506"
NO_DIRECTORY = "FV507"
NO_PATH = "FV508"
OUTSIDE = "FV509"
KEY_FOR_OTHERS = "FV510"
NO_KEY_FILE = "FV511"
OWN_PEER = "FV331"

SECURITY_CODES = frozenset({SECURITY, KEY_FOR_OTHERS})
"""Findings that keepalived counts as violations of security."""

_NEEDED_AT_START = ("interface", "virtual_ipaddress", "virtual_ipaddress_excluded")
_LINK_BLOCKS = ("linkbeat_interfaces", "interface_up_down_delays")
_ESSENTIAL_USERS = ("user", "script_user")
"""Keywords without whose account something that decides is left out."""


def inspect(config: Config, report: Report) -> None:
    """Report what this host lacks for `config`. Thread: cold; reads accounts and file metadata."""
    _check_interfaces(config, report)
    unknown = _check_accounts(config, report)
    _check_programs(config, report, unknown)
    _check_key_files(config, report)
    _check_directories(config, report)


def advise(config: Config, report: Report) -> None:
    """Report that, and what is probably not meant on this host. Thread: cold; asks the kernel."""
    inspect(config, report)
    try:
        host = _host(config)
    except (OSError, KernelError):  # a sandbox may forbid to ask
        return
    for instance in config.instances:
        _check_peers(instance, host, report)
        _check_subnets(instance, host, report)


def _check_interfaces(config: Config, report: Report) -> None:
    """Report interfaces that are not there; the engine does not start without those of instances,
    unless it is told that interfaces come later; as keepalived. Those of use_vmac are made then.
    """
    present = {name for _, name in socket.if_nameindex()}
    made = {next(names(want)) for want in wanted(config)}
    may_come_later = config.global_defs.dynamic_interfaces
    for one in config.references:
        if one.kind is not ReferenceKind.INTERFACE or one.name in present | made:
            continue
        message, hint = f"there is no interface {one.name} here", _which_interface(one, present)
        if one.keyword in _NEEDED_AT_START:
            if may_come_later:
                text = f"there is no interface {one.name} here yet: it is waited for"
                report.note(NO_INTERFACE, text, one.span, hint=hint)
            else:
                text = f"{message}, and nothing starts without it"
                report.error(NO_INTERFACE, text, one.span, hint=hint)
        elif not may_come_later:
            code = NO_INTERFACE_OF_LINKS if one.keyword in _LINK_BLOCKS else NO_INTERFACE
            report.warning(code, message, one.span, hint=hint)


def _which_interface(one: Reference, present: set[str]) -> str:
    """Return what to write instead."""
    from difflib import get_close_matches  # noqa: PLC0415 - needed for mistakes only

    bare = one.name.rstrip(";,")
    if bare in present:
        return f"write {bare}: a line ends without a mark"
    others = sorted(present - {"lo"})
    near = get_close_matches(one.name, others, n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else f"this machine has: {', '.join(others[:8])}"


def _check_accounts(config: Config, report: Report) -> frozenset[str]:
    """Report users and groups that do not exist; return their names."""
    unknown: set[str] = set()
    for one in config.references:
        if one.kind is ReferenceKind.INTERFACE:
            continue
        try:
            resolve(one.name) if one.kind is ReferenceKind.USER else resolve("root", one.name)
        except AccountError as error:
            unknown.add(one.name)
            tell = report.warning if one.keyword in _ESSENTIAL_USERS else report.note
            consequence = _without_account(one)
            tell(NO_ACCOUNT, f"{error}; {consequence}", one.span, hint=error.hint)
    return frozenset(unknown)


def _without_account(reference: Reference) -> str:
    if reference.keyword == "script_user":
        return "scripts that name no user of their own are not run"
    return "the program is not run"


def _check_programs(config: Config, report: Report, unknown: frozenset[str]) -> None:
    """Report programs that cannot run or that others can replace, and if any runs unchecked.

    Whoever uses it, a program is looked at and reported once for each account.
    """
    seen: set[tuple[str, str | None, str | None]] = set()
    unchecked: list[Span] = []
    for command, decides in commands(config):
        key = (command.argv[0], command.user, command.group)
        if command.span is None or key in seen or _names(command, config) & unknown:
            continue
        seen.add(key)
        program = _check_program(command, config, report, decides=decides)
        if program is None:
            continue
        if decides and _is_left_out_by_keepalived(command, program):
            _tell_left_out(report, command.span, program)
        else:
            unchecked.append(command.span)
    if unchecked and not config.global_defs.enable_script_security:
        _tell_unchecked(config, report, unchecked[0])


def _check_program(
    command: Command, config: Config, report: Report, *, decides: bool
) -> Program | None:
    """Return the program of a command, None if it cannot run; report what is wrong with it."""
    assert command.span is not None, "only commands with a place are checked"
    checked = check(command, config.global_defs)
    for problem in checked.problems:
        refused = problem.severity is ProblemSeverity.ERROR
        tell = report.warning if refused and decides else report.note
        code = REPLACEABLE if "root would run it" in problem.message else NO_PROGRAM
        consequence = "; it is not run" if refused else ""
        tell(code, f"{problem.message}{consequence}", command.span, hint=problem.hint)
    return checked.program


def _is_left_out_by_keepalived(command: Command, program: Program) -> bool:
    """keepalived does not find a name without a path for an account that is not root."""
    name = command.argv[0]
    return "/" not in name and not name.startswith("<") and bool(program.account.credentials.uid)


def _tell_left_out(report: Report, span: Span, program: Program) -> None:
    report.warning(
        NO_PATH,
        f"this program has no path, so that keepalived leaves the script out; {program.path} "
        f"is run here",
        span,
        hint=f"write {program.path}",
    )


def _tell_unchecked(config: Config, report: Report, span: Span) -> None:
    """Report, once, that scripts run unchecked; with net_namespace keepalived does not."""
    tell = report.warning if config.process.net_namespace is None else report.note
    tell(
        SECURITY,
        "SECURITY VIOLATION - scripts are being executed but script_security not enabled.",
        span,
        hint="write enable_script_security in global_defs: then root runs nothing that others "
        "can change",
    )


def _names(command: Command, config: Config) -> set[str]:
    """Return the accounts that a command needs."""
    defaults = config.global_defs
    names = (command.user or defaults.script_user, command.group or defaults.script_group)
    return {name for name in names if name is not None}


def commands(config: Config) -> Iterator[tuple[Command, bool]]:
    """Yield every command of a configuration, and if an election depends on it."""
    yield from ((script.command, True) for script in config.scripts)
    yield from ((command, False) for command in _walk(config))


def _walk(value: object) -> Iterator[Command]:
    """Yield the commands in a part of the model, those of scripts left out."""
    if isinstance(value, ScriptConfig):
        return
    if isinstance(value, Command):
        yield value
    elif isinstance(value, tuple):
        for one in value:
            yield from _walk(one)
    elif is_dataclass(value):
        for one in fields(value):
            if one.compare:
                yield from _walk(getattr(value, one.name))


def _check_key_files(config: Config, report: Report) -> None:
    """Report files of keys that cannot be read, or that others can."""
    keys = (key for one in config.instances if one.hmac is not None for key in one.hmac.keys)
    files = [(key.id, key.file, key.span) for key in keys if key.file is not None]
    if not files:
        return
    from fastvrrp.keys import KeyFileError, parse_key, read_key_file  # noqa: PLC0415 - seldom used

    for number, path, span in files:
        if span is None:
            continue
        try:
            data, mode = read_key_file(path)
            parse_key(data)
        except KeyFileError as error:
            message = f"key {number} cannot be used: {error}; fastvrrpd does not start without it"
            report.warning(NO_KEY_FILE, message, span, hint=error.hint)
            continue
        if mode & (stat.S_IRGRP | stat.S_IROTH):
            report.warning(
                KEY_FOR_OTHERS,
                f"others than its owner can read the key in {path} (mode {mode:04o})",
                span,
                hint=f"run: chmod 600 {path}",
            )


class _Host:
    """What addresses this host has, and the subnets of its interfaces.

    `virtual` addresses, which it may hold right now, make no subnet.
    """

    def __init__(self, virtual: set[Address]) -> None:
        self.owners: dict[Address, str] = {}
        self._virtual = virtual
        self._subnets: dict[str, set[Network]] = {}

    def add(self, interface: str, own: Address, subnet: Network) -> None:
        """Take note of an address."""
        self.owners[own] = interface
        is_subnet = subnet.num_addresses > 1 and not subnet.is_loopback
        if is_subnet and own not in self._virtual:
            self._subnets.setdefault(interface, set()).add(subnet)

    def subnets(self, interface: str, of: Address) -> list[Network]:
        """Return the subnets in which an address of an interface could be."""
        return sorted(
            (
                one
                for one in self._subnets.get(interface, ())
                if one.version == of.version and (of.is_link_local or not one.is_link_local)
            ),
            key=str,
        )


def _host(config: Config) -> _Host:
    """Return what the host has, and gets by static addresses."""
    from fastvrrp.host.netlink import dump_addresses  # noqa: PLC0415 - slow to load

    vips = (vip for one in config.instances for vip in (*one.addresses, *one.excluded))
    names = dict(socket.if_nameindex())
    found = _Host({vip.address.ip for vip in vips})
    for message in dump_addresses():
        far = message.get_attr("IFA_ADDRESS")
        own = message.get_attr("IFA_LOCAL") or far
        name = names.get(message["index"])
        if own is not None and name is not None:
            subnet = ip_interface(f"{far or own}/{message['prefixlen']}").network
            found.add(name, ip_address(own), subnet)
    for static in config.static_addresses:
        name = static.interface or config.global_defs.default_interface
        found.add(name, static.address.ip, static.address.network)
    return found


def _check_peers(instance: InstanceConfig, host: _Host, report: Report) -> None:
    """Report peers that are this router; that named as its source was reported before."""
    for peer in instance.peers:
        owner = host.owners.get(peer.address)
        if owner is None or peer.span is None or peer.address == instance.source:
            continue
        message = f"{peer.address} is this router itself: {owner} has it"
        report.note(OWN_PEER, message, peer.span, hint="list the other routers only")


def _check_subnets(instance: InstanceConfig, host: _Host, report: Report) -> None:
    """Report virtual addresses that no other host would look for on their interface."""
    vips = (*instance.addresses, *instance.excluded)
    brought = Counter(vip.address.network for vip in vips)
    for vip in vips:
        name, own = vip.interface or instance.interface, vip.address
        subnets = host.subnets(name, own.ip)
        if not subnets or vip.span is None:
            continue
        others = (one for one, count in brought.items() if count > (one == own.network))
        if any(own.ip in one for one in (*subnets, *others)):
            continue
        report.note(
            OUTSIDE,
            f"{own.ip} is in no subnet of {name}, which has"
            f" {' and '.join(str(one) for one in subnets[:4])}",
            vip.span,
            hint="right if other hosts look for it there, or have a route to it; else correct the"
            " address",
        )


def _check_directories(config: Config, report: Report) -> None:
    """Report tracked files in places where they are not found."""
    for tracked in config.files:
        doubt = _doubt(tracked.path, tracked.name)
        if tracked.span is not None and doubt is not None:
            report.note(NO_DIRECTORY, doubt[0], tracked.span, hint=doubt[1])


def _doubt(path: str, name: str) -> tuple[str, str] | None:
    """Return what is wrong with the path of a tracked file, and what to do."""
    if not path.startswith("/"):
        return f"the path of a track_file begins with /: {path} is read as /{path}", "write it all"
    kind = waits_on(path)
    if kind is not None:
        message = f"{name} is not tracked: {path} is on {kind}, which can keep everything waiting"
        return message, "move the file to a file system of this machine, for example to /run"
    directory = Path(path).parent
    if directory.is_dir():
        return None
    message = f"there is no directory {directory}: {name} counts as 0 until there is"
    return message, f"run: mkdir -p {directory}"
