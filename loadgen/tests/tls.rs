//! `wss://`: the same run through TLS, and a certificate that nobody vouches for.
#![allow(clippy::unwrap_used)]

mod common;
#[path = "common/tls.rs"]
mod tls;

use common::{Backend, Scene, assert_balanced};
use tls::Front;

const SCENARIO: &str = r#"
name = "tls"
players = 50

[auth]
mode = "header"

[[phases]]
kind = "hold"
duration = "2s"

[operations.send_message]
rate = 20.0
fan_out = 5
"#;

#[test]
fn a_run_through_tls_and_an_unknown_certificate() {
    let backend = Backend::start(&["--auth", "header"]);
    let address = backend.url("websocket").trim_start_matches("ws://").split('/').next().unwrap().to_owned();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let front = runtime.block_on(Front::start(address, dir.path())).unwrap();
    let target = format!("wss://{}/Development", front.address);

    let scene = Scene::new(SCENARIO);
    let mut trusting = scene.command(&["--target", &target]);
    let trusting = trusting.env("SSL_CERT_FILE", &front.certificate).env_remove("SSL_CERT_DIR").output();
    let ran = scene.ran(trusting.unwrap());
    let summary = ran.exits(0).summary();
    assert_balanced(&summary);
    assert_eq!(summary.sockets.opened, 50);
    assert_eq!(summary.deliveries["message"].received, 200);

    let ran = Scene::new(SCENARIO).run(&["--target", &target, "--set", "phases.0.duration=1s"]);
    assert_eq!(ran.exits(1).summary().operations["connect"].errors["tls"], 50);
    assert!(ran.stderr.contains("no player could connect: tls × 50"), "{}", ran.stderr);
}
