import hashlib
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


def test_masks_tokens_and_the_pooled_vector_are_clip_s(tiny_clip: TextEncoderConfig) -> None:
    """Beside open_clip's own tower, layer by layer: all tokens in their order, the end's embedding pooled."""
    import open_clip

    encoder = load_text_encoder(tiny_clip.model_copy(update={"max_tokens": 77}))
    prompts = ["a chair", "", "chairs!!!! and a lamp beside a very long table with one round leg", "a desk"]
    found = encoder.encode(prompts)
    model = open_clip.create_model("tiny-clip", pretrained=tiny_clip.pretrained).eval()
    ids = open_clip.get_tokenizer("tiny-clip")(prompts)
    with torch.no_grad():
        x = model.token_embedding(ids) + model.positional_embedding
        x = model.ln_final(model.transformer(x, attn_mask=model.attn_mask))
    torch.testing.assert_close(found.tokens, x)
    start, end = 49406, 49407
    for row, mask in zip(ids.tolist(), found.mask.tolist(), strict=True):
        assert row[0] == start
        assert mask == [place <= row.index(end) for place in range(12)]
    assert (ids[:, 1:-1] == 0).any()  # where a text is shorter than the longest
    torch.testing.assert_close(found.pooled, model.encode_text(ids))
    again = encoder.encode(prompts[::-1])
    torch.testing.assert_close(again.tokens.flip(0), found.tokens)


def test_a_letter_with_the_number_of_the_padding_is_text(tiny_clip: TextEncoderConfig) -> None:
    """Token 0 is an exclamation mark inside a word, and padding."""
    encoder = load_text_encoder(tiny_clip)
    assert isinstance(encoder, OpenClipEncoder)
    ids = torch.tensor([[49406, 0, 320, 49407, 0, 0], [49406, 49407, 0, 0, 0, 0]])
    assert encoder._mask(ids).int().tolist() == [[1, 1, 1, 1, 0, 0], [1, 1, 0, 0, 0, 0]]


@pytest.mark.parametrize(
    ("name", "pretrained", "right"),
    [
        ("ViT-B-32", "openai", "ViT-B-32-quickgelu"),
        ("ViT-L-14", "openai", "ViT-L-14-quickgelu"),
        ("ViT-B-32-quickgelu", "laion2b_s34b_b79k", "ViT-B-32"),
    ],
)
def test_weights_of_another_activation_are_refused(name: str, pretrained: str, right: str) -> None:
    config = TextEncoderConfig(kind="open_clip", name=name, pretrained=pretrained)
    with pytest.raises(ModelError, match=rf"GELU.*Set text_encoder\.name to {right}\."):
        load_text_encoder(config)


def test_a_file_of_weights_of_another_activation_is_known_by_its_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import open_clip

    file = tmp_path / "renamed.pt"
    file.write_bytes(b"OpenAI's")
    url = f"https://example.org/{hashlib.sha256(file.read_bytes()).hexdigest()}/ViT-B-32.pt"
    original = open_clip.get_pretrained_cfg

    def known(name: str, tag: str) -> dict[str, object]:
        return {**original(name, tag), "url": url} if tag == "openai" else original(name, tag)

    monkeypatch.setattr(open_clip, "get_pretrained_cfg", known)
    with pytest.raises(ModelError, match="QuickGELU"):
        load_text_encoder(TextEncoderConfig(kind="open_clip", name="ViT-B-32", pretrained=str(file)))


def test_a_missing_weight_file_is_said() -> None:
    config = TextEncoderConfig(kind="open_clip", name="ViT-B-32", pretrained="/nowhere/weights.safetensors")
    with pytest.raises(ModelError, match="could not be loaded"):
        load_text_encoder(config)
