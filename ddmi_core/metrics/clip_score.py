"""CLIP score: how well pictures fit a prompt, by the cosine of their embeddings."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ddmi_core.metrics.feature_networks import weights_file
from ddmi_core.support._torchvision import ensure_torchvision
from ddmi_core.support.errors import ModelError
from ddmi_core.support.files import file_digest

ensure_torchvision()

import open_clip  # noqa: E402

MODEL = "ViT-B-32-quickgelu"
"""Its name in open_clip."""
TAG = "openai"
"""The weights that the literature's figures stand on, by open_clip's tag."""


class ClipScorer:
    """A CLIP model whose weights a person has put into `weights_folder`.

    Raises:
        ModelError: the weight file is missing, or cannot be read.
    """

    def __init__(self, device: torch.device | str = "cpu") -> None:
        url = str(open_clip.get_pretrained_cfg(MODEL, TAG)["url"])
        self.file = url.rsplit("/", 1)[1]
        path = weights_file(f"CLIP ({MODEL})", self.file, url)
        self.sha256 = file_digest(path)
        self.is_standard = self.sha256 in url  # which names the file by its digest
        try:
            model = open_clip.create_model(MODEL, pretrained=str(path))
        except Exception as error:  # open_clip raises many kinds
            raise ModelError(
                f"{path} could not be read as weights of {MODEL} ({error}). Get it again from {url}."
            ) from error
        self._model = model.eval().requires_grad_(False).to(device)
        self._tokenize = open_clip.get_tokenizer(MODEL)
        self._device = device

    @property
    def name(self) -> str:
        """What the score may be called."""
        return "CLIP-S" if self.is_standard else f"CLIP similarity ({MODEL}, weights {self.sha256:.8})"

    @torch.no_grad()
    def score(self, pictures: Float[Tensor, "n 3 h w"], prompt: str) -> float:
        """Return 100 x the cosine of the prompt and of that of the pictures, values in [0, 1], that fits it best."""
        visual = self._model.visual
        sized = F.interpolate(pictures, tuple(visual.image_size), mode="bicubic", antialias=True).clamp(0, 1)
        mean, std = (sized.new_tensor(part).view(3, 1, 1) for part in (visual.image_mean, visual.image_std))
        seen = self._model.encode_image(((sized - mean) / std).to(self._device), normalize=True)
        said = self._model.encode_text(self._tokenize([prompt]).to(self._device), normalize=True)
        return 100 * float((seen @ said.T).max())
