"""The CLIP score on a tiny model with random weights, beside open_clip's own way to the same cosine."""

import hashlib
import json
from pathlib import Path

import pytest
import torch

from ddmi_core.metrics import clip_score
from ddmi_core.metrics.clip_score import ClipScorer, open_clip
from ddmi_core.metrics.feature_networks import weights_folder
from ddmi_core.support.errors import ModelError


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DDMI_HOME", str(tmp_path))
    config = {
        "embed_dim": 32,
        "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16},
        "text_cfg": {"context_length": 12, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
    }
    (tmp_path / "tiny-score.json").write_text(json.dumps(config))
    open_clip.add_model_config(tmp_path / "tiny-score.json")
    weights_folder().mkdir(parents=True)
    path = weights_folder() / "tiny.pt"
    torch.save(open_clip.create_model("tiny-score").state_dict(), path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(clip_score, "MODEL", "tiny-score")
    monkeypatch.setattr(open_clip, "get_pretrained_cfg", lambda *_: {"url": f"https://example.org/{digest}/tiny.pt"})
    return path


def test_the_best_view_counts(weights: Path) -> None:
    scorer = ClipScorer()
    pictures = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    model = open_clip.create_model("tiny-score", pretrained=str(weights)).eval()
    mean, std = (torch.tensor(part).view(3, 1, 1) for part in (model.visual.image_mean, model.visual.image_std))
    with torch.no_grad():
        said = model.encode_text(open_clip.get_tokenizer("tiny-score")(["a chair"]))
        seen = model.encode_image((pictures - mean) / std)
        wanted = 100 * torch.nn.functional.cosine_similarity(seen, said).max()
    assert scorer.score(pictures, "a chair") == pytest.approx(float(wanted), rel=1e-4, abs=1e-4)
    assert scorer.name == "CLIP-S"


def test_other_weights_make_another_name(weights: Path) -> None:
    torch.save(open_clip.create_model("tiny-score").state_dict(), weights)
    scorer = ClipScorer()
    assert scorer.name == f"CLIP similarity (tiny-score, weights {scorer.sha256[:8]})"


def test_a_damaged_or_missing_file_is_named(weights: Path) -> None:
    weights.write_bytes(b"no")
    with pytest.raises(ModelError, match=r"tiny\.pt could not be read"):
        ClipScorer()
    weights.unlink()
    with pytest.raises(ModelError, match=r"there is no .*tiny\.pt"):
        ClipScorer()
