"""Runs benchmarks, each as a process of its own, and writes one table of their figures.

    python -m benchmarks.report --out report.md
    python -m benchmarks.report --only image_zoom ui_latency --keep lines/ --out report.md
    python -m benchmarks.report --saved lines/*.jsonl --out report.md

One that fails is named with the end of what it said, and the others go on. `--keep` saves the JSON lines of each, from
which `--saved` makes the table again without running anything.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import tyro

from ddmi_core.support.files import write_text

FOLDER = Path(__file__).resolve().parent
_ABOUT = ("benchmark", "measurement", "model", "hash")
_LAST_LINES = 3


def main(
    out: Path | None = None,
    only: tuple[str, ...] = (),
    saved: tuple[Path, ...] = (),
    keep: Path | None = None,
    timeout: float = 86_400,
) -> int:
    """Write the table of benchmarks.

    Args:
        out: the Markdown file; printed if not given.
        only: names of benchmarks to run; otherwise all of them.
        saved: files of JSON lines to take instead of running anything.
        keep: a folder to save the JSON lines of each benchmark in.
        timeout: seconds after which a benchmark counts as failed.
    """
    known = names()
    unknown = [name for name in only if name not in known]
    if unknown:
        print(f"There is no benchmark {', '.join(unknown)}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    found: list[dict[str, Any]] = []
    failures: dict[str, str] = {}
    if saved:
        for path in saved:
            try:
                found += parsed(path.read_text(encoding="utf-8"), path.stem)
            except OSError as error:
                failures[path.name] = f"cannot be read: {error.strerror}"
    for name in () if saved else only or known:
        print(f"{name} …", file=sys.stderr, flush=True)
        began = time.perf_counter()
        text, failure = run([sys.executable, "-m", f"benchmarks.{name}"], timeout)
        found += parsed(text, name)
        if failure:
            failures[name] = failure
        print(f"{name} {'failed' if failure else 'done'}, {time.perf_counter() - began:.0f} s", file=sys.stderr)
        if keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
            write_text(keep / f"{name}.jsonl", text)
    content = table(found, failures)
    if out is None:
        print(content, end="")
    else:
        write_text(out, content)
    return 1 if failures else 0


def names() -> list[str]:
    """Return the names of all benchmarks."""
    own = (Path(__file__).stem, "__init__")
    return sorted(path.stem for path in FOLDER.glob("*.py") if path.stem not in own)


def run(command: list[str], timeout: float) -> tuple[str, str]:
    """Run a benchmark; return what it printed, and why it failed, if it did."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=timeout, cwd=FOLDER.parent, check=False, errors="replace"
        )
    except subprocess.TimeoutExpired as error:
        printed = error.stdout or b""
        text = printed.decode(errors="replace") if isinstance(printed, bytes) else printed
        return text, f"not done after {timeout:,.0f} s"
    if done.returncode:
        last = " / ".join(line.strip() for line in done.stderr.strip().splitlines()[-_LAST_LINES:])
        return done.stdout, f"exit code {done.returncode}: {last or 'it said nothing'}"
    return done.stdout, ""


def parsed(text: str, name: str) -> list[dict[str, Any]]:
    """Return the JSON objects among the lines of a benchmark; other lines are left out."""
    found = []
    for line in text.splitlines():
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            found.append({"benchmark": name, **value})
    return found


def table(lines: Iterable[Mapping[str, Any]], failures: Mapping[str, str]) -> str:
    """Return one Markdown table of all figures, and below it what failed."""
    rows = ["| Benchmark | Measurement | Model | Figures |", "|---|---|---|---|"]
    for line in lines:
        model = " ".join(str(line[name]) for name in ("model", "hash") if name in line)
        figures = ", ".join(f"{name} {_told(value)}" for name, value in line.items() if name not in _ABOUT)
        cells = (str(line["benchmark"]), str(line.get("measurement", "")), model, figures)
        rows.append(f"| {' | '.join(_cell(cell) for cell in cells)} |")
    if failures:
        rows += ["", "Failed:", ""]
        rows += [f"- {name}: {reason}" for name, reason in failures.items()]
    return "\n".join(rows) + "\n"


def _told(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.5g}"
    if isinstance(value, Mapping):
        return "(" + ", ".join(f"{name} {_told(part)}" for name, part in value.items()) + ")"
    if isinstance(value, list):
        return "[" + ", ".join(map(_told, value)) + "]"
    return str(value)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    sys.exit(tyro.cli(main))
