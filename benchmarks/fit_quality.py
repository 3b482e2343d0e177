"""How near fits come to the files that they stand for.

    python -m benchmarks.fit_quality photographs/*.png meshes/*.stl
    python -m benchmarks.fit_quality photographs/lake.png --siren 60
    python -m benchmarks.fit_quality --solids
    python -m benchmarks.fit_quality --clips
    python -m benchmarks.fit_quality --scenes --sheets FOLDER

Prints one JSON object a line for each file and fidelity. Of a picture: PSNR and SSIM at its own size; the same file
made half as large, fitted and drawn at its own size again, beside bicubic enlargement; the fit's size, and that of a
JPEG that comes as near (quality 100 at most). With `--siren`, a plain SIREN (Sitzmann et al. 2020) of 4 x 256 learns
the picture for so many seconds of the processor. Of a mesh: IoU at 64^3 places drawn evenly in its box, and the
symmetric Chamfer distance as a share of the diagonal; and the same of as many bytes of the plainest peer, a grid of
signed distances in half precision between which lines are drawn. Seconds are the processor's.

With `--solids`, also of the meshes of `drawn_solids`.

With `--clips`, also of the ten clips of `drawn_clips`, or of some by their names: PSNR of all frames and the worst; in
how many the ball is found, where there is one; the same clip of every second frame alone, the frames left out beside
blending of their neighbours and FFmpeg's `minterpolate`; the fit's size, and that of an H.264 file (4:4:4) that comes
as near.

With `--scenes`, also of the ten things of `drawn_scenes`, or of some by their names, each in 24 pictures of 128 x 128
of which 6 are held out: PSNR on white of these, each as a whole, the mean and the worst, and of those that were learned
from; `floaters`, the share of all opacity, at 128^3 places, that does not hang together with its largest part.
`--sheets` writes each held-out picture above the same view of the fit.
"""

import io
import json
import math
import tempfile
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
import trimesh
import tyro
from PIL import Image
from scipy.interpolate import RegularGridInterpolator
from torch import nn

from benchmarks.drawn_clips import BALL, CLIPS, DIFFICULT, FRAMES, HEIGHT, WIDTH, ball_place, drawn
from benchmarks.drawn_scenes import DIFFICULT as DIFFICULT_SCENES
from benchmarks.drawn_scenes import SCENES, write_scene
from benchmarks.drawn_solids import SOLIDS
from ddmi_core.data.scene_views import read_scene
from ddmi_core.data.shape_folders import read_mesh
from ddmi_core.domains import get_domain
from ddmi_core.fidelity import Fidelity
from ddmi_core.fields.field import Vantage
from ddmi_core.fields.film import FilmField
from ddmi_core.fields.image import FittedImageField
from ddmi_core.fields.radiance import RadianceField
from ddmi_core.fields.shape import ShapeField
from ddmi_core.fitting.clips import fit_clip
from ddmi_core.fitting.fit import Fit
from ddmi_core.fitting.pictures import fit_picture
from ddmi_core.fitting.plan import FitPlan
from ddmi_core.fitting.solids import Places, measured_places, signed_distances, solid_of
from ddmi_core.likeness import psnr, ssim
from ddmi_core.metrics.shapes import surface_distances
from ddmi_core.rendering.surfaces import Logits, extract_mesh

_FIDELITIES: tuple[Fidelity, ...] = ("balanced", "faithful")
_SURFACE, _INSIDE = 30_000, 64**3
_MESHED = 256


def main(
    files: tyro.conf.Positional[tuple[Path, ...]] = (),
    /,
    siren: float = 0.0,
    threads: int = 1,
    solids: bool = False,
    clips: bool = False,
    scenes: bool = False,
    sheets: Path | None = None,
    fidelities: tuple[Fidelity, ...] = _FIDELITIES,
    only: tuple[str, ...] = (),
) -> None:
    """Fit files and measure the fits.

    Args:
        files: pictures and meshes.
        solids: also measure meshes made by rule.
        clips: also measure clips made by rule.
        scenes: also measure scenes made by rule.
        sheets: a folder, for pictures of scenes and their fits.
        fidelities: of the fits.
        only: names of some of them.
        siren: seconds that a peer may learn each picture for.
        threads: that torch may use.
    """
    torch.set_num_threads(threads)
    for file in files:
        if file.suffix.lower() in get_domain("image").import_formats:
            for fidelity in _FIDELITIES:
                _print({"file": file.name, "fidelity": fidelity, **_picture(file, fidelity)})
            if siren:
                _print({"file": file.name, "peer": "siren", **_siren(file, siren)})
        else:
            _measure_mesh(file)
    with tempfile.TemporaryDirectory() as folder:
        for name, solid in SOLIDS.items() if solids else ():
            if not only or name in only:
                file = Path(folder, f"{name}.ply")
                solid().export(file)
                _measure_mesh(file)
    for name, draw in CLIPS.items() if clips else ():
        if not only or name in only:
            kind = "difficult" if name in DIFFICULT else "easy"
            for line in _clip(name, drawn(draw)):
                _print({"clip": name, "kind": kind, **line})
    for name, make in SCENES.items() if scenes else ():
        if not only or name in only:
            kind = "difficult" if name in DIFFICULT_SCENES else "easy"
            for fidelity in fidelities:
                sheet = None if sheets is None else sheets / f"{name}-{fidelity}.png"
                _print({"scene": name, "kind": kind, "fidelity": fidelity, **_scene(make(), fidelity, sheet)})


def _scene(parts: list[trimesh.Trimesh], fidelity: Fidelity, sheet: Path | None) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        file = write_scene(Path(folder, "scene"), parts)
        began = time.process_time()
        fit = get_domain("nerf").fit(file, FitPlan(fidelity))
        seconds = time.process_time() - began
        views = read_scene(file).held_out
    field = get_domain("nerf").fitted(fit)
    assert isinstance(field, RadianceField)
    height, width = views.pixels.shape[1:3]
    values = views.pixels / 255.0
    truth = values[..., :3] * values[..., 3:] + 1 - values[..., 3:]
    seen = field.observe("pictures", Vantage(cameras=views.cameras, size=(width, height))).movedim(1, -1).numpy()
    nearness = [psnr(one, other) for one, other in zip(seen, truth, strict=True)]
    if sheet is not None:
        sheet.parent.mkdir(parents=True, exist_ok=True)
        rows = [np.concatenate(list(pictures), axis=1) for pictures in (truth, seen.clip(0, 1))]
        Image.fromarray(_bytes(np.concatenate(rows))).save(sheet)
    return {
        "psnr": round(float(np.mean(nearness)), 2),
        "worst_view": round(min(nearness), 2),
        "learned_psnr": round(fit.figures["seen_psnr"], 2),
        "floaters": round(field.loose_share(), 4),
        "bytes": fit.facts.size_bytes,
        "seconds": round(seconds, 1),
    }


def _clip(name: str, frames: np.ndarray) -> Iterator[dict[str, Any]]:
    left_out, given = frames[1:-1:2], frames[::2]
    between = {"blended": (given[:-1] / 2.0 + given[1:] / 2.0), "minterpolate": _minterpolated(given)}
    with tempfile.TemporaryDirectory() as folder:
        whole = _film(Path(folder, "whole.mkv"), frames, {"qp": "0"}, "libx264rgb", "rgb24")
        half = _film(Path(folder, "half.mkv"), given, {"qp": "0"}, "libx264rgb", "rgb24")
        for fidelity in _FIDELITIES:
            began = time.process_time()
            fit = fit_clip(whole, fidelity)
            seconds = time.process_time() - began
            shown = _frames_of(fit, lambda marks: marks)
            nearness = [psnr(a / 255.0, b / 255.0) for a, b in zip(shown, frames, strict=True)]
            whole_psnr = _psnr(shown, frames)
            line = {
                "fidelity": fidelity,
                "psnr": whole_psnr,
                "worst_frame": round(min(nearness), 2),
                "bytes": fit.facts.size_bytes,
                "h264_bytes": _h264_bytes(Path(folder), frames, whole_psnr),
                "seconds": round(seconds, 1),
            }
            if name in ("ball", "ball in the meadow"):
                line["ball_found"] = sum(_ball_is_there(frame, i) for i, frame in enumerate(shown))
                line["frames"] = len(frames)
            yield line
        fit = fit_clip(half, "faithful")
        middles = _frames_of(fit, lambda marks: [(a + b) / 2 for a, b in pairwise(marks)])
        found = {"fit": _psnr(middles, left_out)} | {peer: _psnr(made, left_out) for peer, made in between.items()}
        yield {"left_out": True, **found}


def _frames_of(fit: Fit, moments: Callable[[list[float]], list[float]]) -> np.ndarray:
    field = get_domain("video").fitted(fit)
    assert isinstance(field, FilmField) and fit.pixels is not None
    return np.stack([field.at(t).render(*fit.pixels, region=fit.extent)[..., :3] for t in moments(field.marks)])


def _psnr(shown: np.ndarray, truth: np.ndarray) -> float:
    return round(min(psnr(shown / 255.0, truth / 255.0), 99.0), 2)


def _ball_is_there(frame: np.ndarray, number: int) -> bool:
    """Whether nine tenths of the places where the ball is are orange, as neither of the grounds is on the whole."""
    x, y = ball_place((number + 0.5) / FRAMES)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    inside = np.hypot(columns - x, rows - y) < BALL / 2 - 1
    red_over_blue = frame[..., 0].astype(int) - frame[..., 2]
    return bool((red_over_blue[inside] > 60).mean() > 0.9)


def _film(path: Path, frames: np.ndarray, options: dict[str, str], codec: str, pixels: str) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=Fraction(12), options=options)
        assert isinstance(stream, av.VideoStream)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = pixels
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")))
        container.mux(stream.encode(None))
    return path


def _h264_bytes(folder: Path, frames: np.ndarray, nearness: float) -> int:
    """The size of the smallest H.264 file that comes as near, or of the nearest there is."""
    for quantiser in range(40, -1, -2):
        path = _film(folder / "peer.mkv", frames, {"qp": str(quantiser)}, "libx264rgb", "rgb24")
        with av.open(str(path)) as container:
            shown = np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])
        if _psnr(shown, frames) >= nearness:
            break
    return path.stat().st_size


def _minterpolated(given: np.ndarray) -> np.ndarray:
    """What FFmpeg's `minterpolate` puts between frames, with motion in both directions and its usual settings."""
    height, width = given.shape[1:3]
    graph = av.filter.Graph()
    steps = [
        graph.add_buffer(width=width, height=height, format="rgb24", time_base=Fraction(1, 6)),
        graph.add("minterpolate", "fps=12:mi_mode=mci:mc_mode=aobmc:me_mode=bidir:vsbmc=1:scd=fdiff"),
        graph.add("format", "rgb24"),
        graph.add("buffersink"),
    ]
    for one, other in pairwise(steps):
        one.link_to(other)
    graph.configure()
    made: dict[int, np.ndarray] = {}

    def take() -> None:
        while True:
            try:
                frame = graph.pull()
            except (av.BlockingIOError, av.EOFError):
                return
            made[round(frame.pts * frame.time_base * 12)] = frame.to_ndarray(format="rgb24")

    # It needs a frame more at either end than it gives back
    for number, pixels in enumerate([*given, given[-1], given[-1]]):
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        frame.pts, frame.time_base = number, Fraction(1, 6)
        graph.push(frame)
        take()
    graph.push(None)
    take()
    return np.stack([made[2 * number + 1] for number in range(len(given) - 1)])


def _picture(file: Path, fidelity: Fidelity) -> dict[str, float]:
    truth = _pixels(Image.open(file))
    height, width = truth.shape[:2]
    began = time.process_time()
    drawn, size = _fitted(file, fidelity, width, height)
    seconds = time.process_time() - began
    nearness = psnr(drawn, truth)
    with tempfile.TemporaryDirectory() as folder:
        half = Image.fromarray(_bytes(truth)).resize((width // 2, height // 2), Image.Resampling.BOX)
        half.save(Path(folder, "half.png"))
        enlarged, _ = _fitted(Path(folder, "half.png"), fidelity, width, height)
    bicubic = _pixels(half.resize((width, height), Image.Resampling.BICUBIC))
    return {
        "psnr": round(min(nearness, 99.0), 2),
        "ssim": round(ssim(drawn, truth), 4),
        "enlarged_psnr": round(psnr(enlarged, truth), 2),
        "bicubic_psnr": round(psnr(bicubic, truth), 2),
        "bytes": size,
        "jpeg_bytes": _jpeg_bytes(truth, nearness),
        "seconds": round(seconds, 2),
    }


def _fitted(file: Path, fidelity: Fidelity, width: int, height: int) -> tuple[np.ndarray, int]:
    fit = fit_picture(file, fidelity)
    field = get_domain("image").fitted(fit)
    assert isinstance(field, FittedImageField)
    return field.render(width, height, region=fit.extent)[..., :3] / 255.0, fit.facts.size_bytes


def _jpeg_bytes(truth: np.ndarray, nearness: float) -> int:
    """The size of the smallest JPEG that comes as near to the picture, or the nearest there is."""
    for quality in range(5, 101, 5):
        file = io.BytesIO()
        Image.fromarray(_bytes(truth)).save(file, "JPEG", quality=quality, subsampling=0)
        if quality == 100 or psnr(_pixels(Image.open(file)), truth) >= nearness:
            break
    return file.getbuffer().nbytes


class _Sine(nn.Module):
    def __init__(self, inputs: int, outputs: int, first: bool) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)
        reach = 1 / inputs if first else math.sqrt(6 / inputs) / 30
        nn.init.uniform_(self.linear.weight, -reach, reach)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sin(30 * self.linear(x))


def _siren(file: Path, seconds: float) -> dict[str, float]:
    truth = torch.from_numpy(_pixels(Image.open(file))).float()
    height, width = truth.shape[:2]
    longest = max(height, width)
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    coords = torch.stack([2 * columns + 1 - width, 2 * rows + 1 - height], dim=-1).reshape(-1, 2) / longest
    values = truth.reshape(-1, 3)
    torch.manual_seed(0)
    network = nn.Sequential(_Sine(2, 256, True), *(_Sine(256, 256, False) for _ in range(3)), nn.Linear(256, 3))
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-4, fused=True)
    began = time.process_time()
    while time.process_time() - began < seconds:
        chosen = torch.randint(len(coords), (16384,))
        loss = (network(coords[chosen]) - values[chosen]).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        drawn = torch.cat([network(part) for part in coords.split(65536)]).clamp(0, 1)
    return {"psnr": round(psnr(drawn.numpy(), values.numpy()), 2), "seconds": seconds}


def _measure_mesh(file: Path) -> None:
    for fidelity in _FIDELITIES:
        for line in _mesh(file, fidelity):
            _print({"file": file.name, "fidelity": fidelity, **line})


def _mesh(file: Path, fidelity: Fidelity) -> Iterator[dict[str, Any]]:
    began = time.process_time()
    fit = get_domain("shape").fit(file, FitPlan(fidelity))
    seconds = time.process_time() - began
    field = get_domain("shape").fitted(fit)
    assert isinstance(field, ShapeField)
    truth, _ = read_mesh(file)
    _, places = measured_places(truth, 8, held_out=_INSIDE)
    made = field.mesh(_MESHED)
    yield {
        **_solid_nearness(field.logits, made, places, truth),
        "bytes": fit.facts.size_bytes,
        "seconds_of_this_process": round(seconds, 1),
        "watertight": bool(made.is_watertight),
    }
    peer = _distance_grid(truth, fit.facts.size_bytes)
    yield {"peer": "grid", **_solid_nearness(peer, extract_mesh(peer, _MESHED), places, truth)}


def _solid_nearness(logits: Logits, made: trimesh.Trimesh, places: Places, truth: trimesh.Trimesh) -> dict[str, float]:
    found, inside = logits(torch.from_numpy(places.points)).numpy() > 0, places.distances > 0
    # From places on one surface to the other itself: between places of both it would be how densely they lie
    chamfer = np.mean(
        [
            surface_distances(trimesh.sample.sample_surface(here, _SURFACE, seed=0)[0], there).mean()
            for here, there in ((made, truth), (truth, made))
        ]
    )
    return {
        "iou": round(float((found & inside).sum() / (found | inside).sum()), 4),
        "chamfer_percent": round(100 * float(chamfer / np.linalg.norm(truth.extents)), 3),
    }


def _distance_grid(mesh: trimesh.Trimesh, size: int) -> Logits:
    """Signed distances at the places of a grid that takes so many bytes, linear between them."""
    side = int((size / np.dtype(np.float16).itemsize) ** (1 / 3))
    axis = np.linspace(-1, 1, side)
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    distances = signed_distances(solid_of(mesh, np.random.default_rng(0)), points).astype(np.float16)
    read = RegularGridInterpolator((axis,) * 3, distances.astype(np.float32).reshape((side,) * 3))
    return lambda places: torch.from_numpy(read(places.numpy().clip(-1, 1)).astype(np.float32))


def _pixels(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture.convert("RGB")) / 255.0


def _bytes(pixels: np.ndarray) -> np.ndarray:
    return (255 * pixels + 0.5).astype(np.uint8)


def _print(line: dict[str, Any]) -> None:
    print(json.dumps({"benchmark": "fit_quality", **line}), flush=True)


if __name__ == "__main__":
    tyro.cli(main)
