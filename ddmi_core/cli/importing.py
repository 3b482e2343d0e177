"""`ddmi import-official`: checkpoints of the paper's authors."""

from dataclasses import asdict, dataclass
from pathlib import Path

from tyro.conf import Positional

from ddmi_core.cli.terminal import Flag, Meter, print_json


@dataclass(frozen=True, kw_only=True)
class ImportOfficial:
    """Make a model folder of a checkpoint that the authors' own code (mlvlab/DDMI) saved; of pictures so far.

    Nothing in the file is executed. Its weights stay float32, so that the numbers are those of the authors' code.

    Attributes:
        file: ldm-last.pt, or model-last.pt of a first stage, which only reconstructs, or safetensors of all weights.
        config: the YAML file that it was trained with.
        name: what the model is called; like the configuration if not given.
        out: a folder to be made; otherwise it becomes one of your models, which the studio lists too.
        json: print a JSON object.
    """

    file: Positional[Path]
    config: Path
    name: str | None = None
    out: Path | None = None
    json: Flag = False

    def run(self) -> None:
        """Do it."""
        from ddmi_core.official.importing import import_official

        with Meter() as meter:
            model = import_official(self.file, self.config, name=self.name, folder=self.out, progress=meter)
        if self.json:
            print_json({**asdict(model), "folder": str(model.folder)})
        else:
            print(f"{model.name}  {model.domain}  {model.size_bytes / 1e6:.1f} MB  {model.folder}")
