"""The paper's ablation (Table 8): a single scale, hierarchical basis fields, coarse-to-fine conditioning as well."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from accelerate.utils import set_seed

from ddmi_core.autoencoder import D2CVAE
from ddmi_core.autoencoder_config import AutoencoderConfig
from ddmi_core.data.items import NumberedDraws
from ddmi_core.support.errors import DDMIError
from ddmi_core.training.autoencoder_stage import AutoencoderStage, open_mixture
from ddmi_core.training.config import RunConfig
from ddmi_core.training.loop import train_stage
from ddmi_core.training.ownership import owned
from ddmi_core.training.run import make_accelerator
from ddmi_core.training.run_folder import RunFolder

VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "single scale": {"hdbf": "single", "conditioning": "concatenate"},
    "+ HDBF": {"hdbf": "hierarchical", "conditioning": "concatenate"},
    "+ HDBF + CFC": {"hdbf": "hierarchical", "conditioning": "coarse_to_fine"},
}
"""The rows of the table, and how their autoencoders differ."""

HELD_OUT = 128
"""Held-out signals that the figures are averaged over, each with the run's number of queries."""

_WIDEST = 512


class AblationRow(NamedTuple):
    """A row of the table: `figures` are means over held-out signals, such as `psnr` in dB or `query_iou`."""

    variant: str
    parameters: int
    readout_width: int
    steps: int
    figures: dict[str, float]


def ablate(config: RunConfig, out: Path, *, steps: int, device: str = "auto") -> Iterator[AblationRow]:
    """Train the first stage of every variant for `steps` and yield its row; what is done already is not done again.

    All variants have the same data, seed, schedule and, as nearly as the width of the read-out allows, the same number
    of parameters: that of the full method.

    Args:
        config: the recipe of the full method; its own switches do not matter.
        out: a folder that gets a run folder for each variant.
        steps: of the autoencoder; the schedules of the recipe are shortened with it.
        device: auto, cpu or cuda.

    Raises:
        DDMIError: `out` holds an ablation of another recipe; bad data; training diverged.
    """
    full = config.autoencoder.model_copy(update=dict(VARIANTS["+ HDBF + CFC"]))
    parameters = count_parameters(full)
    for variant, switches in VARIANTS.items():
        sizes = matched(config.autoencoder.model_copy(update=dict(switches)), parameters)
        stage1 = config.stage1.shortened(steps).model_copy(update={"sample_every": steps})
        update = {"autoencoder": sizes, "name": f"{config.name} {variant}", "stage1": stage1, "start_from": None}
        chosen = config.model_copy(update=update)
        run = RunFolder(out / variant.replace("+ ", "").replace(" ", "-").lower())
        yield AblationRow(variant, count_parameters(sizes), sizes.readout_width, steps, _figures(chosen, run, device))


def count_parameters(sizes: AutoencoderConfig) -> int:
    """Return the number of parameters of an autoencoder."""
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in D2CVAE(sizes).parameters())


def matched(sizes: AutoencoderConfig, parameters: int) -> AutoencoderConfig:
    """Return the sizes with the width of read-out whose number of parameters is the nearest to `parameters`."""
    widths = range(8, _WIDEST + 1)
    low, high = widths.start, widths.stop - 1
    while low < high:  # the number grows with the width
        middle = (low + high) // 2
        if count_parameters(sizes.model_copy(update={"readout_width": middle})) < parameters:
            low = middle + 1
        else:
            high = middle
    candidates = [sizes.model_copy(update={"readout_width": width}) for width in (max(low - 1, widths.start), low)]
    return min(candidates, key=lambda candidate: abs(count_parameters(candidate) - parameters))


def _figures(config: RunConfig, run: RunFolder, device: str) -> dict[str, float]:
    if not run.config_file.exists():
        run.create(config.to_yaml())
    elif RunConfig.from_file(run.config_file) != config:
        raise DDMIError(f"{run.path} holds a run of another recipe. Give another folder.")
    accelerator = make_accelerator(config, device)
    set_seed(config.seed)
    autoencoder = D2CVAE(config.autoencoder)
    with owned(run):
        train_stage(AutoencoderStage(config, autoencoder), config, run, accelerator)
    return evaluate(autoencoder.eval(), config)


@torch.no_grad()
def evaluate(autoencoder: D2CVAE, config: RunConfig) -> dict[str, float]:
    """Return the domain's figures of held-out signals, encoded to the posterior's mean and decoded, averaged."""
    draws = NumberedDraws(open_mixture(config, "held_out"), seed=1, augment="none")
    device = next(autoencoder.parameters()).device
    found: list[dict[str, float]] = []
    for number in range(HELD_OUT):
        batch = {name: value.unsqueeze(0).to(device) for name, value in draws[number].items()}
        latent = autoencoder.posterior(batch).mean
        values = autoencoder.domain.predict(autoencoder.readout, autoencoder.decode(latent), batch)
        _, figures = autoencoder.domain.reconstruction_loss(values, batch["targets"])
        found.append({name: value.item() for name, value in figures.items()})
    return {name: sum(one[name] for one in found) / len(found) for name in found[0]}
