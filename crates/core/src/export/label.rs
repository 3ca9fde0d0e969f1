//! What resources are called within a template: readable, legal, and no two alike.

use std::collections::BTreeSet;

/// Gives out labels.
#[derive(Debug, Default)]
pub(super) struct Labels {
    taken: BTreeSet<String>,
}

impl Labels {
    /// Letters and digits, each part beginning with a capital, as CloudFormation wants it.
    pub fn pascal(&mut self, parts: &[&str]) -> String {
        let words = parts.iter().flat_map(|part| words(part));
        let label: String = words.map(capitalised).collect();
        self.unique(&label)
    }

    /// Lower-case words with `_` between, as Terraform has it.
    pub fn snake(&mut self, parts: &[&str]) -> String {
        let words: Vec<String> = parts
            .iter()
            .flat_map(|part| words(part))
            .map(str::to_ascii_lowercase)
            .collect();
        let label = words.join("_");
        match label.starts_with(|c: char| c.is_ascii_alphabetic()) {
            true => self.unique(&label),
            false => self.unique(&format!("_{label}")),
        }
    }

    fn unique(&mut self, label: &str) -> String {
        let mut candidate = label.to_owned();
        let mut count = 2;
        while !self.taken.insert(candidate.clone()) {
            candidate = format!("{label}{count}");
            count += 1;
        }
        candidate
    }
}

fn words(part: &str) -> impl Iterator<Item = &str> {
    let words = part.split(|c: char| !c.is_ascii_alphanumeric());
    words.filter(|word| !word.is_empty())
}

fn capitalised(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    format!("{}{rest}", first.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_readable_and_no_two_alike() {
        let mut labels = Labels::default();
        assert_eq!(labels.pascal(&["a-room", "function"]), "ARoomFunction");
        assert_eq!(labels.pascal(&["a.room", "function"]), "ARoomFunction2");
        assert_eq!(labels.snake(&["$connect"]), "connect");
        assert_eq!(labels.snake(&["connect"]), "connect2");
        assert_eq!(labels.snake(&["1st"]), "_1st");
        assert_eq!(labels.snake(&["ü"]), "_");
    }
}
