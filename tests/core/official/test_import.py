"""Checkpoints of the authors' code, imported: the numbers are theirs, and nothing in a file is executed."""

from __future__ import annotations

import json
import math
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file
from torch import Tensor

from ddmi_core import Pipeline, cli
from ddmi_core.coordinates import region_grid
from ddmi_core.model_folder import ModelInfo, describe, list_models, rename_model
from ddmi_core.networks.official.styled_readout import StyledReadOut
from ddmi_core.official.checkpoint import read_checkpoint
from ddmi_core.official.importing import import_official
from ddmi_core.official.names import published_name, readout_rules
from ddmi_core.recipe import Denoising, SamplingSettings
from ddmi_core.support.errors import ModelError
from ddmi_core.text import TextEncoderConfig, load_text_encoder
from tests.core.official import published
from tests.core.official.published import CONFIG, Weights

FIXTURES = Path(os.environ.get("DDMI_OFFICIAL", "nowhere"))
"""What the authors' code gave for random weights, all of it; beside a checkout, and too large to be in it."""
SIDES = (8, 16, 24)


class Published:
    """A small model with random weights, and what its checkpoints hold."""

    def __init__(self) -> None:
        torch.manual_seed(1)
        self.autoencoder, self.readout, self.denoiser = Weights(), Weights(), Weights()
        self.image = torch.rand(2, 3, 16, 16) * 2 - 1
        self.mean, self.log_variance = published.moments(self.autoencoder, self.image)
        self.fields = published.basis_fields(self.autoencoder, self.mean)
        self.drawn = {side: published.drawn(self.readout, self.fields, side) for side in SIDES}
        self.noisy, self.times = torch.randn(2, 4, 4, 4), torch.tensor([3, 870])
        self.noise = published.noise(self.denoiser, self.noisy, self.times)
        self.denoiser["mixing_logit"] = torch.tensor([-1.0, 0.5, 2.0, 0.0]).view(1, 4, 1, 1)
        self.mixed = published.mixed_noise(self.denoiser, self.noisy, self.times)
        self.denoiser["alphas_cumprod"] = published.kept_signal()

    @property
    def second_stage(self) -> dict[str, Any]:
        averaged = {f"ema_model.{name}": weight for name, weight in self.denoiser.items()}
        raw = {name: weight + 0.1 for name, weight in self.denoiser.items()}
        online = {f"online_model.{name}": weight for name, weight in raw.items()}
        return {
            "step": 3,
            "current_iters": 1234,
            "vaemodel": dict(self.autoencoder),
            "mlp": dict(self.readout),
            "diffusion": raw,
            "ema": {"initted": torch.tensor(True), "step": torch.tensor(7), **online, **averaged},
        }


@pytest.fixture(scope="module")
def model() -> Published:
    with torch.random.fork_rng():
        return Published()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """As the authors write it: embed_dim in model, the sections in model.params."""
    params = {name: CONFIG[name] for name in ("ddconfig", "mlpconfig", "unetconfig", "ddpmconfig")}
    values = {
        "model": {"embed_dim": CONFIG["embed_dim"], "amp": True, "params": {"lossconfig": {"epochs": 9}, **params}},
        "data": {"domain": "image", "mode": "train"},
        "anchor_resolution": CONFIG["anchor_resolution"],
    }
    path = tmp_path / "cats.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


@pytest.fixture
def imported(model: Published, config: Path, tmp_path: Path) -> ModelInfo:
    torch.save(model.second_stage, tmp_path / "ldm-last.pt")
    return import_official(tmp_path / "ldm-last.pt", config)


def close(found: Tensor, wanted: Tensor) -> None:
    assert (found - wanted).abs().max() <= 1e-4 * wanted.abs().max()


def coloured(pictures: Tensor) -> Tensor:
    """Opaque pictures in [-1, 1] as our encoder takes them."""
    return torch.cat([(pictures + 1) / 2, torch.ones_like(pictures[:, :1])], dim=1)


def as_published(values: Tensor) -> Tensor:
    """Our values (h, w, 4) as colours in [-1, 1], (1, 3, h, w); coverage is whole."""
    assert (values[..., 3] == 1).all()
    return (2 * values[..., :3] - 1).movedim(-1, 0).unsqueeze(0)


def test_the_numbers_are_those_of_the_published_weights(imported: ModelInfo, model: Published) -> None:
    pipeline = Pipeline.from_pretrained(imported.folder, device="cpu")
    posterior = pipeline.autoencoder.encode(coloured(model.image))
    close(posterior.mean, model.mean)
    close(posterior.log_variance, model.log_variance)
    for (ours,), theirs in zip(pipeline.autoencoder.decode(model.mean), model.fields, strict=True):
        close(ours, theirs)
    field = pipeline.decode(model.mean[1])
    for side, picture in model.drawn.items():
        values = field(region_grid(side, side), footprint=-math.log2(side))
        close(as_published(values), picture[1:])
    text = pipeline.text_encoder.encode(["", ""])
    close(pipeline.diffusion.predict(model.noisy, model.times, text), model.mixed)
    pipeline.diffusion.mixing = None
    close(pipeline.diffusion.predict(model.noisy, model.times, text), model.noise)


@pytest.mark.parametrize("steps", [10, 50])
def test_ddim_takes_the_authors_steps(
    imported: ModelInfo, model: Published, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = Pipeline.from_pretrained(imported.folder, device="cpu")
    start = torch.randn(2, 4, 4, 4)
    starts = iter(start)
    monkeypatch.setattr(torch, "randn", lambda *_, **__: next(starts))
    found = pipeline.sample_each(["", ""], [0, 1], Denoising(steps=steps, sampler="ddim"))
    close(torch.stack(found), published.sampled(model.denoiser, start, steps))


@pytest.mark.skipif(not FIXTURES.exists(), reason="needs the fixtures of the authors' code, in DDMI_OFFICIAL")
def test_the_numbers_are_those_that_the_authors_code_gave(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = import_official(FIXTURES / "ldm-last.pt", FIXTURES / "config.json", folder=tmp_path / "model")
    pipeline = Pipeline.from_pretrained(info.folder, device="cpu")
    expected = load_file(FIXTURES / "expected.safetensors")
    posterior = pipeline.autoencoder.encode(coloured(expected["image"]))
    close(posterior.mean, expected["posterior_mean"])
    close(posterior.log_variance, expected["posterior_logvar"])
    for number, (plane,) in enumerate(pipeline.autoencoder.decode(expected["posterior_mean"])):
        close(plane, expected[f"hdbf_{number}"])
    field = pipeline.decode(expected["posterior_mean"][0])
    for side in (32, 64, 96):
        values = field(region_grid(side, side), footprint=-math.log2(side))
        close(as_published(values), expected[f"readout_{side}"][:1])
    text = pipeline.text_encoder.encode(["", ""])
    close(
        pipeline.diffusion.predict(expected["noisy"], expected["timestep"], text),
        expected["mixed_output"],
    )
    starts = iter(expected["ddim_start"])
    with monkeypatch.context() as patch:
        patch.setattr(torch, "randn", lambda *_, **__: next(starts))
        latents = pipeline.sample(SamplingSettings(steps=50, sampler="ddim"), seeds=[0, 1])
    close(torch.stack(latents), expected["ddim_50"])
    values = pipeline.decode(latents[1])(region_grid(64, 64), footprint=-6.0)
    close(as_published(values), expected["generated_64"][1:])
    pipeline.diffusion.mixing = None
    close(pipeline.diffusion.predict(expected["noisy"], expected["timestep"], text), expected["unet_output"])


def test_the_read_out_is_that_of_the_authors_code() -> None:
    expected = load_file(Path(__file__).with_name("readout.safetensors"))
    weights = Weights({name.removeprefix("mlp."): one for name, one in expected.items() if name.startswith("mlp.")})
    readout = StyledReadOut(8, 3, 3, width=32, anchor=64)
    ours = {}
    for name in readout.state_dict():
        found = published_name(f"readout.{name}", readout_rules())
        ours[name] = found.turned(weights[found.name])
    readout.load_state_dict(ours)
    basis = tuple((expected[f"hdbf_{number}"],) for number in range(3))
    for side in (32, 64, 96):
        coords, footprint = region_grid(side, side).view(1, -1, 2), -math.log2(side)
        values = readout.evaluate(basis, coords, torch.full((1, side * side, 1), footprint))
        close(as_published(values.view(side, side, 4)), expected[f"readout_{side}"])
        embeddings = tuple(scale[0] for scale in readout.embeddings(basis, coords))
        folded = readout.folded(footprint)(embeddings, None)
        close(as_published(folded.view(side, side, 4)), expected[f"readout_{side}"])


def test_every_point_may_have_a_footprint_of_its_own() -> None:
    readout = StyledReadOut(8, 3, 3, width=32, anchor=64)
    embeddings = tuple(torch.randn(2, 5, 8) for _ in range(3))
    scales = torch.rand(2, 5, 1) + 0.5
    together = readout(embeddings, scales)
    alone = readout(tuple(one[1, 3] for one in embeddings), scales[1, 3])
    close(together[1, 3], alone)
    together.sum().backward()
    assert all(weight.grad is not None for weight in readout.parameters())


def test_an_imported_model_generates_and_reconstructs(
    imported: ModelInfo, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert imported in list_models("image")
    assert (imported.name, imported.text_encoder) == ("cats", "none")
    assert imported.origin == f"Imported from {tmp_path / 'ldm-last.pt'}"
    asked = ["generate", "image", "--model", "cats", "--seed", "3", "--steps", "2", "--resolution", "24", "--json"]
    assert cli.main([*asked, "--out", str(tmp_path / "a.png")]) == 0
    assert cli.main([*asked, "--prompt", "a dog", "--out", str(tmp_path / "b.png"), "--no-recipe"]) == 0
    assert cli.main([*asked, "--out", str(tmp_path / "c.png"), "--no-recipe"]) == 0
    assert (tmp_path / "b.png").read_bytes() == (tmp_path / "c.png").read_bytes()
    printed = capsys.readouterr()
    assert json.loads(printed.out.splitlines()[0])["width"] == 24
    assert "cats was trained without texts" in printed.err
    again = ["reconstruct", str(tmp_path / "a.png"), "--model", "cats", "--refine", "1", "--resolution", "16"]
    assert cli.main([*again, "--out", str(tmp_path / "d.png")]) == 0


def test_safetensors_of_all_weights_are_the_same_model(
    imported: ModelInfo, model: Published, config: Path, tmp_path: Path
) -> None:
    parts = (("vae", model.autoencoder), ("mlp", model.readout), ("ldm", model.denoiser))
    weights = {f"{part}.{name}": one.contiguous() for part, found in parts for name, one in found.items()}
    save_file(weights, tmp_path / "model.safetensors")
    again = import_official(tmp_path / "model.safetensors", config, folder=tmp_path / "again")
    assert again.hash == imported.hash


def test_a_first_stage_reconstructs_and_says_that_it_cannot_generate(
    model: Published, config: Path, tmp_path: Path
) -> None:
    contents = {"step": 3, "model": dict(model.autoencoder), "mlp": dict(model.readout), "opt": {}, "sn": None}
    torch.save(contents, tmp_path / "model-last.pt")
    info = import_official(tmp_path / "model-last.pt", config, name="first")
    pipeline = Pipeline.from_pretrained(info.folder, device="cpu")
    close(pipeline.autoencoder.encode(coloured(model.image)).mean, model.mean)
    with pytest.raises(ModelError, match="first stage alone"):
        pipeline.sample(SamplingSettings(steps=2), seeds=[0])


class Harmful:
    """What runs a command if it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


class Arguments:
    """A configuration object, of a class that whoever imports does not have."""

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)
        self.held = [{"a": {1, 2}}, (3, "x"), self]


def test_what_else_a_file_holds_is_skipped_and_not_executed(
    imported: ModelInfo, model: Published, config: Path, tmp_path: Path
) -> None:
    parameter = torch.nn.Parameter(torch.ones(3))
    optimiser = torch.optim.AdamW([parameter])
    parameter.sum().backward()
    optimiser.step()
    contents = {
        "args": Arguments(data=Path("somewhere"), harm=Harmful(tmp_path / "harm")),
        **model.second_stage,
        "dae_opt": optimiser.state_dict(),
        "scaler": {"scale": 65536.0, "harm": Harmful(tmp_path / "harm")},
    }
    torch.save(contents, tmp_path / "whole.pt")
    again = import_official(tmp_path / "whole.pt", config, folder=tmp_path / "again")
    assert again.hash == imported.hash
    assert not (tmp_path / "harm").exists()
    with pytest.raises(FileExistsError):  # it would have run
        pickle.loads(pickle.dumps(Harmful(tmp_path)))


def test_weights_of_modules_and_half_precision_are_read(model: Published, config: Path, tmp_path: Path) -> None:
    contents = model.second_stage
    contents["mlp"] = {name: torch.nn.Parameter(one.half()) for name, one in model.readout.items()}
    contents["vaemodel"] = {
        name: one.expand_as(one).mT.contiguous().mT if one.dim() > 1 else one for name, one in model.autoencoder.items()
    }
    torch.save(contents, tmp_path / "half.pt")
    found = read_checkpoint(tmp_path / "half.pt")
    for name, one in model.autoencoder.items():
        assert torch.equal(found.autoencoder[name], one)
    name = "net_res1.conv1.conv.weight"
    assert found.readout[name].dtype == torch.float32
    assert torch.equal(found.readout[name], model.readout[name].half().float())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["vaemodel"].pop("encoder.conv_in.weight"), r"lacks encoder\.conv_in\.weight"),
        (lambda c: c["mlp"].update({"torgb.bias": torch.zeros(1, 4, 1, 1)}), r"torgb\.bias \(1, 4, 1, 1\)"),
        (lambda c: c["mlp"].update({"net_res5.conv1.conv.weight": torch.zeros(1)}), "does not know: net_res5"),
        (lambda c: c["vaemodel"].update({"quant_conv.bias": torch.full((8,), math.nan)}), "not numbers"),
        (lambda c: c["ema"].pop("ema_model.mixing_logit"), "lacks mixing_logit"),
        (lambda c: c["ema"].update({"ema_model.alphas_cumprod": torch.ones(1000)}), "another noise schedule"),
        (lambda c: c.update(ema={"initted": torch.tensor(True)}), "no averaged weights"),
        (lambda c: c.pop("mlp"), "another layout: it holds current_iters, diffusion, ema"),
        (lambda c: c.update(mlp=3), "another layout"),
    ],
)
def test_what_does_not_fit_is_named(change: Any, message: str, model: Published, config: Path, tmp_path: Path) -> None:
    contents = model.second_stage
    change(contents)
    torch.save(contents, tmp_path / "other.pt")
    with pytest.raises(ModelError, match=message):
        import_official(tmp_path / "other.pt", config)
    assert list_models("image")[-1].name != "cats"


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("empty.pt", b"", "no checkpoint"),
        ("text.pt", b"weights", "no checkpoint, or damaged"),
        ("old.pt", pickle.dumps({"mlp": 1}), "before version 1"),
        ("short.pt", b"PK\x03\x04 cut", "cut short"),
    ],
)
def test_files_that_are_no_checkpoints_are_refused(
    name: str, data: bytes, message: str, config: Path, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ModelError, match=message):
        import_official(tmp_path / name, config)
    with pytest.raises(ModelError, match="cannot be read"):
        import_official(tmp_path / "nowhere.pt", config)


def test_archives_that_are_none_or_damaged_are_refused(model: Published, config: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "other.pt", "w") as archive:
        archive.writestr("readme.txt", "nothing")
    with pytest.raises(ModelError, match="none that torch"):
        import_official(tmp_path / "other.pt", config)
    torch.save(model.second_stage, tmp_path / "whole.pt")
    with zipfile.ZipFile(tmp_path / "whole.pt") as whole, zipfile.ZipFile(tmp_path / "cut.pt", "w") as cut:
        for entry in whole.namelist():
            data = whole.read(entry)
            cut.writestr(entry, data[:-1] if "/data/" in entry else data)
    with pytest.raises(ModelError, match="is damaged: entry"):
        import_official(tmp_path / "cut.pt", config)
    with zipfile.ZipFile(tmp_path / "odd.pt", "w") as archive:
        archive.writestr("odd/data.pkl", b"\x80\x02}q\x00.garbage"[:3])
    with pytest.raises(ModelError, match="damaged, or no checkpoint"):
        import_official(tmp_path / "odd.pt", config)


def setting(section: str, name: str, value: Any) -> Any:
    return lambda values: values["model"]["params"][section].update({name: value})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v["model"]["params"].pop("ddconfig"), "no ddconfig or no mlpconfig"),
        (lambda v: v["model"].pop("embed_dim"), "embed_dim is missing"),
        (lambda v: v["model"].update(DiT=True), "transformer for a denoiser"),
        (lambda v: v["data"].update(domain="occupancy"), "Only models of pictures"),
        (lambda v: v["data"].update(domain="video"), "Only models of pictures"),
        (setting("ddconfig", "ch", "wide"), "ddconfig.ch is 'wide'"),
        (setting("ddconfig", "attn_resolutions", [8]), "attn_resolutions"),
        (setting("ddconfig", "hdbf_resolutions", [16, 8]), "a half and a quarter"),
        (setting("mlpconfig", "latent_dim", 7), "latent_dim of mlpconfig is 7"),
        (setting("ddpmconfig", "image_size", 8), "makes latents of 4"),
        (setting("ddpmconfig", "channels", 5), "not all embed_dim"),
        (setting("ddpmconfig", "parameterization", "x0"), "parameterization is 'x0'"),
        (setting("unetconfig", "attention_resolutions", [1, 2]), "all levels but the first"),
        (lambda v: v["model"]["params"].pop("ddpmconfig"), "belong together"),
        (lambda v: [v["model"]["params"].pop(name) for name in ("unetconfig", "ddpmconfig")], "of the second stage"),
        (setting("ddconfig", "ch", 64), r"other sizes than the configuration says: .* in place of"),
    ],
)
def test_configurations_that_do_not_fit_are_named(
    change: Any, message: str, model: Published, config: Path, tmp_path: Path
) -> None:
    torch.save(model.second_stage, tmp_path / "ldm-last.pt")
    values = yaml.safe_load(config.read_text())
    change(values)
    config.write_text(yaml.safe_dump(values))
    with pytest.raises(ModelError, match=message):
        import_official(tmp_path / "ldm-last.pt", config)


def test_the_command_says_where_the_model_is_and_replaces_none(
    model: Published, config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save(model.second_stage, tmp_path / "ldm-last.pt")
    asked = ["import-official", str(tmp_path / "ldm-last.pt"), "--config", str(config), "--name", " My  cats "]
    assert cli.main([*asked, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["name"] == "My cats" and Path(said["folder"]).name == "My-cats"
    assert cli.main(asked) == 1
    assert "called My cats already" in capsys.readouterr().err
    rename_model(describe(Path(said["folder"])), "Old cats")
    assert cli.main(asked) == 1
    assert "is there already: it is Old cats, in" in capsys.readouterr().err
    assert [model.name for model in list_models("image") if not model.is_shipped] == ["Old cats"]
    assert cli.main([*asked, "--out", str(tmp_path / "elsewhere")]) == 0
    assert str(tmp_path / "elsewhere") in capsys.readouterr().out
    assert cli.main([*asked, "--out", str(tmp_path / "elsewhere")]) == 1
    assert "is there already" in capsys.readouterr().err


def test_an_encoder_of_no_texts_takes_every_prompt_for_the_same() -> None:
    encoder = load_text_encoder(TextEncoderConfig(kind="none", name="none"))
    assert not encoder.reads_texts and encoder.nbytes == 0 and not encoder.is_foreign("椅子")
    one, two = encoder.encode(["a chair", ""]).tokens
    assert torch.equal(one, two)
    assert encoder.reads("a chair") == ""
