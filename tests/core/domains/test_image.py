from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from ddmi_core.autoencoder import D2CVAE
from ddmi_core.autoencoder_config import AutoencoderConfig
from ddmi_core.coordinates import region_grid
from ddmi_core.domains import get_domain
from ddmi_core.fields.image import COARSEST, FINEST, ImageField
from ddmi_core.networks.readout import ReadOut
from ddmi_core.planes import SINGLE_PLANE, look_up
from ddmi_core.support.progress import Cancelled

SMALL: dict[str, Any] = {
    "domain": "image",
    "latent_channels": 3,
    "latent_size": 4,
    "encoder_channels": (8, 8),
    "decoder_channels": (16, 8, 8, 8),
    "decoder_blocks": (1, 1, 0, 0),
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
def field(autoencoder: D2CVAE) -> ImageField:
    found = autoencoder.field(3 * torch.randn(autoencoder.canvas_shape))
    assert isinstance(found, ImageField)
    return found


class Painted(ImageField):
    """Red grows to the right, green downwards; the right half is half transparent."""

    def __init__(self) -> None:
        self.asked: list[float | None] = []

    def __call__(self, coords: torch.Tensor, progress: Any = None, *, footprint: float | None = None) -> torch.Tensor:
        self.asked.append(footprint)
        x, y = coords.unbind(-1)
        alpha = torch.where(x > 0, 0.5, 1.0)
        return torch.stack([(x + 1) / 2 * alpha, (y + 1) / 2 * alpha, 0 * x, alpha], dim=-1)


def test_a_picture_of_pixels_is_found_again_in_a_plane() -> None:
    picture = torch.rand(1, 4, 3, 5)
    (found,) = look_up((picture,), region_grid(5, 3).reshape(1, -1, 2), SINGLE_PLANE)
    torch.testing.assert_close(found.reshape(3, 5, 4).permute(2, 0, 1), picture[0], atol=1e-5, rtol=0)


def test_x_is_right_y_is_down_and_alpha_is_straight() -> None:
    pixels = Painted().render(4, 2)
    assert pixels.shape == (2, 4, 4) and pixels.dtype == np.uint8
    np.testing.assert_allclose(pixels[0, :, 0], [31.9, 95.6, 159.4, 223.1], atol=1)
    np.testing.assert_allclose(pixels[:, 0, 1], [63.75, 191.25], atol=1)
    assert pixels[0, 0, 3] == 255 and abs(int(pixels[0, 3, 3]) - 127) <= 1
    deep = Painted().render(4, 2, dtype=np.uint16)
    assert deep.dtype == np.uint16 and abs(int(deep[0, 3, 3]) - 32768) <= 2


def test_the_footprint_is_the_size_of_a_pixel() -> None:
    painted = Painted()
    painted.render(256, 256)
    painted.render(256, 128, region=(-0.25, 0.0, 0.25, 0.25))
    painted.render(1024, 1024, window=(0, 0, 5, 5))
    assert painted.asked == [-8, -10, -10]


def test_windows_fit_together_bit_for_bit(field: ImageField) -> None:
    whole = field.render(131, 90)
    mosaic = np.zeros_like(whole)
    for top in range(0, 90, 17):
        for left in range(0, 131, 40):
            columns, rows = min(40, 131 - left), min(17, 90 - top)
            mosaic[top : top + rows, left : left + columns] = field.render(131, 90, window=(left, top, columns, rows))
    assert len(np.unique(whole)) > 20
    np.testing.assert_array_equal(mosaic, whole)


def test_a_zoomed_tile_is_the_crop_of_a_large_render(field: ImageField) -> None:
    large = field.render(512, 512)
    tile = field.render(64, 64, region=(-0.5, 0.25, -0.25, 0.5))
    np.testing.assert_array_equal(tile, large[320:384, 128:192])
    np.testing.assert_array_equal(field.render(512, 512, window=(128, 320, 64, 64)), tile)


def test_blocks_of_rows_leave_no_trace(field: ImageField, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = field.render(50, 40)
    monkeypatch.setattr("ddmi_core.fields.image._BLOCK", 120)
    shown: list[float] = []
    pieces = field.render(50, 40, progress=lambda fraction, _: shown.append(fraction))
    np.testing.assert_array_equal(pieces, whole)
    assert shown == sorted(shown) and shown[-1] == 1.0 and len(shown) == 20


def test_a_render_can_be_cancelled(field: ImageField) -> None:
    def stop(fraction: float, text: str) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        field.render(8, 8, progress=stop)


def test_the_footprint_reaches_every_block_and_is_kept_to_the_range(autoencoder: D2CVAE) -> None:
    basis = autoencoder.decode(torch.randn(1, *autoencoder.canvas_shape))
    coords = torch.rand(1, 9, 2) * 2 - 1

    def at(footprint: float) -> torch.Tensor:
        return autoencoder.readout.evaluate(basis, coords, torch.full((1, 9, 1), footprint))

    assert not torch.equal(at(FINEST), at(COARSEST))
    torch.testing.assert_close(at(FINEST - 9), autoencoder.readout.evaluate(basis, coords))
    torch.testing.assert_close(at(COARSEST + 3), at(COARSEST))
    with_it = ReadOut(SINGLE_PLANE, "sum", 8, 3, 4, width=16, footprint=(FINEST, COARSEST))
    without = ReadOut(SINGLE_PLANE, "sum", 8, 3, 4, width=16)
    for larger, block in zip([*with_it.blocks, with_it.last], [*without.blocks, without.last], strict=True):
        assert larger.first.in_features == block.first.in_features + 1


def test_it_encodes_decodes_and_learns_in_all_parts(autoencoder: D2CVAE) -> None:
    posterior = autoencoder.encode(torch.rand(2, 4, 128, 128))
    basis = autoencoder.decode(posterior.sample())
    assert posterior.mean.shape == (2, 3, 4, 4) and [planes[0].shape[-1] for planes in basis] == [8, 16, 32]
    values = autoencoder.readout.evaluate(basis, torch.rand(2, 30, 2) * 2 - 1, torch.full((2, 30, 1), -7.0))
    loss, figures = autoencoder.domain.reconstruction_loss(values, torch.zeros(2, 30, 4))
    loss.backward()
    assert all(p.grad is not None for p in autoencoder.parameters()) and figures["psnr"] < 60


def test_view_thumbnail_and_preview(field: ImageField) -> None:
    view = field.view(resolution=48)
    assert view["pixels"].shape == (48, 48, 4)
    assert field.thumbnail(view, size=20).shape == (20, 20, 4)
    assert field.preview(size=24).shape == (24, 24, 3)
    clear = {"pixels": np.zeros((8, 8, 4), np.uint8)}
    assert not field.thumbnail(clear, size=8).any()


def test_a_wide_picture_lies_in_the_middle_of_the_canvas(tmp_path: Path) -> None:
    file = tmp_path / "wide.png"
    Image.new("RGB", (400, 200), (255, 0, 0)).save(file)
    domain = get_domain("image")
    drawn = domain.read(file, queries=64).sample(0, np.random.default_rng(0), augment="none")
    inputs = drawn["image"][None]
    assert inputs.shape == (1, 4, 128, 128)
    assert inputs[0, 3, :32].max() == 0 and inputs[0, 3, 32:96].min() == 1 and inputs[0, 3, 96:].max() == 0
    assert inputs[0, 0, 64, 64] == 1 and inputs[0, 1].max() == 0
    assert domain.extent(file) == (-1.0, -0.5, 1.0, 0.5)
