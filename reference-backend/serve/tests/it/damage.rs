//! `serve --data` on disks that fail and after ends that come at the wrong moment.

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::common::players::{connect, push, say};
use crate::common::{Backend, serve};

fn message(id: usize, text: &str) -> Value {
    json!({ "route": "sendMessage", "id": id, "body": { "playerIds": ["ann"], "message": text } })
}

/// Texts of all messages that the table has for ann.
async fn stored(backend: &Backend) -> HashSet<String> {
    let query = json!({
        "TableName": "reference-Development-Messages", "IndexName": "RecipientIdIndex",
        "KeyConditionExpression": "recipientId = :player",
        "ExpressionAttributeValues": { ":player": { "S": "ann" } },
    });
    let request = reqwest::Client::new()
        .post(&backend.endpoints.dynamodb)
        .header("x-amz-target", "DynamoDB_20120810.Query")
        .header("content-type", "application/x-amz-json-1.0")
        .body(query.to_string());
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    let items = answer["Items"].as_array().unwrap_or_else(|| panic!("{answer}"));
    items.iter().map(|item| item["message"]["S"].as_str().unwrap().to_owned()).collect()
}

fn kill(mut backend: Backend) {
    backend.child().kill().unwrap();
    backend.child().wait().unwrap();
}

#[tokio::test]
async fn damage_in_a_journal_ends_the_start_with_the_place_and_a_remedy() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().to_str().unwrap();
    let backend = Backend::start(&["--data", data], "");
    let mut ann = connect(&backend, "ann").await.unwrap();
    for id in 0..3 {
        say(&mut ann, &message(id, &format!("text-{id}"))).await;
        assert_eq!(push(&mut ann, "ack").await["statusCode"], 200);
    }
    kill(backend);

    let journal = directory.path().join("0.jnl");
    let whole = std::fs::read(&journal).unwrap();
    let text = whole.windows(6).position(|bytes| bytes == b"text-1").unwrap();
    let mut damaged = whole.clone();
    damaged[text] = 0;
    std::fs::write(&journal, &damaged).unwrap();
    let (mut command, _profile) = serve(&["--data", data], "");
    let output = command.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(output.stdout.is_empty(), "nothing is announced");
    assert!(said.contains("0.jnl is damaged at byte ") && said.contains("truncate --size="), "{said}");

    // The remedy that gives up the rest keeps what came before.
    let position = said.split("--size=").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    std::fs::File::options().write(true).open(&journal).unwrap().set_len(position).unwrap();
    let backend = Backend::start(&["--data", data, "--data-wait", "0"], "");
    assert_eq!(stored(&backend).await, HashSet::from(["text-0".to_owned()]));
}

/// Killed at moments that lie ever later, until one start has come to its end.
#[tokio::test]
async fn a_first_start_may_be_killed_at_any_moment() {
    for tenths_of_ms in (0..).step_by(7).take(30) {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("tables");
        let data = data.to_str().unwrap();
        let (mut command, _profile) = serve(&["--data", data], "");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        while !Path::new(data).exists() {
            std::thread::yield_now();
        }
        std::thread::sleep(Duration::from_micros(tenths_of_ms * 100));
        child.kill().unwrap();
        child.wait().unwrap();
        let backend = Backend::start(&["--data", data], "");
        assert!(stored(&backend).await.is_empty());
    }
}

/// A small file system of its own, in a mount namespace that ends with this.
struct SmallDisk {
    holder: Child,
    directory: PathBuf,
    _home: tempfile::TempDir,
}

impl SmallDisk {
    /// Needs root, or a system that gives namespaces to everybody. Where there is neither, the test is skipped with a
    /// notice; in CI it fails.
    fn new() -> Option<Self> {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("disk");
        std::fs::create_dir(&directory).unwrap();
        let mut command = Command::new("unshare");
        if !rustix::process::geteuid().is_root() {
            command.arg("--map-root-user");
        }
        let mount = "mount -t tmpfs -o size=2m tmpfs \"$0\" && echo mounted && exec cat";
        command.args(["--mount", "sh", "-c", mount]).arg(&directory);
        let started = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut said = String::new();
        let why = match started {
            Ok(mut holder) => {
                BufReader::new(holder.stdout.as_mut().unwrap()).read_line(&mut said).unwrap();
                if said == "mounted\n" {
                    return Some(Self { holder, directory, _home: home });
                }
                holder.stderr.take().unwrap().read_to_string(&mut said).unwrap();
                holder.wait().unwrap();
                said
            }
            Err(error) => format!("unshare: {error}"),
        };
        assert!(
            std::env::var_os("CI").is_none(),
            "no file system of 2 MB can be mounted: {why}; run the tests as root, or allow unprivileged user namespaces \
             (kernel.unprivileged_userns_clone = 1, kernel.apparmor_restrict_unprivileged_userns = 0)"
        );
        eprintln!("skipped: no file system of 2 MB can be mounted: {why}");
        None
    }

    /// What runs a command where the disk is.
    fn inside(&self) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--target={}", self.holder.id())).arg("--mount");
        if !rustix::process::geteuid().is_root() {
            command.args(["--user", "--preserve-credentials"]);
        }
        command
    }

    fn start(&self) -> Backend {
        let (inner, profile) = serve(&["--data-wait", "0", "--data"], "");
        let mut command = self.inside();
        command.arg(inner.get_program()).args(inner.get_args()).arg(self.directory.join("tables"));
        command.env("RUST_LOG", "error").stderr(Stdio::piped());
        Backend::from(command, profile)
    }

    fn grow(&self) {
        let mut command = self.inside();
        command.args(["mount", "-o", "remount,size=64m"]).arg(&self.directory);
        assert!(command.status().unwrap().success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // The namespace, and the mount with it, goes with its last process.
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

#[tokio::test]
async fn a_disk_that_is_really_full_loses_nothing_that_was_acknowledged() {
    let Some(disk) = SmallDisk::new() else { return };
    let mut backend = disk.start();
    let mut stderr = backend.child().stderr.take().unwrap();
    let mut ann = connect(&backend, "ann").await.unwrap();
    let mut acknowledged = Vec::new();
    let refused = loop {
        let text = format!("{} {}", acknowledged.len(), "x".repeat(10_000));
        say(&mut ann, &message(acknowledged.len(), &text)).await;
        let answer = push(&mut ann, "ack").await;
        if answer["statusCode"] != 200 {
            break answer;
        }
        acknowledged.push(text);
        assert!(acknowledged.len() < 500, "2 MB are never full");
    };
    assert!(acknowledged.len() > 10, "{}", acknowledged.len());
    assert_eq!(refused["statusCode"], 500, "{refused}");
    let before = stored(&backend).await;
    assert!(acknowledged.iter().all(|text| before.contains(text)), "what is there can still be read");
    kill(backend);
    let mut said = String::new();
    stderr.read_to_string(&mut said).unwrap();
    assert!(said.contains("No space left on device"), "{said}");
    assert!(said.contains("writes can no longer be kept and are refused from now on"), "{said}");

    disk.grow();
    let backend = disk.start();
    let after = stored(&backend).await;
    let lost = acknowledged.iter().filter(|text| !after.contains(*text)).count();
    assert_eq!(lost, 0, "of {}", acknowledged.len());
    let mut ann = connect(&backend, "ann").await.unwrap();
    say(&mut ann, &message(1, "room again")).await;
    assert_eq!(push(&mut ann, "ack").await["statusCode"], 200);
}
