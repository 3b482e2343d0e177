"""The report as one page that needs nothing else: figures with their definitions, plots, and drawings of signals."""

import base64
import io
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

import numpy as np
from PIL import Image

from ddmi_core.evaluation.figures import Figure
from ddmi_core.evaluation.parts import Kind, Parts
from ddmi_core.rendering.picture_layout import LIGHT, contact_sheet

_COLUMNS = 8
_BINS = 24
_WIDTH, _HEIGHT, _MARGIN = 560, 150, 28
_WANTED = {"higher": "higher is better", "lower": "lower is better", "0.5": "best at 0.5", "": ""}

_STYLE = """
:root { color-scheme: light dark; --ground: #f6f7f9; --panel: #fff; --line: #d9dde3; --text: #1b1e23; --dim: #5a626d;
  --accent: #3767d6; }
@media (prefers-color-scheme: dark) { :root { --ground: #16181c; --panel: #1e2127; --line: #2f343d; --text: #e6e8eb;
  --dim: #9aa3ad; --accent: #5b8cff; } }
body { margin: 0; background: var(--ground); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 32px 24px 64px; }
h1 { font-size: 24px; margin: 0 0 4px; } h2 { font-size: 17px; margin: 40px 0 12px; }
p { max-width: 78ch; } .dim { color: var(--dim); } .reason { color: var(--dim); font-style: italic; }
table { border-collapse: collapse; width: 100%; background: var(--panel); border: 1px solid var(--line);
  border-radius: 6px; } th, td { text-align: left; vertical-align: top; padding: 8px 12px;
  border-bottom: 1px solid var(--line); } tr:last-child > * { border-bottom: 0; }
th { font-weight: 600; } td.value { font-variant-numeric: tabular-nums; white-space: nowrap; }
td.definition { color: var(--dim); font-size: 13px; } td.hash { overflow-wrap: anywhere; }
figure { margin: 0 0 24px; } figcaption { color: var(--dim); font-size: 13px; margin-bottom: 4px; }
img { max-width: 100%; border-radius: 6px; border: 1px solid var(--line); } svg { max-width: 100%; height: auto; }
svg rect { fill: var(--accent); } svg line { stroke: var(--line); } svg text { fill: var(--dim); font-size: 12px; }
.plots { display: flex; flex-wrap: wrap; gap: 24px; }
"""


def page(found: Mapping[str, Any], figures: list[Figure], parts: Parts) -> str:
    """Return the page, HTML, of a report. All text in it is escaped."""
    model = found["model"]
    title = f"{model['name']} measured"
    plots = "".join(histogram(f"{figure.name}, each", figure.values) for figure in figures if len(figure.values) > 1)
    sheets = "".join(_sheet(parts, kind, caption) for kind, caption in _SHEETS.items())
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width'>"
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>"
        f"<h1>{escape(title)}</h1><p class='dim'>{escape(_summary(found))}</p>"
        f"{_not_measured(found)}"
        f"<h2>Figures</h2>{_figures(figures)}"
        + (f"<h2>Spread</h2><div class='plots'>{plots}</div>" if plots else "")
        + (f"<h2>Signals</h2>{sheets}" if sheets else "")
        + f"<h2>How it was measured</h2>{_facts(found)}</main></body></html>\n"
    )


def histogram(caption: str, values: list[float]) -> str:
    """Return a plot, SVG in HTML, of how values are spread; infinite ones are counted in the caption."""
    finite = [value for value in values if np.isfinite(value)]
    if not finite:
        return ""
    counts, edges = np.histogram(finite, _BINS)
    tallest, step = max(counts), _WIDTH / _BINS
    bars = "".join(
        f"<rect x='{i * step + 1:.1f}' y='{_HEIGHT * (1 - n / tallest):.1f}' width='{step - 2:.1f}' "
        f"height='{_HEIGHT * n / tallest:.1f}'><title>{edges[i]:.4g} to {edges[i + 1]:.4g}: {n}</title></rect>"
        for i, n in enumerate(counts)
    )
    left_out = len(values) - len(finite)
    note = f", {left_out} not finite left out" if left_out else ""
    return (
        f"<figure><figcaption>{escape(caption)} ({len(finite)} values{note})</figcaption>"
        f"<svg viewBox='0 0 {_WIDTH} {_HEIGHT + _MARGIN}' width='{_WIDTH}' role='img'>{bars}"
        f"<line x1='0' x2='{_WIDTH}' y1='{_HEIGHT}' y2='{_HEIGHT}'/>"
        f"<text x='0' y='{_HEIGHT + 18}'>{edges[0]:.4g}</text>"
        f"<text x='{_WIDTH}' y='{_HEIGHT + 18}' text-anchor='end'>{edges[-1]:.4g}</text></svg></figure>"
    )


_SHEETS: dict[Kind, str] = {"samples": "Samples, in the order of their seeds", "references": "Of the data"}


def _summary(found: Mapping[str, Any]) -> str:
    data, sampling = found["data"], found["sampling"]
    return (
        f"{sampling['samples']:,} samples against {data['signals']:,} signals of {data['source']} ({data['split']}); "
        f"{data['held_out_reconstructed']:,} held-out signals reconstructed. {found['made']}"
    )


def _not_measured(found: Mapping[str, Any]) -> str:
    texts = [
        f"{count:,} of the {kind} {reason}"
        for kind, reasons in found["not_measured"].items()
        for count, reason in (
            (reasons["not_finite"], "held values that are not numbers"),
            (reasons["nothing_to_see"], "showed nothing, such as no surface"),
        )
        if count
    ]
    return f"<p><b>Left out of all figures: {escape('; '.join(texts))}.</b></p>" if texts else ""


def _figures(figures: list[Figure]) -> str:
    rows = ""
    for figure in figures:
        value = "—" if figure.value is None else f"{figure.value:.4g} {figure.unit}".strip()
        reason = f"<p class='reason'>{escape(figure.reason)}</p>" if figure.reason else ""
        counts = ", ".join(f"{count:,} {name}" for name, count in figure.counts.items())
        rows += (
            f"<tr><th scope='row'>{escape(figure.name)}</th><td class='value'>{escape(value)}"
            f"<br><span class='dim'>{_WANTED[figure.better]}</span></td><td>{escape(counts)}</td>"
            f"<td class='definition'>{escape(figure.definition)}{reason}</td></tr>"
        )
    return f"<table><tr><th>Figure</th><th>Value</th><th>Of</th><th>Definition</th></tr>{rows}</table>"


def _sheet(parts: Parts, kind: Kind, caption: str) -> str:
    column = parts.column(kind, "picture")
    if column is None:
        return ""
    sheet = contact_sheet(list(column.numpy()), columns=min(_COLUMNS, len(column)), gap=4, background=LIGHT)
    buffer = io.BytesIO()
    Image.fromarray(sheet).save(buffer, "PNG", optimize=True)
    content = base64.b64encode(buffer.getvalue()).decode()
    return (
        f"<figure><figcaption>{escape(caption)}</figcaption>"
        f"<img alt='{escape(caption)}' src='data:image/png;base64,{content}'></figure>"
    )


def _facts(found: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><th scope='row'>{escape(name)}</th><td class='hash'>{escape(value)}</td></tr>"
        for name, value in _flat({key: value for key, value in found.items() if key != "figures"})
    )
    return f"<table>{rows}</table>"


def _flat(values: Mapping[str, Any], within: str = "") -> Iterable[tuple[str, str]]:
    for name, value in values.items():
        label = f"{within} {name}".strip().replace("_", " ")
        if isinstance(value, Mapping):
            yield from _flat(value, label)
        elif value is not None:
            yield label, " to ".join(map(str, value)) if isinstance(value, list) else str(value)
