//! From `[target]` to what is tested, and the local addresses that its sockets are opened from.

use std::net::IpAddr;
use std::path::Path;

use super::context::Check;
use super::inputs::Content;
use crate::file::shipped;
use crate::keys::scenario;
use crate::plan::Target;

/// What is tested.
pub(super) fn target(check: &mut Check<'_>, target: &scenario::Target) -> Target {
    if target.url != "embedded" {
        let parsed = check.url(
            "/target/url",
            &target.url,
            &["ws", "wss"],
            "write `embedded`, or a URL like wss://ID.execute-api.REGION.amazonaws.com/STAGE",
        );
        if parsed.is_none() {
            check.doubt("/target/url");
        }
        return parsed.map_or(Target::Embedded { profile: String::new() }, Target::Url);
    }
    let profile = match target.profile.as_str() {
        "instant" | "aws-like" => target.profile.clone(),
        file => profile_file(check, file),
    };
    Target::Embedded { profile }
}

/// A profile file stands beside the scenario, at a path from the working directory, or within this program.
fn profile_file(check: &mut Check<'_>, file: &str) -> String {
    let found = check.beside(file);
    if found.is_none()
        && let Some(text) = shipped::profile(file)
    {
        check.keep("/target/profile", Path::new(file), Content::Text(text.into()));
        return file.to_owned();
    }
    let Some(path) = found else {
        check.wrong(
            "/target/profile",
            format!("there is no file `{file}`"),
            "write `instant`, `aws-like`, or the path of a profile file",
        );
        return String::new();
    };
    check.findings.mistakes.extend((check.profile)(&path));
    check.keep_file("/target/profile", &path);
    path.display().to_string()
}

/// The local addresses that sockets are opened from.
pub(super) fn addresses(check: &mut Check<'_>, addresses: &[String]) -> Vec<IpAddr> {
    let mut parsed = Vec::new();
    for (index, address) in addresses.iter().enumerate() {
        match address.parse() {
            Ok(address) => parsed.push(address),
            Err(_) => check.wrong(
                &format!("/sockets/source_addresses/{index}"),
                format!("`{address}` is not an IP address"),
                "write e.g. \"127.0.0.2\"",
            ),
        }
    }
    parsed
}
