//! Other people's readers: the scripts in `tests/readers`.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// What a reader in Python found in a file.
pub(crate) fn python(kind: &str, file: &Path) -> Option<Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program =
        std::env::var_os("LOADGEN_PYTHON").map_or_else(|| root.join("../.venv/bin/python"), PathBuf::from);
    read(&program, &program, "read.py", kind, file)
}

/// What a reader in JavaScript found in a file.
pub(crate) fn node(kind: &str, file: &Path) -> Option<Value> {
    let packages =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/readers/node_modules/.package-lock.json");
    read(Path::new("node"), &packages, "read.mjs", kind, file)
}

/// Without what the reader needs the test is skipped with a notice; in CI it fails.
fn read(program: &Path, needed: &Path, script: &str, kind: &str, file: &Path) -> Option<Value> {
    if !needed.exists() {
        let missing = format!("no {}: run `bash ci/install.sh`", needed.display());
        assert!(std::env::var_os("CI").is_none(), "{missing}");
        output::say(format!("skipped: {missing}"));
        return None;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/readers").join(script);
    let output = Command::new(program)
        .arg(script)
        .args([kind.as_ref(), file.as_os_str()])
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .expect("the reader starts");
    let problems = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{kind} {}:\n{problems}", file.display());
    Some(serde_json::from_slice(&output.stdout).expect("JSON"))
}
