//! Which store a function has: what the deployer says in its environment.

/// Where rooms are remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// In a table of this name.
    Table(String),
    /// In the memory of the room function.
    Memory,
}

/// Neither store was chosen.
#[derive(PartialEq, Eq, thiserror::Error)]
#[error(
    "the chat does not know where to keep its rooms: write into the stage file, at \
     [functions.room], either `state = \"memory\"` with `reserved_concurrency = 1`, or \
     `tables.CHAT_TABLE`, as for all of the chat's functions"
)]
pub struct NoStore;

/// As it is displayed: this is what a `main` that fails with it prints.
impl std::fmt::Debug for NoStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

impl Choice {
    /// This process's, for the function that cannot do without.
    ///
    /// # Errors
    /// When the environment says neither.
    pub fn of_process() -> Result<Self, NoStore> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// As [`of_process`](Self::of_process), from any source of variables.
    ///
    /// # Errors
    /// When the variables say neither.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, NoStore> {
        let set = |name| variable(name).filter(|value| !value.is_empty());
        if let Some(table) = set("CHAT_TABLE") {
            return Ok(Self::Table(table));
        }
        match set("DEPLOYER_STATE").as_deref() {
            Some("memory") => Ok(Self::Memory),
            _ => Err(NoStore),
        }
    }

    /// The table, for functions that do without one as well.
    pub fn table_of_process() -> Option<String> {
        match Self::of_process() {
            Ok(Self::Table(table)) => Some(table),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Choice, NoStore};

    fn choice(set: &[(&str, &str)]) -> Result<Choice, NoStore> {
        Choice::from_variables(|name| {
            let found = set.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn a_table_is_chosen_by_its_name_and_wins_over_memory() {
        let table = Ok(Choice::Table("t".to_owned()));
        assert_eq!(choice(&[("CHAT_TABLE", "t")]), table);
        let both = [("DEPLOYER_STATE", "memory"), ("CHAT_TABLE", "t")];
        assert_eq!(choice(&both), table);
    }

    #[test]
    fn memory_must_be_asked_for() {
        let state = |kept| choice(&[("DEPLOYER_STATE", kept)]);
        assert_eq!(state("memory"), Ok(Choice::Memory));
        assert_eq!(state("disk"), Err(NoStore));
        assert_eq!(choice(&[("CHAT_TABLE", "")]), Err(NoStore));
    }

    #[test]
    fn without_a_choice_the_error_says_what_to_write_into_the_stage_file() {
        let told = format!("{:?}", choice(&[]).unwrap_err());
        for part in [
            "`state = \"memory\"` with `reserved_concurrency = 1`",
            "`tables.CHAT_TABLE`",
        ] {
            assert!(told.contains(part), "{told}");
        }
    }
}
