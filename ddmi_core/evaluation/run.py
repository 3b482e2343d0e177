"""An evaluation from beginning to end, or from where it was interrupted."""

import json
import logging
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState

import ddmi_core
from ddmi_core.evaluation import PAGE, REPORT
from ddmi_core.evaluation.figures import Figure, figures_of, make_distances
from ddmi_core.evaluation.page import page
from ddmi_core.evaluation.parts import Parts
from ddmi_core.evaluation.plan import EvaluationPlan
from ddmi_core.metrics.clip_score import ClipScorer
from ddmi_core.metrics.feature_networks import load_network
from ddmi_core.pipeline import Pipeline
from ddmi_core.support.errors import DDMIError
from ddmi_core.support.files import write_json, write_text
from ddmi_core.support.processes import is_launched
from ddmi_core.support.progress import Progress, report, sub_progress

PLAN = "plan.json"
_PARTS = "parts"
_PATIENCE = timedelta(days=7)  # that a process waits for the others
_log = logging.getLogger(__name__)


def processes(device: str = "auto") -> PartialState:
    """Return which of several processes this one is, as `accelerate launch` says; the only one, if it says nothing."""
    on_gpu = device != "cpu" and torch.cuda.is_available()
    kwargs = {"timeout": _PATIENCE} if is_launched() else {}
    return PartialState(cpu=not on_gpu, **kwargs)


def evaluate(
    plan: EvaluationPlan, pipeline: Pipeline, out: Path, *, device: str = "auto", progress: Progress | None = None
) -> dict[str, Any]:
    """Measure a model and write `report.json` and `report.html` into a folder; what is there already is not made again.

    Of several processes each makes its share; all of them must see the folder. The first one writes the report.

    Args:
        plan: what to measure.
        pipeline: the model.
        out: the folder, made if need be.
        device: auto, cpu or cuda.
        progress: may raise `Cancelled`; what was seen until then stays, and is gone on with.

    Raises:
        DDMIError: the folder holds another evaluation, cannot be written, or the data or a weight file are missing.
    """
    state = processes(device)
    report(progress, 0.0, "reading the data")
    network = load_network(plan.network, pipeline.device) if plan.uses_network else None
    clip = ClipScorer(pipeline.device) if "clip-s" in plan.metrics else None
    parts = Parts(out / _PARTS, plan, pipeline, network, clip)
    if state.is_main_process:
        _begin(plan, out)
    state.wait_for_everyone()
    shown = progress if state.is_main_process else None
    parts.make(state.process_index, state.num_processes, sub_progress(shown, 0.0, 0.9))
    state.wait_for_everyone()
    make_distances(parts, plan, state.process_index, state.num_processes, sub_progress(shown, 0.9, 0.98))
    state.wait_for_everyone()
    found: dict[str, Any] = {}
    if state.is_main_process:
        report(shown, 0.98, "computing the figures")
        figures = figures_of(parts, plan, network, clip)
        found = _report(plan, pipeline, parts, figures)
        found["network"] = None if network is None else network.facts()
        found["clip"] = None if clip is None else {"file": clip.file, "sha256": clip.sha256}
        write_json(out / REPORT, found)
        write_text(out / PAGE, page(found, figures, parts))
        report(shown, 1.0, "done")
    state.wait_for_everyone()
    return found


def _begin(plan: EvaluationPlan, out: Path) -> None:
    file = out / PLAN
    try:
        out.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            write_text(file, plan.model_dump_json(indent=2) + "\n")
            return
        known = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise DDMIError(f"The folder {out} cannot be used ({error.strerror}). Choose another place.") from error
    except ValueError as error:
        raise DDMIError(f"{file} is damaged ({error}). Choose another folder.") from error
    now = plan.model_dump(mode="json")
    settings = EvaluationPlan.model_fields  # of which there were fewer once
    other = [name for name, value in now.items() if known.get(name, settings[name].default) != value]
    if other:
        raise DDMIError(
            f"{out} holds an evaluation of other settings: {', '.join(other)} differ. Give another folder, or the same "
            "settings to go on with it."
        )


def _report(plan: EvaluationPlan, pipeline: Pipeline, parts: Parts, figures: list[Figure]) -> dict[str, Any]:
    counts = parts.counts()
    bad = {kind: parts.bad(kind) for kind in ("samples", "reconstructions")}
    last = plan.first_seed + counts["samples"] - 1
    return {
        "model": {"name": plan.model, "hash": plan.model_hash, "domain": plan.domain},
        "data": {
            "source": plan.data,
            "split": plan.split,
            "signals": counts["references"],
            "hash": parts.reference_hash() if counts["references"] else None,
            "held_out_reconstructed": counts["reconstructions"],
            "resolution": plan.resolution,
        },
        "sampling": {
            "samples": counts["samples"],
            "seeds": [plan.first_seed, last] if counts["samples"] else None,
            "prompts": "first captions of the data, in a fixed order; the empty prompt where there are none",
            "per_prompt": plan.per_prompt,
            **plan.denoising.model_dump(),
        },
        "not_measured": bad,
        "figures": [figure.as_json() for figure in figures],
        "versions": {"ddmi": ddmi_core.__version__, "torch": torch.__version__},
        "device": str(pipeline.device),
        "made": time.strftime("%Y-%m-%d %H:%M"),
    }
