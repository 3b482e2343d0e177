import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from ddmi_core import model_folder
from ddmi_core import pipeline as pipeline_module
from ddmi_core.autoencoder_config import AutoencoderConfig
from ddmi_core.diffusion import LatentDiffusion
from ddmi_core.domains.shape import ShapeDomain
from ddmi_core.fields.shape import ShapeField
from ddmi_core.model_folder import describe, find_model, list_models
from ddmi_core.pipeline import Pipeline
from ddmi_core.reading_back import judged
from ddmi_core.recipe import Denoising, Inpainting, SamplingSettings, Seeded
from ddmi_core.support.errors import DDMIError, ModelError
from ddmi_core.training.usual_flaws import usual_flaws
from tests.tiny_model import save_tiny_model, save_untrained_model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


def test_a_saved_model_gives_the_same_shape_again(folder: Path, tmp_path: Path) -> None:
    first = Pipeline.from_pretrained(folder)
    first.save_pretrained(tmp_path / "copy")
    second = Pipeline.from_pretrained(tmp_path / "copy")
    latents = [pipeline.sample(SamplingSettings(prompt="a ball", steps=3), [5])[0] for pipeline in (first, second)]
    assert torch.equal(*latents)
    coords = torch.rand(100, 3) * 2 - 1
    assert torch.equal(first.decode(latents[0])(coords), second.decode(latents[1])(coords))
    assert first.hash == second.hash


def test_a_very_long_prompt_is_taken(folder: Path) -> None:
    settings = SamplingSettings(prompt="a round table " * 800, steps=1)
    assert len(Pipeline.from_pretrained(folder).sample(settings, [1])) == 1


def test_an_empty_prompt_ignores_guidance(folder: Path) -> None:
    pipeline = Pipeline.from_pretrained(folder)
    assert torch.equal(
        pipeline.sample(SamplingSettings(prompt="  ", steps=2, guidance=9), [1])[0],
        pipeline.sample(SamplingSettings(steps=2, guidance=1), [1])[0],
    )


def test_a_weaker_copy_is_found_in_the_folder_and_chosen_by_the_settings(folder: Path, tmp_path: Path) -> None:
    plain = Pipeline.from_pretrained(folder)
    plain.save_pretrained(tmp_path / "model")
    early = {name: 0.5 * values for name, values in load_file(folder / model_folder.DENOISER_WEIGHTS).items()}
    early |= {name: plain.diffusion.state_dict()[name] for name in ("latent_mean", "latent_std")}
    early["unet.conv_out.bias"] = torch.full_like(early["unet.conv_out.bias"], 0.2)
    path = tmp_path / "model" / model_folder.WEAK_DENOISER_WEIGHTS
    path.parent.mkdir()
    save_file(early, path)
    pipeline = Pipeline.from_pretrained(tmp_path / "model")
    assert pipeline.hash == model_folder.folder_hash(tmp_path / "model") != plain.hash
    assert pipeline.nbytes > plain.nbytes

    def sample(model: Pipeline, guide: str, prompt: str = "a ball") -> torch.Tensor:
        return model.sample(SamplingSettings(prompt=prompt, steps=2, guide=guide), [1])[0]

    assert torch.equal(sample(pipeline, "empty"), sample(plain, "auto"))
    assert torch.equal(sample(pipeline, "auto"), sample(pipeline, "weak"))
    assert not torch.allclose(sample(pipeline, "weak"), sample(pipeline, "empty"))
    assert not torch.allclose(sample(pipeline, "weak", ""), sample(pipeline, "empty", ""))
    with pytest.raises(ModelError, match="no weaker copy"):
        sample(plain, "weak")
    pipeline.save_pretrained(tmp_path / "again")
    assert torch.equal(sample(Pipeline.from_pretrained(tmp_path / "again"), "weak"), sample(pipeline, "weak"))
    save_file(early | {"latent_std": early["latent_std"] * 2}, path)
    with pytest.raises(ModelError, match="another run"):
        Pipeline.from_pretrained(tmp_path / "model")


def test_models_are_found_by_name_and_by_folder(folder: Path, home: Path) -> None:
    own = home / "models" / "mine"
    Pipeline.from_pretrained(folder).save_pretrained(own)
    assert find_model("tiny") == own
    assert find_model(folder) == folder
    assert "tiny" in [info.name for info in list_models()]
    assert describe(own).domain == "shape"
    with pytest.raises(ModelError, match="tiny"):
        find_model("no such model")


def _damage(folder: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "damaged"
    Pipeline.from_pretrained(folder).save_pretrained(copy)
    return copy


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model folder"):
        Pipeline.from_pretrained(tmp_path / "nowhere")


def test_a_foreign_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not a model folder"):
        Pipeline.from_pretrained(tmp_path)
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": "StableDiffusionPipeline"}))
    with pytest.raises(ModelError, match="StableDiffusionPipeline"):
        Pipeline.from_pretrained(tmp_path)


def test_truncated_weights_are_said(folder: Path, tmp_path: Path) -> None:
    copy = _damage(folder, tmp_path)
    weights = copy / model_folder.DENOISER_WEIGHTS
    weights.write_bytes(weights.read_bytes()[:5000])
    with pytest.raises(ModelError, match="damaged"):
        Pipeline.from_pretrained(copy)


def test_a_missing_part_is_named(folder: Path, tmp_path: Path) -> None:
    copy = _damage(folder, tmp_path)
    (copy / model_folder.AUTOENCODER_WEIGHTS).unlink()
    with pytest.raises(ModelError, match=r"autoencoder/weights\.safetensors"):
        Pipeline.from_pretrained(copy)


def test_weights_that_are_not_numbers_are_said(folder: Path, tmp_path: Path) -> None:
    copy = _damage(folder, tmp_path)
    path = copy / model_folder.AUTOENCODER_WEIGHTS
    tensors = load_file(path)
    name = next(iter(tensors))
    tensors[name].view(-1)[0] = float("nan")
    save_file(tensors, path)
    with pytest.raises(ModelError, match="not numbers"):
        Pipeline.from_pretrained(copy)


def test_weights_of_other_sizes_are_said(folder: Path, tmp_path: Path) -> None:
    copy = _damage(folder, tmp_path)
    path = copy / model_folder.AUTOENCODER_CONFIG
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, "readout_width": 99}))
    with pytest.raises(ModelError, match="does not fit"):
        Pipeline.from_pretrained(copy)


def test_a_latent_of_another_model_is_refused(folder: Path) -> None:
    with pytest.raises(ModelError, match="another model"):
        Pipeline.from_pretrained(folder).decode(torch.zeros(3, 3, 3))


def test_what_is_not_in_use_makes_room_where_a_gpu_is_short_of_memory(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = Pipeline.from_pretrained(folder)
    moved: list[str] = []
    usual = pipeline.diffusion.to
    monkeypatch.setattr(pipeline.diffusion, "to", lambda device: (moved.append(str(device)), usual("cpu"))[1])
    reads: list[str] = []
    monkeypatch.setattr(pipeline.text_encoder, "to", reads.append)
    monkeypatch.setattr(Pipeline, "device", torch.device("mps"))  # stands for any that is not the machine's own
    for free, expected in ((2**34, ["mps"]), (2**20, ["mps", "cpu"])):
        moved.clear()
        monkeypatch.setattr(pipeline_module, "free_memory", lambda _, free=free: free)
        assert len(pipeline.sample(SamplingSettings(steps=1), seeds=[1])) == 1
        assert moved == expected
        assert reads == expected[1:]


def test_attention_guides_as_is_usual_of_a_model_unless_asked_otherwise(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Pipeline.from_pretrained(folder)
    assert plain.usual_attention == 0.0
    with pytest.raises(ModelError, match="Attention cannot guide"):
        plain.sample(SamplingSettings(steps=1, attention=1.0), [1])
    plain.usual_attention, before = 1.5, plain.hash
    plain.save_pretrained(tmp_path / "model")
    pipeline = Pipeline.from_pretrained(tmp_path / "model")
    assert pipeline.hash != before
    asked: list[float | None] = []
    monkeypatch.setattr(LatentDiffusion, "can_attend_alone", True)
    monkeypatch.setattr(LatentDiffusion, "_path", lambda self, *said: (asked.append(said[3].attention), iter(()))[1])
    for attention in (None, 0.0, 0.5):
        with pytest.raises(ValueError):  # of a way without a step nothing comes
            pipeline.sample(SamplingSettings(steps=1, attention=attention), [1])
        with pytest.raises(RuntimeError):
            pipeline.trajectories([""], [1], Denoising(steps=1, attention=attention), parts=1)
    assert asked == [1.5, 1.5, 0.0, 0.0, 0.5, 0.5]


def _flaws_by_sign(field: ShapeField) -> int:
    """Some number that other noise changes."""
    return int(1000 * field.basis[0][0].float().abs().mean())


def test_what_came_out_torn_is_drawn_again_whatever_else_is_drawn(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Pipeline.from_pretrained(folder)
    assert plain.usual_flaws is None and describe(folder).usual_flaws is None
    plain.usual_flaws = 0
    plain.save_pretrained(tmp_path / "model")
    pipeline = Pipeline.from_pretrained(tmp_path / "model")
    assert pipeline.usual_flaws == describe(tmp_path / "model").usual_flaws == 0
    monkeypatch.setattr(ShapeField, "flaws", _flaws_by_sign)
    monkeypatch.setattr(ShapeDomain, "read_back", lambda *_: None)

    def drawn(seeds: list[int], tries: int, **how: Any) -> list[torch.Tensor]:
        return pipeline.sample(SamplingSettings(prompt="a ball", steps=4, tries=tries, **how), seeds)

    def found(latents: list[torch.Tensor]) -> list[int]:
        return [_flaws_by_sign(pipeline.decode(latent)) for latent in latents]

    once, often = drawn([1, 2, 3], 1), drawn([1, 2, 3], 5)
    assert all(new <= old for new, old in zip(found(often), found(once), strict=True))
    assert any(new < old for new, old in zip(found(often), found(once), strict=True))
    torch.testing.assert_close(drawn([2], 5)[0], often[1])
    assert torch.equal(*(drawn([1], tries, sampler="ddim")[0] for tries in (1, 5)))
    draft = pipeline.sample(SamplingSettings(prompt="a ball", steps=4, tries=5), [1], draft=True)
    torch.testing.assert_close(draft[0], once[0], atol=0.2, rtol=0.2)
    pipeline.usual_flaws = None
    assert torch.equal(drawn([1], 5)[0], drawn([1], 1)[0])


def test_what_the_encoder_makes_of_a_sample_is_kept_unless_it_is_more_torn(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = Pipeline.from_pretrained(folder)
    pipeline.usual_flaws = 3

    def drawn(tries: int, *flaws: int, draft: bool = False, **how: Any) -> torch.Tensor:
        counts = iter(flaws)
        monkeypatch.setattr(ShapeField, "flaws", lambda _: next(counts))
        settings = SamplingSettings(prompt="a ball", steps=4, sampler="ddim", tries=tries, **how)
        (latent,) = pipeline.sample(settings, [1], draft=draft)
        assert not list(counts)
        return latent

    once = drawn(1)
    given = pipeline.domain.read_back(pipeline.decode(once), pipeline.autoencoder.config.encoder_input)
    assert given is not None and given["points"].shape == given["normals"].shape == (1, 2048, 3)
    assert given["normals"].norm(dim=-1).sub(1).abs().max() < 1e-3
    with torch.no_grad():
        read = pipeline.autoencoder.posterior(given).mean[0]
    assert not torch.allclose(read, once, atol=0.01)
    torch.testing.assert_close(drawn(2, 1, 0), read)
    torch.testing.assert_close(drawn(2, 1, 1), read)
    torch.testing.assert_close(drawn(2, 1, 2), once)
    torch.testing.assert_close(drawn(2, draft=True), once, atol=0.2, rtol=0.2)
    of = Seeded(prompt="a ball", steps=4, sampler="ddim", seed=1)
    drawn(2, inpaint=Inpainting(of=of, region=((-1, 0), (-1, 1), (-1, 1))))  # what is kept must not be read anew
    monkeypatch.setattr(ShapeField, "mesh", _nothing)
    torch.testing.assert_close(drawn(2, 100), once)


_PICTURES = AutoencoderConfig(
    domain="image", latent_channels=2, latent_size=8, encoder_channels=(8, 8, 8),
    decoder_channels=(8, 8, 8), basis_channels=8, readout_width=16,
)  # fmt: skip


def test_pictures_are_as_torn_as_the_encoder_reads_them_otherwise(tmp_path: Path) -> None:
    pipeline = Pipeline.from_pretrained(save_untrained_model(tmp_path / "tiny", _PICTURES))
    autoencoder, scale = pipeline.autoencoder, torch.full((2, 1, 1), 2.0)
    latent = torch.randn(autoencoder.canvas_shape, generator=torch.Generator().manual_seed(0))
    picture = pipeline.domain.read_back(pipeline.decode(latent), autoencoder.config.encoder_input)["image"]
    assert picture.shape == (1, 4, 128, 128)
    with torch.no_grad():
        read = autoencoder.posterior({"image": picture}).mean[0]
    kept, flaws = judged(autoencoder, latent, scale)
    assert torch.equal(kept, latent)
    assert flaws == round(1000 * ((read - latent) / 2).square().mean().item()) > 0
    usual = usual_flaws(autoencoder, latent.half().repeat(3, 1, 1, 1), scale)
    assert usual == pytest.approx(6 * flaws, rel=0.02)


def _nothing(*_: Any, **__: Any) -> None:
    raise DDMIError("nothing is there")
