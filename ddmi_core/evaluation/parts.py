"""The parts of an evaluation: what was seen of some signals, each part a file of its own, so that none is seen twice.

Several processes may make parts of one folder at once: each takes every so many-th, and all of them see the files.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from ddmi_core.data.items import ItemSource
from ddmi_core.data.layouts import listing_of
from ddmi_core.evaluation.plan import EvaluationPlan
from ddmi_core.fields.field import Evidence
from ddmi_core.likeness import psnr, ssim
from ddmi_core.metrics.clip_score import ClipScorer
from ddmi_core.metrics.feature_networks import LoadedNetwork
from ddmi_core.metrics.judge import judge_of
from ddmi_core.metrics.shapes import chamfer_distance, f_score
from ddmi_core.pipeline import Pipeline
from ddmi_core.rendering.picture_layout import over
from ddmi_core.support.errors import DDMIError
from ddmi_core.support.files import atomic_write
from ddmi_core.support.memory import give_back, is_out_of_memory
from ddmi_core.support.progress import Progress, report, sub_progress

Kind = Literal["references", "samples", "reconstructions"]
Part = dict[str, Tensor]

SHOWN = 32
"""Of each kind, so many signals are drawn for the page."""
SIDE = 128
"""Of these drawings, in pixels."""

_AT_ONCE = 8
_NOT_FINITE, _NOTHING = 1, 2  # why a signal could not be measured
_LOOKED_AT = 512  # places at which a signal must be finite
_QUERIES = 8192


class Parts:
    """Makes and reads the parts of one evaluation.

    Args:
        folder: where they are kept.
        plan: what is to be seen.
        pipeline: the model.
        network: takes features, where the plan uses one.
        clip: scores prompts, where the plan asks for it.
    """

    def __init__(
        self,
        folder: Path,
        plan: EvaluationPlan,
        pipeline: Pipeline,
        network: LoadedNetwork | None,
        clip: ClipScorer | None,
    ) -> None:
        self.folder = folder
        self._plan, self._pipeline, self._network, self._clip = plan, pipeline, network, clip
        domain = pipeline.domain
        given = pipeline.autoencoder.config.encoder_input
        if plan.resolution is not None:  # the encoder brings what it is given to its own
            given = replace(given, side=plan.resolution)
        if plan.split == "test" and not _publishes_test(plan):
            raise DDMIError(f"{plan.data} has no test part that was published with it. Take the held-out part instead.")
        self._data = domain.items(plan.data, plan.split, seed=0, queries=_QUERIES, given=given)
        order = np.random.default_rng(0).permutation(len(self._data))
        self._order = order[: plan.references]
        self._held_out: ItemSource | None = None
        if plan.of("reconstructions"):
            self._held_out = domain.items(plan.data, "held_out", seed=0, queries=_QUERIES, given=given)
        self.judge = judge_of(domain, plan.data) if "accuracy" in plan.metrics else None
        """Who tells of what class shapes are; None where nobody can."""

    def counts(self) -> dict[Kind, int]:
        """Return how many signals of each kind there are to see."""
        held_out = 0 if self._held_out is None else min(len(self._held_out), self._plan.reconstructions)
        compared = bool(self._plan.evidence("samples", compared=True))
        return {
            "references": len(self._order) if compared else 0,
            "samples": self._plan.samples if self._plan.of("samples") else 0,
            "reconstructions": held_out,
        }

    def make(self, rank: int, processes: int, progress: Progress | None = None) -> None:
        """Make the parts of a process that are not there yet; `progress` may raise `Cancelled` between signals."""
        todo = [part for i, part in enumerate(self._all()) if i % processes == rank and not self._file(*part).exists()]
        total = sum(len(numbers) for _, numbers in todo)
        done = 0
        for kind, numbers in todo:
            found = []
            latents: list[Tensor] = []
            if kind == "samples":
                latents = self._latents(numbers, sub_progress(progress, done / total, done / total))
            for number in numbers:
                report(progress, done / total, f"{kind}, {number + 1:,} of {self.counts()[kind]:,}")
                if kind == "references":
                    found.append(self._reference(number))
                elif kind == "samples":
                    found.append(self._sample(number, latents[number - numbers.start]))
                else:
                    found.append(self._reconstruction(number))
                done += 1
            joined = {name: torch.cat([one[name] for one in found if name in one]) for one in found for name in one}
            self.folder.mkdir(parents=True, exist_ok=True)
            with atomic_write(self._file(kind, numbers)) as temporary:
                save_file(joined, temporary)

    def read(self, kind: Kind) -> Iterator[Part]:
        """Yield the parts of a kind, in order.

        Raises:
            DDMIError: one is damaged.
        """
        for part_kind, numbers in self._all():
            if part_kind != kind:
                continue
            path = self._file(kind, numbers)
            try:
                yield load_file(path)
            except (OSError, SafetensorError) as error:
                raise DDMIError(f"{path} is damaged ({error}). Delete it and evaluate again.") from error

    def column(self, kind: Kind, name: str) -> Tensor | None:
        """Return what all parts have of a name; None where they have nothing."""
        found = [part[name] for part in self.read(kind) if name in part]
        return torch.cat(found) if found else None

    def reference_hash(self) -> str:
        """Return a digest (16 hexadecimal digits) of all that was seen of the data, in order."""
        digest = hashlib.sha256()
        for part in self.read("references"):
            digest.update(part["seen"].numpy().tobytes())
        return digest.hexdigest()[:16]

    def prompt(self, number: int) -> str:
        """Return the prompt of a sample; empty where the data have no captions."""
        captions = self._data.captions(self._like(number))
        return captions[0] if captions else ""

    def bad(self, kind: Kind) -> dict[str, int]:
        """Return how many signals could not be measured, and why."""
        codes = self.column(kind, "bad")
        found = [] if codes is None else codes.tolist()
        return {"not_finite": found.count(_NOT_FINITE), "nothing_to_see": found.count(_NOTHING)}

    def _like(self, number: int) -> int:
        """Which signal of the data a sample is to be like."""
        return int(self._order[number // self._plan.per_prompt % len(self._order)])

    def _all(self) -> Iterator[tuple[Kind, range]]:
        for kind, count in self.counts().items():
            for start in range(0, count, _AT_ONCE):
                yield kind, range(start, min(start + _AT_ONCE, count))

    def _file(self, kind: Kind, numbers: range) -> Path:
        return self.folder / f"{kind}-{numbers.start:06d}.safetensors"

    def _reference(self, number: int) -> Part:
        index = int(self._order[number])
        kinds = self._plan.evidence("samples", compared=True)
        seen = {kind: self._pipeline.domain.observed(self._data, index, kind) for kind in kinds}
        digest = hashlib.sha256()
        for kind in kinds:
            digest.update(seen[kind].numpy().tobytes())
        found = self._kept(seen, number)
        found["seen"] = torch.frombuffer(bytearray(digest.digest()), dtype=torch.uint8).unsqueeze(0)
        return found

    def _latents(self, numbers: range, progress: Progress | None) -> list[Tensor]:
        """Sample at once, or where there is not enough memory in halves."""
        prompts, seeds = zip(
            *((self.prompt(number), self._plan.first_seed + number) for number in numbers), strict=True
        )
        try:
            return self._pipeline.sample_each(prompts, seeds, self._plan.denoising, progress=progress)
        except (RuntimeError, MemoryError) as error:
            if len(numbers) == 1 or not is_out_of_memory(error):
                raise
        half = len(numbers) // 2
        give_back(self._pipeline.device)
        return self._latents(numbers[:half], progress) + self._latents(numbers[half:], progress)

    def _sample(self, number: int, latent: Tensor) -> Part:
        plan, domain = self._plan, self._pipeline.domain
        prompt, like = self.prompt(number), self._like(number)
        kinds = plan.evidence("samples")
        seen = self._observed(latent, kinds, self._data, like)
        if isinstance(seen, int):
            return {"bad": torch.tensor([seen])}
        found = self._kept(seen, number) | {"prompt": torch.tensor([number // plan.per_prompt])}
        if self._clip is not None:
            pictures = next(seen[kind] for kind in kinds if kind in ("pictures", "clip"))
            found["clip"] = torch.tensor([self._clip.score(pictures, prompt)])
        wanted = domain.kind_of(self._data, like)
        if self.judge is not None and wanted is not None:
            known, own = self.judge.classifier.kinds, self.judge.kind(wanted)
            if own in known:  # else the training part has none of it
                (guess,) = self.judge.classifier.predict([seen["points"].numpy()])
                found["kinds"] = torch.tensor([[known.index(own), known.index(guess)]])
        return found

    def _reconstruction(self, number: int) -> Part:
        assert self._held_out is not None
        kinds = self._plan.evidence("reconstructions")
        latent = self._pipeline.encode_source(self._held_out, number)
        seen = self._observed(latent, kinds, self._held_out, number)
        if isinstance(seen, int):
            return {"bad": torch.tensor([seen])}
        found: Part = {}
        for kind in kinds:
            true = self._pipeline.domain.observed(self._held_out, number, kind)
            found |= {name: torch.tensor([value]) for name, value in _compared(kind, seen[kind], true).items()}
        return found

    def _observed(
        self, latent: Tensor, kinds: list[Evidence], source: ItemSource, like: int
    ) -> dict[Evidence, Tensor] | int:
        """What is seen of a signal, or why nothing can be."""
        if not bool(torch.isfinite(latent).all()):
            return _NOT_FINITE
        field, domain = self._pipeline.decode(latent), self._pipeline.domain
        axes = 1 + max(max(plane) for plane in domain.layout.axes)
        places = torch.rand(_LOOKED_AT, axes, generator=torch.Generator().manual_seed(0)) * 2 - 1
        if not bool(torch.isfinite(field(places)).all()):
            return _NOT_FINITE
        try:
            seen = {kind: field.observe(kind, domain.vantage(source, like, kind)) for kind in kinds}
        except DDMIError:
            return _NOTHING
        return seen if all(bool(torch.isfinite(part).all()) for part in seen.values()) else _NOT_FINITE

    def _kept(self, seen: dict[Evidence, Tensor], number: int) -> Part:
        """What is kept of what was seen: features instead of pictures, but for a few to show."""
        found: Part = {}
        pictures = next((seen[kind] for kind in ("pictures", "clip") if kind in seen), None)
        if self._network is not None and pictures is not None:
            found["features"] = self._network.features(pictures)
        if "points" in seen:
            found["points"] = seen["points"].float().unsqueeze(0)
        if number < SHOWN:
            found["picture"] = _drawing(pictures, seen.get("points")).unsqueeze(0)
        return found


def _publishes_test(plan: EvaluationPlan) -> bool:
    listing = listing_of(Path(plan.data), plan.domain) if Path(plan.data).is_dir() else None
    return listing is not None and listing.part("test") is not None


def _compared(kind: Evidence, made: Tensor, true: Tensor) -> dict[str, float]:
    """The figures of one reconstruction."""
    if kind == "occupancy":
        inside, wanted = made > 0.5, true > 0.5
        return {"iou": float((inside & wanted).sum() / (inside | wanted).sum().clamp(min=1))}
    if kind == "points":
        a, b = made.numpy(), true.numpy()
        return {"chamfer": chamfer_distance(a, b), "f-score": f_score(a, b)}
    pictures = made.movedim(1, -1).numpy(), true.movedim(1, -1).numpy()
    alike = [ssim(one, other) for one, other in zip(*pictures, strict=True)]
    return {"psnr": psnr(*pictures), "ssim": float(np.mean(alike))}


def _drawing(pictures: Float[Tensor, "n 3 h w"] | None, points: Float[Tensor, "p 3"] | None) -> Tensor:
    """A small picture, uint8 (SIDE, SIDE, 3), of a signal."""
    from ddmi_core.data.shapes import draw_points

    if pictures is None:
        assert points is not None
        return torch.from_numpy(over(draw_points(points.numpy(), SIDE)))
    shown = torch.nn.functional.interpolate(pictures[:1], (SIDE, SIDE), mode="bilinear", antialias=True)[0]
    return (shown.clamp(0, 1) * 255 + 0.5).byte().movedim(0, -1).contiguous()
