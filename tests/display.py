"""A virtual X display for the tests that draw with OpenGL, so that no window opens on a developer's desktop."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess

# The server ends when this process does, however that happens: the shell then reads the end of its input. It must not
# end earlier, since Qt exits at once when its X server goes away.
SERVER = "Xvfb -displayfd 1 -screen 0 1920x1080x24 -nolisten tcp -noreset 2>/dev/null & cat >/dev/null; kill $!"


@functools.cache
def use_virtual_display() -> bool:
    """Start an X server and make it this process's display. False where Xvfb is not installed."""
    if shutil.which("Xvfb") is None:
        return False
    server = subprocess.Popen(["sh", "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    _servers.append(server)
    assert server.stdout is not None
    number = server.stdout.readline().decode().strip()
    if not number:
        raise RuntimeError("Xvfb is installed but did not start")
    os.environ.pop("WAYLAND_DISPLAY", None)
    os.environ |= {"DISPLAY": f":{number}", "QT_QPA_PLATFORM": "xcb", "LIBGL_ALWAYS_SOFTWARE": "1"}
    return True


_servers: list[subprocess.Popen[bytes]] = []  # kept, with the pipes that hold them up, to the end of the process
