#!/usr/bin/env bash
# The test command: installs what the tests need, then checks and tests everything, in the profile that users run.
set -euo pipefail
cd "$(dirname "$0")/.."

# With the AWS adapters, which the quickstart leaves out.
features="reference-backend/aws"

bash ci/install.sh
cargo fmt --all --check
bash ci/supply.sh
cargo clippy --locked --release --workspace --all-targets --features "$features" -- -D warnings
RUSTDOCFLAGS="-D warnings" cargo doc --locked --release --workspace --no-deps --features "$features" --quiet
cargo test --locked --release --workspace --features "$features"
# Each bench runs once, so that none rots; `cargo bench --locked` measures. Named, with the same features: nothing is built twice.
cargo test --locked --release --workspace --features "$features" \
    --bench backend --bench credentials --bench generator --bench load --bench peer
# What is deployed: the templates, and the executable that they ship.
bash ci/sam.sh
