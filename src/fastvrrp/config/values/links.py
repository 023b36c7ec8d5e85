"""Lines about network interfaces: delays of link changes, ways to ask for the link."""

from __future__ import annotations

from dataclasses import dataclass

from fastvrrp.clock import Nanoseconds
from fastvrrp.config.model import InterfaceDelay, LinkbeatInterface, LinkbeatMethod
from fastvrrp.config.values.base import Args, Rejected, quoted
from fastvrrp.config.values.modelled import schema_of
from fastvrrp.config.values.network import take_interface
from fastvrrp.config.values.numbers import Seconds, seconds_text

__all__ = ["DelayLine", "LinkbeatLine"]

_DELAY = Seconds("0", "255")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class DelayLine:
    """One line of `interface_up_down_delays`."""

    def read(self, args: Args) -> InterfaceDelay:
        """Return the delays; one that is missing is 0."""
        name = take_interface(args)
        down = self._delay(args)
        up = self._delay(args)
        if args.rest():
            message = "two delays count: down and up; the words from here on are not used"
            args.note("FV105", message, args.rest()[0].span)
            args.drop_rest()
        if not down and not up:
            message = f"{name} has no delay; the line has no effect"
            args.note("FV342", message, args.statement.span, f"write {name} DOWN [UP] in seconds")
        return InterfaceDelay(interface=name, down=down, up=up, span=args.statement.span)

    def _delay(self, args: Args) -> Nanoseconds:
        if args.peek() is None:
            return Nanoseconds(0)
        try:
            return _DELAY.read(args)
        except Rejected as rejected:
            rejected.message = f"the delay of {rejected.message}"
            raise rejected.leaving_out("line") from None

    def write(self, value: InterfaceDelay) -> str | None:
        """Return the words."""
        return f"{quoted(value.interface)} {seconds_text(value.down)} {seconds_text(value.up)}"

    def describe(self) -> str:
        """Return the form."""
        return "interface down [up], 0 to 255 seconds each"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return schema_of(InterfaceDelay)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LinkbeatLine:
    """One line of `linkbeat_interfaces`."""

    def read(self, args: Args) -> LinkbeatInterface:
        """Return the interface and how it is asked."""
        name = take_interface(args)
        return LinkbeatInterface(
            interface=name, method=self._method(args), span=args.statement.span
        )

    def _method(self, args: Args) -> LinkbeatMethod | None:
        if args.peek() is None:
            return None
        word = args.take("")
        known = {one.value: one for one in LinkbeatMethod}
        if word.text in known:
            return known[word.text]
        is_case = word.text.upper() in known
        hint = f"write {word.text.upper()}" if is_case else f"write one of {', '.join(known)}"
        message = f"{word.text} is no way to ask for a link; it is not used"
        args.warn("FV103", message, word.span, hint)
        return None

    def write(self, value: LinkbeatInterface) -> str | None:
        """Return the words."""
        method = f" {value.method.value}" if value.method else ""
        return f"{quoted(value.interface)}{method}"

    def describe(self) -> str:
        """Return the form."""
        return f"interface [{'|'.join(one.value for one in LinkbeatMethod)}]"

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema."""
        return schema_of(LinkbeatInterface)
