//! The recipes for pipelines call the program as it is.

use std::path::Path;

use loadgen::cli;

/// The commands of a pipeline's file that call the program.
fn commands(file: &str) -> Vec<Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ci").join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let command = |line: &str| {
        let line = line.trim().trim_start_matches("- ").trim_start_matches("run: ");
        let words = line.split_whitespace().take_while(|word| !matches!(*word, ">>" | ">" | "|" | "&&"));
        let words: Vec<_> = words.map(str::to_owned).collect();
        (words.first().map(String::as_str) == Some("loadgen")).then_some(words)
    };
    text.lines().filter_map(command).collect()
}

#[test]
fn the_recipes_call_commands_that_there_are() {
    for (file, wanted) in [("github.yml", 3), ("gitlab.yml", 4)] {
        let commands = commands(file);
        assert_eq!(commands.len(), wanted, "{file}: {commands:?}");
        for words in commands {
            let parsed = cli::command().try_get_matches_from(&words);
            assert!(parsed.is_ok(), "{file}: {words:?}\n{}", parsed.unwrap_err());
        }
    }
}

#[test]
fn what_is_reported_is_what_was_run() {
    for file in ["github.yml", "gitlab.yml"] {
        let commands = commands(file);
        let after = |words: &[String], flag: &str| {
            words.iter().position(|word| word == flag).and_then(|at| words.get(at + 1)).cloned()
        };
        let folder = commands.iter().find(|words| words[1] == "run").and_then(|words| after(words, "--out"));
        for report in commands.iter().filter(|words| words[1] == "report") {
            assert_eq!(Some(&report[2]), folder.as_ref(), "{file}: {report:?}");
        }
    }
}
