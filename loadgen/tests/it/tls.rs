//! `wss://`: the same runs through TLS, with the same counts, and a certificate that nobody vouches for.

use crate::common::calm::{calm, messages, only, outcomes};
use crate::common::tls::Front;
use crate::common::{Backend, Ran, Scene, assert_balanced};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// A backend behind TLS; both end with this value.
struct Secure {
    front: Front,
    _backend: Backend,
    _runtime: Runtime,
    _scratch: TempDir,
}

impl Secure {
    fn start(profile: &str) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let file = scratch.path().join("profile.toml");
        std::fs::write(&file, profile).unwrap();
        let backend = Backend::start(&["--auth", "header", "--profile", file.to_str().unwrap()]);
        let address = backend.url("websocket").trim_start_matches("ws://").split('/').next().unwrap();
        let runtime = Runtime::new().unwrap();
        let front = runtime.block_on(Front::start(address.to_owned(), scratch.path())).unwrap();
        Self { front, _backend: backend, _runtime: runtime, _scratch: scratch }
    }

    fn target(&self) -> String {
        format!("wss://{}/Development", self.front.address)
    }

    /// Runs a scenario that trusts the certificate.
    fn run(&self, scene: Scene) -> Ran {
        let mut command = scene.command(&["--target", &self.target()]);
        command.env("SSL_CERT_FILE", &self.front.certificate).env_remove("SSL_CERT_DIR");
        let output = command.output().unwrap();
        scene.ran(output)
    }
}

#[test]
fn a_run_through_tls_and_an_unknown_certificate() {
    let secure = Secure::start("base = \"instant\"\n");
    let summary = secure.run(calm(50, &messages(20.0, 5))).exits(0).summary();
    assert_balanced(&summary);
    assert_eq!(summary.sockets.opened, 50);
    assert_eq!(summary.deliveries["message"].received, 500);

    let ran = calm(50, "").run(&["--target", &secure.target(), "--set", "phases.0.duration=1s"]);
    assert_eq!(ran.exits(1).summary().operations["connect"].errors["tls"], 50);
    assert!(ran.stderr.contains("no player could connect: tls × 50"), "{}", ran.stderr);
}

#[test]
fn slow_readers_are_slow_through_tls_and_stay_out_of_the_figures() {
    let secure = Secure::start("base = \"instant\"\n");
    let slow = "[slow_readers]\nshare = 0.2\ndelay = \"500ms\"\nreceive_buffer = 4096\n";
    let summary = secure.run(calm(20, &(messages(50.0, 10) + slow))).exits(0).summary();
    assert_balanced(&summary);
    assert_eq!(*outcomes(&summary, "slow_reader"), only("run_ended", 4));
    let read = summary.disruptions["slow_reader"].messages_read;
    // Records that have been decrypted already are read no faster than others.
    assert!((4..=4 * 16).contains(&read), "one message in half a second each: {read}");
    let (sent, message) = (&summary.operations["send_message"], &summary.deliveries["message"]);
    assert_eq!((sent.completed, message.lost, message.unexpected), (250, 0, 0));
    assert!((1..2_250).contains(&message.expected), "a fifth of the 2,500 went to slow readers: {message:?}");
}

#[test]
fn silent_players_find_what_has_become_of_their_encrypted_sockets() {
    let secure = Secure::start("base = \"instant\"\n[gateway]\nidle_timeout_s = 2.0\n");
    let silent = "[half_open]\nshare = 0.25\nafter = \"100ms\"\n";
    let summary = secure.run(calm(20, silent)).exits(0).summary();
    assert_eq!(*outcomes(&summary, "half_open"), only("closed_1001", 5));
    assert_eq!(summary.sockets.ends, only("closed_1001", 15), "those who listen hear it at once");

    // Nobody is cut for being idle, also where the end of the run takes its time.
    let secure = Secure::start("base = \"instant\"\n");
    let lasting =
        format!("{silent}lasts = \"500ms\"\n[reconnect]\npolicy = \"constant\"\nbase = \"100ms\"\n");
    let summary = secure.run(calm(20, &(messages(50.0, 10) + &lasting))).exits(0).summary();
    assert_balanced(&summary);
    let found = outcomes(&summary, "half_open");
    assert!(found.keys().all(|class| class == "unnoticed"), "{found:?}");
    let (made, reconnects) = (summary.disruptions["half_open"].made, summary.reconnects.as_ref().unwrap());
    let after_each = reconnects.wanted..=reconnects.wanted + 5;
    assert!(
        made > 10 && after_each.contains(&made),
        "but for those who are silent at the end: {reconnects:?}"
    );
    assert_eq!((summary.sockets.dropped, summary.deliveries["message"].lost), (0, 0));
}

#[test]
fn every_cut_of_an_encrypted_socket_counts_once() {
    let secure = Secure::start("base = \"instant\"\n");
    for cut in ["abort", "reset", "close"] {
        let storm = format!(
            "[[storms]]\nat = \"2s\"\nshare = 0.5\ncut = \"{cut}\"\n[reconnect]\npolicy = \"constant\"\nbase = \"200ms\"\n"
        );
        let summary = secure.run(calm(20, &(messages(50.0, 10) + &storm))).exits(0).summary();
        assert_balanced(&summary);
        assert_eq!(*outcomes(&summary, "cut"), only("back", 10), "{cut}");
        assert_eq!((summary.sockets.opened, summary.sockets.dropped), (30, 0), "{cut}");
        assert_eq!(summary.deliveries["message"].lost, 0, "{cut}");
    }
}
