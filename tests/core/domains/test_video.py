"""The function of a clip: axes, sizes, moments, parts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ddmi_core.autoencoder import D2CVAE
from ddmi_core.autoencoder_config import AutoencoderConfig
from ddmi_core.coordinates import cell_centres, crossed, overlapping_spans
from ddmi_core.domains import get_domain
from ddmi_core.domains.video import parts_of
from ddmi_core.fields.video import FrozenField, JoinedField, VideoField
from ddmi_core.planes import TRI_PLANE, look_up
from ddmi_core.support.progress import Progress
from tests.core.clips import dot_frames, write_video

SMALL: dict[str, Any] = {
    "domain": "video",
    "latent_channels": 3,
    "latent_size": 8,
    "encoder_channels": (8, 16),
    "decoder_channels": (16, 8, 8),
    "decoder_blocks": (1, 1, 0),
    "basis_channels": 8,
    "readout_width": 16,
}


@pytest.fixture
def autoencoder() -> D2CVAE:
    found = D2CVAE(AutoencoderConfig(**SMALL)).eval()
    with torch.no_grad():  # colours from black to white, as after training
        found.readout.out.weight.mul_(20)
        found.readout.out.bias.fill_(0.5)
    return found


@pytest.fixture
def field(autoencoder: D2CVAE) -> VideoField:
    found = autoencoder.field(3 * torch.randn(autoencoder.canvas_shape))
    assert isinstance(found, VideoField)
    return found


class Dot(VideoField):
    """A white dot that goes from left to right at the height y = -0.5, on nothing."""

    def __init__(self, autoencoder: D2CVAE | None = None, offset: float = 0.0) -> None:
        self.readout, self.basis = None if autoencoder is None else autoencoder.readout, ()
        self.offset = offset

    def __call__(
        self, coords: torch.Tensor, progress: Progress | None = None, *, footprint: float | None = None, **_: Any
    ) -> torch.Tensor:
        x, y, t = coords.unbind(-1)
        inside = ((x - t - self.offset).abs() < 0.1) & ((y + 0.5).abs() < 0.1)
        return inside.float().unsqueeze(-1).expand(*coords.shape[:-1], 4)


def middle(picture: np.ndarray) -> tuple[float, float]:
    rows, columns = np.nonzero(picture[..., 3] > 128)
    return (columns.mean() + 0.5) / picture.shape[1] * 2 - 1, (rows.mean() + 0.5) / picture.shape[0] * 2 - 1


@pytest.mark.parametrize(("width", "height"), [(64, 64), (101, 47)])
@pytest.mark.parametrize("t", [-0.8, -0.13, 0.5])
def test_a_moving_dot_is_where_it_should_be(width: int, height: int, t: float) -> None:
    x, y = middle(Dot().at(t).render(width, height))
    assert abs(x - t) < 0.04 and abs(y + 0.5) < 0.05


def test_a_dot_written_into_the_planes_is_read_at_its_x_y_and_t() -> None:
    planes = tuple(torch.zeros(1, 1, *size) for size in get_domain("video").plane_sizes(16))
    # The cells of x = 0.6875, y = -0.3125, t = 0.625 on planes of 16 x 16 and 8 x 16.
    xy, xt, yt = planes
    xy[0, 0, 5, 13] = xt[0, 0, 6, 13] = yt[0, 0, 6, 5] = 1
    here = torch.tensor([[[0.6875, -0.3125, 0.625]]])
    assert [float(found) for found in look_up(planes, here, TRI_PLANE)] == pytest.approx([1, 1, 1], abs=1e-5)
    for axis in range(3):
        elsewhere = here.clone()
        elsewhere[..., axis] -= 0.5
        found = [float(value) for value in look_up(planes, elsewhere, TRI_PLANE)]
        # Only the plane without this axis still sees it.
        assert [value > 0.5 for value in found] == [axis not in axes for axes in TRI_PLANE.axes]


def test_planes_are_unequal_and_share_a_canvas(autoencoder: D2CVAE) -> None:
    assert autoencoder.domain.plane_sizes(8) == ((8, 8), (4, 8), (4, 8)) and autoencoder.canvas_shape == (9, 8, 8)
    basis = autoencoder.decode(torch.randn(1, 9, 8, 8))
    assert [tuple(plane.shape[-2:]) for plane in basis[-1]] == [(32, 32), (16, 32), (16, 32)]
    padded = autoencoder.encode(torch.rand(1, 5, 16, 64, 64)).mean[:, 3:, 4:]
    assert not padded.any()


@pytest.mark.parametrize("shape", [(1, 9, 7), (5, 16, 33), (16, 64, 64), (40, 20, 31)])
def test_any_number_of_frames_of_any_size_is_encoded(autoencoder: D2CVAE, shape: tuple[int, int, int]) -> None:
    assert autoencoder.encode(torch.rand(1, 5, *shape)).mean.shape == (1, 9, 8, 8)


def test_it_encodes_decodes_and_learns_in_all_parts(autoencoder: D2CVAE) -> None:
    posterior = autoencoder.encode(torch.rand(2, 5, 16, 64, 64))
    values = autoencoder.readout.evaluate(
        autoencoder.decode(posterior.sample()), torch.rand(2, 30, 3) * 2 - 1, torch.full((2, 30, 1), -6.0)
    )
    loss, figures = autoencoder.domain.reconstruction_loss(values, torch.zeros(2, 30, 4))
    loss.backward()
    assert all(p.grad is not None for p in autoencoder.parameters()) and figures["psnr"] < 60


def test_a_frame_equals_the_same_pixels_asked_for_alone(field: VideoField) -> None:
    frame = field.at(0.3).sample(_grid(24, 18), -6.0)
    for row, column in ((0, 0), (5, 17), (17, 23)):
        x, y = (2 * column + 1) / 24 - 1, (2 * row + 1) / 18 - 1
        alone = field(torch.tensor([[x, y, 0.3]]), footprint=-6.0).clamp(0, 1)
        torch.testing.assert_close(frame[row, column], alone[0], atol=1e-5, rtol=0)
    assert not torch.equal(frame, field.at(-0.3).sample(_grid(24, 18), -6.0))


def test_frames_that_have_places_in_common_are_what_is_asked_for_place_by_place(field: VideoField) -> None:
    x, y = torch.linspace(-0.9, 0.7, 30), torch.linspace(-0.2, 0.8, 20)
    for t, footprint in ((0.3, -6.0), (-0.4, -6.0), (-0.4, -8.0)):
        places = torch.nn.functional.pad(crossed(x, y), (0, 1), value=t)
        assert torch.equal(field.frame(x, y, t, footprint), field(places, footprint=footprint))


def test_a_window_of_a_frame_is_the_crop_of_the_frame(field: VideoField) -> None:
    frozen = field.at(-0.2)
    assert isinstance(frozen, FrozenField)
    whole = frozen.render(60, 40)
    np.testing.assert_array_equal(frozen.render(60, 40, window=(11, 7, 20, 15)), whole[7:22, 11:31])


def _grid(width: int, height: int) -> torch.Tensor:
    y, x = torch.meshgrid(cell_centres(height), cell_centres(width), indexing="ij")
    return torch.stack([x, y], dim=-1)


def test_spans_cover_all_time_and_overlap() -> None:
    for count in (1, 2, 5):
        spans = overlapping_spans(count, 0.25)
        assert spans[0][0] == -1 and spans[-1][1] == pytest.approx(1)
        for (start, stop), (following, _) in pairwise(spans):
            assert (stop - following) / (stop - start) == pytest.approx(0.25)


def test_parts_that_agree_show_no_seam(autoencoder: D2CVAE) -> None:
    spans = overlapping_spans(3, 0.25)

    class Ramp(VideoField):
        """A part of one smooth clip, each off by a constant of its own as reconstructions are."""

        def __init__(self, span: tuple[float, float], error: float) -> None:
            self.readout, self.basis = autoencoder.readout, ()
            self.span, self.error = span, error

        def __call__(self, coords: torch.Tensor, *_: Any, footprint: float | None = None) -> torch.Tensor:
            start, stop = self.span
            whole = start + (coords[..., 2:] + 1) / 2 * (stop - start)
            return (whole + self.error).expand(*coords.shape[:-1], 4)

    joined = JoinedField([Ramp(span, error) for span, error in zip(spans, (0.0, 0.05, -0.05), strict=True)])
    t = torch.linspace(-1, 1, 4001)
    values = joined(torch.stack([t * 0, t * 0, t], dim=-1))[:, 0]
    assert (values - t).abs().max() < 0.051
    # No jump, and no kink: a step never differs much from the one before.
    steps = values.diff()
    assert steps.abs().max() < 3 * (2 / 4000) and steps.diff().abs().max() < 2e-5


def test_a_long_clip_is_read_in_parts_that_are_joined(tmp_path: Path) -> None:
    domain = get_domain("video")
    file = write_video(tmp_path / "long.mp4", dot_frames(90, 32), rate=30)
    source = domain.read(file, queries=64)
    assert len(source) == parts_of(90) == 4
    examples = [source.sample(i, np.random.default_rng(0), augment="none") for i in range(4)]
    assert all(example["video"].shape == (5, 16, 64, 64) for example in examples)
    assert domain.duration(file) == pytest.approx(3, abs=0.05)
    assert len(domain.read_span(file, (0.0, 1.0), queries=64)) == 1
    assert domain.extent(file) == (-1, -1, 1, 1)


def test_few_frames_are_one_part() -> None:
    assert [parts_of(count) for count in (2, 36, 48, 49)] == [1, 1, 1, 2]


def test_slices_have_time_downwards() -> None:
    along_x, along_y = Dot().slices(0.5, -0.5, side=64, moments=40)
    assert along_x.shape == (40, 64, 4)
    rows, columns = np.nonzero(along_x[..., 3])
    assert np.abs((columns + 0.5) / 32 - (rows + 0.5) / 20).max() < 0.15  # the dot goes right as time goes down
    times, heights = np.nonzero(along_y[..., 3])
    assert abs((times.mean() + 0.5) / 20 - 1 - 0.5) < 0.05 and abs((heights.mean() + 0.5) / 32 - 1 + 0.5) < 0.05


def test_marks_are_the_base_frames_of_all_parts(autoencoder: D2CVAE) -> None:
    one = Dot(autoencoder)
    assert one.marks == cell_centres(16).tolist()
    marks = JoinedField([one, one, one]).marks
    assert marks == sorted(marks) and len(set(marks)) == len(marks) > 32 and -1 < marks[0] < marks[-1] < 1


def test_view_thumbnail_and_preview(field: VideoField) -> None:
    view = field.view(resolution=24)
    assert view["marks"].shape == (16,)
    assert view["frames"].shape == (4, 24, 24, 4) and view["times"] == sorted(view["times"])
    assert field.thumbnail(view, size=20).shape == (20, 20, 4)
    assert field.preview(size=32).shape == (32, 32, 3)


def test_the_joined_field_reports_and_renders(autoencoder: D2CVAE) -> None:
    parts: Sequence[VideoField] = [Dot(autoencoder), Dot(autoencoder)]
    joined = get_domain("video").join(parts)
    assert isinstance(joined, VideoField)
    first, last = middle(joined.at(-0.9).render(64, 64)), middle(joined.at(0.9).render(64, 64))
    assert first[0] < -0.5 < 0.5 < last[0]
