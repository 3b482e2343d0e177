"""A scene as basis fields: three planes a scale and a read-out, learned from photographs by rendering them.

Rays of the pictures are rendered with the basis fields as they are, and what differs from the pictures says how they
have to change (Mildenhall et al. 2020, "NeRF"). What the silhouettes leave of space is where it begins; see
`KnownDensity` for where along a ray it is looked. Coarse scales come first. Behind what is transparent in a picture
each ray gets a colour at random, so that only an empty space can be right there; samples of a ray are drawn together
(Barron et al. 2022, "Mip-NeRF 360", eq. 15), or haze would stay in the air.
"""

import logging
import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor

from ddmi_core.data.radiance import PosedPictures
from ddmi_core.data.scene_views import SceneViews, read_scene
from ddmi_core.fidelity import Fidelity
from ddmi_core.fields.radiance import RadianceField, colour_of, density_of
from ddmi_core.fitting.fit import Fit, ReadOutSizes, copied
from ddmi_core.fitting.plan import FitPlan, Pace
from ddmi_core.fitting.ray_samples import KnownDensity
from ddmi_core.fitting.sizes import LARGER, SCENE_PLANES
from ddmi_core.networks.basis_decoder import BasisFields
from ddmi_core.networks.readout import ReadOut
from ddmi_core.planes import TRI_PLANE
from ddmi_core.rendering.cameras import rays
from ddmi_core.rendering.volume_rendering import Light, OccupancyGrid, composite, render_rays
from ddmi_core.support.errors import DataError
from ddmi_core.support.progress import Progress, report, sub_progress

_log = logging.getLogger(__name__)


class _Effort(NamedTuple):
    """Cells along each side of the finest planes, channels of all planes, width of the read-out, and steps."""

    side: int
    channels: int
    width: int
    steps: int


_EFFORTS: dict[Fidelity, _Effort] = {
    "balanced": _Effort(*SCENE_PLANES["balanced"], 32, 300),
    "faithful": _Effort(*SCENE_PLANES["faithful"], 32, 1200),
}
_LARGE = 256  # pixels from which on a faithful fit has finer planes
_RAYS = 1024
_GRID = 64  # cells along each side, of what is known of the density
_STRATA = 80
_EMPTY_PLACES, _UNSEEN_PLACES = 1024, 256
_BEGINNING, _MET, _DENSE = 100, 2048, 1e4  # steps in which the solid of the silhouettes is learned
_FOG, _CLEAR = 2.5, -3.0  # the density's value that is begun with, in the solid and outside
_COARSE = 0.3  # share of the steps without the finest scale
_REFRESH, _PRUNE = 25, 100  # steps between looks at the density, and between givings up of what is empty
_LEARNING_RATE, _FINAL_SHARE, _READOUT_SHARE = 0.05, 0.03, 0.2
_SMALL_ERROR = 0.1
_OPAQUE = 0.95  # opacity of a ray from which it ends at a surface
_FIRST = 0.1  # spread of the first values of the coarsest planes, and, a fourth from scale to scale, of the others
_TOGETHER, _EMPTINESS, _SMOOTHNESS, _DULLNESS, _FULLNESS = 0.01, 0.01, 0.1, 0.1, 0.03
_FORGETTING = 0.05
_STAGES = (0.1, 0.25, 0.4, 0.55, 0.7, 0.85)
"""Shares of the steps after which the fit so far is given: what it has become since is lost where it is stopped."""
_MEASURED_RAYS = 20_000
_SOLID, _AGREEING = 128, 0.7  # alpha of a pixel of the object; share of a view's that the others have to allow
_PART = 4096


def scene_fits(path: Path, plan: FitPlan, progress: Progress | None = None) -> Iterator[Fit]:
    """Yield basis fields that come nearer and nearer to posed photographs of an object, at last as near as they come.

    The same files give the same fits. Their figures: `psnr` in dB at the `held_out_views`, `seen_psnr` at those that
    they learned from; without views held out `psnr` is of these.

    Args:
        path: a `transforms.json`, SRN's `intrinsics.txt`, or the folder of either.
        plan: balanced or faithful.
        progress: called several times a second; may raise `Cancelled`.

    Raises:
        DataError: the scene cannot be used; the message says why.
    """
    if plan.fidelity not in _EFFORTS:
        raise DataError(f"A scene's fit is balanced or faithful, not {plan.fidelity}.")
    pace = Pace(_EFFORTS[plan.fidelity].steps, plan)
    report(progress, 0.0, f"reading {path.name}")
    try:
        views = read_scene(path)
        if views.remark:
            _log.warning("%s: %s", path.name, views.remark)
        learner = _Learner(views, plan, sub_progress(progress, 0.02, 0.05))
        yield from learner.learn(pace, sub_progress(progress, 0.05, 1.0))
    except MemoryError as error:
        smaller = "Try a balanced fit." if plan.fidelity == "faithful" else "Make the pictures smaller, or give fewer."
        raise DataError(f"{path.name} is too large to be fitted in this machine's memory. {smaller}") from error


class _Learner:
    """Basis fields and a read-out that learn from rays."""

    def __init__(self, views: SceneViews, plan: FitPlan, progress: Progress | None = None) -> None:
        effort = _EFFORTS[plan.fidelity]
        large = plan.fidelity == "faithful" and max(views.learned.pixels.shape[1:3]) > _LARGE
        side = effort.side * (LARGER if large else 1)
        self._views, self._plan = views, plan
        self._sizes = ReadOutSizes(
            axes=TRI_PLANE.axes,
            combine="sum",
            basis_channels=effort.channels,
            scales=3,
            value_channels=4,
            directed_channels=3,
            width=effort.width,
        )
        self._generator = torch.Generator().manual_seed(0)
        self._readout, self._basis = (
            self._random_weights((side // 4, side // 2, side))
            if plan.start is None
            else plan.start.weights(self._sizes)
        )
        self._scales = 2  # that are looked up
        planes = [plane.requires_grad_() for scale in self._basis for plane in scale]
        groups = [
            {"params": planes, "share": 1.0},
            {"params": list(self._readout.parameters()), "share": _READOUT_SHARE},
        ]
        self._optimiser = torch.optim.Adam(groups, betas=(0.9, 0.99), fused=True)
        report(progress, 0.0, "finding where the object is")
        around = torch.from_numpy(views.hull(_GRID, whole=False))
        report(progress, 0.3, "finding where the object is")
        solid = torch.from_numpy(views.hull(_GRID, whole=True))
        solid = solid if solid.any() else around
        self._solid = torch.nonzero(solid.reshape(-1))[:, 0]
        self._known = KnownDensity(around, float(density_of(torch.tensor([_FOG]))))
        self._box = self._known.box()
        self._origins, self._directions, self._pixels = self._worth_while(
            views.learned, sub_progress(progress, 0.5, 1.0)
        )
        self._met = self._first_met(KnownDensity(solid, _DENSE))

    def _random_weights(self, sides: tuple[int, ...]) -> tuple[ReadOut, BasisFields]:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            readout = self._sizes.build()
        with torch.no_grad():  # nothing depends on the direction as long as nothing asks for it
            self._by_direction(readout).zero_()
        channels = self._sizes.basis_channels
        basis = tuple(
            tuple(
                (_FIRST / 4**scale * torch.randn(1, channels, size, size, generator=self._generator)).contiguous(
                    memory_format=torch.channels_last
                )
                for _ in self._sizes.axes
            )
            for scale, size in enumerate(sides)
        )
        return readout, basis

    def learn(self, pace: Pace, progress: Progress | None) -> Iterator[Fit]:
        """Learn to the end; yield what there is after some shares of the steps, and then."""
        if self._plan.start is None:
            for step in range(_BEGINNING):
                report(progress, 0.1 * step / _BEGINNING, "beginning with the silhouettes")
                self._learn_solid()
        self._known.refresh(self._density, self._generator)
        self._met.fill_(torch.inf)  # the silhouettes' surface may lie before the true one
        error = None
        start = self._plan.start
        least = start.figures.get("psnr", 0.0) if start is not None and start.done == 1 else 0.0
        stages = [stage for stage in _STAGES if stage > pace.share]
        for step, share in enumerate(pace):
            nearness = "" if error is None else f"{-10 * math.log10(max(error, 1e-9)):.1f} dB, "
            report(progress, 0.1 + 0.85 * share, f"{nearness}{pace}")
            if stages and share >= stages[0]:
                del stages[0]
                found = self._fit(share, _MEASURED_RAYS // 5, None, OccupancyGrid(self._known.possible))
                if found.figures["psnr"] >= least:  # what is whole stays until there is something better
                    yield found
            self._scales = len(self._basis) if share >= _COARSE else len(self._basis) - 1
            if step and step % _REFRESH == 0:
                self._look_around(prune=step % _PRUNE == 0)
            now = self._learn_rays(_falling(share, step))
            error = now if error is None else error + _FORGETTING * (now - error)
        self._scales = len(self._basis)
        yield self._fit(1.0, _MEASURED_RAYS, sub_progress(progress, 0.95, 1.0))

    @torch.enable_grad()
    def _learn_solid(self) -> None:
        """Bring the density near to fog in the solid of the silhouettes, to nothing around it, and colours to it."""
        loss = self._off_at_surface(directed=False)
        chosen = self._solid[torch.randint(len(self._solid), (2 * _RAYS,), generator=self._generator)]
        inside = self._known.places(chosen, self._generator)
        outside = self._known.empty_places(2 * _RAYS, self._generator)
        values = self._values(torch.cat([inside, outside]))[:, 0]
        goal = torch.cat([torch.full((len(inside),), _FOG), torch.full((len(outside),), _CLEAR)])
        self._step(loss + F.smooth_l1_loss(values, goal), 1.0)

    @torch.enable_grad()
    def _learn_rays(self, rate: float) -> float:
        """Take a step by random rays; return their mean squared error."""
        chosen = torch.randint(len(self._origins), (_RAYS,), generator=self._generator)
        background = torch.rand(_RAYS, 3, generator=self._generator)
        offsets = torch.rand(_RAYS, _STRATA, generator=self._generator)
        pixels = self._pixels[chosen].float() / 255
        alpha = pixels[:, 3:]
        target = alpha * pixels[:, :3] + (1 - alpha) * background
        light, spread = self._seen(self._origins[chosen], self._directions[chosen], offsets)
        found = light.colour + (1 - light.opacity).unsqueeze(-1) * background
        error = (found - target).detach().square().mean().item()
        loss = F.smooth_l1_loss(found, target, beta=_SMALL_ERROR) + _TOGETHER * spread
        if bool(self._met.isfinite().any()):
            loss = loss + self._off_at_surface(directed=True)
        ends = (light.opacity.detach() > _OPAQUE) & (pixels[:, 3] == 1)
        self._met[chosen] = torch.where(ends, light.depth.detach(), torch.inf)
        empty = self._known.empty_places(_EMPTY_PLACES, self._generator)
        if len(empty):
            loss = loss + _EMPTINESS * self._density(empty).mean()
        loss = loss + _SMOOTHNESS * self._roughness() + _DULLNESS * self._by_direction(self._readout).square().mean()
        inside = self._known.unseen_places(_UNSEEN_PLACES, self._generator)
        if len(inside):  # else solids would become hollow, and their meshes have a surface inside
            loss = loss + _FULLNESS * F.relu(_FOG - self._values(inside)[:, 0]).mean()
        self._step(loss, rate)
        return error

    def _seen(
        self, origins: Float[Tensor, "n 3"], directions: Float[Tensor, "n 3"], offsets: Float[Tensor, "n s"]
    ) -> tuple[Light, Float[Tensor, ""]]:
        """Render rays; also return how far apart along each what adds to it lies, on average."""
        samples = self._known.samples(origins, directions, _STRATA, offsets, self._box)
        ways = directions[samples.ray]
        values = self._values(origins[samples.ray] + samples.depth[:, None] * ways, ways)
        densities, colours = samples.padded(density_of(values)), samples.padded(colour_of(values))
        depths, steps = samples.padded(samples.depth), samples.padded(samples.step)
        light = composite(densities, colours, depths, steps)
        return light, distortion(densities, depths, steps)

    def _off_at_surface(self, *, directed: bool) -> Float[Tensor, ""]:
        """How far colours are off where rays are known to end: much cheaper than to render these rays."""
        ending = torch.nonzero(self._met.isfinite())[:, 0]
        ending = ending[torch.randint(len(ending), (_MET,), generator=self._generator)]
        ways = self._directions[ending]
        places = self._origins[ending] + self._met[ending, None] * ways
        colours = colour_of(self._values(places, ways if directed else torch.zeros_like(ways)))
        return F.smooth_l1_loss(colours, self._pixels[ending, :3].float() / 255, beta=_SMALL_ERROR)

    def _values(
        self, places: Float[Tensor, "n 3"], directions: Float[Tensor, "n 3"] | None = None
    ) -> Float[Tensor, "n c"]:
        """What the read-out gives; of the scales that are not looked up yet, it gets zeros."""
        found = self._readout.embeddings(self._basis[: self._scales], places[None])
        missing = len(self._basis) - self._scales
        embeddings = (*found, *(torch.zeros_like(found[0]) for _ in range(missing)))
        return self._readout(embeddings, None, None if directions is None else directions[None])[0]

    def _density(self, places: Float[Tensor, "n 3"]) -> Float[Tensor, " n"]:
        return density_of(self._values(places))

    def _roughness(self) -> Tensor:
        """Total variation of the basis fields, squared: what no picture shows goes on smoothly."""
        planes = [plane for scale in self._basis[: self._scales] for plane in scale]
        rough = [plane.diff(dim=axis).square().mean() for plane in planes for axis in (-1, -2)]
        return torch.stack(rough).mean()

    def _by_direction(self, readout: ReadOut) -> Float[Tensor, "w 8"]:
        """The weights with which colours depend on the direction of view."""
        return readout.directed.first.weight[:, self._sizes.width :]

    def _step(self, loss: Tensor, rate: float) -> None:
        for group in self._optimiser.param_groups:
            group["lr"] = _LEARNING_RATE * rate * group["share"]
        self._optimiser.zero_grad()
        loss.backward()
        self._optimiser.step()

    def _look_around(self, *, prune: bool) -> None:
        self._known.refresh(self._density, self._generator)
        if prune:
            self._known.prune()
        self._box = self._known.box()

    def _worth_while(
        self, pictures: PosedPictures, progress: Progress | None
    ) -> tuple[Float[Tensor, "n 3"], Float[Tensor, "n 3"], UInt8[Tensor, "n 4"]]:
        """The rays of pictures that meet what may hold something, and their pixels.

        Raises:
            DataError: much of what a view shows is not where the others allow it.
        """
        kept = []
        for number, (origins, directions, pixels) in enumerate(zip(*_rays_of(pictures), strict=True)):
            report(progress, number / len(pictures.cameras), "finding where the object is")
            meeting = 0
            for part in torch.arange(len(origins)).split(_PART):
                met = self._known.samples(origins[part], directions[part], _STRATA, None, self._box).ray.unique()
                chosen = part[met]
                meeting += int((pixels[chosen, 3] >= _SOLID).sum())
                kept.append((origins[chosen], directions[chosen], pixels[chosen]))
            if meeting < _AGREEING * int((pixels[:, 3] >= _SOLID).sum()):
                raise DataError(
                    "Its views disagree: much of what some show cannot be at one place in space. The cameras' poses or "
                    "focal lengths, or the masks, are wrong."
                )
        origins, directions, pixels = (torch.cat(parts) for parts in zip(*kept, strict=True))
        return origins, directions, pixels

    def _first_met(self, solid: KnownDensity) -> Float[Tensor, " n"]:
        """How far along each ray something solid begins; infinite where nothing does."""
        found = []
        for part in torch.arange(len(self._origins)).split(_PART):
            samples = solid.samples(self._origins[part], self._directions[part], _STRATA, None, self._box)
            first = samples.number == 0
            depth = torch.full((len(part),), torch.inf)
            depth[samples.ray[first]] = samples.depth[first]
            found.append(depth)
        return torch.cat(found)

    def _fit(
        self, done: float, measured: int, progress: Progress | None, occupancy: OccupancyGrid | None = None
    ) -> Fit:
        """What there is, and how near it comes to the views, as it is rendered where something may be.

        Without `occupancy` that is looked for everywhere, as for every other picture of it.
        """
        readout, basis = self._sizes.copied(self._readout), copied(self._basis)
        if self._scales < len(basis):  # what was not looked up does not count
            basis = (*basis[: self._scales], *(tuple(map(torch.zeros_like, scale)) for scale in basis[self._scales :]))
        field = RadianceField(readout, basis)
        seen, held_out = self._views.learned, self._views.held_out
        grid = occupancy or field.occupancy(sub_progress(progress, 0.0, 0.4))
        figures = {"seen_psnr": _psnr(field, grid, seen, measured, sub_progress(progress, 0.4, 0.7))}
        figures["psnr"] = figures["seen_psnr"]
        if held_out.cameras:
            figures["psnr"] = _psnr(field, grid, held_out, measured, sub_progress(progress, 0.7, 1.0))
            figures["held_out_views"] = float(len(held_out.cameras))
        return Fit(
            "nerf",
            self._sizes,
            readout,
            basis,
            self._plan.fidelity,
            placement=self._views.placement,
            done=done,
            figures=figures,
            remark=self._views.remark,
        )


def distortion(
    densities: Float[Tensor, "n s"], depths: Float[Tensor, "n s"], steps: Float[Tensor, "n s"]
) -> Float[Tensor, ""]:
    """Return how far apart what adds to a ray lies: sum of w_i w_j |t_i - t_j|, and of w_i^2 delta_i / 3; see above."""
    thickness = densities * steps
    behind = torch.cumsum(thickness, dim=-1)
    weights = torch.exp(thickness - behind) * -torch.expm1(-thickness)
    weighted = weights * depths
    before, weighted_before = torch.cumsum(weights, -1) - weights, torch.cumsum(weighted, -1) - weighted
    between = 2 * (weights * (depths * before - weighted_before)).sum(-1)
    return (between + (weights.square() * steps).sum(-1) / 3).mean()


def _falling(share: float, step: int) -> float:
    """The learning rate, as a share: a warm-up, then the half of a cosine."""
    return (_FINAL_SHARE + (1 - _FINAL_SHARE) * 0.5 * (1 + math.cos(math.pi * share))) * min(1.0, (step + 1) / 10)


def _rays_of(
    pictures: PosedPictures,
) -> tuple[list[Float[Tensor, "n 3"]], list[Float[Tensor, "n 3"]], list[UInt8[Tensor, "n 4"]]]:
    """Origins, unit directions and pixels of each picture's rays."""
    height, width = pictures.pixels.shape[1:3]
    bundles = [rays(camera, width, height) for camera in pictures.cameras]
    origins, directions = (
        [torch.from_numpy(part.reshape(-1, 3)) for part in parts] for parts in zip(*bundles, strict=True)
    )
    return origins, directions, [torch.from_numpy(picture.reshape(-1, 4)) for picture in pictures.pixels]


@torch.no_grad()
def _psnr(
    field: RadianceField, occupancy: OccupancyGrid, pictures: PosedPictures, count: int, progress: Progress | None
) -> float:
    """The PSNR of random pixels of pictures on white, in dB, rendered as they are shown."""
    chosen = np.random.default_rng(0).permutation(pictures.pixels[..., 0].size)[:count]
    origins, directions, pixels = (torch.cat(parts)[torch.from_numpy(chosen)] for parts in _rays_of(pictures))
    light = render_rays(
        field.medium,
        origins,
        directions,
        samples=2 * _STRATA,
        occupancy=occupancy,
        progress=progress,
    )
    values = pixels.float() / 255
    truth = values[:, :3] * values[:, 3:] + 1 - values[:, 3:]
    found = light.colour + (1 - light.opacity).unsqueeze(-1)
    return min(99.0, -10 * math.log10(max((found - truth).square().mean().item(), 1e-10)))
