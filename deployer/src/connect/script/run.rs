//! Runs a script: sends what it says, waits for what it expects.

use super::expected::{Expected, Variables};
use super::member::{Member, State, Told};
use super::read::RANDOM;
use super::{Dial, Preparation, Prepared, Script, Step, What};
use crate::duration::shown;
use chat_client::OpenError;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

/// For a handshake. The link gives up before.
const CONNECT_WAIT: Duration = Duration::from_secs(40);
/// What clients have told and the run hasn't taken.
const TOLD: usize = 1_024;
/// How often a message is sent again that `resend if` is about.
const RESENDS: u32 = 20;
/// Before the first time; each further pause is so much longer.
const RESEND_PAUSE: Duration = Duration::from_millis(50);

/// What a run is given.
pub struct Settings<'a> {
    /// A client's connection, by what the script says of it.
    pub dial: &'a Dial<'a>,
    /// How long expectations wait, until the script says otherwise.
    pub timeout: Duration,
    /// Hears of each line that is done, with how long it waited.
    pub done: &'a dyn Fn(&Step, Duration),
    /// What `${random}` is.
    pub random: String,
}

/// How a script went that went as it says.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Outcome {
    /// Messages sent, those that were sent again not counted.
    pub sent: usize,
    /// Messages heard that the script asks for.
    pub heard: usize,
    /// Messages heard that it doesn't ask for.
    pub unasked: usize,
    /// Messages sent again.
    pub resent: usize,
}

/// Where it went otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The script's line, from 1.
    pub line: usize,
    /// The line.
    pub text: String,
    /// What is otherwise.
    pub message: String,
    /// Whether a handshake was refused or not answered that should have been accepted.
    pub refusal: Option<OpenError>,
}

/// Runs it to its end, or to the first line that doesn't hold.
///
/// # Errors
/// That line.
pub async fn run(script: &Script, settings: &Settings<'_>) -> Result<Outcome, Box<Mismatch>> {
    let (tell, told) = mpsc::channel(TOLD);
    let mut cast = Cast {
        settings,
        names: &script.clients,
        members: script.clients.iter().map(|_| Member::default()).collect(),
        prepared: script.clients.iter().map(|_| Vec::new()).collect(),
        tell,
        told,
        variables: Variables::from([(RANDOM.to_owned(), settings.random.clone())]),
        patience: settings.timeout,
        resend_if: Vec::new(),
        outcome: Outcome {
            sent: 0,
            heard: 0,
            unasked: 0,
            resent: 0,
        },
    };
    let mut ended = Ok(());
    for step in &script.steps {
        let began = Instant::now();
        if let Err((message, refusal)) = cast.take(&step.what).await {
            ended = Err(Box::new(Mismatch {
                line: step.line,
                text: step.text.clone(),
                message,
                refusal,
            }));
            break;
        }
        (settings.done)(step, began.elapsed());
    }
    for member in &mut cast.members {
        cast.outcome.unasked += member.heard.len();
        member.close(None).await;
    }
    ended.map(|()| cast.outcome)
}

type Wrong = (String, Option<OpenError>);

struct Cast<'a> {
    settings: &'a Settings<'a>,
    names: &'a [String],
    members: Vec<Member>,
    prepared: Vec<Vec<Prepared>>,
    tell: mpsc::Sender<(usize, Told)>,
    told: mpsc::Receiver<(usize, Told)>,
    variables: Variables,
    patience: Duration,
    resend_if: Vec<Expected>,
    outcome: Outcome,
}

impl Cast<'_> {
    async fn take(&mut self, what: &What) -> Result<(), Wrong> {
        match what {
            What::Send { clients, text } => {
                for client in clients {
                    self.open(*client).await?;
                    self.send(*client, text.filled(&self.variables)).await?;
                }
            }
            What::Hear { clients, expected } => {
                for client in clients {
                    self.hear(*client, expected, false).await?;
                }
            }
            What::HearAmong { clients, expected } => {
                for client in clients {
                    self.hear(*client, expected, true).await?;
                }
            }
            What::Connect(clients) => {
                for client in clients {
                    self.open(*client).await?;
                }
            }
            What::Refused(clients, status) => {
                for client in clients {
                    self.refused(*client, *status).await?;
                }
            }
            What::Prepare(clients, preparation) => {
                for client in clients {
                    self.prepare(*client, preparation)?;
                }
            }
            What::Close(clients, code) => {
                for client in clients {
                    self.open(*client).await?;
                    self.members[*client].close(*code).await;
                }
            }
            What::Closed(clients, code) => {
                for client in clients {
                    self.closed(*client, *code).await?;
                }
            }
            What::Quiet(clients, duration) => self.quiet(clients, *duration).await?,
            What::Wait(duration) => {
                let until = Instant::now() + *duration;
                while self.news(until).await {}
            }
            What::Within(duration) => self.patience = *duration,
            What::ResendIf(expected) => self.resend_if.push(expected.clone()),
        }
        Ok(())
    }

    /// The client as the messages call it.
    fn name(&self, client: usize) -> &str {
        match self.names[client].as_str() {
            "" => "the client",
            name => name,
        }
    }

    /// Waits for something that a client tells, and notes it. Whether there was time.
    async fn news(&mut self, until: Instant) -> bool {
        let Ok(Some((client, told))) = timeout_at(until, self.told.recv()).await else {
            return false;
        };
        match told {
            Told::Opened => self.members[client].state = State::Open,
            Told::Heard(text) => {
                if !self.resent(client, &text).await {
                    self.members[client].heard.push_back(text);
                }
            }
            Told::Ended { code, reason } => {
                self.members[client].state = State::Ended { code, reason };
            }
            Told::Refused(error) => self.members[client].state = State::Refused(error),
        }
        true
    }

    /// Whether this is what a message is to be sent again for, and it is.
    async fn resent(&mut self, client: usize, text: &str) -> bool {
        let is_meant = |it: &Expected| it.check(text, &self.variables).is_ok();
        if !self.resend_if.iter().any(is_meant) {
            return false;
        }
        let member = &mut self.members[client];
        let Some((last, times)) = &mut member.last_sent else {
            return false;
        };
        if *times == RESENDS {
            return false;
        }
        *times += 1;
        let (text, pause) = (last.clone(), RESEND_PAUSE * *times);
        member.send(text, pause).await;
        self.outcome.resent += 1;
        true
    }

    /// Waits until the client's handshake is decided.
    async fn decided(&mut self, client: usize) -> Result<(), Wrong> {
        let member = &mut self.members[client];
        if member.state == State::New {
            let link = (self.settings.dial)(&self.prepared[client]);
            member.connect(link, client, self.tell.clone());
        }
        let until = Instant::now() + CONNECT_WAIT;
        while self.members[client].state == State::Opening {
            if !self.news(until).await {
                let message = format!(
                    "{} isn't connected after {}",
                    self.name(client),
                    shown(CONNECT_WAIT)
                );
                return Err((message, None));
            }
        }
        Ok(())
    }

    async fn open(&mut self, client: usize) -> Result<(), Wrong> {
        self.decided(client).await?;
        match &self.members[client].state {
            State::Refused(error) => {
                let message = format!("{} can't connect: {error}", self.name(client));
                Err((message, Some(error.clone())))
            }
            State::Closed => Err((format!("{} was closed before", self.name(client)), None)),
            State::Ended { code, reason } => {
                let message = format!(
                    "the connection of {} has ended{}",
                    self.name(client),
                    how(*code, reason)
                );
                Err((message, None))
            }
            _ => Ok(()),
        }
    }

    async fn send(&mut self, client: usize, text: String) -> Result<(), Wrong> {
        let member = &mut self.members[client];
        member.last_sent = Some((text.clone(), 0));
        member.send(text, Duration::ZERO).await;
        self.outcome.sent += 1;
        Ok(())
    }

    /// The next message must be this one; with `among`, one of the next.
    async fn hear(&mut self, client: usize, expected: &Expected, among: bool) -> Result<(), Wrong> {
        // What was heard before the end counts, too.
        if !matches!(self.members[client].state, State::Ended { .. }) {
            self.open(client).await?;
        }
        let until = Instant::now() + self.patience;
        let mut others = Vec::new();
        loop {
            while let Some(heard) = self.members[client].heard.pop_front() {
                match expected.check(&heard, &self.variables) {
                    Ok(caught) => {
                        self.variables.extend(caught);
                        self.outcome.heard += 1;
                        return Ok(());
                    }
                    Err(_) if among => {
                        self.outcome.unasked += 1;
                        others.push(heard);
                    }
                    Err(difference) => {
                        return Err((self.unlike(client, expected, &heard, &difference), None));
                    }
                }
            }
            if let State::Ended { code, reason } = &self.members[client].state {
                let end = format!("the connection ended{}", how(*code, reason));
                return Err((self.unheard(client, expected, &others, &end), None));
            }
            if !self.news(until).await {
                let end = format!("nothing more came within {}", shown(self.patience));
                return Err((self.unheard(client, expected, &others, &end), None));
            }
        }
    }

    fn unlike(&self, client: usize, expected: &Expected, heard: &str, how: &str) -> String {
        format!(
            "{} heard {how}\n  expected  {}\n  heard     {heard}",
            self.name(client),
            expected.shown(&self.variables)
        )
    }

    fn unheard(&self, client: usize, expected: &Expected, others: &[String], end: &str) -> String {
        let mut message = format!(
            "{} didn't hear it: {end}\n  expected  {}",
            self.name(client),
            expected.shown(&self.variables)
        );
        for other in others {
            message = format!("{message}\n  heard     {other}");
        }
        message
    }

    async fn refused(&mut self, client: usize, status: Option<u16>) -> Result<(), Wrong> {
        self.decided(client).await?;
        let told = match &self.members[client].state {
            State::Refused(OpenError::Refused { status: told, .. }) => *told,
            State::Refused(error) => {
                let message = format!("{} can't connect: {error}", self.name(client));
                return Err((message, Some(error.clone())));
            }
            _ => return Err((format!("{} was let in", self.name(client)), None)),
        };
        match status.is_none_or(|status| status == told) {
            true => Ok(()),
            false => Err((
                format!("{} was refused with {told}", self.name(client)),
                None,
            )),
        }
    }

    fn prepare(&mut self, client: usize, preparation: &Preparation) -> Result<(), Wrong> {
        if self.members[client].state != State::New {
            let message = format!(
                "{} has connected before: say it further up",
                self.name(client)
            );
            return Err((message, None));
        }
        let value = match preparation {
            Preparation::Header(_, value)
            | Preparation::Query(_, value)
            | Preparation::Subprotocol(value)
            | Preparation::Token(value) => value.filled(&self.variables),
        };
        self.prepared[client].push((preparation.clone(), value));
        Ok(())
    }

    async fn closed(&mut self, client: usize, code: Option<u16>) -> Result<(), Wrong> {
        if !matches!(self.members[client].state, State::Ended { .. }) {
            self.open(client).await?;
        }
        let until = Instant::now() + self.patience;
        loop {
            if let State::Ended { code: told, reason } = &self.members[client].state {
                return match code.is_none() || code == *told {
                    true => Ok(()),
                    false => Err((
                        format!(
                            "the connection of {} ended{}",
                            self.name(client),
                            how(*told, reason)
                        ),
                        None,
                    )),
                };
            }
            if !self.news(until).await {
                let message = format!(
                    "{} is still connected after {}",
                    self.name(client),
                    shown(self.patience)
                );
                return Err((message, None));
            }
        }
    }

    async fn quiet(&mut self, clients: &[usize], duration: Duration) -> Result<(), Wrong> {
        for client in clients {
            self.open(*client).await?;
        }
        let until = Instant::now() + duration;
        loop {
            for client in clients {
                if let Some(heard) = self.members[*client].heard.front() {
                    let message = format!(
                        "{} should have heard nothing\n  heard     {heard}",
                        self.name(*client)
                    );
                    return Err((message, None));
                }
            }
            if !self.news(until).await {
                return Ok(());
            }
        }
    }
}

fn how(code: Option<u16>, reason: &str) -> String {
    match (code, reason) {
        (None, "") => String::new(),
        (None, reason) => format!(": {reason}"),
        (Some(code), "") => format!(" with {code}"),
        (Some(code), reason) => format!(" with {code} {reason}"),
    }
}
