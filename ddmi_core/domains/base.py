"""What a domain is: everything that differs between pictures, shapes, radiance fields and videos."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, NamedTuple, TypeVar, get_args

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor, nn

from ddmi_core.autoencoder_config import AutoencoderConfig, Trunk
from ddmi_core.coordinates import Region
from ddmi_core.data.items import USUAL_INPUT, EncoderInput, ItemSource
from ddmi_core.fidelity import FitFacts
from ddmi_core.fields.field import Evidence, Field, Vantage
from ddmi_core.fitting.fit import Fit
from ddmi_core.fitting.plan import USUAL_PLAN, FitPlan
from ddmi_core.networks.basis_decoder import BasisFields
from ddmi_core.networks.point_encoder import PatchedPointEncoder, PointEncoder
from ddmi_core.networks.readout import BasisReadOut, Combine
from ddmi_core.placement import Placement, Up
from ddmi_core.planes import PlaneLayout
from ddmi_core.rendering.picture_layout import contact_sheet
from ddmi_core.support.errors import DataError, DDMIError, ModelError
from ddmi_core.support.progress import Progress

if TYPE_CHECKING:
    from ddmi_core.data.user_folder import UserFolder

_log = logging.getLogger(__name__)

AnyField = TypeVar("AnyField", bound=Field)
AnySource = TypeVar("AnySource", bound=ItemSource)

_Seen = Literal["pictures", "clip"]
"""What of the evidence is drawn as it is."""


class Patch(NamedTuple):
    """A square of neighbouring samples of every item of a batch, row by row, and what is true of them."""

    coords: Float[Tensor, "b n d"]
    footprint: Float[Tensor, "b n 1"] | None
    targets: Float[Tensor, "b n v"]


class Shown(NamedTuple):
    """A small square picture of a signal of a data set, and what draws another signal in the same way.

    The latter raises DDMIError where there is nothing to draw, such as no surface.
    """

    true: UInt8[np.ndarray, "s s 3"]
    draw: Callable[[Any], UInt8[np.ndarray, "s s 3"]]


def fixed_draw(source: ItemSource, index: int) -> dict[str, np.ndarray]:
    """Draw a signal of a data set as it is, the same each time."""
    return source.sample(index, np.random.default_rng((0, index)), augment="none")


def _small(seen: Float[Tensor, "n 3 h w"], kind: Evidence, size: int) -> UInt8[np.ndarray, "size size 3"]:
    """Return the first of some pictures, or four moments of a clip, two a row, in a square of so many pixels."""
    if kind == "clip":
        return contact_sheet([_small(seen[[i * len(seen) // 4]], "pictures", size // 2) for i in range(4)], 2, gap=0)
    pixels = (seen[0].clamp(0, 1) * 255).round().to(torch.uint8).movedim(0, -1).cpu().numpy()
    square = Image.new("RGB", (size, size), "white")
    share = size / max(pixels.shape[:2])
    height, width = (max(1, round(share * extent)) for extent in pixels.shape[:2])
    picture = Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC)
    square.paste(picture, ((size - width) // 2, (size - height) // 2))
    return np.asarray(square)


def point_encoder(config: AutoencoderConfig, layout: PlaneLayout, *, feature_channels: int) -> nn.Module:
    """Build the encoder of points that a configuration asks for; each has `feature_channels` beside its position."""
    if config.trunk == "separate":
        return PointEncoder(
            layout,
            2 * config.latent_channels,
            feature_channels=feature_channels,
            point_channels=config.point_channels,
            channels=config.encoder_channels,
            size=config.latent_size * 2 ** (len(config.encoder_channels) - 1),
        )
    splat_channels, width = config.encoder_channels
    return PatchedPointEncoder(
        layout,
        2 * config.latent_channels,
        feature_channels=feature_channels,
        point_channels=config.point_channels,
        splat_channels=splat_channels,
        width=width,
        blocks=config.encoder_blocks,
        patch=config.patch,
        size=config.latent_size,
    )


class Domain(ABC, Generic[AnyField, AnySource]):
    """One kind of signal: its planes, encoder and likelihood, and how it is read; what it can do is its Field's."""

    name: ClassVar[str]
    title: ClassVar[str]
    about: ClassVar[str]
    """What its signals are, in a line."""
    kind: ClassVar[type[Field]]
    """What its signals are."""
    layout: ClassVar[PlaneLayout]
    combine: ClassVar[Combine]
    """How the embeddings of the planes are joined before the read-out."""
    value_channels: ClassVar[int]
    """Channels of the read-out's value."""
    directed_channels: ClassVar[int] = 0
    """How many of them, the last ones, also depend on the direction from which a point is seen."""
    footprint: ClassVar[tuple[float, float] | None] = None
    """Finest and coarsest spacing of samples that the read-out is told of, as log2 of a share of the canvas."""
    trunks: ClassVar[tuple[Trunk, ...]] = ("separate", "shared")
    """Which trunks its autoencoder can have."""
    import_formats: ClassVar[tuple[str, ...]]
    """Suffixes that `read` takes."""

    def plane_sizes(self, size: int) -> tuple[tuple[int, int], ...]:
        """Return the (height, width) of each latent plane for the latent size of a configuration: squares, if alike."""
        return ((size, size),) * len(self.layout)

    @abstractmethod
    def encoder(self, config: AutoencoderConfig) -> nn.Module:
        """Build the encoder: from the domain's inputs to planes of 2 x latent channels (mean, log-variance)."""

    @abstractmethod
    def inputs(self, batch: dict[str, Any]) -> Any:
        """Pick the encoder's inputs out of a training batch."""

    @abstractmethod
    def reconstruction_loss(
        self, values: Float[Tensor, "b n v"], targets: Float[Tensor, "b n t"]
    ) -> tuple[Float[Tensor, ""], dict[str, Tensor]]:
        """Return -log p(signal | z), averaged over coordinates, and figures worth watching (eq. 9, first term).

        The figures are numbers without gradients, left on their device: to read one on a GPU is to wait for it.
        """

    def published_loss(self, values: Float[Tensor, "b n v"], targets: Float[Tensor, "b n t"]) -> Float[Tensor, ""]:
        """Return what the paper's code takes for -log p(signal | z), averaged over the values that it adds up."""
        return self.reconstruction_loss(values, targets)[0]

    def predict(self, readout: BasisReadOut, basis: BasisFields, batch: Mapping[str, Tensor]) -> Float[Tensor, "b n v"]:
        """Return what `reconstruction_loss` compares with a batch's `targets`, differentiable.

        As a rule the signal's values at the batch's `coords`; a domain whose data are not values at coordinates, such
        as pictures of a scene, says here how the one follows from the other.
        """
        return readout.evaluate(basis, batch["coords"], batch.get("footprint"))

    def direct_loss(
        self, readout: BasisReadOut, basis: BasisFields, batch: Mapping[str, Tensor]
    ) -> tuple[Float[Tensor, ""], dict[str, Tensor]]:
        """Compare a signal that is known by pictures with what is there itself; also return figures worth watching.

        Raises:
            DDMIError: signals of this domain are known as they are.
        """
        raise DDMIError(f"{self.title} are known directly: leave direct_weight at 0.")

    def patch(self, batch: dict[str, Any], side: int, generator: torch.Generator) -> Patch:
        """Return side x side neighbouring samples of a batch, for the terms that look at patches.

        Args:
            batch: a training batch.
            side: samples along each side.
            generator: on the CPU; says where the patch lies.

        Raises:
            DDMIError: signals of this domain have no patches, or none so large.
        """
        raise DDMIError(f"{self.title} have no patches: leave perceptual_weight and adversarial_weight at 0.")

    def pictures(self, values: Float[Tensor, "b n v"], side: int) -> Float[Tensor, "b 3 side side"]:
        """Return the values of patches as pictures in [0, 1].

        Raises:
            DDMIError: as for `patch`.
        """
        raise DDMIError(f"{self.title} have no patches.")

    unseen_in_data: ClassVar[tuple[Evidence, ...]] = ()
    """What of the evidence that fields give `observed` does not, because data sets do not have it."""

    @abstractmethod
    def observed(self, source: AnySource, index: int, kind: Evidence) -> Float[Tensor, "n ..."]:
        """Return what a figure of merit looks at of a signal of a data set; the same each time.

        Raises:
            DDMIError: the data set does not have it.
        """

    def vantage(self, source: AnySource, index: int, kind: Evidence) -> Vantage:
        """Return from where that is, so that `Field.observe` gives the same of another signal.

        Raises:
            DDMIError: the data set does not have it.
        """
        return Vantage()

    def shown(self, source: AnySource, index: int, size: int) -> Shown:
        """Draw a signal of a data set, the same each time, so that another signal can be drawn to be seen beside it.

        Raises:
            DDMIError: the data set does not know what there is to draw.
        """
        kind = self.kind.evidence[0]
        if kind not in get_args(_Seen) or kind in self.unseen_in_data:
            raise DDMIError(f"{self.title} of data sets are not drawn.")
        vantage = self.vantage(source, index, kind)
        share = min(1.0, size / max(1, *vantage.size))
        vantage = vantage._replace(size=(round(share * vantage.size[0]), round(share * vantage.size[1])))
        return Shown(
            _small(self.observed(source, index, kind), kind, size),
            lambda field: _small(field.observe(kind, vantage), kind, size),
        )

    def kind_of(self, source: AnySource, index: int) -> str | None:
        """Return what kind of thing a signal of a data set is, where the data set says so."""
        return None

    starter_sets: ClassVar[tuple[str, ...]]
    """Names of the data sets that come along."""

    @abstractmethod
    def folder(self, path: Path, split: str, progress: Progress | None = None) -> "UserFolder":
        """Read the `train` or `held_out` part of a user's folder.

        Raises:
            DataError: nothing usable is there.
        """

    @abstractmethod
    def items(
        self, source: str, split: str, *, seed: int, queries: int, given: EncoderInput = USUAL_INPUT
    ) -> AnySource:
        """Open training data: a starter set by name, or a user's folder; `queries` coordinates an example.

        Encoders are given `given` of it.

        Raises:
            DataError: nothing usable is there.
        """

    @abstractmethod
    def field(self, readout: BasisReadOut, basis: BasisFields) -> AnyField:
        """Wrap decoded basis fields into the domain's Field."""

    reading: ClassVar[Literal["kept", "compared"] | None] = None
    """What the encoder makes of a sample that it reads is kept in place of it unless it is more torn, or compared with
    it, where nothing else tells how torn that is; None where samples are not read."""

    def read_back(self, field: AnyField, given: EncoderInput) -> dict[str, Tensor] | None:
        """Return what the encoder is `given` of a signal that was decoded, a batch of one; None where nothing is there.

        May be asked for where `reading` is something.

        Raises:
            DDMIError: that is not known of signals of this domain.
        """
        raise DDMIError(f"{self.title} are not read back.")

    can_fit: ClassVar[bool] = False
    """Whether `fit` can be asked for."""
    fits_at_once: ClassVar[bool] = False
    """Whether a fit takes seconds, so that one can wait for it, and not a minute."""
    fits_by_steps: ClassVar[bool] = False
    """Whether a fit is learned step by step and not solved, so that it can be given a time, and gone on with."""

    def fit(self, path: Path, plan: FitPlan = USUAL_PLAN, progress: Progress | None = None) -> Fit:
        """Fit basis fields to a user's file.

        Args:
            path: the file.
            plan: how.
            progress: may raise `Cancelled`.

        Raises:
            DataError: the file cannot be used, or signals of this domain cannot be fitted, or not so.
        """
        *_, last = self.fit_gradually(path, plan, progress)
        return last

    def fit_gradually(self, path: Path, plan: FitPlan = USUAL_PLAN, progress: Progress | None = None) -> Iterator[Fit]:
        """Yield fits that come nearer and nearer to a file, where that takes long; the last is that of `fit`.

        Arguments and errors: see `fit`.
        """
        if not self.fits_by_steps:
            if plan.start is not None:
                raise DataError(f"The fit of {path.name} is solved, not learned: there is none to go on with.")
            if plan.seconds is not None:
                _log.warning(
                    "The fit of %s is solved, not learned: the time that was given changes nothing.", path.name
                )
        yield from self._fit_gradually(path, plan, progress)

    def _fit_gradually(self, path: Path, plan: FitPlan, progress: Progress | None) -> Iterator[Fit]:
        """See `fit_gradually`."""
        raise DataError(f"{self.title} cannot be fitted to a file; they are what their model makes of it.")

    def takes(self, path: Path) -> bool:
        """Return whether a user's file is one of this domain's: by its suffix, or by what is in it as well."""
        return path.suffix.lower() in self.import_formats

    def fits(self, path: Path) -> bool:
        """Return whether `fit` can be asked for of such a file."""
        return self.can_fit and self.takes(path)

    def latent_facts(
        self, path: Path, source: AnySource, latent: Float[Tensor, "c h w"], field: AnyField, *, roughly: bool = False
    ) -> FitFacts | None:
        """Return how near the latent of a user's file comes to it, where there could be a fit instead.

        Args:
            path: the file.
            source: what `read` gave of it.
            latent: its latent.
            field: the latent's signal.
            roughly: in less than a second, whatever the file.
        """
        return None

    def fitted(self, fit: Fit) -> AnyField:
        """Return the signal of a fit of this domain."""
        return self.field(fit.readout, fit.basis)

    def join(self, fields: Sequence[AnyField]) -> AnyField:
        """Return the parts that `read` has divided a file into as one signal.

        Raises:
            ModelError: signals of this domain have no parts.
        """
        raise ModelError(f"{self.title} have one latent each, not {len(fields)}.")

    @abstractmethod
    def read(self, path: Path, *, queries: int, given: EncoderInput = USUAL_INPUT, up: Up = "y") -> AnySource:
        """Read a user's file as a set of one signal, to be drawn without augmentation, `queries` coordinates a draw.

        Encoders are given `given` of it.

        What is too long for one latent comes as a set of several, its parts in order, which `join` puts together.

        Where the true values of the signal are not known, as of a point cloud, a draw has the encoder's inputs only.
        `up` is the axis that is up in files that lie in space and do not say it themselves.

        Raises:
            DataError: the file cannot be used; the message says why.
        """

    def placement(self, source: AnySource) -> Placement | None:
        """Return where what `read` gave lay in its file; None: there is no such thing."""
        return None

    def extent(self, path: Path) -> Region | None:
        """Return the part of the canvas that a user's file covers once it is read; None: there is no such thing.

        Raises:
            DataError: the file cannot be used.
        """
        return None

    def read_span(
        self, path: Path, span: tuple[float, float], *, queries: int, given: EncoderInput = USUAL_INPUT
    ) -> AnySource:
        """Read only what a user's file has from .. to, in seconds; see `read`.

        Raises:
            DataError: the file cannot be used, or such files have no duration.
        """
        raise DataError(f"{path.name} has no duration: leave the range out.")

    def duration(self, path: Path, span: tuple[float, float] | None = None) -> float | None:
        """Return how many seconds a user's file, or its part in a span, lasts; None: there is no such thing.

        Raises:
            DataError: the file cannot be used.
        """
        return None
