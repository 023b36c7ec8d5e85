"""Values of a recording: numbers and addresses, and how far what a file says is believed."""

from ipaddress import ip_address

from fastvrrp.errors import RecordError

__all__ = ["LATEST", "LONGEST", "address_from", "address_text", "integer", "unsigned", "within"]

LONGEST = 1 << 56
"""ns, two years: what no duration reaches. Sums with it stay far from the end of 64 bits, where a
deadline would come round to the past."""

LATEST = 1 << 60
"""ns, the largest instant."""
_UINT64 = (1 << 64) - 1


def integer(value: object) -> int:
    """Return `value`, a JSON number that fits into 63 bits; raises RecordError."""
    if type(value) is not int or abs(value) >= 1 << 63:
        raise RecordError(f"{value!r} is no whole number of 64 bits")
    return value


def within(value: object, limit: int) -> int:
    """Return `value` if it is 0 or more and below `limit` ns; raises RecordError."""
    number = integer(value)
    if not 0 <= number < limit:
        raise RecordError(f"{number} ns is outside what can be")
    return number


def address_text(raw: bytes) -> str:
    """Return the text of 4 or 16 bytes, "" for an unknown address.

    16 bytes whose last 12 are 0 are written as IPv4, which reads back to the same bytes.
    """
    if not any(raw):
        return ""
    return str(ip_address(raw if any(raw[4:]) else raw[:4]))


def address_from(text: object) -> bytes:
    """Return the 4 or 16 bytes of `text`, b"" for ""; raises RecordError."""
    if text == "":
        return b""
    try:
        if isinstance(text, str):
            return ip_address(text).packed
    except ValueError:
        pass
    raise RecordError(f"{text!r} is no address")


def unsigned(value: object) -> int:
    """Return an unsigned number of 64 bits as C keeps it; raises RecordError."""
    if type(value) is not int or not 0 <= value <= _UINT64:
        raise RecordError(f"{value!r} is no unsigned number of 64 bits")
    return value - (1 << 64) if value >> 63 else value
