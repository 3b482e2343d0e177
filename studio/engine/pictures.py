"""Pictures made from pictures and basis fields: enlarging, spectra. Plain numpy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, UInt8
from PIL import Image

Window = tuple[int, int, int, int]
"""A rectangle of pixels: left, top, width and height."""

_SHOWN_SIDE = 1024  # px, of pictures of basis fields
_DECADES = 4.0  # of the amplitude that the picture of a spectrum spans


@dataclass(frozen=True, kw_only=True, eq=False)
class BasisScale:
    """One scale of the basis fields: a picture of its main components, and its spectrum.

    ``spectrum`` is the mean amplitude at every frequency as a picture, the constant in the middle; ``profile`` the same
    over all directions, at ``frequencies`` (cycles across the canvas, which is as wide as the field's longer side),
    relative to the largest.
    """

    width: int
    height: int
    channels: int
    picture: UInt8[np.ndarray, "h w 3"]
    spectrum: UInt8[np.ndarray, "h w"]
    frequencies: Float32[np.ndarray, " n"]
    profile: Float32[np.ndarray, " n"]


def enlarged(picture: UInt8[np.ndarray, "h w 4"], side: int, window: Window) -> UInt8[np.ndarray, "h2 w2 4"]:
    """A window of a picture enlarged to side × side pixels by bicubic interpolation. Windows fit together."""
    left, top, width, height = window
    scale = picture.shape[1] / side
    box = (left * scale, top * scale, (left + width) * scale, (top + height) * scale)
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BICUBIC, box=box))


def blended(
    first: UInt8[np.ndarray, "h w 4"], second: UInt8[np.ndarray, "h w 4"], share: float
) -> UInt8[np.ndarray, "h w 4"]:
    """Two pictures one over the other, the second with a share of the whole; straight alpha in and out."""
    mixed = (1 - share) * _premultiplied(first) + share * _premultiplied(second)
    alpha = mixed[..., 3:]
    colour = np.where(alpha > 0, mixed[..., :3] * 255 / np.maximum(alpha, 1e-6), 0)
    return (np.concatenate([colour, alpha], axis=-1) + 0.5).clip(0, 255).astype(np.uint8)


def _premultiplied(picture: UInt8[np.ndarray, "h w 4"]) -> Float32[np.ndarray, "h w 4"]:
    found = picture.astype(np.float32)
    found[..., :3] *= found[..., 3:] / 255
    return found


def basis_scale(features: Float[np.ndarray, "c h w"]) -> BasisScale:
    """The picture and the spectrum of one scale of the basis fields."""
    channels, height, width = features.shape
    amplitudes = np.zeros((height, width), np.float32)
    for feature in features:  # one at a time: those of a large picture's fit take a gigabyte together
        amplitudes += np.abs(np.fft.fft2(feature - feature.mean())) / channels
    frequencies, profile = _profile(amplitudes)
    step = -(-max(height, width) // _SHOWN_SIDE)
    return BasisScale(
        width=width,
        height=height,
        channels=channels,
        picture=_components(features[:, ::step, ::step]),
        spectrum=_logarithmic(_reduced(np.fft.fftshift(amplitudes))),
        frequencies=frequencies,
        profile=profile,
    )


def _components(features: Float[np.ndarray, "c h w"]) -> UInt8[np.ndarray, "h w 3"]:
    """The three main components of the channels as red, green and blue; grey where there is one alone."""
    channels, height, width = features.shape
    flat = features.reshape(channels, -1).T.astype(np.float64)
    flat = flat - flat.mean(axis=0)
    _, _, directions = np.linalg.svd(flat.T @ flat)
    parts = flat @ directions[: min(3, channels)].T
    if parts.shape[1] < 3:
        parts = np.repeat(parts[:, :1], 3, axis=1)
    spread = np.maximum(np.percentile(np.abs(parts), 99, axis=0), 1e-9)
    return (127.5 + 127.5 * np.clip(parts / spread, -1, 1)).astype(np.uint8).reshape(height, width, 3)


def _reduced(amplitudes: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "_h _w"]:
    """The means of a spectrum that is larger than is shown of it."""
    height, width = amplitudes.shape
    share = min(1.0, _SHOWN_SIDE / max(height, width))
    size = (max(1, round(width * share)), max(1, round(height * share)))
    return np.asarray(Image.fromarray(amplitudes).resize(size, Image.Resampling.BOX))


def _logarithmic(amplitudes: Float[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w"]:
    largest = max(float(amplitudes.max()), 1e-12)
    decades = np.log10(np.maximum(amplitudes / largest, 10**-_DECADES))
    return (255 * (1 + decades / _DECADES)).astype(np.uint8)


def _profile(amplitudes: Float[np.ndarray, "h w"]) -> tuple[Float32[np.ndarray, " n"], Float32[np.ndarray, " n"]]:
    """The mean amplitude at each whole number of cycles across the canvas, relative to the largest."""
    height, width = amplitudes.shape
    longest = max(height, width)  # spans the canvas
    cycles = np.hypot(np.fft.fftfreq(height, 1 / longest)[:, None], np.fft.fftfreq(width, 1 / longest)[None, :])
    ring = np.rint(cycles).astype(int)
    count = longest // 2
    sums = np.bincount(ring.ravel(), amplitudes.ravel())[1 : count + 1]
    sizes = np.bincount(ring.ravel())[1 : count + 1]
    profile = sums / np.maximum(sizes, 1)
    return np.arange(1, count + 1, dtype=np.float32), (profile / max(float(profile.max()), 1e-12)).astype(np.float32)
