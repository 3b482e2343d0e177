"""Fits of clips: every frame as it was, what is between frames, and what cannot be fitted."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter

from ddmi_core.cli import main
from ddmi_core.domains import get_domain
from ddmi_core.fidelity import Fidelity
from ddmi_core.fields.film import FilmField
from ddmi_core.fitting import sizes
from ddmi_core.fitting.clips import fit_clip
from ddmi_core.fitting.fit import Fit
from ddmi_core.fitting.motion import is_cut, motion_between
from ddmi_core.likeness import ssim
from ddmi_core.support.errors import DataError, TooLongError
from ddmi_core.support.progress import Cancelled

WIDTH, HEIGHT = 60, 41
ROWS, COLUMNS = np.mgrid[:HEIGHT, :WIDTH] + 0.5


def ground(seed: int = 0) -> np.ndarray:
    """Soft blots of all colours: float (h, w, 3)."""
    noise = gaussian_filter(np.random.default_rng(seed).standard_normal((HEIGHT, WIDTH, 3)), (2, 2, 0))
    return np.clip(0.5 + 0.1 * noise / noise.std(), 0, 1)


def ball(t: float, under: np.ndarray) -> np.ndarray:
    """A white ball of 14 pixels that crosses from left to right, t in [0, 1], on a ground: uint8 (h, w, 3)."""
    cover = np.clip(7.5 - np.hypot(COLUMNS - (9 + 42 * t), ROWS - 20), 0, 1)[..., None]
    return np.rint(255 * (under * (1 - cover) + cover)).astype(np.uint8)


def crossing(count: int) -> list[np.ndarray]:
    under = ground()
    return [ball((i + 0.5) / count, under) for i in range(count)]


def folder_of(frames: list[np.ndarray], folder: Path) -> Path:
    """Write frames as numbered pictures, which keep every pixel."""
    folder.mkdir()
    for number, frame in enumerate(frames):
        Image.fromarray(frame).save(folder / f"{number:03d}.png")
    return folder


def field_of(fit: Fit) -> FilmField:
    field = get_domain("video").fitted(fit)
    assert isinstance(field, FilmField)
    return field


def drawn(field: FilmField, t: float, fit: Fit) -> np.ndarray:
    width, height = fit.pixels or (0, 0)
    return field.at(t).render(width, height, region=fit.extent)


def decibels(a: np.ndarray, b: np.ndarray) -> float:
    return float(-10 * np.log10(np.mean((a[..., :3] / 255.0 - b[..., :3] / 255.0) ** 2) + 1e-12))


@pytest.mark.parametrize(("fidelity", "least"), [("faithful", 46), ("balanced", 26)])
def test_every_frame_is_there_with_what_moves_in_it(tmp_path: Path, fidelity: Fidelity, least: float) -> None:
    frames = crossing(7)
    fit = fit_clip(folder_of(frames, tmp_path / "clip"), fidelity)
    field = field_of(fit)
    assert len(field.marks) == 7
    near = [decibels(drawn(field, t, fit), frame) for t, frame in zip(field.marks, frames, strict=True)]
    assert min(near) > least
    assert abs(fit.figures["psnr"] - np.mean(near)) < 1.5
    measured = [ssim(drawn(field, field.marks[i], fit)[..., :3] / 255, frames[i] / 255) for i in (0, 4)]
    assert fit.figures["ssim"] == pytest.approx(np.mean(measured), abs=0.01)
    assert fit.facts.pixels == (WIDTH, HEIGHT)


def test_between_frames_what_moves_is_seen_once_on_its_way(tmp_path: Path) -> None:
    frames = crossing(13)
    fit = fit_clip(folder_of(frames[::2], tmp_path / "clip"), "faithful")
    field = field_of(fit)
    gains = []
    for (before, after), left_out in zip(pairwise(field.marks), frames[1::2], strict=True):
        seen = drawn(field, (before + after) / 2, fit)
        blended = (drawn(field, before, fit) / 2.0 + drawn(field, after, fit) / 2.0).astype(np.uint8)
        gains.append(decibels(seen, left_out) - decibels(blended, left_out))
    assert np.mean(gains) > 1 and min(gains[0], gains[-1]) > 4  # with no frame beyond, too
    middle = drawn(field, (field.marks[2] + field.marks[3]) / 2, fit)[20, :, :3].min(axis=1) > 240
    assert 10 <= middle.sum() <= 15  # one ball, not two half ones


def test_it_goes_over_from_a_frame_to_the_next_without_a_leap(tmp_path: Path) -> None:
    fit = fit_clip(folder_of(crossing(7), tmp_path / "clip"), "faithful")
    field = field_of(fit)
    just_before = drawn(field, field.marks[3] - 1e-4, fit)
    assert decibels(just_before, drawn(field, field.marks[3], fit)) > 35


def test_at_a_cut_nothing_fades_or_moves(tmp_path: Path) -> None:
    one, other = ground(1), ground(5)
    frames = [ball(0.1 * i, one) for i in range(4)] + [ball(0.1 * i, other) for i in range(4)]
    fit = fit_clip(folder_of(frames, tmp_path / "clip"), "faithful")
    field = field_of(fit)
    start, stop = field.marks[3:5]
    assert decibels(drawn(field, start + 0.4 * (stop - start), fit), frames[3]) > 40
    assert decibels(drawn(field, start + 0.6 * (stop - start), fit), frames[4]) > 40


def test_slices_read_many_moments_at_once(tmp_path: Path) -> None:
    fit = fit_clip(folder_of(crossing(5), tmp_path / "clip"), "faithful")
    along_x, _ = field_of(fit).slices(0.0, 0.0, side=60, moments=40)
    places = [np.flatnonzero(row[:, :3].min(axis=1) > 245).mean() for row in along_x]
    assert np.all(np.diff(places) > -0.6) and places[-1] - places[0] > 25
    values = field_of(fit)(torch.tensor([[0.0, 0.9, 0.0], [0.0, 0.0, -1.0], [0.0, 0.0, 1.0]]))
    assert values[0].tolist() == [0, 0, 0, 0] and values[1:, 3].min() > 0.99


def test_transparent_clips_stay_so(tmp_path: Path) -> None:
    frames = []
    for i in range(4):
        frame = np.zeros((24, 40, 4), np.uint8)
        frame[8:16, 5 + 6 * i : 13 + 6 * i] = 250, 60, 10, 255
        frames.append(frame)
    fit = fit_clip(folder_of(frames, tmp_path / "clip"), "faithful")
    field = field_of(fit)
    seen = drawn(field, field.marks[2], fit)
    assert np.abs(seen.astype(int) - frames[2]).max() <= 3


def test_a_fit_of_a_clip_is_kept(tmp_path: Path) -> None:
    fit = fit_clip(folder_of(crossing(5), tmp_path / "clip"), "faithful")
    fit.save(tmp_path / "kept.fit")
    again = Fit.load(tmp_path / "kept.fit")
    assert again.facts == fit.facts and again.film is not None and fit.film is not None
    assert again.film.moments == pytest.approx(fit.film.moments) and again.film.seconds == fit.film.seconds
    t = field_of(fit).marks[2] + 0.1
    assert np.array_equal(drawn(field_of(again), t, again), drawn(field_of(fit), t, fit))


@pytest.mark.parametrize("broken", ["fine.2.low", "still.0.low", "motion.1.low"])
def test_a_fit_whose_frames_are_damaged_is_refused(tmp_path: Path, broken: str) -> None:
    content = fit_clip(folder_of(crossing(4), tmp_path / "clip"), "faithful").to_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    start = 8 + int.from_bytes(content[:8], "little") + header[broken]["data_offsets"][0]
    with pytest.raises(DataError, match="damaged"):
        Fit.from_bytes(content[:start] + bytes(8) + content[start + 8 :], "broken.fit")


def test_a_clip_of_very_many_pixels_gets_larger_cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sizes, "_MOST_FILM_CELLS", 5 * WIDTH * HEIGHT // 9)
    frames = crossing(5)
    fit = fit_clip(folder_of(frames, tmp_path / "clip"), "faithful")
    assert fit.film is not None and fit.film.frame(0)[0][0].shape[-2:] == (14, 20)
    field = field_of(fit)
    near = [decibels(drawn(field, field.marks[number], fit), frames[number]) for number in (0, 4)]
    assert fit.figures["psnr"] == pytest.approx(np.mean(near), abs=1)
    assert fit.pixels == (WIDTH, HEIGHT)


def test_it_can_be_stopped(tmp_path: Path) -> None:
    told: list[float] = []

    def progress(fraction: float, text: str) -> None:
        told.append(fraction)
        if len(told) == 4:
            raise Cancelled

    with pytest.raises(Cancelled):
        fit_clip(folder_of(crossing(6), tmp_path / "clip"), "faithful", progress)
    assert told == sorted(told)


def test_what_cannot_be_fitted_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = crossing(3)
    with pytest.raises(DataError, match="1 frame"):
        fit_clip(folder_of(frames[:1], tmp_path / "one"), "faithful")
    with pytest.raises(DataError, match="1 x 1 pixels"):
        fit_clip(folder_of([frame[:1, :1] for frame in frames], tmp_path / "tiny"), "faithful")
    with pytest.raises(DataError, match="balanced or faithful"):
        fit_clip(tmp_path / "one", "small")
    (tmp_path / "noise.mp4").write_bytes(bytes(range(256)) * 9)
    with pytest.raises(DataError, match=r"noise\.mp4"):
        fit_clip(tmp_path / "noise.mp4", "faithful")
    monkeypatch.setattr("ddmi_core.data.clip_files.LONGEST_SECONDS", 0.1)
    with pytest.raises(TooLongError, match="too long"):
        fit_clip(folder_of(frames * 2, tmp_path / "long"), "faithful")
    assert len(field_of(fit_clip(tmp_path / "long", "faithful", span=(0.04, 0.12))).marks) == 2


def moved(frame: np.ndarray, x: int, y: int) -> np.ndarray:
    return np.roll(frame, (y, x), (1, 2))


@pytest.mark.parametrize(("x", "y"), [(0, 0), (5, -3), (-8, 2)])
def test_motion_is_found(x: int, y: int) -> None:
    first = ground().transpose(2, 0, 1).astype(np.float32)
    frames = [moved(first, x * number, y * number) for number in (-1, 0, 1, 2)]
    motion = motion_between(*frames)
    inner = motion.way[:, 10:-10, 12:-12]
    assert np.abs(np.median(inner, axis=(1, 2)) - (x, y)).max() < 0.3
    assert motion.mismatch < 0.05


def test_a_cut_is_unlike_the_gaps_beside_it() -> None:
    assert is_cut([0.01, 0.01, 0.2, 0.01], 2) and not is_cut([0.2, 0.19, 0.2, 0.21], 2)
    assert not is_cut([0.2], 0) and not is_cut([0.001, 0.001, 0.02, 0.001], 2)


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png"])
def test_the_command_line_fits_clips(tmp_path: Path, capsys: pytest.CaptureFixture[str], suffix: str) -> None:
    frames = [Image.fromarray(frame) for frame in crossing(4)]
    frames[0].save(tmp_path / f"clip{suffix}", save_all=True, append_images=frames[1:], duration=250)
    assert main(["fit", str(tmp_path / f"clip{suffix}"), "--out", str(tmp_path / "clip.fit"), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["figures"]["psnr"] > 40 and facts["pixels"] == [WIDTH, HEIGHT]
    film = str(tmp_path / "slow.webm")
    assert main(["fit", str(tmp_path / "clip.fit"), "--out", film, "--fps", "8", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["frames"] == 8 and (facts["width"], facts["height"]) == (60, 42)
    assert main(["fit", str(tmp_path / "clip.fit"), "--out", film, "--span", "0,1", "--force"]) == 2
    assert "--span" in capsys.readouterr().err
