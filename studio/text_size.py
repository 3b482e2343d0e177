"""How large text and everything else is drawn."""

import os


def apply_text_size(percent: int) -> None:
    """Let Qt draw everything larger; call it before the application exists, which alone reads it.

    It comes on top of the screen's own scale, and of a `QT_SCALE_FACTOR` that is set. Pictures are still drawn at the
    screen's own pixels.
    """
    if percent != 100:
        try:
            before = float(os.environ.get("QT_SCALE_FACTOR") or 1)
        except ValueError:
            before = 1.0
        os.environ["QT_SCALE_FACTOR"] = f"{before * percent / 100:g}"
