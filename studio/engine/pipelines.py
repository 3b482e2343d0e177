"""The models in memory: loaded once, in a thread of their own, shared by all lanes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path
from typing import TYPE_CHECKING

from studio.engine.lanes import Lane
from studio.state.byte_cache import ByteCache
from studio.state.memory import MemoryBudget

if TYPE_CHECKING:
    from ddmi_core.pipeline import Pipeline

log = logging.getLogger(__name__)

_POLL_SECONDS = 0.05


def load_pipeline(folder: Path, device: str) -> Pipeline:
    """Load a model folder. Where a CUDA device was chosen and is gone, the CPU takes its place."""
    from ddmi_core.pipeline import Pipeline  # here, because it takes seconds and must not delay the window

    if device.startswith("cuda") and int(device.partition(":")[2] or 0) >= len(gpus()):
        log.warning("there is no %s any more; the CPU is used", device)
        device = "cpu"
    return Pipeline.from_pretrained(folder, device=device)


def gpus() -> tuple[str, ...]:
    """The names of the CUDA devices that torch can use."""
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return tuple(torch.cuda.get_device_name(number) for number in range(count))


def gpu_memory(device: str) -> tuple[int, int] | None:
    """Bytes in use of a CUDA device, by whoever, and all it has; None of other devices, or while none was used yet."""
    if not device.startswith("cuda"):
        return None
    import torch

    if not torch.cuda.is_initialized():
        return None
    free, whole = torch.cuda.mem_get_info(torch.device(device))
    return whole - free, whole


class PipelineCache:
    """The models used last, as many as fit into a budget of bytes. A folder that has changed on disk is loaded again.

    Loading runs in a lane of its own, so whoever waits for it can give up at once; the model then still comes in.
    """

    def __init__(self, device: str = "auto", load: Callable[[Path, str], Pipeline] = load_pipeline) -> None:
        self.device = device
        self._load = load
        self._lane = Lane("ddmi-load")
        self._lock = threading.Lock()
        self.on_dropped: Callable[[Pipeline], object] = lambda _pipeline: None
        """Told of a model that is not kept any longer."""
        self._loaded: ByteCache[tuple[Path, int], Future[Pipeline]] = ByteCache(
            MemoryBudget().models, _size, self._drop
        )

    def get(self, folder: Path, check: Callable[[], None]) -> Pipeline:
        """The pipeline of a model folder.

        ``check`` is called while waiting and may raise `Cancelled`. Raises whatever loading
        raised; the next call tries again.
        """
        key = (Path(folder), _modified(folder))
        with self._lock:
            future = self._loaded.get(key)
            if future is None:
                future = Future()
                self._loaded.put(key, future)
                device = self.device
                self._lane.submit(lambda: self._fill(key, future, device))
        while True:
            check()
            try:
                return future.result(timeout=_POLL_SECONDS)
            except FutureTimeoutError:
                if future.done():  # loading itself raised a TimeoutError
                    raise

    def has(self, folder: Path) -> bool:
        """Whether a model is in memory already."""
        with self._lock:
            future = self._loaded.get((Path(folder), _modified(folder)))
        return future is not None and future.done()

    def set_budget(self, budget: int) -> None:
        """Keep so many bytes of models from now on."""
        with self._lock:
            self._loaded.budget = budget

    def set_device(self, device: str) -> None:
        """Load models to another device from now on: auto, cpu or cuda. Those in memory are forgotten."""
        with self._lock:
            self.device = device
            self._loaded.clear()

    def stop(self) -> None:
        """Load nothing more."""
        self._lane.stop()

    def join(self, timeout: float) -> bool:
        """Wait for the loading thread; whether it has ended."""
        return self._lane.join(timeout)

    def _drop(self, future: Future[Pipeline]) -> None:
        if future.done() and future.exception() is None:
            self.on_dropped(future.result())

    def _fill(self, key: tuple[Path, int], future: Future[Pipeline], device: str) -> None:
        try:
            pipeline = self._load(key[0], device)
        except BaseException as error:
            with self._lock:
                if self._loaded.get(key) is future:
                    self._loaded.remove(key)
            future.set_exception(error)
        else:
            log.info("loaded %s on %s", key[0], device)
            future.set_result(pipeline)
            with self._lock:
                self._loaded.get(key)  # now its size is known, and others make room


def _size(future: Future[Pipeline]) -> int:
    """What a model takes; nothing while it is being loaded."""
    return future.result().nbytes if future.done() and future.exception() is None else 0


def _modified(folder: Path) -> int:
    """Time of the last change of a model folder's index, in ns; 0 when there is none (loading says what is wrong)."""
    try:
        return (Path(folder) / "model_index.json").stat().st_mtime_ns
    except OSError:
        return 0
