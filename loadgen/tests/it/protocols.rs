//! Backends of others, by the protocol files that ship: what was made to go wrong comes out as it was made.

use std::process::Stdio;

use crate::common::servers::script;

#[test]
fn the_official_client_of_phoenix_understands_our_stub() {
    let Some(mut proof) = script("phoenix", "prove") else { return };
    let output = proof.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
