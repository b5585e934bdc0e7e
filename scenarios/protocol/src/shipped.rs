//! The protocols that ship within the program: the files of `scenarios/protocols`.

/// Every protocol that ships: its name, which is its file's without `.toml`, and its text.
const PROTOCOLS: [(&str, &str); 7] = [
    ("chat", include_str!("../../protocols/chat.toml")),
    ("graphql-ws", include_str!("../../protocols/graphql-ws.toml")),
    ("json-rpc", include_str!("../../protocols/json-rpc.toml")),
    ("phoenix", include_str!("../../protocols/phoenix.toml")),
    (REFERENCE, include_str!("../../protocols/reference.toml")),
    ("socket-io", include_str!("../../protocols/socket-io.toml")),
    ("tutorial", include_str!("../../protocols/tutorial.toml")),
];

/// The protocol of the reference backend, which is the default.
pub const REFERENCE: &str = "reference";

/// The names of all that ship.
pub fn names() -> impl Iterator<Item = &'static str> {
    PROTOCOLS.into_iter().map(|(name, _)| name)
}

/// The text of the protocol of this name.
#[must_use]
pub fn text(name: &str) -> Option<&'static str> {
    PROTOCOLS.into_iter().find(|(known, _)| *known == name).map(|(_, text)| text)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn everything_in_the_folder_ships() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../protocols");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let files = files.filter_map(|file| file.into_string().ok());
        let files: BTreeSet<_> =
            files.filter_map(|file| file.strip_suffix(".toml").map(str::to_owned)).collect();
        assert_eq!(names().map(str::to_owned).collect::<BTreeSet<_>>(), files);
    }

    #[test]
    fn each_is_called_as_its_file() {
        for name in names() {
            let protocol =
                crate::check(name, text(name).unwrap()).unwrap_or_else(|mistakes| panic!("{mistakes}"));
            assert_eq!(protocol.outline.name, name);
        }
    }
}
