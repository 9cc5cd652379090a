#!/bin/sh
# A Python environment of its own for the peer: nothing is installed outside target/.
set -e
installed=target/venv/bin/hftbacktest-installed
[ -e "$installed" ] && exit 0
python3 -m venv target/venv
target/venv/bin/pip install --quiet --disable-pip-version-check hftbacktest==2.4.4
touch "$installed"
