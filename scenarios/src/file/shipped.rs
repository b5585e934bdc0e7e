//! What ships within the program: the scenarios of this crate's folder, their profiles, and the template of a new one.
//!
//! So that `loadgen run quickstart` needs no checkout. A file of that name always comes first.

use crate::keys::scenario::Scenario;

/// A scenario that ships.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shipped {
    /// Its name, which is its file's without `.toml`.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// Every scenario that ships, by name.
pub const SCENARIOS: [Shipped; 19] = [
    Shipped { name: "chat", text: include_str!("../../chat.toml") },
    Shipped { name: "connect-storm", text: include_str!("../../connect-storm.toml") },
    Shipped { name: "evening", text: include_str!("../../evening.toml") },
    Shipped { name: "fan-out-ladder", text: include_str!("../../fan-out-ladder.toml") },
    Shipped { name: "graphql-ws", text: include_str!("../../graphql-ws.toml") },
    Shipped { name: "hundred-thousand", text: include_str!("../../hundred-thousand.toml") },
    Shipped { name: "idle", text: include_str!("../../idle.toml") },
    Shipped { name: "json-rpc", text: include_str!("../../json-rpc.toml") },
    Shipped { name: "lobby", text: include_str!("../../lobby.toml") },
    Shipped { name: "phoenix", text: include_str!("../../phoenix.toml") },
    Shipped { name: "placement-storm", text: include_str!("../../placement-storm.toml") },
    Shipped { name: "push-versus-poll", text: include_str!("../../push-versus-poll.toml") },
    Shipped { name: "quickstart", text: include_str!("../../quickstart.toml") },
    Shipped { name: "reconnect-storm", text: include_str!("../../reconnect-storm.toml") },
    Shipped {
        name: "single-versus-per-operation",
        text: include_str!("../../single-versus-per-operation.toml"),
    },
    Shipped { name: "soak", text: include_str!("../../soak.toml") },
    Shipped { name: "socket-io", text: include_str!("../../socket-io.toml") },
    Shipped { name: "spike", text: include_str!("../../spike.toml") },
    Shipped { name: "tutorial", text: include_str!("../../tutorial.toml") },
];

/// Every profile that one of them names, by the path that it names it with.
pub const PROFILES: [(&str, &str); 2] = [
    ("profiles/per-operation.toml", include_str!("../../profiles/per-operation.toml")),
    ("profiles/single.toml", include_str!("../../profiles/single.toml")),
];

/// A commented scenario to begin with; its name is [`TEMPLATE_NAME`].
const TEMPLATE: &str = include_str!("template.toml");
const TEMPLATE_NAME: &str = "my-scenario";

/// The scenario of this name.
#[must_use]
pub fn scenario(name: &str) -> Option<Shipped> {
    SCENARIOS.into_iter().find(|shipped| shipped.name == name)
}

/// The text of the profile that is named so in a scenario that ships.
#[must_use]
pub fn profile(path: &str) -> Option<&'static str> {
    PROFILES.into_iter().find(|(name, _)| *name == path).map(|(_, text)| text)
}

/// The text of a new scenario called `name`: the template, or one that ships.
#[must_use]
pub fn new(name: &str, from: Option<Shipped>) -> String {
    let (text, old) = from.map_or((TEMPLATE, TEMPLATE_NAME), |shipped| (shipped.text, shipped.name));
    text.replacen(&format!("\nname = \"{old}\"\n"), &format!("\nname = \"{name}\"\n"), 1)
}

/// A name that a scenario may have, made of a file's.
#[must_use]
pub fn name_of(stem: &str) -> String {
    let fitting = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '-' };
    let name: String = stem.chars().map(fitting).take(Scenario::LONGEST_NAME).collect();
    if name.is_empty() { TEMPLATE_NAME.into() } else { name }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    fn in_folder(folder: &Path) -> BTreeSet<String> {
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let files = files.filter_map(|file| file.into_string().ok());
        files
            .filter_map(|file| file.strip_suffix(".toml").map(str::to_owned))
            .filter(|file| file != "Cargo")
            .collect()
    }

    #[test]
    fn everything_in_the_folder_ships() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert_eq!(
            SCENARIOS.map(|shipped| shipped.name.to_owned()).into_iter().collect::<BTreeSet<_>>(),
            in_folder(folder)
        );
        let profiles = PROFILES.map(|(path, _)| path.replace("profiles/", "").replace(".toml", ""));
        assert_eq!(profiles.into_iter().collect::<BTreeSet<_>>(), in_folder(&folder.join("profiles")));
    }

    #[test]
    fn what_ships_passes_check_under_its_name_and_without_a_file_beside_it() {
        for Shipped { name, text } in SCENARIOS {
            let checked = crate::check(name, text, &[]).unwrap_or_else(|mistakes| panic!("{mistakes}"));
            assert_eq!(checked.plan.name, name);
        }
    }

    #[test]
    fn a_new_scenario_passes_check_under_its_own_name() {
        for from in SCENARIOS.into_iter().map(Some).chain([None]) {
            let text = new("evening_2", from);
            let checked =
                crate::check("evening_2.toml", &text, &[]).unwrap_or_else(|mistakes| panic!("{mistakes}"));
            assert_eq!(checked.plan.name, "evening_2");
        }
        assert_eq!(name_of("soirée 1"), "soir-e-1");
        assert_eq!(name_of(""), TEMPLATE_NAME);
    }

    #[test]
    fn what_is_commented_out_in_the_template_is_right_too() {
        // A comment that begins with a key or a table is one to take the `#` off; each is tried by itself.
        let is_key = |line: &str| {
            let word = line.split([' ', '.', ']']).next().unwrap_or_default().trim_start_matches('[');
            line.starts_with('[')
                || (line.contains(" = ") && word.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
        };
        let mut tried = 0;
        let blocks: Vec<&str> = TEMPLATE.split("\n\n").collect();
        for (index, block) in blocks.iter().enumerate() {
            let uncommented: Vec<_> = block
                .lines()
                .map(|line| line.strip_prefix("# ").filter(|rest| is_key(rest)).unwrap_or(line))
                .collect();
            let uncommented = uncommented.join("\n");
            if uncommented != *block {
                let mut blocks = blocks.clone();
                blocks[index] = &uncommented;
                let text = blocks.join("\n\n");
                crate::check("template.toml", &text, &[])
                    .unwrap_or_else(|mistakes| panic!("{mistakes}\n{text}"));
                tried += 1;
            }
        }
        assert!(tried >= 3, "{tried} blocks");
    }
}
