//! TLS in front of the backend: what a gateway does on AWS, so that the generator can be tried over
//! `wss://`; the bench `peer` uses it, too.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_util::task::AbortOnDropHandle;

/// Ends TLS; it ends with this value.
pub(crate) struct Front {
    /// `host:port` that clients connect to.
    pub(crate) address: String,
    /// Who vouches for it.
    pub(crate) certificate: PathBuf,
    _accepting: AbortOnDropHandle<()>,
}

impl Front {
    /// Ends TLS before `backend`; the certificate is written into `dir`.
    pub(crate) async fn start(backend: String, dir: &Path) -> io::Result<Self> {
        let certified = rcgen::generate_simple_self_signed(["localhost".into(), "game.test".into()])
            .map_err(io::Error::other)?;
        let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der()).map_err(io::Error::other)?;
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(vec![certified.cert.der().clone()], key)
            .map_err(io::Error::other)?;
        let certificate = dir.join("root.pem");
        std::fs::write(&certificate, certified.cert.pem())?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("localhost:{}", listener.local_addr()?.port());
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (acceptor, backend) = (acceptor.clone(), backend.clone());
                tokio::spawn(async move {
                    let mut server = TcpStream::connect(backend).await?;
                    let mut client = acceptor.accept(client).await?;
                    tokio::io::copy_bidirectional(&mut client, &mut server).await
                });
            }
        });
        Ok(Self { address, certificate, _accepting: AbortOnDropHandle::new(accepting) })
    }
}
