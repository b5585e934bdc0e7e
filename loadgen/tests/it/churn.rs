//! Players that leave, are cut or refused, and come back: counts that add up, against real and against rude backends.

use std::collections::{BTreeMap, HashMap};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use crate::common::calm::{calm, messages, only, outcomes};
use crate::common::raw::{drain, serve};
use crate::common::{LOADGEN, Scene, assert_balanced, wait_for_lines};
use reports::folder::RunFolder;
use reports::format::{Operation, Reconnects, Sockets, Summary};

fn scene(more: &str) -> Scene {
    calm(40, more)
}

/// With messages.
fn chatting(more: &str) -> Scene {
    scene(&(messages(100.0, 5) + more))
}

fn assert_everyone_is_accounted_for(summary: &Summary) -> &Reconnects {
    let reconnects = summary.reconnects.as_ref().unwrap();
    let ended = reconnects.succeeded + reconnects.gave_up + reconnects.unfinished;
    assert_eq!(reconnects.wanted, ended, "{reconnects:?}");
    let failed: u64 = reconnects.errors.values().sum();
    assert_eq!(reconnects.attempts, reconnects.succeeded + failed, "{reconnects:?}");
    assert_eq!(reconnects.recovery_us.count, reconnects.succeeded);
    assert_eq!(summary.sockets.attempted, summary.sockets.opened + summary.sockets.rejected);
    for kind in summary.disruptions.keys() {
        outcomes(summary, kind);
    }
    reconnects
}

#[test]
fn a_storm_cuts_its_share_and_all_come_back() {
    for cut in ["abort", "reset", "close"] {
        let storm = format!(
            "[[storms]]\nat = \"2s\"\nshare = 0.5\ncut = \"{cut}\"\n[reconnect]\npolicy = \"exponential\"\nbase = \"100ms\"\ncap = \"500ms\"\n"
        );
        let ran = chatting(&storm)
            .run(&["--set", r#"thresholds=["reconnects.gave_up == 0", "reconnects.recovery.max < 60s"]"#]);
        let summary = ran.exits(0).summary();
        assert_balanced(&summary);
        let reconnects = assert_everyone_is_accounted_for(&summary);
        assert_eq!(*outcomes(&summary, "cut"), only("back", 20), "{cut}");
        assert_eq!((reconnects.wanted, reconnects.succeeded), (20, 20));
        assert_eq!(
            (summary.sockets.opened, summary.sockets.dropped),
            (60, 0),
            "nothing was the backend's doing"
        );
        let message = &summary.deliveries["message"];
        assert_eq!(message.lost, 0, "what the cut players missed is not lost: {message:?}");
        assert!(message.received > 1_000);
        let log = std::fs::read_to_string(ran.dir.join("latency.hlog")).unwrap();
        assert!(log.contains("Tag=reconnects.recovery,"), "{cut}");
        assert!(
            ran.stdout.contains("Reconnects") && ran.stdout.contains("Disruptions made"),
            "{}",
            ran.stdout
        );
        let report = std::fs::read_to_string(ran.dir.join("report.html")).unwrap();
        assert!(report.contains("Reconnects") && report.contains("Disruptions made by the scenario"));
    }
}

#[test]
fn workers_know_who_of_the_others_is_away() {
    let storm = "[[storms]]\nat = \"2s\"\nshare = 0.5\n[reconnect]\npolicy = \"constant\"\nbase = \"300ms\"\n[slow_readers]\nshare = 0.1\ndelay = \"1s\"\n";
    let ran = chatting(storm).run(&["--workers", "3"]);
    let summary = ran.exits(0).summary();
    assert_balanced(&summary);
    assert_everyone_is_accounted_for(&summary);
    assert_eq!(*outcomes(&summary, "cut"), only("back", 20), "half of 14, 13 and 13 would be 21");
    assert!(summary.disruptions["slow_reader"].made >= 4);
    let message = &summary.deliveries["message"];
    assert_eq!((message.lost, message.unexpected), (0, 0), "{message:?}");
    assert!(message.received > 1_000 && summary.sockets.dropped == 0);
}

#[test]
fn without_a_policy_who_is_cut_stays_away() {
    let summary = scene("[[storms]]\nat = \"1s\"\nshare = 0.25\n").run(&[]).exits(0).summary();
    assert_eq!(*outcomes(&summary, "cut"), only("stayed_away", 10));
    assert_eq!((summary.sockets.opened, summary.sockets.dropped), (40, 0));
    assert!(summary.reconnects.is_none());
}

#[test]
fn living_players_leave_and_come_back() {
    let churn = r#"
        [churn]
        share = 0.5
        session = "exponential 600ms"
        pause = "100ms to 400ms"
        [operations.placement_request]
        rate = 5.0
    "#;
    let ran = chatting(churn).run(&[]);
    let summary = ran.exits(0).summary();
    assert_balanced(&summary);
    let churn = summary.churn.as_ref().unwrap();
    assert_eq!(churn.players, 20);
    assert!(churn.left > 20 && churn.returned > 20, "{churn:?}");
    assert_eq!(churn.refused.len(), 0, "{churn:?}");
    assert_eq!(summary.sockets.dropped, 0, "{:?}", summary.sockets);
    assert_eq!(summary.sockets.opened, 40 + churn.returned);
    let asked = &summary.operations["placement_request"];
    assert_eq!(asked.offered, 25, "the plan's own: {asked:?}");
    assert_eq!(asked.completed, asked.sent, "nobody leaves before its answer: {asked:?}");
    assert_eq!((summary.deliveries["message"].lost, summary.deliveries["placement"].lost), (0, 0));
}

#[test]
fn a_player_keeps_its_id_when_it_comes_back() {
    let seen: Arc<Mutex<HashMap<String, u32>>> = Arc::default();
    let ids = Arc::clone(&seen);
    let address = serve(move |guest| {
        let id = guest.header("x-player-id").unwrap().to_owned();
        *ids.lock().unwrap().entry(id).or_default() += 1;
        drain(guest.accept());
    });
    let ran = scene("[churn]\nsession = \"300ms\"\npause = \"200ms\"\n")
        .run(&["--target", &format!("ws://{address}/x")]);
    let summary = ran.exits(0).summary();
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 40);
    assert!(seen.values().all(|handshakes| *handshakes > 1), "{seen:?}");
    let handshakes: u32 = seen.values().sum();
    assert_eq!(summary.sockets.opened, u64::from(handshakes));
}

#[test]
fn refused_handshakes_have_their_classes_and_are_tried_again() {
    const STATUS: [u16; 8] = [401, 403, 408, 429, 500, 502, 503, 504];
    let address = serve(|guest| match STATUS.get(guest.number) {
        Some(status) => guest.refuse(*status),
        None => drain(guest.accept()),
    });
    let ran = scene("[reconnect]\npolicy = \"constant\"\nbase = \"100ms\"\n")
        .run(&["--target", &format!("ws://{address}/x")]);
    let summary = ran.exits(0).summary();
    assert_balanced(&summary);
    let expected: BTreeMap<_, _> = STATUS.iter().map(|status| (format!("http_{status}"), 1)).collect();
    assert_eq!(summary.operations["connect"].errors, expected);
    let reconnects = assert_everyone_is_accounted_for(&summary);
    assert_eq!((reconnects.wanted, reconnects.succeeded, reconnects.attempts), (8, 8, 8));
    assert_eq!((summary.sockets.rejected, summary.sockets.opened), (8, 40));
}

#[test]
fn a_player_gives_up_after_its_last_attempt() {
    let address = serve(|guest| guest.refuse(429));
    let ran = scene("[reconnect]\npolicy = \"exponential\"\nbase = \"20ms\"\nmax_attempts = 3\n")
        .run(&["--target", &format!("ws://{address}/x")]);
    let summary = ran.exits(1).summary();
    let reconnects = assert_everyone_is_accounted_for(&summary);
    assert_eq!((reconnects.wanted, reconnects.gave_up, reconnects.attempts), (40, 40, 120));
    assert_eq!(reconnects.errors, only("http_429", 120));
    assert_eq!(summary.sockets.rejected, 160);
}

#[test]
fn what_the_backend_cuts_is_dropped_and_comes_back() {
    let profile = "base = \"instant\"\n[gateway]\ncut_rate = 0.5\ncut_after_s = 1.0\n";
    let ran = scene("[reconnect]\npolicy = \"constant\"\nbase = \"200ms\"\n")
        .with("profile.toml", profile)
        .run(&["--set", "target.profile=profile.toml"]);
    let summary = ran.exits(0).summary();
    let reconnects = assert_everyone_is_accounted_for(&summary);
    assert!(summary.sockets.dropped > 10, "{:?}", summary.sockets);
    assert_eq!(summary.sockets.ends.values().sum::<u64>(), summary.sockets.dropped);
    assert!(summary.sockets.ends.keys().all(|class| class.starts_with("closed_")), "{:?}", summary.sockets);
    assert_eq!(reconnects.wanted, summary.sockets.dropped);
    assert!(summary.disruptions.is_empty(), "the generator made none of it");
}

/// All kinds of churn and disruptions at once.
const EVERYTHING: &str = r#"
    [operations.placement_request]
    rate = 5.0
    [churn]
    share = 0.25
    session = "exponential 500ms"
    pause = "200ms"
    [reconnect]
    policy = "constant"
    base = "200ms"
    [[storms]]
    at = "1500ms"
    share = 0.5
    [slow_readers]
    share = 0.1
    delay = "100ms"
    [half_open]
    share = 0.1
    after = "200ms"
    lasts = "300ms"
    [malformed]
    binary = 2.0
    bad_json = 2.0
"#;

#[test]
fn a_summary_that_is_made_of_the_seconds_has_the_counts_of_the_one_that_was_written() {
    // Pushes take their time, so that some miss those who go meanwhile.
    let profile = "base = \"instant\"\n[gateway]\npush_delay = { p50_ms = 200.0, p99_ms = 300.0 }\n";
    let scene = chatting(EVERYTHING).with("profile.toml", profile);
    let ran = scene.run(&["--set", "target.profile=profile.toml"]);
    let mut folder = ran.exits(0).folder();
    let written = folder.summary.take().unwrap();
    let rebuilt = folder.summary_or_rebuilt().into_owned();
    assert!(!rebuilt.verdict.valid);
    for kind in ["cut", "slow_reader", "half_open", "binary", "bad_json"] {
        assert!(written.disruptions[kind].made > 0, "{kind}");
    }
    assert!(written.disruptions["slow_reader"].messages_read > 0, "{:?}", written.disruptions);
    assert!(written.deliveries["message"].away > 0, "{:?}", written.deliveries);
    assert_everyone_is_accounted_for(&written);
    assert_eq!(rebuilt.disruptions, written.disruptions);
    assert_eq!(rebuilt.reconnects, written.reconnects);
    assert_eq!(rebuilt.churn, written.churn);
    // The most at the end of a second is not the most of all.
    let peak_open = rebuilt.sockets.peak_open;
    assert_eq!(rebuilt.sockets, Sockets { peak_open, ..written.sockets.clone() });
    // How long a push was awaited, the seconds do not tell.
    let mut deliveries = written.deliveries.clone();
    deliveries.values_mut().for_each(|delivery| delivery.lost_after_s = None);
    assert_eq!(rebuilt.deliveries, deliveries);
    for (name, operation) in &written.operations {
        let rebuilt = rebuilt.operations[name].clone();
        assert_eq!(Operation { model: operation.model.clone(), ..rebuilt }, *operation, "{name}");
    }
}

#[test]
fn a_killed_run_keeps_its_churn_and_disruptions() {
    let scene = chatting(EVERYTHING);
    let mut command = scene.command(&["--set", "phases.0.duration=60s"]);
    let mut run = command.stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    wait_for_lines(&scene.dir().join("series.jsonl"), 6);
    run.kill().unwrap();
    run.wait().unwrap();
    let report = Command::new(LOADGEN).arg("report").arg(scene.dir()).output().unwrap();
    assert_eq!(report.status.code(), Some(0), "{}", String::from_utf8_lossy(&report.stderr));
    let told = String::from_utf8(report.stdout).unwrap();
    for told_of in ["NOT FINISHED", "Reconnects", "Churn", "Disruptions made"] {
        assert!(told.contains(told_of), "{told_of}: {told}");
    }
    let folder = RunFolder::read(&scene.dir()).unwrap();
    let summary = folder.summary_or_rebuilt();
    for kind in ["cut", "slow_reader", "half_open", "binary", "bad_json"] {
        assert!(summary.disruptions[kind].made > 0, "{kind}: {summary:?}");
    }
    let reconnects = summary.reconnects.as_ref().unwrap();
    assert!(
        reconnects.succeeded > 0 && reconnects.recovery_us.count == reconnects.succeeded,
        "{reconnects:?}"
    );
    let churn = summary.churn.as_ref().unwrap();
    assert_eq!(
        churn.players, 6,
        "a quarter of the 40, without the four of them that read slowly or fall silent"
    );
    assert!(churn.left > 0 && churn.returned > 0, "{churn:?}");
    let html = std::fs::read_to_string(scene.dir().join("report.html")).unwrap();
    assert!(html.contains("Reconnects") && html.contains("Sockets lost, players reconnected"));
}
