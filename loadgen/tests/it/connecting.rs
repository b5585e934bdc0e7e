//! The way to a target that is not as simple as the backend beside us: what an edge wants to see, what it says when it
//! refuses, addresses of both families, and what keeps an idle socket open.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::common::calm::{calm, only};
use crate::common::raw::{Guest, drain, serve, serve_at};
use crate::common::{LOADGEN, Ran, Scene};

/// Players without credentials, at a target of the test's own, for a moment.
fn visit(players: u32, more: &str) -> Scene {
    calm(players, &format!("{more}\n"))
}

fn run(scene: Scene, target: &str, more: &[&str]) -> Ran {
    let brief = ["--target", target, "--set", "auth.mode=none", "--set", "phases.0.duration=500ms"];
    scene.run(&[&brief[..], more].concat())
}

/// The samples of errors, as they stand in the run folder.
fn samples(ran: &Ran) -> String {
    std::fs::read_to_string(ran.dir.join("errors.jsonl")).unwrap()
}

#[test]
fn a_refusal_says_why_and_where_to_even_if_the_body_comes_later() {
    let address = serve(|mut guest| {
        let body = r#"{"message":"Forbidden: API key quota exceeded"}"#;
        write!(guest.stream, "HTTP/1.1 403 Forbidden\r\nContent-Length: {}\r\n\r\n", body.len()).unwrap();
        std::thread::sleep(Duration::from_millis(60));
        let _ = guest.stream.write_all(body.as_bytes());
        drain(guest.stream);
    });
    let ran = run(visit(3, ""), &format!("ws://{address}/"), &[]);
    assert_eq!(ran.summary().operations["connect"].errors["http_403"], 3);
    assert!(samples(&ran).contains("Forbidden: API key quota exceeded"), "{}", samples(&ran));
    let doctor = std::process::Command::new(LOADGEN)
        .args(["doctor", "--target", &format!("ws://{address}/")])
        .output();
    let said = String::from_utf8(doctor.unwrap().stdout).unwrap();
    assert!(said.contains("HTTP 403") && said.contains("API key quota exceeded"), "{said}");

    let address = serve(|mut guest| {
        let _ = write!(
            guest.stream,
            "HTTP/1.1 301 Moved\r\nLocation: wss://new.example/Staging\r\nContent-Length: 0\r\n\r\n"
        );
    });
    let ran = run(visit(3, ""), &format!("ws://{address}/"), &[]);
    assert_eq!(ran.summary().operations["connect"].errors["http_301"], 3);
    assert!(samples(&ran).contains("Location: wss://new.example/Staging"), "{}", samples(&ran));
}

/// Lets in whoever has all of these headers, and tells the others what they have.
fn choosy(wanted: Vec<(&'static str, String)>) -> String {
    let address = serve(move |mut guest| {
        let missing = wanted.iter().find(|(name, value)| guest.header(name) != Some(value));
        if let Some((name, _)) = missing {
            let body = format!("{name} is {:?}", guest.header(name));
            let _ = write!(guest.stream, "HTTP/1.1 403 No\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            return;
        }
        drain(guest.accept());
    });
    format!("ws://{address}/Stage")
}

#[test]
fn an_edge_sees_who_asks_and_the_headers_that_it_wants_from_every_worker() {
    let ours = choosy(vec![("user-agent", format!("loadgen/{}", env!("CARGO_PKG_VERSION")))]);
    let summary = run(visit(4, ""), &ours, &[]).exits(0).summary();
    assert_eq!(summary.sockets.opened, 4);

    let theirs = choosy(vec![
        ("user-agent", "MyGame/1.4".into()),
        ("origin", "https://game.example".into()),
        ("x-api-key", "key-from-a-file-0123456789".into()),
    ]);
    let headers = "[target.headers]\n\"User-Agent\" = \"MyGame/1.4\"\nOrigin = \"https://game.example\"\n\
                   x-api-key = { file = \"key.txt\" }\n";
    let scene = visit(4, headers).with("key.txt", "key-from-a-file-0123456789\n");
    let ran = run(scene, &theirs, &["--workers", "2"]);
    assert_eq!(ran.exits(0).summary().sockets.opened, 4, "{}", ran.stderr);
}

#[test]
fn a_secret_in_a_header_is_refused_in_the_file_and_hidden_when_it_is_sent_back() {
    let written = visit(1, "[target.headers]\nX-Api-Key = \"hunter2-hunter2-hunter2\"\n").run(&[]);
    assert_eq!(written.code, 2);
    assert!(written.stderr.contains("{ env = \"NAME\" }"), "{}", written.stderr);
    assert!(!written.stderr.contains("hunter2"), "{}", written.stderr);

    let secret = "hunter2-hunter2-hunter2";
    let echo = choosy(vec![("x-api-key", "another".into())]);
    let scene = visit(2, "[target.headers]\nX-Api-Key = { env = \"TEST_API_KEY\" }\n");
    let brief = ["--target", &echo, "--set", "auth.mode=none", "--set", "phases.0.duration=500ms"];
    let output = scene.command(&brief).env("TEST_API_KEY", secret).output().unwrap();
    let ran = scene.ran(output);
    assert_eq!(ran.summary().operations["connect"].errors["http_403"], 2);
    for (file, text) in ran.files() {
        assert!(!text.contains("hunter2"), "{file}");
    }
    assert!(samples(&ran).contains("x-api-key is"), "{}", samples(&ran));
    let missing = visit(1, "[target.headers]\nX-Api-Key = { env = \"TEST_API_KEY_OF_NOBODY\" }\n").run(&[]);
    assert_eq!(missing.code, 2);
    assert!(missing.stderr.contains("no variable `TEST_API_KEY_OF_NOBODY`"), "{}", missing.stderr);
}

#[test]
fn subprotocols_are_offered_with_the_token_among_them_and_the_answer_is_checked() {
    let answering = |answer: &'static str| {
        let address = serve(move |guest| {
            let offered = guest.header("sec-websocket-protocol").unwrap_or_default().to_owned();
            if offered == "game.v2, game.v1, bearer.token-of-player-000000" {
                drain(guest.accept_with(answer));
            } else {
                guest.refuse(401);
            }
        });
        format!("ws://{address}/Stage")
    };
    let offering = "[target]\nsubprotocols = [\"game.v2\", \"game.v1\"]\n[auth]\nmode = \"token\"\n\
        placement = { subprotocol = \"bearer.\" }\n[auth.command]\nargv = [\"echo\", \"token-of-{player}\"]\n";
    let scene = || {
        Scene::new(&format!(
            "name = \"offers\"\nplayers = 1\nthresholds = []\n{offering}[[phases]]\nkind = \"hold\"\nduration = \"300ms\"\n"
        ))
    };
    let named = scene().run(&["--target", &answering("Sec-WebSocket-Protocol: game.v1\r\n")]);
    assert_eq!(named.exits(0).summary().sockets.opened, 1, "{}", named.stderr);
    for (wrong, told) in
        [("Sec-WebSocket-Protocol: game.v3\r\n", "game.v3"), ("", "without a Sec-WebSocket-Protocol")]
    {
        let ran = scene().run(&["--target", &answering(wrong)]);
        assert_eq!(ran.summary().operations["connect"].errors["bad_subprotocol"], 1, "{wrong}");
        assert!(samples(&ran).contains(told), "{}", samples(&ran));
    }
    // One that nobody offered is as wrong.
    let address = serve(|guest| drain(guest.accept_with("Sec-WebSocket-Protocol: game.v1\r\n")));
    let ran = run(visit(1, ""), &format!("ws://{address}/"), &[]);
    assert_eq!(ran.summary().operations["connect"].errors["bad_subprotocol"], 1);
}

#[test]
fn an_ipv6_address_is_a_target_like_another() {
    let address = serve_at("[::1]:0", |guest| {
        assert!(guest.header("host").is_some_and(|host| host.starts_with("[::1]:")));
        drain(guest.accept());
    });
    let ran = run(visit(5, ""), &format!("ws://{address}/Stage"), &[]);
    assert_eq!(ran.exits(0).summary().sockets.opened, 5, "{}", ran.stderr);
}

/// Counts the frames of one opcode; answers each with `answer`.
fn counting(opcode: u8, answer: &'static [u8]) -> (String, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let address = serve(move |guest: Guest| {
        let mut stream = guest.accept();
        while let Some(found) = frame(&mut stream) {
            if found == opcode {
                counted.fetch_add(1, Ordering::SeqCst);
                let _ = stream.write_all(answer);
            }
        }
    });
    (format!("ws://{address}/Stage"), count)
}

/// Reads a short masked frame; its opcode.
fn frame(stream: &mut TcpStream) -> Option<u8> {
    let mut head = [0; 2];
    stream.read_exact(&mut head).ok()?;
    let mut rest = vec![0; 4 + usize::from(head[1] & 0x7f)];
    stream.read_exact(&mut rest).ok()?;
    Some(head[0] & 0x0f)
}

#[test]
fn an_idle_socket_beats_with_pings_or_with_a_message_whose_answer_fails_nothing() {
    let beats = |heartbeat: &str, target: &str| {
        let scene = visit(4, "");
        let brief = ["--target", target, "--set", "auth.mode=none", "--set", "phases.0.duration=1s"];
        let ran =
            scene.run(&[&brief[..], &["--set", "sockets.heartbeat=300ms"], &["--set", heartbeat]].concat());
        let summary = ran.exits(0).summary();
        assert_eq!((summary.sockets.opened, summary.sockets.dropped), (4, 0), "{}", ran.stderr);
        ran
    };
    // Open for a second of the phase and two around it: nine times at most, three at least.
    let likely = 4 * 3..=4 * 11;
    let (target, pings) = counting(9, b"\x8a\x00");
    beats("seed=1", &target);
    assert!(likely.contains(&pings.load(Ordering::SeqCst)), "{pings:?}");

    let (target, texts) = counting(1, b"\x81\x06{\"a\":1");
    let ran = beats("sockets.heartbeat_message={\"action\":\"heartbeat\"}", &target);
    assert!(likely.contains(&texts.load(Ordering::SeqCst)), "{texts:?}");
    assert_eq!(samples(&ran), "", "an answer that is no answer of the protocol is swallowed");
}

#[test]
fn a_plan_whose_sockets_would_be_cut_is_told_before_it_runs() {
    let scenario = "name = \"idle\"\nplayers = 7\n[auth]\nmode = \"none\"\n[target]\nurl = \"ws://127.0.0.1:9/\"\n\
                    [[phases]]\nkind = \"hold\"\nduration = \"20m\"\n";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("idle.toml");
    std::fs::write(&file, scenario).unwrap();
    let said = |command: &[&str], more: &[&str]| {
        let output =
            std::process::Command::new(LOADGEN).args(command).arg(&file).args(more).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let kept = ["--set", "sockets.heartbeat=5m", "--set", "sockets.heartbeat_message={}"];
    for command in [&["scenario", "check"][..], &["scenario", "explain"], &["doctor"]] {
        let told = "7 of 7 sockets would see no message for 10 minutes";
        assert!(said(command, &[]).contains(told), "{command:?}: {}", said(command, &[]));
        assert!(!said(command, &kept).contains(told), "{command:?}");
    }
}

#[test]
fn a_gateway_that_counts_messages_keeps_those_who_send_one() {
    let profile = "base = \"instant\"\n[gateway]\nidle_timeout_s = 1.0\n";
    let idle = |more: &[&str]| {
        let short = ["--set", "target.profile=profile.toml", "--set", "phases.0.duration=2500ms"];
        let ran = calm(6, "").with("profile.toml", profile).run(&[&short[..], more].concat());
        let sockets = ran.exits(0).summary().sockets;
        (sockets.dropped, sockets.ends, samples(&ran))
    };
    let beat = ["--set", "sockets.heartbeat=300ms"];
    let (dropped, ends, _) = idle(&beat);
    assert_eq!((dropped, ends), (6, only("closed_1001", 6)), "a ping is no message");
    let message = ["--set", "sockets.heartbeat_message={\"route\":\"heartbeat\"}"];
    let (dropped, _, samples) = idle(&[beat, message].concat());
    assert_eq!((dropped, samples.as_str()), (0, ""), "the answers (404) fail nothing");
}
