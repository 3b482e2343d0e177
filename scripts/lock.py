"""Writes requirements.lock: the version of every package that the project needs, and of those that these need.

Run it by `make lock`, in an environment that the tests passed in, after a pin in pyproject.toml changed. What is
installed there by chance is left out. The lock is a file of constraints for pip: it says neither where packages come
from nor which build of one it shall be, as a machine may have its own torch. Packages that only other systems need,
such as those of CUDA, are not in it.
"""

import itertools
import re
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
HEADER = "# Made by `make lock` in an environment that the tests passed in; scripts/setup_venv.sh has pip keep to it.\n"


def main() -> None:
    """Write the file.

    Raises:
        SystemExit: something that is needed is not installed.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = itertools.chain(project["dependencies"], *project["optional-dependencies"].values())
    try:
        versions = needed(map(Requirement, pins))
    except PackageNotFoundError as error:
        sys.exit(f"{error.name} is not installed. Run `make setup` first.")
    lines = [f"{name}=={version}\n" for name, version in sorted(versions.items())]
    (ROOT / "requirements.lock").write_text(HEADER + "".join(lines), encoding="utf-8")


def needed(requirements: Iterable[Requirement]) -> dict[str, str]:
    """Return the installed version of each package that these need on this system, directly or not, by its name.

    Raises:
        PackageNotFoundError: one is not installed.
    """
    versions: dict[str, str] = {}
    waiting = [(requirement.name, extra) for requirement in requirements for extra in ("", *requirement.extras)]
    seen = set()
    while waiting:
        if (asked := waiting.pop()) in seen:
            continue
        seen.add(asked)
        name, extra = asked
        found = distribution(name)
        versions[canonical(name)] = found.version.partition("+")[0]  # of torch 2.13.0+cpu, any build will do
        for requirement in map(Requirement, found.requires or []):
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                waiting += [(requirement.name, wanted) for wanted in ("", *requirement.extras)]
    return versions


def canonical(name: str) -> str:
    """Return a package's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    main()
