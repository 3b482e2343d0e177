"""The main window: a shell that holds rooms and panels, and parts that connect what they ask to the engine."""

from studio.window.main import MainWindow

__all__ = ["MainWindow"]
