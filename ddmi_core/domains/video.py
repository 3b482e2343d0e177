"""Videos: colour and coverage at (x, y, t), encoded to the planes xy, xt and yt (paper 4.3)."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor
from typing_extensions import override

from ddmi_core.autoencoder_config import AutoencoderConfig
from ddmi_core.coordinates import Region, cell_centres, in_the_middle, overlapping_spans
from ddmi_core.data.clips import Encoded
from ddmi_core.data.items import USUAL_SURFACE, ItemSource, SurfacePoints
from ddmi_core.domains.base import Domain, Evidence, fixed_draw
from ddmi_core.domains.image import as_written, colour_loss, on_white
from ddmi_core.export.options import ExportOptions, VideoExport
from ddmi_core.export.videos import VIDEO_FORMATS, export_video
from ddmi_core.fields.field import Field
from ddmi_core.fields.image import ImageField, straight
from ddmi_core.networks.basis_decoder import BasisFields
from ddmi_core.networks.readout import Combine, ReadOut
from ddmi_core.networks.video_encoder import VideoEncoder
from ddmi_core.placement import Up
from ddmi_core.planes import TRI_PLANE
from ddmi_core.recipe import Recipe
from ddmi_core.rendering.picture_layout import contact_sheet, over
from ddmi_core.support.progress import Progress, sub_progress

if TYPE_CHECKING:
    from ddmi_core.data.user_folder import UserFolder

ENCODED = Encoded(frames=16, side=64)
"""The clips that the encoder gets, in training and afterwards: the base resolution."""
FINEST, COARSEST = -8.0, -4.0
"""Range of the pixel footprints that are trained on: log2 of a pixel's side as a share of the canvas."""
OVERLAP = 0.25
"""Share of its length that a part of a long clip has in common with the next."""
PART_FRAMES = 32
"""About so many frames are encoded to one latent; a clip of up to half as many again is one part."""

_PAPER = 236  # grey level that clips with transparent parts lie on in previews
_SHOWN = 4  # frames of a preview
_CHANNELS = 5  # of the encoder's input: see `encoder_input`


class VideoField(Field):
    """A clip: `field(coords)` gives premultiplied red, green, blue and alpha at (x, y, t), x right, y down, t on."""

    def at(self, t: float) -> "FrozenField":
        """Return the picture at a moment in [-1, 1]."""
        return FrozenField(self, t)

    @property
    def marks(self) -> list[float]:
        """The moments in [-1, 1] of the base frames: those that the encoder is given."""
        return cell_centres(ENCODED.frames).tolist()

    def slices(
        self, x: float, y: float, *, side: int, moments: int, progress: Progress | None = None
    ) -> tuple[UInt8[np.ndarray, "t s 4"], UInt8[np.ndarray, "t s 4"]]:
        """Return what lies along x at height `y`, and along y at width `x`, at all times.

        Straight RGBA, time downwards.

        Args:
            x: in [-1, 1].
            y: in [-1, 1].
            side: pixels along x and y.
            moments: pixels along time.
            progress: called between chunks; may raise `Cancelled`.
        """
        t, place = torch.meshgrid(cell_centres(moments), cell_centres(side), indexing="ij")
        along_x = torch.stack([place, torch.full_like(place, y), t], dim=-1)
        along_y = torch.stack([torch.full_like(place, x), place, t], dim=-1)
        values = self(torch.stack([along_x, along_y]), progress, footprint=-math.log2(side)).clamp(0, 1)
        return straight(values[0], 255).astype(np.uint8), straight(values[1], 255).astype(np.uint8)


class FrozenField(ImageField):
    """A clip at one moment: a picture like any other, with any size, region and zoom."""

    def __init__(self, video: VideoField, t: float) -> None:
        self.readout, self.basis = video.readout, video.basis
        self.video = video
        self.t = t

    @override
    def __call__(
        self,
        coords: Float[Tensor, "*shape 2"],
        progress: Progress | None = None,
        *,
        footprint: float | None = None,
        directions: Float[Tensor, "*shape 3"] | None = None,
    ) -> Float[Tensor, "*shape 4"]:
        """Return what the clip has at (x, y) at the moment."""
        return self.video(F.pad(coords, (0, 1), value=self.t), progress, footprint=footprint, directions=directions)


class JoinedField(VideoField):
    """A long clip of several parts that overlap; where they do, one fades into the next."""

    def __init__(self, parts: Sequence[VideoField]) -> None:
        self.readout, self.basis = parts[0].readout, parts[0].basis
        self.parts = list(parts)
        self._spans = overlapping_spans(len(parts), OVERLAP)

    @property
    @override
    def nbytes(self) -> int:
        return sum(part.nbytes for part in self.parts)

    @property
    @override
    def marks(self) -> list[float]:
        """The moments of all parts' base frames; where parts overlap, those of the part that is seen more."""
        found = []
        for i, ((start, stop), part) in enumerate(zip(self._spans, self.parts, strict=True)):
            inner = [start + (t + 1) / 2 * (stop - start) for t in part.marks]
            shares = self._shares(torch.tensor(inner))[i].tolist()
            found += [t for t, share in zip(inner, shares, strict=True) if share > 0.5]
        return sorted(found)

    @override
    def __call__(
        self,
        coords: Float[Tensor, "*shape 3"],
        progress: Progress | None = None,
        *,
        footprint: float | None = None,
        directions: Float[Tensor, "*shape 3"] | None = None,
    ) -> Float[Tensor, "*shape 4"]:
        """Return the clip's values; see `Field`."""
        flat = coords.reshape(-1, 3)
        shares = self._shares(flat[:, 2])
        busy = [i for i in range(len(self.parts)) if bool((shares[i] > 0).any())]
        values = flat.new_zeros(len(flat), self.readout.value_channels)
        for done, i in enumerate(busy):
            start, stop = self._spans[i]
            here = shares[i] > 0
            local = flat[here]
            local = torch.cat([local[:, :2], (local[:, 2:] - start) * (2 / (stop - start)) - 1], dim=1)
            share = sub_progress(progress, done / len(busy), (done + 1) / len(busy))
            values[here] += shares[i][here, None] * self.parts[i](local, share, footprint=footprint)
        return values.reshape(*coords.shape[:-1], -1)

    def _shares(self, t: Float[Tensor, " n"]) -> Float[Tensor, "p n"]:
        """How much of each part is seen at each moment: one of them, or a smooth mixture of two that sums to 1."""
        shares = torch.ones(len(self.parts), len(t), device=t.device)
        for i, ((start, _), (_, stop)) in enumerate(zip(self._spans[1:], self._spans[:-1], strict=True)):
            rising = ((t - start) / (stop - start)).clamp(0, 1)
            rising = rising * rising * (3 - 2 * rising)
            shares[i] = shares[i] * (1 - rising)
            shares[i + 1] = rising
        return shares


class VideoDomain(Domain):
    """Clips with transparency.

    The value is that of pictures, premultiplied colours and alpha, and so is the canvas: a square, with other clips in
    its middle between transparent margins. The footprint is that of a pixel; a frame has no duration of its own, since
    an average over time would blur what moves. A clip spans [-1, 1], however long it lasts: how fast it is played is
    decided when it is. Time takes half as many latent cells as either side of the picture. So the planes are of two
    sizes, and do not share a trunk: padded to one, at the sizes of the preset emoji-motion, a batch of 8 through the
    decoder and back took 0.83 s of a processor with AVX2 and not 0.65 s, for 9.4 and not 7.0 GFLOP forwards. By the
    operation that is 4 % less, which is all that two batches without padding could gain.
    """

    name: ClassVar[str] = "video"
    title: ClassVar[str] = "Video"
    about: ClassVar[str] = "Short clips without a frame rate"
    layout = TRI_PLANE
    combine: ClassVar[Combine] = "concatenate"
    value_channels: ClassVar[int] = 4
    footprint = (FINEST, COARSEST)
    export_formats = VIDEO_FORMATS
    export_options = VideoExport
    evidence = ("clip",)
    starter_sets = ("emoji-motion",)
    import_formats = (".mp4", ".webm", ".mov", ".mkv", ".avi", ".gif")

    @override
    def plane_sizes(self, size: int) -> tuple[tuple[int, int], ...]:
        return (size, size), (size // 2, size), (size // 2, size)

    @override
    def encoder(self, config: AutoencoderConfig) -> VideoEncoder:
        narrow, wide = config.encoder_channels
        return VideoEncoder(
            self.layout, _CHANNELS, 2 * config.latent_channels, channels=(narrow, wide), size=config.latent_size
        )

    @override
    def inputs(self, batch: dict[str, Any]) -> Float[Tensor, "b 5 t h w"]:
        return batch["video"]

    @override
    def reconstruction_loss(
        self, values: Float[Tensor, "b n 4"], targets: Float[Tensor, "b n 4"]
    ) -> tuple[Float[Tensor, ""], dict[str, Tensor]]:
        """L1-like; see `colour_loss`."""
        return colour_loss(values, targets)

    @override
    def observe(self, field: Field, kind: Evidence, source: ItemSource, index: int) -> Float[Tensor, "t 3 h w"]:
        """The base frames at the base resolution."""
        assert isinstance(field, VideoField)
        return on_white(torch.stack([as_written(field.at(t), ENCODED.side) for t in field.marks]))

    @override
    def observed(self, source: ItemSource, index: int, kind: Evidence) -> Float[Tensor, "t 3 h w"]:
        frames = torch.from_numpy(fixed_draw(source, index)["video"]).movedim(1, 0)
        return on_white(frames[:, :4])

    @override
    def folder(self, path: Path, split: str, progress: Progress | None = None) -> "UserFolder":
        from ddmi_core.data.clip_folders import clip_folder

        return clip_folder(path, split, progress=progress)

    @override
    def items(
        self, source: str, split: str, *, seed: int, queries: int, surface: SurfacePoints = USUAL_SURFACE
    ) -> ItemSource:
        from ddmi_core.data.clip_sources import open_clips

        return open_clips(source, split, encoded=ENCODED, queries=queries, footprints=(FINEST, COARSEST))

    @override
    def field(self, readout: ReadOut, basis: BasisFields) -> VideoField:
        return VideoField(readout, basis)

    @override
    def join(self, fields: Sequence[Field]) -> JoinedField:
        return JoinedField([field for field in fields if isinstance(field, VideoField)])

    @override
    def read(self, path: Path, *, queries: int, surface: SurfacePoints = USUAL_SURFACE, up: Up = "y") -> ItemSource:
        return _read(path, None, queries)

    @override
    def read_span(self, path: Path, span: tuple[float, float], *, queries: int) -> ItemSource:
        return _read(path, span, queries)

    @override
    def extent(self, path: Path) -> Region:
        from ddmi_core.data.clip_files import clip_facts

        facts = clip_facts(path)
        return in_the_middle(facts.width, facts.height)

    @override
    def duration(self, path: Path, span: tuple[float, float] | None = None) -> float:
        from ddmi_core.data.clip_files import clip_facts

        seconds = clip_facts(path).seconds
        return seconds if span is None else min(seconds, span[1]) - span[0]

    @override
    def export(
        self,
        field: Field,
        path: Path,
        options: ExportOptions | None = None,
        *,
        recipe: Recipe | None = None,
        progress: Progress | None = None,
    ) -> dict[str, Any]:
        assert isinstance(field, VideoField)
        chosen = options or VideoExport()
        assert isinstance(chosen, VideoExport)
        return export_video(field, path, chosen, recipe=recipe, progress=progress)

    @override
    def view(self, field: Field, *, resolution: int, progress: Progress | None = None) -> dict[str, Any]:
        """Some frames of the whole canvas: `frames` uint8 (4, resolution, resolution, 4), straight alpha, and `times`.

        `pixels` is the one that a thumbnail shows; `marks` are the moments of the base frames.
        """
        assert isinstance(field, VideoField)
        times = cell_centres(_SHOWN).tolist()
        frames = np.stack(
            [
                field.at(t).render(
                    resolution, resolution, progress=sub_progress(progress, i / _SHOWN, (i + 1) / _SHOWN)
                )
                for i, t in enumerate(times)
            ]
        )
        marks = np.asarray(field.marks, np.float32)
        return {"frames": frames, "times": times, "pixels": frames[_SHOWN // 2], "marks": marks}

    @override
    def thumbnail(self, view: dict[str, Any], *, size: int) -> np.ndarray:
        return np.asarray(Image.fromarray(view["pixels"]).resize((size, size), Image.Resampling.BOX))

    @override
    def preview(
        self, field: Field, *, size: int = 256, resolution: int | None = None, progress: Progress | None = None
    ) -> np.ndarray:
        """Draw four moments of the clip, two a row."""
        half = size // 2
        view = self.view(field, resolution=resolution or half, progress=progress)
        shown = [
            np.asarray(Image.fromarray(frame).resize((half, half), Image.Resampling.BOX)) for frame in view["frames"]
        ]
        sheet = contact_sheet([over(frame, (_PAPER,) * 3) for frame in shown], columns=2, gap=0)
        return sheet


def parts_of(frames: int) -> int:
    """Return in how many overlapping parts a clip of so many frames is encoded."""
    if frames <= 1.5 * PART_FRAMES:
        return 1
    return 1 + math.ceil((frames / PART_FRAMES - 1) / (1 - OVERLAP))


def _read(path: Path, span: tuple[float, float] | None, queries: int) -> ItemSource:
    from ddmi_core.data.clip_files import read_clip
    from ddmi_core.data.clip_sources import ClipParts
    from ddmi_core.data.clips import ClipSource

    clip = read_clip(path, span)
    parts = ClipParts(clip, parts_of(len(clip.times)), OVERLAP)
    return ClipSource(parts, encoded=ENCODED, queries=queries, footprints=(FINEST, COARSEST))
