//! What the backend is made of, and the path of each operation and delivery through it.

use std::collections::{BTreeMap, BTreeSet};

use reports::format::{LimitKind, Manifest, Topology, Wiring, Work};

use super::names::Names;
use super::server::{Metric, Server};

/// One part of the backend, by its full name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Stage {
    /// The gateway in front.
    Gateway,
    /// A Lambda function.
    Function(String),
    /// A table, or `TABLE/INDEX`.
    Table(String),
    /// A table's stream.
    Stream(String),
    /// A topic.
    Topic(String),
    /// A placement queue.
    Queue(String),
    /// Lambda of the whole account.
    Account,
    /// Between the players and the gateway.
    Network,
    /// The load generator.
    Generator,
}

/// What makes a function run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trigger {
    /// A route of the gateway.
    Route,
    /// The gateway, to authorise a connection.
    Authorizer,
    /// A table's stream, by the table's full name and the mapping's UUID; both empty where they are not known.
    Stream {
        /// The table.
        table: String,
        /// The mapping.
        uuid: String,
    },
    /// A topic; empty where it is not known.
    Topic(String),
    /// Not known.
    Unknown,
}

impl Trigger {
    /// Whether a player waits for the function's answer.
    pub(crate) fn is_awaited(&self) -> bool {
        !matches!(self, Self::Stream { .. } | Self::Topic(_))
    }
}

/// A Lambda function of the backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Function {
    /// Its name in CloudWatch.
    pub(crate) full: String,
    /// Its name as people and protocols say it.
    pub(crate) short: String,
    /// What makes it run.
    pub(crate) trigger: Trigger,
    /// Whether it authorises connections, whatever else it does.
    pub(crate) authorizes: bool,
}

/// The backend.
pub(crate) struct Backend {
    /// Its functions.
    pub(crate) functions: Vec<Function>,
    /// Its tables, by their full names.
    pub(crate) tables: Names,
    /// The path of each operation: the stages whose work a player waits for, in order.
    pub(crate) operations: BTreeMap<String, Vec<Stage>>,
    /// The path of each delivery, from the send of its operation on.
    pub(crate) deliveries: BTreeMap<String, Vec<Stage>>,
    /// Whether the paths are declared; else they were found by invocations that follow arrivals, or are empty.
    pub(crate) declared: bool,
    /// By the letters of a route's key: its path, where nothing is declared.
    guessed: BTreeMap<String, Vec<Stage>>,
    functions_by_name: Names,
    queues: Names,
    topics: Names,
}

/// The letters and digits of a name, all small: `sendMessage` and `send_message` are one.
fn letters(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

impl Backend {
    pub(crate) fn of(manifest: &Manifest, server: &Server<'_>) -> Self {
        let topology = &manifest.topology;
        let nothing = Wiring::default();
        let wiring = server.wiring().unwrap_or(&nothing);
        let found = Found::of(server, wiring);
        let declared = |of: fn(&Work) -> &Vec<String>| -> Vec<String> {
            topology.operations.values().flat_map(of).cloned().collect::<BTreeSet<_>>().into_iter().collect()
        };
        let Found { functions, tables, queues, topics } = &found;
        let functions_declared = declared(|work| &work.functions);
        // Where no API and no series tells of any function, they are those that are declared.
        let declared_only: BTreeSet<String> = functions_declared.iter().cloned().collect();
        let functions = if functions.is_empty() { &declared_only } else { functions };
        let functions_by_name = Names::new(functions.clone(), functions_declared, &[tables, queues]);
        let mut backend = Self {
            functions: Vec::new(),
            tables: Names::new(tables.clone(), declared(|work| &work.tables), &[functions, queues]),
            operations: BTreeMap::new(),
            deliveries: BTreeMap::new(),
            guessed: BTreeMap::new(),
            declared: !topology.is_empty(),
            queues: Names::new(queues.clone(), declared(|work| &work.queues), &[functions, tables]),
            topics: Names::new(topics.clone(), Vec::new(), &[functions, tables]),
            functions_by_name,
        };
        backend.functions = functions.iter().map(|full| backend.function_of(full, server, wiring)).collect();
        if backend.declared {
            backend.lay(topology, wiring);
        } else {
            backend.guess(wiring);
        }
        backend
    }

    /// A function by its full name.
    pub(crate) fn function(&self, full: &str) -> Option<&Function> {
        self.functions.iter().find(|function| function.full == full)
    }

    /// Whether a function is the one that a protocol calls so.
    pub(crate) fn is_called(&self, full: &str, declared: &str) -> bool {
        let only = || matches!(self.functions.as_slice(), [only] if only.full == full);
        !declared.is_empty() && self.functions_by_name.find(declared).map_or_else(only, |found| found == full)
    }

    /// The name of a stage as it is reported.
    pub(crate) fn resource(&self, stage: &Stage) -> String {
        match stage {
            Stage::Gateway => "api".to_owned(),
            Stage::Function(full) => self.functions_by_name.short(full).to_owned(),
            Stage::Table(full) | Stage::Stream(full) => self.tables.short(full).to_owned(),
            Stage::Topic(full) => self.topics.short(full).to_owned(),
            Stage::Queue(full) => self.queues.short(full).to_owned(),
            Stage::Account => "account".to_owned(),
            Stage::Network => "network".to_owned(),
            Stage::Generator => "generator".to_owned(),
        }
    }

    fn function_of(&self, full: &str, server: &Server<'_>, wiring: &Wiring) -> Function {
        let authorizes = wiring.routes.iter().any(|route| route.authorizer == full);
        let trigger = self.trigger(full, authorizes, server, wiring);
        let short = self.functions_by_name.short(full).to_owned();
        Function { full: full.to_owned(), short, trigger, authorizes }
    }

    fn trigger(&self, full: &str, authorizes: bool, server: &Server<'_>, wiring: &Wiring) -> Trigger {
        let has = |metric: &'static str, statistic: &'static str| {
            server.series(Metric::lambda(metric, statistic), full).is_some_and(|s| !s.points.is_empty())
        };
        if wiring.routes.iter().any(|route| route.function == full) {
            Trigger::Route
        } else if authorizes {
            Trigger::Authorizer
        } else if let Some(mapping) = wiring.mappings.iter().find(|mapping| mapping.function == full) {
            Trigger::Stream { table: mapping.table.clone(), uuid: mapping.uuid.clone() }
        } else if let Some(by) = wiring.subscriptions.iter().find(|by| by.function == full) {
            Trigger::Topic(by.topic.clone())
        } else if has("IteratorAge", "Maximum") {
            Trigger::Stream { table: String::new(), uuid: String::new() }
        } else if has("AsyncEventsReceived", "Sum") || has("AsyncEventAge", "Maximum") {
            Trigger::Topic(String::new())
        } else {
            Trigger::Unknown
        }
    }

    /// Lays the declared paths.
    fn lay(&mut self, topology: &Topology, wiring: &Wiring) {
        for (operation, work) in &topology.operations {
            if operation == "connect" && work.functions.len() > 1 {
                self.mark_authorizer(&work.functions[0]);
            }
            let path = self.awaited(work);
            self.operations.insert(operation.clone(), path);
        }
        for (delivery, operation) in &topology.deliveries {
            let Some(work) = topology.operations.get(operation) else { continue };
            let mut path = self.awaited(work);
            self.behind(work, wiring, &mut path);
            self.deliveries.insert(delivery.clone(), path);
        }
    }

    /// Undeclared paths: an operation's are the functions of the route that is called like it, letter by letter, and `connect`'s
    /// those of `$connect`. Of deliveries nothing is known.
    fn guess(&mut self, wiring: &Wiring) {
        for route in &wiring.routes {
            let name = letters(&route.route);
            let authorizer =
                (!route.authorizer.is_empty()).then(|| Stage::Function(route.authorizer.clone()));
            let mut path = vec![Stage::Gateway];
            path.extend(authorizer);
            path.push(Stage::Function(route.function.clone()));
            self.guessed.insert(name, path);
        }
    }

    /// The path of an operation, as declared, or of the route that is called like it.
    pub(crate) fn path_of(&self, operation: &str) -> Option<&Vec<Stage>> {
        self.operations.get(operation).or_else(|| self.guessed.get(&letters(operation)))
    }

    /// The first of several functions of `connect` authorises, where the wiring does not say so.
    fn mark_authorizer(&mut self, declared: &str) {
        let full = self.functions_by_name.find(declared).map(str::to_owned);
        let known = self.functions.iter().any(|function| function.authorizes);
        let found = self.functions.iter_mut().find(|function| Some(&function.full) == full.as_ref());
        if let (false, Some(function)) = (known, found) {
            function.authorizes = true;
            function.trigger = Trigger::Authorizer;
        }
    }

    /// The functions of some work, each once. A backend of a single function does all of it.
    fn workers(&self, work: &Work) -> Vec<&Function> {
        let single = match self.functions.as_slice() {
            [only] => Some(only),
            _ => None,
        };
        let mut workers: Vec<&Function> = Vec::new();
        for declared in &work.functions {
            let named = self.functions_by_name.find(declared).and_then(|full| self.function(full));
            if let Some(function) = named.or(single)
                && !workers.iter().any(|known| known.full == function.full)
            {
                workers.push(function);
            }
        }
        workers
    }

    /// What a player waits for: gateway, functions, and between them the tables and queues.
    fn awaited(&self, work: &Work) -> Vec<Stage> {
        let functions = self.workers(work).into_iter().filter(|function| function.trigger.is_awaited());
        let mut path = vec![Stage::Gateway];
        path.extend(functions.map(|function| Stage::Function(function.full.clone())));
        let full = |names: &Names, declared: &String| names.find(declared).unwrap_or(declared).to_owned();
        path.extend(work.tables.iter().map(|table| Stage::Table(full(&self.tables, table))));
        path.extend(work.queues.iter().map(|queue| Stage::Queue(full(&self.queues, queue))));
        path
    }

    /// What comes after the answer: topics and streams, and the functions behind them.
    fn behind(&self, work: &Work, wiring: &Wiring, path: &mut Vec<Stage>) {
        let last_table = work.tables.last().map(|table| self.tables.find(table).unwrap_or(table).to_owned());
        for function in self.workers(work) {
            match &function.trigger {
                Trigger::Stream { table, .. } => {
                    let known = (!table.is_empty()).then(|| table.clone());
                    path.extend(known.or_else(|| last_table.clone()).map(Stage::Stream));
                    path.push(Stage::Function(function.full.clone()));
                }
                Trigger::Topic(topic) => {
                    path.extend((!topic.is_empty()).then(|| Stage::Topic(topic.clone())));
                    path.push(Stage::Function(function.full.clone()));
                }
                // A single function reads the streams as well.
                Trigger::Route | Trigger::Authorizer | Trigger::Unknown => {
                    let own = wiring.mappings.iter().filter(|mapping| mapping.function == function.full);
                    path.extend(own.map(|mapping| Stage::Stream(mapping.table.clone())));
                }
            }
        }
    }
}

/// The full names of all that CloudWatch, limits and wiring name.
struct Found {
    functions: BTreeSet<String>,
    tables: BTreeSet<String>,
    queues: BTreeSet<String>,
    topics: BTreeSet<String>,
}

impl Found {
    fn of(server: &Server<'_>, wiring: &Wiring) -> Self {
        let dimension = |names: &[&str]| -> BTreeSet<String> {
            let of = |dimensions: &BTreeMap<String, String>| {
                names.iter().find_map(|name| dimensions.get(*name).cloned())
            };
            server.all().filter_map(|series| of(&series.dimensions)).collect()
        };
        let limited = |kinds: &[LimitKind]| -> Vec<String> {
            let of_kind = server.limits().filter(|limit| kinds.contains(&limit.kind));
            of_kind.map(|limit| limit.resource.clone()).filter(|name| !name.is_empty()).collect()
        };
        let mut functions = dimension(&["FunctionName", "function_name"]);
        functions.extend(wiring.mappings.iter().map(|mapping| mapping.function.clone()));
        functions.extend(wiring.routes.iter().map(|route| route.function.clone()));
        functions.extend(wiring.routes.iter().map(|route| route.authorizer.clone()));
        functions.extend(wiring.subscriptions.iter().map(|by| by.function.clone()));
        functions.extend(limited(&[LimitKind::TimeoutS, LimitKind::ReservedConcurrency]));
        let mut tables = dimension(&["TableName"]);
        tables.extend(wiring.mappings.iter().map(|mapping| mapping.table.clone()));
        let mut queues = dimension(&["QueueName", "GameSessionQueueName"]);
        queues.extend(limited(&[LimitKind::QueueTimeoutS]));
        let mut topics = dimension(&["TopicName"]);
        topics.extend(wiring.subscriptions.iter().map(|by| by.topic.clone()));
        for names in [&mut functions, &mut tables, &mut queues, &mut topics] {
            names.remove("");
        }
        Self { functions, tables, queues, topics }
    }
}
