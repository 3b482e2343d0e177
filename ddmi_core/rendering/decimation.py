"""Fewer triangles for a mesh, in a process of its own.

The simplifier holds the interpreter for as long as it runs, up to seconds for a fine mesh: in a thread it would freeze
the window and could not be cancelled. This module is also what the child process runs.
"""

import sys
import tempfile
from pathlib import Path

import igl
import numpy as np
from jaxtyping import Float, Int

from ddmi_core.support.child_process import answer, run_module
from ddmi_core.support.progress import Progress


def decimate(
    vertices: Float[np.ndarray, "v 3"],
    faces: Int[np.ndarray, "f 3"],
    count: int,
    *,
    progress: Progress | None = None,
) -> tuple[Float[np.ndarray, "v2 3"], Int[np.ndarray, "f2 3"]]:
    """Quadric edge collapse (Garland and Heckbert 1997) to `count` triangles.

    Only edges whose collapse leaves the surface a manifold are collapsed, so thin parts are not pinched together.

    Args:
        vertices: positions.
        faces: triangles of a closed surface, every edge of two of them.
        count: how many triangles to leave; more stay where none can go.
        progress: called about twenty times a second; what it raises ends the child process.

    Raises:
        DDMIError: the child process failed, for example for want of memory.
    """
    with tempfile.TemporaryDirectory(prefix="ddmi-") as folder:
        given, made = Path(folder, "given.npz"), Path(folder, "made.npz")
        np.savez(given, vertices=vertices.astype(np.float32), faces=faces)
        run_module(
            __name__,
            [str(given), str(made), str(count)],
            doing=f"simplifying to {count:,} faces",
            failed="Simplifying the mesh failed: there may be too little memory. Try a lower resolution.",
            progress=progress,
        )
        with np.load(made) as arrays:
            return arrays["vertices"], arrays["faces"]


def _main(given: str, made: str, count: str) -> None:
    def work(_progress: Progress) -> None:
        with np.load(given) as arrays:
            vertices, faces, _, _ = igl.qslim(
                np.asfortranarray(arrays["vertices"], dtype=np.float64),
                np.asfortranarray(arrays["faces"], dtype=np.int32),
                max_m=int(count),
            )
        np.savez(made, vertices=vertices.astype(np.float32), faces=faces)

    answer(work)


if __name__ == "__main__":
    _main(*sys.argv[1:])
