//! The section `[prices]`: a price file of one's own.
#![allow(clippy::unwrap_used)]

use std::fs;

use scenarios::{Content, load};

const SCENARIO: &str = "name = \"priced\"\nplayers = 10\nphases = [{ kind = \"hold\", duration = \"10s\" }]\n\
    [prices]\nfile = \"mine.toml\"\n";
const SHIPPED: &str = include_str!("../prices/us-east-1.toml");

/// What is told of the scenario beside this price file, or its currency and total.
fn explained(prices: Option<&str>) -> Result<String, String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("priced.toml");
    fs::write(&path, SCENARIO).unwrap();
    if let Some(prices) = prices {
        fs::write(dir.path().join("mine.toml"), prices).unwrap();
    }
    let checked = load(&path, &[]).map_err(|mistakes| mistakes.to_string())?;
    let [kept] = &checked.inputs[..] else { panic!("{:?}", checked.inputs) };
    assert!(kept.name == "inputs/mine.toml" && matches!(kept.content, Content::File(_)));
    assert!(checked.as_run.contains("file = \"inputs/mine.toml\""), "{}", checked.as_run);
    Ok(scenarios::explain::explain(&checked.plan, str::to_owned))
}

#[test]
fn an_own_price_file_is_what_a_plan_is_priced_with_and_is_kept_with_the_run() {
    let mine = SHIPPED
        .replace("us-east-1", "eu-west-1")
        .replace("USD", "EUR")
        .replace("\"2026-11\"", "\"2026-12-24\"");
    let told = explained(Some(&mine)).unwrap();
    assert!(told.contains("On AWS it would cost about EUR 0.0"), "{told}");
    assert!(told.contains("List prices of eu-west-1 as of 2026-12-24"), "{told}");
}

#[test]
fn a_price_file_that_is_wrong_or_not_there_is_told_with_its_line() {
    let wrong = SHIPPED.replace("price = 0.625", "price = \"cheap\"");
    let told = explained(Some(&wrong)).unwrap_err();
    let line = wrong.lines().position(|line| line.contains("cheap")).unwrap() + 1;
    assert!(
        told.contains(&format!("mine.toml:{line}:1: `prices.dynamodb_write_units.price`: must be number")),
        "{told}"
    );
    let told = explained(None).unwrap_err();
    assert!(told.contains("priced.toml:5:1: `prices.file`: there is no file `mine.toml`"), "{told}");
}
