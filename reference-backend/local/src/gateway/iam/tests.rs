//! Signatures made by the SDKs' own signer, and what may be wrong with them.

use aws_sigv4::http_request::SigningInstructions;
use axum::http::Request;

use super::*;

const URL: &str = "http://127.0.0.1:8080/Development";

/// How a client signs.
struct Signer<'a> {
    key: &'a str,
    secret: &'a str,
    service: &'a str,
    session: Option<&'a str>,
    made: AmzDate,
    /// Presigns, for so long.
    expires: Option<u64>,
}

fn now() -> AmzDate {
    AmzDate::parse("20261125T120000Z").unwrap()
}

fn signer() -> Signer<'static> {
    Signer { key: BUILT_IN, secret: BUILT_IN, service: SERVICE, session: None, made: now(), expires: None }
}

impl Signer<'_> {
    fn sign(&self, request: Request<()>, body: &[u8]) -> Request<()> {
        let mut settings = SigningSettings::default();
        if let Some(seconds) = self.expires {
            settings.signature_location = SignatureLocation::QueryParams;
            settings.expires_in = Some(Duration::from_secs(seconds));
        }
        let session = self.session.map(str::to_owned);
        let identity = Credentials::new(self.key, self.secret, session, None, "test").into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region("eu-west-1")
            .name(self.service)
            .time(self.made.0.into())
            .settings(settings)
            .build()
            .unwrap()
            .into();
        let uri = request.uri().to_string();
        let headers = request.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
        let signable =
            SignableRequest::new(request.method().as_str(), &uri, headers, SignableBody::Bytes(body));
        let instructions: SigningInstructions = sign(signable.unwrap(), &parameters).unwrap().into_parts().0;
        let mut signed = request;
        instructions.apply_to_request_http1x(&mut signed);
        signed
    }

    /// The head of a signed handshake, as the gateway gets it.
    fn head(&self, url: &str, headers: &[(&str, &str)]) -> request::Parts {
        let mut request = Request::get(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        received(self.sign(request.body(()).unwrap(), b""))
    }
}

/// On the wire a request has a path and a header `Host`.
fn received(request: Request<()>) -> request::Parts {
    let mut head = request.into_parts().0;
    head.headers.insert(header::HOST, head.uri.authority().unwrap().as_str().parse().unwrap());
    head.headers.insert("sec-websocket-key", "not-signed".parse().unwrap());
    head.uri = head.uri.path_and_query().unwrap().as_str().parse().unwrap();
    head
}

fn verify(head: &request::Parts) -> Result<Caller, Rejection> {
    Verifier::new(IamKeys::new()).verify_at(head, b"", now())
}

#[test]
fn both_forms_are_proven() {
    let url = format!("{URL}?playerId=%C3%A9%20b&v=2");
    for expires in [None, Some(60)] {
        let head = Signer { expires, ..signer() }.head(&url, &[("X-Player-Id", "ann"), ("X-List", " a  b ")]);
        let caller = verify(&head).unwrap();
        assert_eq!(caller.user_arn, "arn:aws:iam::000000000000:user/local");
        assert_eq!((caller.access_key.as_str(), caller.account_id), ("local", "000000000000"));
    }
}

#[test]
fn whatever_is_signed_cannot_be_changed() {
    type Change = fn(&mut request::Parts);
    let uri = |head: &mut request::Parts, from: &str, to: &str| {
        let changed = head.uri.to_string().replace(from, to);
        assert_ne!(changed, head.uri.to_string());
        head.uri = changed.parse().unwrap();
    };
    for expires in [None, Some(60)] {
        let signed =
            Signer { expires, ..signer() }.head(&format!("{URL}?playerId=ann"), &[("X-Player-Id", "ann")]);
        assert!(verify(&signed).is_ok());
        let changes: [Change; 4] = [
            |head| drop(head.headers.insert("x-player-id", "eve".parse().unwrap())),
            |head| drop(head.headers.remove("x-player-id")),
            |head| drop(head.headers.insert(header::HOST, "example.org".parse().unwrap())),
            |head| head.method = axum::http::Method::POST,
        ];
        for change in changes {
            let mut head = signed.clone();
            change(&mut head);
            assert_eq!(verify(&head), Err(Rejection::Mismatch));
        }
        for (from, to) in [("=ann", "=eve"), ("/Development", "/Production"), ("?", "?a=b&")] {
            let mut head = signed.clone();
            uri(&mut head, from, to);
            assert_eq!(verify(&head), Err(Rejection::Mismatch), "{from}");
        }
    }
    let presigned = Signer { expires: Some(60), ..signer() }.head(URL, &[]);
    for (from, to) in [("Expires=60", "Expires=600"), ("T120000Z", "T120001Z"), ("eu-west-1", "eu-west-2")] {
        let mut head = presigned.clone();
        uri(&mut head, from, to);
        assert_eq!(verify(&head), Err(Rejection::Mismatch), "{from}");
    }
}

/// Lambdas see the last of several parameters, so a second one must not slip by.
#[test]
fn what_is_repeated_is_not_signed() {
    let presigned = Signer { expires: Some(60), ..signer() }.head(URL, &[]);
    for repeated in ["X-Amz-SignedHeaders=host%3Bx-player-id", "X-Amz-Expires=60", "X-Amz-Signature=0"] {
        for query in [
            format!("{}&{repeated}", presigned.uri),
            presigned.uri.to_string().replace('?', &format!("?{repeated}&")),
        ] {
            let mut head = presigned.clone();
            head.uri = query.parse().unwrap();
            assert!(verify(&head).is_err(), "{query}");
        }
    }
    assert!(verify(&presigned).is_ok());
}

#[test]
fn the_body_is_signed_too() {
    let request = Request::post("http://127.0.0.1:8081/Development/placements").body(()).unwrap();
    let head = received(signer().sign(request, b"{}"));
    let verifier = Verifier::new(IamKeys::new());
    assert!(verifier.verify_at(&head, b"{}", now()).is_ok());
    assert_eq!(verifier.verify_at(&head, b"{ }", now()), Err(Rejection::Mismatch));
}

#[test]
fn keys_are_told_apart() {
    let keys = IamKeys::from([("AKIDONE".into(), "one".into()), ("AKIDTWO".into(), "two".into())]);
    let verifier = Verifier::new(keys);
    let of = |key, secret| verifier.verify_at(&Signer { key, secret, ..signer() }.head(URL, &[]), b"", now());
    assert_eq!(of("AKIDTWO", "two").unwrap().user_arn, "arn:aws:iam::000000000000:user/AKIDTWO");
    assert_eq!(of("AKIDONE", "two"), Err(Rejection::Mismatch));
    assert_eq!(of(BUILT_IN, BUILT_IN), Err(Rejection::UnknownKey), "only where no other is given");
    let temporary = Signer { session: Some("session"), ..signer() };
    assert_eq!(verify(&temporary.head(URL, &[])), Err(Rejection::UnknownKey));
    assert_eq!(verify(&Signer { expires: Some(60), ..temporary }.head(URL, &[])), Err(Rejection::UnknownKey));
}

#[test]
fn times_are_kept_to() {
    let at = |text: &str, expires| {
        let made = AmzDate::parse(text).unwrap();
        verify(&Signer { made, expires, ..signer() }.head(URL, &[])).map_err(|error| error.to_string())
    };
    assert!(at("20261125T115500Z", None).is_ok() && at("20261125T120500Z", None).is_ok());
    assert_eq!(
        at("20261125T115459Z", None).unwrap_err(),
        "Signature expired: 20261125T115459Z is now earlier than 20261125T115500Z"
    );
    assert_eq!(
        at("20261125T120501Z", None).unwrap_err(),
        "Signature not yet current: 20261125T120501Z is still later than 20261125T120500Z"
    );
    assert!(at("20261125T110000Z", Some(3_600)).is_ok(), "as long as it says");
    assert_eq!(
        at("20261125T110000Z", Some(3_599)).unwrap_err(),
        "Signature expired: 20261125T115959Z is now earlier than 20261125T120000Z"
    );
    assert!(at("20261125T120501Z", Some(3_600)).unwrap_err().contains("not yet current"));
    let week = Signer { expires: Some(LONGEST_EXPIRY + 1), ..signer() }.head(URL, &[]);
    assert!(verify(&week).unwrap_err().to_string().contains("X-Amz-Expires"));
}

#[test]
fn what_is_missing_is_named() {
    let unsigned = Signer { expires: None, ..signer() };
    let mut head = unsigned.head(URL, &[]);
    let authorization = head.headers[header::AUTHORIZATION].to_str().unwrap().to_owned();
    let mut with = |value: Option<&str>| {
        match value {
            Some(value) => drop(head.headers.insert(header::AUTHORIZATION, value.parse().unwrap())),
            None => drop(head.headers.remove(header::AUTHORIZATION)),
        }
        verify(&head).map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(with(Some(&authorization)), Ok(()));
    assert_eq!(with(None), Err("Missing Authentication Token".into()));
    for (value, told) in [
        ("Bearer abc".to_owned(), "'Credential'"),
        (authorization.replace("SignedHeaders", "Signed"), "'SignedHeaders'"),
        (authorization.replace("Signature=", "S="), "'Signature'"),
        (authorization.replace("/aws4_request", ""), "'Credential'"),
        (authorization.replace(SERVICE, "s3"), "correct service"),
    ] {
        let refused = with(Some(&value)).unwrap_err();
        assert!(refused.contains(told), "{value}: {refused}");
    }
    let presigned = Signer { expires: Some(60), ..signer() }.head(URL, &[]);
    for part in ["X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature"]
    {
        let mut head = presigned.clone();
        head.uri = head.uri.to_string().replace(part, "x").parse().unwrap();
        let refused = verify(&head).unwrap_err().to_string();
        assert!(refused.contains(part), "{part}: {refused}");
    }
}
