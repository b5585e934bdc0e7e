#!/usr/bin/env bash
# The test command: installs what the tests need, then checks and tests everything, in the profile that users run.
set -euo pipefail
cd "$(dirname "$0")/.."
# What a test needs has to be there: none looks away.
export CI=true

# With the AWS adapters, which the quickstart leaves out.
features="reference-backend/aws"

bash ci/install.sh
cargo fmt --all --check
cargo clippy --release --workspace --all-targets --features "$features" -- -D warnings
RUSTDOCFLAGS="-D warnings" cargo doc --release --workspace --no-deps --features "$features" --quiet
cargo test --release --workspace --features "$features"
# Each bench runs once, so that none rots; `cargo bench` measures. Named, with the same features: nothing is built twice.
cargo test --release --workspace --features "$features" \
    --bench backend --bench credentials --bench generator --bench load --bench peer
# What is deployed: the templates, and the executable that they ship.
bash ci/sam.sh
