//! From the keys of `[auth]` to the plan: everything that can be known before the run is checked here.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use url::Url;

use super::expiry::expiry;
use super::feeder::{Column, Feeder, FeederFormat, Row};
use super::keys::{self, AuthMode, TokenPlacement};
use super::mint::Minter;
use super::planned::{Auth, Command, Placement, PlayerIds, SigV4, TokenSource};
use crate::check::Check;
use crate::mistakes::Mistake;
use crate::plan::Target;
use crate::redact;
use crate::scenario::Scenario;

/// Headers that the handshake itself sets.
const TAKEN: [&str; 4] = ["host", "connection", "upgrade", "content-length"];

impl Check<'_> {
    pub(crate) fn auth(&mut self, scenario: &Scenario, target: &Target) -> Auth {
        let auth = &scenario.auth;
        let rows = self.feeder(scenario);
        let source = self.source(scenario, target, rows.as_ref().map(|(feeder, _)| feeder));
        let ids = match &rows {
            Some((_, rows)) if rows.first().is_some_and(|row| row.player.is_some()) => {
                PlayerIds::Listed(rows.iter().filter_map(|row| row.player.clone()).collect())
            }
            _ => PlayerIds::Numbered { prefix: auth.player_prefix.clone() },
        };
        Auth {
            mode: auth.mode,
            placement: self.placement(&auth.placement),
            source,
            sigv4: self.sigv4(auth, target),
            refresh_before: self.positive("/auth/refresh_before", auth.refresh_before),
            ids,
        }
    }

    /// Where tokens come from: exactly one place.
    fn source(&mut self, scenario: &Scenario, target: &Target, feeder: Option<&Feeder>) -> TokenSource {
        let auth = &scenario.auth;
        let issuer = auth.issuer.as_ref().and_then(|issuer| {
            self.url(
                "/auth/issuer",
                issuer,
                &["http", "https"],
                "write the identity provider's base URL, e.g. http://127.0.0.1:8081",
            )
        });
        let mint = auth.mint.as_ref().and_then(|mint| self.mint(mint));
        let command = auth.command.as_ref().map(|command| self.command(command));
        let from_file = feeder.filter(|feeder| feeder.token.is_some());
        let named = [
            ("issuer", auth.issuer.is_some()),
            ("mint", auth.mint.is_some()),
            ("command", auth.command.is_some()),
            ("feeder", auth.feeder.as_ref().is_some_and(|feeder| feeder.token.is_some())),
        ];
        let given: Vec<_> = named.into_iter().filter(|(_, given)| *given).map(|(name, _)| name).collect();
        if let (Some(last), true) = (given.last(), given.len() > 1) {
            self.wrong(
                &format!("/auth/{last}"),
                format!("tokens cannot come from {} at once", given.join(" and ")),
                "keep one of them",
            );
        }
        let own_tokens = auth.mint.is_some() || auth.command.is_some() || from_file.is_some();
        if auth.mode == AuthMode::Token && own_tokens && matches!(target, Target::Embedded { .. }) {
            self.wrong(
                "/auth",
                "brings tokens that the embedded backend does not know: it trusts its own key only",
                "name the backend that takes them in target.url, or leave its own tokens in place",
            );
        }
        if auth.mode == AuthMode::Token && auth.issuer.is_some() && matches!(target, Target::Embedded { .. })
        {
            self.wrong(
                "/auth/issuer",
                "names an identity provider that the embedded backend does not know: it brings its own",
                "name the backend that trusts it in target.url, or leave it out",
            );
        }
        if auth.mode != AuthMode::Token
            && let Some(idle) = given.first().filter(|name| **name != "issuer")
        {
            self.wrong(
                &format!("/auth/{idle}"),
                "brings tokens, which are only used with auth.mode = \"token\"",
                "set auth.mode to \"token\", or take it out",
            );
        }
        if auth.mode == AuthMode::Token
            && !own_tokens
            && auth.feeder.is_none()
            && auth.issuer.is_none()
            && matches!(target, Target::Url(_))
        {
            self.wrong(
                "/auth/issuer",
                "is missing: tokens for this target have to come from somewhere",
                "set auth.issuer to the `identity` URL of the backend, add [auth.mint], [auth.feeder] or [auth.command], or set auth.mode to \"header\", \"sigv4\" or \"none\"",
            );
        }
        match (mint, command, from_file) {
            (Some(minter), ..) => TokenSource::Mint(Arc::new(minter)),
            (_, Some(command), _) => TokenSource::Command(command),
            (.., Some(feeder)) => TokenSource::Feeder(feeder.clone()),
            _ => TokenSource::Issuer(issuer),
        }
    }

    fn mint(&mut self, mint: &keys::Mint) -> Option<Minter> {
        let (least, most) = (Duration::from_secs(10), Duration::from_secs(366 * 86_400));
        if !(least..=most).contains(&mint.lifetime.0) {
            self.wrong("/auth/mint/lifetime", "must be 10 seconds to a year", "write e.g. \"1h\"");
        }
        let file = self.file("/auth/mint/key_file", &mint.key_file, "give the path of the key's file")?;
        match Minter::new(mint, &file) {
            Ok(minter) => Some(minter),
            Err(mistake) => {
                self.wrong(&format!("/auth/mint/{}", mistake.key), mistake.problem, &mistake.remedy);
                None
            }
        }
    }

    fn feeder(&mut self, scenario: &Scenario) -> Option<(Feeder, Vec<Row>)> {
        let auth = &scenario.auth;
        let keys = auth.feeder.as_ref()?;
        let file = self.file("/auth/feeder/file", &keys.file, "give the path of a CSV or JSON Lines file")?;
        let by_ending = match file.extension().and_then(|ending| ending.to_str()) {
            Some("csv") => Some(FeederFormat::Csv),
            Some("jsonl" | "ndjson") => Some(FeederFormat::Jsonl),
            _ => None,
        };
        let Some(format) = keys.format.or(by_ending) else {
            self.wrong(
                "/auth/feeder/format",
                format!("is missing: the ending of `{}` does not tell it", keys.file),
                "write \"csv\" or \"jsonl\"",
            );
            return None;
        };
        let elsewhere = auth.issuer.is_some() || auth.mint.is_some() || auth.command.is_some();
        let wants_tokens = keys.token.is_some() || (auth.mode == AuthMode::Token && !elsewhere);
        let column = |given: &Option<String>, usual: &str, required| Column {
            name: given.clone().unwrap_or_else(|| usual.into()),
            required,
        };
        let feeder = Feeder {
            player: column(&keys.player, "player", keys.player.is_some() || !wants_tokens),
            token: wants_tokens.then(|| column(&keys.token, "token", true)),
            cycle: keys.cycle,
            file,
            format,
        };
        let rows = match feeder.read() {
            Ok(rows) => rows,
            Err(bad) => {
                for line in bad {
                    self.bad_line(&keys.file, line.line, line.problem);
                }
                return None;
            }
        };
        if rows.len() < scenario.players as usize && !feeder.cycle {
            self.wrong(
                "/auth/feeder/file",
                format!("has {} players, fewer than the {} of the scenario", rows.len(), scenario.players),
                "add lines, lower players, or set auth.feeder.cycle = true to begin again at the top",
            );
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let used = rows.iter().take(scenario.players as usize);
        let mut over = used.filter(|row| row.token.as_deref().and_then(expiry).is_some_and(|end| end <= now));
        if let Some(first) = over.next() {
            let more = over.count();
            let others =
                if more > 0 { format!(", and so are those of {more} more lines") } else { String::new() };
            self.bad_line(&keys.file, first.line, format!("the token is expired{others}"));
        }
        Some((feeder, rows))
    }

    /// A mistake in a feeder's line: it is in that file, not in the scenario.
    fn bad_line(&mut self, file: &str, line: u64, problem: String) {
        let place = if line > 0 { format!("{file}:{line}") } else { file.to_owned() };
        self.mistakes.push(Mistake {
            place,
            key: "auth.feeder".into(),
            // It may quote what stands in a column, which may be the wrong one.
            problem: redact::text(&problem).into_owned(),
            remedy: "a line is a player: an id of its own and a token that is still good".into(),
        });
    }

    fn command(&mut self, command: &keys::Command) -> Command {
        let timeout = self.positive("/auth/command/timeout", command.timeout);
        let program = command.argv.first().map_or("", String::as_str);
        if !runnable(program) {
            self.wrong(
                "/auth/command/argv/0",
                format!("there is no program `{program}` that may be run"),
                "give its path from the working directory, or a name that PATH knows; `chmod +x` a script",
            );
        }
        let placed = command.argv.iter().any(|argument| argument.contains("{player}"));
        if command.batch == 1 && !placed {
            self.wrong(
                "/auth/command/argv",
                "names no player: every call would print the same token",
                "put {player} into an argument, or set batch above 1 to have the ids on standard input",
            );
        }
        if command.batch > 1 && placed {
            self.wrong(
                "/auth/command/argv",
                "has {player}, but a call with batch above 1 is for many players",
                "read the ids from standard input, or leave out batch",
            );
        }
        Command {
            argv: command.argv.clone(),
            batch: command.batch as usize,
            parallel: command.parallel as usize,
            timeout,
        }
    }

    fn placement(&mut self, placement: &keys::Placement) -> Placement {
        let header = |name: &str, scheme: Option<&str>| Placement::Header {
            name: name.to_ascii_lowercase(),
            scheme: scheme.map(str::to_owned),
        };
        let names = match placement {
            keys::Placement::Usual(TokenPlacement::Header) => return header("authorization", Some("Bearer")),
            keys::Placement::Usual(TokenPlacement::Query) => {
                return Placement::Query { name: "token".into() };
            }
            keys::Placement::Named(names) => names,
        };
        let taken = |name: &str| {
            let name = name.to_ascii_lowercase();
            TAKEN.contains(&name.as_str()) || name.starts_with("sec-websocket-")
        };
        match (&names.header, &names.query, &names.scheme) {
            (Some(name), None, scheme) => {
                if !is_word(name) || taken(name) {
                    self.wrong(
                        "/auth/placement/header",
                        format!("`{name}` is no header that can carry a token"),
                        "write a header's name, e.g. \"Authorization\" or \"X-Auth-Token\"",
                    );
                }
                if let Some(scheme) = scheme.as_ref().filter(|scheme| !is_word(scheme)) {
                    self.wrong(
                        "/auth/placement/scheme",
                        format!("`{scheme}` is no word"),
                        "write e.g. \"Bearer\" or \"Steam\", or leave it out",
                    );
                }
                header(name, scheme.as_deref())
            }
            (None, Some(name), None) => {
                if name.is_empty() {
                    self.wrong("/auth/placement/query", "is empty", "write e.g. \"ticket\"");
                }
                Placement::Query { name: name.clone() }
            }
            _ => {
                self.wrong(
                    "/auth/placement",
                    "must name a header (with or without a scheme) or a query parameter",
                    "write { header = \"Authorization\", scheme = \"Steam\" } or { query = \"ticket\" }",
                );
                Placement::Query { name: "token".into() }
            }
        }
    }

    fn sigv4(&mut self, auth: &keys::Auth, target: &Target) -> SigV4 {
        if auth.mode == AuthMode::SigV4 && matches!(target, Target::Embedded { .. }) {
            self.wrong(
                "/auth/mode",
                "signs handshakes, which the embedded backend does not check",
                "name the API in target.url, e.g. wss://ID.execute-api.REGION.amazonaws.com/STAGE",
            );
        }
        if auth.sigv4.is_some() && auth.mode != AuthMode::SigV4 {
            self.wrong(
                "/auth/sigv4",
                "is only used with auth.mode = \"sigv4\"",
                "set auth.mode to \"sigv4\", or take it out",
            );
        }
        let keys = auth.sigv4.clone().unwrap_or_default();
        let (least, most) = (Duration::from_secs(1), Duration::from_secs(7 * 86_400));
        if !(least..=most).contains(&keys.expires.0) {
            self.wrong("/auth/sigv4/expires", "must be 1 second to 7 days", "write e.g. \"60s\"");
        }
        for (key, text) in [("region", keys.region.as_deref()), ("service", Some(keys.service.as_str()))] {
            if text.is_some_and(|text| !is_word(text)) {
                self.wrong(
                    &format!("/auth/sigv4/{key}"),
                    "is no word",
                    "write e.g. \"eu-west-1\" or \"execute-api\"",
                );
            }
        }
        let of_target = match target {
            Target::Url(url) => region_of(url),
            Target::Embedded { .. } => None,
        };
        SigV4 {
            form: keys.form,
            region: keys.region.or(of_target),
            service: keys.service,
            expires: keys.expires.0,
            player_header: keys.player_header,
        }
    }

    /// A file beside the scenario, or at a path from the working directory.
    fn file(&mut self, pointer: &str, name: &str, remedy: &str) -> Option<PathBuf> {
        let found = self.beside(name);
        if found.is_none() {
            self.wrong(pointer, format!("there is no file `{name}`"), remedy);
        }
        found
    }
}

/// The region in `ID.execute-api.REGION.amazonaws.com`.
fn region_of(url: &Url) -> Option<String> {
    let parts: Vec<_> = url.host_str()?.split('.').collect();
    match parts.as_slice() {
        [_, "execute-api", region, "amazonaws", "com", ..] => Some((*region).to_owned()),
        _ => None,
    }
}

/// A token in the sense of HTTP: what headers' names and schemes are made of.
fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Whether a program can be started: a path to an executable file, or a name in `PATH`.
fn runnable(program: &str) -> bool {
    use std::os::unix::fs::PermissionsExt;
    let executable = |path: &Path| {
        path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
    };
    if program.contains('/') {
        return executable(Path::new(program));
    }
    let paths = std::env::var_os("PATH").unwrap_or_default();
    !program.is_empty() && std::env::split_paths(&paths).any(|folder| executable(&folder.join(program)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_is_read_from_the_host() {
        let region = |url: &str| region_of(&Url::parse(url).unwrap_or_else(|_| panic!("{url}")));
        let host = "wss://abc.execute-api.eu-west-1.amazonaws.com/Staging";
        assert_eq!(region(host).as_deref(), Some("eu-west-1"));
        assert_eq!(
            region("wss://a.execute-api.cn-north-1.amazonaws.com.cn/x").as_deref(),
            Some("cn-north-1")
        );
        assert_eq!(region("ws://127.0.0.1:8080/Development"), None);
        assert_eq!(region("wss://game.example.com/"), None);
    }

    #[test]
    fn a_program_is_found_by_path_or_by_name() {
        assert!(runnable("sh") && runnable("/bin/sh"));
        assert!(!runnable("no-such-program-anywhere") && !runnable("/etc/passwd") && !runnable(""));
    }
}
