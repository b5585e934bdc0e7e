//! Servers of others (`loadgen/tests/servers`): started for a test, asked for the truth, and ended with it.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::Value;

use super::get;

/// How long a server may take to end once its input has.
const FAREWELL: Duration = Duration::from_secs(5);

/// A server in a process of its own; it ends with this value.
pub struct Server {
    child: Child,
    input: Option<ChildStdin>,
    /// Kept, so that what it says later finds somebody.
    _output: BufReader<ChildStdout>,
    addresses: Value,
}

/// What really happened to the pushes of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Truth {
    /// Requests that led to them.
    pub requests: u64,
    /// Those that recipients were to get.
    pub due: u64,
    /// Those that left, second copies included.
    pub sent: u64,
    pub lost: u64,
    pub duplicated: u64,
    /// Those that left behind one of a later request of the same sender to the same recipient.
    pub reordered: u64,
    /// Those that left before their request was answered.
    pub early: u64,
}

impl Server {
    /// Starts one by the name of its folder. `None`, with a notice, where it is not installed; in CI it has to be.
    pub fn start(name: &str, faults: &[&str]) -> Option<Self> {
        let mut child = script(name, "server")?
            .args(faults)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, mut output) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let addresses = serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("{name} does not say where it is ({error}): {line:?}"));
        Some(Self { child, input, _output: output, addresses })
    }

    /// Where players connect.
    pub fn websocket(&self) -> &str {
        self.addresses["websocket"].as_str().unwrap()
    }

    /// By kind of push, what really happened.
    pub fn truth(&self) -> BTreeMap<String, Truth> {
        get(self.addresses["control"].as_str().unwrap(), "truth")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.input = None;
        let patience = Instant::now() + FAREWELL;
        while Instant::now() < patience && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(10));
        }
        // It may have ended already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What runs a script in the folder of a server.
pub fn script(server: &str, script: &str) -> Option<Command> {
    let crate_root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = crate_root.join("tests/servers");
    let python = folder.join(server).join(format!("{script}.py"));
    let (program, needed, file) = if python.exists() {
        let program = std::env::var_os("LOADGEN_PYTHON")
            .map_or_else(|| crate_root.join("../.venv/bin/python"), PathBuf::from);
        (program.clone(), program, python)
    } else {
        let packages = folder.join("node_modules/.package-lock.json");
        ("node".into(), packages, folder.join(server).join(format!("{script}.mjs")))
    };
    if !needed.exists() {
        let missing = format!("no {}: run `bash ci/install.sh`", needed.display());
        assert!(std::env::var_os("CI").is_none(), "{missing}");
        eprintln!("skipped: {missing}");
        return None;
    }
    let mut command = Command::new(program);
    command.arg(file).env("PYTHONDONTWRITEBYTECODE", "1");
    Some(command)
}
