//! Feeders and rooms as users write them: values and names for every send, every mistake with its line.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use scenarios::plan::columns::{Occasion, Pick};
use scenarios::plan::operation::What;
use scenarios::{Checked, Content, Mistakes, check};

const HEAD: &str = "name = \"f\"\nplayers = 25\nphases = [{ kind = \"hold\", duration = \"1s\" }]\n";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("people.csv", "name,level\nann,3\nbob,12\n"),
        ("maps.jsonl", "{\"map\":\"dust\"}\n{\"map\":\"cliff\"}\n{\"map\":\"moor\"}\n"),
        ("ranks.tsv", "rank\tlevel\ngold\t1\n"),
        ("short.csv", "a,b\n1,2\n3\n"),
        ("empty.csv", "a,b\n"),
        ("logins.csv", "user,sessionToken\nann,SECRET\n"),
        ("leaked.csv", "what\nAKIAIOSFODNN7EXAMPLE\n"),
        ("people.txt", "a\n1\n"),
    ] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn checked(folder: &Path, more: &str) -> Result<Checked, Mistakes> {
    check(&folder.join("f.toml").display().to_string(), &format!("{HEAD}{more}"), &[])
}

/// Every mistake: where, in the last part of its path, and what.
fn told(folder: &Path, more: &str) -> Vec<String> {
    let mistakes = checked(folder, more).unwrap_err().0;
    let place = |place: &str| place.rsplit('/').next().unwrap_or_default().to_owned();
    mistakes.iter().map(|told| format!("{} {}: {}", place(&told.place), told.key, told.problem)).collect()
}

#[test]
fn columns_of_several_files_are_values_of_sends() {
    let folder = folder();
    let feeders =
        "[[feeders]]\nfile = \"people.csv\"\n[[feeders]]\nfile = \"maps.jsonl\"\npick = \"cycle\"\n";
    let Checked { plan, as_run, inputs, .. } = checked(folder.path(), feeders).unwrap();
    let value = |name: &str, player, index| {
        let at = Occasion { player, what: What::Request(1), index };
        plan.feeders.value(plan.feeders.column(name).unwrap(), plan.seed, at)
    };
    assert_eq!((value("name", 0, 9), value("level", 1, 9), value("name", 2, 9)), ("ann", "12", "ann"));
    assert_eq!((value("map", 7, 0), value("map", 8, 1), value("map", 9, 5)), ("dust", "cliff", "moor"));
    assert_eq!(plan.feeders.files()[1].pick, Pick::Cycle);
    // What ran can run again from its folder.
    let kept: Vec<_> = inputs.iter().map(|input| input.name.as_str()).collect();
    assert_eq!(kept, ["inputs/people.csv", "inputs/maps.jsonl"]);
    assert!(inputs.iter().all(|input| matches!(input.content, Content::File(_))));
    assert!(as_run.contains("file = \"inputs/people.csv\""), "{as_run}");
    let said = scenarios::explain::sentences(&plan).join("\n");
    for part in [
        "`${name}`, `${level}` stand for values of `people.csv` (2 rows): each player has a row of its own",
        "`${map}` stand for values of `maps.jsonl` (3 rows): sends take one row after the other",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn every_mistake_is_told_with_its_line() {
    let folder = folder();
    let feeder = |file: &str| format!("[[feeders]]\nfile = \"{file}\"\n");
    for (more, wanted) in [
        (feeder("no.csv"), &["f.toml:5:1 feeders.0.file: there is no file `no.csv`"][..]),
        (
            feeder("people.txt"),
            &["f.toml:5:1 feeders.0.file: the ending of `people.txt` does not tell how it is written"],
        ),
        (feeder("short.csv"), &["short.csv:3 feeders.0: has 1 columns instead of 2"]),
        (feeder("empty.csv"), &["empty.csv feeders.0: has no rows"]),
        (
            feeder("no.csv") + &feeder("people.csv") + &feeder("short.csv") + &feeder("ranks.tsv"),
            &[
                "f.toml:5:1 feeders.0.file: there is no file `no.csv`",
                "short.csv:3 feeders.2: has 1 columns instead of 2",
                "f.toml:11:1 feeders.3.file: has the column `level`, as `people.csv` has",
            ],
        ),
        (
            feeder("people.csv") + "pick = \"first\"\n",
            &["f.toml:6:1 feeders.0.pick: must be one of \"player\", \"cycle\", \"random\", found \"first\""],
        ),
    ] {
        assert_eq!(told(folder.path(), &more), wanted, "{more}");
    }
}

#[test]
fn a_file_with_secrets_is_not_kept() {
    let folder = folder();
    for file in ["logins.csv", "leaked.csv"] {
        let Checked { plan, as_run, inputs, .. } =
            checked(folder.path(), &format!("[[feeders]]\nfile = \"{file}\"\n")).unwrap();
        assert!(inputs.is_empty(), "{inputs:?}");
        let place = folder.path().join(file).display().to_string();
        assert!(as_run.contains(&place), "it says where the file lies: {as_run}");
        assert!(!format!("{plan:?}").contains("SECRET"), "a value in a debug text");
    }
}

#[test]
fn players_are_in_rooms() {
    let folder = folder();
    let rooms = checked(folder.path(), "").unwrap().plan.rooms;
    assert_eq!((rooms.count(), rooms.members(0), rooms.name(0).as_str()), (1, 0..25, "room-0"));
    let plan = checked(folder.path(), "[rooms]\nsize = 10\nname = \"arena/{n}\"\n").unwrap().plan;
    let rooms = &plan.rooms;
    assert_eq!((rooms.of(9), rooms.of(10), rooms.of(24)), (0, 1, 2));
    assert_eq!((rooms.members(2), rooms.name(rooms.of(24)).as_str()), (20..25, "arena/2"));
    let said = scenarios::explain::sentences(&plan).join("\n");
    let wanted = "Players are in 3 rooms of 10, the last of which has 5: `arena/0` to `arena/2`.";
    assert!(said.contains(wanted), "{said}");
    for (more, wanted) in [
        ("[rooms]\nsize = 0\n", "f.toml:5:1 rooms.size: 0 is too small, at least 1"),
        ("[rooms]\nsize = 10\nname = \"all\"\n", "f.toml:6:1 rooms.name: is the same for all 3 rooms"),
        ("[rooms]\nname = \"\"\n", "f.toml:5:1 rooms.name: must have 1 to 128 printable bytes"),
    ] {
        assert_eq!(told(folder.path(), more), [wanted]);
    }
}
