"""Playing a clip: frames are drawn ahead into a ring, from which a clock takes them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from studio.engine.work.clips import FrameReady
from studio.state.playback import RATE, Pace, Playback

_RING = 12  # frames that are drawn ahead, half a second
_BATCH = 4  # frames that are asked for at once
_MOST_WAITS = 10 * RATE  # ticks without a frame


class Player(QObject):
    """Moves the playhead of a clip. Where the ring runs dry, it waits; before that, drawings become smaller (`Pace`).

    Args:
        draw: has frames drawn at some seconds of the clip, in order, and says whether they come, each by `take`.
        give_up: has nothing more drawn of what was asked for.
        parent: what it lives with.
    """

    due = Signal(object)
    """A FrameReady is to be seen now, and the playhead is there."""
    ended = Signal()
    """The range has ended, and the playhead rests."""

    def __init__(self, draw: Callable[[list[float]], bool], give_up: Callable[[], None], parent: QObject) -> None:
        super().__init__(parent)
        self._draw, self._give_up = draw, give_up
        self.playback = Playback()
        self.pace = Pace()
        self.shown = 0
        """Frames shown while playing, so far."""
        self.rate = 0.0
        """Frames a second that are shown, as it has been lately."""
        self._shown_at = 0.0
        self._waits = 0
        self._ring: deque[tuple[float, FrameReady]] = deque()
        self._asked: deque[float] = deque()  # positions that are being drawn, in order
        self._tick = QTimer(self, interval=round(1000 / RATE), timerType=Qt.TimerType.PreciseTimer)
        self._tick.timeout.connect(self._on_tick)

    def play(self) -> None:
        """Play from the playhead on."""
        self.playback.playing = True
        self._shown_at = time.monotonic()
        self.rate, self._waits = float(RATE), 0
        self.renew()
        self._tick.start()

    def pause(self) -> None:
        """Let the playhead rest where it is."""
        self.playback.playing = False
        self._tick.stop()
        self._forget()

    def renew(self) -> None:
        """Draw ahead anew, because what is to be shown has changed."""
        if self.playback.playing:
            self._forget()
            self.draw_ahead()

    def draw_ahead(self) -> None:
        """Ask for more frames while the ring has room for them."""
        if len(self._ring) + len(self._asked) > _RING - _BATCH:
            return
        last = self._asked[-1] if self._asked else self._ring[-1][0] if self._ring else self.playback.position
        ahead = self.playback.ahead(last, _BATCH)
        if ahead and self._draw(ahead):
            self._asked.extend(ahead)

    def take(self, frame: FrameReady) -> None:
        """Keep the next of the frames that were asked for."""
        self.pace.learn(frame.pixels.shape[0] * frame.pixels.shape[1], frame.seconds)
        if self._asked:
            self._ring.append((self._asked.popleft(), frame))

    def _forget(self) -> None:
        """Give up what is drawn ahead."""
        self._ring.clear()
        self._asked.clear()
        self._give_up()

    def _on_tick(self) -> None:
        """Show the next frame; where it is not there yet, the playhead waits."""
        if self._ring:
            self.playback.position, frame = self._ring.popleft()
            self._waits = 0
            self.shown += 1
            now = time.monotonic()
            self.rate = 0.9 * self.rate + 0.1 / max(now - self._shown_at, 1e-3)
            self._shown_at = now
            self.due.emit(frame)
        elif not self._asked:
            self.pause()
            self.ended.emit()
            return
        else:
            self._waits += 1
            if self._waits > _MOST_WAITS:  # drawing has failed, which has been said
                self.pause()
                self.ended.emit()
                return
        self.draw_ahead()
