#!/usr/bin/env bash
# Installs the system libraries that Qt, OpenGL and the virtual display need, where Debian's or Ubuntu's package manager
# can; names them elsewhere. Does nothing, in milliseconds, where all is there.
set -euo pipefail

[ "$(uname)" = Linux ] || exit 0

# A shared library and the Debian package that holds it. Looked up by the library, not by the package's name, since the
# names differ between releases.
libraries="
libEGL.so.1              libegl1
libGL.so.1               libgl1
libOpenGL.so.0           libopengl0
libX11-xcb.so.1          libx11-xcb1
libdbus-1.so.3           libdbus-1-3
libfontconfig.so.1       libfontconfig1
libglib-2.0.so.0         libglib2.0-0
libxcb-cursor.so.0       libxcb-cursor0
libxcb-icccm.so.4        libxcb-icccm4
libxcb-image.so.0        libxcb-image0
libxcb-keysyms.so.1      libxcb-keysyms1
libxcb-randr.so.0        libxcb-randr0
libxcb-render-util.so.0  libxcb-render-util0
libxcb-shape.so.0        libxcb-shape0
libxcb-util.so.1         libxcb-util1
libxcb-xinerama.so.0     libxcb-xinerama0
libxcb-xkb.so.1          libxcb-xkb1
libxkbcommon-x11.so.0    libxkbcommon-x11-0
"

missing=()
# `ldconfig -p` reads the loader's cache; it may lie outside a user's PATH.
known=$(PATH=$PATH:/usr/sbin:/sbin ldconfig -p 2>/dev/null || true)
while read -r library package; do
    [ -z "$library" ] || [[ $known == *"$library "* ]] || missing+=("$package")
done <<<"$libraries"

drivers=(/usr/lib/*/dri/swrast_dri.so /usr/lib*/dri/swrast_dri.so /usr/lib/*/libgallium-*.so /usr/lib*/libgallium-*.so)
found=
for driver in "${drivers[@]}"; do [ ! -e "$driver" ] || found=yes; done
[ -n "$found" ] || missing+=(libgl1-mesa-dri)

command -v Xvfb >/dev/null || missing+=(xvfb)
command -v fc-list >/dev/null || missing+=(fontconfig)
[ -n "$(fc-list 2>/dev/null | head -n 1)" ] || missing+=(fonts-dejavu-core)

# Some Debian Pythons come without venv. Any Python that is new enough and complete will do.
"$(dirname "$0")"/find_python.sh >/dev/null || missing+=(python3 python3-venv)

[ ${#missing[@]} -gt 0 ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "Not installed here: ${missing[*]} (Debian's names). Please install your system's equivalents if the studio does not start." >&2
    exit 0
fi
if [ "$(id -u)" -eq 0 ]; then
    as_root=(env)
elif command -v sudo >/dev/null; then
    as_root=(sudo)
else
    echo "Please have these installed, then try again: apt-get install ${missing[*]}" >&2
    exit 1
fi
echo "Installing system packages: ${missing[*]}"
"${as_root[@]}" apt-get update -qq </dev/null
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null >/dev/null
