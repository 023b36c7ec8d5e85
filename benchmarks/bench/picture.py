"""The results as one SVG: for each daemon a line from median to p99, on a logarithmic axis."""

import math
from collections.abc import Sequence
from html import escape

from bench.report import Result

LEFT, WIDTH, ROW, TOP = 330, 620, 16, 44
COLOURS = ("#0b6e4f", "#c8553d", "#5b6c8f")
TICKS = (10, 100, 1000, 10_000, 100_000)  # us


def draw(results: Sequence[Result], subtitle: str) -> str:
    """Return the SVG of `results` (at least one, in ns); rows are cases and metrics."""
    subjects = list(dict.fromkeys(result.subject for result in results))
    rows = list(dict.fromkeys((result.case, result.metric) for result in results))
    height = TOP + ROW * len(rows) * (len(subjects) + 1) + 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 40}" height="{height}" '
        'font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="8" y="16" font-size="10" fill="#666">{escape(subtitle)}</text>',
        *_legend(subjects),
        *_axis(height),
    ]
    y = TOP
    for row in rows:
        parts.append(f'<text x="8" y="{y + ROW}">{escape(", ".join(row))}</text>')
        for result in results:
            if (result.case, result.metric) == row:
                y += ROW
                parts += _line(result, y - 4, COLOURS[subjects.index(result.subject) % 3])
        y += ROW
    return "\n".join([*parts, "</svg>", ""])


def _x(nanoseconds: float) -> float:
    """Place a time, from the first tick to the last; what is beyond lies on the edge."""
    low, high = math.log10(TICKS[0]), math.log10(TICKS[-1])
    decade = math.log10(max(nanoseconds / 1000, TICKS[0]))
    return LEFT + WIDTH * min(1.0, (decade - low) / (high - low))


def _legend(subjects: list[str]) -> list[str]:
    return [
        f'<text x="{LEFT + 140 * place}" y="32" fill="{COLOURS[place % 3]}">'
        f"● {escape(subject)}</text>"
        for place, subject in enumerate(subjects)
    ]


def _axis(height: int) -> list[str]:
    parts = []
    for tick in TICKS:
        x = _x(tick * 1000)
        label = f"{tick} us" if tick < 1000 else f"{tick // 1000} ms"
        parts += [
            f'<path d="M{x:.1f} {TOP}V{height - 24}" stroke="#ddd"/>',
            f'<text x="{x:.1f}" y="{height - 8}" text-anchor="middle" fill="#666">{label}</text>',
        ]
    return parts


def _line(result: Result, y: int, colour: str) -> list[str]:
    one = result.summary
    return [
        f'<path d="M{_x(one.median):.1f} {y}H{_x(one.p99):.1f}" stroke="{colour}" '
        'stroke-width="3"/>',
        f'<circle cx="{_x(one.median):.1f}" cy="{y}" r="5" fill="{colour}"/>',
    ]
