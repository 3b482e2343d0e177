import json
from pathlib import Path

import pytest
import torch

from ddmi_core.support.errors import ModelError
from ddmi_core.text import OpenClipEncoder, TextEncoderConfig, load_text_encoder


def test_minilm_tells_prompts_apart_and_masks_what_is_no_text() -> None:
    encoder = load_text_encoder(TextEncoderConfig(max_tokens=16))
    encoded = encoder.encode(["a round table", "a table that is round", "a brown dog running through the snow", ""])
    assert encoded.tokens.shape == (4, 16, encoder.channels)
    assert encoded.mask.sum(dim=1).tolist()[0] == 5 and encoded.mask.sum(dim=1).tolist()[3] == 2
    alike = encoded.pooled @ encoded.pooled.T
    assert alike[0, 1] > 0.8 > 0.4 > alike[0, 2]


def test_what_a_prompt_means_depends_neither_on_its_neighbours_nor_on_the_room_for_longer_ones() -> None:
    encoder, roomy = (load_text_encoder(TextEncoderConfig(max_tokens=count)) for count in (16, 32))
    alone, beside = (
        encoder.encode(["a chair"]),
        encoder.encode(["a chair", "a long brown dog running through the snow"]),
    )
    wide = roomy.encode(["a chair"])
    for one in (beside, wide):
        assert torch.allclose(one.pooled[0], alone.pooled[0], atol=1e-5)
        assert torch.allclose(one.tokens[0][one.mask[0]], alone.tokens[0][alone.mask[0]], atol=1e-5)
    assert wide.tokens.shape[1] == wide.mask.shape[1] == 32


def test_a_prompt_beyond_the_limit_is_cut() -> None:
    encoder = load_text_encoder(TextEncoderConfig(max_tokens=8))
    assert encoder.encode(["table " * 5000]).tokens.shape == (1, 8, 384)
    assert encoder.reads("table " * 5000) == " ".join(["table"] * 6)  # and two tokens that mark beginning and end
    assert encoder.reads("a round table") == "a round table"
    assert encoder.reads("") == ""


@pytest.mark.parametrize(
    ("prompt", "foreign"),
    [
        ("круглый стол с одной ножкой", True),
        ("一把带扶手的红色木椅子", True),
        ("赤い椅子", True),
        ("κόκκινη καρέκλα", True),
        ("ein großer, runder Tisch", False),  # no English either, but its words are often close
        ("a chair", False),
        ("a chair (стул)", False),
        ("", False),
        ("42 ❤", False),
    ],
)
def test_a_prompt_in_another_script_is_told_from_one_that_is_too_long(prompt: str, foreign: bool) -> None:
    encoder = load_text_encoder(TextEncoderConfig())
    assert encoder.is_foreign(prompt) is foreign


@pytest.mark.parametrize(
    ("name", "english"), [("ViT-B-32", True), ("roberta-ViT-B-32", True), ("xlm-roberta-base-ViT-B-32", False)]
)
def test_open_clips_multilingual_models_are_known(name: str, english: bool) -> None:
    encoder = OpenClipEncoder.__new__(OpenClipEncoder)
    encoder.config = TextEncoderConfig(kind="open_clip", name=name)
    assert encoder.reads_english_alone is english and encoder.is_foreign("стол") is english


@pytest.fixture
def tiny_clip(tmp_path: Path) -> TextEncoderConfig:
    """A randomly initialised CLIP of open_clip, saved as a local weight file."""
    import open_clip
    from safetensors.torch import save_file

    config = {
        "embed_dim": 32,
        "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16},
        "text_cfg": {"context_length": 12, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
    }
    (tmp_path / "tiny-clip.json").write_text(json.dumps(config))
    open_clip.add_model_config(tmp_path / "tiny-clip.json")
    model = open_clip.create_model("tiny-clip")
    weights = tmp_path / "weights.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, weights)
    return TextEncoderConfig(kind="open_clip", name="tiny-clip", pretrained=str(weights), max_tokens=10)


def test_open_clip_loads_a_local_weight_file(tiny_clip: TextEncoderConfig) -> None:
    encoder = load_text_encoder(tiny_clip)
    first, again = encoder.encode(["a chair", "a large sofa"]), load_text_encoder(tiny_clip).encode(["a chair"])
    assert first.tokens.shape == (2, 10, encoder.channels) and first.pooled.shape == (2, 32)
    assert first.mask.sum(dim=1).tolist() == [4, 5]
    torch.testing.assert_close(first.tokens[0], again.tokens[0])
    assert encoder.reads("a large sofa") == "a large sofa"
    assert encoder.reads("a chair " * 20).split() == ["a", "chair"] * 4 + ["a"]


def test_a_missing_weight_file_is_said() -> None:
    config = TextEncoderConfig(kind="open_clip", name="ViT-B-32", pretrained="/nowhere/weights.safetensors")
    with pytest.raises(ModelError, match="could not be loaded"):
        load_text_encoder(config)
