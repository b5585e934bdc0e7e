//! Numbers as DynamoDB keeps them: a decimal of up to 38 digits, written without exponent or needless zeros.

use std::borrow::Cow;
use std::cmp::Ordering;

use reference_backend::ports::TableError;

/// Most significant digits.
const DIGITS: usize = 38;
/// Decimal exponents of the first digit between which numbers lie.
const EXPONENTS: std::ops::RangeInclusive<i64> = -130..=125;

/// A number in the one form in which it is read back.
pub(super) fn canonical(text: &str) -> Result<Cow<'_, str>, TableError> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let plain = !unsigned.is_empty()
        && unsigned.len() <= DIGITS
        && unsigned.bytes().all(|byte| byte.is_ascii_digit())
        && !unsigned.starts_with('0');
    if plain || text == "0" { Ok(Cow::Borrowed(text)) } else { rewritten(text).map(Cow::Owned) }
}

fn rewritten(text: &str) -> Result<String, TableError> {
    let refused = |reason: String| TableError::Validation(reason);
    let no_number = || match text {
        "" => refused("The parameter cannot be converted to a numeric value".into()),
        _ => refused(format!("The parameter cannot be converted to a numeric value: {text}")),
    };
    let (negative, unsigned) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent_of(exponent).ok_or_else(no_number)?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    if digits().next().is_none() || !digits().all(|byte| byte.is_ascii_digit()) {
        return Err(no_number());
    }
    let all: String = digits().map(char::from).collect();
    let significant = all.trim_matches('0');
    if significant.is_empty() {
        return Ok("0".into());
    }
    // Of the first significant digit: 0 for 1 to 9.
    let leading = all.len() - all.trim_start_matches('0').len();
    let first = whole.len() as i64 - 1 - leading as i64 + exponent;
    if significant.len() > DIGITS {
        return Err(refused("Attempting to store more than 38 significant digits in a Number".into()));
    }
    if first > *EXPONENTS.end() {
        let text = "Number overflow. Attempting to store a number with magnitude larger than supported range";
        return Err(refused(text.into()));
    }
    if first < *EXPONENTS.start() {
        let text =
            "Number underflow. Attempting to store a number with magnitude smaller than supported range";
        return Err(refused(text.into()));
    }
    let sign = if negative { "-" } else { "" };
    let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or_default());
    let length = significant.len() as i64;
    Ok(if first < 0 {
        format!("{sign}0.{}{significant}", zeros(-first - 1))
    } else if first + 1 >= length {
        format!("{sign}{significant}{}", zeros(first + 1 - length))
    } else {
        let (whole, fraction) = significant.split_at(usize::try_from(first + 1).unwrap_or_default());
        format!("{sign}{whole}.{fraction}")
    })
}

/// An exponent; one that no number can have need not be exact.
fn exponent_of(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = digits.trim_start_matches('0');
    let size = if digits.len() > 9 { 1_000_000_000 } else { digits.parse().unwrap_or(0) };
    Some(if text.starts_with('-') { -size } else { size })
}

/// The whole number at or below a canonical one; none of what fits no `i64`.
pub(super) fn floor(number: &str) -> Option<i64> {
    let Some((whole, _)) = number.split_once('.') else { return number.parse().ok() };
    let whole: i64 = whole.parse().ok()?;
    if number.starts_with('-') { whole.checked_sub(1) } else { Some(whole) }
}

/// How a canonical number stands to a whole one.
pub(super) fn compare(number: &str, other: i64) -> Ordering {
    let negative = number.starts_with('-');
    let (whole, fraction) = number.split_once('.').map_or((number, false), |(whole, _)| (whole, true));
    match whole.parse::<i64>() {
        // What is cut off lies on the far side of zero.
        Ok(whole) if fraction && whole == other => {
            if negative {
                Ordering::Less
            } else {
                Ordering::Greater
            }
        }
        Ok(whole) => whole.cmp(&other),
        Err(_) if negative => Ordering::Less,
        Err(_) => Ordering::Greater,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_way_to_write_a_number_ends_at_one() {
        for (text, expected) in [
            ("0", "0"),
            ("-0", "0"),
            ("-0.0", "0"),
            ("00", "0"),
            ("007", "7"),
            ("+5", "5"),
            ("5.", "5"),
            (".5", "0.5"),
            ("1.50", "1.5"),
            ("1e3", "1000"),
            ("1E-3", "0.001"),
            ("1.5e2", "150"),
            ("-12.5e-1", "-1.25"),
            ("9223372036854775808", "9223372036854775808"),
            ("0e999999999999999999999", "0"),
        ] {
            assert_eq!(canonical(text).expect(text), expected, "{text}");
        }
        for wrong in ["", "abc", " 1", "1 ", "-", ".", "1e", "1e1.5", "--1", "1.2.3", "NaN", "0x1"] {
            assert!(canonical(wrong).expect_err(wrong).to_string().contains("numeric value"), "{wrong}");
        }
        let digits = "1".repeat(39);
        for (text, expected) in [(digits.as_str(), "38"), ("1e126", "overflow"), ("1e-131", "underflow")] {
            assert!(canonical(text).expect_err(text).to_string().contains(expected), "{text}");
        }
        assert_eq!(canonical("1e125").expect("the largest").len(), 126);
        assert!(canonical("1e-130").is_ok());
    }

    proptest! {
        /// The value stays, and what has been rewritten once is rewritten no more.
        #[test]
        fn rewriting_keeps_the_value(
            sign in "[+-]?", whole in "[0-9]{1,12}", fraction in "(\\.[0-9]{0,12})?", exponent in "([eE][+-]?[0-9]{1,2})?",
        ) {
            let text = format!("{sign}{whole}{fraction}{exponent}");
            let once = canonical(&text).expect("a number").into_owned();
            let twice = canonical(&once).expect("a number").into_owned();
            prop_assert_eq!(&twice, &once);
            let (before, after): (f64, f64) = (text.parse().expect("f64"), once.parse().expect("f64"));
            prop_assert!((before - after).abs() <= before.abs() * 1e-15, "{} is not {}", text, once);
        }

        #[test]
        fn numbers_compare_by_value(hundredths in -500_i64..500, other in -6_i64..6) {
            let text = format!("{hundredths}e-2");
            let expected = hundredths.cmp(&(other * 100));
            let canonical = canonical(&text).expect("a number");
            prop_assert_eq!(compare(&canonical, other), expected);
            prop_assert_eq!(floor(&canonical), Some(hundredths.div_euclid(100)));
        }
    }

    #[test]
    fn what_fits_no_integer_compares_by_its_sign() {
        assert_eq!(compare("9223372036854775808", i64::MAX), Ordering::Greater);
        assert_eq!(compare("-9223372036854775809", i64::MIN), Ordering::Less);
    }
}
