"""How fast the monitor opens the events of a long run, and how smoothly it follows them.

    python -m benchmarks.training_events [--lines 100000]

Writes an events file of so many lines, reads it as the monitor does, draws its curves in a window off the screen, then
appends a line at a time. Prints one JSON object.
"""

import json
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import tyro

FOLLOWED = 200


def main(lines: int = 100_000) -> None:
    """Measure.

    Args:
        lines: of the events file.
    """
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from PySide6.QtWidgets import QApplication

    from ddmi_core.training.history import History
    from ddmi_core.training.run_folder import RunFolder
    from studio.theme.theme import Theme
    from studio.widgets.curve_plot import CurvePlots, Figure, Line

    app = QApplication([])
    plots = CurvePlots(Theme(app, "dark"))
    plots.resize(900, 400)
    plots.show()
    with tempfile.TemporaryDirectory() as place:
        run = RunFolder(Path(place))
        run.events_file.write_text("".join(_line(step) for step in range(1, lines + 1)), encoding="utf-8")
        history = History(run.events_file)

        def show() -> None:
            history.refresh()
            losses = [name for name in history.names() if name.kind == "losses"]
            plots.show_figures([Figure(name.term, [Line("run", history.curve(name), 0)]) for name in losses])
            app.processEvents()

        began = time.perf_counter()
        history.refresh()
        read = time.perf_counter() - began
        show()
        opened = time.perf_counter() - began
        followed = []
        for step in range(lines + 1, lines + 1 + FOLLOWED):
            with run.events_file.open("a", encoding="utf-8") as file:
                file.write(_line(step))
            began = time.perf_counter()
            show()
            followed.append(1000 * (time.perf_counter() - began))
    plots.close()
    figures = {
        "lines": lines,
        "read_seconds": round(read, 2),
        "open_seconds": round(opened, 2),
        "follow_p99_ms": round(float(np.percentile(followed, 99)), 1),
        "follow_max_ms": round(max(followed), 1),
    }
    print(json.dumps({"benchmark": "training_events", **figures}), flush=True)


def _line(step: int) -> str:
    event = {
        "time": 1.0e9 + step,
        "stage": "autoencoder",
        "step": step,
        "steps": 1_000_000,
        "losses": {"loss": 1 / step, "reconstruction": 0.9 / step, "kl": 0.1 / step, "psnr": 20.0},
        "learning_rate": 1e-3,
        "samples_per_second": 30.0,
        "eta_seconds": 1000.0,
        "memory_bytes": 2**30,
    }
    return json.dumps(event) + "\n"


if __name__ == "__main__":
    tyro.cli(main)
