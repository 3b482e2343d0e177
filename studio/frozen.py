"""The entry of the packaged executables, `DDMI Studio` and `ddmi`, which take the place of a Python beside them.

Started plainly, each does what the name says that it was started by: on Linux one is a link to the other.
Started as Python would be, with `-m MODULE ARGUMENTS…`, it runs that module of the project: so the window starts
trainings, and a training its processes, by `sys.executable` as ever.
"""

import multiprocessing
import os
import runpy
import sys
from pathlib import Path

OWN_PACKAGES = ("ddmi_core", "studio")


def module_and_arguments(name: str, arguments: list[str]) -> tuple[str, list[str]]:
    """Return which module an executable, started by this name, was asked to run as `__main__`, and with what.

    Raises:
        SystemExit: `-m` without a module of this project.
    """
    if arguments[:1] == ["-m"]:
        module = arguments[1] if len(arguments) > 1 else ""
        if module.partition(".")[0] not in OWN_PACKAGES:
            raise SystemExit(f"-m takes a module of {' or '.join(OWN_PACKAGES)}, such as ddmi_core.cli.")
        return module, arguments[2:]
    return ("ddmi_core.cli" if Path(name).stem == "ddmi" else "studio"), arguments


def main() -> None:
    """Run what was asked for; ends by `SystemExit` as the module does."""
    multiprocessing.freeze_support()  # a worker of a DataLoader goes no further
    _spare_other_programs()
    module, arguments = module_and_arguments(sys.argv[0], sys.argv[1:])
    sys.argv[1:] = arguments
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _spare_other_programs() -> None:
    """Keep the package's libraries from programs of the system that the studio opens, such as a file manager.

    This process has loaded its own; an executable of the package started by it looks for them anew.
    """
    if "LD_LIBRARY_PATH_ORIG" in os.environ:
        os.environ["LD_LIBRARY_PATH"] = os.environ.pop("LD_LIBRARY_PATH_ORIG")
    else:
        os.environ.pop("LD_LIBRARY_PATH", None)
    os.environ["PYINSTALLER_RESET_ENVIRONMENT"] = "1"


if __name__ == "__main__":
    main()
