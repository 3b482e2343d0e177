"""What the readers make of damaged and hostile files: every file in a process of its own that may die.

    python -m benchmarks.fuzz_readers [--files 30] [--seed 0] [--only NAME ...]

For each reader a good file, or folder, is made and then spoiled at random: bytes flipped, cut short, inserted, sizes in
headers blown up, values of JSON, YAML and INI replaced by others, suffixes swapped, files of a folder removed or
exchanged. A reader may refuse it with a `DDMIError` that says something, or read it; where it has something to fall
back on, such as the default of a setting, reading is the only good answer. All else is a crash: another exception, the
end of the process, more than `MEMORY` or `SECONDS` of computing.

Prints a JSON line for each reader (files, refused, read, crashes, slowest in seconds of computing, peak memory) with
what was spoiled to crash it, and one for all. The same seed spoils alike.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time
import traceback
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tyro

if TYPE_CHECKING:
    from studio.state.export_choice import Choice

SECONDS = 10.0
"""Of computing, that a file may take."""
MEMORY = 2 * 2**30
"""Bytes that a file may take, beside what the process has before."""
_PATIENCE = 60.0  # seconds on the clock after which a process that does not compute counts as hanging
_LEAST_MESSAGE = 24  # characters; shorter ones say nothing

Make = Callable[[Path], list[Path]]
"""Writes good files into an empty folder, and returns those that may be spoiled."""
Read = Callable[[Path, Path], object]
"""Reads the folder, of which the file was spoiled."""


@dataclass(frozen=True)
class Reader:
    """A reader, and what it reads. `forgiving`: it has something to fall back on, so it never refuses."""

    name: str
    make: Make
    read: Read
    suffixes: tuple[str, ...] = ()
    """Others that the file may be renamed to."""
    forgiving: bool = False


@dataclass
class Outcome:
    """What became of a spoiled file: `read`, `refused`, or `crashed`."""

    what: str
    text: str = ""
    seconds: float = 0.0
    memory: int = 0


def main(files: int = 30, seed: int = 0, only: tuple[str, ...] = ()) -> None:
    """Spoil files and read them.

    Args:
        files: how many for each reader.
        seed: of how they are spoiled.
        only: names of readers; all without.
    """
    total = dict.fromkeys(("files", "read", "refused", "crashes"), 0)
    slowest, peak = 0.0, 0
    for reader in readers():
        if only and reader.name not in only:
            continue
        counts = dict.fromkeys(total, 0)
        outcomes = list(fuzz(reader, files, seed))
        for how, outcome in outcomes:
            counts["files"] += 1
            counts["crashes" if outcome.what == "crashed" else outcome.what] += 1
            if outcome.what == "crashed":
                print(f"{reader.name}: {how}\n{outcome.text}\n", file=sys.stderr, flush=True)
        total = {key: total[key] + counts[key] for key in total}
        seconds, memory = max(one.seconds for _, one in outcomes), max(one.memory for _, one in outcomes)
        slowest, peak = max(slowest, seconds), max(peak, memory)
        _say(reader.name, counts, seconds, memory, [how for how, one in outcomes if one.what == "crashed"])
    _say("all", total, slowest, peak, [])


def _say(name: str, counts: dict[str, int], seconds: float, memory: int, crashed: list[str]) -> None:
    figures = {**counts, "slowest_seconds": round(seconds, 2), "peak_mb": round(memory / 2**20)}
    line = {"benchmark": "fuzz_readers", "reader": name, **figures} | ({"crashed_by": crashed} if crashed else {})
    print(json.dumps(line, ensure_ascii=False), flush=True)


def fuzz(reader: Reader, files: int, seed: int) -> Iterator[tuple[str, Outcome]]:
    """Spoil files one after the other and have each read by a process that may die; say how, and what came of it."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place, Process(reader) as process:
        good = Path(place) / "good"
        good.mkdir()
        names = [path.relative_to(good) for path in reader.make(good)]
        shutil.copytree(good, Path(place) / "as it is")
        sound = process.read(Path(place) / "as it is", Path(place) / "as it is" / names[0])
        if sound.what != "read":
            sys.exit(f"{reader.name}: what is to be spoiled cannot be read: {sound.text}")
        for number in range(files):
            rng = random.Random(zlib.crc32(f"{seed} {reader.name} {number}".encode()))
            folder = Path(place) / f"spoiled{number}"
            shutil.copytree(good, folder)
            file, how = spoil(folder, [folder / name for name in names], reader.suffixes, rng)
            yield f"{number}: {how}", process.read(folder, file)
            shutil.rmtree(folder, ignore_errors=True)


def judge(reader: Reader, folder: Path, file: Path) -> Outcome:
    """Read a spoiled file here, and say what came of it."""
    from ddmi_core.support.errors import DDMIError

    try:
        reader.read(folder, file)
    except DDMIError as error:
        text = str(error)
        if reader.forgiving:
            return Outcome("crashed", f"refused, though it has something to fall back on: {text}")
        if len(text) < _LEAST_MESSAGE or text.rstrip()[-1] not in ".!?":
            return Outcome("crashed", f"a message that says nothing: {text!r}")
        return Outcome("refused", text)
    except Exception as error:
        return Outcome("crashed", "".join(traceback.format_exception(error)[-6:]))
    return Outcome("read")


class Process:
    """A process that reads one file after the other, and is replaced when it dies or does not answer."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._context = multiprocessing.get_context("fork" if sys.platform.startswith("linux") else "spawn")
        self._process: Any = None

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def read(self, folder: Path, file: Path) -> Outcome:
        """Have a file read."""
        if self._process is None:
            self._mine, theirs = self._context.Pipe()
            self._process = self._context.Process(target=_serve, args=(self._reader.name, theirs), daemon=True)
            self._process.start()
            theirs.close()
        before, began = self._computed(), time.monotonic()
        try:
            self._mine.send((folder, file))
            while not self._mine.poll(0.2):
                computed = self._computed() - before
                if computed > SECONDS or time.monotonic() - began > _PATIENCE:
                    self._end()
                    return Outcome("crashed", "it did not come to an end", computed)
            outcome: Outcome = self._mine.recv()
        except (EOFError, OSError):
            self._process.join(5)
            code = self._process.exitcode
            self._end()
            return Outcome("crashed", f"the process died with code {code}")
        if outcome.what != "crashed" and (outcome.memory > MEMORY or outcome.seconds > SECONDS):
            outcome.what, outcome.text = "crashed", "it took too much memory or time"
        return outcome

    def _computed(self) -> float:
        import psutil

        with suppress(psutil.Error):
            times = psutil.Process(self._process.pid).cpu_times()
            return float(times.user + times.system)
        return 0.0

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._mine.close()
            self._process = None


def _serve(name: str, channel: Connection) -> None:
    """Read what is asked for until the other side has gone."""
    import logging
    import warnings

    import psutil

    warnings.simplefilter("ignore")
    logging.disable()
    reader = next(one for one in readers() if one.name == name)
    me = psutil.Process()
    with suppress(EOFError):
        while True:
            folder, file = channel.recv()
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
                os.environ["DDMI_HOME"] = home
                _limit_memory(me.memory_info().vms)
                began, held = time.process_time(), _reset_peak(me)
                outcome = judge(reader, folder, file)
                outcome.seconds = time.process_time() - began
                outcome.memory = max(0, _peak(me) - held)
            channel.send(outcome)


def _limit_memory(has: int) -> None:
    """Let nothing take the whole machine's memory; what wants more is told that there is none."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (has + 2 * MEMORY, resource.RLIM_INFINITY))


def _reset_peak(process: Any) -> int:
    """Forget the peak of memory so far, where the system can; return what is held now."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return int(process.memory_info().rss)


def _peak(process: Any) -> int:
    """Return the peak of memory, in bytes; where the system does not tell, what is held now."""
    with suppress(OSError, StopIteration):
        lines = Path("/proc/self/status").read_text().splitlines()
        return 1024 * int(next(line for line in lines if line.startswith("VmHWM")).split()[1])
    return int(process.memory_info().rss)


# Spoiling

_WEIRD: tuple[Any, ...] = (
    None, True, -1, 0, 1, 3, 2**31, 2**63, 10**30, 1e308, -1e-308, float("nan"), float("inf"), "", "x", "../../x", "\0",
    "9" * 400, [], {}, [[]], {"a": 1}, [1, "x", None], "!!python/object/apply:os.system ['true']",
)  # fmt: skip
_TEXTS = (".json", ".jsonl", ".yaml", ".ini", ".csv", ".txt", ".obj", ".off", ".link", ".lst")


def spoil(folder: Path, files: list[Path], suffixes: tuple[str, ...], rng: random.Random) -> tuple[Path, str]:
    """Spoil one of the files of a folder; return where it is now, and what was done."""
    file = rng.choice(files)
    content = file.read_bytes()
    ways: list[tuple[str, Callable[[], bytes]]] = [
        ("flipped", lambda: _flipped(content, rng)),
        ("cut", lambda: content[: rng.randrange(max(1, len(content)))]),
        ("inserted", lambda: _inserted(content, rng)),
        ("blown up", lambda: _blown_up(content, rng)),
    ]
    if file.suffix in _TEXTS:
        ways += [("nested", lambda: content[: rng.randrange(len(content) + 1)] + rng.choice((b"[", b'{"a":')) * 50_000)]
        ways += [("a word", lambda: _other_word(content, rng))] * 2
    if file.suffix in (".json", ".jsonl", ".yaml"):
        ways += [("a value", lambda: _other_value(content, file.suffix, rng))] * 8
    if suffixes:
        ways.append(("suffix", lambda: content))
    if len(files) > 1:
        ways += [("removed", lambda: content), ("exchanged", lambda: rng.choice(files).read_bytes())]
    how, way = rng.choice(ways)
    file.write_bytes(way())
    if how == "suffix":
        file = file.rename(file.with_suffix(rng.choice(suffixes)))
    elif how == "removed":
        file.unlink()
    return file, f"{how} {file.relative_to(folder).as_posix()}"


def _flipped(content: bytes, rng: random.Random) -> bytes:
    spoiled = bytearray(content)
    # Half of the time in the header, where it matters most
    reach = len(spoiled) if rng.random() < 0.5 else min(len(spoiled), 256)
    for _ in range(rng.choice((1, 2, 8, 64))):
        if reach:
            spoiled[rng.randrange(reach)] ^= 1 << rng.randrange(8)
    return bytes(spoiled)


def _inserted(content: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(content) + 1)
    return content[:place] + rng.randbytes(rng.choice((1, 4, 100, 5000))) + content[place:]


def _blown_up(content: bytes, rng: random.Random) -> bytes:
    spoiled = bytearray(content)
    place = rng.randrange(max(1, min(len(spoiled), 200)))
    most = rng.choice((b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x00\x00\x00\x00", b"\xff\xff"))
    spoiled[place : place + len(most)] = most
    return bytes(spoiled)


def _other_word(content: bytes, rng: random.Random) -> bytes:
    words = content.split(b" ") if b" " in content else content.split(b"\n")
    between = b" " if b" " in content else b"\n"
    words[rng.randrange(len(words))] = str(rng.choice(_WEIRD)).encode()
    return between.join(words)


def _other_value(content: bytes, suffix: str, rng: random.Random) -> bytes:
    """Replace one value, or a part with all in it, by something else."""
    import yaml

    if suffix == ".jsonl":
        lines = content.splitlines()
        number = rng.randrange(len(lines))
        lines[number] = json.dumps(_replaced(json.loads(lines[number]), rng)).encode()
        return b"\n".join(lines) + b"\n"
    table = json.loads(content) if suffix == ".json" else yaml.safe_load(content)
    spoiled = _replaced(table, rng)
    return (json.dumps(spoiled) if suffix == ".json" else yaml.safe_dump(spoiled)).encode()


def _replaced(value: Any, rng: random.Random) -> Any:
    places: list[tuple[Any, Any]] = []

    def walk(node: Any) -> None:
        for key, inner in node.items() if isinstance(node, dict) else enumerate(node):
            places.append((node, key))
            if isinstance(inner, dict | list):
                walk(inner)

    walk(value)
    if not places or rng.random() < 0.05:
        return rng.choice(_WEIRD)
    node, key = rng.choice(places)
    if isinstance(node, dict) and rng.random() < 0.2:
        del node[key]
    else:
        node[key] = rng.choice(_WEIRD)
    return value


# The readers


def readers() -> list[Reader]:
    """Return all readers of files that may come from elsewhere."""
    pictures = (".png", ".jpg", ".webp", ".tif", ".bmp", ".gif", ".obj")
    meshes = (".obj", ".ply", ".stl", ".glb", ".off", ".png")
    clips = (".mp4", ".webm", ".mov", ".avi", ".gif", ".webp", ".png")
    return [
        *(Reader(f"picture {kind}", _picture(kind), _domain("image"), pictures) for kind in pictures[:5]),
        Reader("picture recipe", _recipe_picture, _recipe, pictures),
        Reader("picture folder", _picture_folder, _folder("image")),
        *(Reader(f"mesh {kind}", _mesh(kind), _domain("shape"), meshes) for kind in meshes[:5]),
        Reader("mesh folder", _mesh_folder, _folder("shape")),
        *(Reader(f"coloured {kind}", _mesh(kind), _domain("nerf"), meshes) for kind in (".obj", ".ply", ".glb")),
        *(Reader(f"clip {kind}", _clip(kind), _domain("video"), clips) for kind in (".mp4", ".webm", ".gif", ".webp")),
        Reader("clip folder", _frames, _folder("video")),
        Reader("transforms.json", _transforms, lambda folder, _: _draw("nerf", folder / "transforms.json")),
        Reader("SRN scene", _srn, lambda folder, _: _draw("nerf", folder / "intrinsics.txt")),
        Reader("points2nerf", _points2nerf, _domain("nerf")),
        Reader("shards", _shards, _folder("image")),
        Reader("ShapeNet", _shapenet, _layout("shape")),
        Reader("CIFAR10", _cifar, _layout("image")),
        Reader("model folder", _model, _read_model),
        Reader("list of models", _installed_model, _list_models, forgiving=True),
        Reader("configuration", _configuration, lambda _, file: _run_config(file)),
        Reader("run folder", _run, _watch_run, forgiving=True),
        Reader("checkpoint", _checkpoint, _restore),
        Reader("library", _library, _open_library),
        Reader("settings", _settings, _read_settings, forgiving=True),
    ]


def _draw(domain: str, path: Path) -> None:
    """Read a file as `ddmi reconstruct` does, and draw an example of it."""
    import numpy as np

    from ddmi_core.domains import get_domain

    source = get_domain(domain).read(path, queries=64)
    get_domain(domain).extent(path)
    get_domain(domain).duration(path)
    source.sample(0, np.random.default_rng(0), augment="none")


def _domain(domain: str) -> Read:
    return lambda _, file: _draw(domain, file)


def _folder(domain: str) -> Read:
    def read(folder: Path, _file: Path) -> None:
        import numpy as np

        from ddmi_core.data.user_folder import scan_folder
        from ddmi_core.domains import get_domain

        scan_folder(lambda split, progress: get_domain(domain).folder(folder, split, progress), thumbnails=2)
        source = get_domain(domain).items(str(folder), "train", seed=0, queries=64)
        for index in range(len(source)):
            source.sample(index, np.random.default_rng(0), augment="full")

    return read


def _layout(domain: str) -> Read:
    def read(folder: Path, file: Path) -> None:
        from ddmi_core.data.layout_check import check_layout

        check_layout(folder)
        _folder(domain)(folder, file)

    return read


def _pixels(height: int = 40, width: int = 56) -> Any:
    import numpy as np

    y, x = np.mgrid[:height, :width]
    return np.stack([255 * x // width, 255 * y // height, (x * y) % 256], axis=-1).astype(np.uint8)


def _picture(suffix: str) -> Make:
    def make(folder: Path) -> list[Path]:
        from PIL import Image

        Image.fromarray(_pixels()).save(folder / f"picture{suffix}")
        return [folder / f"picture{suffix}"]

    return make


def _recipe_picture(folder: Path) -> list[Path]:
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    from ddmi_core.export.recipe_files import RECIPE_KEY
    from ddmi_core.recipe import Recipe

    note = PngInfo()
    note.add_text(RECIPE_KEY, Recipe(domain="image", model="emoji", model_hash="0" * 16).model_dump_json())
    Image.fromarray(_pixels()).save(folder / "picture.png", pnginfo=note)
    return [folder / "picture.png"]


def _recipe(_folder: Path, file: Path) -> None:
    from ddmi_core.export.recipe_files import read_recipe

    read_recipe(file)


def _captions(folder: Path, names: list[str]) -> Path:
    file = folder / "captions.csv"
    file.write_text("file,caption\n" + "".join(f"{name},a thing\n" for name in names))
    return file


def _picture_folder(folder: Path) -> list[Path]:
    made = [path for kind in (".png", ".jpg", ".webp") for path in _picture(kind)(folder)]
    return [*made, _captions(folder, [path.name for path in made])]


def _mesh(suffix: str) -> Make:
    def make(folder: Path) -> list[Path]:
        import trimesh

        ball = trimesh.creation.icosphere(subdivisions=2)
        ball.visual.vertex_colors = [[200, 40, 40, 255]] * len(ball.vertices)
        ball.export(folder / f"ball{suffix}")
        return [folder / f"ball{suffix}"]

    return make


def _mesh_folder(folder: Path) -> list[Path]:
    made = [path for kind in (".obj", ".ply", ".glb") for path in _mesh(kind)(folder)]
    return [*made, _captions(folder, [path.name for path in made])]


def _clip(suffix: str) -> Make:
    def make(folder: Path) -> list[Path]:
        from fractions import Fraction

        import numpy as np

        from ddmi_core.export.frames import write_frames

        frames = [np.dstack([np.roll(_pixels(), 4 * i, 1), np.full((40, 56), 255, np.uint8)]) for i in range(6)]
        return [write_frames(iter(frames), folder / f"clip{suffix}", rate=Fraction(10))]

    return make


def _frames(folder: Path) -> list[Path]:
    import numpy as np
    from PIL import Image

    made = []
    for clip in ("one", "two"):
        (folder / clip).mkdir()
        for i in range(16):
            made.append(folder / clip / f"{i:03d}.png")
            Image.fromarray(np.roll(_pixels(), len(made), 1)).save(made[-1])
    return [*made, *_clip(".gif")(folder), _captions(folder, ["one", "two", "clip.gif"])]


def _scene() -> tuple[list[Any], Any]:
    """Eight cameras, and pictures of a ball on nothing."""
    import numpy as np
    from PIL import Image, ImageDraw

    from ddmi_core.data.coloured_meshes import spread_cameras

    picture = Image.new("RGBA", (32, 32))
    ImageDraw.Draw(picture).ellipse((8, 8, 24, 24), fill=(200, 40, 40, 255))
    return spread_cameras(8), np.asarray(picture)


def _transforms(folder: Path) -> list[Path]:
    from PIL import Image

    from ddmi_core.export import transforms_json

    cameras, picture = _scene()
    names = [f"{i}.png" for i in range(len(cameras))]
    for name in names:
        Image.fromarray(picture).save(folder / name)
    transforms_json.write(folder / "transforms.json", cameras, names, 32, 32)
    return [folder / "transforms.json"] * 3 + [folder / names[0]]


def _srn(folder: Path) -> list[Path]:
    import numpy as np
    from PIL import Image

    from ddmi_core.placement import TO_Y_UP

    cameras, picture = _scene()
    (folder / "rgb").mkdir()
    (folder / "pose").mkdir()
    focal = 16 / np.tan(np.radians(cameras[0].fov) / 2)
    (folder / "intrinsics.txt").write_text(f"{focal} 16 16 0.\n0. 0. 0.\n1.\n32 32\n")
    for i, camera in enumerate(cameras):
        Image.fromarray(picture).save(folder / "rgb" / f"{i:06d}.png")
        pose = TO_Y_UP.T @ camera.pose @ np.diag([1.0, -1, -1, 1])
        (folder / "pose" / f"{i:06d}.txt").write_text(" ".join(map(str, pose.reshape(-1))))
    return [folder / "intrinsics.txt"] * 2 + [folder / "pose" / "000000.txt", folder / "rgb" / "000000.png"]


def _points2nerf(folder: Path) -> list[Path]:
    import numpy as np

    from ddmi_core.placement import TO_Y_UP

    cameras, picture = _scene()
    points = np.random.default_rng(0).normal(size=(200, 6))
    points[:, :3] /= np.linalg.norm(points[:, :3], axis=1, keepdims=True)
    np.savez(
        folder / "ball.npz",
        data=np.abs(points).clip(0, 1),
        images=np.stack([picture / 255.0] * len(cameras)),
        cam_poses=np.stack([TO_Y_UP.T @ camera.pose for camera in cameras]),
    )
    return [folder / "ball.npz"]


def _shards(folder: Path) -> list[Path]:
    import tarfile

    with tempfile.TemporaryDirectory() as place:
        (picture,) = _picture(".png")(Path(place))
        caption = Path(place) / "caption.json"
        caption.write_text(json.dumps({"caption": "a thing"}))
        with tarfile.open(folder / "part.tar", "w") as shard:
            for i in range(4):
                shard.add(picture, f"{i}.png")
                shard.add(caption, f"{i}.json")
    return [folder / "part.tar"]


def _shapenet(folder: Path) -> list[Path]:
    import numpy as np

    rng = np.random.default_rng(0)
    made = []
    for name in ("a", "b"):
        model = folder / "03001627" / name
        model.mkdir(parents=True)
        queries = rng.uniform(-0.55, 0.55, (400, 3)).astype(np.float16)
        inside = np.packbits(np.linalg.norm(queries, axis=1) < 0.4)
        np.savez(model / "points.npz", points=queries, occupancies=inside)
        np.savez(model / "pointcloud.npz", points=rng.normal(size=(300, 3)).astype(np.float16) / 4)
        made += [model / "points.npz", model / "pointcloud.npz"]
    for split, name in (("train", "a"), ("val", "b")):
        made.append(folder / "03001627" / f"{split}.lst")
        made[-1].write_text(f"{name}\n")
    made.append(folder / "metadata.yaml")
    made[-1].write_text("'03001627':\n  id: '03001627'\n  name: chair\n")
    return made


def _cifar(folder: Path) -> list[Path]:
    import pickle

    import numpy as np

    rows = np.random.default_rng(0).integers(0, 255, (10, 3072), dtype=np.uint8)
    for name in (*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"):
        (folder / name).write_bytes(pickle.dumps({b"data": rows, b"labels": list(range(10))}, protocol=4))
    names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    (folder / "batches.meta").write_bytes(pickle.dumps({b"label_names": [name.encode() for name in names]}, protocol=4))
    return [folder / "data_batch_1", folder / "test_batch", folder / "batches.meta"]


def _a_model() -> Path:
    """The folder of a model that comes along."""
    from ddmi_core.model_folder import list_models

    return next(iter(list_models("image"))).folder


def _model(folder: Path) -> list[Path]:
    shutil.copytree(_a_model(), folder, dirs_exist_ok=True)
    return [*sorted(folder.rglob("*.json")), *sorted(folder.rglob("*.safetensors")), folder / "README.md"]


def _read_model(folder: Path, _file: Path) -> None:
    from ddmi_core.model_folder import describe
    from ddmi_core.pipeline import Pipeline
    from ddmi_core.recipe import SamplingSettings

    describe(folder)
    pipeline = Pipeline.from_pretrained(folder, device="cpu")
    pipeline.decode(pipeline.sample(SamplingSettings(prompt="a heart", steps=1), seeds=[0])[0])


def _installed_model(folder: Path) -> list[Path]:
    """A model's small files, with empty weights: those are not looked into before it is used."""
    (folder / "models" / "mine").mkdir(parents=True)
    model = folder / "models" / "mine"
    for file in _a_model().rglob("*"):
        target = model / file.relative_to(_a_model())
        if file.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read_bytes() if file.suffix == ".json" else b"")
    (model / "label.json").write_text(json.dumps({"name": "mine", "imported_from": "elsewhere"}))
    (folder / "runs").mkdir()
    (folder / "runs" / "elsewhere.link").write_text(str(folder / "models"))
    return [
        model / "model_index.json",
        model / "label.json",
        model / "text_encoder.json",
        folder / "runs/elsewhere.link",
    ]


def _list_models(folder: Path, _file: Path) -> None:
    from ddmi_core.model_folder import list_models

    os.environ["DDMI_HOME"] = str(folder)
    if not list_models("image"):
        raise AssertionError("the models that come along are gone")


def _configuration(folder: Path) -> list[Path]:
    from ddmi_core.training.config import RunConfig, preset_names

    made = []
    for name in preset_names()[:4]:
        made.append(folder / f"{name}.yaml")
        made[-1].write_text(RunConfig.from_preset(name).to_yaml(), encoding="utf-8")
    return made


def _run_config(file: Path) -> None:
    from ddmi_core.training.config import RunConfig

    RunConfig.from_file(file)


def _run(folder: Path) -> list[Path]:
    from ddmi_core.support.known_runs import register
    from ddmi_core.training.config import RunConfig
    from ddmi_core.training.ownership import set_state
    from ddmi_core.training.run_folder import RunFolder

    run = RunFolder(folder / "runs" / "one")
    run.create(RunConfig.from_preset("shape-tiny").to_yaml())
    for step in range(1, 5):
        run.record(
            stage="autoencoder", step=step, losses={"total": 1 / step}, learning_rate=0.1, samples_per_second=3.0
        )
    run.record(stage="autoencoder", step=4, held_out={"psnr": 20.0}, message="a checkpoint")
    run.record(stage="autoencoder", step=3, back_to=2)
    set_state(run, "running")
    run.command("pause")
    run.log_file.write_text("a line\n")
    with suppress(Exception):
        register(run.path)
    return [run.config_file, run.events_file, run.events_file, run.status_file, run.control_file, run.log_file]


def _watch_run(folder: Path, _file: Path) -> None:
    """As the window and the command line watch runs."""
    from ddmi_core.support.known_runs import known_runs
    from ddmi_core.training.history import History
    from ddmi_core.training.run_folder import RunFolder
    from studio.engine.training import Training

    os.environ["DDMI_HOME"] = str(folder)
    training = Training()
    training._watched = (folder / "runs" / "one",)
    training._look()
    for path in known_runs():
        run = RunFolder(path)
        history = History(run.events_file)
        history.refresh()
        for name in history.names():
            history.curve(name)
        run.take_command()
    training._lane.stop()
    training._lane.join(2.0)


def _checkpoint_parts() -> tuple[Any, Any, Any]:
    import torch

    from ddmi_core.training.averaging import AveragedWeights

    torch.manual_seed(0)
    module = torch.nn.Linear(4, 3)
    optimiser = torch.optim.AdamW(module.parameters())
    module(torch.ones(2, 4)).sum().backward()
    optimiser.step()
    return module, AveragedWeights(module, 0.9), optimiser


def _checkpoint(folder: Path) -> list[Path]:
    from ddmi_core.training.checkpoints import Checkpoints, Progressed

    checkpoint = Checkpoints(folder, "autoencoder").save(Progressed(3, 1.0, 0.5), *_checkpoint_parts())
    return sorted(path for path in checkpoint.iterdir() if path.is_file())


def _restore(folder: Path, _file: Path) -> None:
    from ddmi_core.training.checkpoints import Checkpoints

    checkpoints = Checkpoints(folder, "autoencoder")
    checkpoints.best()
    checkpoints.restore(checkpoints.newest_first()[0], *_checkpoint_parts())


def _library(folder: Path) -> list[Path]:
    import numpy as np

    from ddmi_core.recipe import Recipe
    from studio.state.library import Library

    library = Library(folder)
    for seed in range(3):
        recipe = Recipe(domain="image", model="emoji", model_hash="0" * 16, prompt="a heart", seed=seed)
        library.add(np.zeros((4, 8, 8), np.float32), recipe, np.zeros((16, 16, 4), np.uint8))
    library.close()
    item = sorted((folder / "items").iterdir())[0]
    return [*sorted(item.iterdir()), folder / "catalogue.sqlite"] + [item / "recipe.json"] * 2


def _open_library(folder: Path, file: Path) -> None:
    """With its catalogue, and once more without, so that the items themselves are read."""
    from PySide6.QtGui import QImage

    from studio.state.library import Library

    for attempt in (1, 2):
        library = Library(folder)
        try:
            found = library.items()
            if len(found) + len(library.damaged) < 2:
                raise AssertionError("good items are gone")
            for item in found:
                QImage(str(item.thumbnail))
                with suppress_refusal():
                    library.load_latent(item)
        finally:
            library.close()
        if attempt == 1:
            for path in folder.glob("catalogue.sqlite*"):
                path.unlink()


def suppress_refusal() -> Any:
    """Go on after what one item refuses: the others must still be read."""
    from ddmi_core.support.errors import DDMIError

    return suppress(DDMIError)


def _export_choices() -> tuple[type[Choice], ...]:
    from studio.rooms.images.export_page import PictureChoice
    from studio.rooms.radiance.export_page import RadianceChoice
    from studio.rooms.shapes.export_page import ShapeChoice
    from studio.rooms.video.export_page import VideoChoice

    return ShapeChoice, PictureChoice, VideoChoice, RadianceChoice


def _settings(folder: Path) -> list[Path]:
    from studio.settings import Settings

    os.environ["DDMI_HOME"] = str(folder)
    settings = Settings()
    settings.theme = "dark"
    settings.set_flag("grid", True)
    for kind in _export_choices():
        settings.keep_export_choice(kind())
    settings.set_folder("exports", folder)
    settings.save()
    return [folder / "settings.ini"]


def _read_settings(folder: Path, _file: Path) -> None:
    from studio.settings import Settings

    os.environ["DDMI_HOME"] = str(folder)
    settings = Settings()
    for name in dir(Settings):
        if isinstance(getattr(Settings, name), property):
            asdict(value) if hasattr(value := getattr(settings, name), "__dataclass_fields__") else value
    for kind in _export_choices():
        asdict(settings.export_choice(kind))
    settings.flag("grid", False)
    settings.folder("exports")


if __name__ == "__main__":
    tyro.cli(main)
