//! `[auth]` as users write it: every way to have credentials is taken, every mistake is told before a byte is sent.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use scenarios::plan::auth::{TokenLocation, TokenSource};
use scenarios::{Checked, Mistakes, Override, check};
use serde_json::Value;

const REST: &str = "\n[[phases]]\nkind = \"hold\"\nduration = \"1s\"\n";
const TARGET: &str = "[target]\nurl = \"wss://abc.execute-api.eu-west-1.amazonaws.com/Staging\"\n";

fn checked(folder: &Path, auth: &str) -> Result<Checked, Mistakes> {
    let file = folder.join("scenario.toml").display().to_string();
    check(&file, &format!("name = \"a\"\nplayers = 3\n{TARGET}{auth}{REST}"), &[])
}

fn told(folder: &Path, auth: &str) -> String {
    match checked(folder, auth) {
        Ok(_) => panic!("no mistake: {auth}"),
        Err(mistakes) => mistakes.to_string(),
    }
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    for (name, text) in [
        ("key.pem", key.serialize_pem().as_str()),
        ("public.pem", key.public_key_pem().as_str()),
        ("secret.txt", "hush\n"),
        ("players.csv", "player,token\nann,t-1\nbob,t-2\ncid,t-3\n"),
    ] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    std::fs::write(folder.path().join("key.der"), key.serialize_der()).unwrap();
    let utf16: Vec<u8> = std::iter::once(0xfeff)
        .chain(key.serialize_pem().encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    std::fs::write(folder.path().join("wide.pem"), utf16).unwrap();
    std::fs::write(folder.path().join("marked.txt"), "\u{feff}hush\n").unwrap();
    folder
}

#[test]
fn a_minted_token_says_what_the_scenario_wants() {
    let folder = folder();
    let public = std::fs::read(folder.path().join("public.pem")).unwrap();
    for (file, algorithm, key) in [
        ("key.pem", Algorithm::ES256, DecodingKey::from_ec_pem(&public).unwrap()),
        ("wide.pem", Algorithm::ES256, DecodingKey::from_ec_pem(&public).unwrap()),
        ("key.der", Algorithm::ES256, DecodingKey::from_ec_pem(&public).unwrap()),
        ("secret.txt", Algorithm::HS256, DecodingKey::from_secret(b"hush")),
    ] {
        let auth = format!(
            "[auth.mint]\nkey_file = \"{file}\"\nalgorithm = \"{algorithm:?}\"\nkey_id = \"k-1\"\n\
             issuer = \"https://id.example\"\naudience = \"game\"\nlifetime = \"10m\"\n\
             claims = {{ role = \"player\", names = [\"{{player}}\"] }}\n"
        );
        let plan = checked(folder.path(), &auth).unwrap_or_else(|mistakes| panic!("{mistakes}")).plan;
        let TokenSource::Mint(minter) = &plan.auth.source else { panic!("{:?}", plan.auth.source) };
        let now = jsonwebtoken::get_current_timestamp();
        let token = minter.token("ann", now).unwrap();
        let mut validation = Validation::new(algorithm);
        validation.set_audience(&["game"]);
        validation.set_issuer(&["https://id.example"]);
        let read = decode::<Value>(&token, &key, &validation).unwrap();
        assert_eq!(read.header.kid.as_deref(), Some("k-1"));
        assert_eq!(
            (&read.claims["sub"], &read.claims["names"][0], &read.claims["role"]),
            (&"ann".into(), &"ann".into(), &"player".into())
        );
        assert_eq!(read.claims["exp"], now + 600);
        assert_eq!(scenarios::plan::expiry::expiry(&token), Some(now + 600));
        assert!(!format!("{plan:?}").contains("hush"), "the key in a debug text");
    }
}

#[test]
fn a_feeder_brings_ids_and_a_placement_its_names() {
    let folder = folder();
    let auth = "[auth]\nplacement = { header = \"Authorization\", scheme = \"Steam\" }\n\
                feeder = { file = \"players.csv\" }\n";
    let plan = checked(folder.path(), auth).unwrap_or_else(|mistakes| panic!("{mistakes}")).plan;
    assert_eq!(plan.player_id(1), "bob");
    let steam = TokenLocation::Header { name: "authorization".into(), scheme: Some("Steam".into()) };
    assert_eq!(plan.auth.placement, steam);
    let auth = "[auth]\nplacement = { query = \"ticket\" }\nmode = \"header\"\n\
                feeder = { file = \"players.csv\", player = \"token\", cycle = true }\n";
    let plan = checked(folder.path(), auth).unwrap_or_else(|mistakes| panic!("{mistakes}")).plan;
    assert_eq!((plan.player_id(0), plan.player_id(4)), ("t-1".into(), "t-2".into()));
    assert_eq!(plan.auth.placement, TokenLocation::Query { name: "ticket".into() });
}

#[test]
fn signed_handshakes_take_the_region_from_the_target() {
    let plan = checked(Path::new("."), "[auth]\nmode = \"sigv4\"\n").unwrap().plan;
    assert_eq!(plan.auth.sigv4.region.as_deref(), Some("eu-west-1"));
    assert_eq!(plan.auth.sigv4.service, "execute-api");
}

#[test]
fn what_cannot_work_is_told_with_its_key() {
    let folder = folder();
    let mint = |rest: &str| format!("[auth.mint]\n{rest}\n");
    for (auth, wanted) in [
        (
            mint("key_file = \"no.pem\"\nalgorithm = \"ES256\""),
            "`auth.mint.key_file`: there is no file `no.pem`",
        ),
        (mint("key_file = \"public.pem\"\nalgorithm = \"ES256\""), "`public.pem` is not a private key"),
        (mint("key_file = \"key.pem\"\nalgorithm = \"RS256\""), "is not a private key for RS256"),
        (mint("key_file = \"key.pem\"\nalgorithm = \"HS256\""), "it is a PEM file, not an HMAC secret"),
        (mint("key_file = \"marked.txt\"\nalgorithm = \"HS256\""), "it begins with a byte order mark"),
        (mint("key_file = \"key.pem\"\nalgorithm = \"ES384\""), "`key.pem` does not sign with ES384"),
        (mint("key_file = \"key.pem\"\nalgorithm = \"none\""), ", found \"none\""),
        (
            mint("key_file = \"key.pem\"\nalgorithm = \"ES256\"\nclaims = { exp = 1 }"),
            "`exp` is set for each player",
        ),
        (mint("key_file = \"key.pem\"\nalgorithm = \"ES256\"\nlifetime = \"1s\""), "10 seconds to a year"),
        (
            "[auth.feeder]\nfile = \"players.csv\"\ntoken = \"jwt\"\n".into(),
            "players.csv:1: `auth.feeder`: there is no column `jwt`",
        ),
        ("[auth.feeder]\nfile = \"secret.txt\"\n".into(), "`auth.feeder.format`: is missing"),
        ("[auth.command]\nargv = [\"/no/such\", \"{player}\"]\n".into(), "there is no program `/no/such`"),
        ("[auth.command]\nargv = [\"sh\"]\n".into(), "names no player"),
        (
            "[auth.command]\nargv = [\"sh\", \"{player}\"]\nbatch = 5\n".into(),
            "read the ids from standard input",
        ),
        (
            "[auth]\nmode = \"header\"\ncommand = { argv = [\"sh\", \"{player}\"] }\n".into(),
            "only used with auth.mode",
        ),
        (
            "[auth]\nissuer = \"http://127.0.0.1:1\"\ncommand = { argv = [\"sh\", \"{player}\"] }\n".into(),
            "cannot come from issuer and command at once",
        ),
        (
            "[auth]\nplacement = \"cookie\"\n".into(),
            "must be one of \"header\", \"query\", \"protocol\", found \"cookie\"",
        ),
        ("[auth]\nplacement = { heder = \"x\" }\n".into(), "did you mean `header`?"),
        ("[auth]\nplacement = { header = \"Upgrade\" }\n".into(), "is not a header that can carry a token"),
        ("[auth]\nplacement = { header = \"a\", query = \"b\" }\n".into(), "must name a header"),
        (
            "[auth]\nmode = \"none\"\nsigv4 = { form = \"query\" }\n".into(),
            "only used with auth.mode = \"sigv4\"",
        ),
        (String::new(), "[auth.mint], [auth.feeder] or [auth.command]"),
    ] {
        let told = told(folder.path(), &auth);
        assert!(told.contains(wanted) && told.contains("help:"), "{auth}\n{told}");
    }
    std::fs::write(folder.path().join("two.csv"), "token\na\nb\n").unwrap();
    let few = told(folder.path(), "[auth.feeder]\nfile = \"two.csv\"\n");
    assert!(few.contains("has 2 players, fewer than the 3") && few.contains("cycle = true"), "{few}");
    for (auth, wanted) in [
        ("mode = \"sigv4\"", "`auth.mode`: signs handshakes, which the embedded backend does not check"),
        (
            "issuer = \"http://127.0.0.1:1\"",
            "`auth.issuer`: names an identity provider that the embedded backend",
        ),
    ] {
        let embedded = format!("name = \"a\"\nplayers = 3\n[auth]\n{auth}\n{REST}");
        let told = check("x.toml", &embedded, &[]).unwrap_err().to_string();
        assert!(told.contains(wanted) && told.contains("target.url"), "{told}");
    }
}

#[test]
fn an_expired_token_is_told_before_the_run() {
    let folder = folder();
    let claims = serde_json::json!({ "exp": 1_000_000 });
    let key = jsonwebtoken::EncodingKey::from_secret(b"k");
    let token = jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key).unwrap();
    std::fs::write(folder.path().join("old.jsonl"), format!("{{\"token\":\"{token}\"}}\n").repeat(3))
        .unwrap();
    let told = told(folder.path(), "[auth.feeder]\nfile = \"old.jsonl\"\n");
    assert!(
        told.contains("old.jsonl:1: `auth.feeder`: the token is expired, and so are those of 2 more"),
        "{told}"
    );
    assert!(!told.contains(&token));
}

#[test]
fn a_secret_in_the_scenario_is_refused_and_not_repeated() {
    let folder = folder();
    let secret = "MARKER-s3cr3t";
    for auth in [
        format!("[auth.mint]\nsecret = \"{secret}\"\nalgorithm = \"HS256\"\n"),
        format!("[auth]\ntoken = \"{secret}\"\n"),
        format!("[auth]\nmode = \"header\"\nissuer = \"http://ann:{secret}@127.0.0.1:1\"\n"),
        format!("[auth.command]\nargv = [\"sh\", \"-----BEGIN PRIVATE KEY----- {secret}\"]\n"),
    ] {
        let told = told(folder.path(), &auth);
        assert!(told.contains("secret") && told.contains("help:") && !told.contains(secret), "{told}");
    }
    for set in [
        format!("auth.mint.secret={secret}"),
        format!("auth.mint={{ secret = \"{secret}\" }}"),
        format!("target.url=wss://x.example/?token={secret}"),
    ] {
        let set: Override = set.parse().unwrap();
        let text = format!("name = \"a\"\nplayers = 3\n[auth]\nmode = \"none\"\n{REST}");
        let told = check("x.toml", &text, &[set]).unwrap_err().to_string();
        assert!(told.contains("help:") && !told.contains(secret), "{told}");
    }
}
