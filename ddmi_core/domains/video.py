"""Videos: colour and coverage at (x, y, t), encoded to the planes xy, xt and yt (paper 4.3)."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from ddmi_core.autoencoder_config import AutoencoderConfig
from ddmi_core.coordinates import Region, in_the_middle
from ddmi_core.data.clips import ClipSource, Encoded
from ddmi_core.data.items import USUAL_INPUT, EncoderInput
from ddmi_core.domains.base import Domain, Patch, fixed_draw
from ddmi_core.domains.image import colour_loss, patch_of, patches_on_white, published_colour_loss
from ddmi_core.fidelity import FitFacts
from ddmi_core.fields.field import Evidence, Vantage
from ddmi_core.fields.film import FilmField
from ddmi_core.fields.image import on_white
from ddmi_core.fields.video import (
    ENCODED_FRAMES,
    ENCODED_SIDE,
    OVERLAP,
    DecodedVideoField,
    JoinedField,
    VideoField,
)
from ddmi_core.fitting.fit import Fit
from ddmi_core.fitting.plan import FitPlan
from ddmi_core.likeness import spread_ssim
from ddmi_core.networks.basis_decoder import BasisFields
from ddmi_core.networks.readout import BasisReadOut, Combine
from ddmi_core.networks.video_encoder import VideoEncoder
from ddmi_core.placement import Up
from ddmi_core.planes import TRI_PLANE
from ddmi_core.support.animations import is_clip
from ddmi_core.support.errors import DataError
from ddmi_core.support.file_kinds import CLIPS
from ddmi_core.support.progress import Progress

if TYPE_CHECKING:
    from ddmi_core.data.user_folder import UserFolder

ENCODED = Encoded(ENCODED_FRAMES, ENCODED_SIDE)
"""The clips that the encoder gets, in training and afterwards: the base resolution."""
FINEST, COARSEST = -8.0, -4.0
"""Range of the pixel footprints that are trained on: log2 of a pixel's side as a share of the canvas."""
PART_FRAMES = 32
"""About so many frames are encoded to one latent; a clip of up to half as many again is one part."""

_COMPARED_FRAMES = 4  # with what a model makes of a clip
_CHANNELS = 5  # of the encoder's input: see `encoder_input`


class VideoDomain(Domain[VideoField, ClipSource]):
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
    kind = VideoField
    can_fit = True
    starter_sets = ("skies", "emoji-motion")
    import_formats = CLIPS

    @override
    def plane_sizes(self, size: int) -> tuple[tuple[int, int], ...]:
        return (size, size), (size // 2, size), (size // 2, size)

    @override
    def encoder(self, config: AutoencoderConfig) -> VideoEncoder:
        narrow, wide = config.encoder_channels
        return VideoEncoder(
            self.layout,
            _CHANNELS,
            2 * config.latent_channels,
            channels=(narrow, wide),
            size=config.latent_size,
            side=config.resolution,
            frames=config.frames,
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
    def published_loss(self, values: Float[Tensor, "b n 4"], targets: Float[Tensor, "b n 4"]) -> Float[Tensor, ""]:
        """Absolute errors; see `published_colour_loss`."""
        return published_colour_loss(values, targets)

    @override
    def patch(self, batch: dict[str, Any], side: int, generator: torch.Generator) -> Patch:
        """A random square of a random one of the frames that the encoder sees, at its own moment and footprint."""
        clips = self.inputs(batch)
        count = clips.shape[2]
        frame = int(torch.randint(count, (), generator=generator))
        patch = patch_of(clips[:, :4, frame], side, generator)
        moment = (2 * frame + 1) / count - 1 + clips[:, 4:, frame, 0, 0] * (2 / count)
        times = moment.unsqueeze(1).expand(-1, patch.coords.shape[1], 1)
        return patch._replace(coords=torch.cat([patch.coords, times], dim=-1))

    @override
    def pictures(self, values: Float[Tensor, "b n 4"], side: int) -> Float[Tensor, "b 3 side side"]:
        """As they look on white."""
        return patches_on_white(values, side)

    @override
    def vantage(self, source: ClipSource, index: int, kind: Evidence) -> Vantage:
        """A clip is drawn with as many frames and pixels as the data set's."""
        return Vantage(size=(source.encoded.side, source.encoded.side), frames=source.encoded.frames)

    @override
    def observed(self, source: ClipSource, index: int, kind: Evidence) -> Float[Tensor, "t 3 h w"]:
        frames = torch.from_numpy(fixed_draw(source, index)["video"]).movedim(1, 0)
        return on_white(frames[:, :4])

    @override
    def folder(self, path: Path, split: str, progress: Progress | None = None) -> "UserFolder":
        from ddmi_core.data.clip_folders import clip_folder

        return clip_folder(path, split, progress=progress)

    @override
    def items(
        self, source: str, split: str, *, seed: int, queries: int, given: EncoderInput = USUAL_INPUT
    ) -> ClipSource:
        from ddmi_core.data.clip_sources import open_clips

        footprints = FINEST, COARSEST
        return open_clips(source, split, seed=seed, encoded=_encoded(given), queries=queries, footprints=footprints)

    @override
    def field(self, readout: BasisReadOut, basis: BasisFields) -> VideoField:
        return DecodedVideoField(readout, basis)

    @override
    def takes(self, path: Path) -> bool:
        """A GIF of one frame is a picture; WebP and PNG with several are clips."""
        return is_clip(path)

    @override
    def _fit_gradually(self, path: Path, plan: FitPlan, progress: Progress | None) -> Iterator[Fit]:
        from ddmi_core.fitting.clips import fit_clip

        yield fit_clip(path, plan.fidelity, progress, span=plan.span)

    @override
    def fitted(self, fit: Fit) -> VideoField:
        if fit.film is None:
            raise DataError("This fit has no frames: it is damaged.")
        return FilmField(fit.readout, fit.film, fit.extent)

    @override
    def latent_facts(
        self,
        path: Path,
        source: ClipSource,
        latent: Float[Tensor, "c h w"],
        field: VideoField,
        *,
        roughly: bool = False,
    ) -> FitFacts:
        """With PSNR and SSIM of some frames, on white, at the size that the encoder's reader brings them to."""
        from ddmi_core.data.clip_files import clip_facts

        clip = source.clips.open(0)
        chosen = np.linspace(0, len(clip.times) - 1, _COMPARED_FRAMES).round().astype(int)
        whole = len(source) == 1  # else the first part's moments are not the field's
        errors, likeness = [], []
        for number in chosen if whole else ():
            truth = torch.from_numpy(clip.frames[number].astype(np.float32) / 255).movedim(-1, 0)
            seen = field.at(float(clip.times[number])).as_written(truth.shape[-1])
            pictures = [on_white(one).movedim(0, -1).numpy() for one in (seen, truth)]
            errors.append(float(np.mean((pictures[0] - pictures[1]) ** 2)))
            likeness.append(spread_ssim(*pictures))
        figures = {}
        if errors:
            figures["psnr"] = -10 * math.log10(max(sum(errors) / len(errors), 1e-10))
            figures["ssim"] = sum(likeness) / len(likeness)
        facts = clip_facts(path)
        return FitFacts(fidelity="small", size_bytes=latent.nbytes, pixels=(facts.width, facts.height), figures=figures)

    @override
    def join(self, fields: Sequence[VideoField]) -> JoinedField:
        return JoinedField(fields)

    @override
    def read(self, path: Path, *, queries: int, given: EncoderInput = USUAL_INPUT, up: Up = "y") -> ClipSource:
        return _read(path, None, queries, given)

    @override
    def read_span(
        self, path: Path, span: tuple[float, float], *, queries: int, given: EncoderInput = USUAL_INPUT
    ) -> ClipSource:
        return _read(path, span, queries, given)

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


def parts_of(frames: int) -> int:
    """Return in how many overlapping parts a clip of so many frames is encoded."""
    if frames <= 1.5 * PART_FRAMES:
        return 1
    return 1 + math.ceil((frames / PART_FRAMES - 1) / (1 - OVERLAP))


def _encoded(given: EncoderInput) -> Encoded:
    return Encoded(given.frames or ENCODED.frames, given.side or ENCODED.side)


def _read(path: Path, span: tuple[float, float] | None, queries: int, given: EncoderInput) -> ClipSource:
    from ddmi_core.data.clip_files import read_clip
    from ddmi_core.data.clip_sources import ClipParts

    clip = read_clip(path, span)
    parts = ClipParts(clip, parts_of(len(clip.times)), OVERLAP)
    return ClipSource(parts, encoded=_encoded(given), queries=queries, footprints=(FINEST, COARSEST))
