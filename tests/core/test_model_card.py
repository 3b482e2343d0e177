import pytest

from ddmi_core.model_card import licence_in
from ddmi_core.model_folder import describe, read_card
from ddmi_core.support.paths import assets
from ddmi_core.training.fine_tuning import further_from


@pytest.mark.parametrize("folder", sorted((assets() / "models").iterdir()), ids=lambda folder: folder.name)
def test_the_cards_of_what_comes_along_say_their_licence(folder):
    assert licence_in(read_card(describe(folder))).startswith("Weights: MIT")


def test_a_model_that_went_on_stands_under_the_licence_of_the_first_too():
    assert licence_in(further_from("furniture").card) == licence_in(read_card(describe(assets() / "models/furniture")))


@pytest.mark.parametrize(
    ("card", "licence"),
    [
        ("", ""),
        ("# Mine\n\n## Data\n\nLicence: none", ""),
        ("## Licence\n\nMIT, [*as ever*](a.md).\n\n- credit `Ann`\n- and Bob", "MIT, as ever. credit Ann and Bob"),
        ("## LICENSE ##\r\nMIT\r\n### Of the data\r\nCC0\r\n## Figures\r\n1 dB", "MIT CC0"),
        ("## Licence\n\nMIT\n\n## Before\n\n### Licence\n\nCC BY 4.0", "MIT CC BY 4.0"),
        ("## Licence\n\n| part | licence |\n|---|---|\n| all | MIT |", "| part | licence | | all | MIT |"),
    ],
)  # fmt: skip
def test_the_licence_is_told_in_one_line(card, licence):
    assert licence_in(card) == licence
