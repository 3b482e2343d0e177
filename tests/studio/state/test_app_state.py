from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from ddmi_core.fidelity import FitFacts
from ddmi_core.model_folder import Base, ModelInfo
from ddmi_core.recipe import MAX_SEED, Recipe
from studio.state.app_state import AppState
from studio.state.form import USUAL_DIFFERENCE, GenerateForm
from studio.state.library import Item, Library
from studio.state.notifications import Action, Notifications

MODEL = ModelInfo("furniture", "shape", Path("/models/furniture"), 1, "aaa", "MiniLM")
OTHER = replace(MODEL, name="mine", folder=Path("/models/mine"), hash="bbb")
RECIPE = Recipe(domain="shape", model="furniture", model_hash="aaa", prompt="a sofa", seed=9, steps=12, guidance=5.0)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[AppState]:
    library = Library(tmp_path / "library")
    yield AppState(library, GenerateForm(seed=4))
    library.close()


def item_in(state: AppState):
    return state.library.add(np.zeros((1, 2, 2), np.float32), RECIPE, np.zeros((8, 8, 4), np.uint8))


def test_the_form_announces_changes_only_and_keeps_its_ranges(state: AppState) -> None:
    said: list[GenerateForm] = []
    state.form_changed.connect(said.append)
    state.update_form(prompt="a lamp")
    state.update_form(prompt="a lamp")
    assert len(said) == 1
    with pytest.raises(ValidationError):
        state.update_form(steps=0)
    assert state.form.steps == 20


def test_variations_have_consecutive_seeds_that_wrap_around() -> None:
    assert GenerateForm(seed=5, count=3).seeds() == (5, 6, 7)
    assert GenerateForm(seed=MAX_SEED, count=2).seeds() == (MAX_SEED, 0)


def test_the_first_model_is_chosen_when_there_is_no_other(state: AppState) -> None:
    assert state.selected_model is None
    state.set_models([MODEL, OTHER])
    assert state.selected_model == MODEL
    state.update_form(model="mine")
    state.set_models([MODEL, OTHER])
    assert state.selected_model == OTHER


def test_the_models_behind_some_items_are_told_with_those_they_go_with(state: AppState) -> None:
    changes = replace(OTHER, base=Base("furniture", "aaa"))
    third = replace(OTHER, name="third", hash="ccc")
    state.set_models([third, MODEL, changes])

    def made(**values: object) -> Item:
        return replace(item_in(state), recipe=RECIPE.model_copy(update=values))

    by_changes = made(model="mine", model_hash="bbb")
    fitted = made(source="a.obj", model_hash="ccc", fit=FitFacts(fidelity="faithful", size_bytes=12))
    gone = made(domain="video")
    assert state.models_behind([by_changes, fitted, by_changes, gone]) == (changes, MODEL)
    assert state.models_behind([fitted]) == ()


def test_the_model_of_a_recipe_is_found_by_weights_then_by_name(state: AppState) -> None:
    renamed = replace(MODEL, name="renamed")
    state.set_models([replace(MODEL, hash="new"), renamed])
    assert state.model_for(RECIPE) == renamed
    state.set_models([replace(MODEL, hash="new")])
    assert state.model_for(RECIPE) == state.models[0]
    state.set_models([replace(MODEL, domain="image")])
    assert state.model_for(RECIPE) is None


def test_a_form_and_what_was_made_follow_a_model_to_its_new_name(state: AppState) -> None:
    state.set_models([OTHER, MODEL])
    state.use_model(MODEL)
    recipe = Recipe(domain="shape", model=MODEL.name, model_hash=MODEL.hash, prompt="a chair", seed=1)
    assert state.made_by(recipe) == "furniture"
    renamed = replace(MODEL, name="my chairs")
    state.set_models([OTHER, renamed])
    assert state.selected_model == renamed and state.made_by(recipe) == "my chairs"
    state.set_models([OTHER])
    assert state.made_by(recipe) == "furniture" and state.selected_model == OTHER


def test_a_recipe_comes_back_into_the_form(state: AppState) -> None:
    state.set_models([OTHER, MODEL])
    form = state.recall(item_in(state).recipe)
    assert (form.model, form.prompt, form.seed, form.steps, form.guidance) == ("furniture", "a sofa", 9, 12, 5.0)
    assert form.seed_locked and form.count == 1


def test_deleting_what_is_shown_clears_the_stage_and_makes_its_results_stale(state: AppState) -> None:
    item = item_in(state)
    state.show(item)
    starred = state.library.star(item)
    assert state.shown == starred
    before = state.generation
    state.library.delete(item)
    assert state.shown is None and state.generation > before


def test_the_same_notification_is_not_listed_twice() -> None:
    notifications = Notifications()
    notifications.info("hello")
    notifications.error("bad", details="trace")
    notifications.info("hello")
    assert [one.text for one in notifications.list()] == ["bad", "hello"]
    notifications.clear()
    assert len(notifications) == 0


def test_all_that_was_said_can_be_read_again() -> None:
    notifications = Notifications()
    undo = Action("Undo", lambda: None)
    deleted = notifications.info("deleted", action=undo)
    failed = notifications.error("bad", details="trace")
    notifications.dismiss(failed)
    notifications.error("bad", details="trace again")
    assert [one.text for one in notifications.said()] == ["deleted", "bad"] and notifications.unread == 1
    notifications.mark_read()
    assert notifications.unread == 0
    notifications.withdraw(deleted)  # undone by other means: the button would do nothing
    assert deleted not in notifications.list() and notifications.said()[0].action is None
    notifications.warning("careful")
    assert notifications.unread == 1


PICTURES = replace(MODEL, name="portraits", domain="image", hash="ccc")


def test_each_room_has_its_form_its_models_and_its_item(state: AppState) -> None:
    for domain in ("shape", "image"):
        state.add_room(domain)
    state.set_models([MODEL, PICTURES, OTHER])
    state.enter("shape")
    state.update_form(prompt="a sofa", model="mine")
    item = item_in(state)
    state.show(item)
    said: list[object] = []
    state.shown_changed.connect(said.append)
    state.enter("image")
    assert said == [None] and state.shown is None
    assert state.usable_models() == [PICTURES] and state.selected_model == PICTURES
    assert state.form.prompt == ""
    state.use_model(MODEL)  # of the other room
    assert state.selected_model == PICTURES and state.is_in_use(MODEL) and not state.is_in_use(OTHER)
    state.enter("shape")
    assert state.shown == item and state.form.prompt == "a sofa" and state.selected_model == MODEL
    assert state.forms()["image"].model == "portraits"


def test_what_is_asked_in_one_room_makes_nothing_stale_in_another(state: AppState) -> None:
    for domain in ("shape", "image"):
        state.add_room(domain)
    state.enter("shape")
    number = state.next_generation()
    state.enter("image")
    state.next_generation()
    assert state.generation_in("shape") == number != state.generation
    item = item_in(state)
    said: list[object] = []
    state.shown_changed.connect(said.append)
    state.show(item)  # it came while the person was elsewhere
    assert said == [] and state.shown_in("shape") == item and state.shown is None
    state.library.delete(item)
    assert said == [] and state.shown_in("shape") is None


def test_more_like_an_item_is_its_recipe_with_a_seed_to_vary_it_by(state: AppState) -> None:
    state.set_models([MODEL])
    form = state.vary(RECIPE)
    assert (form.prompt, form.steps, form.guidance) == ("a sofa", 12, 5.0)
    assert form.like == ((9, USUAL_DIFFERENCE),) and not form.seed_locked
    state.update_form(like=form.like_by(0.2))
    assert state.form.difference == 0.2 and state.form.like == ((9, 0.2),)
    again = state.vary(RECIPE.model_copy(update={"seed": 12, "like": ((9, 0.2),)}))
    assert again.like == ((9, 0.2), (12, USUAL_DIFFERENCE))


def test_without_a_difference_all_variations_are_the_item_itself(state: AppState) -> None:
    state.set_models([MODEL])
    item = item_in(state)
    state.vary(RECIPE)
    state.update_form(count=4)
    assert len(state.form.seeds()) == 4 and not state.made_already()
    state.update_form(like=state.form.like_by(0.0))
    assert state.made_already() == {state.form.seed: item}


def test_the_first_model_of_a_room_that_nobody_entered_is_the_one_in_use(state: AppState) -> None:
    sky = replace(MODEL, name="skies", domain="video")
    state.add_room("video")
    state.set_models([MODEL, OTHER, sky])
    assert state.is_in_use(sky) and state.is_in_use(MODEL) and not state.is_in_use(OTHER)


def test_fast_is_asked_for_only_where_there_is_a_student(state: AppState) -> None:
    able = replace(MODEL, has_student=True)
    state.update_form(model="furniture", quality="fast")
    assert state.form.quality == "fast"  # which models there are is not known yet
    state.set_models([able, OTHER])
    assert state.form.quality == "fast"
    state.use_model(OTHER)
    assert state.form.quality == "best"
    state.use_model(able)
    state.update_form(quality="fast")
    state.set_models([MODEL, OTHER])  # another one of that name
    assert state.form.quality == "best"


def test_new_seeds_count_on_where_the_seed_is_kept_and_are_drawn_where_not(state: AppState) -> None:
    state.set_models([MODEL])
    made = [state.library.add(*_content(RECIPE.model_copy(update={"seed": seed}))) for seed in (11, 12)]
    state.update_form(seed_locked=True, prompt="something else by now")
    settings = RECIPE.settings
    assert state.new_seeds(MODEL, settings, [9]) == (10,)
    assert state.new_seeds(MODEL, settings, [9, 10], making={13}) == (14, 15)  # 11 and 12 are there
    assert state.new_seeds(MODEL, settings, [MAX_SEED]) == (0,)
    state.library.delete(made[0])
    assert state.new_seeds(MODEL, settings, [9, 10]) == (11, 13)
    state.update_form(seed_locked=False)
    drawn = {state.new_seeds(MODEL, settings, [9, 10]) for _ in range(4)}
    assert len(drawn) > 1 and all(second > first for first, second in drawn)


def test_a_prompt_with_alternatives_is_made_only_when_all_of_them_are(state: AppState) -> None:
    state.set_models([MODEL])
    state.update_form(seed_locked=True)
    settings = RECIPE.settings.model_copy(update={"prompt": "a {red|blue} sofa"})
    state.library.add(*_content(RECIPE.model_copy(update={"prompt": "a red sofa", "seed": 10})))
    assert state.new_seeds(MODEL, settings, [9]) == (10,)
    state.library.add(*_content(RECIPE.model_copy(update={"prompt": "a blue sofa", "seed": 10})))
    assert state.new_seeds(MODEL, settings, [9]) == (11,)


def _content(recipe: Recipe) -> tuple[np.ndarray, Recipe, np.ndarray]:
    return np.zeros((1, 2, 2), np.float32), recipe, np.zeros((8, 8, 4), np.uint8)
