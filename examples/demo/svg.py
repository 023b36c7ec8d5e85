"""A small SVG writer: elements are strings, shapes take numbers, colours are classes."""

from html import escape

CHARACTER_WIDTH = 0.56  # of the font size, on average, in common sans-serif fonts
BOLD_WIDTH = 1.08


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """About how wide a text will be."""
    return len(text) * size * CHARACTER_WIDTH * (BOLD_WIDTH if bold else 1)


def element(name: str, content: str = "", **attributes: object) -> str:
    """An element; `css` becomes class, and underscores in names become hyphens."""
    css = attributes.pop("css", None)
    pairs = [*attributes.items(), *([("class", css)] if css else [])]
    written = "".join(f' {key.replace("_", "-")}="{_value(value)}"' for key, value in pairs)
    return f"<{name}{written}>{content}</{name}>" if content else f"<{name}{written}/>"


def text(x: float, y: float, content: str, css: str, *, anchor: str = "start") -> str:
    """A line of text whose base line is at y."""
    return element("text", escape(content), x=x, y=y, css=css, text_anchor=anchor)


def rect(
    x: float, y: float, width: float, height: float, css: str, *, radius: float = 0, tip: str = ""
) -> str:
    """A rectangle, with a tool tip if given."""
    tip = element("title", escape(tip)) if tip else ""
    return element("rect", tip, x=x, y=y, width=width, height=height, rx=radius, css=css)


def line(x1: float, y1: float, x2: float, y2: float, css: str) -> str:
    """A straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, css=css)


def _value(value: object) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else escape(str(value))
