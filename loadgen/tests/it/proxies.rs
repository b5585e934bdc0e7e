//! Proxies: what goes through one and what never does; and HTTP clients that do not follow, repeat or swallow everything.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::common::calm::{calm, messages};
use crate::common::raw::{Guest, drain, serve};
use crate::common::tls::Front;
use crate::common::{Backend, Scene, assert_balanced};

/// A proxy that nobody can reach, as the only one.
fn behind_a_dead_proxy(mut command: Command) -> Command {
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        command.env(name, "http://127.0.0.1:9");
    }
    command.env_remove("NO_PROXY").env_remove("no_proxy");
    command
}

#[test]
fn this_machine_is_never_asked_through_a_proxy() {
    // Tokens from the embedded identity provider, REST, and its CloudWatch.
    let polling = "name = \"poll\"\nplayers = 5\nthresholds = []\n[target]\nprofile = \"instant\"\n\
        [operations.placement_poll]\nrate = 5.0\nevery = \"50ms\"\n[[phases]]\nkind = \"hold\"\nduration = \"2s\"\n";
    let scene = Scene::new(polling);
    let output = behind_a_dead_proxy(scene.command(&[])).output().unwrap();
    let ran = scene.ran(output);
    let summary = ran.exits(0).summary();
    assert_balanced(&summary);
    let poll = &summary.operations["placement_poll"];
    assert_eq!((poll.sent, poll.completed), (10, 10), "{poll:?}");
    let fetched = ran.folder().cloudwatch.unwrap();
    assert!(!fetched.series.is_empty() && fetched.problems.is_empty(), "{:?}", fetched.problems);
}

/// A proxy that leads every name to this machine, and counts the tunnels; with another status it refuses them.
fn proxy(status: &'static str) -> (SocketAddr, Arc<AtomicUsize>) {
    let tunnels = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&tunnels);
    let address = serve(move |guest: Guest| {
        let Guest { mut stream, request, .. } = guest;
        let asked = request.split(' ').nth(1).unwrap().to_owned();
        let port = asked.rsplit(':').next().unwrap().to_owned();
        assert!(request.starts_with("CONNECT game.test:"), "{request}");
        counted.fetch_add(1, Ordering::SeqCst);
        if status != "200 Connection established" {
            let _ = write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 12\r\n\r\nask somebody");
            return;
        }
        let mut server = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
        write!(stream, "HTTP/1.1 {status}\r\n\r\n").unwrap();
        let (mut there, mut back) = (stream.try_clone().unwrap(), server.try_clone().unwrap());
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut back, &mut stream);
            let _ = stream.shutdown(std::net::Shutdown::Both);
        });
        let _ = std::io::copy(&mut there, &mut server);
        let _ = server.shutdown(std::net::Shutdown::Both);
    });
    (address, tunnels)
}

/// The backend's address under a name that only the proxy knows.
fn unknown_name(backend: &Backend) -> String {
    backend.url("websocket").replace("127.0.0.1", "game.test")
}

#[test]
fn sockets_go_through_a_proxy_where_the_scenario_asks_for_it() {
    let backend = Backend::start(&["--auth", "header", "--profile", "instant"]);
    let target = unknown_name(&backend);
    let (address, tunnels) = proxy("200 Connection established");
    let named = format!("target.proxy=http://{address}");
    let short = ["--target", &target, "--set", "phases.0.duration=1s"];
    let ran = calm(10, &messages(10.0, 2)).run(&[&short[..], &["--set", &named]].concat());
    let summary = ran.exits(0).summary();
    assert_balanced(&summary);
    assert_eq!((summary.sockets.opened, tunnels.load(Ordering::SeqCst)), (10, 10), "{}", ran.stderr);
    assert_eq!(summary.deliveries["message"].received, 20);

    let scene = calm(10, "");
    let mut command = scene.command(&[&short[..], &["--set", "target.proxy=env"]].concat());
    command.env("HTTP_PROXY", format!("http://{address}")).env_remove("NO_PROXY").env_remove("no_proxy");
    let output = command.output().unwrap();
    let ran = scene.ran(output);
    assert_eq!((ran.exits(0).summary().sockets.opened, tunnels.load(Ordering::SeqCst)), (10, 20));

    // A target on this machine is reached without, whatever is asked for.
    let direct = ["--target", backend.url("websocket"), "--set", "phases.0.duration=500ms", "--set", &named];
    assert_eq!(calm(10, "").run(&direct).exits(0).summary().sockets.opened, 10);
    assert_eq!(tunnels.load(Ordering::SeqCst), 20);
}

#[test]
fn tls_goes_through_the_tunnel_and_ends_at_the_target() {
    let backend = Backend::start(&["--auth", "header", "--profile", "instant"]);
    let plain = url::Url::parse(backend.url("websocket")).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let front = runtime
        .block_on(Front::start(format!("127.0.0.1:{}", plain.port().unwrap()), scratch.path()))
        .unwrap();
    let (address, tunnels) = proxy("200 Connection established");
    let port = front.address.rsplit(':').next().unwrap();
    let (proxy, ca) =
        (format!("target.proxy=http://{address}"), format!("target.ca_file={}", front.certificate.display()));
    let opened = |name: &str| {
        let target = format!("wss://{name}:{port}{}", plain.path());
        let ran = calm(5, "").run(&[
            "--target",
            &target,
            "--set",
            &proxy,
            "--set",
            &ca,
            "--set",
            "phases.0.duration=500ms",
        ]);
        ran.summary().sockets.opened
    };
    assert_eq!((opened("game.test"), tunnels.load(Ordering::SeqCst)), (5, 5));
}

#[test]
fn a_proxy_that_refuses_or_is_away_is_told_as_such() {
    let backend = Backend::start(&["--auth", "header", "--profile", "instant"]);
    let target = unknown_name(&backend);
    let errors = |named: &str| {
        let short = ["--target", &target, "--set", "phases.0.duration=300ms", "--set", named];
        let ran = calm(3, "").run(&short);
        let samples = std::fs::read_to_string(ran.dir.join("errors.jsonl")).unwrap();
        (ran.summary().operations["connect"].errors.clone(), samples)
    };
    let (address, _) = proxy("407 Proxy Authentication Required");
    let (classes, samples) = errors(&format!("target.proxy=http://{address}"));
    assert_eq!(classes["proxy_407"], 3);
    assert!(samples.contains("HTTP 407 ask somebody"), "{samples}");
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (classes, samples) = errors(&format!("target.proxy=http://{nobody}"));
    assert_eq!(classes["refused"], 3);
    assert!(samples.contains(&format!("the proxy {nobody}")), "{samples}");
}

const POLLING: &str = "[operations.placement_poll]\nrate = 4.0\nevery = \"50ms\"\ntimeout = \"20s\"\n";

/// One poll a quarter of a second for a second, at a REST API of the test's own; the sockets are the test's as well.
fn poll(rest: SocketAddr) -> (reports::format::Summary, String) {
    let sockets = serve(|guest| drain(guest.accept()));
    let ran = calm(2, POLLING).run(&[
        "--target",
        &format!("ws://{sockets}/Stage"),
        "--set",
        &format!("target.rest=http://{rest}/Stage"),
        "--set",
        "phases.0.duration=1s",
    ]);
    let samples = std::fs::read_to_string(ran.dir.join("errors.jsonl")).unwrap();
    (ran.summary(), samples)
}

#[test]
fn an_answer_that_never_ends_costs_no_memory() {
    let rest = serve(|mut guest| {
        let _ = write!(guest.stream, "HTTP/1.1 200 OK\r\nContent-Length: 250000000\r\n\r\n");
        let part = vec![b' '; 1 << 20];
        // Ends with the first part that nobody takes.
        while guest.stream.write_all(&part).is_ok() {}
    });
    let (summary, samples) = poll(rest);
    assert_eq!(summary.operations["placement_poll"].errors["too_large"], 4, "{samples}");
    let peak = summary.generator.peak_rss_bytes;
    assert!(peak < 400_000_000, "{peak} bytes; the four answers have 1,000,000,000");
    assert!(samples.contains("more than 262144 bytes"), "{samples}");
}

#[test]
fn a_redirect_is_told_and_not_followed() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let elsewhere = serve(move |guest| {
        counted.fetch_add(1, Ordering::SeqCst);
        guest.refuse(200);
    });
    let rest = serve(move |mut guest| {
        assert_eq!(guest.header("user-agent"), Some(concat!("loadgen/", env!("CARGO_PKG_VERSION"))));
        assert!(guest.header("referer").is_none());
        let _ = write!(
            guest.stream,
            "HTTP/1.1 302 Found\r\nLocation: http://{elsewhere}/x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        let _ = guest.stream.read(&mut [0; 64]);
    });
    let (summary, samples) = poll(rest);
    assert_eq!(summary.operations["placement_poll"].errors["status_302"], 4, "{samples}");
    assert!(samples.contains(&format!("Location: http://{elsewhere}/x")), "{samples}");
    assert_eq!(asked.load(Ordering::SeqCst), 0, "the credentials were not for it");
}

#[test]
fn an_identity_provider_is_not_followed_and_not_swallowed_either() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let elsewhere = serve(move |guest| {
        counted.fetch_add(1, Ordering::SeqCst);
        guest.refuse(200);
    });
    let moved = serve(move |mut guest| {
        let _ = write!(
            guest.stream,
            "HTTP/1.1 307 Moved\r\nLocation: http://{elsewhere}/tokens\r\nContent-Length: 0\r\n\r\n"
        );
        drain(guest.stream);
    });
    let endless = serve(|mut guest| {
        let _ = write!(guest.stream, "HTTP/1.1 200 OK\r\nContent-Length: 250000000\r\n\r\n");
        while guest.stream.write_all(&[b' '; 65_536]).is_ok() {}
    });
    for (issuer, told) in [(moved, "HTTP 307"), (endless, "the answer has more than")] {
        let scenario = format!(
            "name = \"tokens\"\nplayers = 2\n[target]\nurl = \"ws://127.0.0.1:9/\"\n[auth]\nissuer = \"http://{issuer}\"\n\
             [[phases]]\nkind = \"hold\"\nduration = \"1s\"\n"
        );
        let ran = Scene::new(&scenario).run(&[]);
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        assert!(ran.stderr.contains(told), "{}", ran.stderr);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}
