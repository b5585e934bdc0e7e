//! Players of a backend, over plain sockets.

use std::future::Future;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::Backend;

/// One call of DynamoDB's API.
pub(crate) async fn dynamodb(backend: &Backend, operation: &str, parameters: Value) -> Value {
    let request = reqwest::Client::new()
        .post(&backend.endpoints.dynamodb)
        .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
        .header("content-type", "application/x-amz-json-1.0")
        .body(parameters.to_string());
    let answer = request.send().await.unwrap().bytes().await.unwrap();
    serde_json::from_slice(&answer).unwrap()
}

/// How long anything may take; generous, because machines that test are busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) type Socket = WebSocketStream<TcpStream>;

pub(crate) async fn connect(backend: &Backend, player: &str) -> Result<Socket, Error> {
    let url = backend.endpoints.websocket.as_str();
    let address = url.strip_prefix("ws://").and_then(|rest| rest.split('/').next()).unwrap();
    let mut request = url.into_client_request()?;
    request.headers_mut().insert("x-player-id", player.parse().unwrap());
    Ok(client_async(request, TcpStream::connect(address).await?).await?.0)
}

pub(crate) async fn in_time<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what} takes too long"))
}

pub(crate) async fn say(socket: &mut Socket, frame: &Value) {
    socket.send(Message::text(frame.to_string())).await.unwrap();
}

/// The next push or acknowledgement of a type; other frames are passed over.
pub(crate) async fn push(socket: &mut Socket, kind: &str) -> Value {
    loop {
        let frame = in_time(kind, socket.next()).await.unwrap().unwrap();
        let frame: Value = serde_json::from_str(frame.to_text().unwrap()).unwrap_or_default();
        if frame["type"] == kind {
            return frame;
        }
    }
}
