"""Skies: one function of place, moment and footprint, true captions, and examples that agree with it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ddmi_core.coordinates import cell_centres
from ddmi_core.data.clip_sources import open_clips
from ddmi_core.data.clips import Encoded
from ddmi_core.data.skies import Skies, SkySource, sources
from ddmi_core.data.skies.captions import caption
from ddmi_core.data.skies.function import colours
from ddmi_core.data.skies.noise import fractal, noise
from ddmi_core.data.skies.scene import draw_scene
from ddmi_core.data.skies.sources import pictures

SOME = range(24)
FOREGROUNDS = ("none", "hills", "mountains", "sea", "city", "trees", "lake")


def places(count: int, seed: int = 0) -> torch.Tensor:
    return 2 * torch.rand(count, 3, generator=torch.Generator().manual_seed(seed)) - 1


def test_every_kind_of_scene_is_drawn_from_its_seed_alone() -> None:
    scenes = [draw_scene(3, i) for i in range(300)]
    assert {scene.foreground for scene in scenes} == set(FOREGROUNDS)
    assert {scene.time for scene in scenes} == {"dawn", "noon", "sunset", "night"}
    assert {scene.clouds for scene in scenes} == {"clear", "cumulus", "streaks", "overcast", "storm"}
    assert any(s.fog for s in scenes) and any(s.rain for s in scenes) and any(s.aurora for s in scenes)
    assert draw_scene(3, 7) == scenes[7] != draw_scene(4, 7)


def test_colours_are_a_function_of_place_and_moment() -> None:
    for i in SOME:
        scene, where = draw_scene(0, i), places(400)
        found = colours(scene, where, 1 / 64)
        assert found.shape == (400, 3) and bool(torch.isfinite(found).all())
        assert float(found.min()) >= 0 and float(found.max()) <= 1 and float(found.std()) > 0.02
        alone = torch.cat([colours(scene, place, 1 / 64) for place in where[100:120].split(1)])
        assert torch.allclose(alone, found[100:120], atol=1e-5)  # whatever else is asked for
        near = where.clone()
        near[:, 2] += 1e-4
        assert float((colours(scene, near, 1 / 64) - found).abs().mean()) < 2e-3  # goes on smoothly in time


@pytest.mark.parametrize("foreground", FOREGROUNDS)
def test_a_large_pixel_is_about_the_mean_of_small_ones(foreground: str) -> None:
    index = next(
        i for i in range(200) if draw_scene(1, i).foreground == foreground and draw_scene(1, i).time != "night"
    )
    scene, side, fine = draw_scene(1, index), 48, 4
    along = (torch.arange(side * fine) + 0.5) * (2 / (side * fine)) - 1
    y, x = torch.meshgrid(along, along, indexing="ij")
    small = colours(scene, torch.stack([x, y, torch.zeros_like(x)], -1).view(-1, 3), 2 / (side * fine))
    mean = small.view(side, fine, side, fine, 3).mean((1, 3))
    along = (torch.arange(side) + 0.5) * (2 / side) - 1
    y, x = torch.meshgrid(along, along, indexing="ij")
    large = colours(scene, torch.stack([x, y, torch.zeros_like(x)], -1).view(-1, 3), 2 / side).view(side, side, 3)
    point = colours(scene, torch.stack([x, y, torch.zeros_like(x)], -1).view(-1, 3), 1e-3).view(side, side, 3)
    errors = [float((seen - mean).square().mean()) for seen in (large, point)]
    assert errors[0] < 2e-3 and errors[0] < 1.1 * errors[1] + 2e-4


def test_noise_is_smooth_bounded_and_loses_what_is_smaller_than_a_pixel() -> None:
    where = 40 * places(2000)
    assert float(noise(where, 4).abs().max()) <= 1 and noise(where, 4).shape == (2000, 4)
    assert float((noise(where + 1e-3) - noise(where)).abs().max()) < 0.01
    spread = [float(fractal(where, 6, torch.full((2000,), size)).std()) for size in (1e-3, 0.7, 2.0)]
    assert spread[0] > spread[1] > spread[2] == 0


@pytest.mark.slow
def test_captions_say_what_is_there() -> None:
    rng = np.random.default_rng(0)
    words = {"city": ("city", "skyline", "houses"), "sea": ("sea", "ocean", "water"), "lake": ("lake",)}
    for i in range(60):
        scene = draw_scene(2, i)
        texts = [caption(scene, rng) for _ in range(25)]
        said = " ".join(texts).replace(",", "").split()
        for foreground, names in words.items():
            assert (foreground == scene.foreground) == bool(set(names) & set(said)), (scene, texts)
        assert ("sunset" in said or "dusk" in said or "evening" in said) == (scene.time == "sunset")
        assert bool({"fog", "mist"} & set(said)) <= scene.fog and ("rain" in said) <= scene.rain
        assert ("storm" in said or "stormy" in said) <= (scene.clouds == "storm")
        assert bool({"stars", "starry"} & set(said)) <= (scene.time == "night" and scene.clouds != "storm")


def test_examples_agree_with_the_function() -> None:
    source = SkySource(Skies(50, 1), encoded=Encoded(8, 16), queries=64, footprints=(-7.0, -4.0))
    for i in (0, 3, 11):
        example = source.sample(i, np.random.default_rng(i), augment="none")
        scene = source.clips.scene(i)
        for coords, size, target in zip(example["coords"], example["footprint"], example["targets"], strict=True):
            true = colours(scene, torch.from_numpy(coords[None]), 2 * 2.0 ** float(size[0]))
            assert np.allclose(true.numpy()[0], target[:3], atol=5e-4) and target[3] == 1
        true_frames = np.moveaxis(pictures(scene, cell_centres(8).numpy(), 16), -1, 0)
        assert np.abs(example["video"][:3] - true_frames).mean() < 0.02  # it is kept as a photograph is
        assert not example["video"][4].any()  # every frame is of its moment
    late = [np.abs(source.sample(i, np.random.default_rng(5), augment="captioned")["video"][4]).max() for i in range(9)]
    assert 0 in late and 0 < max(late) < 2


def test_what_an_encoder_is_given_is_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    source = SkySource(Skies(50, 1), encoded=Encoded(8, 16), queries=64, footprints=(-7.0, -4.0))
    drawn = source.sample(2, np.random.default_rng(0), augment="captioned")
    asked = []
    monkeypatch.setattr(sources, "colours", lambda *given: asked.append(len(given[1])) or colours(*given))
    again = source.sample(2, np.random.default_rng(1), augment="captioned")
    assert asked == [64]  # the places alone
    assert np.array_equal(again["video"], drawn["video"])
    assert not np.array_equal(again["coords"], drawn["coords"])


def test_it_is_trained_on_by_name_and_opened_as_a_clip() -> None:
    train, held_out = (
        open_clips("skies", split, seed=4, encoded=Encoded(4, 8), queries=16, footprints=(-5.0, -3.0))
        for split in ("train", "held_out")
    )
    assert len(train) == 8_000 and len(held_out) == 500 and train.captions(0) != held_out.captions(0)
    assert train.thumbnail(0, 8).shape == (8, 8, 4)
    clip = train.clips.open(1)
    assert clip.frames.shape == (32, 96, 96, 4) and (clip.frames[..., 3] == 255).all()
    assert np.abs(np.diff(clip.frames[..., :3].astype(float), axis=0)).mean() > 0.2  # something moves
