//! What a handshake's credentials cost the generator, in CPU: to be held against 80 µs for the whole handshake.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use loadgen::auth::Credentials;
use scenarios::plan::shard::Shard;
use tokio::runtime::Runtime;
use url::Url;

const REST: &str = "[[phases]]\nkind = \"hold\"\nduration = \"1s\"\n";
const URL: &str = "wss://abc.execute-api.eu-west-1.amazonaws.com/Staging";

/// Credentials of a hundred players for a target that is never asked.
fn prepared(runtime: &Runtime, auth: &str) -> Credentials {
    let text = format!("name = \"bench\"\nplayers = 100\n[target]\nurl = \"{URL}\"\n{auth}\n{REST}");
    let plan = match scenarios::check("bench.toml", &text, &[]) {
        Ok(checked) => Arc::new(checked.plan),
        Err(mistakes) => panic!("{mistakes}"),
    };
    match runtime.block_on(Credentials::prepare(&plan, Shard::WHOLE, None)) {
        Ok(credentials) => credentials,
        Err(error) => panic!("{error}"),
    }
}

fn credentials(c: &mut Criterion) {
    let Ok(runtime) = Runtime::new() else { return };
    let Ok(url) = Url::parse(URL) else { return };
    let mut group = c.benchmark_group("credentials");
    let command = "command = { argv = [\"echo\", \"a-token-of-{player}\"] }";
    let mut modes = vec![
        ("player_id", "[auth]\nmode = \"header\"".to_owned()),
        ("token_header", format!("[auth]\n{command}")),
        ("token_query", format!("[auth]\nplacement = \"query\"\n{command}")),
    ];
    // Signing needs keys, and takes whichever the environment names; CI and `docs/figures.md` set made-up ones.
    if std::env::var_os("AWS_ACCESS_KEY_ID").is_some() {
        modes.push(("sigv4_header", "[auth]\nmode = \"sigv4\"".to_owned()));
        modes.push(("sigv4_query", "[auth]\nmode = \"sigv4\"\nsigv4 = { form = \"query\" }".to_owned()));
    }
    for (name, auth) in modes {
        let credentials = prepared(&runtime, &auth);
        let mut player = 0;
        group.bench_function(name, |b| {
            b.iter(|| {
                player = (player + 1) % 100;
                black_box(runtime.block_on(credentials.present(player, &url)).map(|shown| shown.url(&url)))
            });
        });
    }
    group.finish();
}

criterion_group!(benches, credentials);
criterion_main!(benches);
