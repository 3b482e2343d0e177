"""Makes a Debian package of the folder that `make package` made, into `dist/`: run by `make deb`.

The folder goes to /opt/ddmi-studio, with links to its executables in /usr/bin; what the desktop reads, from
`packaging/linux`, goes to /usr/share. Needs dpkg-deb, but no other tool of Debian's.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from ddmi_core import __version__
from scripts.app_icon import drawing, picture

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "dist" / "DDMI Studio"
NAME = "ddmi-studio"
HOME = f"opt/{NAME}"
COMMANDS = {NAME: "DDMI Studio", "ddmi": "ddmi"}
"""What is typed, and the executable that it starts."""
SIDES = (16, 24, 32, 48, 64, 128, 256, 512)  # px, of the icons
_METADATA = ROOT / "packaging" / "linux"
_PLACES = {
    "ddmi-studio.desktop": "usr/share/applications/ddmi-studio.desktop",
    "ddmi-studio.mime.xml": "usr/share/mime/packages/ddmi-studio.xml",
    "org.ddmi.studio.metainfo.xml": "usr/share/metainfo/org.ddmi.studio.metainfo.xml",
}
_COMPRESSION = ("-Zzstd", "-z10")  # 36 s of a processor; dpkg reads it since Debian 12 and Ubuntu 18.04


def main() -> None:
    """Make the package, and say where it is.

    Raises:
        SystemExit: there is no folder to package, or no dpkg-deb.
    """
    if not PACKAGE.is_dir():
        sys.exit("There is no folder to make a Debian package of: run `make package` first.")
    if shutil.which("dpkg-deb") is None:
        sys.exit("dpkg-deb is not installed, so no Debian package can be made here.")
    target = build(PACKAGE, ROOT / "build" / "deb")
    shutil.move(target, PACKAGE.parent / target.name)
    print(f"{PACKAGE.parent / target.name}: {(PACKAGE.parent / target.name).stat().st_size / 1e6:.0f} MB")


def build(package: Path, place: Path) -> Path:
    """Make the Debian package of a folder in another one, on the same disk, which is emptied first; return the file."""
    shutil.rmtree(place, ignore_errors=True)
    tree = place / "tree"
    lay_out(package, tree)
    size = sum(file.lstat().st_size for file in tree.rglob("*") if not file.is_dir()) // 1024
    machine = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True).stdout
    (tree / "DEBIAN").mkdir()
    (tree / "DEBIAN" / "control").write_text(control(machine.strip(), size), encoding="utf-8")
    target = place / f"{NAME}_{__version__}_{machine.strip()}.deb"
    command = ["dpkg-deb", "--build", "--root-owner-group", *_COMPRESSION, tree, target]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return target


def lay_out(package: Path, tree: Path) -> None:
    """Put all that is installed below a folder as it will lie below /, the package's files as hard links."""
    shutil.copytree(package, tree / HOME, symlinks=True, copy_function=os.link)
    for command, executable in COMMANDS.items():
        link = _parented(tree / "usr" / "bin" / command)
        link.symlink_to(Path("/") / HOME / executable)
    for name, place in _PLACES.items():
        shutil.copy(_METADATA / name, _parented(tree / place))
    icons = tree / "usr" / "share" / "icons" / "hicolor"
    for side in SIDES:
        _parented(icons / f"{side}x{side}" / "apps" / f"{NAME}.png").write_bytes(picture(side))
    _parented(icons / "scalable" / "apps" / f"{NAME}.svg").write_text(drawing(), encoding="utf-8")
    _parented(tree / "usr" / "share" / "doc" / NAME / "copyright").write_text(terms(), encoding="utf-8")


def control(machine: str, size: int) -> str:
    """Return what dpkg is told of the package, for an architecture and an installed size in KiB."""
    return f"""\
Package: {NAME}
Version: {__version__}
Section: graphics
Priority: optional
Architecture: {machine}
Maintainer: DDMI Studio contributors
Installed-Size: {size}
Depends: {", ".join(needed())}
Recommends: desktop-file-utils, fontconfig, fonts-dejavu-core, libgl1-mesa-dri, shared-mime-info
Description: generate shapes, pictures, videos and radiance fields from prompts
 DDMI Studio generates continuous functions, so a shape has no polygon count, a
 picture no resolution and a clip no frame rate until it is exported. Models
 come along; others are trained on files of your own.
"""


def needed() -> list[str]:
    """Return the Debian packages that the studio does not start without: a C library as new as this machine's."""
    _, version = os.confstr("CS_GNU_LIBC_VERSION").split()  # "glibc 2.36"
    lines = (ROOT / "scripts" / "system_libraries.txt").read_text(encoding="utf-8").splitlines()
    named = [line.split()[1] for line in lines if not line.startswith("#")]
    return [f"libc6 (>= {version})", "libgcc-s1", "libstdc++6", *named]


def terms() -> str:
    """Return the file that Debian asks for: under which terms the package is."""
    lines = (ROOT / "LICENSE").read_text(encoding="utf-8").splitlines()
    licence = "\n".join(f" {line or '.'}" for line in lines)
    return (_METADATA / "copyright").read_text(encoding="utf-8").replace("@LICENSE@", licence)


def _parented(path: Path) -> Path:
    """The path, once there is a folder to hold it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


if __name__ == "__main__":
    main()
