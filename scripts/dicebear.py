"""Run a script that draws with DiceBear (npm packages @dicebear/core and @dicebear/collection 9.4.3); needs Node.js."""

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

PACKAGES = ("@dicebear/core@9.4.3", "@dicebear/collection@9.4.3")


def drawn(script: Path, arguments: list[str], packages: Path | None) -> list[dict[str, Any]]:
    """Return what a script prints, an object a line.

    Args:
        script: gets the folder of the packages, then the arguments.
        arguments: of the script.
        packages: folder in which they are already installed; without it they are, with npm, in a temporary folder.
    """
    with tempfile.TemporaryDirectory() as temporary:
        if packages is None:
            packages = Path(temporary)
            subprocess.run(["npm", "install", "--no-audit", "--no-fund", *PACKAGES], cwd=packages, check=True)
        command = ["node", str(script), str(packages.resolve()), *arguments]
        made = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in made.splitlines()]
