"""A clip is written at any size, rate and range; every frame is a query at its own moment."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from ddmi_core.export.options import ExportOptions, RadianceExport, VideoExport
from ddmi_core.export.videos import export_video
from ddmi_core.recipe import Recipe
from ddmi_core.support.errors import ExportError
from ddmi_core.support.progress import Cancelled
from tests.core.domains.test_video import Dot, middle


def recipe(**values: Any) -> Recipe:
    return Recipe(domain="video", model="paint", model_hash="00ff", **values)


@pytest.mark.parametrize(
    ("fps", "seconds", "span", "count"),
    [
        ("60", 2.0, None, 120),
        ("30000/1001", 2.0, None, 60),
        ("24000/1001", 2.0, None, 48),
        ("12.5", 2.0, (0.5, 1.3), 10),
        ("0.5", 2.0, None, 1),
    ],
)
def test_count_and_duration_are_exact(tmp_path: Path, fps: str, seconds: float, span: Any, count: int) -> None:
    options = VideoExport.checked({"resolution": 16, "fps": fps, "seconds": seconds, "span": span})
    facts = export_video(Dot(), tmp_path / "x.mp4", options)
    assert facts["frames"] == count
    with av.open(str(tmp_path / "x.mp4")) as container:
        stream = container.streams.video[0]
        assert len(list(container.decode(stream))) == count
        assert stream.duration * stream.time_base == count / Fraction(fps)


@pytest.mark.parametrize("kind", [VideoExport, RadianceExport])
@pytest.mark.parametrize(
    ("given", "exact"),
    [
        ("29.97", Fraction(30000, 1001)),
        (29.97, Fraction(30000, 1001)),
        ("23.976", Fraction(24000, 1001)),
        ("23.98", Fraction(24000, 1001)),
        ("59.94", Fraction(60000, 1001)),
        ("12.5", Fraction(25, 2)),
        ("24.0", Fraction(24)),
        ("2997/100", Fraction(2997, 100)),
    ],
)
def test_rates_of_broadcasting_are_exact(kind: type[ExportOptions], given: str | float, exact: Fraction) -> None:
    assert kind.checked({"fps": given}).fps == exact  # type: ignore[attr-defined]


def test_the_dot_moves_on_in_every_frame(tmp_path: Path) -> None:
    options = VideoExport(resolution=64, fps=Fraction(10), seconds=2, quality=95)
    facts = export_video(Dot(), tmp_path / "x.png", options)
    from PIL import Image

    files = sorted(Path(facts["path"]).iterdir())
    assert len(files) == 20
    for number, file in enumerate(files):
        if 2 <= number < 18:  # all of the dot is to be seen
            x, y = middle(np.asarray(Image.open(file)))
            assert abs(x - ((2 * number + 1) / 20 - 1)) < 0.04 and abs(y + 0.5) < 0.04


def test_odd_sizes_and_the_shape_of_the_source(tmp_path: Path) -> None:
    made = recipe(extent=(-1.0, -0.5, 1.0, 0.5), seconds=1.0)
    options = VideoExport(resolution=101, fps=Fraction(4))
    assert export_video(Dot(), tmp_path / "x.webp", options, recipe=made)["height"] == 50
    facts = export_video(Dot(), tmp_path / "x.mp4", options, recipe=made)
    assert (facts["width"], facts["height"], facts["frames"], facts["seconds_long"]) == (102, 50, 4, 1.0)
    with av.open(str(tmp_path / "x.mp4")) as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == (102, 50)
        assert Recipe.model_validate_json(container.metadata["comment"]) == made
    bare = VideoExport(resolution=16, fps=Fraction(4), embed_recipe=False)
    export_video(Dot(), tmp_path / "y.mp4", bare, recipe=made)
    with av.open(str(tmp_path / "y.mp4")) as container:
        assert "comment" not in container.metadata


def test_a_cancel_leaves_nothing(tmp_path: Path) -> None:
    def stop(fraction: float, text: str) -> None:
        if fraction > 0.4:
            raise Cancelled

    with pytest.raises(Cancelled):
        export_video(Dot(), tmp_path / "x.mp4", VideoExport(resolution=16), progress=stop)
    assert not list(tmp_path.iterdir())


def test_progress_grows_to_one(tmp_path: Path) -> None:
    shown: list[float] = []
    options = VideoExport(resolution=16, fps=Fraction(5), seconds=1)
    export_video(Dot(), tmp_path / "x.gif", options, progress=lambda fraction, _: shown.append(fraction))
    assert shown == sorted(shown) and shown[-1] == 1.0 and len(shown) >= 6


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"fps": "abc"}, "fps does not fit"),
        ({"fps": "0"}, "more than 0"),
        ({"fps": "1/0"}, "fps does not fit"),
        ({"fps": "2000"}, "at most 1000"),
        ({"seconds": 0}, "seconds does not fit"),
        ({"span": (2, 1)}, "span does not fit"),
        ({"resolution": 1}, "resolution does not fit"),
        ({"faces": 3}, "has no faces"),
    ],
)
def test_options_that_do_not_fit_are_said(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ExportError, match=message):
        VideoExport.checked(values)


def test_a_range_outside_of_the_clip_is_said(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="lasts 2 s"):
        export_video(Dot(), tmp_path / "x.mp4", VideoExport(seconds=2, span=(1.5, 2.5)))


_EXPORT_4K = """
import re, sys
from fractions import Fraction
from pathlib import Path
import numpy as np
from ddmi_core.export.options import VideoExport
from ddmi_core.recipe import Recipe
from ddmi_core.export.videos import export_video

class Noise:
    def at(self, t):
        self.t = t
        return self
    def render(self, width, height, **_):
        row = np.random.default_rng(0).integers(0, 255, (1, width, 4), np.uint8)
        return np.roll(np.broadcast_to(row, (height, width, 4)), round(self.t * 50), axis=1)

wide = Recipe(domain="video", model="", model_hash="", extent=(-1, -9 / 16, 1, 9 / 16))
options = VideoExport(resolution=3840, fps=Fraction(sys.argv[2]), seconds=1)
export_video(Noise(), Path(sys.argv[1]) / "x.mp4", options, recipe=wide)
# Not getrusage's, which begins with what the process that started this one had
print(1024 * int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]))
"""


@pytest.mark.slow
def test_a_longer_4k_export_takes_no_more_memory(tmp_path: Path) -> None:
    def peak(frames: int) -> int:
        command = [sys.executable, "-c", _EXPORT_4K, str(tmp_path), str(frames)]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    short, long = peak(30), peak(60)
    assert long < 1.5 * 2**30 and long - short < 150 * 2**20
