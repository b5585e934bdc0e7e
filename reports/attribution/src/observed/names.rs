//! Full and short names of the backend's parts: `reference-Development-SendMessage` is `SendMessage` to people and protocols.

use std::collections::BTreeSet;

/// The full names of one kind of part, and how they are shortened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Names {
    full: BTreeSet<String>,
    declared: Vec<String>,
    prefix: usize,
}

impl Names {
    /// Names with what is declared of them; `others` are parts of other kinds, which share their prefix.
    pub(crate) fn new(full: BTreeSet<String>, declared: Vec<String>, others: &[&BTreeSet<String>]) -> Self {
        let all: Vec<&str> =
            full.iter().chain(others.iter().copied().flatten()).map(String::as_str).collect();
        let prefix = common_prefix(&all);
        Self { full, declared, prefix }
    }

    /// The full name of a declared one: itself, or the one that ends with it at a boundary.
    pub(crate) fn find(&self, declared: &str) -> Option<&str> {
        let ends = |full: &&String| ends_with(full, declared);
        self.full.get(declared).or_else(|| self.full.iter().find(ends)).map(String::as_str)
    }

    /// The short name of a full one: as it is declared, else without what all names begin with.
    pub(crate) fn short<'a>(&'a self, full: &'a str) -> &'a str {
        // `TABLE/INDEX`: the table's name is shortened, the index stays.
        let name = full.split('/').next().unwrap_or(full);
        if let Some(declared) = self.declared.iter().find(|declared| ends_with(name, declared)) {
            return full.get(name.len() - declared.len()..).unwrap_or(full);
        }
        match full.get(self.prefix..) {
            Some(rest) if !rest.is_empty() && self.full.contains(name) => rest,
            _ => full,
        }
    }
}

/// Whether a name is the other, or ends with it after `-` or `_`.
fn ends_with(full: &str, end: &str) -> bool {
    !end.is_empty()
        && full.strip_suffix(end).is_some_and(|before| before.is_empty() || before.ends_with(['-', '_']))
}

/// Bytes that all names begin with, up to a boundary; 0 of fewer than two.
fn common_prefix(names: &[&str]) -> usize {
    let [first, rest @ ..] = names else { return 0 };
    if rest.is_empty() {
        return 0;
    }
    let same = |name: &&str| first.bytes().zip(name.bytes()).take_while(|(a, b)| a == b).count();
    let length = rest.iter().map(same).min().unwrap_or(0);
    first.as_bytes()[..length].iter().rposition(|byte| matches!(byte, b'-' | b'_')).map_or(0, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(full: &[&str], declared: &[&str]) -> Names {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        Names::new(set(full), declared.iter().map(|name| (*name).to_owned()).collect(), &[])
    }

    #[test]
    fn a_declared_name_is_how_a_full_one_ends() {
        let names =
            names(&["reference-Development-SendMessage", "reference-Development-Send"], &["SendMessage"]);
        assert_eq!(names.find("SendMessage"), Some("reference-Development-SendMessage"));
        assert_eq!(names.find("Message"), None, "only at a boundary");
        assert_eq!(names.short("reference-Development-SendMessage"), "SendMessage");
        assert_eq!(names.short("reference-Development-Send"), "Send");
        assert_eq!(names.short("reference-Development-SendMessage/Index"), "SendMessage/Index");
        assert_eq!(names.short("another"), "another");
    }

    #[test]
    fn one_name_alone_is_not_cut() {
        assert_eq!(names(&["chat-prod-handler"], &[]).short("chat-prod-handler"), "chat-prod-handler");
        assert_eq!(names(&["a-b", "a-b-c"], &[]).short("a-b"), "b");
        assert_eq!(names(&["a", "b"], &[]).short("a"), "a");
    }
}
