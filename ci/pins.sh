#!/usr/bin/env bash
# Writes ci/requirements*.txt anew from the .in files: every package that they need, with the hashes of its files, for
# Python 3.11 and later on any system. Wheels only, so that installing one runs none of its code.
set -euo pipefail
cd "$(dirname "$0")/.."

tool="$(mktemp -d)"
trap 'rm -rf "$tool"' EXIT
python3 -m venv "$tool"
"$tool/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: uv==0.13.9
for list in requirements requirements-sam; do
    "$tool/bin/uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-build \
        --custom-compile-command "bash ci/pins.sh" "ci/$list.in" --output-file "ci/$list.txt"
done
