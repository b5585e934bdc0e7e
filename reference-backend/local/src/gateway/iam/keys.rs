//! The access keys that may sign, read from a file: on the command line every other process would see them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};
use toml::Spanned;

/// Access keys, each with its secret.
pub type IamKeys = BTreeMap<String, SecretString>;

/// Why there are no access keys. The text never has anything of the file in it.
#[derive(Debug, thiserror::Error)]
pub enum IamKeysError {
    /// The file cannot be read.
    #[error("cannot read the access keys {}: {source}; give a TOML file with lines ID = \"SECRET\"", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It has something else in it.
    #[error("{}, line {line}: this is no access key; give ID = \"SECRET\", where the id has no slash", path.display())]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// Where, from 1.
        line: usize,
    },
}

/// Reads access keys from a TOML file.
///
/// # Errors
/// [`IamKeysError`].
pub fn read_keys(path: &Path) -> Result<IamKeys, IamKeysError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| IamKeysError::Read { path: path.to_owned(), source })?;
    let invalid = |at: usize| {
        let line = text.bytes().take(at).filter(|&byte| byte == b'\n').count() + 1;
        IamKeysError::Invalid { path: path.to_owned(), line }
    };
    let keys: BTreeMap<Spanned<String>, SecretString> =
        toml::from_str(&text).map_err(|error| invalid(error.span().map_or(0, |span| span.start)))?;
    let wrong = |(id, secret): (&Spanned<String>, &SecretString)| {
        let wrong = id.as_ref().is_empty() || id.as_ref().contains('/') || secret.expose_secret().is_empty();
        wrong.then_some(id.span().start)
    };
    match keys.iter().find_map(wrong) {
        Some(at) => Err(invalid(at)),
        None if keys.is_empty() => Err(invalid(0)),
        None => Ok(keys.into_iter().map(|(id, secret)| (id.into_inner(), secret)).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_from_a_file_and_mistakes_in_it_do_not_show_them() {
        let read = |text: &str| {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), text).unwrap();
            read_keys(file.path())
        };
        let keys = read("# who may sign\nAKIDONE = \"hunter2\"\n\"AKID TWO\" = \"hunter3\"\n").unwrap();
        assert_eq!(keys["AKIDONE"].expose_secret(), "hunter2");
        assert!(!format!("{keys:?}").contains("hunter"), "{keys:?}");
        for (text, line) in [
            ("", 1),
            ("A = \"hunter2\"\nB = 7\n", 2),
            ("A = \"hunter2\"\nB = \"hunter3\n", 2),
            ("A = \"hunter2\"\nA = \"hunter3\"\n", 2),
            ("A = \"hunter2\"\n\n\"A/B\" = \"hunter3\"\n", 3),
            ("A = \"\"\n", 1),
            ("[hunter2]\nA = \"x\"", 1),
        ] {
            let error = read(text).unwrap_err();
            assert!(
                matches!(&error, IamKeysError::Invalid { line: at, .. } if *at == line),
                "{text}: {error}"
            );
            let told = format!("{error} {error:?}");
            assert!(!told.contains("hunter") && told.contains("SECRET"), "{told}");
        }
        let missing = read_keys(Path::new("/nonexistent/keys.toml")).unwrap_err().to_string();
        assert!(missing.contains("keys.toml"), "{missing}");
    }
}
