//! What runs were set up differently by: their scenarios, key by key, and what their manifests say.

use std::collections::{BTreeMap, BTreeSet};

use reports::folder::RunFolder;
use reports::format::comparison::Setting;
use reports::printable;

/// Keys of a scenario that do not change what its players do.
const NOT_OF_THE_PLAN: [&str; 11] = [
    "auth", "cloudwatch", "description", "functions", "name", "players", "prices", "protocol", "queues", "seed",
    "tables",
];
/// Nor do these, which are judged or compared otherwise.
const JUDGED_OTHERWISE: [&str; 2] = ["target", "thresholds"];

/// The keys of a folder's scenario that say what players do, with their values; its phases where there is no scenario.
pub(crate) fn plan(folder: &RunFolder) -> BTreeMap<String, String> {
    let keys = scenario(folder);
    if keys.is_empty() {
        let phase = |(index, phase): (usize, &reports::format::Phase)| {
            (format!("phases.{index}"), format!("{} to {} s", phase.start_s, phase.end_s))
        };
        return folder.manifest.phases.iter().enumerate().map(phase).collect();
    }
    let of_the_plan = |key: &String| {
        let first = key.split('.').next().unwrap_or_default();
        !NOT_OF_THE_PLAN.contains(&first) && !JUDGED_OTHERWISE.contains(&first)
    };
    keys.into_iter().filter(|(key, _)| of_the_plan(key)).collect()
}

/// Every setting whose values are not the same in both sides.
pub(crate) fn differences(base: &[RunFolder], candidate: &[RunFolder]) -> Vec<Setting> {
    let all = |folders: &[RunFolder]| folders.iter().map(settings).collect::<Vec<_>>();
    let (base, candidate) = (all(base), all(candidate));
    let keys: BTreeSet<&String> = base.iter().chain(&candidate).flat_map(BTreeMap::keys).collect();
    let values = |side: &[BTreeMap<String, String>], key: &String| {
        side.iter().map(|run| run.get(key).cloned().unwrap_or_default()).collect::<BTreeSet<_>>()
    };
    let shown = |values: BTreeSet<String>| values.into_iter().collect::<Vec<_>>().join(" | ");
    keys.into_iter()
        .map(|key| (key, values(&base, key), values(&candidate, key)))
        .filter(|(_, base, candidate)| base != candidate)
        .map(|(key, base, candidate)| Setting {
            key: key.clone(),
            base: shown(base),
            candidate: shown(candidate),
        })
        .collect()
}

fn settings(folder: &RunFolder) -> BTreeMap<String, String> {
    let manifest = &folder.manifest;
    let host = &manifest.host;
    let of_manifest = [
        ("run.target", manifest.run.target.clone()),
        ("run.seed", manifest.run.seed.to_string()),
        ("run.version", manifest.run.version.clone()),
        ("commit", manifest.commit.clone().unwrap_or_default()),
        ("protocol", manifest.protocol.clone()),
        ("players", manifest.players.to_string()),
        ("host.os", host.os.clone()),
        ("host.arch", host.arch.clone()),
        ("host.cpus", host.cpus.to_string()),
        ("host.memory_bytes", host.memory_bytes.to_string()),
        ("host.descriptor_limit", host.descriptor_limit.to_string()),
    ];
    let manifest = of_manifest.into_iter().map(|(key, value)| (format!("manifest: {key}"), value));
    let scenario = scenario(folder).into_iter().map(|(key, value)| (format!("scenario: {key}"), value));
    manifest.chain(scenario).collect()
}

/// The keys of a folder's scenario with their values; empty where it has none, or none that can be read.
fn scenario(folder: &RunFolder) -> BTreeMap<String, String> {
    let mut keys = BTreeMap::new();
    if let Ok(table) = folder.scenario_toml.parse::<toml::Table>() {
        flatten(&toml::Value::Table(table), String::new(), &mut keys);
    }
    keys
}

fn flatten(value: &toml::Value, path: String, keys: &mut BTreeMap<String, String>) {
    let below = |key: &str| {
        let key = printable::line(key);
        if path.is_empty() { key.into_owned() } else { format!("{path}.{key}") }
    };
    match value {
        toml::Value::Table(table) => {
            for (key, value) in table {
                flatten(value, below(key), keys);
            }
        }
        toml::Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                flatten(value, below(&index.to_string()), keys);
            }
        }
        // Numbers are numbers, however they are written.
        toml::Value::Float(number) => drop(keys.insert(path, number.to_string())),
        toml::Value::String(text) => drop(keys.insert(path, printable::line(text).into_owned())),
        other => drop(keys.insert(path, other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_flattened_and_numbers_are_numbers() {
        let mut keys = BTreeMap::new();
        let text = "players = 3\n[operations.chat]\nrate = 10.0\nname = \"a\\u001bb\"\n[[phases]]\nload = 2\n";
        flatten(&toml::Value::Table(text.parse().expect("TOML")), String::new(), &mut keys);
        let wanted = [
            ("operations.chat.name", "a\\u{1b}b"),
            ("operations.chat.rate", "10"),
            ("phases.0.load", "2"),
            ("players", "3"),
        ];
        let wanted = wanted.map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(keys, wanted.into());
    }
}
