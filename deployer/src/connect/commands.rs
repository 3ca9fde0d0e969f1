//! What a line means that the user types: a message, or a command that begins with `/`.

/// Shown for `/help`.
pub const HELP: &str = "\
A line is sent as it is. Tab completes routes and commands; a line that begins with a blank isn't
kept in the history.
  /help           this
  /ping           how long the other side takes to answer
  /binary HEX     send these bytes as a binary message
  /close [CODE]   close the connection with this code, and end
  /reconnect      close the connection and open another
  //…             send a message that begins with `/`
  /quit           end; so do Ctrl-C and Ctrl-D";

/// The commands, for completion.
pub const NAMES: [&str; 6] = [
    "/binary ",
    "/close ",
    "/help",
    "/ping",
    "/quit",
    "/reconnect",
];

/// What a line means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// Nothing is on it.
    Empty,
    /// To be sent.
    Message(String),
    /// To be sent as bytes.
    Binary(Vec<u8>),
    Ping,
    Help,
    Close(Option<u16>),
    Reconnect,
    /// What is wrong with it.
    Wrong(String),
}

/// Reads a line.
pub fn read(line: &str) -> Line {
    let line = line.trim_end_matches(['\r', '\n']);
    if line.trim().is_empty() {
        return Line::Empty;
    }
    let Some(command) = line.strip_prefix('/') else {
        return Line::Message(line.to_owned());
    };
    if command.starts_with('/') {
        return Line::Message(command.to_owned());
    }
    let (name, argument) = command.split_once(' ').unwrap_or((command, ""));
    let argument = argument.trim();
    match (name, argument) {
        ("ping", "") => Line::Ping,
        ("help", "") => Line::Help,
        ("quit", "") | ("close", "") => Line::Close(None),
        ("reconnect", "") => Line::Reconnect,
        ("close", code) => match code.parse() {
            Ok(code) if code == 1000 || (3000..5000).contains(&code) => Line::Close(Some(code)),
            _ => Line::Wrong(format!("{code}: clients close with 1000 or 3000 to 4999")),
        },
        ("binary", digits) => match bytes(digits) {
            Some(bytes) => Line::Binary(bytes),
            None => Line::Wrong("write the bytes as pairs of hex digits: /binary 00ff".to_owned()),
        },
        _ => Line::Wrong(format!(
            "/{command} is no command; /help lists them, and //… sends a message that begins with /"
        )),
    }
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = digits
        .chars()
        .filter(|it| !it.is_whitespace())
        .map(|it| it.to_digit(16))
        .collect::<Option<_>>()?;
    let pairs = digits.chunks(2);
    pairs
        .map(|pair| match pair {
            [high, low] => u8::try_from(high * 16 + low).ok(),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_message_unless_it_begins_with_a_slash() {
        assert_eq!(read(" hi "), Line::Message(" hi ".into()));
        assert_eq!(read("//etc"), Line::Message("/etc".into()));
        assert_eq!(read("  \n"), Line::Empty);
        assert_eq!(read("/ping"), Line::Ping);
        assert_eq!(read("/close 3001"), Line::Close(Some(3001)));
        assert_eq!(read("/binary 00 fF"), Line::Binary(vec![0, 255]));
        for wrong in [
            "/close 1001",
            "/binary 0",
            "/binary xx",
            "/dance",
            "/ping 1",
        ] {
            assert!(matches!(read(wrong), Line::Wrong(_)), "{wrong}");
        }
    }

    #[test]
    fn every_command_that_is_completed_is_one() {
        for name in NAMES {
            let line = match name {
                "/binary " => "/binary 00",
                name => name.trim_end(),
            };
            assert!(!matches!(read(line), Line::Wrong(_)), "{name}");
            assert!(HELP.contains(name.trim_end()), "{name}");
        }
    }
}
