#!/usr/bin/env bash
# The test command: installs what the tests need, then checks and tests everything, in the profile that users run.
set -euo pipefail
cd "$(dirname "$0")/.."
# What is missing fails a test instead of skipping it.
export CI=true
# End-to-end tests wait most of their time: few cores hold more of them than cargo thinks.
[ "$(nproc)" -ge 4 ] || export RUST_TEST_THREADS="${RUST_TEST_THREADS:-4}"
source ci/cache.sh
forget_own_crates

options=(--locked --release --workspace)

bash ci/install.sh
cargo fmt --all --check
bash ci/supply.sh
cargo clippy "${options[@]}" --all-targets -- -D warnings
RUSTDOCFLAGS="-D warnings" cargo doc "${options[@]}" --no-deps --quiet
cargo test "${options[@]}"
# Each bench runs once, so that none rots; `cargo bench --locked` measures. Named, with the same features: nothing is
# built twice.
cargo test "${options[@]}" --bench backend --bench credentials --bench generator --bench load --bench peer --bench protocol
# What is deployed: the templates, and the executable that they ship.
bash ci/sam.sh
