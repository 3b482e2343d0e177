"""`ddmi-studio --self-test`: whether this installation can do what it is for, told without a window."""

import tempfile
import time
from pathlib import Path

from ddmi_core.support.errors import DDMIError

_STEPS = 2
_SIZE = 32


def self_test() -> int:
    """Load each model that came along, generate something small, write it to a temporary folder; return the exit code.

    Nothing of the person's is read or changed. What cannot be done is said, and the rest is still tried.
    """
    from ddmi_core.model_folder import list_models
    from ddmi_core.support.paths import assets

    models = [model for model in list_models() if model.folder.is_relative_to(assets())]
    if not models:
        print("No model came along, so nothing can be tried.")
        return 1
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for model in models:
            began = time.perf_counter()
            try:
                written = _make(model.folder, Path(folder))
            except (DDMIError, OSError) as error:
                failed = True
                print(f"{model.name}: failed. {error}")
            else:
                print(f"{model.name}: wrote {written:,} bytes of {model.domain} in {time.perf_counter() - began:.1f} s")
    print("Something does not work." if failed else "All works.")
    return int(failed)


def _make(model: Path, folder: Path) -> int:
    """Generate and export with a model; return the size of the file."""
    from ddmi_core.pipeline import Pipeline
    from ddmi_core.recipe import SamplingSettings

    pipeline = Pipeline.from_pretrained(model)
    domain = pipeline.domain
    (latent,) = pipeline.sample(SamplingSettings(steps=_STEPS), [0])
    file = folder / f"{domain.name}{next(iter(domain.kind.export_options.formats))}"
    pipeline.decode(latent).export(file, domain.kind.export_options.checked({"resolution": _SIZE}))
    return sum(part.stat().st_size for part in ([file] if file.is_file() else file.rglob("*")))
