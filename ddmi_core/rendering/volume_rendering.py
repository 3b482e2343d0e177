"""Volume rendering: samples along rays, the light they add up to, and empty space that need not be looked at.

Along a ray r(t) = o + t d through a medium of density sigma (per unit of length) that glows in the colour c (Max 1995,
"Optical models for direct volume rendering"; Mildenhall et al. 2020, "NeRF", eq. 1):

    C = integral of T(t) sigma(t) c(t, d) dt,   T(t) = exp(-integral of sigma up to t)

With samples at t_i that stand for steps delta_i this becomes (NeRF, eq. 3)

    C = sum of w_i c_i,   w_i = T_i (1 - exp(-sigma_i delta_i)),   T_i = exp(-sum over j < i of sigma_j delta_j)
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ddmi_core.coordinates import grid
from ddmi_core.rendering.cameras import Camera
from ddmi_core.rendering.view_settings import WHOLE_SPACE, Crop
from ddmi_core.support.progress import Progress, report, sub_progress

Medium = Callable[[Float[Tensor, "n 3"], Float[Tensor, "n 3"]], tuple[Float[Tensor, " n"], Float[Tensor, "n 3"]]]
"""Maps places and unit directions of view to densities, per unit of length, and colours in [0, 1]."""

GRID_CELLS = 64
"""Cells an axis of an occupancy grid."""
EMPTY_DENSITY = 0.05
"""Density below which a cell counts as empty. What trained fields leave in empty space is mostly fainter by far:
pictures with and without it were seen to differ by 0.2 of 255 steps in the mean."""
SOLID_DENSITY = 3.0
"""Density from which on a cell belongs to a thing, and not to the haze around it: the cells beside it are looked at."""
OPAQUE = 0.002
"""Transmittance below which nothing behind can be seen: half a step of 8-bit colour."""

_HARD, _FINER = 0.6, 3  # of the light, stopped in one step, before which a ray goes on with so much finer steps
_ADVANCE = 8  # samples of every live ray that are looked at in one go, at least;
_LOOKED_AT = 2**17  # more where the rays are few, up to so many in all
_RAYS = 2**16  # rays marched together
_AT_ONCE = 2**14  # places that a medium is asked for in one go, where nobody says how many


class Light(NamedTuple):
    """What rays bring to the eye: premultiplied colour, opacity in [0, 1], and the mean depth of what is seen.

    `depth` is the expected distance along the ray, sum of w_i t_i / sum of w_i; infinite where nothing is seen.
    """

    colour: Float[Tensor, "*shape 3"]
    opacity: Float[Tensor, "*shape"]
    depth: Float[Tensor, "*shape"]


def rays_through(
    camera: Camera, places: Float[Tensor, "n 2"], width: int, height: int
) -> tuple[Float[Tensor, "n 3"], Float[Tensor, "n 3"]]:
    """Return origins and unit directions of rays through places in a picture: `cameras.rays`, of some of its pixels.

    Args:
        camera: from where.
        places: (column, row) in pixels; the centre of the top left one is (0, 0).
        width: pixels of the picture.
        height: pixels of the picture.
    """
    half = math.tan(math.radians(camera.fov) / 2)
    columns, rows = places.unbind(-1)
    x = ((2 * columns + 1 - width) / height - camera.shift[0]) * half
    y = ((height - 1 - 2 * rows) / height + camera.shift[1]) * half
    pose = torch.as_tensor(camera.pose, dtype=places.dtype, device=places.device)
    directions = F.normalize(torch.stack([x, y, -torch.ones_like(x)], dim=-1) @ pose[:3, :3].T, dim=-1)
    return pose[:3, 3].expand_as(directions), directions


def box_span(
    origins: Float[Tensor, "*shape 3"],
    directions: Float[Tensor, "*shape 3"],
    box: Crop = WHOLE_SPACE,
    *,
    near: float = 0.0,
    far: float = float("inf"),
) -> tuple[Float[Tensor, "*shape"], Float[Tensor, "*shape"]]:
    """Return where rays enter and leave a box, within [near, far]; both are the same where they miss it.

    The slab method (Kay and Kajiya 1986): a ray is inside while it is between all three pairs of planes.
    """
    low, high = origins.new_tensor(box[:3]), origins.new_tensor(box[3:])
    # A direction along a plane never meets it: a tiny slope puts that meeting far away, with the right sign.
    slopes = torch.where(directions.abs() < 1e-9, torch.full_like(directions, 1e-9), directions)
    first, second = (low - origins) / slopes, (high - origins) / slopes
    enter = torch.minimum(first, second).amax(-1).clamp(min=near, max=1e6)
    leave = torch.maximum(first, second).amin(-1).clamp(max=min(far, 1e6))
    return enter, torch.maximum(enter, leave)


def stratified_samples(
    near: Float[Tensor, " n"], far: Float[Tensor, " n"], count: int, offsets: Float[Tensor, "n s"] | None = None
) -> tuple[Float[Tensor, "n s"], Float[Tensor, "n s"]]:
    """Cut [near, far] into equal strata with one sample each (NeRF, eq. 2); return depths and steps.

    Args:
        near: where each ray begins.
        far: where it ends.
        count: strata.
        offsets: places in the strata, [0, 1); the middles if not given, which makes pictures that can be repeated.
    """
    width = ((far - near) / count)[:, None]
    numbers = torch.arange(count, device=near.device, dtype=near.dtype)
    depths = near[:, None] + (numbers + (0.5 if offsets is None else offsets)) * width
    return depths, width.expand_as(depths)


def importance_samples(
    edges: Float[Tensor, "n b_1"], weights: Float[Tensor, "n b"], offsets: Float[Tensor, "n s"]
) -> tuple[Float[Tensor, "n s"], Float[Tensor, "n s"]]:
    """Place samples where bins weigh most, by inverting the cumulative weights (NeRF, 5.2); return depths and steps.

    The cumulative weights, not the depths, are cut into equal strata with one sample each. A step is the stretch of
    the ray that its stratum covers, so the steps of a ray add up to its length.

    Args:
        edges: of the bins, rising.
        weights: of the bins; not all zero.
        offsets: places in the strata, [0, 1).
    """
    count = offsets.shape[-1]
    cumulative = F.pad(torch.cumsum(weights, dim=-1), (1, 0))
    cumulative = cumulative / cumulative[:, -1:]
    borders = torch.linspace(0, 1, count + 1, device=edges.device).expand(len(edges), -1)
    inside = (torch.arange(count, device=edges.device) + offsets) / count
    wanted = torch.cat([borders, inside], dim=-1).contiguous()
    upper = torch.searchsorted(cumulative.contiguous(), wanted, right=True).clamp(1, cumulative.shape[-1] - 1)
    c0, c1 = cumulative.gather(-1, upper - 1), cumulative.gather(-1, upper)
    e0, e1 = edges.gather(-1, upper - 1), edges.gather(-1, upper)
    share = ((wanted - c0) / (c1 - c0).clamp(min=1e-9)).clamp(0, 1)
    depths = e0 + share * (e1 - e0)
    return depths[:, count + 1 :], depths[:, : count + 1].diff(dim=-1)


def sample_weights(
    densities: Float[Tensor, "*shape s"], steps: Float[Tensor, "*shape #s"]
) -> Float[Tensor, "*shape s"]:
    """Return how much of the light of each sample of a ray reaches the eye (NeRF, eq. 3); differentiable."""
    thickness = densities * steps
    behind = torch.cumsum(thickness, dim=-1)
    return torch.exp(thickness - behind) * -torch.expm1(-thickness)


def composite(
    densities: Float[Tensor, "*shape s"],
    colours: Float[Tensor, "*shape s 3"],
    depths: Float[Tensor, "*shape s"],
    steps: Float[Tensor, "*shape s"],
) -> Light:
    """Add up the light of the samples of each ray, front to back (NeRF, eq. 3); differentiable.

    Args:
        densities: per unit of length, not negative.
        colours: of the samples.
        depths: of the samples, rising.
        steps: the lengths they stand for.
    """
    weights = sample_weights(densities, steps)
    opacity = weights.sum(-1)
    colour = (weights[..., None] * colours).sum(-2)
    depth = torch.where(opacity > 0, (weights * depths).sum(-1) / opacity.clamp(min=1e-9), torch.inf)
    return Light(colour, opacity, depth)


class OccupancyGrid:
    """Which cells of space may hold something, so that rays look nowhere else (Müller et al. 2022, "Instant NGP").

    A cell counts as occupied if the density at one of its corners or at its centre is above `EMPTY_DENSITY`, or if it
    touches one where it is above `SOLID_DENSITY`, since a thin part of a thing may pass between the places that were
    asked. `box` is the smallest one around them; without any it is a single point. `solid` are the cells in which there
    is a thing, and not only haze; all that are occupied if nobody says.
    """

    def __init__(self, occupied: Bool[Tensor, "x y z"], solid: Bool[Tensor, "x y z"] | None = None) -> None:
        self.occupied = occupied
        self.solid = occupied if solid is None else solid
        self._flat = occupied.reshape(-1)
        found = torch.nonzero(occupied)
        low, high = (found.amin(0), found.amax(0) + 1) if len(found) else (found.new_zeros(3), found.new_zeros(3))
        x, y, z, far_x, far_y, far_z = (torch.cat([low, high]) * (2 / len(occupied)) - 1).tolist()
        self.box: Crop = (x, y, z, far_x, far_y, far_z)

    @classmethod
    @torch.no_grad()
    def bake(
        cls,
        density: Callable[[Float[Tensor, "n 3"]], Float[Tensor, " n"]],
        cells: int = GRID_CELLS,
        *,
        device: torch.device | str = "cpu",
        at_once: int = _AT_ONCE,
        progress: Progress | None = None,
    ) -> "OccupancyGrid":
        """Ask a field for its density all over [-1, 1]^3.

        Args:
            density: maps places to densities.
            cells: cells along each axis.
            device: where the grid is kept.
            at_once: places that are asked for in one go.
            progress: called each time that the field is asked; may raise `Cancelled`.
        """
        axis = torch.linspace(-1, 1, cells + 1, device=device)
        corners = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), dim=-1)
        at_corners = _asked(density, corners, at_once, sub_progress(progress, 0.0, 0.5))
        centres = grid(cells, cells, cells, device=device)
        at_centres = _asked(density, centres, at_once, sub_progress(progress, 0.5, 1.0))
        largest = torch.maximum(F.max_pool3d(at_corners[None], 2, stride=1)[0], at_centres)
        around = F.max_pool3d(largest[None], 3, stride=1, padding=1)[0]
        return cls((largest > EMPTY_DENSITY) | (around > SOLID_DENSITY), largest > SOLID_DENSITY)

    @property
    def share(self) -> float:
        """The share of space that may hold something."""
        return float(self._flat.float().mean())

    def __call__(self, points: Float[Tensor, "*shape 3"]) -> Bool[Tensor, "*shape"]:
        """Return whether places may hold something; space outside [-1, 1]^3 is empty."""
        cells = self.occupied.shape[0]
        where = ((points + 1) * (cells / 2)).floor().long()
        inside = ((where >= 0) & (where < cells)).all(-1)
        x, y, z = where.clamp_(0, cells - 1).unbind(-1)
        return self._flat[(x * cells + y) * cells + z] & inside


@torch.no_grad()
def render_rays(
    medium: Medium,
    origins: Float[Tensor, "n 3"],
    directions: Float[Tensor, "n 3"],
    *,
    samples: int,
    occupancy: OccupancyGrid | None = None,
    box: Crop = WHOLE_SPACE,
    near: float = 0.0,
    far: float = float("inf"),
    at_once: int = _AT_ONCE,
    progress: Progress | None = None,
) -> Light:
    """Render rays with `samples` strata each, between where they enter and leave a box.

    With an occupancy grid, rays are marched together, a few samples at a time: only samples in occupied cells are
    evaluated, and a ray ends once its transmittance is below `OPAQUE`. One that would be stopped within a step or two,
    by a surface harder than the strata are fine, goes on from before it with finer ones. Without a grid, every sample
    is evaluated: the reference. Both use the same samples elsewhere, so their pictures of what is soft differ by what
    the grid takes for empty.

    Args:
        medium: what there is.
        origins: of the rays.
        directions: of the rays, unit vectors.
        samples: strata of a ray.
        occupancy: where there is anything.
        box: what lies outside is not shown.
        near: nor what is nearer than this along a ray,
        far: nor what is farther.
        at_once: places that the medium is asked for in one go.
        progress: called each time that the medium is asked; may raise `Cancelled`.
    """
    parts = []
    for start in range(0, len(origins), _RAYS):
        chunk = slice(start, start + _RAYS)
        bundle = (medium, origins[chunk], directions[chunk])
        enter, leave = box_span(origins[chunk], directions[chunk], box, near=near, far=far)
        share = sub_progress(progress, start / len(origins), min(start + _RAYS, len(origins)) / len(origins))
        if occupancy is None:
            parts.append(_march_all(*bundle, *stratified_samples(enter, leave, samples), at_once, share))
        else:
            parts.append(_march_twice(*bundle, enter, leave, samples, at_once, share, occupancy))
    if not parts:
        return Light(origins.new_zeros(0, 3), origins.new_zeros(0), origins.new_zeros(0))
    return Light(*(torch.cat(values) for values in zip(*parts, strict=True)))


def _march_all(
    medium: Medium,
    origins: Tensor,
    directions: Tensor,
    depths: Tensor,
    steps: Tensor,
    at_once: int,
    progress: Progress | None,
) -> Light:
    """Evaluate every sample, some rays at a time."""
    parts = []
    count = max(1, at_once // depths.shape[1])
    for start in range(0, len(origins), count):
        chunk = slice(start, start + count)
        places = origins[chunk, None] + depths[chunk, :, None] * directions[chunk, None]
        ways = directions[chunk, None].expand_as(places)
        share = sub_progress(progress, start / len(origins), min(start + count, len(origins)) / len(origins))
        densities, colours = _seen(medium, places.reshape(-1, 3), ways.reshape(-1, 3), at_once, share)
        shape = depths[chunk].shape
        parts.append(composite(densities.reshape(shape), colours.reshape(*shape, 3), depths[chunk], steps[chunk]))
    return Light(*(torch.cat(values) for values in zip(*parts, strict=True)))


class _Gathered(NamedTuple):
    """What rays have gathered on their way: premultiplied colour, what is still let through, and depth by weight."""

    colour: Float[Tensor, "n 3"]
    clear: Float[Tensor, " n"]
    reached: Float[Tensor, " n"]

    def add(
        self,
        rays: Int[Tensor, " k"],
        weights: Float[Tensor, "k s"],
        colours: Float[Tensor, "k s 3"],
        depths: Float[Tensor, "k s"],
    ) -> None:
        self.colour[rays] += (weights[..., None] * colours).sum(-2)
        self.reached[rays] += (weights * depths).sum(-1)
        self.clear[rays] -= weights.sum(-1)


def _march_twice(
    medium: Medium,
    origins: Float[Tensor, "n 3"],
    directions: Float[Tensor, "n 3"],
    enter: Float[Tensor, " n"],
    leave: Float[Tensor, " n"],
    samples: int,
    at_once: int,
    progress: Progress | None,
    occupancy: OccupancyGrid,
) -> Light:
    """March between two depths; rays that come to something hard go on from before it with finer steps."""
    step = (leave - enter) / samples
    count = len(origins)
    gathered = _Gathered(origins.new_zeros(count, 3), origins.new_ones(count), origins.new_zeros(count))
    share = sub_progress(progress, 0.0, 0.8)
    before = _march(medium, origins, directions, enter, step, leave, at_once, share, occupancy, gathered, wary=True)
    hard = torch.nonzero(before.isfinite())[:, 0]
    if len(hard):
        rest = _Gathered(*(values[hard] for values in gathered))
        bundle = (origins[hard], directions[hard], before[hard], step[hard] / _FINER, leave[hard])
        share = sub_progress(progress, 0.8, 1.0)
        _march(medium, *bundle, at_once, share, occupancy, rest, wary=False)
        for values, found in zip(gathered, rest, strict=True):
            values[hard] = found
    opacity = (1 - gathered.clear).clamp(0, 1)
    depth = torch.where(opacity > 0, gathered.reached / opacity.clamp(min=1e-9), torch.inf)
    return Light(gathered.colour, opacity, depth)


def _march(
    medium: Medium,
    origins: Float[Tensor, "n 3"],
    directions: Float[Tensor, "n 3"],
    enter: Float[Tensor, " n"],
    step: Float[Tensor, " n"],
    leave: Float[Tensor, " n"],
    at_once: int,
    progress: Progress | None,
    occupancy: OccupancyGrid,
    gathered: _Gathered,
    *,
    wary: bool,
) -> Float[Tensor, " n"]:
    """Advance all rays together through what the grid calls occupied, with a sample in the middle of each step.

    Adds to what they have `gathered`. Who is wary stops before a step in which much of the light would be stopped.
    Returns the depth of that; infinite where there is none.
    """
    before = torch.full_like(enter, torch.inf)
    # From the first sample in the box around all that is occupied to the last one
    nearest, farthest = box_span(origins, directions, occupancy.box)
    length = step.clamp(min=1e-9)
    begin = ((nearest.maximum(enter) - enter) / length - 0.5).ceil().clamp(min=0)
    stop = ((farthest.minimum(leave) - enter) / length - 0.5).floor() + 1
    number = (stop - begin).long()
    alive = torch.nonzero((number > 0) & (step > 0))[:, 0]
    most = int(number[alive].max()) if len(alive) else 0
    done = 0
    while done < most and len(alive):
        share, start = done / most, done
        report(progress, share, "rendering")
        done = min(done + max(_ADVANCE, _LOOKED_AT // len(alive)), most)
        ahead = torch.arange(start, done, device=origins.device)
        depths = enter[alive, None] + (begin[alive, None] + ahead + 0.5) * step[alive, None]
        places = origins[alive, None] + depths[..., None] * directions[alive, None]
        ray, sample = torch.nonzero(occupancy(places) & (ahead < number[alive, None]), as_tuple=True)
        if len(ray):
            within = sub_progress(progress, share, done / most)
            found, glow = _seen(medium, places[ray, sample], directions[alive[ray]], at_once, within)
            densities = torch.zeros_like(depths)
            densities[ray, sample] = found
            colours = places.new_zeros(places.shape)
            colours[ray, sample] = glow
            weights = gathered.clear[alive, None] * sample_weights(densities, step[alive, None])
            if wary:
                hard = weights > _HARD
                meets = hard.any(-1)
                last = (hard.float().argmax(-1) - 1).clamp(min=0)  # with the step before, in which it may begin
                edge = depths.gather(1, last[:, None])[:, 0] - step[alive] / 2
                before[alive] = torch.where(meets, edge, torch.inf)
                weights = weights * ~(meets[:, None] & (ahead - start >= last[:, None]))
            gathered.add(alive, weights, colours, depths)
        kept = (gathered.clear[alive] > OPAQUE) & (number[alive] > done) & before[alive].isinf()
        alive = alive[kept]
    return before


def _seen(
    medium: Medium,
    places: Float[Tensor, "n 3"],
    directions: Float[Tensor, "n 3"],
    at_once: int,
    progress: Progress | None,
) -> tuple[Float[Tensor, " n"], Float[Tensor, "n 3"]]:
    """Ask a medium for some places at a time, so that a view which nobody wants any longer ends soon."""
    parts = []
    for start in range(0, len(places), at_once):
        report(progress, start / len(places), "rendering")
        chunk = slice(start, start + at_once)
        parts.append(medium(places[chunk], directions[chunk]))
    densities, colours = zip(*parts, strict=True)
    return torch.cat(densities), torch.cat(colours)


def _asked(
    density: Callable[[Float[Tensor, "n 3"]], Float[Tensor, " n"]],
    places: Float[Tensor, "x y z 3"],
    at_once: int,
    progress: Progress | None,
) -> Float[Tensor, "x y z"]:
    """Evaluate a grid of places, some at a time."""
    flat = places.reshape(-1, 3)
    parts = []
    for start in range(0, len(flat), at_once):
        report(progress, start / len(flat), "finding empty space")
        parts.append(density(flat[start : start + at_once]))
    return torch.cat(parts).reshape(places.shape[:-1])
