//! URLs of this machine: plain HTTP and dummy credentials are allowed, and no proxy is used.

use url::{Host, Url};

/// Whether a URL names this machine.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            // RFC 6761, §6.3.
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost")
        }
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_told_by_its_names_and_addresses() {
        let is = |url: &str| is_loopback(&Url::parse(url).unwrap());
        for here in [
            "http://127.0.0.1:1/",
            "http://127.8.9.1/",
            "http://[::1]:1/",
            "http://localhost/",
            "http://a.localhost./",
        ] {
            assert!(is(here), "{here}");
        }
        for away in [
            "http://localhost.example/",
            "http://169.254.169.254/",
            "https://dynamodb.eu-west-1.amazonaws.com/",
        ] {
            assert!(!is(away), "{away}");
        }
    }
}
