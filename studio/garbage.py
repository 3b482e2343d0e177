"""Python's search for reference cycles, kept in the window's thread and short.

Python looks for cycles in whichever thread happens to allocate. One that holds a widget must not be taken apart in
another thread than the window's: there it can wait for a lock of Qt's for ever, while it holds the interpreter.
"""

import gc

from pyqtgraph.util.garbage_collector import GarbageCollector


class WindowCollector(GarbageCollector):
    """Collects in the thread that made it, by a timer, and nowhere else."""

    _sparing = False

    def spare_what_stays(self) -> None:
        """Look no more at what exists when this is called first, once a model is loaded.

        The libraries and the model stay, and going through them takes a noticeable time, even to count them. Only the
        first call counts: garbage is spared as well.
        """
        if not self._sparing:
            self._sparing = True
            gc.freeze()

    def stop(self) -> None:
        """Let Python collect by itself again."""
        self.timer.stop()
        gc.unfreeze()
        gc.enable()
