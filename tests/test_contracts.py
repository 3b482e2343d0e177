"""What the project promises about itself: which part may know which, what is pinned, what loads quickly."""

from __future__ import annotations

import itertools
import logging
import re
import subprocess
import sys
import tomllib
from importlib.metadata import distribution, distributions, packages_distributions
from pathlib import Path

import pytest
from importlinter.cli import lint_imports
from packaging.requirements import Requirement

from tests.imports import imported_by

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_packages_import_only_what_they_may_know(capsys: pytest.CaptureFixture[str]) -> None:
    failed = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    for logger in logging.root.manager.loggerDict.values():  # it sets logging up, which silences everyone else's
        if isinstance(logger, logging.Logger):
            logger.disabled = False
    assert not failed, capsys.readouterr().out


def test_every_direct_dependency_is_pinned_exactly() -> None:
    requirements = itertools.chain(PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
    assert [requirement for requirement in requirements if "==" not in requirement] == []


def test_the_lock_has_every_pin_and_what_these_need_and_no_origin() -> None:
    lines = [line for line in (ROOT / "requirements.lock").read_text().splitlines() if not line.startswith("#")]
    locked = dict(line.split("==") for line in lines)
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9-]+==[0-9a-z.]+", line)] == []
    pins = [
        pin.split("==") for pin in itertools.chain(PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
    ]
    assert {canonical(name): version for name, version in pins}.items() <= locked.items()
    unlocked = {
        canonical(requirement.name)
        for name in locked.keys() & {canonical(one.name) for one in distributions()}
        for requirement in map(Requirement, distribution(name).requires or [])
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""})
    } - locked.keys()
    of_cuda = re.compile("nvidia-.*|cuda-.*|triton")  # where torch is a build for it
    assert [name for name in unlocked if not of_cuda.fullmatch(name)] == []


@pytest.mark.parametrize(("package", "extras"), [("ddmi_core", []), ("studio", ["studio"])])
def test_what_is_imported_is_declared(package: str, extras: list[str]) -> None:
    declared = {
        canonical(requirement.split("==")[0])
        for requirement in [
            *PROJECT["dependencies"],
            *itertools.chain.from_iterable(PROJECT["optional-dependencies"][extra] for extra in extras),
        ]
    }
    distributions = packages_distributions()
    undeclared = {
        name: sorted(set(distributions.get(name, [])))
        for name in imported_by(package) - sys.stdlib_module_names - {"ddmi_core", "studio"}
        if not declared & {canonical(distribution) for distribution in distributions.get(name, [])}
    }
    assert undeclared == {}


def canonical(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def test_only_domains_and_their_rooms_ask_which_domain_it_is() -> None:
    comparison = re.compile(r"""(==|!=|\bin|\bcase)\s*[\[({]?["'](shape|image|nerf|video)["']""")
    asking = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for package in ("ddmi_core", "studio")
        for path in (ROOT / package).rglob("*.py")
        if not {"domains", "rooms"} & set(path.parts)
        for line in path.read_text().splitlines()
        if comparison.search(line)
    ]
    assert asking == []


def modules_after(code: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after running ``code``."""
    code += "\nimport sys; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(run.stdout.split())


def test_importing_the_library_loads_no_torch() -> None:
    assert "torch" not in modules_after("import ddmi_core")


def test_the_pipeline_is_imported_from_the_library_itself() -> None:
    assert {"torch", "ddmi_core.pipeline"} <= modules_after("from ddmi_core import Pipeline; Pipeline.from_pretrained")


def test_the_window_opens_before_torch_is_loaded() -> None:
    loaded = modules_after("import studio.app")
    assert "studio.window" in loaded
    assert loaded.isdisjoint({"torch", "diffusers", "transformers", "scipy", "open_clip"})


@pytest.mark.slow
def test_libraries_that_need_torchvision_import() -> None:
    loaded = modules_after(
        "from ddmi_core.support._torchvision import ensure_torchvision\n"
        "ensure_torchvision()\n"
        "import open_clip\n"
        "from diffusers import UNet2DConditionModel\n"
        "from transformers import AutoModel"
    )
    assert {"open_clip", "diffusers", "transformers"} <= loaded
    assert "PySide6" not in loaded
