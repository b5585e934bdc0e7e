//! The format of the messages: parts with their lengths in bytes before them, `3:SAY,1:7,`
//! (D. J. Bernstein, "Netstrings", 1997).

/// A message of these parts.
pub(crate) fn join<'p>(parts: impl IntoIterator<Item = &'p str>) -> String {
    let mut message = String::new();
    for part in parts {
        message.push_str(&part.len().to_string());
        message.push(':');
        message.push_str(part);
        message.push(',');
    }
    message
}

/// The parts of a message, none of them copied; `None` where it is not made of such parts.
pub(crate) fn split(message: &str) -> Option<Vec<&str>> {
    let (mut parts, mut rest) = (Vec::new(), message);
    while !rest.is_empty() {
        let (length, behind) = rest.split_once(':')?;
        let (part, behind) = behind.split_at_checked(length.parse().ok()?)?;
        parts.push(part);
        rest = behind.strip_prefix(',')?;
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_joined_is_split_into_the_same_parts() {
        for parts in [vec![], vec![""], vec!["SAY", "7", "a,b:c", "é"]] {
            assert_eq!(split(&join(parts.iter().copied())), Some(parts));
        }
        assert_eq!(join(["SAY", "é"]), "3:SAY,2:é,");
    }

    #[test]
    fn anything_else_has_no_parts() {
        for message in ["SAY", "4:SAY,", "3:SAY", "3SAY,", "1:é,", "-1:,", "99999999999999999999:,"] {
            assert_eq!(split(message), None, "{message}");
        }
    }
}
