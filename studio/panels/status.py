"""The status bar: what is running, the model and its text encoder, the device, the memory."""

from __future__ import annotations

import psutil
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QStatusBar, QToolButton

from studio.actions import Actions
from studio.engine.pipelines import gpu_memory
from studio.state.app_state import AppState
from studio.theme.tokens import GRID
from studio.widgets.basics import ElidedLabel, label

_MEMORY_MS = 2000
_MESSAGE_MS = 12_000


class StatusBar(QStatusBar):
    """Follows the state; `set_device` is told by whoever knows."""

    def __init__(self, state: AppState, actions: Actions) -> None:
        super().__init__()
        self._state = state
        self.setSizeGripEnabled(False)
        self.activity = ElidedLabel("Ready")
        self.encoder = label()
        self.device = label()
        self._device = ""
        self.memory = label()
        self.encoder.setToolTip("The text encoder that reads your prompts")
        self.device.setToolTip("Where the model computes; of a GPU, the memory in use")
        self.memory.setToolTip("Memory that the studio uses, and what the machine has left")
        self.activity.setContentsMargins(GRID, 0, GRID, 0)
        self.messages = QToolButton()
        self.messages.setProperty("look", "tiny")
        self.messages.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.messages.clicked.connect(actions["messages"].trigger)
        self.addWidget(self.activity, 1)
        for part in (self.encoder, self.device, self.memory, self.messages):
            self.addPermanentWidget(part)
        self._process = psutil.Process()
        self._timer = QTimer(self, interval=_MEMORY_MS)
        self._timer.timeout.connect(self._show_memory)
        self._timer.start()
        self._show_memory()
        for signal in (state.jobs.added, state.jobs.changed):
            signal.connect(self._show_activity)
        state.form_changed.connect(self._show_encoder)
        state.models_changed.connect(self._show_encoder)
        state.notifications.said_changed.connect(self._show_unread)
        self._show_encoder()
        self._show_unread()

    def say(self, text: str) -> None:
        """Show a message that there is no room for elsewhere, for a while."""
        self.showMessage(" ".join(text.split()), _MESSAGE_MS)

    def set_device(self, device: str) -> None:
        """Show where the model computes, and of a GPU how much memory is in use."""
        self._device = device
        self._show_device()

    def _show_device(self) -> None:
        memory = gpu_memory(self._device)
        used = "" if memory is None else f"  ·  {memory[0] / 2**30:.1f} of {memory[1] / 2**30:.1f} GB"
        self.device.setText(f"{self._device}{used}")

    def _show_activity(self) -> None:
        running = [job for job in self._state.jobs.active(quiet=True) if job.status == "running"]
        if not running:
            self.activity.setText("Ready")
            return
        job = next((job for job in running if not job.quiet), running[0])
        self.activity.setText(f"{job.title}: {job.text}")

    def _show_encoder(self) -> None:
        model = self._state.selected_model
        self.encoder.setText(f"{model.name}  ·  {model.text_encoder}" if model is not None else "no model")

    def _show_unread(self) -> None:
        unread = self._state.notifications.unread
        self.messages.setText(f"Messages ({unread})" if unread else "Messages")
        self.messages.setToolTip(
            "Read again what was said" + (f"; {unread} warnings or errors are new" if unread else "")
        )

    def _show_memory(self) -> None:
        used, free = self._process.memory_info().rss, psutil.virtual_memory().available
        self._show_device()
        self.memory.setText(f"{used / 2**30:.1f} GB used  ·  {free / 2**30:.1f} GB free")
