# To be sourced: compiled dependencies come from, and go to, a folder that outlives this checkout, where there is one.
# `mkdir ~/.cache/loadgen-target` makes it, LOADGEN_TARGET_CACHE names another.
cache="${LOADGEN_TARGET_CACHE:-$HOME/.cache/loadgen-target}"
[ ! -d "$cache" ] || export CARGO_TARGET_DIR="$cache"

# Our own crates are built anew: cargo tells them from those of another checkout by the age of their files alone.
forget_own_crates() {
    [ "${CARGO_TARGET_DIR:-}" != "$cache" ] || cargo clean --locked --release --quiet --workspace
}
