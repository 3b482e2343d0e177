"""How long and how much memory it takes to compare two sets of point clouds in pairs.

    python -m benchmarks.cloud_distances --clouds 1000

Prints one JSON object: seconds and peak memory (MiB, of the whole process) for the distances within and between two
sets of that many clouds of 2,048 points, as MMD, COV and 1-NNA need them. `--first` measures so many rows only, and
tells how long all would take; memory does not grow with the number of rows that are done.
"""

import json
import resource
import time

import numpy as np
import tyro

from ddmi_core.metrics.clouds import CloudDistance, cloud_figures, distance_rows


def main(clouds: int = 1000, points: int = 2048, distance: CloudDistance = "cd", first: int | None = None) -> None:
    """Measure.

    Args:
        clouds: in each set.
        points: in each cloud.
        distance: cd or emd.
        first: rows to measure, otherwise all.
    """
    rng = np.random.default_rng(0)
    a, b = (list(rng.normal(size=(clouds, points, 3)).astype(np.float32)) for _ in range(2))
    began = time.perf_counter()
    matrices, pairs = [], 0
    for own, others in ((a, b), (a, None), (b, None)):
        matrix = np.zeros((clouds, clouds))
        # The last rows within a set are the long ones
        start = 0 if first is None else clouds - first
        for number, row in enumerate(distance_rows(own, others, distance, start), start):
            matrix[number] = row
            pairs += clouds if others is not None else number
        matrices.append(matrix if others is not None else matrix + matrix.T)
    seconds = time.perf_counter() - began
    between, within_a, within_b = matrices
    line = {
        "benchmark": "cloud_distances",
        "distance": distance,
        "clouds": clouds,
        "points": points,
        "pairs": pairs,
        "seconds": round(seconds, 1),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    whole = clouds * clouds + clouds * (clouds - 1)
    if first is None:
        line["figures"] = [round(value, 5) for value in cloud_figures(within_a, within_b, between)]
    else:
        line["seconds_of_all"] = round(seconds / pairs * whole)
    print(json.dumps(line))


if __name__ == "__main__":
    tyro.cli(main)
