from __future__ import annotations

import numpy as np
from PIL import Image

from studio.engine.pictures import basis_scale, enlarged


def test_enlarged_windows_fit_together() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 4), np.uint8)
    picture[..., 3] = 255
    whole = np.asarray(Image.fromarray(picture).resize((400, 400), Image.Resampling.BICUBIC))
    windows = [(left, top, 200, 200) for top in (0, 200) for left in (0, 200)]
    for left, top, width, height in windows:
        part = enlarged(picture, 400, (left, top, width, height))
        assert np.abs(part.astype(int) - whole[top : top + height, left : left + width]).max() <= 1


def test_a_wave_is_one_peak_of_the_spectrum() -> None:
    x = (np.arange(64) + 0.5) / 64
    features = np.stack([np.cos(2 * np.pi * 12 * x)[None, :] * np.ones((64, 1)) * k for k in (1.0, 2.0)])
    scale = basis_scale(features.astype(np.float32))
    assert (scale.width, scale.height, scale.channels) == (64, 64, 2)
    assert scale.frequencies[np.argmax(scale.profile)] == 12 and scale.profile.max() == 1.0
    assert {tuple(place) for place in np.argwhere(scale.spectrum == 255)} == {(32, 20), (32, 44)}
    assert scale.picture.shape == (64, 64, 3) and np.ptp(scale.picture) > 200


def test_frequencies_of_a_wide_field_count_across_the_canvas() -> None:
    y = (np.arange(1000) + 0.5) / 1000
    tall = np.cos(2 * np.pi * 60 * y)[:, None] * np.ones((1, 400))
    wide = basis_scale(tall.T[None].astype(np.float32))
    across = basis_scale(
        np.cos(2 * np.pi * 24 * y[:400] * 2.5)[None, :, None].astype(np.float32) * np.ones((1, 1, 1000))
    )
    assert (wide.width, wide.height) == (1000, 400)
    assert wide.frequencies[np.argmax(wide.profile)] == 60 == across.frequencies[np.argmax(across.profile)]
    large = basis_scale(np.random.default_rng(0).random((1, 40, 4000), np.float32))
    assert large.picture.shape == (10, 1000, 3) and large.spectrum.shape == (10, 1024)


def test_basis_fields_without_detail_are_no_trouble() -> None:
    scale = basis_scale(np.zeros((1, 8, 8), np.float32))
    assert np.isfinite(scale.profile).all() and scale.picture.shape == (8, 8, 3)
