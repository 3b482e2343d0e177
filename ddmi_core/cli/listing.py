"""`ddmi models` and `ddmi presets`: what there is."""

import sys
from dataclasses import asdict, dataclass

from ddmi_core.cli.terminal import Flag, print_json


@dataclass(frozen=True, kw_only=True)
class Models:
    """List the models on this machine.

    Attributes:
        json: print one JSON object a line for each model.
    """

    json: Flag = False

    def run(self) -> None:
        """Do it."""
        from ddmi_core.model_folder import list_models

        found = list_models()
        for model in found:
            if self.json:
                print_json({**asdict(model), "folder": str(model.folder)})
            else:
                size = f"{model.size_bytes / 1e6:.1f} MB"
                base = "" if model.base is None else f"changes to {model.base.name}  "
                print(f"{model.name}  {model.domain}  {size}  {base}{model.text_encoder}  {model.folder}")
        if not found:
            print("There are no models yet. Train one: ddmi train --preset NAME --out RUN", file=sys.stderr)


@dataclass(frozen=True, kw_only=True)
class Presets:
    """List the training recipes: parameters of both networks, and the memory of their weights, AdamW and average.

    Attributes:
        json: print one JSON object a line for each recipe.
    """

    json: Flag = False

    def run(self) -> None:
        """Do it."""
        from ddmi_core.training.config import RunConfig, preset_names
        from ddmi_core.training.sizes import sizes

        for name in preset_names():
            recipe = RunConfig.from_preset(name)
            found = sizes(recipe)
            if self.json:
                print_json({"name": name, "domain": recipe.domain, **found._asdict()})
                continue
            latent = " x ".join(map(str, found.canvas))
            print(
                f"{name:20} {recipe.domain:6} latent {latent:14} autoencoder {found.autoencoder / 1e6:6.1f} M, "
                f"{found.autoencoder_bytes / 1e9:5.2f} GB  denoiser {found.denoiser / 1e6:7.1f} M, "
                f"{found.denoiser_bytes / 1e9:5.2f} GB",
                flush=True,
            )
