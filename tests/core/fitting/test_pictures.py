"""Fits of pictures: how near they come, what they are between the pixels, and their files."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ddmi_core import cli
from ddmi_core.data.full_pictures import read_pixels, read_whole_picture
from ddmi_core.domains import get_domain
from ddmi_core.fidelity import Fidelity
from ddmi_core.fields.image import FittedImageField
from ddmi_core.fields.splines import fitted, means, sampling
from ddmi_core.fitting import coding
from ddmi_core.fitting.fit import Fit
from ddmi_core.fitting.pictures import fit_picture
from ddmi_core.likeness import ssim
from ddmi_core.support.errors import DataError
from ddmi_core.support.progress import Cancelled
from tests.core.data.test_full_pictures import png
from tests.core.support.test_colour_profiles import P3, SRGB_CURVE, profile


def drawing(width: int, height: int, *, alpha: bool = False) -> Image.Image:
    """A picture with smooth parts, edges at an angle and fine detail, area-averaged from four times the size."""
    y, x = np.mgrid[0 : 4 * height, 0 : 4 * width].astype(np.float64) / (4 * height)
    edges = ((x + 0.4 * y) % 0.23 > 0.1) * 0.5
    waves = 0.25 + 0.25 * np.sin(40 * x * (1 + y))
    colour = np.stack([edges + waves, 0.8 * waves + 0.2 * y, 0.9 - edges], axis=-1).clip(0, 1)
    if alpha:
        colour = np.concatenate([colour, ((x - 0.7) ** 2 + (y - 0.5) ** 2 < 0.15)[..., None]], axis=-1)
    means_of = colour.reshape(height, 4, width, 4, -1).mean((1, 3))
    return Image.fromarray((255 * means_of + 0.5).astype(np.uint8), "RGBA" if alpha else "RGB")


def decibels(a: np.ndarray, b: np.ndarray) -> float:
    return -10 * math.log10(np.mean((a.astype(float) - b.astype(float)) ** 2) / 255**2 + 1e-12)


def fit_of(picture: Image.Image, folder: Path, fidelity: Fidelity = "faithful") -> Fit:
    picture.save(folder / "picture.png")
    return fit_picture(folder / "picture.png", fidelity)


def drawn(fit: Fit, width: int, height: int) -> np.ndarray:
    field = get_domain("image").fitted(fit)
    assert isinstance(field, FittedImageField)
    return field.render(width, height, region=fit.extent)


@pytest.mark.parametrize(
    ("fidelity", "least", "alpha"), [("faithful", 60, False), ("faithful", 50, True), ("balanced", 16, False)]
)
def test_a_fit_draws_its_picture(tmp_path: Path, fidelity: Fidelity, least: float, alpha: bool) -> None:
    picture = drawing(90, 60, alpha=alpha)
    fit = fit_of(picture, tmp_path, fidelity)
    seen, truth = drawn(fit, 90, 60), np.asarray(picture.convert("RGBA"))
    seen, truth = (pixels[..., :3] * (pixels[..., 3:] / 255.0) for pixels in (seen, truth))
    assert decibels(seen, truth) > least
    assert abs(fit.figures["psnr"] - decibels(seen, truth)) < 0.5 or fit.figures["psnr"] > 50
    if not alpha:
        assert fit.figures["ssim"] == pytest.approx(ssim(seen / 255, truth / 255), abs=2e-3)
        assert (fit.figures["ssim"] > 0.99) == (fidelity == "faithful")


def test_enlarged_it_is_no_worse_than_bicubic(tmp_path: Path) -> None:
    original = drawing(240, 160)
    small = original.resize((120, 80), Image.Resampling.BOX)
    truth = np.asarray(original)
    fit = decibels(drawn(fit_of(small, tmp_path), 240, 160)[..., :3], truth)
    assert fit >= decibels(np.asarray(small.resize((240, 160), Image.Resampling.BICUBIC)), truth)


def test_made_smaller_it_does_not_alias(tmp_path: Path) -> None:
    board = np.indices((96, 96)).sum(0) % 2  # every pixel unlike its neighbours: grey from afar
    fit = fit_of(Image.fromarray((255 * board).astype(np.uint8)).convert("RGB"), tmp_path)
    assert np.abs(drawn(fit, 16, 16)[2:-2, 2:-2, :3].astype(int) - 128).max() < 12
    assert np.abs(drawn(fit, 96, 96)[..., 0].astype(int) - 255 * board).max() < 12


def test_what_a_model_makes_of_a_file_is_compared_with_all_of_its_detail(tmp_path: Path) -> None:
    domain, latent = get_domain("image"), torch.zeros(4, 8, 8)
    fields = {
        fidelity: domain.fitted(fit_of(drawing(300, 200), tmp_path, fidelity)) for fidelity in ("balanced", "faithful")
    }
    source = domain.read(tmp_path / "picture.png", queries=1)
    facts = {
        name: domain.latent_facts(tmp_path / "picture.png", source, latent, field) for name, field in fields.items()
    }
    assert facts["faithful"].pixels == (300, 200) and facts["faithful"].size_bytes == 1024
    assert facts["faithful"].figures["psnr"] > 50 and facts["balanced"].figures["psnr"] < 30
    drawing(40, 40).resize((3000, 1000)).save(tmp_path / "large.png")
    assert domain.latent_facts(tmp_path / "large.png", source, latent, fields["faithful"]).figures["psnr"] < 20


def test_the_canvas_around_the_picture_is_empty(tmp_path: Path) -> None:
    field = get_domain("image").fitted(fit_of(drawing(64, 32), tmp_path))
    values = field(torch.tensor([[0.0, 0.0], [0.0, 0.51], [0.0, -0.9], [0.99, 0.49]]))
    assert values[:, 3].tolist() == pytest.approx([1, 0, 0, 1], abs=1e-3)


def test_windows_of_a_drawing_fit_together(tmp_path: Path) -> None:
    field = get_domain("image").fitted(fit_of(drawing(64, 48), tmp_path))
    assert isinstance(field, FittedImageField)
    whole = field.render(200, 200)
    assert np.array_equal(field.render(200, 200, window=(70, 90, 60, 50)), whole[90:140, 70:130])


def test_a_fit_is_kept(tmp_path: Path) -> None:
    fit = fit_of(drawing(50, 41), tmp_path)
    fit.save(tmp_path / "kept.fit")
    again = Fit.load(tmp_path / "kept.fit")
    assert again.facts == fit.facts and again.extent == fit.extent and again.domain == "image"
    assert np.abs(drawn(again, 99, 81).astype(int) - drawn(fit, 99, 81)).max() <= 1
    assert fit.facts.size_bytes < len(fit.to_bytes()) < fit.facts.size_bytes + 8192


def test_noise_comes_back_and_takes_a_byte_a_value(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    fit = fit_of(Image.fromarray(noise), tmp_path)
    assert decibels(drawn(fit, 60, 40)[..., :3], noise) > 45
    assert fit.facts.size_bytes < 2 * noise.size  # what jumps by more than 8 bits has a second byte
    flat = fit_of(Image.new("RGB", (60, 40), (9, 200, 77)), tmp_path)
    assert flat.facts.size_bytes < 500


@pytest.mark.parametrize("channels", [3, 4])
def test_coded_fields_are_the_same(channels: int) -> None:
    multiples = np.random.default_rng(0).normal(scale=40, size=(channels, 30, 50)).round()
    multiples[:, 3, 4:9] = [-700, -129, 128, 400, 3000]
    field = (0.01 * multiples).astype(np.float32)
    assert np.abs(coding.decoded(coding.coded(field, 0.01), 0.01, channels) - field).max() < 1e-6
    assert coding.coded(field[:, 10:], 0.01).high is None or np.abs(multiples[:, 10:]).max() > 127
    assert not coding.can_be_coded(channels, 20_000, 5) and not coding.can_be_coded(1, 5, 5)


def test_a_channel_that_is_coded_as_255_everywhere_is_kept() -> None:
    field = np.zeros((4, 6, 9), np.float32)
    field[3] = 127
    assert np.array_equal(coding.decoded(coding.coded(field, 1.0), 1.0, 4), field)


def test_fits_of_plain_numbers_are_read_still(tmp_path: Path) -> None:
    fit = fit_of(drawing(50, 41), tmp_path)
    plain = Fit("image", fit.sizes, fit.readout, fit.basis, "faithful", extent=fit.extent, pixels=fit.pixels)
    content = plain.to_bytes().replace(b"ddmi-fit-2", b"ddmi-fit-1")
    again = Fit.from_bytes(content, "old.fit")
    assert again.facts.size_bytes > 2 * 3 * 50 * 41
    assert np.abs(drawn(again, 99, 81).astype(int) - drawn(fit, 99, 81)).max() <= 1


def test_a_coded_field_that_is_damaged_is_refused(tmp_path: Path) -> None:
    content = bytearray(fit_of(drawing(50, 41), tmp_path).to_bytes())
    content[-40:] = bytes(40)
    content[content.rindex(b"WEBP") : content.rindex(b"WEBP") + 4] = b"WEBQ"
    with pytest.raises(DataError, match="damaged"):
        Fit.from_bytes(bytes(content), "cut.fit")


def test_deep_grey_keeps_its_depth(tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(20000, 20400, 64), (16, 1)).astype(np.uint16)  # two steps of 8 bits
    Image.fromarray(ramp).save(tmp_path / "deep.png")
    fit = fit_picture(tmp_path / "deep.png", "faithful")
    field = get_domain("image").fitted(fit)
    assert isinstance(field, FittedImageField)
    found = field.render(64, 16, region=fit.extent, dtype=np.uint16)[..., 0]
    assert np.abs(found[:, 1:-1].astype(int) - ramp[:, 1:-1]).max() < 40


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (2, 3), (5, 1)])
def test_the_smallest_pictures(tmp_path: Path, size: tuple[int, int]) -> None:
    picture = Image.new("RGB", size, (200, 100, 50))
    assert drawn(fit_of(picture, tmp_path), *size)[0, 0].tolist() == [200, 100, 50, 255]


def test_what_cannot_be_fitted_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    with pytest.raises(DataError, match=r"broken\.png"):
        fit_picture(tmp_path / "broken.png", "faithful")
    with pytest.raises(DataError, match="holds no posed pictures"):
        get_domain("nerf").fit(tmp_path / "cloud.ply")
    with pytest.raises(DataError, match="balanced or faithful"):
        fit_of(drawing(16, 16), tmp_path, "small")


@pytest.mark.parametrize("keep", [0, 7, 200, -4])
def test_a_damaged_file_is_named(tmp_path: Path, keep: int) -> None:
    content = fit_of(drawing(20, 20), tmp_path).to_bytes()
    (tmp_path / "bad.fit").write_bytes(content[:keep])
    with pytest.raises(DataError, match=r"bad\.fit"):
        Fit.load(tmp_path / "bad.fit")


def test_it_can_be_cancelled(tmp_path: Path) -> None:
    drawing(40, 40).save(tmp_path / "picture.png")

    def stop(share: float, message: str) -> None:
        if share > 0.3:
            raise Cancelled

    with pytest.raises(Cancelled):
        fit_picture(tmp_path / "picture.png", "faithful", stop)


@pytest.mark.parametrize("width", [0.0, 0.3, 1.0, 1.7, 2.0, 5.0])
def test_means_are_means(width: float) -> None:
    weights = means(width)
    assert weights.sum() == pytest.approx(1) and (weights >= 0).all()


@pytest.mark.parametrize(("cells", "samples"), [(1, 1), (1, 9), (3, 3), (7, 20), (50, 50)])
def test_a_spline_comes_back_from_its_samples(cells: int, samples: int) -> None:
    spline = np.random.default_rng(0).random((cells, 2))
    smooth = np.cumsum(spline, axis=0) / cells
    assert np.abs(fitted(sampling(cells, samples) @ smooth, cells) - smooth).max() < 0.02


def test_the_same_file_gives_the_same_fit(tmp_path: Path) -> None:
    first, second = fit_of(drawing(33, 21), tmp_path), fit_of(drawing(33, 21), tmp_path)
    assert all(torch.equal(a[0], b[0]) for a, b in zip(first.basis, second.basis, strict=True))


@pytest.mark.parametrize("alpha", [False, True])
def test_a_gradient_of_16_bits_comes_back_without_bands(tmp_path: Path, alpha: bool) -> None:
    ramp = np.linspace(20_000, 24_000, 300)[None] + np.linspace(0, 300, 40)[:, None]  # 16 levels of 8 bits
    pixels = np.rint(np.stack([ramp, ramp[:, ::-1], 0.5 * ramp], axis=-1)).astype(np.uint16)
    if alpha:
        cover = np.full((40, 300, 1), 65535)
        cover[:, :50] = 0
        pixels = np.concatenate([pixels, cover], axis=-1).astype(np.uint16)
    fit_picture(png(tmp_path / "deep.png", pixels), "faithful").save(tmp_path / "deep.fit")
    fit = Fit.load(tmp_path / "deep.fit")
    assert fit.facts.bits == 16
    for suffix in (".png", ".tif"):
        cli.main(["fit", str(tmp_path / "deep.fit"), "--out", str(tmp_path / f"again{suffix}")])
        again = read_whole_picture(tmp_path / f"again{suffix}")
        assert again.bits == 16
        seen = np.rint(65535 * again.pixels[:3]).astype(int)[..., 60 if alpha else 0 :]
        truth = np.moveaxis(pixels[..., :3], -1, 0).astype(int)[..., 60 if alpha else 0 :]
        assert np.abs(seen - truth).max() <= 2
        assert len(np.unique(seen[0])) > 3_000  # 8 bits have 18
        assert np.abs(np.diff(seen[0], axis=1) - np.diff(truth[0], axis=1)).max() <= 3


def test_a_picture_of_8_bits_leaves_with_8(tmp_path: Path) -> None:
    drawing(30, 20).save(tmp_path / "plain.png")
    cli.main(["fit", str(tmp_path / "plain.png"), "--out", str(tmp_path / "again.png")])
    cli.main(["fit", str(tmp_path / "plain.png"), "--bits", "16", "--out", str(tmp_path / "deep.png")])
    assert [read_whole_picture(tmp_path / name).bits for name in ("again.png", "deep.png")] == [8, 16]


def test_wide_colours_are_fitted_as_srgb(tmp_path: Path) -> None:
    icc = profile(P3, SRGB_CURVE)
    drawing(60, 40).save(tmp_path / "wide.png", icc_profile=icc)
    wide = fit_picture(tmp_path / "wide.png", "faithful")
    shown = read_pixels(tmp_path / "wide.png")
    assert decibels(drawn(wide, 60, 40)[..., :3], shown[..., :3]) > 50
    assert decibels(np.asarray(drawing(60, 40)), shown[..., :3]) < 35
