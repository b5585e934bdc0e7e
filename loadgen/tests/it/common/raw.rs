//! WebSocket servers that misbehave: each connection is handled by a closure, on a thread of its own.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// A connection whose upgrade request has been read.
pub struct Guest {
    pub stream: TcpStream,
    /// The request's head.
    pub request: String,
    /// Its number among all connections, from 0.
    pub number: usize,
}

/// Serves for as long as the test's process lives.
pub fn serve(handle: impl Fn(Guest) + Send + Sync + 'static) -> SocketAddr {
    serve_at("127.0.0.1:0", handle)
}

/// The same at an address of one's own.
pub fn serve_at(address: &str, handle: impl Fn(Guest) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind(address).unwrap();
    let address = listener.local_addr().unwrap();
    let handle = Arc::new(handle);
    std::thread::spawn(move || {
        let next = AtomicUsize::new(0);
        for mut stream in listener.incoming().flatten() {
            let (handle, number) = (Arc::clone(&handle), next.fetch_add(1, Ordering::SeqCst));
            std::thread::spawn(move || {
                let mut request = Vec::new();
                let mut byte = [0];
                while !request.ends_with(b"\r\n\r\n") {
                    match stream.read(&mut byte) {
                        Ok(1) => request.push(byte[0]),
                        _ => return,
                    }
                }
                handle(Guest { stream, request: String::from_utf8(request).unwrap(), number });
            });
        }
    });
    address
}

impl Guest {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.request.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// Answers with 101.
    pub fn accept(self) -> TcpStream {
        self.accept_with("")
    }

    /// The same with more lines in the answer's head.
    pub fn accept_with(mut self, lines: &str) -> TcpStream {
        let key = derive_accept_key(self.header("sec-websocket-key").unwrap().as_bytes());
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {key}\r\n{lines}\r\n"
        );
        self.stream.write_all(answer.as_bytes()).unwrap();
        self.stream
    }

    /// Answers with another status, and closes.
    pub fn refuse(mut self, status: u16) {
        let _ = write!(self.stream, "HTTP/1.1 {status} No\r\nContent-Length: 2\r\n\r\nno");
    }
}

/// Reads until the other side ends.
pub fn drain(mut stream: TcpStream) {
    let _ = std::io::copy(&mut stream, &mut std::io::sink());
}
