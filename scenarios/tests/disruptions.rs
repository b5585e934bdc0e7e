//! Churn and disruptions in scenario files: what is written becomes the plan, what contradicts itself is told.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use scenarios::check;
use scenarios::draw::Draw;
use scenarios::plan::disruptions::{ClientFault, Cut, Policy};

const HEAD: &str = "name = \"w\"\nplayers = 200\nphases = [{ kind = \"hold\", duration = \"30s\" }]\n";

fn mistakes(text: &str) -> Vec<(String, String)> {
    let mistakes = check("w.toml", &format!("{HEAD}{text}"), &[]).unwrap_err();
    mistakes.0.into_iter().map(|mistake| (mistake.key, mistake.problem)).collect()
}

#[test]
fn what_is_written_becomes_the_plan() {
    let text = r#"
        [sockets]
        connect_rate = 200.0
        [churn]
        share = 0.25
        session = "exponential 10s"
        pause = "1s to 5s"
        [reconnect]
        policy = "exponential"
        base = "50ms"
        max_attempts = 7
        [[storms]]
        at = "20s"
        share = 0.5
        cut = "reset"
        [[storms]]
        at = "10s"
        over = "3s"
        [slow_readers]
        share = 0.1
        delay = "100ms"
        receive_buffer = 4096
        [half_open]
        share = 0.05
        after = "5s"
        [malformed]
        bad_json = 2.0
        oversized_message = 0.5
    "#;
    let plan =
        check("w.toml", &format!("{HEAD}{text}"), &[]).unwrap_or_else(|mistakes| panic!("{mistakes}")).plan;
    let disruptions = &plan.disruptions;
    let second = Duration::from_secs(1);
    let churn = disruptions.churn.as_ref().unwrap();
    assert_eq!((churn.share.size(), churn.session), (50, Draw::Exponential(10 * second)));
    assert_eq!(churn.pause, Draw::Uniform(second, 5 * second));
    assert_eq!((disruptions.reconnect.policy, disruptions.reconnect.cap), (Policy::Exponential, 20 * second));
    assert_eq!(disruptions.reconnect.max_attempts, Some(7));
    // Players connect within a second, and a second is left to settle.
    let storms: Vec<_> =
        disruptions.storms.iter().map(|storm| (storm.at.as_secs(), storm.cut, storm.share)).collect();
    assert_eq!(storms, [(12, Cut::Abort, 1.0), (22, Cut::Reset, 0.5)], "in the order of their instants");
    let (slow, silent) = (disruptions.slow.as_ref().unwrap(), disruptions.half_open.as_ref().unwrap());
    assert_eq!((slow.share.size(), silent.share.size()), (20, 10));
    assert!((0..200).all(|player| !(slow.share.holds(player) && silent.share.holds(player))));
    let living = (0..200).filter(|&player| disruptions.churn_of(player).is_some());
    assert!(living.clone().all(|player| !(slow.share.holds(player) || silent.share.holds(player))));
    let count = living.count() as u64;
    assert!(0 < count && count < 50, "some of the 50 are slow or silent: {count}");
    assert_eq!(disruptions.churning(), count);
    assert_eq!(
        disruptions.malformed.rates,
        [(ClientFault::OversizedMessage, 0.5), (ClientFault::BadJson, 2.0)]
    );
    let said = scenarios::explain::sentences(&plan).join("\n");
    for part in [
        &format!("{count} players stay a while (exponential 10s), leave, and come back later (1s to 5s)"),
        "At 22.0 s, 50 % of the open sockets are cut at once, by a reset.",
        "doubled each time up to 20s, at most 7 times",
        "20 players read slowly",
        "10 players fall silent",
        "0.5 oversized_message, 2 bad_json",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn without_a_word_the_sky_is_clear() {
    let plan = check("w.toml", HEAD, &[]).unwrap().plan;
    let disruptions = &plan.disruptions;
    assert_eq!(disruptions.reconnect.policy, Policy::None);
    assert!(disruptions.churn.is_none() && disruptions.slow.is_none() && disruptions.half_open.is_none());
    assert!(disruptions.storms.is_empty() && disruptions.malformed.rates.is_empty());
}

#[test]
fn contradictions_are_told_all_at_once() {
    let told = mistakes(
        r#"
        thresholds = ["reconnects.gave_up == 0"]
        [churn]
        session = "1s to 5s"
        pause = "0s"
        [reconnect]
        base = "1s"
        [[storms]]
        at = "30s"
        [slow_readers]
        share = 0.6
        stall = "5s"
        [half_open]
        share = 0.5
        after = "1s"
    "#,
    );
    let keys: Vec<_> = told.iter().map(|(key, _)| key.as_str()).collect();
    for key in [
        "thresholds.0",
        "churn.pause",
        "reconnect.base",
        "storms.0.at",
        "slow_readers.stall_every",
        "half_open.share",
    ] {
        assert!(keys.contains(&key), "{key}: {told:?}");
    }
    assert_eq!(keys.len(), 6, "{told:?}");
}

#[test]
fn ranges_hold() {
    for (text, key) in [
        ("[churn]\nshare = 1.5\nsession = \"1s\"\npause = \"1s\"", "churn.share"),
        ("[churn]\npause = \"1s\"", "churn.session"),
        ("[churn]\nsession = \"1s\"\npause = \"soon\"", "churn.pause"),
        ("[reconnect]\npolicy = \"linear\"", "reconnect.policy"),
        ("[reconnect]\npolicy = \"constant\"\ncap = \"1s\"", "reconnect.cap"),
        ("[reconnect]\npolicy = \"exponential\"\nbase = \"2s\"\ncap = \"1s\"", "reconnect.cap"),
        ("[reconnect]\npolicy = \"constant\"\nmax_attempts = 0", "reconnect.max_attempts"),
        ("[[storms]]\nat = \"1s\"\ncut = \"gently\"", "storms.0.cut"),
        ("[slow_readers]\nshare = 0.1", "slow_readers"),
        ("[slow_readers]\nshare = 0.1\ndelay = \"5ms\"", "slow_readers.delay"),
        ("[slow_readers]\nshare = 0.1\nstall = \"5s\"\nstall_every = \"5s\"", "slow_readers.stall_every"),
        ("[slow_readers]\nshare = 0.1\nreceive_buffer = 10", "slow_readers.receive_buffer"),
        ("[malformed]\nbad_json = -1.0", "malformed.bad_json"),
        ("[malformed]\nbad_jason = 1.0", "malformed.bad_jason"),
        ("[sockets]\nmax_message_bytes = 10", "sockets.max_message_bytes"),
    ] {
        let told = mistakes(text);
        assert_eq!(told.iter().map(|(told, _)| told.as_str()).collect::<Vec<_>>(), [key], "{text}: {told:?}");
    }
}

#[test]
fn a_key_of_an_earlier_version_is_refused_with_its_name_now() {
    let text = format!("{HEAD}[lives]\nsession = \"10s\"\npause = \"1s\"\n");
    let mistakes = check("w.toml", &text, &[]).unwrap_err().to_string();
    let told = "w.toml:4:2: `lives`: is now called `churn`\n    help: rename the key to `churn`";
    assert!(mistakes.starts_with("1 mistake;") && mistakes.contains(told), "{mistakes}");
    let set = "lives.share=0.5".parse().unwrap();
    let mistakes = check("w.toml", HEAD, &[set]).unwrap_err().to_string();
    let told = "--set lives.share=0.5: `lives`: is now called `churn`";
    assert!(mistakes.starts_with("1 mistake;") && mistakes.contains(told), "{mistakes}");
}

#[test]
fn a_key_that_is_gone_is_refused_with_what_is_written_instead() {
    let text = format!("{HEAD}[churn]\nsession = \"10s\"\npause = \"1s\"\nplace = true\nlobby = \"2s\"\n");
    let mistakes = check("w.toml", &text, &[]).unwrap_err().to_string();
    for (line, key) in [(7, "place"), (8, "lobby")] {
        let told = format!(
            "w.toml:{line}:1: `churn.{key}`: is no longer a key\n    help: write what players do between coming and \
             leaving as a journey instead of `[churn]`: `[[journeys]]`"
        );
        assert!(mistakes.contains(&told), "{mistakes}");
    }
    assert!(mistakes.starts_with("2 mistakes "), "{mistakes}");
}
