"""Pictures scale by scale: what weights mean, and the film in which finer scales come in."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from ddmi_core.export.options import VideoExport
from ddmi_core.export.videos import export_video
from ddmi_core.fields.image import DecodedImageField, FittedImageField
from ddmi_core.fields.scales import ScaleFilm, weights_at
from ddmi_core.networks.basis_decoder import BasisFields
from ddmi_core.networks.readout import ReadOut
from ddmi_core.planes import SINGLE_PLANE
from ddmi_core.recipe import Recipe


def fields_of(*sides: int, channels: int = 4) -> BasisFields:
    generator = torch.Generator().manual_seed(0)
    return tuple((0.2 + 0.1 * torch.randn(1, channels, side, side, generator=generator),) for side in sides)


@pytest.fixture
def taught() -> DecodedImageField:
    """As of a model: its read-out is not linear."""
    torch.manual_seed(0)
    readout = ReadOut(SINGLE_PLANE, "sum", 4, 3, 4, width=16, footprint=(-10.0, -5.0)).requires_grad_(False).eval()
    readout.out.bias += torch.tensor([0.3, 0.4, 0.5, 0.8])  # or all would be cut off
    return DecodedImageField(readout, fields_of(4, 8, 16))


@pytest.fixture
def added() -> FittedImageField:
    """As of a fit: its read-out adds the scales."""
    readout = ReadOut(SINGLE_PLANE, "sum", 3, 3, 4, width=6).make_adding().requires_grad_(False).eval()
    return FittedImageField(readout, fields_of(4, 8, 16, channels=3), (-1.0, -0.5, 1.0, 0.5))


def test_a_weight_is_that_of_what_a_scale_says(taught: DecodedImageField) -> None:
    coords = 2 * torch.rand(50, 2, generator=torch.Generator().manual_seed(1)) - 1
    said = taught.readout.embeddings(taught.basis, coords[None])
    weights = (1.0, 0.5, 0.0)
    expected = taught.readout(tuple(w * e for w, e in zip(weights, said, strict=True)), torch.full((1, 50, 1), -1.0))
    torch.testing.assert_close(taught.weighted(weights)(coords), expected[0])
    with pytest.raises(ValueError, match="zip"):
        taught.weighted((1.0, 0.0))


def test_of_a_fit_the_scales_that_count_are_added(added: FittedImageField) -> None:
    coords = torch.rand(50, 2, generator=torch.Generator().manual_seed(1)) - 0.5
    alone = [added.weighted(tuple(float(one == scale) for one in range(3)))(coords) for scale in range(3)]
    torch.testing.assert_close(added.weighted((1.0, 0.25, 0.0))(coords)[..., :3], (alone[0] + 0.25 * alone[1])[..., :3])
    torch.testing.assert_close(sum(alone)[..., :3], added(coords)[..., :3])


def test_one_scale_after_the_other_comes_in_and_stays() -> None:
    moments = np.linspace(-1, 1, 241)
    weights = np.array([weights_at(t, 3) for t in moments])
    assert (weights[:, 0] == 1).all() and (np.diff(weights, axis=0) >= 0).all()
    assert (weights[moments < -2 / 3, 1:] == 0).all(), "a sixth of the time is the coarse scale's alone"
    assert (weights[moments > 2 / 3] == 1).all(), "the last sixth is the picture's"
    assert not ((weights[:, 2] > 0) & (weights[:, 1] < 1)).any()
    assert weights_at(-2 / 3 + 1 / 4, 3) == (1.0, pytest.approx(0.5), 0.0)
    assert np.abs(np.diff(weights, axis=0)).max() < 0.03, "nothing jumps"
    assert weights_at(-1, 1) == weights_at(1, 1) == (1.0,)


@pytest.mark.parametrize("kind", ["taught", "added"])
def test_the_film_ends_with_the_picture_itself(kind: str, request: pytest.FixtureRequest) -> None:
    field: DecodedImageField | FittedImageField = request.getfixturevalue(kind)
    film = ScaleFilm(field)
    np.testing.assert_array_equal(film.at(1.0).render(40, 24), field.render(40, 24))
    np.testing.assert_array_equal(film.at(-1.0).render(40, 24), field.weighted((1, 0, 0)).render(40, 24))
    apart = [np.abs(film.at(t).render(40, 24).astype(int) - field.render(40, 24)).mean() for t in (-1, 0, 1)]
    assert apart[0] > 1 < apart[1] and apart[2] == 0


@pytest.mark.parametrize("suffix", [".mp4", ".gif"])
def test_the_film_is_written_as_any_other(tmp_path: Path, added: FittedImageField, suffix: str) -> None:
    drawn: list[tuple[float, ...]] = []

    class Counted:
        basis = added.basis

        def weighted(self, weights: tuple[float, ...]) -> FittedImageField:
            drawn.append(weights)
            return added.weighted(weights)

    recipe = Recipe(domain="image", model="portraits", model_hash="0" * 16, seed=1, extent=added.extent)
    options = VideoExport(resolution=64, fps=Fraction(10), seconds=2.4, quality=100)
    facts = export_video(ScaleFilm(Counted()), tmp_path / f"film{suffix}", options, recipe=recipe)
    assert (facts["width"], facts["height"], facts["frames"]) == (64, 32, 24)
    with av.open(str(tmp_path / f"film{suffix}")) as film:
        frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    assert len(frames) == 24
    coarse, whole = (added.weighted(w).render(64, 32, region=added.extent)[..., :3] for w in ((1, 0, 0), (1, 1, 1)))
    between = np.abs(coarse.astype(int) - whole).mean()
    for frame, truth in ((0, coarse), (23, whole)):
        assert np.abs(frames[frame].astype(int) - truth).mean() < between / 4
    assert len(drawn) == len(set(drawn)) < 24, "what the film stays with is drawn once"
