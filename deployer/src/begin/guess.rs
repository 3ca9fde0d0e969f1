//! What stage files a workspace's functions get, by their names.
//!
//! Deliberately absent: looking into code. A guess is told as one, and the file is there to
//! be changed.

use deployer_core::names::SERVICE_NAME_LIMIT;
use deployer_core::stage_file::{is_function_name, service_name_mistake};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// What AWS stages are in the beginning.
pub const ALPHA: &str = include_str!("../../../stages/alpha.toml");
/// What `local` is.
pub const LOCAL: &str = include_str!("../../templates/echo/local.toml");

/// Routes of their own, and the last words of the names that get them.
const SPECIAL: [(&str, &str); 3] = [
    ("connect", "$connect"),
    ("disconnect", "$disconnect"),
    ("default", "$default"),
];
/// Last words of the name of what decides who may connect.
const AUTHORIZERS: [&str; 2] = ["authorizer", "authorize"];

/// What a workspace's functions are taken for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Guess {
    /// Functions as stage files call them, and the packages that build them.
    pub functions: BTreeMap<String, String>,
    /// Route keys, and the functions that they lead to.
    pub routes: BTreeMap<String, String>,
    /// The function that decides who may connect.
    pub authorizer: Option<String>,
    /// Packages whose names, as stage files would have them, are another's already.
    pub left_out: Vec<String>,
}

/// Of packages, each a function.
pub fn guess<'p>(packages: impl Iterator<Item = &'p str>) -> Guess {
    let mut guess = Guess::default();
    for package in packages {
        let key = key_of(package);
        if is_function_name(&key) && !guess.functions.contains_key(&key) {
            guess.functions.insert(key, package.to_owned());
        } else {
            guess.left_out.push(package.to_owned());
        }
    }
    let names: BTreeSet<String> = guess.functions.keys().cloned().collect();
    let single = names.len() == 1;
    let mut open = Vec::new();
    // Who is called exactly so comes first.
    let (exact, others): (Vec<String>, Vec<String>) =
        names.into_iter().partition(|name| !name.contains('-'));
    for name in exact.into_iter().chain(others) {
        let word = name.rsplit('-').next().unwrap_or_default();
        let special = SPECIAL.iter().find(|(known, _)| *known == word);
        match special {
            Some((_, route)) if !guess.routes.contains_key(*route) => {
                guess.routes.insert((*route).to_owned(), name);
            }
            _ if !single && guess.authorizer.is_none() && AUTHORIZERS.contains(&word) => {
                guess.authorizer = Some(name);
            }
            _ => open.push(name),
        }
    }
    for name in open {
        let route = if single { "$default" } else { &name };
        guess.routes.insert(route.to_owned(), name);
    }
    guess
}

/// A package's name as stage files may have it.
fn key_of(package: &str) -> String {
    package.to_ascii_lowercase().replace('_', "-")
}

/// A folder's name as a service may be called, if there is such a name.
pub fn service_of(folder: &str) -> Option<String> {
    let legal = |c: char| match c.to_ascii_lowercase() {
        c @ ('a'..='z' | '0'..='9') => c,
        _ => '-',
    };
    let name: String = folder.chars().map(legal).collect();
    let name = name.trim_start_matches(|c: char| !c.is_ascii_lowercase());
    let name: String = name.chars().take(SERVICE_NAME_LIMIT).collect();
    let name = name.trim_end_matches('-').to_owned();
    service_name_mistake(&name).is_none().then_some(name)
}

impl Guess {
    /// The text of service.toml.
    pub fn service_file(&self, service: &str) -> String {
        let mut text = format!(
            "#:schema ./service.schema.json\n\
             # What all stages share. A stage file says only what differs.\n\n\
             service = \"{service}\"\n"
        );
        for (name, package) in &self.functions {
            let _ = writeln!(text, "\n[functions.{name}]");
            if name != package {
                let _ = writeln!(text, "package = \"{package}\"");
            }
        }
        if let Some(name) = &self.authorizer {
            let _ = writeln!(text, "\n[authorizer]\nfunction = \"{name}\"");
        }
        text.push_str("\n# By a message's `action`; `$default` is what fits no other.\n[routes]\n");
        for (route, name) in &self.routes {
            match route.starts_with('$') {
                true => writeln!(text, "\"{route}\" = \"{name}\""),
                false => writeln!(text, "{route} = \"{name}\""),
            }
            .unwrap_or_default();
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use deployer_core::stage_file::{FileText, read};

    fn of(packages: &[&str]) -> Guess {
        guess(packages.iter().copied())
    }

    fn routes(guess: &Guess) -> Vec<(&str, &str)> {
        let routes = guess.routes.iter();
        routes.map(|(a, b)| (a.as_str(), b.as_str())).collect()
    }

    #[test]
    fn what_is_called_as_routes_are_gets_them_and_others_get_their_own() {
        let guess = of(&["connect", "default", "disconnect", "room", "send_all"]);
        let expected = [
            ("$connect", "connect"),
            ("$default", "default"),
            ("$disconnect", "disconnect"),
            ("room", "room"),
            ("send-all", "send-all"),
        ];
        assert_eq!(routes(&guess), expected);
        assert_eq!(guess.functions["send-all"], "send_all");
        assert_eq!(guess.left_out, [""; 0]);
    }

    #[test]
    fn the_last_word_of_a_name_counts_but_less_than_the_name() {
        let guess = of(&["a-connect", "connect", "on-disconnect", "my_default"]);
        let expected = [
            ("$connect", "connect"),
            ("$default", "my-default"),
            ("$disconnect", "on-disconnect"),
            ("a-connect", "a-connect"),
        ];
        assert_eq!(routes(&guess), expected);
    }

    #[test]
    fn a_single_function_serves_whatever_comes() {
        assert_eq!(routes(&of(&["hello"])), [("$default", "hello")]);
        assert_eq!(routes(&of(&["authorize"])), [("$default", "authorize")]);
        assert_eq!(routes(&of(&["connect"])), [("$connect", "connect")]);
    }

    #[test]
    fn an_authorizer_gets_no_route() {
        let guess = of(&["authorize", "default"]);
        assert_eq!(guess.authorizer.as_deref(), Some("authorize"));
        assert_eq!(routes(&guess), [("$default", "default")]);
    }

    #[test]
    fn a_name_that_no_stage_file_takes_or_another_has_is_left_out() {
        let long = "f".repeat(41);
        let guess = of(&["my_room", "my-room", "Ünder", &long]);
        assert_eq!(guess.functions["my-room"], "my_room");
        assert_eq!(guess.left_out, ["my-room", "Ünder", &long]);
    }

    #[test]
    fn a_folders_name_becomes_one_that_a_service_may_have() {
        for (folder, service) in [
            ("chat", Some("chat")),
            ("My Chat_2", Some("my-chat-2")),
            ("2nd-", Some("nd")),
            (
                "a-very-long-name-of-a-folder--x",
                Some("a-very-long-name-of-a-folder"),
            ),
            ("---", None),
            ("x", None),
        ] {
            assert_eq!(service_of(folder).as_deref(), service, "{folder}");
        }
    }

    #[test]
    fn what_is_written_is_what_the_deployer_reads() {
        let guess = of(&["authorize", "connect", "default", "My_Room"]);
        let service = guess.service_file("my-chat");
        insta::assert_snapshot!(service);
        for (stage, text) in [("local", LOCAL), ("alpha", ALPHA)] {
            let service = FileText {
                path: "service.toml",
                text: &service,
            };
            let path = "stage.toml";
            let read = read(stage, service, FileText { path, text });
            assert_eq!(read.expect("it is legal").functions.len(), 4);
        }
    }
}
