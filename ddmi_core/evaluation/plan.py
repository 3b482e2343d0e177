"""What an evaluation is to measure and how: all that decides its figures, so that it can be gone on with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import ConfigDict, Field

from ddmi_core.domains import Domain, get_domain
from ddmi_core.fields.field import Evidence
from ddmi_core.metrics.clouds import CloudScale
from ddmi_core.metrics.feature_networks import NETWORKS, OFFLINE, Takes
from ddmi_core.recipe import Denoising, Seed
from ddmi_core.support.errors import DDMIError

Of = Literal["reconstructions", "samples"]


@dataclass(frozen=True)
class Metric:
    """What a metric looks at: the first of `evidence` that a domain gives.

    `of` says whether held-out signals are compared one by one with what the autoencoder makes of them, or samples with
    the data. `compares` is false where the data are not looked at.
    """

    of: Of
    evidence: tuple[Evidence, ...]
    compares: bool = True


METRICS: Mapping[str, Metric] = {
    "psnr": Metric("reconstructions", ("pictures", "clip")),
    "ssim": Metric("reconstructions", ("pictures", "clip")),
    "iou": Metric("reconstructions", ("occupancy",)),
    "chamfer": Metric("reconstructions", ("points",)),
    "f-score": Metric("reconstructions", ("points",)),
    "frechet": Metric("samples", ("pictures", "clip")),
    "kernel": Metric("samples", ("pictures", "clip")),
    "precision-recall": Metric("samples", ("pictures", "clip")),
    "clouds-cd": Metric("samples", ("points",)),
    "clouds-emd": Metric("samples", ("points",)),
    "accuracy": Metric("samples", ("points",), compares=False),
    "tmd": Metric("samples", ("points",), compares=False),
    "clip-s": Metric("samples", ("pictures", "clip"), compares=False),
}
"""All metrics by the names that a person gives."""

_ASKED_FOR = ("clip-s", "clouds-emd", "tmd")  # these need a weight file, hours, or many samples of each prompt
_PER_PROMPT = 10


def available(domain: Domain) -> list[str]:
    """Return the names of the metrics that signals of a domain can be measured by."""
    return [name for name, metric in METRICS.items() if evidence_for(domain, metric) is not None]


def evidence_for(domain: Domain, metric: Metric) -> Evidence | None:
    """Return what a metric looks at of a domain's signals; None: there is nothing."""
    given = [kind for kind in domain.kind.evidence if not metric.compares or kind not in domain.unseen_in_data]
    return next((kind for kind in metric.evidence if kind in given), None)


class EvaluationPlan(Denoising):
    """All that decides the figures of an evaluation.

    Sample number k has the seed `first_seed` + k. Its prompt is the first caption of the data's signal number
    k // `per_prompt` in an order that is always the same.
    """

    model_config = ConfigDict(extra="forbid")

    model: str
    model_hash: str
    domain: str
    data: str
    split: Literal["train", "held_out", "test"] = "train"
    metrics: tuple[str, ...]
    samples: int = Field(ge=1)
    references: int | None = Field(None, ge=1)
    """At most so many signals of the data are looked at; all of them if None."""
    reconstructions: int = Field(64, ge=1)
    """At most so many held-out signals are reconstructed."""
    per_prompt: int = Field(1, ge=1)
    points: int = Field(2048, ge=16, le=2048)
    """Of each cloud, in the figures of sets of clouds."""
    scale: CloudScale = "canvas"
    """How large clouds are when they are compared."""
    resolution: int | None = Field(None, ge=32, le=2048)
    """Pixels along each side of pictures and frames, samples drawn and data reduced to it; the model's own if None."""
    network: str
    first_seed: Seed = 0

    def of(self, kind: Of) -> list[str]:
        """Return the chosen metrics of reconstructions or of samples."""
        return [name for name in self.metrics if METRICS[name].of == kind]

    def evidence(self, kind: Of, *, compared: bool = False) -> list[Evidence]:
        """Return all that the chosen metrics look at; `compared`: only what the data must give too."""
        domain = get_domain(self.domain)
        chosen = [METRICS[name] for name in self.of(kind) if METRICS[name].compares or not compared]
        return list(dict.fromkeys(found for metric in chosen if (found := evidence_for(domain, metric))))

    @property
    def uses_network(self) -> bool:
        """Whether features are taken."""
        return any(name in ("frechet", "kernel", "precision-recall") for name in self.metrics)


def make_plan(
    domain: Domain, metrics: list[str] | None, network: str | None, per_prompt: int | None, **values: object
) -> EvaluationPlan:
    """Return the plan of an evaluation, with what was not given chosen as fits the domain.

    Raises:
        DDMIError: a metric or network does not exist, or does not fit signals of the domain.
    """
    possible = available(domain)
    chosen = [name for name in possible if name not in _ASKED_FOR] if metrics is None else list(dict.fromkeys(metrics))
    for name in chosen:
        if name not in possible:
            raise DDMIError(f"{domain.title} cannot be measured by {name!r}. There are: {', '.join(possible)}.")
    takes: Takes = "clip" if domain.kind.evidence[0] == "clip" else "pictures"
    network = network or OFFLINE[takes]
    if network not in NETWORKS:
        raise DDMIError(f"There is no feature network {network!r}. There are: {', '.join(NETWORKS)}.")
    if NETWORKS[network].takes != takes:
        fitting = ", ".join(name for name, known in NETWORKS.items() if known.takes == takes)
        raise DDMIError(f"{network} does not look at {takes}, as {domain.title.lower()} need. Use one of: {fitting}.")
    if values.get("resolution") is not None and domain.footprint is None:
        raise DDMIError(f"{domain.title} are not measured at a resolution of pixels: leave it out.")
    if per_prompt is None:
        per_prompt = _PER_PROMPT if "tmd" in chosen else 1
    return EvaluationPlan.model_validate(
        {**values, "domain": domain.name, "metrics": tuple(chosen), "network": network, "per_prompt": per_prompt}
    )
