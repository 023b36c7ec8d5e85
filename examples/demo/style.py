"""Colours of the picture, for a light and a dark page. Blue and orange keep apart for every eye."""

LIGHT = {
    "page": "#ffffff",
    "text": "#1f2328",
    "muted": "#656d76",
    "band": "#f3f5f8",
    "grid": "#d0d7de",
    "web1": "#2563c9",
    "web2": "#d9730d",
    "fault": "#cf222e",
    "good": "#1a7f37",
    "inside": "#ffffff",
}
DARK = {
    "page": "#0d1117",
    "text": "#e6edf3",
    "muted": "#9198a1",
    "band": "#161b22",
    "grid": "#3d444d",
    "web1": "#4c8dff",
    "web2": "#f0883e",
    "fault": "#ff5c66",
    "good": "#3fb950",
    "inside": "#0d1117",
}
FONT = 'system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif'


def _colours(palette: dict[str, str]) -> str:
    fills = [f".f-{name} {{ fill: {colour} }}" for name, colour in palette.items()]
    strokes = [f".s-{name} {{ stroke: {colour} }}" for name, colour in palette.items()]
    return "\n".join(fills + strokes)


STYLE = f"""
text {{ font-family: {FONT}; font-size: 13px }}
.title {{ font-size: 21px; font-weight: 600 }}
.head {{ font-weight: 600 }}
.act {{ font-size: 15px; font-weight: 600 }}
.small {{ font-size: 12px }}
.thin {{ stroke-width: 1 }}
.thick {{ stroke-width: 2 }}
.f-both {{ fill: url(#both); opacity: 0.25 }}
.dashed {{ stroke-dasharray: 4 3 }}
.dotted {{ stroke-width: 2; stroke-dasharray: 1 5; stroke-linecap: round }}
{_colours(LIGHT)}
@media (prefers-color-scheme: dark) {{
{_colours(DARK)}
}}
"""
