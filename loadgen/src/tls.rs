//! Which certificates are trusted, for sockets and HTTP alike.
//!
//! The system's store (or `SSL_CERT_FILE`, `SSL_CERT_DIR`) and `target.ca_file` are trust anchors. In one case more is accepted:
//! `openssl req -x509` makes a self-signed certificate that is marked as an authority (CA:TRUE), which webpki rejects as a
//! server's. If that very certificate, byte by byte, is trusted, no issuer is needed; its dates, its names and its key's
//! signature are verified as usual.

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use scenarios::plan::way::Trust;

/// TLS that cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A PEM file of the scenario.
    #[error("{key}: {} {problem}", file.display())]
    File {
        /// The scenario's key.
        key: &'static str,
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// There are no trust anchors.
    #[error(
        "no certificate is trusted on this machine; install ca-certificates, or name a PEM file in target.ca_file or \
         SSL_CERT_FILE"
    )]
    NoRoots,
    /// rustls refuses the configuration.
    #[error("TLS cannot be set up: {0}")]
    Rustls(#[from] Error),
}

/// The configuration of a client that trusts so.
///
/// # Errors
/// [`TlsError`].
pub(crate) fn config(trust: &Trust) -> Result<ClientConfig, TlsError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let trusted =
        if trust.insecure { None } else { Some(Trusted::new(trust.ca_file.as_deref(), &provider)?) };
    let verifier = Arc::new(Verifier { provider: Arc::clone(&provider), trusted });
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let Some((certificate, key)) = &trust.client else { return Ok(config.with_no_client_auth()) };
    let chain = certificates("target.client_cert_file", certificate)?;
    let unreadable =
        |error: &dyn std::fmt::Display| wrong("target.client_key_file", key, format!("has no key: {error}"));
    let read = PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable(&error))?;
    config.with_client_auth_cert(chain, read).map_err(|error| {
        wrong("target.client_key_file", key, format!("is not the key of the certificate: {error}"))
    })
}

/// The configuration of a client that has no use for TLS.
pub(crate) fn none() -> Result<ClientConfig, TlsError> {
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

fn wrong(key: &'static str, file: &Path, problem: String) -> TlsError {
    TlsError::File { key, file: file.into(), problem }
}

/// The certificates of a PEM file, one at least.
fn certificates(key: &'static str, file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(found) if found.is_empty() => Err(wrong(key, file, "has no certificate in it".into())),
        Ok(found) => Ok(found),
        Err(error) => Err(wrong(key, file, format!("cannot be read: {error}"))),
    }
}

/// Verifies the certificates of servers; a handshake's signature is verified in any case.
#[derive(Debug)]
struct Verifier {
    provider: Arc<CryptoProvider>,
    /// `None`: every certificate is accepted, for targets on this machine.
    trusted: Option<Trusted>,
}

/// The trust anchors, and the certificates that are trusted themselves.
#[derive(Debug)]
struct Trusted {
    chains: Arc<WebPkiServerVerifier>,
    certificates: Vec<CertificateDer<'static>>,
}

impl Trusted {
    fn new(ca_file: Option<&Path>, provider: &Arc<CryptoProvider>) -> Result<Self, TlsError> {
        let mut certificates = match ca_file {
            Some(file) => self::certificates("target.ca_file", file)?,
            None => Vec::new(),
        };
        let mut roots = RootCertStore::empty();
        for certificate in &certificates {
            let bad = |error| {
                wrong(
                    "target.ca_file",
                    ca_file.unwrap_or(Path::new("")),
                    format!("has a certificate that cannot be used: {error}"),
                )
            };
            roots.add(certificate.clone()).map_err(bad)?;
        }
        let system = rustls_native_certs::load_native_certs();
        for error in system.errors {
            tracing::warn!(
                "a certificate of the system's store (SSL_CERT_FILE, SSL_CERT_DIR) is ignored: {error}"
            );
        }
        roots.add_parsable_certificates(system.certs.iter().cloned());
        certificates.extend(system.certs);
        if roots.is_empty() {
            return Err(TlsError::NoRoots);
        }
        let chains = WebPkiServerVerifier::builder_with_provider(roots.into(), Arc::clone(provider));
        let chains = chains.build().map_err(|error| Error::General(error.to_string()))?;
        Ok(Self { chains, certificates })
    }

    fn verify(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified =
            self.chains.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verified {
            // webpki returns this error only after it has checked the dates: a test holds it to that.
            Err(error) if is_an_authority(&error) && self.certificates.contains(end_entity) => {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.trusted.as_ref().map_or_else(
            || Ok(ServerCertVerified::assertion()),
            |trusted| trusted.verify(end_entity, intermediates, server_name, ocsp_response, now),
        )
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// The error of webpki within rustls's.
fn webpki_error(error: &Error) -> Option<&webpki::Error> {
    let Error::InvalidCertificate(CertificateError::Other(other)) = error else { return None };
    other.0.downcast_ref()
}

fn is_an_authority(error: &Error) -> bool {
    matches!(webpki_error(error), Some(webpki::Error::CaUsedAsEndEntity))
}

/// rustls's error in an I/O error, if it is one.
pub(crate) fn rustls_error(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}

/// What went wrong in a handshake with `host`, and what to do about the certificate.
pub(crate) fn explain(error: &io::Error, host: &str) -> String {
    let Some(rustls) = rustls_error(error) else { return error.to_string() };
    let named =
        host.parse::<IpAddr>().map_or_else(|_| format!("DNS:{host}"), |address| format!("IP:{address}"));
    let make = format!(
        "`openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN={host} -addext subjectAltName={named} \
         -keyout key.pem -out cert.pem` makes a good one"
    );
    let remedy = match (rustls, webpki_error(rustls)) {
        (_, Some(webpki::Error::CaUsedAsEndEntity)) => {
            "the certificate is marked as an authority (CA:TRUE) and is not trusted itself: name that very file in target.ca_file or \
             SSL_CERT_FILE"
                .into()
        }
        (_, Some(webpki::Error::UnsupportedCertVersion)) => {
            format!("the certificate has the old form without extensions (version 1): {make}")
        }
        (Error::InvalidCertificate(CertificateError::UnknownIssuer), _) => {
            "the certificate's issuer is not trusted: name the issuer, or a self-signed certificate itself, in target.ca_file or \
             SSL_CERT_FILE; the target must also send its intermediate certificates"
                .into()
        }
        (
            Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            ),
            _,
        ) => format!("the certificate has no subjectAltName for {host}, and its CN does not count: {make}"),
        (
            Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }),
            _,
        ) => format!("the certificate has ended: {make}"),
        (
            Error::InvalidCertificate(
                CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. },
            ),
            _,
        ) => "the certificate is not good yet, or a clock is wrong".into(),
        (Error::AlertReceived(_), _) => {
            "the target refused; where it wants a certificate of the players, name one in target.client_cert_file and \
             target.client_key_file"
                .into()
        }
        _ => return error.to_string(),
    };
    format!("{error}; {remedy}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, date_time_ymd};

    use super::*;

    /// A certificate as `openssl req -x509` makes it: self-signed, and marked as an authority.
    fn self_made(name: &str, last_year: i32) -> CertificateDer<'static> {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(last_year, 1, 1);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().clone()
    }

    fn verify(
        trusted: &CertificateDer<'static>,
        shown: &CertificateDer<'_>,
        name: &str,
    ) -> Result<(), Error> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        let pem = pem_of(trusted);
        std::fs::write(&file, pem).unwrap();
        let anchors = Trusted::new(Some(&file), &Arc::new(aws_lc_rs::default_provider())).unwrap();
        let name = ServerName::try_from(name).unwrap();
        // 2026
        let now = UnixTime::since_unix_epoch(Duration::from_secs(1_790_000_000));
        anchors.verify(shown, &[], &name, &[], now).map(drop)
    }

    fn pem_of(certificate: &CertificateDer<'_>) -> String {
        use base64::Engine as _;
        let text = base64::engine::general_purpose::STANDARD.encode(certificate);
        format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
    }

    fn explained(error: Error) -> String {
        explain(&io::Error::new(io::ErrorKind::InvalidData, error), "game.test")
    }

    #[test]
    fn the_very_certificate_that_is_trusted_is_a_servers_even_if_it_calls_itself_an_authority() {
        let ours = self_made("game.test", 2030);
        assert_eq!(verify(&ours, &ours, "game.test"), Ok(()));
        let other = self_made("game.test", 2030);
        let error = verify(&ours, &other, "game.test").unwrap_err();
        assert!(is_an_authority(&error), "{error}");
        assert!(explained(error).contains("name that very file in target.ca_file"));
    }

    #[test]
    fn its_name_and_its_dates_are_checked_as_ever() {
        let ours = self_made("game.test", 2030);
        let error = explained(verify(&ours, &ours, "else.test").unwrap_err());
        assert!(
            error.contains("no subjectAltName for game.test")
                && error.contains("-addext subjectAltName=DNS:game.test"),
            "{error}"
        );
        let ended = self_made("game.test", 2025);
        let error = verify(&ended, &ended, "game.test").unwrap_err();
        assert!(
            matches!(error, Error::InvalidCertificate(CertificateError::ExpiredContext { .. })),
            "{error}"
        );
        assert!(explained(error).contains("openssl req -x509"));
    }

    #[test]
    fn a_file_without_a_certificate_is_an_error_with_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("empty.pem");
        std::fs::write(&file, "nothing\n").unwrap();
        let trust = Trust { ca_file: Some(file), ..Trust::default() };
        let error = config(&trust).unwrap_err().to_string();
        assert!(
            error.starts_with("target.ca_file: ") && error.contains("has no certificate in it"),
            "{error}"
        );
    }
}
