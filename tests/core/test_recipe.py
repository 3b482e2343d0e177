import pytest
from pydantic import ValidationError

from ddmi_core.recipe import Recipe, SamplingSettings, in_short, misfit


def _recipe(**values: object) -> Recipe:
    return Recipe(domain="shape", model="balls", model_hash="00ff", prompt="a ball", **values)


def test_a_recipe_of_before_there_were_variations_is_read() -> None:
    old = _recipe(seed=7).model_dump(mode="json")
    del old["like"]
    assert Recipe.model_validate(old) == _recipe(seed=7)


def test_a_variation_is_read_as_it_was_written() -> None:
    recipe = _recipe(seed=9, like=[(7, 0.35)])
    assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe
    assert recipe.settings.like == ((7, 0.35),)


def test_no_difference_at_all_is_the_item_itself() -> None:
    same, plain = _recipe(seed=9, like=[(7, 0.0)]), _recipe(seed=7)
    assert same == plain and same.makes_the_same_as(plain)
    assert same.model_dump_json() == plain.model_dump_json()
    assert _recipe(seed=9, like=[(7, 1.0)]) == _recipe(seed=9)


@pytest.mark.parametrize(
    ("like", "short"),
    [
        ((), ((), 9)),
        (((1, 0.2),), (((1, 0.2),), 9)),
        (((1, 0.2), (2, 0.0)), (((1, 0.2),), 2)),
        (((1, 0.0), (2, 0.4)), (((1, 0.4),), 9)),
        (((1, 0.2), (2, 1.0), (3, 0.4)), (((3, 0.4),), 9)),
        (((1, 0.2), (2, 1.0)), ((), 9)),
    ],
)
def test_what_makes_no_difference_is_left_out(like: object, short: object) -> None:
    assert in_short(like, 9) == short  # type: ignore[arg-type]


def test_a_difference_is_a_share() -> None:
    with pytest.raises(ValidationError) as caught:
        SamplingSettings(like=((7, 1.5),))
    assert misfit(caught.value) == "like is 1.5 and should be less than or equal to 1"
