"""A mesh as basis fields: three planes a scale and a read-out, learned from signed distances around its surface."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F

from ddmi_core.data.shape_folders import read_mesh
from ddmi_core.fidelity import Fidelity
from ddmi_core.fitting.fit import Fit, ReadOutSizes, copied
from ddmi_core.fitting.plan import FitPlan, Pace
from ddmi_core.fitting.sizes import SHAPE_PLANES
from ddmi_core.fitting.solids import Places, measured_places
from ddmi_core.networks.basis_decoder import BasisFields
from ddmi_core.networks.readout import ReadOut
from ddmi_core.planes import TRI_PLANE
from ddmi_core.support.errors import DataError
from ddmi_core.support.progress import Progress, report, sub_progress


class _Effort(NamedTuple):
    """Cells along each side of the finest planes, channels of all planes, width of the read-out, and steps."""

    side: int
    channels: int
    width: int
    steps: int


_EFFORTS: dict[Fidelity, _Effort] = {
    "balanced": _Effort(*SHAPE_PLANES["balanced"], 24, 300),
    "faithful": _Effort(*SHAPE_PLANES["faithful"], 32, 600),
}
_BATCH = 8192
_PLACES = 400_000
_HELD_OUT = 40_000
"""Places that the figure is measured at."""
_AMPLE, _FEWEST = 30.0, 0.1
"""Seconds from which on a fit has all of these places, and the share of them that it has however short its time is."""
_REACH = 0.04
"""Distance from the surface, where the learned value is 1: what is further away need only be on its side."""
_LEARNING_RATE, _FINAL_SHARE, _READOUT_SHARE = 0.02, 0.03, 0.2
_SMALL_ERROR = 0.1
_STAGES = (0.1, 0.25, 0.4, 0.55, 0.7, 0.85)
"""Shares of the steps after which the fit so far is given: what it has become since is lost where it is stopped."""
_FORGETTING = 0.1
"""Share of each step in the error that is told."""


def shape_fits(path: Path, plan: FitPlan, progress: Progress | None = None) -> Iterator[Fit]:
    """Yield basis fields that come nearer and nearer to a mesh, at last as near as they come.

    Their value is the signed distance over 0.04, positive inside, clipped to +-1. The same file gives the same fits.

    Args:
        path: the mesh; one with holes is taken for the solid that training would take it for.
        plan: balanced or faithful.
        progress: called several times a second; may raise `Cancelled`.

    Raises:
        DataError: the file cannot be used, or has no faces.
    """
    if plan.fidelity not in _EFFORTS:
        raise DataError(f"A shape's fit is balanced or faithful, not {plan.fidelity}.")
    effort = _EFFORTS[plan.fidelity]
    pace = Pace(effort.steps, plan)
    report(progress, 0.0, f"reading {path.name}")
    mesh, placement = read_mesh(path, plan.up)
    share = 1.0 if plan.seconds is None else min(max(plan.seconds / _AMPLE, _FEWEST), 1.0)
    places, held_out = measured_places(
        mesh, round(share * _PLACES), held_out=round(share * _HELD_OUT), progress=sub_progress(progress, 0.02, 0.25)
    )
    sizes = ReadOutSizes(
        axes=TRI_PLANE.axes,
        combine="sum",
        basis_channels=effort.channels,
        scales=3,
        value_channels=1,
        width=effort.width,
    )
    readout, basis = plan.start.weights(sizes) if plan.start is not None else _at_random(sizes, effort)
    least = plan.start.figures.get("iou", 0.0) if plan.start is not None and plan.start.done == 1 else 0.0
    for _ in _learn(readout, basis, places, pace, sub_progress(progress, 0.25, 1.0)):
        seen, planes = sizes.copied(readout), copied(basis)
        figures = {"iou": _iou(seen, planes, held_out)}
        if pace.share < 1 and figures["iou"] < least:
            continue  # what is whole stays until there is something better
        yield Fit("shape", sizes, seen, planes, plan.fidelity, placement=placement, done=pace.share, figures=figures)


def _at_random(sizes: ReadOutSizes, effort: _Effort) -> tuple[ReadOut, BasisFields]:
    generator = torch.Generator().manual_seed(0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        readout = sizes.build()
    basis = tuple(
        tuple(
            (0.1 * torch.randn(1, effort.channels, side, side, generator=generator)).contiguous(
                memory_format=torch.channels_last
            )
            for _ in sizes.axes
        )
        for side in (effort.side // 4, effort.side // 2, effort.side)
    )
    return readout, basis


def _learn(
    readout: ReadOut,
    basis: BasisFields,
    places: Places,
    pace: Pace,
    progress: Progress | None,
) -> Iterator[None]:
    """Adam on random places, the learning rate falling like a cosine; read-out and basis fields change in place.

    Yields where they are worth seeing, and at the end.
    """
    points = torch.from_numpy(places.points)
    targets = torch.from_numpy(places.distances).div(_REACH).clamp_(-1, 1)
    generator = torch.Generator().manual_seed(1)
    planes = [plane.requires_grad_() for scale in basis for plane in scale]
    groups = [{"params": planes, "share": 1.0}, {"params": list(readout.parameters()), "share": _READOUT_SHARE}]
    optimiser = torch.optim.Adam(groups, betas=(0.9, 0.99), fused=True)
    off = _REACH / 2  # of the space's side of 2, as a mean over places
    stages = [stage for stage in _STAGES if stage > pace.share]
    for share in pace:
        report(progress, share, f"{100 * off:.2f} % off, {pace}")
        if stages and share >= stages[0]:
            del stages[0]
            yield
        falling = _FINAL_SHARE + (1 - _FINAL_SHARE) * 0.5 * (1 + math.cos(math.pi * share))
        with torch.enable_grad():
            for group in optimiser.param_groups:
                group["lr"] = _LEARNING_RATE * falling * group["share"]
            chosen = torch.randint(len(points), (_BATCH,), generator=generator)
            values = readout.evaluate(basis, points[chosen][None])[0, :, 0]
            now = float((values.detach() - targets[chosen]).abs().mean()) * _REACH / 2
            off += _FORGETTING * (now - off)
            loss = F.smooth_l1_loss(values, targets[chosen], beta=_SMALL_ERROR)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    yield


@torch.no_grad()
def _iou(readout: ReadOut, basis: BasisFields, places: Places) -> float:
    """The overlap of solid and fit, over what both cover."""
    found = readout.evaluate(basis, torch.from_numpy(places.points)[None])[0, :, 0] > 0
    true = torch.from_numpy(places.distances) > 0
    return float((found & true).sum() / (found | true).sum().clamp(min=1))
