"""A model folder on disk: what it must hold, its hash, and which models there are."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ddmi_core.errors import ModelError
from ddmi_core.paths import assets, user_data
from ddmi_core.training.known_runs import known_runs

FORMAT = 1
INDEX = "model_index.json"
AUTOENCODER_CONFIG = "autoencoder/config.json"
AUTOENCODER_WEIGHTS = "autoencoder/weights.safetensors"
DENOISER_CONFIG = "denoiser/config.json"
DENOISER_WEIGHTS = "denoiser/weights.safetensors"
SCHEDULER_CONFIG = "scheduler/scheduler_config.json"
TEXT_ENCODER = "text_encoder.json"
CARD = "README.md"
PREVIEW = "preview.png"

_REQUIRED = (
    INDEX,
    AUTOENCODER_CONFIG,
    AUTOENCODER_WEIGHTS,
    DENOISER_CONFIG,
    DENOISER_WEIGHTS,
    SCHEDULER_CONFIG,
    TEXT_ENCODER,
)


@dataclass(frozen=True)
class ModelInfo:
    """What can be known of a model without loading its weights."""

    name: str
    domain: str
    folder: Path
    size_bytes: int
    hash: str
    text_encoder: str


def read_json(folder: Path, name: str) -> dict[str, Any]:
    """Read one of the folder's JSON files.

    Raises:
        ModelError: it is missing or damaged.
    """
    try:
        value = json.loads((folder / name).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(
            f"The model folder {folder} has no {name}: it is incomplete. Copy the whole folder again."
        ) from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ModelError(
            f"{name} in the model folder {folder} cannot be read: {error}. Copy the folder again."
        ) from error
    if not isinstance(value, dict):
        raise ModelError(f"{name} in the model folder {folder} is not a JSON object: this is not a DDMI model.")
    return value


def check(folder: Path) -> dict[str, Any]:
    """Return the index of a complete model folder.

    Raises:
        ModelError: the folder is missing, of another program, of a newer version, or incomplete.
    """
    if not folder.is_dir():
        raise ModelError(f"There is no model folder {folder}.")
    if not (folder / INDEX).exists():
        raise ModelError(f"{folder} is not a model folder: it has no {INDEX}.")
    index = read_json(folder, INDEX)
    if index.get("_class_name") != "DDMIPipeline":
        raise ModelError(
            f"{folder} holds a model of another program ({index.get('_class_name', 'unknown')}), not of DDMI."
        )
    if index.get("format") != FORMAT:
        raise ModelError(
            f"{folder} has model format {index.get('format')}, this version reads {FORMAT}. Update the app."
        )
    missing = [name for name in _REQUIRED if not (folder / name).exists()]
    if missing:
        raise ModelError(f"The model folder {folder} is incomplete: {', '.join(missing)} missing. Copy it again.")
    return index


def folder_hash(folder: Path) -> str:
    """Return a digest of the weights and configurations (16 hexadecimal digits); the card and preview do not count."""
    digest = hashlib.sha256()
    for name in _REQUIRED:
        digest.update(name.encode())
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()[:16]


def describe(folder: Path) -> ModelInfo:
    """Describe a model folder.

    Raises:
        ModelError: it is not a complete model folder.
    """
    index = check(folder)
    encoder = read_json(folder, TEXT_ENCODER)
    return ModelInfo(
        name=str(index.get("name", folder.name)),
        domain=str(index["domain"]),
        folder=folder,
        size_bytes=sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
        hash=folder_hash(folder),
        text_encoder=str(encoder.get("name", "unknown")),
    )


def list_models(domain: str | None = None) -> list[ModelInfo]:
    """Return the shipped models, then the user's own, then those of finished runs, of one domain or all.

    Incomplete model folders are left out.
    """
    folders = [*sorted((assets() / "models").glob("*")), *sorted((user_data() / "models").glob("*"))]
    models = []
    for folder in [*folders, *(run / "model" for run in known_runs())]:
        try:
            models.append(describe(folder))
        except ModelError:
            continue
    return [model for model in models if domain in (None, model.domain)]


def find_model(name_or_folder: str | Path) -> Path:
    """Return the folder of a model given by its name or by its folder.

    Raises:
        ModelError: there is no such model; the message names those that there are.
    """
    if Path(name_or_folder).is_dir():
        return Path(name_or_folder)
    models = list_models()
    for model in models:
        if model.name == str(name_or_folder):
            return model.folder
    known = ", ".join(model.name for model in models) or "none yet"
    raise ModelError(f"There is no model {str(name_or_folder)!r}. Models on this machine: {known}.")
