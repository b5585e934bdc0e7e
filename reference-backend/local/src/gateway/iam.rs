//! IAM authorization: a request must be signed (Signature Version 4) with an access key of the stack.
//!
//! To verify a signature, the received request is signed with the key's secret and the two signatures are compared. Both
//! forms are supported, the header `Authorization` and the presigned query. Refusals have the texts of AWS, so that they
//! can be looked up when a client is debugged.

mod keys;

use std::fmt;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
use aws_sigv4::sign::v4;
use axum::http::{HeaderMap, header, request};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use url::form_urlencoded;

pub use keys::{IamKeys, IamKeysError, read_keys};

use crate::account::ACCOUNT_ID;

/// The default key pair.
pub const BUILT_IN: &str = "local";

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const SERVICE: &str = "execute-api";
const DATE: &str = "x-amz-date";
const SECURITY_TOKEN: &str = "x-amz-security-token";
/// Allowed clock skew of a client.
const SKEW: Duration = Duration::from_secs(300);
/// Maximum expiry of a presigned URL.
const LONGEST_EXPIRY: u64 = 7 * 86_400;

/// Query parameters of a presigned URL.
const PRESIGNED: [&str; 6] = [
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
];

/// Verifies signatures.
pub(super) struct Verifier {
    keys: IamKeys,
}

/// The owner of a request's key, for `requestContext.identity`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Caller {
    access_key: String,
    account_id: &'static str,
    caller: String,
    user: String,
    user_arn: String,
}

/// Why a signature is not accepted; every one of them is a 403.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The request is not signed.
    #[error("Missing Authentication Token")]
    Missing,
    /// A part of the signature is missing or malformed.
    #[error("{place} requires '{part}' parameter.")]
    Incomplete {
        /// Which form it has.
        place: Form,
        /// Which part.
        part: &'static str,
    },
    /// It is scoped to another service.
    #[error("Credential should be scoped to correct service: '{SERVICE}'.")]
    Scope,
    /// The access key is unknown.
    #[error("The security token included in the request is invalid.")]
    UnknownKey,
    /// It is too old.
    #[error("Signature expired: {end} is now earlier than {now}")]
    Expired {
        /// When it ended, or was made.
        end: AmzDate,
        /// What is the earliest that would do.
        now: AmzDate,
    },
    /// Its date is in the future.
    #[error("Signature not yet current: {made} is still later than {latest}")]
    Early {
        /// When it was made.
        made: AmzDate,
        /// What is the latest that would do.
        latest: AmzDate,
    },
    /// It belongs to another request, or to another secret.
    #[error(
        "The request signature we calculated does not match the signature you provided. \
         Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
    )]
    Mismatch,
}

impl Rejection {
    /// The exception that AWS's SDKs know it as.
    pub(super) const fn error_type(&self) -> &'static str {
        match self {
            Self::Missing => "MissingAuthenticationTokenException",
            Self::Incomplete { .. } => "IncompleteSignatureException",
            Self::UnknownKey => "UnrecognizedClientException",
            Self::Scope | Self::Expired { .. } | Self::Early { .. } | Self::Mismatch => {
                "InvalidSignatureException"
            }
        }
    }
}

/// The form of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display)]
pub enum Form {
    /// In the header `Authorization`.
    #[strum(to_string = "Authorization header")]
    Header,
    /// In the query.
    #[strum(to_string = "AWS query-string parameters")]
    Query,
}

/// A time as signatures write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AmzDate(Timestamp);

impl AmzDate {
    const FORMAT: &str = "%Y%m%dT%H%M%SZ";

    fn parse(text: &str) -> Option<Self> {
        let time = DateTime::strptime(Self::FORMAT, text).ok()?;
        Some(Self(time.to_zoned(TimeZone::UTC).ok()?.timestamp()))
    }

    fn plus(self, time: Duration) -> Self {
        Self(self.0.saturating_add(time).unwrap_or(Timestamp::MAX))
    }

    fn minus(self, time: Duration) -> Self {
        Self(self.0.saturating_sub(time).unwrap_or(Timestamp::MIN))
    }
}

impl fmt::Display for AmzDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.strftime(Self::FORMAT))
    }
}

/// The signature parameters of a request.
struct SignatureParameters {
    form: Form,
    key_id: String,
    region: String,
    made: AmzDate,
    expires: Option<Duration>,
    signed_headers: String,
    signature: String,
}

impl Verifier {
    /// Knows `keys`, or, if there are none, the built-in pair.
    pub(super) fn new(mut keys: IamKeys) -> Self {
        if keys.is_empty() {
            keys.insert(BUILT_IN.into(), BUILT_IN.into());
        }
        Self { keys }
    }

    /// Verifies the signature of a request at this time.
    ///
    /// # Errors
    /// [`Rejection`], with what is wrong in the words of AWS.
    pub(super) fn verify(&self, head: &request::Parts, body: &[u8]) -> Result<Caller, Rejection> {
        self.verify_at(head, body, AmzDate(Timestamp::now()))
    }

    fn verify_at(&self, head: &request::Parts, body: &[u8], now: AmzDate) -> Result<Caller, Rejection> {
        let claimed = SignatureParameters::of(head)?;
        claimed.check_time(now)?;
        let secret = self.keys.get(&claimed.key_id).ok_or(Rejection::UnknownKey)?;
        // None of these keys is a temporary one, so a session token cannot belong to it.
        if head.headers.contains_key(SECURITY_TOKEN)
            || parameters(head).any(|(name, _)| name.eq_ignore_ascii_case(SECURITY_TOKEN))
        {
            return Err(Rejection::UnknownKey);
        }
        let expected = claimed.sign_again(head, body, secret).ok_or(Rejection::Mismatch)?;
        verify_slices_are_equal(expected.as_bytes(), claimed.signature.as_bytes())
            .map_err(|_| Rejection::Mismatch)?;
        Ok(Caller::of(claimed.key_id))
    }
}

impl Caller {
    fn of(key_id: String) -> Self {
        Self {
            account_id: ACCOUNT_ID,
            caller: key_id.clone(),
            user: key_id.clone(),
            user_arn: format!("arn:aws:iam::{ACCOUNT_ID}:user/{key_id}"),
            access_key: key_id,
        }
    }
}

impl SignatureParameters {
    fn of(head: &request::Parts) -> Result<Self, Rejection> {
        let header = text(&head.headers, header::AUTHORIZATION.as_str());
        match header.and_then(|value| value.strip_prefix(ALGORITHM)) {
            Some(parts) => Self::in_header(head, parts),
            None if parameters(head).any(|(name, value)| name == "X-Amz-Algorithm" && value == ALGORITHM) => {
                Self::in_query(head)
            }
            None if header.is_some() => Err(missing(Form::Header, "Credential")),
            None => Err(Rejection::Missing),
        }
    }

    fn in_header(head: &request::Parts, parts: &str) -> Result<Self, Rejection> {
        let part = |name: &'static str| {
            let named = |part: &str| {
                part.trim().split_once('=').filter(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
            };
            parts.split(',').find_map(named).ok_or(missing(Form::Header, name))
        };
        let (credential, signed_headers, signature) =
            (part("Credential")?, part("SignedHeaders")?, part("Signature")?);
        let made = text(&head.headers, DATE).ok_or(missing(Form::Header, "X-Amz-Date"))?;
        Self::new(Form::Header, &credential, made, None, signed_headers, signature)
    }

    fn in_query(head: &request::Parts) -> Result<Self, Rejection> {
        let part = |name: &'static str| {
            let found = parameters(head).find(|(key, _)| key == name).map(|(_, value)| value);
            found.ok_or(missing(Form::Query, name))
        };
        let expires = part("X-Amz-Expires")?.parse().ok().filter(|seconds| *seconds <= LONGEST_EXPIRY);
        let expires = expires.map(Duration::from_secs).ok_or(missing(Form::Query, "X-Amz-Expires"))?;
        Self::new(
            Form::Query,
            &part("X-Amz-Credential")?,
            &part("X-Amz-Date")?,
            Some(expires),
            part("X-Amz-SignedHeaders")?,
            part("X-Amz-Signature")?,
        )
    }

    fn new(
        form: Form,
        credential: &str,
        made: &str,
        expires: Option<Duration>,
        signed_headers: String,
        signature: String,
    ) -> Result<Self, Rejection> {
        // An access key id has no slash; what follows it is the scope, which ends in a fixed word.
        let mut scope = credential.split('/');
        let mut next = || scope.next().filter(|part| !part.is_empty());
        let (Some(key_id), Some(_day), Some(region), Some(service), Some("aws4_request"), None) =
            (next(), next(), next(), next(), next(), next())
        else {
            return Err(missing(form, "Credential"));
        };
        if service != SERVICE {
            return Err(Rejection::Scope);
        }
        let made = AmzDate::parse(made).ok_or(missing(form, "X-Amz-Date"))?;
        let (key_id, region) = (key_id.to_owned(), region.to_owned());
        Ok(Self { form, key_id, region, made, expires, signed_headers, signature })
    }

    fn check_time(&self, now: AmzDate) -> Result<(), Rejection> {
        let latest = now.plus(SKEW);
        if self.made.0 > latest.0 {
            return Err(Rejection::Early { made: self.made, latest });
        }
        let (end, earliest) = match self.expires {
            Some(life) => (self.made.plus(life), now),
            None => (self.made, now.minus(SKEW)),
        };
        if end.0 < earliest.0 {
            return Err(Rejection::Expired { end, now: earliest });
        }
        Ok(())
    }

    /// The signature that this very request would have with this secret; none if it cannot have any.
    fn sign_again(&self, head: &request::Parts, body: &[u8], secret: &SecretString) -> Option<String> {
        let mut settings = SigningSettings::default();
        // What is signed is what the client says it has signed, however unwise.
        settings.excluded_headers = None;
        if let Some(expires) = self.expires {
            settings.signature_location = SignatureLocation::QueryParams;
            settings.expires_in = Some(expires);
        }
        let identity = Credentials::new(&self.key_id, secret.expose_secret(), None, None, "iam_keys").into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(SERVICE)
            .time(SystemTime::from(self.made.0))
            .settings(settings)
            .build()
            .ok()?
            .into();
        let mut headers = Vec::new();
        for name in self.signed_headers.split(';') {
            for value in head.headers.get_all(name) {
                headers.push((name, std::str::from_utf8(value.as_bytes()).ok()?));
            }
        }
        let host = text(&head.headers, header::HOST.as_str())?;
        let url = format!("http://{host}{}{}", head.uri.path(), self.signed_query(head));
        let request =
            SignableRequest::new(head.method.as_str(), url, headers.into_iter(), SignableBody::Bytes(body));
        Some(sign(request.ok()?, &parameters).ok()?.into_parts().1)
    }

    /// The query without the parameters of presigning, which signing adds again. Only the first of each is removed: a
    /// repeated one was not signed.
    fn signed_query(&self, head: &request::Parts) -> String {
        let query = head.uri.query().unwrap_or_default();
        let mut left: Vec<&str> = if self.form == Form::Query { PRESIGNED.to_vec() } else { Vec::new() };
        let mut added = |pair: &str| {
            let name = form_urlencoded::parse(pair.as_bytes()).next().map(|(name, _)| name);
            let place = left.iter().position(|wanted| name.as_deref() == Some(wanted));
            place.map(|place| left.swap_remove(place)).is_some()
        };
        let kept: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty() && !added(pair)).collect();
        if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) }
    }
}

fn parameters(head: &request::Parts) -> impl Iterator<Item = (String, String)> {
    form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes()).into_owned()
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

const fn missing(place: Form, part: &'static str) -> Rejection {
    Rejection::Incomplete { place, part }
}

#[cfg(test)]
mod tests;
