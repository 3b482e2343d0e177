"""A model folder on disk: what it must hold, its hash, and which models there are."""

import hashlib
import re
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ddmi_core.recipe import MOST_GUIDANCE, Seeded
from ddmi_core.support.errors import ModelError
from ddmi_core.support.files import write_json
from ddmi_core.support.known_runs import known_runs
from ddmi_core.support.parsing import parse_json
from ddmi_core.support.paths import assets, user_data

FORMAT = 1
INDEX = "model_index.json"
AUTOENCODER_CONFIG = "autoencoder/config.json"
AUTOENCODER_WEIGHTS = "autoencoder/weights.safetensors"
DENOISER_CONFIG = "denoiser/config.json"
DENOISER_WEIGHTS = "denoiser/weights.safetensors"
WEAK_DENOISER_WEIGHTS = "denoiser-weak/weights.safetensors"
"""Of an early checkpoint of the same denoiser, to guide with; most models have none."""
FAST_DENOISER_CONFIG = "denoiser-fast/config.json"
FAST_DENOISER_WEIGHTS = "denoiser-fast/weights.safetensors"
"""Of a student of the same denoiser that needs few steps; some models have one."""
BASE = "base.json"
"""Which other model a folder goes with that has changes in place of weights: a `Base`."""
CHANGES = "denoiser/changes.safetensors"
"""These changes, to the denoiser of the other model; see `networks.low_rank`."""
SCHEDULER_CONFIG = "scheduler/scheduler_config.json"
TEXT_ENCODER = "text_encoder.json"
CARD = "README.md"
PREVIEW = "preview.png"
PREVIEW_RECIPES = "preview.json"
"""How the pictures of the preview were made, in their order: a list of `Seeded`. Folders of before have none."""
USUAL_FLAWS = "usual_flaws"
"""In the index, where signals of the model's domain can be told to be torn: how many flaws what it was taught has."""
USUAL_ATTENTION = "usual_attention"
"""In the index, of a model that hangs together better so: how strongly attention guides where nothing is asked for."""
LABEL = "label.json"
"""What a person says of the model: its name, and where it was imported from. No part of the hash."""

_REQUIRED = (
    INDEX,
    AUTOENCODER_CONFIG,
    AUTOENCODER_WEIGHTS,
    DENOISER_CONFIG,
    DENOISER_WEIGHTS,
    SCHEDULER_CONFIG,
    TEXT_ENCODER,
)
_REQUIRED_ON_A_BASE = (
    *(name for name in _REQUIRED if name not in (AUTOENCODER_WEIGHTS, DENOISER_WEIGHTS)),
    BASE,
    CHANGES,
)
_OPTIONAL = (WEAK_DENOISER_WEIGHTS, FAST_DENOISER_CONFIG, FAST_DENOISER_WEIGHTS)
FILES = (*_REQUIRED, BASE, CHANGES, *_OPTIONAL, CARD, PREVIEW, PREVIEW_RECIPES)
"""All that belongs into a model folder, but for what a person says of it."""


@dataclass(frozen=True)
class Base:
    """The model whose weights a model has that is changes alone."""

    name: str
    """What it was called when the changes were learned; it may have another name by now."""
    hash: str
    """Of its folder: the changes fit these weights, and no other ones."""


@dataclass(frozen=True)
class ModelInfo:
    """What can be known of a model without loading its weights."""

    name: str
    domain: str
    folder: Path
    size_bytes: int
    hash: str
    text_encoder: str
    origin: str = ""
    """Where it comes from, in words."""
    has_student: bool = False
    """Whether it can be asked for fast quality, too."""
    usual_flaws: int | None = None
    """So many are no reason to draw something again; None where nothing can be told to be torn."""
    base: Base | None = None
    """The model that it goes with, where it is changes alone."""

    @property
    def is_shipped(self) -> bool:
        """Whether it came along, so that it can be neither renamed nor deleted."""
        return (assets() / "models") in self.folder.parents


def read_json(folder: Path, name: str) -> dict[str, Any]:
    """Read one of the folder's JSON files.

    Raises:
        ModelError: it is missing or damaged.
    """
    try:
        value = parse_json((folder / name).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(
            f"The model folder {folder} has no {name}: it is incomplete. Copy the whole folder again."
        ) from None
    except (OSError, ValueError) as error:
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
    if not isinstance(index.get("domain"), str):
        raise ModelError(f"{INDEX} in the model folder {folder} names no domain: it is damaged. Copy the folder again.")
    missing = [name for name in _required(folder) if not (folder / name).is_file()]
    if missing:
        raise ModelError(f"The model folder {folder} is incomplete: {', '.join(missing)} missing. Copy it again.")
    return index


def usual_flaws(index: dict[str, Any]) -> int | None:
    """Return how many flaws are no reason for another try, by the index of a folder; None where it does not say."""
    found = index.get(USUAL_FLAWS)
    return found if isinstance(found, int) and found >= 0 else None


def usual_attention(index: dict[str, Any]) -> float:
    """Return how strongly attention guides usually, by the index of a folder; 0 where it does not say."""
    found = index.get(USUAL_ATTENTION)
    return float(found) if isinstance(found, int | float) and 0.0 <= found <= MOST_GUIDANCE else 0.0


def folder_hash(folder: Path) -> str:
    """Return a digest of the weights and configurations (16 hexadecimal digits); the card and preview do not count."""
    digest = hashlib.sha256()
    for name in (*_required(folder), *(name for name in _OPTIONAL if (folder / name).is_file())):
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
    label = read_json(folder, LABEL) if (folder / LABEL).exists() else {}
    try:
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        digest = folder_hash(folder)
    except OSError as error:
        raise ModelError(f"The model folder {folder} cannot be read ({error}). Allow it, or copy it again.") from error
    return ModelInfo(
        name=str(label.get("name") or index.get("name", folder.name)),
        domain=index["domain"],
        folder=folder,
        size_bytes=size,
        hash=digest,
        text_encoder=str(encoder.get("name", "unknown")),
        origin=_origin(folder, label),
        has_student=(folder / FAST_DENOISER_WEIGHTS).is_file(),
        usual_flaws=usual_flaws(index),
        base=read_base(folder),
    )


def read_base(folder: Path) -> Base | None:
    """Return the model that a folder goes with if it has changes in place of weights; None of other folders.

    Raises:
        ModelError: what says it is damaged.
    """
    if not (folder / BASE).is_file():
        return None
    found = read_json(folder, BASE)
    name, digest = found.get("name"), found.get("hash")
    if not isinstance(name, str) or not isinstance(digest, str):
        raise ModelError(f"{BASE} in the model folder {folder} names no model: it is damaged. Copy the folder again.")
    return Base(name, digest)


def find_base(name: str, base: Base) -> Path:
    """Return the folder of the model that a model called `name` goes with.

    Raises:
        ModelError: it is not on this machine; the message says what to do.
    """
    models = list_models()
    found = next((model for model in models if model.hash == base.hash), None)
    if found is not None:
        return found.folder
    if any(model.name == base.name for model in models):
        raise ModelError(
            f"{name} is changes to another {base.name} than the one on this machine, whose weights they do not fit. "
            f"Import the one with the hash {base.hash} beside it: it is with whoever trained {name}."
        )
    raise ModelError(
        f"{name} is changes to the model {base.name}, which is not on this machine. Import that one, too: in the room "
        f"Models, or by copying its folder into {models_folder()}. Its hash is {base.hash}."
    )


def read_card(model: ModelInfo) -> str:
    """Return a model's card, Markdown, its heading with the name that the model has now; empty if it has none."""
    try:
        text = (model.folder / CARD).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    try:
        first = read_json(model.folder, INDEX).get("name")
    except ModelError:
        return text
    named = re.match(r"#\s+([^:\n]*)", text)
    if named is None or named[1].strip() != first:
        return text
    return text[: named.start(1)] + model.name + text[named.end(1) :]


def read_preview_recipes(folder: Path) -> list[Seeded]:
    """Return how the pictures of a model's preview were made, in their order; none where that is not known."""
    try:
        found = parse_json((folder / PREVIEW_RECIPES).read_text(encoding="utf-8"))
        return [Seeded.model_validate(each) for each in found] if isinstance(found, list) else []
    except (OSError, ValueError):
        return []


def write_preview_recipes(folder: Path, recipes: Sequence[Seeded]) -> None:
    """Write how the pictures of a model's preview were made, in their order."""
    write_json(folder / PREVIEW_RECIPES, [recipe.model_dump(mode="json") for recipe in recipes])


def list_models(domain: str | None = None) -> list[ModelInfo]:
    """Return the shipped models, then the user's own, then those of finished runs, of one domain or all.

    Incomplete model folders are left out.
    """
    folders = [*sorted((assets() / "models").glob("*")), *sorted(models_folder().glob("[!.]*"))]
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


def models_folder() -> Path:
    """Return the folder of the user's own models."""
    return user_data() / "models"


def import_model(folder: Path, origin: Path | None = None) -> ModelInfo:
    """Copy a model folder among the user's own models.

    Args:
        folder: the model folder.
        origin: where it was imported from, if the folder is not that.

    Raises:
        ModelError: it is no complete model folder, it is there already, or it cannot be copied.
    """
    found = describe(Path(folder))
    link = next((path for path in Path(folder).rglob("*") if path.is_symlink()), None)
    if link is not None:
        raise ModelError(f"{link} is a link, and where it leads is not copied. Put the file itself into the folder.")
    refuse_known(found)
    target = free_folder(folder.name)
    with written_at_once(target) as temporary:
        shutil.copytree(folder, temporary, dirs_exist_ok=True)
        write_json(temporary / LABEL, {"name": found.name, "imported_from": str(origin or folder)})
    return describe(target)


def refuse_known(found: ModelInfo) -> None:
    """Complain if a model is one of those on this machine.

    Raises:
        ModelError: it is; the message says where.
    """
    same = next((model for model in list_models(found.domain) if model.hash == found.hash), None)
    if same is not None:
        raise ModelError(f"This model is there already: it is {same.name}, in {same.folder}.")


def free_folder(name: str) -> Path:
    """Return a folder for a model of the user's own that is not there yet, called as wished or with a number."""
    target, number = models_folder() / name, 2
    while target.exists():
        target, number = models_folder() / f"{name}-{number}", number + 1
    return target


@contextmanager
def written_at_once(target: Path) -> Iterator[Path]:
    """Yield a folder beside `target`; rename it to `target` on success, remove it on any failure.

    Raises:
        ModelError: it cannot be written.
    """
    temporary = target.with_name(f".{target.name}-{uuid.uuid4().hex}")
    try:
        temporary.mkdir(parents=True)
        yield temporary
        temporary.rename(target)
    except (OSError, shutil.Error) as error:
        raise ModelError(f"The model cannot be copied to {target} ({error}). Make room, or allow writing.") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def rename_model(model: ModelInfo, name: str) -> None:
    """Give a model another name; its folder and its hash stay, so that what was made with it still finds it.

    Raises:
        ModelError: the name is empty or taken, the model came along, or its folder cannot be written.
    """
    name = " ".join(name.split())
    if not name:
        raise ModelError("A model needs a name.")
    if model.is_shipped:
        raise ModelError(f"{model.name} came along and keeps its name.")
    if any(other.name == name and other.folder != model.folder for other in list_models()):
        raise ModelError(f"There is a model called {name} already. Choose another name.")
    label = read_json(model.folder, LABEL) if (model.folder / LABEL).exists() else {}
    try:
        write_json(model.folder / LABEL, {**label, "name": name})
    except OSError as error:
        raise ModelError(f"{model.folder} cannot be written ({error.strerror}), so the name stays.") from error


def _required(folder: Path) -> tuple[str, ...]:
    return _REQUIRED_ON_A_BASE if (folder / BASE).is_file() else _REQUIRED


def _origin(folder: Path, label: dict[str, Any]) -> str:
    if (assets() / "models") in folder.parents:
        return "Came along"
    if label.get("imported_from"):
        return f"Imported from {label['imported_from']}"
    if (folder.parent / "run.yaml").exists():
        return f"Trained in the run {folder.parent.name}"
    return f"Put into {folder.parent}"
