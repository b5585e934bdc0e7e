//! From the keys of `[auth]` to the plan: everything that can be known before the run is checked here.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use protocol::Outline;
use url::Url;

use super::context::Check;
use super::inputs::Content;
use super::operations::matched;
use super::way::is_word;
use crate::keys::auth::{self as keys, AuthMode, UsualPlacement};
use crate::keys::scenario::Scenario;
use crate::plan::Target;
use crate::plan::auth::{Auth, Command, PlayerIds, SigV4, TokenLocation, TokenSource};
use crate::plan::expiry::{claim, expiry};
use crate::plan::feeder::{BadLine, Column, Feeder, FeederFormat, Row, is_id};
use crate::plan::mint::Minter;

/// Bad lines of one kind that are reported one by one.
const SHOWN: usize = 5;
const EACH_LINE: &str = "each line needs a unique id and a valid token";

/// Headers that the handshake itself sets.
const TAKEN: [&str; 4] = ["host", "connection", "upgrade", "content-length"];

pub(super) fn auth(check: &mut Check<'_>, scenario: &Scenario, target: &Target, protocol: &Outline) -> Auth {
    let auth = &scenario.auth;
    if protocol.token && auth.mode != AuthMode::Token {
        check.wrong_beside(
            "/auth/mode",
            &["/protocol"],
            format!("brings no token, but the protocol `{}` has `${{token}}`", protocol.name),
            "set it to \"token\" and say where tokens come from, or take `${token}` out of the protocol's file",
        );
    }
    let rows = feeder(check, scenario);
    let source = source(check, scenario, target, rows.as_ref().map(|(feeder, _)| feeder));
    let matched = matched(scenario, protocol);
    let ids = ids(check, scenario, rows.as_ref(), &matched);
    Auth {
        mode: auth.mode,
        placement: placement(check, auth, protocol),
        source,
        sigv4: sigv4(check, auth, target),
        refresh_before: check.positive("/auth/refresh_before", auth.refresh_before),
        ids,
        claim: (!matched.is_empty() && auth.mode == AuthMode::Token && !auth.player_claim.is_empty())
            .then(|| auth.player_claim.clone()),
    }
}

/// What the players are called, and whether the target can call them so.
fn ids(
    check: &mut Check<'_>,
    scenario: &Scenario,
    rows: Option<&(Feeder, Vec<Row>)>,
    matched: &[&str],
) -> PlayerIds {
    let auth = &scenario.auth;
    let numbered = PlayerIds::Numbered { prefix: auth.player_prefix.clone() };
    let Some((feeder, rows)) = rows else { return numbered };
    let played = &rows[..rows.len().min(scenario.players as usize)];
    check_identities(check, scenario, feeder, played, matched);
    if rows.first().is_some_and(|row| row.player.is_some()) {
        header_takes(check, scenario, feeder, played);
        return PlayerIds::Listed(rows.iter().filter_map(|row| row.player.clone()).collect());
    }
    // A file of tokens alone: they say themselves whose they are.
    let claims = rows.iter().map(|row| named_by(auth, row).filter(|id| is_id(id)).map(Into::into));
    claims.collect::<Option<_>>().map_or(numbered, PlayerIds::Listed)
}

/// A delivery is matched by its recipient's id, so the target has to know each socket's player by an id of its own.
fn check_identities(
    check: &mut Check<'_>,
    scenario: &Scenario,
    feeder: &Feeder,
    played: &[Row],
    matched: &[&str],
) {
    let auth = &scenario.auth;
    if matched.is_empty() || auth.mode == AuthMode::None {
        return;
    }
    let file = auth.feeder.as_ref().map_or("", |keys| &keys.file);
    if feeder.cycle && played.len() < scenario.players as usize {
        check.wrong_beside(
                "/auth/feeder/cycle",
                &["/players"],
                format!(
                    "makes {} sockets share {} players, whose deliveries cannot be told apart: most would count as lost",
                    scenario.players,
                    played.len()
                ),
                &format!("add lines or lower players; or take out {}, whose deliveries are matched", matched.join(" and ")),
            );
    }
    if auth.mode != AuthMode::Token {
        return;
    }
    let (mut tokens, mut ids) = (HashMap::new(), HashMap::new());
    let mut wrong = Vec::new();
    for row in played {
        if let Some(first) = row.token.as_ref().and_then(|token| tokens.insert(token, row.line)) {
            wrong.push((
                row.line,
                format!("has the same token as line {first}: the target would take both for one player"),
            ));
            continue;
        }
        let Some(named) = named_by(auth, row) else { continue };
        match &row.player {
            Some(player) if **player != *named => wrong.push((
                row.line,
                format!(
                    "the player is called `{player}`, but its token's `{}` says `{named}`",
                    auth.player_claim
                ),
            )),
            Some(_) => {}
            None => {
                if let Some(first) = ids.insert(named, row.line) {
                    wrong.push((
                        row.line,
                        format!("the token names the same player as the one on line {first}"),
                    ));
                }
            }
        }
    }
    let more = wrong.len().saturating_sub(SHOWN);
    for (line, problem) in wrong.into_iter().take(SHOWN) {
        bad_line(
            check,
            file,
            line,
            problem,
            "the id must be the one by which the target knows the player, or its deliveries count as lost; if another claim says it, set auth.player_claim",
        );
    }
    if more > 0 {
        bad_line(check, file, 0, format!("has {more} more such lines"), "see the lines above");
    }
}

/// Ids that travel in a header are plain text.
fn header_takes(check: &mut Check<'_>, scenario: &Scenario, feeder: &Feeder, played: &[Row]) {
    let auth = &scenario.auth;
    let header = match auth.mode {
        AuthMode::Header => true,
        AuthMode::SigV4 => auth.sigv4.as_ref().is_none_or(|keys| keys.player_header),
        AuthMode::Token | AuthMode::None => false,
    };
    let plain = |row: &&Row| {
        row.player.as_ref().is_some_and(|id| id.bytes().all(|byte| (b' '..=b'~').contains(&byte)))
    };
    if header && let Some(row) = played.iter().find(|row| !plain(row)) {
        let file = auth.feeder.as_ref().map_or("", |keys| &keys.file);
        bad_line(
            check,
            file,
            row.line,
            format!(
                "`{}` has letters beyond ASCII, which the header X-Player-Id cannot carry",
                feeder.player.name
            ),
            "give plain ids, or let tokens say who the players are (auth.mode = \"token\")",
        );
    }
}

/// Where tokens come from: exactly one place.
fn source(
    check: &mut Check<'_>,
    scenario: &Scenario,
    target: &Target,
    feeder: Option<&Feeder>,
) -> TokenSource {
    let auth = &scenario.auth;
    let issuer = auth.issuer.as_ref().and_then(|issuer| {
        check.url(
            "/auth/issuer",
            issuer,
            &["http", "https"],
            "write the identity provider's base URL, e.g. http://127.0.0.1:8081",
        )
    });
    let mint = auth.mint.as_ref().and_then(|mint| minter(check, mint));
    let command = auth.command.as_ref().map(|command| token_command(check, command));
    let from_file = feeder.filter(|feeder| feeder.token.is_some());
    let named = [
        ("issuer", auth.issuer.is_some()),
        ("mint", auth.mint.is_some()),
        ("command", auth.command.is_some()),
        ("feeder", auth.feeder.as_ref().is_some_and(|feeder| feeder.token.is_some())),
    ];
    let given: Vec<_> = named.into_iter().filter(|(_, given)| *given).map(|(name, _)| name).collect();
    if let (Some(last), true) = (given.last(), given.len() > 1) {
        check.wrong(
            &format!("/auth/{last}"),
            format!("tokens cannot come from {} at once", given.join(" and ")),
            "keep one of them",
        );
    }
    let own_tokens = auth.mint.is_some() || auth.command.is_some() || from_file.is_some();
    if auth.mode == AuthMode::Token && own_tokens && matches!(target, Target::Embedded { .. }) {
        check.wrong_beside(
            "/auth",
            &["/target/url", "/auth/mode"],
            "brings tokens that the embedded backend does not know: it trusts its own key only",
            "name the backend that takes them in target.url, or leave its own tokens in place",
        );
    }
    if auth.mode == AuthMode::Token && auth.issuer.is_some() && matches!(target, Target::Embedded { .. }) {
        check.wrong_beside(
            "/auth/issuer",
            &["/target/url", "/auth/mode"],
            "names an identity provider that the embedded backend does not know: it brings its own",
            "name the backend that trusts it in target.url, or leave it out",
        );
    }
    if auth.mode != AuthMode::Token
        && let Some(idle) = given.first().filter(|name| **name != "issuer")
    {
        check.wrong_beside(
            &format!("/auth/{idle}"),
            &["/auth/mode"],
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
        check.wrong_beside(
                "/auth/issuer",
                &["/auth/mode", "/auth/mint", "/auth/feeder", "/auth/command"],
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

fn minter(check: &mut Check<'_>, mint: &keys::Mint) -> Option<Minter> {
    let (least, most) = (Duration::from_secs(10), Duration::from_secs(366 * 86_400));
    if !(least..=most).contains(&mint.lifetime.0) {
        check.wrong("/auth/mint/lifetime", "must be 10 seconds to a year", "write e.g. \"1h\"");
    }
    let file = check.named_file("/auth/mint/key_file", &mint.key_file, "give the path of the key's file")?;
    check.keep_place("/auth/mint/key_file", &file);
    match Minter::new(mint, &file) {
        Ok(minter) => Some(minter),
        Err(mistake) => {
            check.wrong(&format!("/auth/mint/{}", mistake.key), mistake.problem, &mistake.remedy);
            None
        }
    }
}

fn feeder(check: &mut Check<'_>, scenario: &Scenario) -> Option<(Feeder, Vec<Row>)> {
    let auth = &scenario.auth;
    let keys = auth.feeder.as_ref()?;
    let file =
        check.named_file("/auth/feeder/file", &keys.file, "give the path of a CSV or JSON Lines file")?;
    let Some(format) = keys.format.or_else(|| FeederFormat::by_ending(&file)) else {
        check.wrong(
            "/auth/feeder/format",
            format!("is missing: the ending of `{}` does not tell it", keys.file),
            "write \"csv\" or \"jsonl\"",
        );
        return None;
    };
    // An issuer that is wrong is still meant.
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
                bad_line(check, &keys.file, line.line, line.problem, EACH_LINE);
            }
            return None;
        }
    };
    keep_feeder(check, &feeder, &rows);
    if rows.len() < scenario.players as usize && !feeder.cycle {
        check.wrong_beside(
                "/auth/feeder/file",
                &["/players", "/auth/feeder/cycle"],
                format!("has {} players, fewer than the {} of the scenario", rows.len(), scenario.players),
                "add lines or lower players; where nothing is sent whose delivery is matched, auth.feeder.cycle = true begins again at the top",
            );
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let used = rows.iter().take(scenario.players as usize);
    let mut over = used.filter(|row| row.token.as_deref().and_then(expiry).is_some_and(|end| end <= now));
    if let Some(first) = over.next() {
        let more = over.count();
        let others =
            if more > 0 { format!(", and so are those of {more} more lines") } else { String::new() };
        bad_line(check, &keys.file, first.line, format!("the token is expired{others}"), EACH_LINE);
    }
    Some((feeder, rows))
}

/// Tokens are secrets and are not kept with the run, ids are.
fn keep_feeder(check: &mut Check<'_>, feeder: &Feeder, rows: &[Row]) {
    let pointer = "/auth/feeder/file";
    let ids = rows.first().is_some_and(|row| row.player.is_some());
    if ids {
        check.keep(pointer, &feeder.file, Content::Text(feeder.ids_alone(rows)));
    }
    if feeder.token.is_some() || !ids {
        check.keep_place(pointer, &feeder.file);
    }
}

/// A mistake in a feeder's line: it is in that file, not in the scenario.
fn bad_line(check: &mut Check<'_>, file: &str, line: u64, problem: String, remedy: &str) {
    check.wrong_in_file("/auth/feeder", file, BadLine { line, problem }, remedy);
}

fn token_command(check: &mut Check<'_>, command: &keys::Command) -> Command {
    let timeout = check.positive("/auth/command/timeout", command.timeout);
    let program = command.argv.first().map_or("", String::as_str);
    if !runnable(program) {
        check.wrong(
            "/auth/command/argv/0",
            format!("there is no program `{program}` that may be run"),
            "give its path from the working directory, or a name that PATH knows; `chmod +x` a script",
        );
    }
    if program.contains('/') {
        check.keep_place("/auth/command/argv/0", Path::new(program));
    }
    let placed = command.argv.iter().any(|argument| argument.contains("{player}"));
    if command.batch == 1 && !placed {
        check.wrong(
            "/auth/command/argv",
            "names no player: every call would print the same token",
            "put {player} into an argument, or set batch above 1 to have the ids on standard input",
        );
    }
    if command.batch > 1 && placed {
        check.wrong(
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

fn placement(check: &mut Check<'_>, auth: &keys::Auth, protocol: &Outline) -> TokenLocation {
    let header = |name: &str, scheme: Option<&str>| TokenLocation::Header {
        name: name.to_ascii_lowercase(),
        scheme: scheme.map(str::to_owned),
    };
    let names = match &auth.placement {
        None if protocol.token => return TokenLocation::Protocol,
        None | Some(keys::TokenPlacement::Usual(UsualPlacement::Header)) => {
            return header("authorization", Some("Bearer"));
        }
        Some(keys::TokenPlacement::Usual(UsualPlacement::Query)) => {
            return TokenLocation::Query { name: "token".into() };
        }
        Some(keys::TokenPlacement::Usual(UsualPlacement::Protocol)) => {
            if !protocol.token && auth.mode == AuthMode::Token {
                check.wrong_beside(
                    "/auth/placement",
                    &["/protocol"],
                    format!(
                        "leaves the token to the protocol `{}`, which has no `${{token}}`",
                        protocol.name
                    ),
                    "write `${token}` into its handshake or a message, or set \"header\" or \"query\"",
                );
            }
            return TokenLocation::Protocol;
        }
        Some(keys::TokenPlacement::Named(names)) => names,
    };
    let taken = |name: &str| {
        let name = name.to_ascii_lowercase();
        TAKEN.contains(&name.as_str()) || name.starts_with("sec-websocket-")
    };
    match (&names.header, &names.query, &names.scheme) {
        (None, None, None) if names.subprotocol.is_some() => {
            let prefix = names.subprotocol.clone().unwrap_or_default();
            if !prefix.is_empty() && !is_word(&prefix) {
                check.wrong(
                    "/auth/placement/subprotocol",
                    "has letters that a subprotocol cannot have",
                    "write e.g. \"bearer.\", or \"\" for the token alone",
                );
            }
            TokenLocation::Subprotocol { prefix }
        }
        (Some(name), None, scheme) if names.subprotocol.is_none() => {
            if !is_word(name) || taken(name) {
                check.wrong(
                    "/auth/placement/header",
                    format!("`{name}` is not a header that can carry a token"),
                    "write a header's name, e.g. \"Authorization\" or \"X-Auth-Token\"",
                );
            }
            if let Some(scheme) = scheme.as_ref().filter(|scheme| !is_word(scheme)) {
                check.wrong(
                    "/auth/placement/scheme",
                    format!("`{scheme}` has characters that a scheme cannot have"),
                    "write e.g. \"Bearer\" or \"Steam\", or leave it out",
                );
            }
            header(name, scheme.as_deref())
        }
        (None, Some(name), None) if names.subprotocol.is_none() => {
            if name.is_empty() {
                check.wrong("/auth/placement/query", "is empty", "write e.g. \"ticket\"");
            }
            TokenLocation::Query { name: name.clone() }
        }
        _ => {
            check.wrong(
                    "/auth/placement",
                    "must name a header (with or without a scheme), a query parameter or a subprotocol",
                    "write { header = \"Authorization\", scheme = \"Steam\" }, { query = \"ticket\" } or { subprotocol = \"bearer.\" }",
                );
            TokenLocation::Query { name: "token".into() }
        }
    }
}

fn sigv4(check: &mut Check<'_>, auth: &keys::Auth, target: &Target) -> SigV4 {
    if auth.mode == AuthMode::SigV4 && matches!(target, Target::Embedded { .. }) {
        check.wrong_beside(
            "/auth/mode",
            &["/target/url"],
            "signs handshakes, which the embedded backend does not check",
            "name the API in target.url, e.g. wss://ID.execute-api.REGION.amazonaws.com/STAGE",
        );
    }
    if auth.sigv4.is_some() && auth.mode != AuthMode::SigV4 {
        check.wrong_beside(
            "/auth/sigv4",
            &["/auth/mode"],
            "is only used with auth.mode = \"sigv4\"",
            "set auth.mode to \"sigv4\", or take it out",
        );
    }
    let keys = auth.sigv4.clone().unwrap_or_default();
    let (least, most) = (Duration::from_secs(1), Duration::from_secs(7 * 86_400));
    if !(least..=most).contains(&keys.expires.0) {
        check.wrong("/auth/sigv4/expires", "must be 1 second to 7 days", "write e.g. \"60s\"");
    }
    for (key, text) in [("region", keys.region.as_deref()), ("service", Some(keys.service.as_str()))] {
        if text.is_some_and(|text| !is_word(text)) {
            check.wrong(
                &format!("/auth/sigv4/{key}"),
                "has characters that it cannot have",
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

/// By which id the target knows a line's player, as its token says.
fn named_by(auth: &keys::Auth, row: &Row) -> Option<String> {
    let token =
        row.token.as_deref().filter(|_| auth.mode == AuthMode::Token && !auth.player_claim.is_empty())?;
    claim(token, &auth.player_claim)
}

/// The region in `ID.execute-api.REGION.amazonaws.com`.
fn region_of(url: &Url) -> Option<String> {
    let parts: Vec<_> = url.host_str()?.split('.').collect();
    match parts.as_slice() {
        [_, "execute-api", region, "amazonaws", "com", ..] => Some((*region).to_owned()),
        _ => None,
    }
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
    use documents::Document;

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

    /// What `[auth]` comes to for a protocol that has `${token}`, or does not; the mistakes' keys where it is wrong.
    fn placed(auth: &str, token: bool) -> Result<TokenLocation, Vec<String>> {
        let text = format!(
            "name = \"a\"\nplayers = 1\n[target]\nurl = \"ws://127.0.0.1:1\"\n\
             [auth]\nissuer = \"http://127.0.0.1:2\"\n{auth}\n\
             [[phases]]\nkind = \"hold\"\nduration = \"1s\"\n"
        );
        let document = Document::parse("a.toml", &text).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let scenario: Scenario = toml::from_str(&text).unwrap_or_else(|error| panic!("{error}"));
        let mut check = Check::new(&document, &[], &[], |_| Vec::new());
        let protocol = Outline { name: "game".into(), token, ..Outline::default() };
        let target = Target::Url("ws://127.0.0.1:1".parse().unwrap());
        let placement = super::auth(&mut check, &scenario, &target, &protocol).placement;
        let mistakes = check.findings.mistakes;
        if mistakes.is_empty() { Ok(placement) } else { Err(mistakes.into_iter().map(|m| m.key).collect()) }
    }

    #[test]
    fn a_token_is_left_to_the_protocol_that_has_it() {
        let bearer = TokenLocation::Header { name: "authorization".into(), scheme: Some("Bearer".into()) };
        assert_eq!(placed("", false), Ok(bearer.clone()));
        assert_eq!(placed("", true), Ok(TokenLocation::Protocol));
        assert_eq!(placed("placement = \"protocol\"", true), Ok(TokenLocation::Protocol));
        assert_eq!(placed("placement = \"header\"", true), Ok(bearer), "it is in two places then");
        assert_eq!(placed("placement = \"protocol\"", false), Err(vec!["auth.placement".into()]));
        for mode in ["header", "none"] {
            let mode = format!("mode = \"{mode}\"");
            assert_eq!(placed(&mode, true), Err(vec!["auth.mode".into()]));
            assert!(placed(&mode, false).is_ok());
        }
    }

    #[test]
    fn a_program_is_found_by_path_or_by_name() {
        assert!(runnable("sh") && runnable("/bin/sh"));
        assert!(!runnable("no-such-program-anywhere") && !runnable("/etc/passwd") && !runnable(""));
    }
}
