//! Operations that a scenario asks for, as its protocol has them.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::time::Duration;

use scenarios::plan::operation::What;
use scenarios::{Content, Plan, check};

const TOP: &str = "name = \"o\"\nplayers = 20\nphases = [{ kind = \"hold\", duration = \"10s\" }]\n";

fn plan(text: &str) -> Plan {
    check("o.toml", &format!("{TOP}{text}"), &[]).unwrap_or_else(|mistakes| panic!("{mistakes}")).plan
}

fn mistakes(text: &str) -> String {
    check("o.toml", &format!("{TOP}{text}"), &[]).unwrap_err().to_string()
}

/// Whether each mistake is told, with its line below the three of the top.
fn assert_told(told: &str, expected: &[(usize, &str, &str)]) {
    for (line, problem, remedy) in expected {
        let lines: Vec<_> = told.lines().collect();
        let found = lines.windows(2).any(|pair| {
            pair[0].contains(&format!("o.toml:{}:", line + 3))
                && pair[0].contains(problem)
                && pair[1].contains(remedy)
        });
        assert!(found, "{line}: {problem} / {remedy}\n{told}");
    }
    let count = expected.len();
    assert!(told.starts_with(&format!("{count} mistake")), "{count}\n{told}");
}

#[test]
fn a_plan_has_the_protocols_operations_in_its_order() {
    let names = |text: &str| {
        let plan = plan(text);
        for (number, planned) in plan.operations.iter().enumerate() {
            assert_eq!(planned.operation.index(), number);
            if let What::Request(number) | What::Poll(number) = planned.what {
                assert_eq!(plan.requested(number), Some(planned.operation));
                assert_eq!(plan.protocol.outline().operations[number].name, *planned.name);
            }
        }
        plan.operations.iter().map(|planned| planned.name.to_string()).collect::<Vec<_>>()
    };
    let reference = "[operations.unknown_route]\nrate = 1.0\n[operations.send_message]\nrate = 1.0\n";
    assert_eq!(names(reference), ["connect", "send_message", "unknown_route"]);
    let graphql = "protocol = \"graphql-ws\"\n[operations.say]\nrate = 1.0\n";
    assert_eq!(names(graphql), ["connect", "ready", "say"]);
    let ready = &plan(graphql).operations[1];
    assert_eq!((ready.what, ready.arrivals(), ready.timeout), (What::Ready, 0, Duration::from_secs(10)));
}

#[test]
fn every_protocol_that_ships_can_be_planned_and_explained() {
    for name in protocol::shipped::names() {
        let protocol = protocol::load_named(name).unwrap();
        let operations: String = protocol
            .outline()
            .operations
            .iter()
            .map(|operation| format!("[operations.{}]\nrate = 1.0\n", operation.name))
            .collect();
        let plan = plan(&format!("protocol = \"{name}\"\n{operations}"));
        let text = scenarios::explain::explain(&plan, str::to_owned);
        assert!(text.contains(&format!("the protocol {name}.")), "{text}");
        let forecast = scenarios::explain::forecast::Forecast::of(&plan);
        assert!(forecast.counts.messages > 0.0 && forecast.bytes_up > 0.0, "{name}: {forecast:?}");
        for (operation, outline) in
            plan.operations.iter().rev().zip(protocol.outline().operations.iter().rev())
        {
            assert_eq!(*operation.name, *outline.name);
            let said = if outline.poll { "It is polled over REST: `" } else { "It sends `" };
            assert!(text.contains(said), "{name}: {text}");
        }
    }
}

#[test]
fn what_the_protocol_does_not_have_is_told_with_what_it_has() {
    let told = mistakes(
        "[operations.send_mesage]\nrate = 1.0\n[operations.connect]\nrate = 1.0\n\
         [operations.placement_request]\nrate = 1.0\nfan_out = 2\nsize = 64\nevery = \"1s\"\n\
         [operations.unknown_route]\nrate = 1.0\npush_timeout = \"1s\"\nrte = 2.0\ncolour = \"red\"\n",
    );
    assert_told(
        &told,
        &[
            (1, "the protocol `reference` has no operation `send_mesage`", "did you mean `send_message`?"),
            (3, "the protocol `reference` has no operation `connect`", "every player connects"),
            (7, "the message names no players", "take it out"),
            (8, "the message holds no text", "take it out"),
            (9, "it is not polled", "take it out"),
            (12, "it leads to no push", "take it out"),
            (13, "unknown key", "did you mean `rate`?"),
            (14, "unknown key", "known keys here: "),
        ],
    );
}

#[test]
fn a_protocol_that_is_not_there_or_wrong_is_told_and_nothing_is_concluded_from_it() {
    let rest = "thresholds = [\"say.failed == 0\"]\n[operations.say]\nrate = 1.0\n";
    let told = mistakes(&format!("protocol = \"refrence\"\n{rest}"));
    assert_told(&told, &[(1, "there is no protocol of this name", "did you mean `reference`?")]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.toml");
    std::fs::write(&file, "name = \"mine\"\n[operations.say]\nsend = \"${texd}\"\nanswr = 1\n").unwrap();
    let told = mistakes(&format!("protocol = \"{}\"\n{rest}", file.display()));
    assert!(told.contains("mine.toml:3:") && told.contains("mine.toml:4:"), "{told}");
    assert!(!told.contains("o.toml:"), "{told}");
}

/// A protocol in a folder, which is kept until the test is over.
fn in_folder(protocol: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("mine.toml"), protocol).unwrap();
    let file = folder.path().join("o.toml").display().to_string();
    (folder, file)
}

const MINE: &str = r#"name = "mine"

[operations.join]
send = '{"do":"join","mode":"${mode}","level":${level},"to":"${recipient}"}'
parameters = { mode = "ranked", level = 1 }
answer = { by = "order", ok = { "/ok" = true } }

[operations.shout]
send = '{"do":"shout","text":"${text}"}'
answer = { by = "none" }
push = { when = { "/shout" = true }, to = "everyone" }
"#;

#[test]
fn a_protocol_file_stands_beside_the_scenario_and_is_kept_with_the_run() {
    let (folder, file) = in_folder(MINE);
    let text =
        format!("protocol = \"mine.toml\"\n{TOP}[operations.shout]\nrate = 2.0\npush_timeout = \"3s\"\n");
    let checked = check(&file, &text, &[]).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    assert_eq!(checked.inputs[0].name, "inputs/mine.toml");
    assert_eq!(checked.inputs[0].content, Content::File(folder.path().join("mine.toml")));
    assert!(checked.as_run.contains("protocol = \"inputs/mine.toml\""), "{}", checked.as_run);
    let plan = checked.plan;
    let shout = &plan.operations[1];
    assert!((plan.pushes_of(shout) - 19.0).abs() < 1e-9, "everyone but the sender");
    assert_eq!((&*plan.pushes[0].name, plan.pushes[0].timeout), ("shout", Duration::from_secs(3)));
    assert!(!plan.is_answered(shout));
    // Named on the command line, too.
    let set = format!("protocol={}", Path::new(&file).with_file_name("mine.toml").display()).parse().unwrap();
    let text = text.replace("protocol = \"mine.toml\"\n", "");
    let checked = check(&file, &text, &[set]).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    assert!(checked.as_run.contains("protocol = \"inputs/mine.toml\""), "{}", checked.as_run);
}

#[test]
fn parameters_are_the_protocols_the_scenarios_or_a_files() {
    let (folder, file) = in_folder(MINE);
    std::fs::write(folder.path().join("players.csv"), "mode,level\ncasual,3\nranked,12\n").unwrap();
    let scenario = |keys: &str| {
        format!(
            "protocol = \"mine.toml\"\n{TOP}feeders = [{{ file = \"players.csv\" }}]\n\
             [operations.join]\nrate = 1.0\n{keys}"
        )
    };
    let parameter = |keys: &str, name: &str, player| {
        let plan = check(&file, &scenario(keys), &[]).unwrap_or_else(|mistakes| panic!("{mistakes}")).plan;
        plan.parameter(&plan.operations[1], name, player, 0).map(|value| value.into_owned())
    };
    assert_eq!(parameter("", "mode", 0).as_deref(), Some("ranked"));
    assert_eq!(parameter("level = 7\n", "level", 0).as_deref(), Some("7"));
    assert_eq!(parameter("mode = \"<${mode}>\"\n", "mode", 0).as_deref(), Some("<casual>"));
    assert_eq!(parameter("level = \"${level}\"\n", "level", 1).as_deref(), Some("12"));
    assert_eq!(parameter("", "nothing", 0), None);
    let told = check(&file, &scenario("level = \"high\"\nfan_out = 3\n"), &[]).unwrap_err().to_string();
    assert!(told.contains("must be a number, found \"high\""), "{told}");
    assert!(told.contains("the message names one player"), "{told}");
}

#[test]
fn a_message_longer_than_api_gateway_takes_is_told() {
    let five = "${text}".repeat(5);
    let (_folder, file) = in_folder(&MINE.replace("${text}", &five));
    let text = format!("protocol = \"mine.toml\"\n{TOP}[operations.shout]\nrate = 1.0\nsize = 30000\n");
    let told = check(&file, &text, &[]).unwrap_err().to_string();
    assert!(told.contains("a message would have about 15"), "{told}");
    assert!(told.contains("help: lower size"), "{told}");
}

#[test]
fn the_protocol_declares_what_does_the_work_and_the_scenario_replaces_it() {
    let send = "[operations.send_message]\nrate = 1.0\n";
    let topology = plan(send).topology;
    assert_eq!(topology.operations["send_message"].functions, ["SendMessage", "OnMessageInserted"]);
    assert_eq!(topology.operations["connect"].tables, ["Connections"]);
    assert_eq!(topology.deliveries["message"], "send_message");
    assert!(!topology.operations.contains_key("placement_request"), "the plan has none");
    let topology = plan(&format!("{send}[functions]\nsend_message = [\"Post\", \"Relay\"]\n")).topology;
    assert_eq!(topology.operations["send_message"].functions, ["Post", "Relay"]);
    assert_eq!(topology.operations["send_message"].tables, ["Connections", "Messages"]);
    let told = mistakes("[functions]\nsend_mesage = [\"Post\"]\n[tables]\nconnect = [\" \"]\n");
    assert_told(
        &told,
        &[
            (2, "is no operation of the protocol", "did you mean `send_message`?"),
            (4, "has an empty name", "how the resource's name ends"),
        ],
    );
}
