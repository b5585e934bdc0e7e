//! Runs the real binary as a user would, and reads what it leaves behind.
#![allow(dead_code, unreachable_pub, reason = "the bench uses a part of it")]

pub mod calm;
pub mod raw;
pub mod servers;
pub mod tls;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use reports::folder::RunFolder;
use reports::format::Summary;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tempfile::TempDir;

/// The binary under test.
pub const LOADGEN: &str = env!("CARGO_BIN_EXE_loadgen");

/// A run that has ended.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    pub dir: PathBuf,
    _scratch: TempDir,
}

impl Ran {
    pub fn folder(&self) -> RunFolder {
        RunFolder::read(&self.dir).unwrap_or_else(|error| panic!("{error}\n{}", self.stderr))
    }

    /// Every file of the run folder, those in folders within it, too: its path there, and its text.
    pub fn files(&self) -> Vec<(String, String)> {
        let (mut files, mut folders) = (Vec::new(), vec![self.dir.clone()]);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
                files.push((path.strip_prefix(&self.dir).unwrap().display().to_string(), text));
            }
        }
        files
    }

    pub fn summary(&self) -> Summary {
        self.folder().summary.unwrap_or_else(|| panic!("no summary.json: {}", self.stderr))
    }

    /// Asserts the exit code, and shows what was said if it is another.
    ///
    /// On a machine that is busy with other tests a run may rightly say that it was late, and exit with 4. What is
    /// counted holds all the same, so that is as good here, if the run names who took its CPU; `tests/it/validity.rs`
    /// looks at the judgement itself. With [`INSIST`] set nothing but the code is good: for a machine of one's own.
    pub fn exits(&self, code: i32) -> &Self {
        let lenient = [0, 3].contains(&code) && std::env::var_os(INSIST).is_none();
        if !(lenient && self.was_only_late()) {
            assert_eq!(self.code, code, "\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        }
        self
    }

    /// Whether the run is invalid for lateness and nothing else.
    pub fn was_only_late(&self) -> bool {
        self.code == 4 && was_only_late(&self.summary())
    }
}

/// Set, it makes every run insist on being valid.
const INSIST: &str = "LOADGEN_TESTS_INSIST";

/// Whether a run is invalid for lateness, and others than the generator were the cause: both are said, in each reason.
pub fn was_only_late(summary: &Summary) -> bool {
    const LATE: [&str; 3] = ["p99 send delay", "stamped too late", "too busy to take"];
    const OTHERS: [&str; 3] = ["lacked CPU", "the hypervisor gave", "used up its"];
    let reasons = &summary.verdict.invalid_reasons;
    let has = |reason: &String, words: [&str; 3]| words.iter().any(|words| reason.contains(words));
    !reasons.is_empty() && reasons.iter().all(|reason| has(reason, LATE) && has(reason, OTHERS))
}

/// Whether others took the machine's CPU in some second of a run, as its own watch saw it: what a run like that measures
/// may be wrong, and another may be made. What an undisturbed run measures is right or is a fault.
pub fn was_disturbed(summary: &Summary) -> bool {
    let generator = &summary.generator;
    generator.run_delay_percent >= 20.0 || generator.steal_percent >= 5.0 || generator.busy_seconds > 0
}

/// A scenario file in a folder of its own, with the files that it names.
pub struct Scene {
    scratch: TempDir,
    scenario: PathBuf,
}

impl Scene {
    pub fn new(scenario: &str) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("scenario.toml");
        std::fs::write(&path, scenario).unwrap();
        Self { scratch, scenario: path }
    }

    /// Adds a file beside the scenario.
    pub fn with(self, name: &str, text: &str) -> Self {
        std::fs::write(self.scratch.path().join(name), text).unwrap();
        self
    }

    pub fn dir(&self) -> PathBuf {
        self.scratch.path().join("run")
    }

    /// The command that runs it.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(LOADGEN);
        command.arg("run").arg(&self.scenario).arg("--out").arg(self.dir()).args(arguments);
        command.current_dir(self.scratch.path()).stdin(Stdio::null());
        command
    }

    /// Runs it to its end.
    pub fn run(self, arguments: &[&str]) -> Ran {
        let output = self.command(arguments).output().unwrap();
        self.ran(output)
    }

    pub fn ran(self, output: Output) -> Ran {
        Ran {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            dir: self.dir(),
            _scratch: self.scratch,
        }
    }
}

/// A backend in a process of its own; it ends with this value.
pub struct Backend {
    pub child: Child,
    endpoints: Value,
}

impl Backend {
    pub fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(LOADGEN)
            .args(["embedded-backend", "--listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0"])
            .args(["--exit-with-parent"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, endpoints: serde_json::from_str(&line).unwrap() }
    }

    pub fn url(&self, endpoint: &str) -> &str {
        self.endpoints[endpoint].as_str().unwrap()
    }

    /// The backend's own count of the faults that it injected.
    pub fn faults(&self) -> Value {
        get(self.url("identity"), "faults")
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The JSON at a path of an HTTP server.
fn get<T: DeserializeOwned>(server: &str, path: &str) -> T {
    let host = server.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(host).unwrap();
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    serde_json::from_str(&answer[answer.find("\r\n\r\n").unwrap()..]).unwrap()
}

/// Waits until `path` has at least `lines` lines.
pub fn wait_for_lines(path: &Path, lines: usize) {
    let patience = Instant::now() + Duration::from_secs(60);
    while std::fs::read_to_string(path).unwrap_or_default().lines().count() < lines {
        assert!(Instant::now() < patience, "{} has not come to {lines} lines", path.display());
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Every arrival and every push is accounted for.
pub fn assert_balanced(summary: &Summary) {
    assert_balanced_but(summary, None);
}

/// The same, where the protocol has no answer to an operation: it is counted, and has no time.
pub fn assert_balanced_but(summary: &Summary, unanswered: Option<&str>) {
    for (name, operation) in &summary.operations {
        assert_eq!(operation.offered, operation.sent + operation.unsent, "{name}: {operation:?}");
        let ended = operation.completed + operation.failed + operation.timed_out;
        assert_eq!(operation.sent, ended, "{name}: {operation:?}");
        let timed = if unanswered == Some(name.as_str()) { 0 } else { operation.completed };
        assert_eq!(operation.response_time_us.count, timed, "{name}");
    }
    for (name, delivery) in &summary.deliveries {
        assert_eq!(
            delivery.expected,
            delivery.received + delivery.late + delivery.lost,
            "{name}: {delivery:?}"
        );
        assert_eq!(delivery.each_us.count, delivery.received + delivery.late, "{name}");
    }
}

/// A page that opens offline names no address; the name of SVG's namespace is none.
#[track_caller]
pub fn assert_asks_no_network(page: &str) {
    let page = page.replace("http://www.w3.org/2000/svg", "");
    assert!(!page.contains("http://") && !page.contains("https://"), "the page asks no network");
}
