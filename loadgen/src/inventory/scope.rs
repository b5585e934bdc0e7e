//! What belongs to the backend, among all that an account has.

use std::collections::BTreeSet;

use reports::format::Topology;
use url::Url;

/// What belongs to the backend.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    /// Full names of its functions.
    pub(crate) functions: Vec<String>,
    /// Beginning of the names of all its resources; empty: none in common.
    pub(crate) prefix: String,
    /// How the names of its tables and queues end, as protocol and scenario declare it.
    pub(crate) declared: BTreeSet<String>,
    /// The API's identifier, where the target's address has it.
    pub(crate) api: Option<String>,
    /// Whether whatever is deployed belongs to it: a stack on this machine.
    pub(crate) everything: bool,
    /// What the functions' environments name, values that are no names among them: never shown.
    named: Hidden,
}

/// Values that are compared and never shown.
#[derive(Default)]
struct Hidden(BTreeSet<String>);

impl std::fmt::Debug for Hidden {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} values", self.0.len())
    }
}

impl Scope {
    /// What is known of a run's backend: `target` is the address of its sockets.
    pub(crate) fn new(target: &str, topology: &Topology) -> Self {
        let works = topology.operations.values();
        let declared = works.flat_map(|work| work.tables.iter().chain(&work.queues)).cloned().collect();
        Self { declared, api: api_of(target), ..Self::default() }
    }

    /// Whether a table, queue or topic of this name belongs to the backend.
    pub(crate) fn owns(&self, name: &str) -> bool {
        self.everything
            || (!self.prefix.is_empty() && name.starts_with(&self.prefix))
            || self.declared.iter().any(|end| ends_with(name, end))
            || self.named.0.contains(name)
    }

    /// Whether a function belongs to the backend.
    pub(crate) fn owns_function(&self, name: &str) -> bool {
        self.everything
            || (!self.prefix.is_empty() && name.starts_with(&self.prefix))
            || self.functions.iter().any(|known| known == name)
    }

    /// Takes in what a function's environment says.
    pub(super) fn name(&mut self, value: &str) {
        self.named.0.insert(super::arn::last(value).to_owned());
    }
}

/// Whether a name is `end`, or ends so behind a hyphen, underscore or dot.
fn ends_with(name: &str, end: &str) -> bool {
    name.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with(['-', '_', '.']))
}

/// `abc` of `wss://abc.execute-api.eu-west-1.amazonaws.com/Staging`.
fn api_of(target: &str) -> Option<String> {
    let url = Url::parse(target).ok()?;
    let (id, rest) = url.host_str()?.split_once('.')?;
    rest.starts_with("execute-api.").then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use reports::format::Work;

    use super::*;

    #[test]
    fn what_belongs_is_known_by_prefix_end_or_environment() {
        let work = Work { tables: vec!["Messages".into()], ..Work::default() };
        let topology = Topology { operations: [("send".to_owned(), work)].into(), ..Topology::default() };
        let mut scope = Scope::new("wss://abc.execute-api.eu-west-1.amazonaws.com/Staging", &topology);
        assert_eq!(scope.api.as_deref(), Some("abc"));
        assert!(scope.owns("game-Staging-Messages") && scope.owns("Messages"));
        assert!(!scope.owns("game-NotMessages") && !scope.owns("Orders"));
        scope.name("arn:aws:gamelift:eu-west-1:123456789012:gamesessionqueue/ranked");
        scope.name("Orders");
        assert!(scope.owns("ranked") && scope.owns("Orders"));
        assert!(!format!("{scope:?}").contains("Orders"));
        scope.prefix = "game-".into();
        assert!(
            scope.owns("game-Anything") && scope.owns_function("game-Send") && !scope.owns_function("Send")
        );
        assert_eq!(api_of("wss://play.example.com/"), None);
        assert_eq!(api_of("embedded"), None);
    }
}
