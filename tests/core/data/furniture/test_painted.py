"""Painted furniture: what rays see of it is where and what it should be, and captions tell the truth."""

from __future__ import annotations

import numpy as np
import pytest

from ddmi_core.data.furniture.painted import PaintedFurniture
from ddmi_core.data.furniture.procedural import procedural
from ddmi_core.data.furniture.procedural.captions import captions
from ddmi_core.data.furniture.procedural.paint import PALETTE, paint, told
from ddmi_core.data.items import EncoderInput, SurfacePoints
from ddmi_core.data.radiance import SAMPLES
from ddmi_core.data.radiance_sources import PAINTED_SET, open_radiance
from ddmi_core.rendering.cameras import orbit_camera, rays
from ddmi_core.support.errors import DataError

SEEN = range(12)
GIVEN = EncoderInput(SurfacePoints(64))


@pytest.fixture(scope="module")
def pieces() -> PaintedFurniture:
    return PaintedFurniture(200, seed=5)


def test_rays_end_where_the_solid_begins() -> None:
    shapes = procedural(20, seed=5)
    origins, directions = (part.reshape(-1, 3) for part in rays(orbit_camera(30, 20, 4.4), 24, 24))
    for i in SEEN:
        shape = shapes.shape(i)
        depth = shape.trace(origins, directions)
        hit = np.isfinite(depth)
        assert 20 < hit.sum() < len(hit)
        places = origins[hit] + depth[hit, None] * directions[hit]
        assert not shape.inside(places - 0.004 * directions[hit]).any()
        assert shape.inside(places + 0.012 * directions[hit]).mean() > 0.9  # but for what is only grazed
        along = np.linspace(2.5, 6.5, 200)[:, None, None]
        assert shape.inside((origins[~hit] + along * directions[~hit]).reshape(-1, 3)).mean() < 1e-3
        normals = shape.normals(places)
        assert np.abs(np.linalg.norm(normals, axis=1) - 1).max() < 1e-3
        assert (np.einsum("ij,ij->i", normals, directions[hit]) < 0.1).mean() > 0.95


def test_the_shapes_are_those_of_the_same_seed_without_paint(pieces: PaintedFurniture) -> None:
    plain = procedural(200, seed=5)
    for i in SEEN:
        same = plain.shape(i).surface(50, np.random.default_rng(0))[0]
        assert np.array_equal(pieces._object(i).shape.surface(50, np.random.default_rng(0))[0], same)
        assert set(plain.attributes(i).items()) <= set(
            (name, value) for name, value in pieces.attributes(i).items() if name != "parts_apart"
        )


def test_captions_name_no_colour_that_is_not_there(pieces: PaintedFurniture) -> None:
    names = {*PALETTE, "wooden", "metal"}
    with_colour = 0
    for i in range(200):
        facts = pieces.attributes(i)
        true = {facts["colour"], *(text.split()[-2] for text in facts["parts_apart"].values())}
        for text in pieces.captions(i):
            said = names & set(text.replace(",", "").split())
            assert said <= true, (text, facts)
            with_colour += bool(said)
    assert with_colour > 0.5 * 200 * 8


def test_parts_apart_are_told_apart() -> None:
    facts = {"kind": "sofa", "type": "sofa", "seats": 2, "corner": False, "arms": True, "on_legs": True}
    rng = np.random.default_rng(3)
    for _ in range(30):
        coats = paint(facts, ["body", "cushions", "legs"], rng)
        own, apart = told(facts, coats)
        assert own == coats["body"].name and set(apart) <= {"cushions", "legs"}
        assert all(coats[role].name == text.split()[0] != own for role, text in apart.items())
    texts = captions(facts | {"colour": "red", "parts_apart": {"legs": "black legs"}}, rng, 200)
    assert any(text.endswith("red sofa with black legs") for text in texts)
    assert not any("black legs" in text and ("short legs" in text or "with legs" in text) for text in texts)


def test_what_is_seen_has_the_colours_of_the_parts(pieces: PaintedFurniture) -> None:
    rng = np.random.default_rng(0)
    for i in SEEN:
        seen = pieces.rays(i, 300, rng)
        again = pieces.rays(i, 300, np.random.default_rng(1))
        assert np.array_equal(pieces.rays(i, 300, np.random.default_rng(1)).pixels, again.pixels)
        on = seen.pixels[:, 3] == 1
        assert 0.4 < on.mean() < 1
        unlit = pieces._object(i).colours
        # Light makes a colour darker or adds white, so that its hue stays that of one of the coats
        dull = seen.pixels[on, :3] - seen.pixels[on, :3].min(1, keepdims=True)
        coats = unlit - unlit.min(1, keepdims=True)
        coats = coats / np.maximum(np.linalg.norm(coats, axis=1, keepdims=True), 1e-6)
        strength = np.linalg.norm(dull, axis=1)
        hue = (dull @ coats.T).max(1) / np.maximum(strength, 1e-6)
        assert ((strength < 0.08) | (hue > 0.98)).mean() > 0.97


def test_what_is_known_of_an_object_itself_is_true(pieces: PaintedFurniture) -> None:
    for i in SEEN:
        known, shape = pieces.known(i, 400, np.random.default_rng(i)), pieces._object(i).shape
        inside = shape.inside(known.places)
        assert len(known.places) == 400 and len(known.surface) == 200 and 0.05 < inside.mean() < 0.6
        assert np.abs(known.solid - inside).mean() < 0.15 and (np.abs(known.solid - inside) < 0.5).mean() > 0.9
        assert np.abs(shape.distance(known.surface)).max() < 0.01
        outside = known.surface + 0.02 * known.normals
        free = ~shape.inside(outside)
        seen = pieces._look(i, outside[free], -known.normals[free])
        rough = pieces._object(i).roughness[shape.nearest(known.surface[free])] > 0.99
        assert np.abs(seen[rough, :3] - known.colours[free][rough]).sum() <= 0.03 * 3 * rough.sum()


def test_only_what_knows_its_objects_is_compared_directly() -> None:
    given = EncoderInput(SurfacePoints(64), direct=40)
    example = open_radiance(PAINTED_SET, "train", seed=3, queries=10 * SAMPLES, given=given).sample(
        0, np.random.default_rng(0), augment="full"
    )
    assert example["places"].shape == (40, 3) and example["solid"].shape == (40, 1)
    assert example["surface"].shape == example["normals"].shape == example["surface_colours"].shape == (20, 3)
    pictures = open_radiance("furniture-nerf", "train", seed=3, queries=10 * SAMPLES, given=given)
    with pytest.raises(DataError, match="direct_weight"):
        pictures.sample(0, np.random.default_rng(0), augment="none")


def test_it_is_trained_on_by_name_and_drawn_as_a_picture() -> None:
    train = open_radiance(PAINTED_SET, "train", seed=3, queries=10 * SAMPLES, given=GIVEN)
    held_out = open_radiance(PAINTED_SET, "held_out", seed=3, queries=10 * SAMPLES, given=GIVEN)
    assert len(train) == 20_000 and len(held_out) == 500
    assert train.captions(0) != held_out.captions(0)
    example = train.sample(0, np.random.default_rng(0), augment="captioned")
    assert example["points"].shape == (64, 6) and example["targets"].shape == (10, 3)
    assert all(np.isfinite(part).all() for part in example.values())
    picture = train.thumbnail(0, 32)
    assert picture.shape == (32, 32, 4) and 0.02 < (picture[..., 3] > 0).mean() < 0.9
