"""The keys of `auth_hmac`: from the configuration, and from the files that it names, to the core.

A file is opened once, as it is: no symbolic link, nothing that could make us wait, nobody else's.
What it holds is in no message.
"""

import logging
import os
import re
import stat
from typing import Final

from fastvrrp.clock import NS_PER_SECOND, seconds
from fastvrrp.config.diagnostics import Diagnostic, Severity, Span
from fastvrrp.config.model import (
    AntiReplay,
    AuthHmac,
    HmacKey,
    HmacMode,
    InstanceConfig,
    StaleAction,
)
from fastvrrp.core.acts import HmacParams
from fastvrrp.errors import ConfigError, FastVrrpError

__all__ = ["KeyFileError", "hmac_params", "parse_key", "read_key_file"]

log = logging.getLogger("fastvrrp.vrrp")

MAX_FILE_BYTES: Final = 139
"""`hex:`, two digits for each of 64 bytes, and some blanks and line ends."""
SHORTEST, LONGEST = 32, 64
SHORTEST_WINDOW: Final = seconds(5)
NO_KEY = "FV511"

_MODES = {HmacMode.ENFORCE: 0, HmacMode.PERMISSIVE: 1, HmacMode.RECEIVE_ONLY: 2}


class KeyFileError(FastVrrpError):
    """A key cannot be used; `hint` says what to do. The key itself is not told."""

    def __init__(self, message: str, hint: str) -> None:
        self.hint = hint
        super().__init__(message)


def hmac_params(instance: InstanceConfig) -> HmacParams | None:
    """Return `auth_hmac` of an instance with all of its keys, None if there is none.

    Raises ConfigError that names the place of every key that cannot be used: without a key, adverts
    of those who still sign with it would be rejected, and two routers be active. A file that others
    can read is used, and a warning is logged. Thread: cold; reads files.
    """
    hmac = instance.hmac
    if hmac is None:
        return None
    keys: list[tuple[int, bytes]] = []
    wrong: list[Diagnostic] = []
    for key in hmac.keys:
        try:
            keys.append((key.id, _bytes_of(key, instance.name)))
        except KeyFileError as error:
            wrong.append(_finding(instance, key, f"key {key.id} cannot be used: {error}", error))
    if wrong:
        raise ConfigError(wrong)
    try:
        return _params(hmac, tuple(keys))
    except ValueError as error:
        message = f"auth_hmac cannot be run: {error}"
        raise ConfigError([_finding(instance, None, message, None)]) from error


def _params(hmac: AuthHmac, keys: tuple[tuple[int, bytes], ...]) -> HmacParams:
    window = SHORTEST_WINDOW if hmac.time_window is None else hmac.time_window
    return HmacParams(
        keys=keys,
        active_key=0 if hmac.active_key is None else hmac.active_key,
        monotonic=hmac.anti_replay is AntiReplay.MONOTONIC,
        window=window // NS_PER_SECOND,
        mode=_MODES[hmac.mode],
        hold=hmac.stale_action is StaleAction.HOLD,
    )


def _finding(
    instance: InstanceConfig, key: HmacKey | None, message: str, error: KeyFileError | None
) -> Diagnostic:
    where = instance if key is None else key
    nowhere = Span(file=(key.file if key is not None else None) or instance.name, line=0, column=0)
    return Diagnostic(
        severity=Severity.ERROR,
        code=NO_KEY,
        message=message,
        span=where.span or nowhere,
        hint=None if error is None else error.hint,
        context=f"vrrp_instance {instance.name}",
    )


def _bytes_of(key: HmacKey, instance: str) -> bytes:
    if key.file is None:
        data = b"" if key.secret is None else key.secret.reveal()
        return _measured(data)
    data, mode = read_key_file(key.file)
    if mode & (stat.S_IRGRP | stat.S_IROTH):
        log.warning(
            "(%s) others than its owner can read key %d in %s (mode %04o); run: chmod 600 %s",
            instance, key.id, key.file, mode, key.file,
        )  # fmt: skip
    return parse_key(data)


def read_key_file(path: str) -> tuple[bytes, int]:
    """Return the content of the file of a key, at most 139 bytes, and its permissions.

    Raises KeyFileError if it cannot be opened, is no regular file, or belongs neither to root nor
    to the account of this process.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
    try:
        fd = os.open(path, flags)
    except OSError as error:
        hint = "install the same file on every router"
        if os.path.islink(path):
            hint = "name the file itself, a symbolic link is not followed"
        raise KeyFileError(f"{path}: {error.strerror}", hint) from error
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise KeyFileError(f"{path} is no regular file", "put the key into a file")
        if status.st_uid not in (0, os.geteuid()):
            hint = f"run: chown root {path}"
            raise KeyFileError(f"{path} belongs to another account, who could change it", hint)
        data = os.read(fd, MAX_FILE_BYTES + 1)
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}", "check the file system") from error
    finally:
        os.close(fd)
    if len(data) > MAX_FILE_BYTES:
        hint = f"a key is {SHORTEST} to {LONGEST} bytes, and nothing else may be in the file"
        raise KeyFileError(f"{path} is longer than {MAX_FILE_BYTES} bytes", hint)
    return data, stat.S_IMODE(status.st_mode)


def parse_key(data: bytes) -> bytes:
    """Return the 32..64 bytes of a key that is written as ASCII text or as `hex:DIGITS`.

    Line ends behind it do not count. Raises KeyFileError.
    """
    text = data.rstrip(b"\r\n")
    if not text.isascii():
        raise KeyFileError("it is not ASCII", "write other bytes as hex:DIGITS")
    if not text.startswith(b"hex:"):
        return _measured(text)
    digits = re.sub(rb"[ \t]", b"", text.removeprefix(b"hex:"))
    if len(digits) % 2 or not re.fullmatch(b"[0-9A-Fa-f]*", digits):
        hint = "write hex: and two digits for each byte"
        raise KeyFileError("it is no hexadecimal number", hint)
    return _measured(bytes.fromhex(digits.decode()))


def _measured(key: bytes) -> bytes:
    if SHORTEST <= len(key) <= LONGEST:
        return key
    hint = 'make one: echo "hex:$(openssl rand -hex 32)"'
    raise KeyFileError(f"a key has {SHORTEST} to {LONGEST} bytes, this one {len(key)}", hint)
