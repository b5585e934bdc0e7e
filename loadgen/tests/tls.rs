//! `wss://`: the same run through TLS, and a certificate that nobody vouches for.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use common::{Backend, Scene, assert_balanced};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

const SCENARIO: &str = r#"
name = "tls"
players = 50

[auth]
mode = "header"

[[phases]]
kind = "hold"
duration = "2s"

[operations.send_message]
rate = 20.0
fan_out = 5
"#;

/// Ends TLS before `backend`; returns the port and the certificate in PEM.
async fn terminate_tls(backend: String) -> (u16, String) {
    let certified = rcgen::generate_simple_self_signed(["localhost".into()]).unwrap();
    let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (acceptor, backend) = (acceptor.clone(), backend.clone());
            tokio::spawn(async move {
                if let (Ok(mut client), Ok(mut server)) =
                    (acceptor.accept(client).await, TcpStream::connect(backend).await)
                {
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                }
            });
        }
    });
    (port, certified.cert.pem())
}

#[test]
fn a_run_through_tls_and_an_unknown_certificate() {
    let backend = Backend::start(&["--auth", "header"]);
    let address = backend.url("websocket").trim_start_matches("ws://").split('/').next().unwrap().to_owned();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (port, certificate) = runtime.block_on(terminate_tls(address));
    let target = format!("wss://localhost:{port}/Development");

    let scene = Scene::new(SCENARIO).with("root.pem", &certificate);
    let root = scene.dir().with_file_name("root.pem");
    let trusting =
        scene.command(&["--target", &target]).env("SSL_CERT_FILE", root).env_remove("SSL_CERT_DIR").output();
    let ran = scene.ran(trusting.unwrap());
    let summary = ran.exits(0).summary();
    assert_balanced(&summary);
    assert_eq!(summary.sockets.opened, 50);
    assert_eq!(summary.deliveries["message"].received, 200);

    let ran = Scene::new(SCENARIO).run(&["--target", &target, "--set", "phases.0.duration=1s"]);
    assert_eq!(ran.exits(1).summary().operations["connect"].errors["tls"], 50);
    assert!(ran.stderr.contains("no player could connect: tls × 50"), "{}", ran.stderr);
}
