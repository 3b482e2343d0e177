"""The authors' YAML files: what they say of a model's sizes, and what of it can be imported."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ddmi_core.autoencoder_config import AutoencoderConfig
from ddmi_core.diffusion import DenoiserConfig
from ddmi_core.domains import get_domain
from ddmi_core.recipe import misfit
from ddmi_core.support.errors import DDMIError, ModelError
from ddmi_core.support.parsing import parse_yaml

_SECTIONS = ("ddconfig", "mlpconfig", "unetconfig", "ddpmconfig", "embed_dim", "anchor_resolution")


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())


class _Autoencoder(_Section):
    z_channels: int = Field(ge=1)
    resolution: int = Field(ge=8)
    in_channels: Literal[3] = 3
    out_ch: int = Field(ge=1)
    ch: int = Field(ge=1)
    ch_mult: tuple[int, ...] = Field(min_length=3)
    num_res_blocks: int = Field(ge=1)
    attn_resolutions: tuple[()] = ()
    hdbf_resolutions: tuple[int, int]
    attn_type: Literal["vanilla"] = "vanilla"
    double_z: Literal[True] = True


class _ReadOut(_Section):
    in_ch: Literal[2] = 2
    out_ch: Literal[3] = 3
    ch: int = Field(ge=16)
    latent_dim: int


class _UNet(_Section):
    in_channels: int
    out_channels: int
    model_channels: int = Field(ge=1)
    attention_resolutions: tuple[int, ...]
    num_res_blocks: int = Field(ge=1)
    channel_mult: tuple[int, ...] = Field(min_length=2)
    num_head_channels: int = Field(ge=1)
    use_scale_shift_norm: Literal[False] = False
    resblock_updown: Literal[False] = False
    use_spatial_transformer: Literal[False] = False
    use_new_attention_order: Literal[False] = False


class _Diffusion(_Section):
    timesteps: int = Field(1000, ge=10)
    image_size: int
    channels: int
    mixed_prediction: bool = True
    beta_schedule: Literal["linear"] = "linear"
    """So it is called there; it is linear in the square roots."""
    linear_start: float = 0.0015
    linear_end: float = 0.0195
    parameterization: Literal["eps"] = "eps"
    clip_denoised: Literal[False] = False
    sampling_timesteps: int = Field(1000, ge=1)


class OfficialSettings(_Section):
    """What a configuration says that matters to an import; the second stage's also of the denoiser."""

    embed_dim: int = Field(ge=1)
    ddconfig: _Autoencoder
    mlpconfig: _ReadOut
    unetconfig: _UNet | None = None
    ddpmconfig: _Diffusion | None = None
    anchor_resolution: int = Field(256, ge=8)
    """Pixels along a side of the pictures that the encoder gets; the authors' code has no setting for it."""

    @property
    def autoencoder(self) -> AutoencoderConfig:
        """The sizes of the autoencoder with us."""
        sizes, mlp = self.ddconfig, self.mlpconfig
        halved = 2 ** (len(sizes.ch_mult) - 1)
        return AutoencoderConfig(
            domain="image",
            trunk="official",
            latent_channels=self.embed_dim,
            latent_size=self.anchor_resolution // halved,
            resolution=self.anchor_resolution,
            encoder_channels=tuple(sizes.ch * times for times in sizes.ch_mult),
            encoder_blocks=sizes.num_res_blocks,
            inner_channels=sizes.z_channels,
            basis_channels=sizes.out_ch,
            readout_width=mlp.ch,
        )

    @property
    def denoiser(self) -> DenoiserConfig | None:
        """The sizes of the denoiser with us; the first stage has none."""
        unet, diffusion = self.unetconfig, self.ddpmconfig
        if unet is None or diffusion is None:
            return None
        return DenoiserConfig(
            kind="adm",
            channels=tuple(unet.model_channels * times for times in unet.channel_mult),
            layers_per_block=unet.num_res_blocks,
            head_width=unet.num_head_channels,
            prediction="epsilon",
            mixed=diffusion.mixed_prediction,
            train_steps=diffusion.timesteps,
            beta_start=diffusion.linear_start,
            beta_end=diffusion.linear_end,
        )

    def misfit(self) -> str | None:
        """Say what of it contradicts itself, or cannot be imported."""
        sizes, unet, diffusion = self.ddconfig, self.unetconfig, self.ddpmconfig
        if sorted(sizes.hdbf_resolutions) != [sizes.resolution // 4, sizes.resolution // 2]:
            return "hdbf_resolutions must be a half and a quarter of resolution, as the read-out takes three scales"
        if self.mlpconfig.latent_dim != sizes.out_ch:
            return f"latent_dim of mlpconfig is {self.mlpconfig.latent_dim} and out_ch of ddconfig {sizes.out_ch}"
        if (unet is None) != (diffusion is None):
            return "unetconfig and ddpmconfig belong together: give both, or for a first stage none"
        if unet is None or diffusion is None:
            return None
        side = self.anchor_resolution // 2 ** (len(sizes.ch_mult) - 1)
        if diffusion.image_size != side:
            return f"image_size of ddpmconfig is {diffusion.image_size}, and the encoder makes latents of {side}"
        if {unet.in_channels, unet.out_channels, diffusion.channels} != {self.embed_dim}:
            return f"in_channels, out_channels and channels are not all embed_dim, {self.embed_dim}"
        levels = {2**level for level in range(1, len(unet.channel_mult))}
        if set(unet.attention_resolutions) & (levels | {1}) != levels:
            return f"attention_resolutions must be those of all levels but the first: {sorted(levels, reverse=True)}"
        return None


def read_settings(path: Path) -> OfficialSettings:
    """Read a YAML file of the authors, or one with their sections alone.

    Raises:
        ModelError: it cannot be read, says too little, or what it says cannot be imported.
    """
    try:
        values = parse_yaml(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read as YAML: {error}.") from error
    sections = _sections(values)
    if not {"ddconfig", "mlpconfig"} <= set(sections):
        raise ModelError(f"{path} is no configuration of a model: it has no ddconfig or no mlpconfig.")
    _check_kind(path, values)
    try:
        settings = OfficialSettings.model_validate(sections)
        wrong = settings.misfit()
        if wrong is None:
            _ = settings.autoencoder, settings.denoiser
    except ValidationError as error:
        raise ModelError(f"{path}: {misfit(error)}. Give the file that the checkpoint was trained with.") from error
    if wrong is not None:
        raise ModelError(f"{path}: {wrong}.")
    return settings


def _sections(values: Any) -> dict[str, Any]:
    """The sections, wherever they are: at the top, or in model and model.params."""
    top = values if isinstance(values, dict) else {}
    model = _section(top, "model")
    places = (top, model, _section(model, "params"))
    return {name: place[name] for place in places for name in _SECTIONS if name in place}


def _section(values: dict[str, Any], name: str) -> dict[str, Any]:
    found = values.get(name)
    return found if isinstance(found, dict) else {}


def _check_kind(path: Path, values: dict[str, Any]) -> None:
    """Refuse configurations of other signals, and of the denoiser that is a transformer."""
    if _section(values, "model").get("DiT"):
        raise ModelError(f"{path} has a transformer for a denoiser (DiT), which cannot be imported yet.")
    domain = str(_section(values, "data").get("domain", "image"))
    try:
        trunks = get_domain(domain).trunks
    except DDMIError:
        trunks = ()
    if "official" not in trunks:
        raise ModelError(f"{path} is of the domain {domain}. Only models of pictures can be imported yet.")
