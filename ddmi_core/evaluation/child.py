"""An evaluation beside a program that goes on, such as the studio: in a process of its own, of low priority."""

import sys
from pathlib import Path

from ddmi_core.evaluation import PAGE
from ddmi_core.evaluation.known_reports import remember
from ddmi_core.support.child_process import answer, run_module
from ddmi_core.support.progress import Progress


def evaluate_in_child(
    model: Path,
    data: str,
    samples: int,
    out: Path,
    *,
    device: str = "auto",
    threads: int = 0,
    progress: Progress | None = None,
) -> Path:
    """Measure a model by all metrics that need no weight file and no hours; return the page of the report.

    What was seen until it is cancelled or fails stays in the folder, and is gone on with.

    Args:
        model: the model folder.
        data: a starter set's name or a folder.
        samples: how many signals to generate.
        out: the folder of the report.
        device: auto, cpu or cuda.
        threads: that torch computes with; 0: as many as it chooses.
        progress: called about twenty times a second; what it raises ends the child.

    Raises:
        DDMIError: as `make_plan` and `evaluate` do, or the child died.
    """
    run_module(
        __name__,
        [str(model), data, str(samples), str(out), device, str(threads)],
        doing="loading the model",
        failed="Measuring broke off: there may be too little memory. Measure again to go on where it stopped.",
        background=True,
        progress=progress,
    )
    remember(out)
    return out / PAGE


def _main(model: str, data: str, samples: str, out: str, device: str, threads: str) -> None:
    def work(progress: Progress) -> None:
        import torch

        from ddmi_core.domains import get_domain
        from ddmi_core.evaluation.plan import make_plan
        from ddmi_core.evaluation.run import evaluate
        from ddmi_core.model_folder import describe
        from ddmi_core.pipeline import Pipeline

        if threads != "0":
            torch.set_num_threads(int(threads))
        folder = Path(model)
        found = describe(folder)
        plan = make_plan(
            get_domain(found.domain),
            None,
            None,
            None,
            model=found.name,
            model_hash=found.hash,
            data=data,
            samples=int(samples),
        )
        pipeline = Pipeline.from_pretrained(folder, device=device)
        evaluate(plan, pipeline, Path(out), device=device, progress=progress)

    answer(work)


if __name__ == "__main__":
    _main(*sys.argv[1:])
