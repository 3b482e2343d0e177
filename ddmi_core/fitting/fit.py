"""Fit: basis fields and a read-out of one signal's own, and the file that keeps them."""

import json
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from ddmi_core.coordinates import WHOLE, Region
from ddmi_core.fidelity import Fidelity, FitFacts
from ddmi_core.fitting import coding
from ddmi_core.fitting.film import CodedFilm, FilmFacts
from ddmi_core.networks.basis_decoder import BasisFields
from ddmi_core.networks.readout import Combine, Conditioning, ReadOut
from ddmi_core.placement import Placement
from ddmi_core.planes import PlaneLayout
from ddmi_core.support.errors import DataError
from ddmi_core.support.files import atomic_write

SUFFIX = ".fit"
"""Of the file that keeps a fit."""

_FORMAT, _PLAIN_FORMAT = "ddmi-fit-2", "ddmi-fit-1"
"""What is written, and what had plain basis fields alone."""


class ReadOutSizes(BaseModel):
    """Sizes of a read-out: the arguments of `ReadOut`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    axes: tuple[tuple[int, int], ...]
    combine: Combine
    basis_channels: Annotated[int, Field(ge=1, le=512)]
    scales: Annotated[int, Field(ge=1, le=8)]
    value_channels: Annotated[int, Field(ge=1, le=512)]
    width: Annotated[int, Field(ge=1, le=4096)]
    conditioning: Conditioning = "coarse_to_fine"
    directed_channels: int = 0

    def build(self) -> ReadOut:
        """Make a read-out of these sizes."""
        return ReadOut(
            PlaneLayout(self.axes),
            self.combine,
            self.basis_channels,
            self.scales,
            self.value_channels,
            width=self.width,
            conditioning=self.conditioning,
            directed_channels=self.directed_channels,
        )

    def copied(self, readout: ReadOut) -> ReadOut:
        """Make a read-out of these sizes with the weights of another, which stay as they are."""
        made = self.build().requires_grad_(False).eval()
        made.load_state_dict(readout.state_dict())
        return made


def copied(basis: BasisFields) -> BasisFields:
    """Return basis fields with values of their own."""
    return tuple(tuple(plane.detach().clone() for plane in scale) for scale in basis)


class Fit:
    """Basis fields and a read-out that stand for one signal.

    Args:
        domain: name of the signal's domain.
        sizes: of the read-out.
        readout: its weights stay as they are.
        basis: basis fields, batch size one; none where `film` has them.
        film: those of a clip's frames, and the motion between them.
        fidelity: how closely it was to be fitted.
        extent: the part of the canvas that the basis fields lie on; beyond it nothing is.
        placement: where the object lay in its file, if it lies in space.
        step: what the basis fields' values are multiples of, if of anything; then their file is small.
        pixels, bits, done, figures, remark: see `FitFacts`.
    """

    def __init__(
        self,
        domain: str,
        sizes: ReadOutSizes,
        readout: ReadOut,
        basis: BasisFields,
        fidelity: Fidelity,
        *,
        film: CodedFilm | None = None,
        extent: Region = WHOLE,
        placement: Placement | None = None,
        step: float | None = None,
        pixels: tuple[int, int] | None = None,
        bits: Literal[8, 16] = 8,
        done: float = 1.0,
        figures: dict[str, float] | None = None,
        remark: str = "",
    ) -> None:
        self.domain, self.sizes, self.readout, self.basis, self.film = domain, sizes, readout, basis, film
        self.fidelity, self.extent, self.placement, self.pixels = fidelity, extent, placement, pixels
        self.step, self.bits, self.done = step, bits, done
        self.figures, self.remark = dict(figures or {}), remark

    @property
    def facts(self) -> FitFacts:
        """What it is, and how good."""
        size = sum(tensor.nbytes for tensor in self._coded_basis[0].values())
        size += self.film.nbytes if self.film is not None else 0
        return FitFacts(
            fidelity=self.fidelity,
            size_bytes=size,
            pixels=self.pixels,
            bits=self.bits,
            done=self.done,
            figures=self.figures,
            remark=self.remark,
        )

    def weights(self, sizes: ReadOutSizes) -> tuple[ReadOut, BasisFields]:
        """Return copies of the read-out and the basis fields, to be learned further.

        Raises:
            DataError: they are not of these sizes.
        """
        if self.sizes != sizes:
            raise DataError("The fit to go on with is of another kind of file, or of another version.")
        return self.sizes.copied(self.readout).requires_grad_(), copied(self.basis)

    @cached_property
    def _coded_basis(self) -> tuple[dict[str, Tensor], dict[str, int]]:
        """The basis fields as their file has them, coded or as float16; and the multiples that are coded as zero."""
        tensors: dict[str, Tensor] = {}
        lowest: dict[str, int] = {}
        for scale, planes in enumerate(self.basis):
            for number, plane in enumerate(planes):
                name, values = _basis_name(scale, number), plane.detach()[0].float().cpu()
                if self.step is None or not coding.can_be_coded(*values.shape):
                    tensors[name] = values.half().contiguous()
                    continue
                lowest[name], low, high = coding.coded(values.numpy(), self.step)
                tensors[f"{name}.low"] = torch.from_numpy(low.copy())
                if high is not None:
                    tensors[f"{name}.high"] = torch.from_numpy(high.copy())
        return tensors, lowest

    def to_bytes(self) -> bytes:
        """Return the content of a fit's file: safetensors, basis fields coded or as float16."""
        tensors: dict[str, Tensor] = {
            f"readout.{name}": weights.detach().float().cpu().contiguous()
            for name, weights in self.readout.state_dict().items()
        }
        basis, lowest = self._coded_basis
        tensors |= basis
        about = {
            "format": _FORMAT,
            "domain": self.domain,
            "sizes": self.sizes.model_dump_json(),
            "fidelity": self.fidelity,
            "extent": json.dumps(self.extent),
            "step": json.dumps(self.step),
            "lowest": json.dumps(lowest),
            "pixels": json.dumps(self.pixels),
            "bits": json.dumps(self.bits),
            "done": json.dumps(self.done),
            "figures": json.dumps(self.figures),
            "remark": self.remark,
        }
        if self.film is not None:
            film, facts = self.film.tensors()
            tensors |= film
            about["film"] = facts.model_dump_json()
        if self.placement is not None:
            about["placement"] = self.placement.model_dump_json()
        return save(tensors, about)

    def save(self, path: Path) -> None:
        """Write the fit's file.

        Raises:
            DataError: it cannot be written.
        """
        try:
            with atomic_write(path) as temporary:
                Path(temporary).write_bytes(self.to_bytes())
        except OSError as error:
            raise DataError(f"The fit cannot be written to {path}: {error.strerror or error}.") from error

    @classmethod
    def load(cls, path: Path) -> "Fit":
        """Read a fit's file.

        Raises:
            DataError: it is missing, damaged, or no fit.
        """
        try:
            content = Path(path).read_bytes()
        except OSError as error:
            raise DataError(f"The fit {path} cannot be read: {error.strerror or error}.") from error
        return cls.from_bytes(content, str(path))

    @classmethod
    def from_bytes(cls, content: bytes, origin: str) -> "Fit":
        """Read the content of a fit's file; `origin` names it in messages.

        Raises:
            DataError: it is damaged, or no fit.
        """
        try:
            tensors = load(content)
            about = _metadata(content)
            if about.get("format") not in (_FORMAT, _PLAIN_FORMAT):
                raise DataError(f"{origin} is no fit of this version.")
            sizes = ReadOutSizes.model_validate_json(about["sizes"])
            facts = FitFacts(
                fidelity=about["fidelity"],
                size_bytes=0,
                pixels=json.loads(about.get("pixels", "null")),
                bits=json.loads(about.get("bits", "8")),
                done=json.loads(about.get("done", "1.0")),
                figures=json.loads(about["figures"]),
                remark=about.get("remark", ""),
            )
            left, top, right, bottom = (float(edge) for edge in json.loads(about["extent"]))
            placement = Placement.model_validate_json(about["placement"]) if "placement" in about else None
            step, lowest = json.loads(about.get("step", "null")), json.loads(about.get("lowest", "{}"))
            film = (
                CodedFilm.of(tensors, FilmFacts.model_validate_json(about["film"]), sizes.basis_channels)
                if "film" in about
                else None
            )
            basis = tuple(
                tuple(
                    _plane(tensors, _basis_name(scale, number), sizes.basis_channels, step, lowest)[None]
                    for number in range(len(sizes.axes))
                )
                for scale in range(sizes.scales if film is None else 0)
            )
            readout = sizes.build().requires_grad_(False).eval()
            readout.load_state_dict({name.removeprefix("readout."): value for name, value in tensors.items()})
        except (SafetensorError, ValidationError, KeyError, ValueError, TypeError, RuntimeError) as error:
            raise DataError(f"{origin} is damaged, or no fit: {type(error).__name__}.") from error
        if any(plane.shape[1] != sizes.basis_channels for planes in basis for plane in planes):
            raise DataError(f"{origin} is damaged: its basis fields do not fit its read-out.")
        if not all(bool(torch.isfinite(plane).all()) for planes in basis for plane in planes):
            raise DataError(f"{origin} holds values that are not numbers.")
        return cls(
            about["domain"],
            sizes,
            readout,
            basis,
            facts.fidelity,
            film=film,
            extent=(left, top, right, bottom),
            placement=placement,
            step=step,
            pixels=facts.pixels,
            bits=facts.bits,
            done=facts.done,
            figures=facts.figures,
            remark=facts.remark,
        )


def _basis_name(scale: int, number: int) -> str:
    return f"basis.{scale}.{number}"


def _plane(tensors: dict[str, Tensor], name: str, channels: int, step: float | None, lowest: dict[str, int]) -> Tensor:
    """Take a basis field out of a file's tensors."""
    if name in tensors:
        return tensors.pop(name).float()
    if step is None:
        raise ValueError("coded without a step")
    low, high = tensors.pop(f"{name}.low"), tensors.pop(f"{name}.high", None)
    found = coding.Coded(int(lowest[name]), low.numpy(), high.numpy() if high is not None else None)
    return torch.from_numpy(coding.decoded(found, step, channels))


def _metadata(content: bytes) -> dict[str, str]:
    """The strings in the header of a safetensors file, whose length is its first eight bytes."""
    length = int.from_bytes(content[:8], "little")
    found = json.loads(content[8 : 8 + length]).get("__metadata__", {})
    return found if isinstance(found, dict) else {}
