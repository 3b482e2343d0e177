import subprocess
import sys

CALLS = 300_000  # several times as many references as None has at the start


def test_qt_methods_that_return_nothing_do_not_use_none_up() -> None:
    code = (
        "import studio\n"
        "from PySide6.QtCore import QObject\n"
        "thing = QObject()\n"
        f"for _ in range({CALLS}):\n    thing.setObjectName('a')\n"
        "print('alive')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "alive\n", done.stderr
