"""What installers tell the systems agrees with the app, and the Debian package is laid out as Debian expects it."""

from __future__ import annotations

import ast
import plistlib
import re
import shutil
import subprocess
from configparser import ConfigParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ddmi_core import __version__
from ddmi_core.model_file import SUFFIX
from scripts import build_deb
from tests.imports import imported_by

ROOT = Path(__file__).parent.parent
PACKAGING = ROOT / "packaging"
DESKTOP = PACKAGING / "linux" / "ddmi-studio.desktop"
METAINFO = PACKAGING / "linux" / "org.ddmi.studio.metainfo.xml"
MEDIA_TYPE = "application/x-ddmi-model"
_MIME = {"mime": "http://www.freedesktop.org/standards/shared-mime-info"}


def of_desktop() -> dict[str, str]:
    parser = ConfigParser(interpolation=None)
    parser.optionxform = str  # keys as the file writes them
    parser.read(DESKTOP, encoding="utf-8")
    return dict(parser["Desktop Entry"])


def test_nothing_that_is_imported_is_left_out_of_the_package() -> None:
    calls = [node for node in ast.walk(ast.parse((ROOT / "studio.spec").read_text())) if isinstance(node, ast.Call)]
    (excludes,) = (keyword.value for call in calls for keyword in call.keywords if keyword.arg == "excludes")
    left_out = {node.value for node in ast.walk(excludes) if isinstance(node, ast.Constant)}
    assert "matplotlib" in left_out
    assert left_out & (imported_by("ddmi_core") | imported_by("studio")) == set()


def test_the_desktop_starts_what_is_installed_and_knows_its_window() -> None:
    entry = of_desktop()
    assert entry["Exec"].split()[0] in build_deb.COMMANDS and entry["Exec"].endswith("%F")
    assert entry["Icon"] == build_deb.NAME
    app = (ROOT / "studio" / "app.py").read_text(encoding="utf-8")
    assert f'setApplicationName("{entry["StartupWMClass"]}")' in app
    assert f'setDesktopFileName("{DESKTOP.stem}")' in app


def test_every_system_gives_files_of_models_to_the_studio() -> None:
    assert of_desktop()["MimeType"] == f"{MEDIA_TYPE};"
    (kind,) = ElementTree.parse(PACKAGING / "linux" / "ddmi-studio.mime.xml").findall("mime:mime-type", _MIME)
    assert kind.attrib["type"] == MEDIA_TYPE
    assert [glob.attrib["pattern"] for glob in kind.findall("mime:glob", _MIME)] == [f"*{SUFFIX}"]

    mac = plistlib.loads((PACKAGING / "macos" / "info.plist").read_bytes())
    (exported,), (opened,) = mac["UTExportedTypeDeclarations"], mac["CFBundleDocumentTypes"]
    assert opened["LSItemContentTypes"] == [exported["UTTypeIdentifier"]]
    tags = exported["UTTypeTagSpecification"]
    assert tags == {"public.filename-extension": [SUFFIX[1:]], "public.mime-type": [MEDIA_TYPE]}

    windows = (PACKAGING / "windows" / "ddmi-studio.iss").read_text(encoding="utf-8")
    assert rf"Software\Classes\{SUFFIX}" in windows and MEDIA_TYPE in windows


def test_software_centres_find_the_desktop_entry_and_the_commands() -> None:
    told = ElementTree.parse(METAINFO)
    assert told.findtext("launchable") == DESKTOP.name
    assert [binary.text for binary in told.findall("provides/binary")] == [*build_deb.COMMANDS]
    assert told.findtext("provides/mediatype") == MEDIA_TYPE


@pytest.mark.skipif(shutil.which("desktop-file-validate") is None, reason="desktop-file-utils is not installed")
def test_the_desktop_entry_is_valid() -> None:
    subprocess.run(["desktop-file-validate", DESKTOP], check=True)


@pytest.mark.skipif(shutil.which("appstreamcli") is None, reason="appstream is not installed")
def test_the_metainfo_is_valid() -> None:
    subprocess.run(["appstreamcli", "validate", "--no-net", METAINFO], check=True)


@pytest.fixture(scope="module")
def deb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Debian package of a folder that is like the real one but for its size."""
    if shutil.which("dpkg-deb") is None:
        pytest.skip("dpkg-deb is not installed")
    folder = tmp_path_factory.mktemp("package")
    package = folder / "DDMI Studio"
    (package / "_internal").mkdir(parents=True)
    (package / "_internal" / "library.so").write_bytes(bytes(5000))
    (package / "DDMI Studio").write_text("#!/bin/sh\n")
    (package / "DDMI Studio").chmod(0o755)
    (package / "ddmi").symlink_to("DDMI Studio")
    return build_deb.build(package, folder / "deb")


def test_the_package_says_what_it_needs(deb: Path) -> None:
    told = subprocess.run(["dpkg-deb", "--field", deb], capture_output=True, text=True, check=True).stdout
    fields = dict(re.findall(r"^([A-Z][\w-]+): (.*)$", told, re.MULTILINE))
    assert (fields["Package"], fields["Version"]) == ("ddmi-studio", __version__)
    assert {"libegl1", "libgl1", "libxcb-cursor0", "libstdc++6"} <= set(fields["Depends"].split(", "))
    assert re.search(r"libc6 \(>= 2\.\d+\)", fields["Depends"])
    assert 5 < int(fields["Installed-Size"]) < 1000  # KiB


def test_the_package_puts_everything_where_debian_looks_for_it(deb: Path, tmp_path: Path) -> None:
    subprocess.run(["dpkg-deb", "--extract", deb, tmp_path], check=True)
    assert (tmp_path / "usr/bin/ddmi-studio").readlink() == Path("/opt/ddmi-studio/DDMI Studio")
    assert (tmp_path / "usr/bin/ddmi").readlink() == Path("/opt/ddmi-studio/ddmi")
    assert (tmp_path / "opt/ddmi-studio/ddmi").resolve().stat().st_mode & 0o111
    assert (tmp_path / "usr/share/applications/ddmi-studio.desktop").read_bytes() == DESKTOP.read_bytes()
    assert (tmp_path / "usr/share/mime/packages/ddmi-studio.xml").is_file()
    assert (tmp_path / "usr/share/metainfo" / METAINFO.name).is_file()
    icons = tmp_path / "usr/share/icons/hicolor"
    assert (icons / "48x48/apps/ddmi-studio.png").read_bytes().startswith(b"\x89PNG")
    assert "currentColor" not in (icons / "scalable/apps/ddmi-studio.svg").read_text()
    terms = (tmp_path / "usr/share/doc/ddmi-studio/copyright").read_text()
    assert "Permission is hereby granted" in terms and "@" not in terms
    owners = subprocess.run(["dpkg-deb", "--contents", deb], capture_output=True, text=True, check=True).stdout
    assert {line.split()[1] for line in owners.splitlines()} == {"root/root"}
