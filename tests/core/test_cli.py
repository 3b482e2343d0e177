from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import trimesh
from PIL import Image

from ddmi_core import cli, model_folder, pipeline
from ddmi_core.data.items import ItemSource
from ddmi_core.domains import get_domain
from ddmi_core.export.recipe_files import read_recipe
from ddmi_core.fields.shape import ShapeField
from ddmi_core.model_folder import Base, ModelInfo
from ddmi_core.placement import Up
from ddmi_core.recipe import SamplingSettings, Sketch
from ddmi_core.support.errors import ModelError
from ddmi_core.training.config import RunConfig
from ddmi_core.training.run_folder import RunFolder
from tests.core import solids


class BallField(ShapeField):
    """A ball whose radius stands in for what a network decodes."""

    def __init__(self, radius: float) -> None:
        self.radius = radius

    def __call__(self, coords: torch.Tensor, progress: Any = None) -> torch.Tensor:
        return solids.sphere(self.radius)(coords)[:, None]

    def on_lattice(self, axes: Sequence[torch.Tensor]) -> Callable[[torch.Tensor], torch.Tensor]:
        return lambda places: self(axes[0][places])


class FakePipeline:
    """Decodes each seed to a ball that is a little larger than the last."""

    name, hash, domain, device = "balls", "00ff", get_domain("shape"), torch.device("cpu")
    text_encoder = SimpleNamespace(name="MiniLM", reads_texts=True)
    asked: dict[str, Any]

    def sample_each(
        self, prompts: Sequence[str], seeds: Sequence[int], how: SamplingSettings, **options: Any
    ) -> list[torch.Tensor]:
        asked = {"prompts": list(prompts), "seeds": list(seeds), "inpaint": how.inpaint, "sketch": how.sketch}
        type(self).asked = {**how.model_dump(), **asked}
        options["progress"](1.0, "step 1 of 1")
        return [torch.full((1, 2, 2), 0.3 + 0.01 * (seed % 10)) for seed in seeds]

    def decode(self, latent: torch.Tensor) -> BallField:
        return BallField(float(latent[0, 0, 0]))

    def read(self, path: Path, *, span: object = None, up: Up = "y") -> ItemSource:
        return self.domain.read(path, queries=8, up=up)

    def encode(self, source: ItemSource, *, refine_steps: int, progress: object = None) -> torch.Tensor:
        assert len(source) == 1
        return torch.full((1, 2, 2), 0.5)


@pytest.fixture(autouse=True)
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelInfo:
    folder = tmp_path / "models" / "balls"
    folder.mkdir(parents=True)
    info = ModelInfo("balls", "shape", folder, 12_300_000, "00ff", "none")

    def find(name: str) -> Path:
        if name != "balls":
            raise ModelError(f"There is no model {name!r}. Models on this machine: balls.")
        return folder

    monkeypatch.setattr(model_folder, "list_models", lambda _domain=None: [info])
    monkeypatch.setattr(model_folder, "find_model", find)
    monkeypatch.setattr(model_folder, "describe", lambda folder: info)
    monkeypatch.setattr(pipeline.Pipeline, "from_pretrained", lambda folder, device: FakePipeline())
    return info


Run = Callable[..., tuple[int, list[str], list[str]]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: object) -> tuple[int, list[str], list[str]]:
        code = cli.main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return code, out.splitlines(), err.splitlines()

    return run


@pytest.mark.parametrize("suffix", [".obj", ".glb", ".ply", ".stl"])
def test_generate_writes_the_format_of_the_suffix(run: Run, tmp_path: Path, suffix: str) -> None:
    target = tmp_path / f"ball{suffix}"
    code, out, err = run(
        "generate", "shape", "--prompt", "a ball", "--seed", 5, "--steps", 3, "--guidance", 2, "--sampler", "ddim",
        "--resolution", 48, "--device", "cpu", "--model", "balls", "--out", target,
    )  # fmt: skip
    assert (code, err) == (0, [])
    assert len(out) == 1 and str(target) in out[0] and "seed 5" in out[0]
    assert trimesh.load_mesh(target).volume == pytest.approx(solids.sphere_volume(0.35), rel=0.02)
    asked = FakePipeline.asked
    assert (asked["prompts"], asked["seeds"], asked["steps"]) == (["a ball"], [5], 3)
    assert (asked["guidance"], asked["sampler"]) == (2.0, "ddim")


def test_variations_of_a_seed_are_asked_for(run: Run, tmp_path: Path) -> None:
    target = tmp_path / "ball.obj"
    code, out, _ = run(
        "generate", "shape", "--prompt", "x", "--like", 7, 0.35, 12, 0.5, "--seed", 3, "--resolution", 32, "--json",
        "--out", target,
    )  # fmt: skip
    assert code == 0 and FakePipeline.asked["like"] == ((7, 0.35), (12, 0.5))
    assert json.loads(out[0])["recipe"]["like"] == [[7, 0.35], [12, 0.5]]
    code, _, err = run("generate", "shape", "--like", 7, 2, "--out", target, "--force")
    assert (code, err) == (2, ["ddmi: --like is 2.0 and should be less than or equal to 1."])


def test_several_into_a_file_name_are_numbered(run: Run, tmp_path: Path) -> None:
    code, out, _ = run(
        "generate", "shape", "--prompt", "x", "--seed", 1, "--count", 10, "--resolution", 32, "--json", "--out",
        tmp_path / "ball.stl",
    )  # fmt: skip
    assert code == 0
    facts = [json.loads(line) for line in out]
    assert [Path(fact["path"]).name for fact in facts] == [f"ball-{n}.stl" for n in range(1, 11)]
    assert [fact["seed"] for fact in facts] == list(range(1, 11))
    for fact in facts:
        assert fact["watertight"] is True and fact["faces"] > 0 and fact["seconds"] > 0
        assert fact["recipe"]["model_hash"] == "00ff" and fact["recipe"]["prompt"] == "x"
        assert Path(fact["path"]).exists()


def test_a_folder_gets_numbers_that_go_on(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    for _ in range(2):
        assert run("generate", "shape", "--prompt", "x", "--count", 2, "--resolution", 32, "--out", folder)[0] == 0
    assert sorted(path.name for path in folder.iterdir()) == [f"shape-00{n}.obj" for n in range(1, 5)]


def test_generate_draws_a_part_of_what_it_wrote_anew(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = tmp_path / "first.glb", tmp_path / "second.glb"
    usual = ("generate", "shape", "--prompt", "a chair", "--resolution", 32)
    assert run(*usual, "--seed", 3, "--out", first)[0] == 0
    again = (*usual, "--inpaint", first, "--part=-1,1,0,1,-1,1", "--json", "--out", second)
    code, out, _ = run(*again)
    recipe, original = json.loads(out[0])["recipe"], read_recipe(first)
    assert code == 0 and original is not None
    assert FakePipeline.asked["inpaint"].of == original.seeded
    assert recipe["inpaint"]["region"] == [[-1, 1], [0, 1], [-1, 1]] and recipe["inpaint"]["of"]["seed"] == 3

    wrong = {"-1,1,0,1": "takes 6 numbers", "-1,1,1,0,-1,1": "ends after it begins", "a,1,0,1,0,1": "--part"}
    for part, problem in wrong.items():
        code, _, err = run(*usual, "--inpaint", first, f"--part={part}", "--out", second, "--force")
        assert code in (1, 2) and problem in err[-1]
    assert run(*usual, "--inpaint", first, "--out", second, "--force")[0] == 2  # which part?
    monkeypatch.setattr(FakePipeline, "hash", "ffff")
    code, _, err = run(*again, "--force")
    assert code == 1 and "other weights" in err[-1]


def test_something_is_drawn_after_a_file(run: Run, tmp_path: Path) -> None:
    rough = tmp_path / "rough.stl"
    trimesh.creation.box().export(rough)
    usual = ("generate", "shape", "--prompt", "a chair", "--sketch", rough, "--out", tmp_path / "chair.glb")
    assert run(*usual, "--closeness", "0.4")[0] == 0
    expected = Sketch.of(np.full((1, 2, 2), 0.5, np.float32), 0.4, "rough.stl")
    assert FakePipeline.asked["sketch"] == expected
    recipe = read_recipe(tmp_path / "chair.glb")
    assert recipe is not None and recipe.sketch == expected
    code, _, err = run(*usual, "--closeness", "1.4", "--force")
    assert code == 2 and "from 0 to 1" in err[-1]


def test_for_printing_a_shape_stands_upright_and_is_as_long_as_one_likes(run: Run, tmp_path: Path) -> None:
    asked = ("generate", "shape", "--prompt", "x", "--seed", 1, "--resolution", 32, "--json")
    code, out, _ = run(*asked, "--longest", 120, "--out", tmp_path / "ball.3mf")
    fact = json.loads(out[0])
    assert code == 0 and max(fact["size"]) == pytest.approx(120) and (tmp_path / "ball.3mf").stat().st_size > 1000
    assert run(*asked, "--longest", 0, "--out", tmp_path / "b.stl")[0] == 1
    code, out, _ = run(*asked, "--out", tmp_path / "ball.glb")
    recipe = read_recipe(tmp_path / "ball.glb")
    assert recipe is not None and recipe.prompt == "x" and max(json.loads(out[0])["size"]) < 2
    assert run(*asked, "--no-recipe", "--out", tmp_path / "bare.glb")[0] == 0
    assert read_recipe(tmp_path / "bare.glb") is None


def test_a_prompt_with_alternatives_makes_one_of_each_and_a_sheet_of_all(run: Run, tmp_path: Path) -> None:
    asked = ("generate", "shape", "--prompt", "a {red|blue} ball {|on a plate}", "--seed", 5, "--resolution", 32)
    code, out, _ = run(*asked, "--json", "--sheet", tmp_path / "sheet.png", "--out", tmp_path / "ball.ply")
    prompts = ["a red ball", "a red ball on a plate", "a blue ball", "a blue ball on a plate"]
    assert code == 0 and [json.loads(line)["recipe"]["prompt"] for line in out] == prompts
    assert {json.loads(line)["seed"] for line in out} == {5} and (tmp_path / "ball-4.ply").exists()
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width > 2 * 256 + 100 and sheet.height > 2 * 256 + 20
    code, _, err = run(*asked, "--sheet", tmp_path / "sheet.png", "--out", tmp_path / "more.ply")
    assert code == 1 and "--force" in err[-1] and not (tmp_path / "more-1.ply").exists()
    code, _, err = run(*asked, "--sheet", tmp_path / "sheet.obj", "--out", tmp_path / "more.ply")
    assert code == 1 and ".png" in err[-1]


def test_prompts_may_stand_in_a_file(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "prompts.txt"
    file.write_text("# balls\na ball\n\na {big|small} cube\n", encoding="utf-8")
    asked = ("generate", "shape", "--prompts", file, "--seed", 1, "--count", 2, "--resolution", 32, "--json")
    code, out, _ = run(*asked, "--out", tmp_path / "all")
    recipes = [json.loads(line)["recipe"] for line in out]
    assert code == 0 and [(recipe["prompt"], recipe["seed"]) for recipe in recipes] == [
        (prompt, seed) for prompt in ("a ball", "a big cube", "a small cube") for seed in (1, 2)
    ]
    assert run(*asked, "--prompt", "x", "--out", tmp_path / "b")[0] == 2
    file.write_text("#\n", encoding="utf-8")
    code, _, err = run(*asked, "--out", tmp_path / "b")
    assert code == 1 and "no prompt" in err[-1]


def test_without_a_prompt_it_says_so_and_a_random_seed_is_told(run: Run, tmp_path: Path) -> None:
    code, out, err = run("generate", "shape", "--resolution", 32, "--out", tmp_path / "a.obj")
    assert code == 0 and err == ["No prompt: anything the model knows."]
    assert f"seed {FakePipeline.asked['seeds'][0]}" in out[0]


def test_files_are_replaced_only_by_force(run: Run, tmp_path: Path) -> None:
    target = tmp_path / "ball.obj"
    target.write_text("mine")
    asked = ("generate", "shape", "--prompt", "x", "--resolution", 32, "--out")
    code, _, err = run(*asked, target)
    assert code == 1 and len(err) == 1 and f"{target} is there already" in err[0] and "--force" in err[0]
    assert target.read_text() == "mine"
    assert run(*asked, target, "--force")[0] == 0 and trimesh.load_mesh(target).is_watertight
    (tmp_path / "many-2.obj").write_text("mine")
    code, _, err = run(*asked, tmp_path / "many.obj", "--count", 3)
    assert code == 1 and "many-2.obj" in err[0] and not (tmp_path / "many-1.obj").exists()
    source = tmp_path / "mine.ply"
    trimesh.creation.icosphere().export(source)
    before = source.read_bytes()
    assert run("reconstruct", source, "--resolution", 32, "--out", source)[0] == 1 and source.read_bytes() == before


@pytest.mark.parametrize(
    ("flag", "value"),
    [("steps", 0), ("steps", 1001), ("guidance", -1), ("guidance", 50.5), ("seed", -1), ("seed", 2**63)],
)
def test_what_is_out_of_bounds_is_wrong_usage(run: Run, tmp_path: Path, flag: str, value: float) -> None:
    FakePipeline.asked = {}
    code, out, err = run("generate", "shape", f"--{flag}", value, "--out", tmp_path / "a.obj")
    assert (code, out, FakePipeline.asked) == (2, [], {})
    assert len(err) == 1 and f"--{flag}" in err[0]


def test_faces_are_reduced(run: Run, tmp_path: Path) -> None:
    code, out, _ = run(
        "generate", "shape", "--prompt", "x", "--resolution", 48, "--faces", 200, "--json", "--out", tmp_path / "a.obj"
    )
    assert code == 0 and json.loads(out[0])["faces"] <= 220


def test_reconstruct(run: Run, tmp_path: Path) -> None:
    source = tmp_path / "mine.ply"
    trimesh.creation.icosphere().export(source)
    code, out, err = run("reconstruct", source, "--resolution", 48, "--json", "--out", tmp_path / "again.obj")
    assert (code, err) == (0, [])
    assert json.loads(out[0])["recipe"]["source"] == str(source)
    assert json.loads(out[0])["recipe"]["placement"]["unit"] == pytest.approx(1 / 0.9, rel=1e-3)
    volume = solids.sphere_volume(0.5 / 0.9)  # the file's ball has a radius of 1
    assert trimesh.load_mesh(tmp_path / "again.obj").volume == pytest.approx(volume, rel=0.02)


@pytest.mark.parametrize("up", ["y", "z"])
def test_what_is_reconstructed_lies_where_the_file_did(run: Run, tmp_path: Path, up: str) -> None:
    source = trimesh.creation.box(extents=(2.6, 0.9, 2.0))
    source.apply_translation((10.0, -3.0, 7.0))
    source.export(tmp_path / "sofa.ply")
    asked = ("reconstruct", tmp_path / "sofa.ply", "--resolution", 32, "--up", up, "--json", "--out")
    middle = {".obj": (10, -3, 7), ".ply": (10, -3, 7), ".stl": (10, -3, 7)}
    middle[".glb"] = (10, -3, 7) if up == "y" else (10, 7, 3)  # where y is up
    for suffix, expected in middle.items():
        code, out, _ = run(*asked, tmp_path / f"again{suffix}")
        again = trimesh.load_mesh(tmp_path / f"again{suffix}")
        assert code == 0 and again.bounds.mean(axis=0) == pytest.approx(expected, abs=0.02)
        ball = 2 * 0.5 * 2.6 / 1.8
        assert again.extents == pytest.approx([ball] * 3, rel=0.05)
        assert json.loads(out[0])["size"] == pytest.approx(again.extents, rel=1e-4) and again.volume > 0
    assert run(*asked, tmp_path / "cube.obj", "--unit-cube")[0] == 0
    assert trimesh.load_mesh(tmp_path / "cube.obj").bounds.mean(axis=0) == pytest.approx([0, 0, 0], abs=0.02)


def test_models_are_listed(run: Run, model: ModelInfo) -> None:
    code, out, _ = run("models")
    assert code == 0
    assert out == [f"balls  shape  12.3 MB  none  {model.folder}"]
    assert json.loads(run("models", "--json")[1][0])["folder"] == str(model.folder)


def test_a_model_of_changes_is_listed_with_the_one_it_goes_with(
    run: Run, model: ModelInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = replace(model, base=Base("furniture", "00ff"))
    monkeypatch.setattr(model_folder, "list_models", lambda: [mine])
    assert run("models")[1] == [f"balls  shape  12.3 MB  changes to furniture  none  {model.folder}"]
    assert json.loads(run("models", "--json")[1][0])["base"] == {"name": "furniture", "hash": "00ff"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["generate", "sculpture", "--out", "a.obj"], "sculpture"),
        (["generate", "shape", "--out", "a.png"], '".png" is not a format of shapes'),
        (["generate", "shape", "--out", "/proc/nowhere/a.obj"], "Cannot make the folder"),
        (["generate", "shape", "--model", "missing", "--out", "a.obj"], "no model 'missing'"),
        (["generate", "shape", "--prompt", "x", "--resolution", "3", "--out", "a.obj"], "out of range"),
        (["reconstruct", "picture.png", "--out", "a.obj"], "reads .png"),
        (["train", "--preset", "no-such", "--out", "run"], "no-such"),
        (["train", "--config", "missing.yaml", "--out", "run"], "missing.yaml"),
    ],
)
def test_errors_are_one_line_and_code_1(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run(*arguments)
    assert (code, out) == (1, [])
    assert len(err) == 1 and err[0].startswith("ddmi: ") and message in err[0]
    assert not Path("a.obj").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["generate"],
        ["generate", "shape"],
        ["generate", "shape", "--out", "a.obj", "--count", "0"],
        ["generate", "shape", "--out", "a.obj", "--seed", "-1"],
        ["generate", "shape", "--out", "a.obj", "--sampler", "magic"],
        ["train", "--out", "run"],
        ["train", "--preset", "a", "--config", "b", "--out", "run"],
        ["train", "--preset", "a", "--further", "b", "--out", "run"],
        ["distill", "furniture", "--preset", "shape-tiny"],
        ["train", "--resume"],
    ],
)
def test_wrong_usage_is_code_2(run: Run, arguments: list[str]) -> None:
    code, out, err = run(*arguments)
    assert code == 2 and not out and err


@pytest.mark.parametrize(
    "assignments",
    [
        ["--set", "stage1.steps=3", "stage2.steps=4"],
        ["--set", "stage1.steps=3", "--set", "stage2.steps=4"],
        ["--set", "seed=1", "stage1.steps=3", "--set", "stage2.steps=4"],
    ],
)
def test_settings_add_up_however_they_are_given(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, assignments: list[str]
) -> None:
    begun: list[RunConfig] = []

    def train(config: RunConfig, out: Path, resume: bool, device: str) -> Path:
        begun.append(config)
        return out / "model"

    monkeypatch.setattr("ddmi_core.training.run.train", train)
    code, out, _ = run("train", "--preset", "shape-tiny", "--out", tmp_path / "run", *assignments)
    assert (code, out) == (0, [str(tmp_path / "run" / "model")])
    assert (begun[0].stage1.steps, begun[0].stage2.steps) == (3, 4)
    assert RunConfig.from_file(tmp_path / "run" / "run.yaml") == begun[0]


def test_a_student_is_taught_with_the_settings_that_are_given(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[RunConfig] = []

    def distill(config: RunConfig, out: Path, resume: bool, device: str) -> Path:
        seen.append(config)
        return out / "model"

    monkeypatch.setattr("ddmi_core.training.distill.distill", distill)
    setting = ("--set", "distillation.trajectories=7")
    code, out, _ = run("distill", "mine", "--preset", "shape-tiny", "--out", tmp_path / "run", *setting)
    assert (code, out) == (0, [str(tmp_path / "run" / "model")])
    assert seen[0].start_from == "mine" and seen[0].distillation is not None
    assert (seen[0].distillation.trajectories, seen[0].distillation.student_steps) == (7, 4)


def test_a_run_goes_on_from_a_model(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[RunConfig] = []
    recipe = RunConfig.from_preset("shape-tiny").model_copy(update={"start_from": "furniture"})
    monkeypatch.setattr("ddmi_core.training.fine_tuning.further_from", {"furniture": recipe}.__getitem__)
    monkeypatch.setattr(
        "ddmi_core.training.run.train", lambda config, out, resume, device: seen.append(config) or out / "model"
    )
    code, _, _ = run("train", "--further", "furniture", "--data", "procedural", "--out", tmp_path / "run")
    assert code == 0 and seen[0].start_from == "furniture"
    assert [part.source for part in seen[0].data] == ["procedural"] and seen[0].adapter_rank is None
    options = ("--out", tmp_path / "other", "--set", "adapter_rank=8")
    assert run("train", "--further", "furniture", *options)[0] == 0 and seen[1].adapter_rank == 8


def test_settings_of_a_run_that_goes_on_are_not_dropped_in_silence(run: Run, tmp_path: Path) -> None:
    RunFolder(tmp_path / "run").create(RunConfig.from_preset("shape-tiny").to_yaml())
    code, _, err = run("train", "--out", tmp_path / "run", "--resume", "--set", "stage1.steps=3")
    assert code == 2 and "goes on as its own run.yaml says" in err[0]


def test_a_place_is_chosen_where_none_is_given(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ddmi_core.training.run.train", lambda config, out, resume, device: out)
    assert run("train", "--preset", "shape-tiny")[1] == [str(home / "runs" / "shape-tiny")]
    code, _, err = run("train", "--preset", "shape-tiny")
    assert code == 1 and "already holds a run" in err[0]


def test_ctrl_c_is_code_130_without_a_trace(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(FakePipeline, "sample_each", stop)
    code, _, err = run("generate", "shape", "--prompt", "x", "--out", tmp_path / "a.obj")
    assert (code, err) == (130, ["ddmi: stopped"])
    assert not (tmp_path / "a.obj").exists()


def test_help_needs_no_torch() -> None:
    code = "import sys; from ddmi_core import cli; cli.main(['--help']); assert 'torch' not in sys.modules"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "generate" in shown.stdout and "reconstruct" in shown.stdout
