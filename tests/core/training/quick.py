"""A training of seconds, for tests."""

from pathlib import Path

from ddmi_core.training.config import RunConfig
from ddmi_core.training.run_folder import RunFolder

QUICK = [
    "stage1.steps=8",
    "stage1.batch=2",
    "stage1.queries=64",
    "stage1.sample_every=100",
    "stage2.steps=8",
    "stage2.batch=2",
    "stage2.cached_latents=6",
    "stage2.sample_every=100",
    "stage2.sample_prompts=[]",
    "denoiser.channels=[32, 32]",
    "precision=float32",
    "threads=1",
]


def quick(*more: str) -> RunConfig:
    """The tiny preset with next to nothing to do, and single settings changed."""
    return RunConfig.from_preset("shape-tiny").with_overrides([*QUICK, *more])


def losses(run: Path) -> dict[tuple[str, int], float]:
    """The loss of every step that was recorded, by stage and step."""
    events = RunFolder(run).events()
    return {(event["stage"], event["step"]): event["losses"]["loss"] for event in events if "losses" in event}
