#!/bin/sh
# pandas in an environment of its own under the git-ignored var/. usage: install.sh (from any directory)
set -e
cd "$(dirname "$0")"
venv=../../../var/peers/pandas-venv
[ -e "$venv/pandas-installed" ] && exit 0
python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check pandas==2.2.3 pyarrow==26.0.1 numpy==2.4.6
touch "$venv/pandas-installed"
