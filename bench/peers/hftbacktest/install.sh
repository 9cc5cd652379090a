#!/bin/sh
# A Python environment of its own for the peer, under the git-ignored var/ (its packages carry .ts files that the
# type checker would find under bench/).
set -e
venv=../../../var/peers/hftbacktest/venv
[ -e "$venv/hftbacktest-installed" ] && exit 0
python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check hftbacktest==2.4.4
touch "$venv/hftbacktest-installed"
