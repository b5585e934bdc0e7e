//! `serve` as a command: what it prints, and how it ends.

use std::net::TcpListener;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::common::{Backend, serve};

fn ended(backend: &mut Backend) -> ExitStatus {
    let begin = Instant::now();
    loop {
        if let Some(status) = backend.child().try_wait().unwrap() {
            return status;
        }
        assert!(begin.elapsed() < Duration::from_secs(10), "it should have ended");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn refused(arguments: &[&str], profile: &str) -> (Option<i32>, String) {
    let (mut command, _profile) = serve(arguments, profile);
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.stdout.is_empty(), "nothing is announced");
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn announces_reachable_endpoints() {
    let backend = Backend::start(&["--stage", "Staging"], "");
    let endpoints = &backend.endpoints;
    assert!(endpoints.websocket.starts_with("ws://127.0.0.1:") && endpoints.websocket.ends_with("/Staging"));
    assert!(endpoints.management.ends_with("/Staging") && endpoints.rest.ends_with("/Staging"));
    assert!(
        endpoints.cloudwatch.starts_with("http://127.0.0.1:") && endpoints.identity == endpoints.cloudwatch
    );
    assert_eq!([&endpoints.gamelift, &endpoints.dynamodb], [&endpoints.cloudwatch; 2]);
}

#[test]
fn stops_cleanly_when_asked() {
    for signal in ["-TERM", "-INT"] {
        let mut backend = Backend::start(&[], "");
        let id = backend.child().id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        assert_eq!(ended(&mut backend).code(), Some(0), "{signal}");
    }
}

#[test]
fn outlives_its_input_unless_told_otherwise() {
    let mut child = Backend::start(&["--exit-with-parent"], "");
    child.close_input();
    assert_eq!(ended(&mut child).code(), Some(0));

    let mut daemon = Backend::start(&[], "");
    daemon.close_input();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(daemon.child().try_wait().unwrap(), None);
}

#[test]
fn a_port_in_use_is_named_with_a_remedy() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, error) = refused(&["--http-listen", &address], "");
    assert_eq!(code, Some(1));
    assert!(error.contains(&address) && error.contains("port 0"), "{error}");
}

#[test]
fn mistakes_are_usage_errors() {
    let mistakes: [(&[&str], &str, &str); 5] = [
        (&[], "[gateway]\npush_drop_rate = 2.0", "push_drop_rate"),
        (&[], "[gateway]\nidle = 1", "idle"),
        (&[], "nonsense", ":1:9: key with no value"),
        (&["--http-listen", "0.0.0.0:0"], "", "loopback"),
        (&["--stage", "a b"], "", "letters"),
    ];
    for (arguments, profile, hint) in mistakes {
        let (code, error) = refused(arguments, profile);
        assert_eq!(code, Some(2), "{error}");
        assert!(error.contains(hint), "{error}");
    }
}
