#!/usr/bin/env bash
# The deployment: checks both SAM templates, builds what they ship with `sam build`, and has it answer events.
# Needs neither credentials nor an account. Usage: ci/sam.sh
set -euo pipefail
cd "$(dirname "$0")/.."

[ -x .venv-sam/bin/python ] || python3 -m venv .venv-sam
.venv-sam/bin/python -m pip install --quiet --disable-pip-version-check \
    --require-hashes --no-deps --only-binary :all: -r ci/requirements-sam.txt
export PATH="$PWD/.venv-sam/bin:$PATH"
export SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1
# What is checked here is that it builds and works, not its speed: optimising less halves the time.
source ci/cache.sh
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}/sam" CARGO_PROFILE_RELEASE_OPT_LEVEL=1
out="$PWD/target/sam-build"
# What another checkout has left is not taken for ours.
cargo clean --locked --release --quiet --workspace --target x86_64-unknown-linux-gnu

cfn-lint reference-backend/template.yaml reference-backend/template-single.yaml
.venv-sam/bin/python ci/sam_facts.py
for template in template template-single; do
    sam validate --lint --template "reference-backend/$template.yaml"
done
# `sam build` cannot be told --locked; where Cargo.lock is complete it changes nothing.
cargo metadata --locked --format-version 1 >/dev/null
# One build for both: sam_facts.py has found that every function of both names the same crate, executable and runtime.
sam build --template reference-backend/template.yaml --build-dir "$out"

# provided.al2023 has glibc 2.34: what asks for a newer one would not even start there.
# Each function has a copy of the one that was built.
executable="$(find "$out" -name bootstrap -type f -print -quit)"
newest="$(objdump -T "$executable" | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -1)"
[ "$(printf 'GLIBC_2.34\n%s\n' "$newest" | sort -V | tail -1)" = GLIBC_2.34 ] \
    || { echo "the executable needs $newest, AWS has GLIBC_2.34" >&2; exit 1; }

# What is deployed has nothing of the local stack in it.
if cargo tree --locked -p reference-lambda --edges normal --prefix none | grep -E '^(axum|fjall|governor|tokio-tungstenite) '; then
    echo "the Lambda has been built with the local stack: reference-backend-aws must not depend on reference-backend-local" >&2
    exit 1
fi

.venv-sam/bin/python ci/sam_invoke.py "$out"
