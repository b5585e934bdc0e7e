//! The real binary as a child process, and foreign clients to talk to it.

#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

pub(crate) mod players;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};

use reference_backend_local::stack::Endpoints;
use tempfile::NamedTempFile;

/// A running `reference-backend serve`, killed when it goes out of scope.
pub(crate) struct Backend {
    /// Where it is reached.
    pub(crate) endpoints: Endpoints,
    child: Child,
    input: Option<ChildStdin>,
    _profile: NamedTempFile,
}

/// `serve` on free ports with a profile, not yet started.
pub(crate) fn serve(arguments: &[&str], profile: &str) -> (Command, NamedTempFile) {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(profile.as_bytes()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_reference-backend"));
    command.env("RUST_LOG", "error");
    command.args(["serve", "--listen", "127.0.0.1:0", "--profile"]).arg(file.path()).args(arguments);
    (command, file)
}

/// Runs a script of `tests/python` against a backend that has its sockets itself, and against one whose sockets are in
/// processes of their own: no client may see a difference.
pub(crate) fn either_way(arguments: &[&str], profile: &str, script: &str, case: &str) {
    Backend::start(arguments, profile).python(script, case);
    Backend::start(&[arguments, &["--front-doors", "2"]].concat(), profile).python(script, case);
}

impl Backend {
    /// Starts it and waits until it is ready.
    pub(crate) fn start(arguments: &[&str], profile: &str) -> Self {
        let (command, profile) = serve(arguments, profile);
        Self::from(command, profile)
    }

    /// Starts what [`serve`] has prepared.
    pub(crate) fn from(mut command: Command, profile: NamedTempFile) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let endpoints = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        let input = child.stdin.take();
        Self { endpoints, child, input, _profile: profile }
    }

    /// Its process.
    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// What a dying parent does.
    pub(crate) fn close_input(&mut self) {
        self.input = None;
    }

    /// Runs a script of `tests/python` against it.
    ///
    /// Without an interpreter that has the clients, the test is skipped with a notice; in CI it fails.
    pub(crate) fn python(&self, script: &str, case: &str) {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let python = std::env::var_os("LOADGEN_PYTHON")
            .map_or_else(|| root.join("../../.venv/bin/python"), PathBuf::from);
        if !python.exists() {
            assert!(
                std::env::var_os("CI").is_none(),
                "no Python at {}; set LOADGEN_PYTHON",
                python.display()
            );
            eprintln!(
                "skipped: no Python at {}; set LOADGEN_PYTHON to one with websockets and boto3",
                python.display()
            );
            return;
        }
        let output = Command::new(python)
            .arg(root.join("tests/python").join(script))
            .arg(case)
            .env("ENDPOINTS", serde_json::to_string(&self.endpoints).unwrap())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script} {case}:\n{text}");
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        // It may have ended already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
