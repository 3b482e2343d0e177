"""The models in memory: loaded once, in a thread of their own, shared by all lanes."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path
from typing import TYPE_CHECKING

from studio.engine.lanes import Lane

if TYPE_CHECKING:
    from ddmi_core.pipeline import Pipeline

log = logging.getLogger(__name__)

_KEPT = 2
_POLL_SECONDS = 0.05


def load_pipeline(folder: Path, device: str) -> Pipeline:
    """Load a model folder."""
    from ddmi_core.pipeline import Pipeline  # here, because it takes seconds and must not delay the window

    return Pipeline.from_pretrained(folder, device=device)


class PipelineCache:
    """The last models used. A folder that has changed on disk is loaded again.

    Loading runs in a lane of its own, so whoever waits for it can give up at once; the model then still comes in.
    """

    def __init__(self, device: str = "auto", load: Callable[[Path, str], Pipeline] = load_pipeline) -> None:
        self.device = device
        self._load = load
        self._lane = Lane("ddmi-load")
        self._lock = threading.Lock()
        self._loaded: OrderedDict[tuple[Path, int], Future[Pipeline]] = OrderedDict()

    def get(self, folder: Path, check: Callable[[], None]) -> Pipeline:
        """The pipeline of a model folder.

        ``check`` is called while waiting and may raise :class:`~ddmi_core.progress.Cancelled`. Raises whatever loading
        raised; the next call tries again.
        """
        key = (Path(folder), _modified(folder))
        with self._lock:
            future = self._loaded.get(key)
            if future is None:
                future = self._loaded[key] = Future()
                self._lane.submit(lambda: self._fill(key, future))
            self._loaded.move_to_end(key)
            while len(self._loaded) > _KEPT:
                self._loaded.popitem(last=False)
        while True:
            check()
            try:
                return future.result(timeout=_POLL_SECONDS)
            except FutureTimeoutError:
                if future.done():  # loading itself raised a TimeoutError
                    raise

    def stop(self) -> None:
        """Load nothing more."""
        self._lane.stop()

    def join(self, timeout: float) -> bool:
        """Wait for the loading thread; whether it has ended."""
        return self._lane.join(timeout)

    def _fill(self, key: tuple[Path, int], future: Future[Pipeline]) -> None:
        try:
            pipeline = self._load(key[0], self.device)
        except BaseException as error:
            with self._lock:
                if self._loaded.get(key) is future:
                    del self._loaded[key]
            future.set_exception(error)
        else:
            log.info("loaded %s on %s", key[0], self.device)
            future.set_result(pipeline)


def _modified(folder: Path) -> int:
    """Time of the last change of a model folder's index, in ns; 0 when there is none (loading says what is wrong)."""
    try:
        return (Path(folder) / "model_index.json").stat().st_mtime_ns
    except OSError:
        return 0
