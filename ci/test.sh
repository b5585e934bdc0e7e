#!/usr/bin/env bash
# The test command: installs what the tests need, then checks and tests everything, in the profile that users run.
set -euo pipefail
cd "$(dirname "$0")/.."

bash ci/install.sh
cargo fmt --all --check
cargo clippy --release --workspace --all-targets -- -D warnings
RUSTDOCFLAGS="-D warnings" cargo doc --release --workspace --no-deps --quiet
cargo test --release --workspace
# Each bench runs once, so that none rots; `cargo bench` measures.
cargo test --release --package bench --benches
