"""Parts of a signal, measured from its sides."""

import pytest

from ddmi_core.recipe import Inpainting, Seeded
from studio.facts import RoomFacts
from studio.rooms.images.facts import FACTS as IMAGES
from studio.rooms.radiance.facts import FACTS as RADIANCE
from studio.rooms.shapes.facts import FACTS as SHAPES
from studio.rooms.video.facts import FACTS as VIDEO
from studio.state.parts import Side, measured_from

ROOMS = (SHAPES, IMAGES, RADIANCE, VIDEO)
PLACES = [pytest.param(room, side, id=f"{room.title}-{side.name}") for room in ROOMS for side in room.sides]


def test_the_top_of_a_picture_is_where_y_is_least_and_of_a_shape_where_it_is_most() -> None:
    assert IMAGES.sides[0].part(0.25, IMAGES.axes) == ((-1.0, 1.0), (-1.0, -0.5))
    assert SHAPES.sides[0].part(0.25, SHAPES.axes) == ((-1.0, 1.0), (0.5, 1.0), (-1.0, 1.0))


@pytest.mark.parametrize("share", [0.1, 0.35, 0.5, 0.9])
@pytest.mark.parametrize(("room", "side"), PLACES)
def test_a_part_is_found_again_in_its_region(room: RoomFacts, side: Side, share: float) -> None:
    inpaint = Inpainting(of=Seeded(seed=3), region=side.part(share, room.axes))
    assert measured_from(inpaint, room.sides) == (side, share)


def test_a_part_in_the_middle_is_measured_from_no_side() -> None:
    assert measured_from(Inpainting(of=Seeded(), region=((-0.5, 0.5), (-0.2, 0.2))), IMAGES.sides) is None
