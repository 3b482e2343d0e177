#!/usr/bin/env bash
# Installs the system libraries that Qt, OpenGL and the virtual display need, where Debian's or Ubuntu's package manager
# can; names them elsewhere. Does nothing, in milliseconds, where all is there.
set -euo pipefail

[ "$(uname)" = Linux ] || exit 0

missing=()
# `ldconfig -p` reads the loader's cache; it may lie outside a user's PATH.
known=$(PATH=$PATH:/usr/sbin:/sbin ldconfig -p 2>/dev/null || true)
while read -r library package; do
    [ "$library" = "#" ] || [[ $known == *"$library "* ]] || missing+=("$package")
done <"$(dirname "$0")/system_libraries.txt"

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
