//! Scenarios and the files that they name as people have them: units, variables, encodings, mistakes of every kind at
//! once, and a copy that runs again.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::time::Duration;

use jsonwebtoken::{EncodingKey, Header, encode};
use scenarios::{Checked, Content, Mistakes, Override, check, load};
use serde_json::json;

const PLAIN: &str = "name = \"plain\"\nplayers = 3\n[[phases]]\nkind = \"hold\"\nduration = \"1s\"\n";

fn sets(sets: &[&str]) -> Vec<Override> {
    sets.iter().map(|set| set.parse().unwrap()).collect()
}

fn keys(mistakes: &Mistakes) -> Vec<&str> {
    mistakes.0.iter().map(|mistake| mistake.key.as_str()).collect()
}

#[test]
fn mistakes_of_form_and_of_meaning_are_told_together() {
    let wrong = sets(&[
        "name=../../x",
        "thresholds=[\"foo\"]",
        "target.url=http://x",
        "phases.7.load=1",
        "players=0",
    ]);
    let mistakes = check("plain.toml", PLAIN, &wrong).unwrap_err();
    assert_eq!(
        keys(&mistakes),
        ["phases.7.load", "name", "players", "target.url", "thresholds.0"],
        "{mistakes}"
    );
    let places: Vec<_> = mistakes.0.iter().map(|mistake| mistake.place.as_str()).collect();
    assert_eq!(places[1..4], ["--set name=../../x", "--set players=0", "--set target.url=http://x"]);
}

#[test]
fn a_wrong_value_is_told_once_and_nothing_is_concluded_from_what_stands_in_its_place() {
    for (text, wanted) in [
        // One player in place of a wrong number is fewer than the recipients.
        (
            "[operations.send_message]\nrate = 1\nfan_out = 3\n[churn]\nshare = 2\nsession = \"1s\"\npause = \"1s\"\n",
            &["churn.share"][..],
        ),
        ("[operations.send_message]\nrate = true\n", &["operations.send_message.rate"]),
        (
            "[operations.send_message]\nmodel = \"clsed\"\nthink_time = \"1s\"\n",
            &["operations.send_message.model"],
        ),
        // An embedded backend in place of a wrong URL would know no such tokens.
        ("[target]\nurl = \"http://x\"\n[auth.command]\nargv = [\"sh\", \"{player}\"]\n", &["target.url"]),
        ("[reconnect]\npolicy = 3\nbase = \"1s\"\ncap = \"2s\"\n", &["reconnect.policy"]),
        ("[slow_readers]\nshare = 0.5\ndelay = \"1 parsec\"\n", &["slow_readers.delay"]),
        ("[operations]\nsend_message = 3\n", &["operations.send_message"]),
        (
            "[sockets]\nconnect_rate = nan\nper_goose_user = 99999999999\nmax_message_bytes = 99999999999999999999\n",
            &["sockets.connect_rate", "sockets.max_message_bytes", "sockets.per_goose_user"],
        ),
    ] {
        let mistakes = check("x.toml", &format!("{PLAIN}{text}"), &[]).unwrap_err();
        assert_eq!(keys(&mistakes), wanted, "{text}\n{mistakes}");
    }
    let text = PLAIN.replace("players = 3", "players = \"many\"\nthresholds = [\"message.lost == 0\"]");
    let mistakes = check("x.toml", &format!("{text}[operations.send_message]\nrate = 1\nfan_out = 2\n"), &[]);
    assert_eq!(keys(&mistakes.unwrap_err()), ["players"]);
}

#[test]
fn quantities_have_the_units_that_people_write() {
    let text = "name = \"units\"\nplayers = 1e3\nthresholds = [\"connect.response_time.max < 1.5m\"]\n\
        [sockets]\nconnect_rate = \"6000/min\"\nmax_message_bytes = \"64KiB\"\n\
        [[phases]]\nkind = \"hold\"\nduration = \"1.5m\"\nload = \"50%\"\n\
        [operations.send_message]\nrate = \"30/s\"\nsize = \"1KB\"\n\
        [slow_readers]\nshare = \"5%\"\ndelay = \"0.5s\"\n";
    let of = |set: &[&str]| {
        check("units.toml", text, &sets(set)).unwrap_or_else(|mistakes| panic!("{mistakes}")).plan
    };
    let plan = of(&[]);
    assert_eq!((plan.players, plan.max_message_bytes), (1_000, 65_536));
    assert_eq!(plan.end() - plan.phases_start(), Duration::from_secs(90));
    assert_eq!(
        plan.phases_start(),
        Duration::from_secs(11),
        "1,000 players at 100 a second, and a second to settle"
    );
    assert_eq!(plan.operation(plan.operation_named("send_message").unwrap()).size, 1_000);
    assert_eq!(plan.operation(plan.operation_named("send_message").unwrap()).arrivals(), 1_350);
    assert_eq!(plan.thresholds[0].bound, 90e6);
    let plan = of(&[
        "phases.0.duration=1d",
        "players=2k",
        "operations.send_message.rate=60/min",
        "sockets.connect_rate=2e2",
    ]);
    assert_eq!((plan.players, plan.end().as_secs()), (2_000, 86_400 + 11));
    assert_eq!(plan.operation(plan.operation_named("send_message").unwrap()).rate, 1.0);

    let wrong = sets(&[
        "phases.0.duration=90",
        "operations.send_message.rate=30/parsec",
        "players=2.5",
        "operations.send_message.size=1XB",
    ]);
    let told = check("units.toml", text, &wrong).unwrap_err().to_string();
    for said in [
        "`phases.0.duration`: 90 has no unit; write e.g. \"90s\"",
        "\"30/parsec\" is not a rate; write e.g. 30, \"30/s\"",
        "`players`: must be integer, found 2.5",
        "\"1XB\" is not a size",
    ] {
        assert!(told.contains(said), "{told}");
    }
}

#[test]
fn variables_are_filled_in_and_a_missing_one_is_a_mistake_with_its_line() {
    // Cargo sets these for every test.
    let text = PLAIN.replace(
        "players = 3",
        "players = \"${NO_SUCH_VARIABLE:-1k}\"\ndescription = \"${CARGO_PKG_NAME} $${X}\"",
    );
    let checked = check("x.toml", &text, &sets(&["phases.0.measured=${NO_SUCH_VARIABLE:-true}"])).unwrap();
    assert_eq!((checked.plan.players, checked.scenario.description.as_str()), (1_000, "scenarios ${X}"));
    let again = check("again.toml", &checked.as_run, &[]).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    assert_eq!(again.scenario, checked.scenario, "{}", checked.as_run);

    let text = PLAIN.replace("\"plain\"", "\"${NO_SUCH_VARIABLE}\"").replace("\"1s\"", "\"${NO_OTHER}\"");
    let told = check("x.toml", &text, &[]).unwrap_err().to_string();
    assert!(told.starts_with("2 mistakes"), "{told}");
    assert!(
        told.contains("x.toml:1:1: `name`: the environment has no variable `NO_SUCH_VARIABLE`"),
        "{told}"
    );
    assert!(
        told.contains("x.toml:5:1: `phases.0.duration`: the environment has no variable `NO_OTHER`"),
        "{told}"
    );
    assert!(told.contains("write ${NO_OTHER:-default}"), "{told}");
}

#[test]
fn a_scenario_may_have_any_encoding() {
    let folder = tempfile::tempdir().unwrap();
    let utf16: Vec<u8> =
        std::iter::once(0xfeff).chain(PLAIN.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    for bytes in [[b"\xef\xbb\xbf", PLAIN.replace('\n', "\r\n").as_bytes()].concat(), utf16] {
        let path = folder.path().join("x.toml");
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(load(&path, &[]).unwrap().plan.name, "plain");
    }
    let path = folder.path().join("latin.toml");
    std::fs::write(&path, b"name = \"x\"\n# j\xfcrgen\n").unwrap();
    let told = load(&path, &[]).unwrap_err().to_string();
    assert!(
        told.contains("latin.toml:2:1: is neither UTF-8 nor UTF-16") && told.contains("help: save"),
        "{told}"
    );
}

fn token(sub: &str) -> String {
    encode(
        &Header::default(),
        &json!({ "sub": sub, "username": format!("u-{sub}") }),
        &EncodingKey::from_secret(b"k"),
    )
    .unwrap()
}

const MATCHED: &str = "[operations.send_message]\nrate = 1\n";

/// A scenario with a feeder against a target that is not ours.
fn fed(folder: &Path, feeder: &str, auth: &str, operations: &str) -> Result<Checked, Mistakes> {
    std::fs::write(folder.join("players.csv"), feeder).unwrap();
    let text = format!(
        "{PLAIN}[target]\nurl = \"ws://127.0.0.1:9/x\"\n[auth]\n{auth}\nfeeder.file = \"players.csv\"\n{operations}"
    );
    check(&folder.join("x.toml").display().to_string(), &text, &[])
}

#[test]
fn players_who_cannot_be_told_apart_are_refused_where_deliveries_are_matched() {
    let folder = tempfile::tempdir().unwrap();
    let told = |feeder: &str, auth: &str| fed(folder.path(), feeder, auth, MATCHED).unwrap_err().to_string();
    let [ann, bob, cid] = ["ann", "bob", "cid"].map(token);

    let cycled = format!("player,token\nann,{ann}\n");
    assert!(told(&cycled, "feeder.cycle = true").contains("makes 3 sockets share 1 players"));
    assert!(fed(folder.path(), &cycled, "feeder.cycle = true", "").is_ok(), "nothing is matched");
    let few = told(&cycled, "");
    assert!(few.contains("has 1 players, fewer than the 3"), "{few}");

    let swapped = format!("player,token\nann,{ann}\nbob,{cid}\ncid,{bob}\n");
    let said = told(&swapped, "");
    assert!(
        said.contains(
            "players.csv:3: `auth.feeder`: the player is called `bob`, but its token's `sub` says `cid`"
        ),
        "{said}"
    );
    assert!(said.contains("players.csv:4: ") && said.contains("set auth.player_claim"), "{said}");
    assert!(!said.contains(&cid), "no token is shown");
    let other = format!("player,token\nu-ann,{ann}\nu-bob,{bob}\nu-cid,{cid}\n");
    assert!(fed(folder.path(), &other, "player_claim = \"username\"", MATCHED).is_ok());
    assert!(fed(folder.path(), &swapped, "player_claim = \"\"", MATCHED).is_ok(), "who knows better says so");

    let same = told("player,token\nann,ticket\nbob,ticket\ncid,other\n", "");
    assert!(same.contains("players.csv:3: `auth.feeder`: has the same token as line 2"), "{same}");

    // Tokens alone say whose they are.
    let alone = format!("token\n{ann}\n\n{bob}\n{cid}\n");
    let plan = fed(folder.path(), &alone, "", MATCHED).unwrap_or_else(|mistakes| panic!("{mistakes}")).plan;
    assert_eq!((plan.player_id(0), plan.player_id(2)), ("ann".into(), "cid".into()));
    let twice = told(&format!("token\n{ann}\n{bob}\n{}x\n", token("ann")), "");
    assert!(
        twice.contains("players.csv:4: `auth.feeder`: the token names the same player as the one on line 2"),
        "{twice}"
    );
}

#[test]
fn ids_beyond_ascii_are_taken_where_they_can_travel() {
    let folder = tempfile::tempdir().unwrap();
    let tokens: String = ["jürgen", "李", "ann"].map(|id| format!("{id};{}\n", token(id))).concat();
    let feeder = format!("\u{feff}player;token\n{tokens}").replace('\n', "\r\n");
    let plan = fed(folder.path(), &feeder, "", MATCHED).unwrap_or_else(|mistakes| panic!("{mistakes}")).plan;
    assert_eq!((plan.player_id(0), plan.player_id(1)), ("jürgen".into(), "李".into()));
    for auth in ["mode = \"header\"", "mode = \"sigv4\"\nsigv4.region = \"eu-west-1\""] {
        let told = fed(folder.path(), &feeder, auth, MATCHED).unwrap_err().to_string();
        assert!(told.contains("players.csv:2: `auth.feeder`: `player` has letters beyond ASCII, which the header X-Player-Id"), "{told}");
    }
    let silent = "mode = \"sigv4\"\nsigv4.region = \"eu-west-1\"\nsigv4.player_header = false";
    assert!(fed(folder.path(), &feeder, silent, MATCHED).is_ok());
}

#[test]
fn what_a_scenario_names_is_kept_so_that_it_runs_again_and_secrets_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let beside = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    std::fs::create_dir(folder.path().join("deep")).unwrap();
    beside("deep/mine.toml", "base = \"instant\"\n");
    beside("arrivals.csv", "offset_s\n0.5\n");
    beside(
        "players.csv",
        "PLAYER,note,token\n\"ann \"\"a\"\"\",x,SECRET-1\nbob,y,SECRET-2\ncid,z,SECRET-3\n",
    );
    let text = format!(
        "{PLAIN}[target] # why\nprofile = \"deep/mine.toml\" # so\n[auth]\nmode = \"header\"\nfeeder.file = \"players.csv\"\n\
         [operations.send_message]\nrecording = \"arrivals.csv\"\n[operations.unknown_route]\nrecording = \"arrivals.csv\"\n"
    );
    let checked = check(&folder.path().join("x.toml").display().to_string(), &text, &[])
        .unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let mut names: Vec<_> = checked.inputs.iter().map(|input| input.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["inputs/arrivals.csv", "inputs/mine.toml", "inputs/players.csv"]);
    assert!(
        checked.as_run.contains("[target] # why\nprofile = \"inputs/mine.toml\" # so\n"),
        "{}",
        checked.as_run
    );
    let kept = tempfile::tempdir().unwrap();
    std::fs::create_dir(kept.path().join("inputs")).unwrap();
    for input in &checked.inputs {
        let path = kept.path().join(&input.name);
        match &input.content {
            Content::File(from) => drop(std::fs::copy(from, path).unwrap()),
            Content::Text(text) => {
                assert!(!text.contains("SECRET"), "{text}");
                std::fs::write(path, text).unwrap();
            }
        }
    }
    let path = kept.path().join("scenario.toml");
    std::fs::write(&path, &checked.as_run).unwrap();
    drop(folder);
    let again = load(&path, &[]).unwrap_or_else(|mistakes| panic!("{mistakes}")).plan;
    assert_eq!([0, 1, 2].map(|player| again.player_id(player)), ["ann \"a\"", "bob", "cid"]);

    // Keys and tokens stay where they are.
    let folder = tempfile::tempdir().unwrap();
    let rows: String = ["ann", "bob", "cid"].map(|id| format!("{id},{}\n", token(id))).concat();
    let checked = fed(folder.path(), &format!("player,token\n{rows}"), "", MATCHED)
        .unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let players = folder.path().join("players.csv").display().to_string();
    assert!(checked.as_run.contains(&format!("feeder.file = \"{players}\"")), "{}", checked.as_run);
    assert_eq!(checked.inputs[0].content, Content::Text("\"player\"\n\"ann\"\n\"bob\"\n\"cid\"\n".into()));
}
