//! Certificates as people have them: self-signed by `openssl req -x509`, of a private authority, of the players; and the
//! way round them, which is for this machine only.

use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use crate::common::calm::calm;
use crate::common::raw::{drain, serve};
use crate::common::{LOADGEN, Ran};

/// Certificates and keys, and the files in which they lie.
struct Made {
    folder: TempDir,
    authority: Certificate,
    server: (Certificate, KeyPair),
}

impl Made {
    /// A server's certificate as `openssl req -x509` makes it: self-signed, an authority by its own word.
    fn self_signed(name: &str, last_year: i32) -> Self {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(last_year, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self::kept(certificate.clone(), (certificate, key))
    }

    /// One that a private authority has signed, which also signs a player's (`player.pem`, `player.key`).
    fn by_authority() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let authority = params.self_signed(&key).unwrap();
        let issuer = Issuer::new(params, key);
        let signed = |name: &str| {
            let key = KeyPair::generate().unwrap();
            (CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap(), key)
        };
        let made = Self::kept(authority, signed("localhost"));
        let (certificate, key) = signed("player");
        std::fs::write(made.path("player.pem"), certificate.pem()).unwrap();
        std::fs::write(made.path("player.key"), key.serialize_pem()).unwrap();
        made
    }

    fn kept(authority: Certificate, server: (Certificate, KeyPair)) -> Self {
        let made = Self { folder: tempfile::tempdir().unwrap(), authority, server };
        std::fs::write(made.path("ca.pem"), made.authority.pem()).unwrap();
        made
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn key(&self, key: &str, file: &str) -> String {
        format!("{key}={}", self.path(file).display())
    }

    /// A server that lets everybody in who shows a certificate of the authority, if that is wanted; it ends with the runtime.
    fn serve(&self, players_certificates: bool) -> (String, Runtime) {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_safe_default_protocol_versions().unwrap();
        let builder = if players_certificates {
            let mut roots = RootCertStore::empty();
            roots.add(self.authority.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider).build();
            builder.with_client_cert_verifier(verifier.unwrap())
        } else {
            builder.with_no_client_auth()
        };
        let (certificate, key) = &self.server;
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = builder.with_single_cert(vec![certificate.der().clone()], key).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let behind = serve(|guest| drain(guest.accept()));
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let port = listener.local_addr().unwrap().port();
        runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let mut server = TcpStream::connect(behind).await?;
                    let mut client = acceptor.accept(client).await?;
                    tokio::io::copy_bidirectional(&mut client, &mut server).await
                });
            }
        });
        (format!("wss://localhost:{port}/Stage"), runtime)
    }
}

/// Two players for a moment, with these overrides and, if there is one, this `SSL_CERT_FILE`.
fn visit(target: &str, trusted: Option<PathBuf>, overrides: &[&str]) -> Ran {
    let scene = calm(2, "");
    let sets = overrides.iter().flat_map(|set| ["--set", set]);
    let mut arguments =
        vec!["--target", target, "--set", "auth.mode=none", "--set", "phases.0.duration=300ms"];
    arguments.extend(sets);
    let mut command = scene.command(&arguments);
    command.env_remove("SSL_CERT_DIR").env_remove("SSL_CERT_FILE");
    command.envs(trusted.map(|file| ("SSL_CERT_FILE", file)));
    let output = command.output().unwrap();
    scene.ran(output)
}

/// That nobody got in, and what was said of it.
fn refused(ran: &Ran) -> String {
    assert_eq!(ran.summary().operations["connect"].errors["tls"], 2, "{}", ran.stderr);
    std::fs::read_to_string(ran.dir.join("errors.jsonl")).unwrap()
}

#[test]
fn a_self_signed_certificate_works_where_it_is_named() {
    let made = Made::self_signed("localhost", 2100);
    let (target, _runtime) = made.serve(false);
    let by_variable = visit(&target, Some(made.path("ca.pem")), &[]);
    assert_eq!(by_variable.exits(0).summary().sockets.opened, 2, "{}", by_variable.stderr);
    let by_key = visit(&target, None, &[&made.key("target.ca_file", "ca.pem")]);
    assert_eq!(by_key.exits(0).summary().sockets.opened, 2, "{}", by_key.stderr);
    let said = refused(&visit(&target, None, &[]));
    assert!(said.contains("name that very file in target.ca_file"), "{said}");
}

#[test]
fn names_and_dates_are_checked_and_the_message_says_how_to_make_a_good_one() {
    let other = Made::self_signed("game.test", 2100);
    let (target, _runtime) = other.serve(false);
    let said = refused(&visit(&target, Some(other.path("ca.pem")), &[]));
    assert!(said.contains("-addext subjectAltName=DNS:localhost"), "{said}");
    let ended = Made::self_signed("localhost", 2021);
    let (target, _runtime) = ended.serve(false);
    let said = refused(&visit(&target, Some(ended.path("ca.pem")), &[]));
    assert!(said.contains("the certificate has ended"), "{said}");
}

#[test]
fn players_show_a_certificate_of_their_own() {
    let made = Made::by_authority();
    let (target, _runtime) = made.serve(true);
    let authority = made.key("target.ca_file", "ca.pem");
    let shown =
        [made.key("target.client_cert_file", "player.pem"), made.key("target.client_key_file", "player.key")];
    let ran = visit(&target, None, &[&authority, &shown[0], &shown[1]]);
    assert_eq!(ran.exits(0).summary().sockets.opened, 2, "{}", ran.stderr);
    let said = refused(&visit(&target, None, &[&authority]));
    assert!(said.contains("CertificateRequired"), "{said}");

    let half = visit(&target, None, &[&authority, &shown[0]]);
    assert_eq!(half.code, 2);
    assert!(half.stderr.contains("has no client_key_file"), "{}", half.stderr);
    let confused = made.key("target.client_key_file", "player.pem");
    let ran = visit(&target, None, &[&authority, &shown[0], &confused]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.contains("target.client_key_file: ") && ran.stderr.contains("has no key"),
        "{}",
        ran.stderr
    );
}

#[test]
fn unchecked_certificates_are_for_this_machine_and_the_report_says_so() {
    let made = Made::self_signed("else.test", 2021);
    let (target, _runtime) = made.serve(false);
    let ran = visit(&target, None, &["target.insecure=true"]);
    let summary = ran.exits(0).summary();
    assert_eq!(summary.sockets.opened, 2, "{}", ran.stderr);
    let warnings = summary.verdict.warnings.join("\n");
    assert!(warnings.contains("certificates were not checked"), "{warnings}");

    let scene = calm(1, "");
    let output =
        scene.command(&["--insecure", "--target", "wss://game.example/", "--set", "auth.mode=none"]).output();
    let elsewhere = scene.ran(output.unwrap());
    assert_eq!(elsewhere.code, 2);
    assert!(elsewhere.stderr.contains("for a target on this machine only"), "{}", elsewhere.stderr);
    let doctor = |flags: &[&str]| {
        let output =
            std::process::Command::new(LOADGEN).args(["doctor", "--target", &target]).args(flags).output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    };
    assert!(doctor(&["--insecure"]).contains("the socket opens"), "{}", doctor(&["--insecure"]));
    assert!(doctor(&[]).contains("openssl req -x509"), "{}", doctor(&[]));
}
