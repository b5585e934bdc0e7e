//! What the pages quote of the programs. After a wanted change: `UPDATE_DOCS=1 cargo test --locked -p docs`.

use clap::{Command, CommandFactory};
use docs::Page;
use output::Exit;
use prices::{Item, Price, PriceList, Tier};
use reports::format::Status;
use reports::human;

/// Columns of the help texts.
const WIDTH: usize = 100;

/// The help of a command and of those below it that are shown, each under a heading of its own.
fn helps(mut command: Command) -> String {
    fn add(command: &mut Command, text: &mut String) {
        let name = command.get_bin_name().unwrap_or_else(|| command.get_name()).to_owned();
        let help = command.render_long_help().to_string();
        let lines = help.lines().map(|line| format!("{}\n", line.trim_end())).collect::<String>();
        text.push_str(&format!("\n## {name}\n```text\n{}\n```\n", lines.trim_end()));
        let shown = command.get_subcommands_mut().filter(|command| !command.is_hide_set());
        shown.filter(|command| command.get_name() != "help").for_each(|command| add(command, text));
    }
    command = command.term_width(WIDTH);
    command.build();
    let mut text = String::new();
    add(&mut command, &mut text);
    text
}

fn loadgen() -> Command {
    loadgen::cli::command()
}

fn backend() -> Command {
    reference_backend_serve::cli::Cli::command()
}

#[test]
fn the_help_page_is_what_the_programs_print() {
    let mut page = Page::read("docs/help.md");
    page.block("loadgen", &helps(loadgen()));
    page.block("reference-backend", &helps(backend()));
}

#[test]
fn the_exit_codes_are_those_of_the_type() {
    let rows = Exit::all().map(|exit| format!("| {} | {} |\n", exit.code(), exit.meaning()));
    let table = format!("| code | meaning |\n|---|---|\n{}", rows.collect::<String>());
    Page::read("docs/cli.md").block("exit codes", &table);
    Page::read("README.md").block("exit codes", &format!("Exit codes: {}.", Exit::summary()));
    let verdicts = Page::read("docs/measuring.md");
    for status in Status::ALL {
        let start = format!("| `{}` |", status.word());
        let row = verdicts.text().lines().find(|line| line.starts_with(&start)).unwrap_or_default();
        let code = Exit::from(status).code();
        assert!(row.ends_with(&format!("| {code} |")), "docs/measuring.md: {start} … | {code} |");
    }
}

#[test]
fn every_error_class_is_explained() {
    let pages = ["docs/cli.md", "docs/measuring.md"].map(Page::read);
    for class in loadgen::record::classes::ALL {
        let quoted = format!("`{class}`");
        let explained = pages.iter().any(|page| page.text().contains(&quoted));
        assert!(explained, "docs/cli.md, section Error classes, lacks {quoted}");
    }
}

#[test]
fn the_library_is_what_ships() {
    let described = scenarios::shipped::SCENARIOS.iter().map(|shipped| {
        let checked = scenarios::check(shipped.name, shipped.text, &[]);
        let description = checked.unwrap_or_else(|mistakes| panic!("{mistakes}")).scenario.description;
        format!("| `{}` | {description} |\n", shipped.name)
    });
    let table = format!("| scenario | what it does |\n|---|---|\n{}", described.collect::<String>());
    Page::read("docs/scenarios.md").block("library", &table);
}

fn protocol_page(name: &str) -> String {
    format!("docs/protocols/{name}.md")
}

#[test]
fn the_prices_are_those_that_ship() {
    let row = |item: Item| {
        let Price { price, per, tiers, source } = PriceList::shipped().price(item);
        let per = if *per > 1.0 { format!(" for {}", human::count(*per as u64)) } else { String::new() };
        let tier = |tier: &Tier| format!("; above {}: {}", human::count(tier.above as u64), tier.price);
        let tiers = tiers.iter().map(tier).collect::<String>();
        format!("| `{}`: {} ({}) | {price}{per}{tiers} | {source} |\n", item.key(), item.name(), item.unit())
    };
    let PriceList { currency, region, as_of, .. } = PriceList::shipped();
    let rows = Item::ALL.into_iter().filter(|item| *item != Item::LambdaInitGbSeconds).map(row);
    let head = format!("| item | {currency} in {region}, {as_of} | source |\n|---|---|---|\n");
    Page::read("docs/cost.md").block("prices", &(head + &rows.collect::<String>()));
}

#[test]
fn every_protocol_that_ships_has_a_page() {
    let rows = protocol::shipped::names().map(|name| {
        let _ = Page::read(&protocol_page(name));
        let shipped = protocol::load_named(name).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        format!("| [`{name}`](protocols/{name}.md) | {} |\n", shipped.outline().description)
    });
    let table = format!("| protocol | whose messages |\n|---|---|\n{}", rows.collect::<String>());
    Page::read("docs/protocols.md").block("protocols", &table);
}

#[test]
fn protocol_files_and_scenarios_on_the_pages_pass_check() {
    let folder = tempfile::tempdir().unwrap();
    let mut checked = 0;
    for path in ["docs/protocols.md", "docs/your-own-backend.md"] {
        let page = Page::read(path);
        let whole = page.blocks("toml").into_iter().filter(|block| block.starts_with("name = "));
        // A protocol file comes before the scenario that names it.
        for text in whole {
            let written = if text.contains("\nplayers = ") {
                let file = folder.path().join("evening.toml");
                scenarios::check(&file.display().to_string(), &text, &[]).map(|_| ())
            } else {
                std::fs::write(folder.path().join("game.toml"), &text).unwrap();
                protocol::check(path, &text).map(|_| ())
            };
            written.unwrap_or_else(|mistakes| panic!("{path}: {mistakes}\n{text}"));
            checked += 1;
        }
    }
    assert_eq!(checked, 3);
}

#[test]
fn the_reference_protocol_knows_every_message_of_its_page() {
    let reference = protocol::load_named(protocol::shipped::REFERENCE).unwrap();
    let blocks = Page::read("docs/reference-protocol.md").blocks("text");
    let lines = blocks.iter().flat_map(|block| block.lines());
    let received =
        lines.filter_map(|line| line.strip_prefix("< ")).filter(|message| message.starts_with('{'));
    let read = received.map(|message| {
        let read = reference.read(message, &mut |_| true);
        assert_eq!(read, protocol::protocol::Read::Taken, "{message}");
    });
    assert_eq!(read.count(), 7);
}

#[test]
fn every_command_of_the_pages_is_one() {
    let mut checked = 0;
    for path in [
        "README.md",
        "docs/capacity.md",
        "docs/ci.md",
        "docs/cli.md",
        "docs/doctor.md",
        "docs/figures.md",
        "docs/history.md",
        "docs/local-stack.md",
        "docs/protocols.md",
        "docs/reference-protocol.md",
        "docs/your-own-backend.md",
    ]
    .map(str::to_owned)
    .into_iter()
    .chain(protocol::shipped::names().map(protocol_page))
    {
        for line in Page::read(&path).shell_commands() {
            let words = line.split_whitespace().map(|word| word.trim_matches(['\'', '"']));
            let words: Vec<_> = words.take_while(|word| !matches!(*word, "|" | "&&" | ">" | "&")).collect();
            let (program, arguments) = match words.as_slice() {
                ["cargo", "run", "--locked", "--release", "--", arguments @ ..]
                | ["cargo", "run", "--release", "--", arguments @ ..]
                | ["loadgen", arguments @ ..] => (loadgen(), arguments),
                ["reference-backend" | "target/release/reference-backend", arguments @ ..] => {
                    (backend(), arguments)
                }
                _ => continue,
            };
            let name = program.get_name().to_owned();
            let parsed = program.try_get_matches_from([&[name.as_str()], arguments].concat());
            assert!(parsed.is_ok(), "{path}: {line}\n{}", parsed.unwrap_err());
            checked += 1;
        }
    }
    assert!(checked >= 15, "only {checked} commands were found");
}

#[test]
fn the_files_that_a_change_touches_exist() {
    let page = Page::read("docs/changing-the-code.md");
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let words = page.text().split('`').skip(1).step_by(2);
    let files: Vec<_> = words.filter(|word| word.contains('/') && !word.contains([' ', ':'])).collect();
    let missing: Vec<_> = files.iter().filter(|file| !root.join(file).exists()).collect();
    assert!(missing.is_empty(), "docs/changing-the-code.md names what is not there: {missing:?}");
    assert!(files.len() > 60, "only {} paths were found", files.len());
}

#[test]
fn every_error_class_is_documented() {
    let classes = include_str!("../../loadgen/src/record/classes.rs");
    let words = classes
        .lines()
        .filter_map(|line| line.trim().strip_suffix("\";")?.split_once(" = \""))
        .map(|(_, word)| word);
    let words: Vec<_> = words.collect();
    let pages = [Page::read("docs/cli.md"), Page::read("docs/measuring.md")];
    let missing: Vec<_> = words
        .iter()
        .filter(|word| !pages.iter().any(|page| page.text().contains(&format!("`{word}`"))))
        .collect();
    assert!(missing.is_empty(), "neither docs/cli.md nor docs/measuring.md has {missing:?}");
    assert!(words.len() > 30, "only {} classes were found", words.len());
}
