"""One of the processes in which files are prepared: `python -m ddmi_core.data.preparing_child MAKE LIST VERDICTS`."""

import importlib
import json
import os
import sys
from pathlib import Path

from ddmi_core.data.preparing import Content, reason_against
from ddmi_core.support.child_process import answer
from ddmi_core.support.progress import Progress


def main(make: str, files: Path, verdicts: Path, progress: Progress) -> None:
    """Prepare files; what is said of them outlasts this process.

    Args:
        make: module:function of a `Preparation`.
        files: a line with path and hash for each.
        verdicts: gets a line when a file is begun and one, its place and why it cannot be used, when it is done.
        progress: told how many files are left.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # there are as many processes as processors
    module, _, name = make.partition(":")
    function = getattr(importlib.import_module(module), name)
    contents = [Content(Path(path), digest) for path, digest in map(json.loads, files.read_text().splitlines())]
    with verdicts.open("a", buffering=1) as file:
        for place, content in enumerate(contents):
            file.write(json.dumps([place]) + "\n")
            file.write(json.dumps([place, reason_against(content, function)]) + "\n")
            progress(0.0, str(len(contents) - place - 1))


if __name__ == "__main__":
    answer(lambda progress: main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), progress))
