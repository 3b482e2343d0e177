"""Runs that learn changes to a model's denoiser alone, for a model folder of a megabyte or two."""

from dataclasses import asdict

import torch
from accelerate import Accelerator

from ddmi_core.autoencoder import D2CVAE
from ddmi_core.diffusion import LatentDiffusion
from ddmi_core.model_folder import Base, describe, find_model
from ddmi_core.networks.low_rank import adapt
from ddmi_core.pipeline import Pipeline
from ddmi_core.support.errors import DDMIError
from ddmi_core.training.config import RunConfig
from ddmi_core.training.run_folder import RunFolder

USUAL_RANK = 8
_SETTLED = "base"


def adapt_to_base(
    config: RunConfig,
    rank: int,
    autoencoder: D2CVAE,
    diffusion: LatentDiffusion,
    run: RunFolder,
    accelerator: Accelerator,
) -> Base:
    """Take the weights of the model that the run starts from, and let changes of its denoiser be learned; return it.

    Raises:
        DDMIError: it is of other sizes than the run or reads texts otherwise, or it is another one than when the run
            began.
    """
    folder = find_model(str(config.start_from))
    start, model = Pipeline.from_pretrained(folder, device="cpu"), describe(folder)
    _check(config, start)
    base = Base(model.name, model.hash)
    known = run.settled(_SETTLED)
    if known is not None and known["hash"] != base.hash:
        raise DDMIError(
            f"The run learned changes to {known['name']} with the hash {known['hash']}. {config.start_from} has the "
            f"hash {base.hash} now: put the model back as it was, or start anew."
        )
    if known is None and accelerator.is_main_process:
        run.settle(_SETTLED, asdict(base))
    autoencoder.load_state_dict(start.autoencoder.state_dict())
    autoencoder.to(accelerator.device)
    diffusion.load_state_dict(start.diffusion.state_dict())
    adapt(diffusion, rank)
    if not any(True for _ in diffusion.parameters()):
        raise DDMIError(f"The denoiser of {base.name} is too narrow for changes of rank {rank}. Set a lower one.")
    return base


def changes_bytes(config: RunConfig, rank: int) -> int:
    """Return how many bytes the changes take that a run of this rank leaves."""
    with torch.device("meta"):  # sizes alone
        diffusion = LatentDiffusion(config.denoiser, D2CVAE(config.autoencoder).canvas_shape)
        adapt(diffusion, rank)
    return sum(factor.numel() for factor in diffusion.parameters()) * torch.float16.itemsize


def _check(config: RunConfig, start: Pipeline) -> None:
    for section, own, theirs in (
        ("autoencoder", config.autoencoder, start.autoencoder.config),
        ("denoiser", config.denoiser, start.diffusion.config),
        ("text_encoder", config.text_encoder, start.text_encoder.config),
    ):
        if own != theirs:
            raise DDMIError(
                f"Changes to {start.name} cannot be learned: the run's {section} is not that model's. Make the recipe "
                "by --further, or in the wizard by going on from it."
            )
