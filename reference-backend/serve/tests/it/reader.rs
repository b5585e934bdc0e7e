//! A reader that goes away ends nothing: what was asked for is done, and the exit code is its own.

use std::io::pipe;
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

const BACKEND: &str = env!("CARGO_BIN_EXE_reference-backend");

/// A pipe whose reader has gone.
fn nobody() -> Stdio {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    writer.into()
}

fn unread(arguments: &[&str]) -> Command {
    let mut command = Command::new(BACKEND);
    command.args(arguments).stdin(Stdio::null()).stdout(nobody()).stderr(nobody());
    command
}

#[test]
fn every_command_says_its_last_to_nobody() {
    for (arguments, code) in [
        (&["profile", "schema"][..], 0),
        (&["profile", "check", "instant"], 0),
        (&["profile", "check", "nowhere.toml"], 2),
        (&["serve", "--profile", "nowhere.toml"], 2),
        (&["serve", "--help"], 0),
        (&["server"], 2),
        (&[], 2),
    ] {
        assert_eq!(unread(arguments).status().unwrap().code(), Some(code), "{arguments:?}");
    }
}

#[test]
fn it_serves_although_nobody_asked_where() {
    let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let (listen, http) = (free(), free());
    let mut child = unread(&["serve", "--listen", &listen, "--http-listen", &http]).spawn().unwrap();
    let patience = Instant::now() + Duration::from_secs(30);
    while TcpStream::connect(&listen).is_err() {
        assert!(Instant::now() < patience && child.try_wait().unwrap().is_none(), "it serves");
        std::thread::sleep(Duration::from_millis(20));
    }
    kill_process(Pid::from_raw(child.id() as i32).unwrap(), Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
