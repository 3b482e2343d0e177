from pathlib import Path

import pytest

from ddmi_core.support.errors import DDMIError
from ddmi_core.support.paths import user_data
from ddmi_core.training.autoencoder_stage import open_mixture
from ddmi_core.training.config import RunConfig, preset_names, save_preset
from ddmi_core.training.versions import VERSION
from tests.core.training.quick import quick


def _text() -> str:
    return RunConfig.from_preset("shape-tiny").to_yaml()


def _line(text: str, start: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if line.strip().startswith(start))


def test_overrides_and_mistakes() -> None:
    config = quick("stage1.learning_rate=0.5", "autoencoder.hdbf=single")
    assert config.stage1.learning_rate == 0.5 and config.autoencoder.hdbf == "single"
    assert RunConfig.from_preset("shape-tiny").stage1.learning_rate != 0.5
    for wrong in ("stage1.stepz=3", "stage1.steps", "stage1.steps=many"):
        with pytest.raises(DDMIError):
            quick(wrong)
    clips = RunConfig.from_preset("video-tiny")
    with pytest.raises(DDMIError, match="several sizes and cannot share a trunk"):
        clips.with_overrides(["autoencoder.trunk=shared", "autoencoder.decoder_blocks=[1, 1, 0]"])
    with pytest.raises(DDMIError, match="shape-tiny"):
        RunConfig.from_preset("nothing")


def test_a_configuration_survives_its_file(tmp_path: Path) -> None:
    config = quick()
    (tmp_path / "run.yaml").write_text(config.to_yaml())
    assert RunConfig.from_file(tmp_path / "run.yaml") == config


def test_an_unknown_setting_is_named_with_its_line_and_what_may_be_meant() -> None:
    text = _text().replace("batch: 8", "bathc: 8", 1)
    with pytest.raises(DDMIError) as refused:
        RunConfig.from_text(text, "run.yaml")
    assert f"Line {_line(text, 'bathc')}, stage1.bathc: there is no such setting; did you mean batch?" in str(
        refused.value
    )
    assert f"Line {_line(text, 'stage1')}, stage1.batch: it is missing." in str(refused.value)


def test_an_unknown_setting_of_a_section_that_may_be_left_out_is_named_too() -> None:
    with pytest.raises(DDMIError, match=r"second_phase\.stepz: there is no such setting; did you mean steps\?"):
        quick("stage1.second_phase={stepz: 3}")


def test_a_setting_out_of_range_is_named_with_its_line() -> None:
    text = _text().replace("weight: 1.0", "weight: -1.0", 1)
    with pytest.raises(
        DDMIError, match=rf"Line {_line(text, 'weight')}, data\.0\.weight: .*greater than or equal to 0, not -1\.0\."
    ):
        RunConfig.from_text(text, "run.yaml")


@pytest.mark.parametrize("text", ["", "- a", "just words", "a: [", "version: many"])
def test_what_is_no_configuration_is_refused(text: str) -> None:
    with pytest.raises(DDMIError):
        RunConfig.from_text(text, "run.yaml")


def test_settings_of_an_earlier_version_are_brought_up_to_date() -> None:
    first = _text().replace(f"version: {VERSION}\n", "").replace("loader_workers: 0", "workers: 3")
    config = RunConfig.from_text(first, "run.yaml")
    assert config.version == VERSION and config.loader_workers == 3


def test_a_preset_of_a_newer_version_is_refused_clearly() -> None:
    save_preset("mine", _text())
    file = user_data() / "presets" / "mine.yaml"
    file.write_text(file.read_text().replace(f"version: {VERSION}", f"version: {VERSION + 1}"))
    assert "mine" in preset_names()
    with pytest.raises(DDMIError, match=rf"version {VERSION + 1}, made by a newer DDMI Studio.*Update it"):
        RunConfig.from_preset("mine")


@pytest.mark.parametrize("name", ["nerf-tiny", "video-tiny", "image-tiny", "shape-tiny", "emoji", "furniture"])
def test_every_preset_that_comes_along_can_be_read(name: str) -> None:
    assert RunConfig.from_preset(name).name == name


def test_a_source_can_be_for_one_stage_alone() -> None:
    config = RunConfig.from_preset("shape-tiny").with_overrides(
        ["data=[{source: procedural}, {source: nowhere, weight: 0}]"]
    )
    assert len(open_mixture(config, "train").sources) == 1  # what has no share need not be there
    assert [part.weight_in_diffusion for part in config.data] == [1, 0]
    with pytest.raises(DDMIError, match="weight is above 0"):
        config.with_overrides(["data=[{source: procedural, weight: 1, diffusion_weight: 0}]"])
