"""Writes the library's API pages from its docstrings, to be read in a browser without a network: `make docs`.

Every public module gets a page, and the package's own docstring is the front page. What is public and has no docstring
is refused, and so is whatever pdoc warns of, such as an annotation that names nothing.
"""

from __future__ import annotations

import argparse
import base64
import importlib
import pkgutil
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pdoc.render
from pdoc.doc import Class, Doc, Module

from ddmi_core.support.paths import assets

ROOT = Path(__file__).parent.parent
_NAME = "DDMI Studio"


def main() -> None:
    """Write the pages, and say where they begin."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "build" / "docs")
    print(write_pages("ddmi_core", parser.parse_args().folder))


def write_pages(package: str, folder: Path) -> Path:
    """Write the pages of a package that can be imported; return the first one.

    Raises:
        SystemExit: something public has no docstring.
        UserWarning: pdoc cannot make out something.
    """
    warnings.filterwarnings("error", module="pdoc")
    modules = _modules(package)
    if missing := sorted(name for module in modules.values() for name in _undocumented(module)):
        sys.exit(f"What is public has a docstring, but these have none: {', '.join(missing)}")
    icon = base64.b64encode((assets() / "icons" / "app.svg").read_bytes()).decode()
    version = getattr(importlib.import_module(package), "__version__", "")
    pdoc.render.configure(
        docformat="google",
        favicon=f"data:image/svg+xml;base64,{icon}",
        show_source=False,
        template_directory=ROOT / "docs" / "api",
    )
    pdoc.render.env.globals["project"] = f"{_NAME} {version}".strip()
    for name, module in modules.items():
        page = folder.joinpath(*name.split(".")).with_suffix(".html")
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(pdoc.render.html_module(module, modules), encoding="utf-8")
    (folder / "search.js").write_text(pdoc.render.search_index(modules), encoding="utf-8")
    (folder / "index.html").write_text(pdoc.render.html_index(modules), encoding="utf-8")
    return folder / "index.html"


def _modules(package: str) -> dict[str, Module]:
    """The public modules by their names, loaded, the package itself first."""
    root = importlib.import_module(package)
    names = [found.name for found in pkgutil.walk_packages(root.__path__, f"{package}.")]
    public = [package, *(name for name in names if not any(part.startswith("_") for part in name.split(".")))]
    for module in map(importlib.import_module, public):
        _show_all_of(module)
    return {name: Module.from_name(name) for name in public}


def _show_all_of(module: object) -> None:
    """Let pdoc see what a module fetches only when it is asked for, and the modules beside what `__all__` names."""
    named = getattr(module, "__all__", None)
    if named is not None:
        for name in named:
            setattr(module, name, getattr(module, name))
        below = [found.name for found in pkgutil.iter_modules(getattr(module, "__path__", ()))]
        setattr(module, "__all__", [*(name for name in below if not name.startswith("_")), *named])  # noqa: B010


def _undocumented(documented: Module | Class) -> Iterator[str]:
    """The public modules, classes and functions that have no docstring, by their full names."""
    if not documented.docstring:
        yield documented.fullname
    for member in documented.own_members:
        if not _is_public(member):
            continue
        if isinstance(member, Class):
            yield from _undocumented(member)
        elif member.kind == "function" and not member.docstring:
            yield member.fullname


def _is_public(member: Doc) -> bool:
    return member.kind != "module" and not member.name.startswith("_")


if __name__ == "__main__":
    main()
