//! AWS's common sentence about a value that breaks its model:
//! `1 validation error detected: Value 'x' at 'y' failed to satisfy constraint: …`.
//! The services differ only in the error code around it.

use std::fmt::Display;

/// The sentence for one value.
pub(crate) fn violation(value: impl Display, member: &str, constraint: &str) -> String {
    format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {constraint}"
    )
}

/// The sentence for a member that is required and absent.
pub(crate) fn missing(member: &str) -> String {
    format!(
        "1 validation error detected: Value null at '{member}' failed to satisfy constraint: \
         Member must not be null"
    )
}

/// Checks a text's length in characters.
pub(crate) fn length(value: &str, member: &str, min: usize, max: usize) -> Result<(), String> {
    let chars = value.chars().count();
    if chars < min {
        let rule = format!("Member must have length greater than or equal to {min}");
        return Err(violation(value, member, &rule));
    }
    if chars > max {
        let rule = format!("Member must have length less than or equal to {max}");
        return Err(violation(value, member, &rule));
    }
    Ok(())
}

/// Checks a number's range.
pub(crate) fn range(value: i64, member: &str, min: i64, max: i64) -> Result<(), String> {
    if value < min {
        let rule = format!("Member must have value greater than or equal to {min}");
        return Err(violation(value, member, &rule));
    }
    if value > max {
        let rule = format!("Member must have value less than or equal to {max}");
        return Err(violation(value, member, &rule));
    }
    Ok(())
}

/// Checks a text's characters; `pattern` is AWS's regular expression.
pub(crate) fn pattern(value: &str, member: &str, pattern: &str, holds: bool) -> Result<(), String> {
    if holds {
        return Ok(());
    }
    let rule = format!("Member must satisfy regular expression pattern: {pattern}");
    Err(violation(value, member, &rule))
}

#[cfg(test)]
mod tests {
    use super::{length, range};

    #[test]
    fn the_sentences_are_those_of_aws() {
        assert_eq!(
            length("abc", "roleName", 1, 2).unwrap_err(),
            "1 validation error detected: Value 'abc' at 'roleName' failed to satisfy constraint: \
             Member must have length less than or equal to 2"
        );
        assert_eq!(
            range(0, "timeout", 1, 900).unwrap_err(),
            "1 validation error detected: Value '0' at 'timeout' failed to satisfy constraint: \
             Member must have value greater than or equal to 1"
        );
        assert_eq!(length("", "x", 0, 2), Ok(()));
        assert_eq!(range(900, "timeout", 1, 900), Ok(()));
    }
}
