//! `serve --front-doors`: the sockets are in other processes, and that is all the difference.
//!
//! What a client sees is tested with the suites that know nothing of it (`common::either_way`).

use std::collections::HashSet;
use std::time::{Duration, Instant};

use crate::common::Backend;
use crate::common::players::{PATIENCE, Socket, connect, in_time, push, say};
use futures_util::StreamExt as _;
use procfs::process::{Process, all_processes};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

/// Players `p0`, `p1`, ... until each of two doors has some: the kernel spreads them by their ports.
async fn crowd(backend: &mut Backend) -> Vec<Socket> {
    let mut sockets = Vec::new();
    for number in 0..40 {
        sockets.push(connect(backend, &format!("p{number}")).await.unwrap());
    }
    let doors = doors(backend);
    assert_eq!(doors.len(), 2);
    assert!(doors.iter().all(|&door| connections(door) > 0), "the kernel spreads clients over doors");
    eventually("all of them", || doors.iter().map(|&door| connections(door)).sum::<usize>() == 40).await;
    sockets
}

/// Process ids of the front doors.
fn doors(backend: &mut Backend) -> Vec<i32> {
    let own = i32::try_from(backend.child().id()).unwrap();
    let children = all_processes().unwrap().flatten().filter_map(|process| process.stat().ok());
    children.filter(|stat| stat.ppid == own && stat.state != 'Z').map(|stat| stat.pid).collect()
}

/// Sockets of players that a process has: descriptors that are sockets, but for those that every door has.
fn connections(door: i32) -> usize {
    let inodes: Vec<u64> = Process::new(door)
        .and_then(|door| door.fd())
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|fd| match fd.target {
            procfs::process::FDTarget::Socket(inode) => Some(inode),
            _ => None,
        })
        .collect();
    let tcp = procfs::net::tcp().unwrap_or_default();
    // The kernel's list may show a socket twice while others come and go.
    let open = tcp.iter().filter(|entry| entry.state == procfs::net::TcpState::Established);
    open.map(|entry| entry.inode).filter(|inode| inodes.contains(inode)).collect::<HashSet<_>>().len()
}

fn kill(pid: i32, signal: Signal) {
    kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
}

async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < PATIENCE, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The code with which the server closes; none if the connection breaks.
async fn closed(socket: &mut Socket) -> Option<u16> {
    loop {
        match in_time("closing", socket.next()).await {
            Some(Ok(Message::Close(frame))) => return frame.map(|frame| frame.code.into()),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return None,
        }
    }
}

#[tokio::test]
async fn messages_and_placements_reach_players_behind_every_door() {
    let mut backend = Backend::start(&["--front-doors", "2"], "");
    let mut sockets = crowd(&mut backend).await;
    let everyone: Vec<_> = (0..sockets.len()).map(|number| format!("p{number}")).collect();
    say(
        &mut sockets[0],
        &json!({ "route": "sendMessage", "body": { "playerIds": everyone, "message": "hi" } }),
    )
    .await;
    for socket in &mut sockets {
        assert_eq!(push(socket, "message").await["message"], "hi");
    }
    for socket in &mut sockets {
        say(socket, &json!({ "route": "sessionPlacementRequest", "body": {} })).await;
        assert_eq!(push(socket, "placement").await["status"], "FULFILLED");
    }
}

#[tokio::test]
async fn a_door_that_dies_takes_its_own_connections_only_and_is_replaced() {
    let mut backend = Backend::start(&["--front-doors", "2"], "");
    let mut sockets = crowd(&mut backend).await;
    let doors_before = doors(&mut backend);
    let lost = connections(doors_before[0]);
    kill(doors_before[0], Signal::KILL);
    // A message to everyone reaches exactly those of the other door: the others have had their `$disconnect`.
    let mut left = Vec::new();
    for (number, mut socket) in sockets.drain(..).enumerate() {
        match tokio::time::timeout(Duration::from_millis(100), socket.next()).await {
            Err(_) => left.push((number, socket)),
            Ok(ended) => assert!(matches!(ended, None | Some(Err(_))), "{ended:?}"),
        }
    }
    assert_eq!(left.len(), 40 - lost);
    eventually("another takes its place", || {
        let now = doors(&mut backend);
        now.len() == 2 && now.iter().any(|door| !doors_before.contains(door))
    })
    .await;
    // So many that both doors, the new one among them, have some.
    let mut more = Vec::new();
    for number in 0..20 {
        more.push(in_time("a connection", connect(&backend, &format!("q{number}"))).await.unwrap());
    }
    assert!(doors(&mut backend).iter().all(|&door| connections(door) > 0));
    let everyone =
        (0..40).map(|number| format!("p{number}")).chain((0..20).map(|number| format!("q{number}")));
    let body = json!({ "playerIds": everyone.collect::<Vec<_>>(), "message": "still there" });
    say(&mut more[0], &json!({ "route": "sendMessage", "body": body })).await;
    for socket in left.iter_mut().map(|(_, socket)| socket).chain(&mut more) {
        assert_eq!(push(socket, "message").await["message"], "still there");
    }
}

#[tokio::test]
async fn a_shutdown_closes_every_socket_and_every_door() {
    let mut backend = Backend::start(&["--front-doors", "2"], "");
    let mut sockets = crowd(&mut backend).await;
    let doors = doors(&mut backend);
    kill(i32::try_from(backend.child().id()).unwrap(), Signal::TERM);
    for socket in &mut sockets {
        assert_eq!(closed(socket).await, Some(1001));
    }
    // The doors wait for clients to have seen it.
    drop(sockets);
    eventually("it ends", || backend.child().try_wait().unwrap().is_some()).await;
    assert_eq!(backend.child().try_wait().unwrap().and_then(|status| status.code()), Some(0));
    assert!(doors.iter().all(|&door| Process::new(door).is_err()), "no door is left behind");
}

#[tokio::test]
async fn doors_do_not_outlive_a_stack_that_is_killed() {
    let mut backend = Backend::start(&["--front-doors", "2"], "");
    let mut sockets = crowd(&mut backend).await;
    let doors = doors(&mut backend);
    kill(i32::try_from(backend.child().id()).unwrap(), Signal::KILL);
    for socket in &mut sockets {
        assert_eq!(closed(socket).await, None, "the connection just breaks");
    }
    let gone =
        |door: &i32| Process::new(*door).and_then(|door| door.stat()).map_or(true, |stat| stat.state == 'Z');
    eventually("the doors end", || doors.iter().all(gone)).await;
}

#[tokio::test]
async fn a_port_that_is_shared_by_doors_is_not_shared_by_stacks() {
    let backend = Backend::start(&["--front-doors", "2"], "");
    let url = backend.endpoints.websocket.as_str();
    let address = url.strip_prefix("ws://").and_then(|rest| rest.split('/').next()).unwrap();
    let mut second = std::process::Command::new(env!("CARGO_BIN_EXE_reference-backend"));
    second.args(["serve", "--front-doors", "2", "--http-listen", "127.0.0.1:0", "--listen", address]);
    let output = second.stdin(std::process::Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains(address));
}

#[test]
fn nobody_else_is_a_front_door() {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_reference-backend"));
    let output = command.arg("front-door").stdin(std::process::Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("run `serve`"));
}
