//! Reads scripts: all mistakes of a file at once, each with its place.

use super::expected::{Expected, Template};
use super::{Preparation, Script, Step, What};
use crate::cli::connect::pair;
use crate::duration;
use deployer_core::stage_file::{FileProblems, Problem};
use std::collections::BTreeSet;
use std::time::Duration;

/// What every script can use: 8 hex digits, others in each run.
pub const RANDOM: &str = "random";
/// Clients of one script.
const CLIENTS: usize = 100;
/// Longest wait.
const LONGEST: Duration = Duration::from_secs(3600);

const LINES: &str =
    "a line is `A> text to send`, `A< what is heard`, `A: connect`, `wait 1s` or a `# comment`";
const ORDERS: &str = "there are `connect`, `refused`, `close`, `closed`, `quiet`, `header`, `query`, `subprotocol` and `token`";

/// The script in the file.
///
/// # Errors
/// Every mistake in it.
pub fn read(path: &str, text: &str) -> Result<Script, FileProblems> {
    let mut reader = Reader {
        script: Script {
            clients: Vec::new(),
            steps: Vec::new(),
        },
        known: BTreeSet::from([RANDOM.to_owned()]),
        problems: Vec::new(),
    };
    let mut begin = 0;
    for (index, line) in text.split('\n').enumerate() {
        let indent = line.len() - line.trim_start().len();
        let shown = line.trim();
        if !shown.is_empty() && !shown.starts_with('#') {
            reader.line(index + 1, shown, begin + indent);
        }
        begin += line.len() + 1;
    }
    if reader.script.steps.is_empty() && reader.problems.is_empty() {
        reader.problem("there is nothing to do in it", Some(LINES), 0, 0);
    }
    match reader.problems.is_empty() {
        true => Ok(reader.script),
        false => Err(FileProblems::new(path, text, reader.problems)),
    }
}

struct Reader {
    script: Script,
    /// Names that have a value by now.
    known: BTreeSet<String>,
    problems: Vec<Problem>,
}

impl Reader {
    fn problem(&mut self, message: &str, help: Option<&str>, at: usize, length: usize) {
        self.problems.push(Problem {
            message: message.to_owned(),
            help: help.map(str::to_owned),
            span: at..at + length,
        });
    }

    /// A line that says something and begins at this byte.
    fn line(&mut self, number: usize, line: &str, at: usize) {
        let what = match self.for_all(line, at) {
            Some(what) => what,
            None => self.of_clients(line, at),
        };
        if let Ok(what) = what {
            self.script.steps.push(Step {
                line: number,
                text: line.to_owned(),
                what,
            });
        }
    }

    /// What concerns no client; `None`: the line does.
    fn for_all(&mut self, line: &str, at: usize) -> Option<Result<What, ()>> {
        let (word, rest) = line.split_once(char::is_whitespace)?;
        let argument = rest.trim_start();
        let behind = at + line.len() - argument.len();
        match word {
            "wait" => Some(self.duration(argument, behind).map(What::Wait)),
            "within" => Some(self.duration(argument, behind).map(What::Within)),
            "resend" => {
                let Some(pattern) = argument.strip_prefix("if ") else {
                    self.problem("write `resend if …`", None, behind, argument.len());
                    return Some(Err(()));
                };
                let pattern = pattern.trim_start();
                let expected = self.expected(pattern, at + line.len() - pattern.len());
                Some(expected.map(What::ResendIf))
            }
            _ => None,
        }
    }

    fn of_clients(&mut self, line: &str, at: usize) -> Result<What, ()> {
        let is_of_names = |it: char| it.is_ascii_alphanumeric() || "_-, ".contains(it);
        let operator = line.find(|it| !is_of_names(it)).unwrap_or(line.len());
        let (names, rest) = line.split_at(operator);
        let known = ["<<", "<", ">", "=", ":"];
        let Some(mark) = known.into_iter().find(|mark| rest.starts_with(mark)) else {
            self.problem("this line says nothing", Some(LINES), at, line.len());
            return Err(());
        };
        let clients = self.clients(names, at)?;
        let text = rest[mark.len()..].trim();
        let behind = at + line.len() - text.len();
        match mark {
            ">" => {
                let text = self.template(text, behind)?;
                Ok(What::Send { clients, text })
            }
            "=" => {
                let expected = Expected::Exactly(self.template(text, behind)?);
                Ok(What::Hear { clients, expected })
            }
            "<" => {
                let expected = self.expected(text, behind)?;
                Ok(What::Hear { clients, expected })
            }
            "<<" => {
                let expected = self.expected(text, behind)?;
                Ok(What::HearAmong { clients, expected })
            }
            _ => self.order(clients, text, behind),
        }
    }

    fn clients(&mut self, names: &str, at: usize) -> Result<Vec<usize>, ()> {
        let mut clients = Vec::new();
        for name in names.split(',').map(str::trim) {
            let legal = !name.contains(' ')
                && name
                    .bytes()
                    .next()
                    .is_none_or(|it| it.is_ascii_alphabetic());
            let alone = !names.contains(',') || !name.is_empty();
            if !legal || !alone {
                let message = "clients' names are letters, digits, `-` and `_`, a letter first";
                self.problem(message, Some(LINES), at, names.len());
                return Err(());
            }
            let place = self.script.clients.iter().position(|it| it == name);
            let place = place.unwrap_or_else(|| {
                self.script.clients.push(name.to_owned());
                self.script.clients.len() - 1
            });
            clients.push(place);
        }
        if self.script.clients.len() > CLIENTS {
            let message = format!("a script has no more than {CLIENTS} clients");
            self.problem(&message, None, at, names.len());
            return Err(());
        }
        Ok(clients)
    }

    fn order(&mut self, clients: Vec<usize>, text: &str, at: usize) -> Result<What, ()> {
        let (word, argument) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let argument = argument.trim_start();
        let behind = at + text.len() - argument.len();
        let prepared = |preparation| What::Prepare(clients.clone(), preparation);
        match word {
            "connect" if argument.is_empty() => Ok(What::Connect(clients)),
            "close" => Ok(What::Close(clients, self.code(argument, behind)?)),
            "closed" => Ok(What::Closed(clients, self.code(argument, behind)?)),
            "refused" => Ok(What::Refused(clients, self.code(argument, behind)?)),
            "quiet" => Ok(What::Quiet(clients, self.duration(argument, behind)?)),
            "header" => {
                let (name, value) = self.pair(argument, ':', behind)?;
                Ok(prepared(Preparation::Header(name, value)))
            }
            "query" => {
                let (name, value) = self.pair(argument, '=', behind)?;
                Ok(prepared(Preparation::Query(name, value)))
            }
            "subprotocol" => {
                let name = self.template(argument, behind)?;
                Ok(prepared(Preparation::Subprotocol(name)))
            }
            "token" => {
                let token = self.template(argument, behind)?;
                Ok(prepared(Preparation::Token(token)))
            }
            _ => {
                let message = format!("`{text}` is nothing that a client can do");
                self.problem(&message, Some(ORDERS), at, text.len());
                Err(())
            }
        }
    }

    fn pair(
        &mut self,
        argument: &str,
        separator: char,
        at: usize,
    ) -> Result<(String, Template), ()> {
        match pair(argument, separator) {
            Some((name, value)) => {
                self.template(argument, at)?;
                Ok((name, Template::new(&value)))
            }
            None => {
                let message = format!("there is no `{separator}` between a name and a value");
                self.problem(&message, None, at, argument.len());
                Err(())
            }
        }
    }

    fn code(&mut self, argument: &str, at: usize) -> Result<Option<u16>, ()> {
        match argument {
            "" => Ok(None),
            text => match text.parse() {
                Ok(code) if (100..5000).contains(&code) => Ok(Some(code)),
                _ => {
                    let message = format!("`{text}` is neither a close code nor a status");
                    self.problem(&message, None, at, text.len());
                    Err(())
                }
            },
        }
    }

    fn duration(&mut self, argument: &str, at: usize) -> Result<Duration, ()> {
        let parsed = duration::parse(argument);
        let bounded = parsed.and_then(|it| match it <= LONGEST {
            true => Ok(it),
            false => Err(format!("`{argument}` is longer than an hour")),
        });
        bounded.map_err(|message| self.problem(&message, None, at, argument.len()))
    }

    fn template(&mut self, text: &str, at: usize) -> Result<Template, ()> {
        let template = Template::new(text);
        let unknown = template
            .names()
            .find(|(_, name)| !self.known.contains(*name))
            .map(|(begin, name)| (begin, name.to_owned()));
        match unknown {
            None => Ok(template),
            Some((begin, name)) => {
                self.unknown(&name, at + begin, name.len() + 3);
                Err(())
            }
        }
    }

    fn unknown(&mut self, name: &str, at: usize, length: usize) {
        let message = format!("nothing before this line catches `{name}`");
        let help = "`/(?<name>…)/` in what is heard catches";
        self.problem(&message, Some(help), at, length);
    }

    fn expected(&mut self, text: &str, at: usize) -> Result<Expected, ()> {
        let expected = match Expected::read(text) {
            Ok(expected) => expected,
            Err((message, offset)) => {
                let help = message
                    .contains("JSON")
                    .then_some("for a text that begins with `{`, write `=` instead of `<`");
                self.problem(
                    &message,
                    help,
                    at + offset,
                    text.len().saturating_sub(offset),
                );
                return Err(());
            }
        };
        for name in expected.needs() {
            if !self.known.contains(&name) {
                let begin = text.find(&format!("${{{name}}}")).unwrap_or_default();
                self.unknown(&name, at + begin, name.len() + 3);
                return Err(());
            }
        }
        self.known.extend(expected.catches());
        Ok(expected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LEGAL: &str = r#"
# Two of them.
within 5s
resend if {"message":"Internal server error"}
A: header X-Who: me
B: query a=b=c
B: subprotocol chat.json
A> hi there
A< hi there
A> {"action":"join","room":"${random}"}
A< /^(?<idA>\S+) has joined/
A= {no JSON
  A, B<< {"from":"${idA}"}
> without a name
A: quiet 500ms
wait 1s
A: close 1000
B: closed 1001
C: refused 401
"#;

    fn wrong(text: &str) -> String {
        read("x.script", text).expect_err(text).to_string()
    }

    #[test]
    fn a_script_has_clients_and_steps() {
        let script = read("x.script", LEGAL).expect("it is legal");
        assert_eq!(script.clients, ["A", "B", "", "C"]);
        assert_eq!(script.steps.len(), 17);
        assert_eq!(script.steps[0].line, 3);
        let sent: Vec<String> = script.messages().collect();
        assert_eq!(sent, ["hi there", "without a name"]);
        let last = script.steps.last().expect("steps");
        assert!(matches!(last.what, What::Refused(_, Some(401))));
    }

    #[test]
    fn all_mistakes_are_told_with_line_and_column() {
        let text = "A> x\nhello\nA< {\"a\":}\nwait long\nA> ${nobody}\nA: dance\n9> x\nA< /(/\n";
        insta::assert_snapshot!(wrong(text));
    }

    #[test]
    fn what_is_caught_is_known_from_then_on_only() {
        assert!(wrong("A> ${id}\nA< /(?<id>.)/").starts_with("x.script:1:4: nothing before"));
        assert!(read("x.script", "A< /(?<id>.)/\nA> ${id}").is_ok());
    }

    #[test]
    fn an_empty_script_is_a_mistake() {
        assert!(wrong("\n# nothing\n").starts_with("x.script:1:1: there is nothing to do in it"));
    }

    proptest! {
        #[test]
        fn any_text_is_a_script_or_has_mistakes_with_places_in_it(text in "([ABC]?[<>:=]{1,2}|wait|resend if)? ?[ -~äß{}$/\n]{0,60}") {
            if let Err(problems) = read("x.script", &text) {
                prop_assert!(!problems.problems.is_empty());
                for problem in &problems.problems {
                    prop_assert!(problem.span.start <= text.len(), "{problem:?}");
                }
                prop_assert!(problems.to_string().starts_with("x.script:"));
            }
        }

        #[test]
        fn what_is_sent_is_sent_as_it_stands(text in "[!-#%-~][ -#%-~]{0,40}[!-#%-~]") {
            let script = read("x.script", &format!("A> {text}")).expect("it is legal");
            let sent: Vec<String> = script.messages().collect();
            prop_assert_eq!(sent, [text]);
        }
    }
}
