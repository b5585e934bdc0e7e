//! Malformed and oversized messages in both directions, slow readers, half-open sockets: each with its class and count.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use crate::common::calm::{calm, messages, only, outcomes};
use crate::common::raw::{drain, serve};
use crate::common::{Scene, assert_balanced};
use reports::format::ErrorSample;

fn scene(more: &str) -> Scene {
    calm(20, more)
}

/// With messages.
fn chatting(more: &str) -> Scene {
    scene(&(messages(50.0, 10) + more))
}

#[test]
fn what_no_client_should_send_gets_the_answer_that_it_deserves() {
    let malformed = r#"
        [malformed]
        oversized_message = 1.0
        oversized_frame = 1.0
        bad_json = 2.0
        bad_utf8 = 1.0
        unmasked = 1.0
        reserved_opcode = 1.0
        reserved_bit = 1.0
        binary = 1.0
        [reconnect]
        policy = "constant"
        base = "50ms"
    "#;
    let ran = chatting(malformed).run(&[]);
    let summary = ran.exits(0).summary();
    assert_balanced(&summary);
    for (kind, class) in [
        ("oversized_message", "closed_1009"),
        ("oversized_frame", "closed_1009"),
        ("bad_utf8", "closed_1007"),
        ("unmasked", "closed_1002"),
        ("reserved_opcode", "closed_1002"),
        ("reserved_bit", "closed_1002"),
        ("binary", "closed_1003"),
    ] {
        assert_eq!(*outcomes(&summary, kind), only(class, 5), "{kind}");
    }
    let answered = outcomes(&summary, "bad_json");
    assert_eq!(answered.values().sum::<u64>(), 10);
    assert!(answered.keys().all(|class| !class.starts_with("closed_")), "{answered:?}");
    assert_eq!(summary.sockets.dropped, 0, "it was the players' own doing: {:?}", summary.sockets);
    assert_eq!(summary.reconnects.as_ref().unwrap().succeeded, 35);
    assert_eq!(summary.deliveries["message"].lost, 0);
    assert_eq!(summary.operations["send_message"].failed, 0, "nobody had a request under way");
}

#[test]
fn a_backend_that_says_nothing_has_ignored_it() {
    let address = serve(|guest| drain(guest.accept()));
    let ran = scene("[malformed]\nbad_json = 2.0\npatience = \"500ms\"\n")
        .run(&["--target", &format!("ws://{address}/x")]);
    assert_eq!(*outcomes(&ran.exits(0).summary(), "bad_json"), only("ignored", 10));
}

/// A frame's head as a server writes it: no mask.
fn head(first: u8, length: u64) -> Vec<u8> {
    let mut head = vec![first, 127];
    head.extend(length.to_be_bytes());
    head
}

#[test]
fn every_way_in_which_a_backend_ends_a_socket_has_its_class() {
    let close = |code: u16| {
        let mut frame = vec![0x88, 2];
        frame.extend(code.to_be_bytes());
        frame
    };
    let mut rude: Vec<(&str, Vec<u8>)> = [1000, 1001, 1008, 1009, 1011, 1012, 1013, 4000]
        .into_iter()
        .zip(["1000", "1001", "1008", "1009", "1011", "1012", "1013", "4000"])
        .map(|(code, word)| (word, close(code)))
        .collect();
    rude.extend([
        ("1005", vec![0x88, 0]),
        ("1006", Vec::new()),
        // Frames that break the protocol: a mask, a reserved opcode, a reserved bit, a fragment of nothing, an
        // endless control frame, a close frame of one byte.
        ("protocol", vec![0x81, 0x81, 1, 2, 3, 4, 5]),
        ("protocol", vec![0x83, 0]),
        ("protocol", vec![0xc1, 0]),
        ("protocol", vec![0x80, 0]),
        ("protocol", [vec![0x89, 126, 0, 200], vec![0; 200]].concat()),
        ("protocol", vec![0x88, 1, 0]),
        ("not_utf8", vec![0x81, 2, 0xc3, 0x28]),
        // A gibibyte is announced, and 300,000 bytes are sent in fragments: neither is taken.
        ("too_large", head(0x81, 1 << 30)),
        ("too_large", {
            let mut frames = Vec::new();
            for part in 0..3 {
                frames.extend(head(if part == 0 { 0x01 } else { 0x00 }, 100_000));
                frames.extend(std::iter::repeat_n(b'.', 100_000));
            }
            frames
        }),
        ("1011", close(1011)),
    ]);
    assert_eq!(rude.len(), 20, "one for each player");
    let mut expected = BTreeMap::new();
    for (class, _) in &rude {
        let class =
            if class.starts_with(char::is_numeric) { format!("closed_{class}") } else { (*class).to_owned() };
        *expected.entry(class).or_insert(0) += 1;
    }
    let address = serve(move |guest| {
        let answer = rude[guest.number % rude.len()].1.clone();
        let mut stream = guest.accept();
        let _ = stream.write_all(&answer);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        drain(stream);
    });
    let ran = scene("").run(&["--target", &format!("ws://{address}/x")]);
    let summary = ran.exits(0).summary();
    assert_eq!(summary.sockets.ends, expected);
    assert_eq!(summary.sockets.dropped, 20);
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    assert!(ran.stdout.contains("Sockets dropped by class"), "{}", ran.stdout);
    let sampled = ran.folder().errors;
    assert!(expected.keys().all(|class| sampled.iter().any(|sample| sample.class == *class)), "{sampled:?}");
}

#[test]
fn a_target_that_babbles_costs_no_memory_and_no_panic() {
    let address = serve(|guest| {
        let mut stream = guest.accept();
        // Error frames, each with a message of its own, and garbage, as fast as they are taken.
        for number in 0_u64..20_000 {
            let text = format!(r#"{{"message":"invented {number}","connectionId":"c","requestId":"r"}}"#);
            let mut frame = vec![0x81, text.len() as u8];
            frame.extend(text.as_bytes());
            frame.extend(b"\x81\x03{[\"");
            if stream.write_all(&frame).is_err() {
                return;
            }
        }
        drain(stream);
    });
    let silent = serve(|guest| drain(guest.accept()));
    let peak = |address, code| {
        let ran = chatting("").run(&["--target", &format!("ws://{address}/x")]);
        let peak = ran.exits(code).summary().generator.peak_rss_bytes;
        (ran, peak)
    };
    // What is not understood makes the run invalid.
    let ((_, calm), (ran, babbled)) = (peak(silent, 0), peak(address, 4));
    let more = babbled.saturating_sub(calm);
    assert!(more < 24 << 20, "800,000 frames cost {more} bytes beyond {calm}");
    assert_balanced(&ran.summary());
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    // A thousand numbers of up to three digits, and one class for all that are longer: three samples of 200 classes.
    let samples = ran.folder().errors;
    assert_eq!(samples.len(), 600);
    assert!(samples.iter().any(|sample| sample.class == "invented_7"), "{samples:?}");
    let plain = |class: &str| class.strip_prefix("invented_").is_some_and(|number| number.len() < 4);
    assert!(samples.iter().all(|sample| plain(&sample.class) || sample.operation != "socket"), "{samples:?}");
    let garbage: Vec<_> = samples.iter().filter(|sample| sample.operation == "unclassified").collect();
    assert!(garbage.len() == 3 && garbage.iter().all(|sample| sample.class == "text"), "{garbage:?}");
}

#[test]
fn what_nothing_calls_for_counts_by_the_instant_at_which_it_comes() {
    const PUSHES: [&str; 2] = [
        r#"{"type":"message","senderId":"a","message":"hello"}"#,
        r#"{"type":"placement","placementId":"strange","status":"FAILED"}"#,
    ];
    let address = serve(|guest| {
        let mut stream = guest.accept();
        // Once in the warm-up and once in what is measured, each in the middle.
        for wait in [2_500, 3_500] {
            std::thread::sleep(Duration::from_millis(wait));
            for push in PUSHES {
                let frame = [&[0x81, push.len() as u8], push.as_bytes()].concat();
                if stream.write_all(&frame).is_err() {
                    return;
                }
            }
        }
        drain(stream);
    });
    let none = "[operations.send_message]\nrate = 0.0\n[operations.placement_request]\nrate = 0.0\n";
    let patience = "[deliveries]\nplacement_timeout = \"500ms\"\ngrace = \"0s\"\n";
    let phases = r#"phases=[{kind="hold",duration="3s",measured=false},{kind="hold",duration="4s"}]"#;
    let ran =
        scene(&format!("{none}{patience}")).run(&["--target", &format!("ws://{address}/x"), "--set", phases]);
    let summary = ran.exits(0).summary();
    for kind in ["message", "placement"] {
        let delivery = &summary.deliveries[kind];
        assert_eq!((delivery.unexpected, delivery.received), (20, 0), "{kind}: {delivery:?}");
        let sampled = ran.folder().errors;
        let early = |sample: &&ErrorSample| sample.operation == kind && sample.t < 4.1;
        assert!(sampled.iter().any(|sample| early(&sample)), "{kind}: {sampled:?}");
    }
    let errors = &summary.operations["placement_request"].errors;
    assert!(errors.is_empty(), "it was not asked for: {errors:?}");
}

#[test]
fn who_reads_slowly_or_falls_silent_has_no_churn() {
    let churn = "[churn]\nsession = \"400ms\"\npause = \"100ms\"\n";
    let silent = "[half_open]\nshare = 0.25\nafter = \"100ms\"\nlasts = \"200ms\"\n";
    let slow = "[slow_readers]\nshare = 0.25\ndelay = \"100ms\"\n";
    let ran = scene(&format!("{churn}{silent}{slow}")).run(&[]);
    let summary = ran.exits(0).summary();
    let churn = summary.churn.as_ref().unwrap();
    assert_eq!(churn.players, 10, "half of them read slowly or fall silent");
    assert!(churn.returned > 20, "the others come and go: {churn:?}");
    assert_eq!(summary.sockets.opened, 20 + churn.returned);
    assert_eq!(summary.disruptions["half_open"].made, 5, "once each, and then they stay away");
    assert_eq!(*outcomes(&summary, "slow_reader"), only("run_ended", 5));
}

#[test]
fn slow_readers_are_slow_and_stay_out_of_the_figures() {
    let slow = r#"
        [slow_readers]
        share = 0.2
        delay = "500ms"
        stall = "1s"
        stall_every = "3s"
        receive_buffer = 4096
    "#;
    let ran = chatting(slow).run(&[]);
    let summary = ran.exits(0).summary();
    assert_balanced(&summary);
    assert_eq!(*outcomes(&summary, "slow_reader"), only("run_ended", 4));
    let read = summary.disruptions["slow_reader"].messages_read;
    assert!((1..=4 * 16).contains(&read), "one message in half a second each: {read}");
    let (sent, message) = (&summary.operations["send_message"], &summary.deliveries["message"]);
    assert_eq!((sent.completed, message.lost), (250, 0));
    assert!(message.expected < 2_250, "a fifth of the 2,500 went to slow readers: {message:?}");
    assert!(summary.verdict.warnings.iter().any(|warning| warning.contains("4 players read slowly")));
}

#[test]
fn silent_players_are_found_out_by_the_idle_timeout_or_not_at_all() {
    let profile = "base = \"instant\"\n[gateway]\nidle_timeout_s = 2.0\n";
    let silent = "[half_open]\nshare = 0.25\nafter = \"100ms\"\n";
    let ran = scene(silent).with("profile.toml", profile).run(&["--set", "target.profile=profile.toml"]);
    let summary = ran.exits(0).summary();
    assert_eq!(*outcomes(&summary, "half_open"), only("closed_1001", 5));
    assert_eq!(summary.sockets.ends, only("closed_1001", 15), "those who listen hear it at once");

    let lasting =
        format!("{silent}lasts = \"500ms\"\n[reconnect]\npolicy = \"constant\"\nbase = \"100ms\"\n");
    let summary = chatting(&lasting).run(&[]).exits(0).summary();
    assert_balanced(&summary);
    let found = outcomes(&summary, "half_open");
    assert!(
        found.keys().all(|class| class == "unnoticed") && summary.disruptions["half_open"].made > 10,
        "{found:?}"
    );
    assert_eq!((summary.sockets.dropped, summary.deliveries["message"].lost), (0, 0));
    assert!(summary.reconnects.unwrap().succeeded >= 5);
}
