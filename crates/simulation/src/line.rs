//! A deployer's wire: how long a call takes, whether it arrives, whether its
//! answer does, and whether the process survives it.
//!
//! What was sent arrives also if the process that sent it has ended or hung up:
//! it is on its way apart from the sender.

use crate::call::Call;
use crate::process::Fate;
use crate::random::Random;
use crate::scenario::{Command, LATEST_ARRIVAL, Rates};
use crate::world::World;
use bytes::Bytes;
use deployer_aws::{Broken, Exchange, Wire};
use http::{Request, Response};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::sleep;

/// What becomes of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// It is answered.
    Fine,
    /// It never arrives, and the connection breaks.
    Reset,
    /// It is carried out, and the connection breaks.
    AnswerLost,
    /// The connection breaks at once; the call arrives much later.
    ArrivesLate,
    /// Nobody answers until the client gives up; it never arrived.
    Silence,
    /// The same, and it was carried out.
    SilenceAfter,
    /// One request too many.
    Throttled,
    /// The service fails before it does anything.
    FailedBefore,
    /// The service fails after it did it.
    FailedAfter,
    /// It is carried out twice; the first answer comes.
    TwiceFirst,
    /// It is carried out twice; the second answer comes.
    TwiceSecond,
    /// The process ends before it sends.
    CrashBefore,
    /// The process ends as soon as it has sent.
    CrashInFlight,
    /// The process ends when the answer comes.
    CrashAfter,
    /// The process stands still before it sends.
    PauseBefore,
    /// The process stands still when the answer comes.
    PauseAfter,
}

use Turn::{
    AnswerLost, ArrivesLate, CrashAfter, CrashBefore, CrashInFlight, FailedAfter, FailedBefore,
    Fine, PauseAfter, PauseBefore, Reset, Silence, SilenceAfter, Throttled, TwiceFirst,
    TwiceSecond,
};

const FAULTS: [Turn; 10] = [
    Reset,
    AnswerLost,
    ArrivesLate,
    Silence,
    SilenceAfter,
    Throttled,
    FailedBefore,
    FailedAfter,
    TwiceFirst,
    TwiceSecond,
];
const CRASHES: [Turn; 3] = [CrashBefore, CrashInFlight, CrashAfter];
const PAUSES: [Turn; 2] = [PauseBefore, PauseAfter];

impl Turn {
    fn name(self) -> &'static str {
        match self {
            Fine => "fine",
            Reset => "fault: reset",
            AnswerLost => "fault: answer lost",
            ArrivesLate => "fault: arrives late",
            Silence => "fault: silence",
            SilenceAfter => "fault: silence, carried out",
            Throttled => "fault: throttled",
            FailedBefore => "fault: failed before",
            FailedAfter => "fault: failed after",
            TwiceFirst => "fault: twice, first answer",
            TwiceSecond => "fault: twice, second answer",
            CrashBefore => "crash: before",
            CrashInFlight => "crash: in flight",
            CrashAfter => "crash: after",
            PauseBefore => "pause: before",
            PauseAfter => "pause: after",
        }
    }
}

/// A deployer's wire.
#[derive(Debug)]
pub struct Line {
    sender: Sender,
    rates: Rates,
    random: Mutex<Random>,
    fate: Fate,
}

/// Who sends.
#[derive(Debug, Clone)]
struct Sender {
    world: Arc<World>,
    who: String,
    command: Command,
}

/// What was drawn for one call.
#[derive(Debug, Clone, Copy)]
struct Drawn {
    turn: Turn,
    there: Duration,
    back: Duration,
    late: Duration,
    pause: Duration,
}

impl Line {
    /// The wire of the process `who` with this fate.
    pub fn new(
        world: Arc<World>,
        who: String,
        command: Command,
        rates: Rates,
        random: Random,
        fate: Fate,
    ) -> Self {
        Self {
            sender: Sender {
                world,
                who,
                command,
            },
            rates,
            random: Mutex::new(random),
            fate,
        }
    }

    /// Always the same number of draws, so that a turn changes no later one.
    fn draw(&self) -> Drawn {
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        let slowest = self.rates.slowest_ms;
        let which = random.below(1_000);
        let (fault, crash) = (self.rates.faults, self.rates.crashes);
        let turns = [
            random.one_of(&FAULTS),
            random.one_of(&CRASHES),
            random.one_of(&PAUSES),
        ];
        let turn = match which {
            which if which < fault => turns[0],
            which if which < fault + crash => turns[1],
            which if which < fault + crash + self.rates.pauses => turns[2],
            _ => Fine,
        };
        let latest = u64::try_from(LATEST_ARRIVAL.as_millis()).expect("seconds");
        Drawn {
            turn,
            there: random.ms(1, slowest),
            back: random.ms(1, slowest),
            late: random.ms(slowest, latest),
            pause: random.ms(100, 150_000),
        }
    }
}

impl Wire for Line {
    fn send(&self, request: Request<Bytes>) -> Exchange {
        let drawn = self.draw();
        let call = Call::of(&request);
        let (sender, fate) = (self.sender.clone(), self.fate.clone());
        Box::pin(async move {
            if drawn.turn != Fine {
                sender.world.count(drawn.turn.name());
                let (turn, name, about) = (drawn.turn.name(), &call.name, &call.about);
                sender.say(format_args!("{turn}  {name} {about}"));
            }
            exchange(&sender, &fate, drawn, call, request).await
        })
    }
}

async fn exchange(
    sender: &Sender,
    fate: &Fate,
    drawn: Drawn,
    call: Call,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, Broken> {
    match drawn.turn {
        Fine => arrives(sender, drawn, 1, call, request).await,
        Reset => {
            sleep(drawn.there).await;
            Err(Broken)
        }
        AnswerLost => {
            let _lost = arrives(sender, drawn, 1, call, request).await;
            Err(Broken)
        }
        ArrivesLate => {
            let there = drawn.late;
            let _nobody_listens = on_its_way(sender, Drawn { there, ..drawn }, 1, call, request);
            sleep(drawn.there).await;
            Err(Broken)
        }
        Silence => std::future::pending().await,
        SilenceAfter => {
            let _lost = arrives(sender, drawn, 1, call, request).await;
            std::future::pending().await
        }
        Throttled => {
            sleep(drawn.there).await;
            Ok(call.throttled())
        }
        FailedBefore => {
            sleep(drawn.there).await;
            Ok(call.failed())
        }
        FailedAfter => {
            let failed = call.failed();
            let _lost = arrives(sender, drawn, 1, call, request).await;
            Ok(failed)
        }
        TwiceFirst => arrives(sender, drawn, 2, call, request).await,
        TwiceSecond => {
            let second = on_its_way(sender, drawn, 2, call, request);
            second.last().await
        }
        CrashBefore => {
            fate.crash();
            std::future::pending().await
        }
        CrashInFlight => {
            let _nobody_listens = on_its_way(sender, drawn, 1, call, request);
            fate.crash();
            std::future::pending().await
        }
        CrashAfter => {
            let _lost = arrives(sender, drawn, 1, call, request).await;
            fate.crash();
            std::future::pending().await
        }
        PauseBefore => {
            stand_still(sender, fate, drawn).await;
            arrives(sender, drawn, 1, call, request).await
        }
        PauseAfter => {
            let answer = arrives(sender, drawn, 1, call, request).await;
            stand_still(sender, fate, drawn).await;
            answer
        }
    }
}

async fn stand_still(sender: &Sender, fate: &Fate, drawn: Drawn) {
    sender.say(format_args!("stands still for {:?}", drawn.pause));
    fate.pause(drawn.pause);
    // The process notices as soon as this doesn't go on.
    tokio::task::yield_now().await;
    sender.say(format_args!("goes on"));
}

async fn arrives(
    sender: &Sender,
    drawn: Drawn,
    times: u8,
    call: Call,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, Broken> {
    on_its_way(sender, drawn, times, call, request)
        .first()
        .await
}

/// The answers of a request that is on its way.
struct Answers {
    first: oneshot::Receiver<Response<Bytes>>,
    last: oneshot::Receiver<Response<Bytes>>,
}

impl Answers {
    async fn first(self) -> Result<Response<Bytes>, Broken> {
        self.first.await.map_err(|_| Broken)
    }

    async fn last(self) -> Result<Response<Bytes>, Broken> {
        self.last.await.map_err(|_| Broken)
    }
}

/// Sends a request on its way, so many times, one after the other.
fn on_its_way(
    sender: &Sender,
    drawn: Drawn,
    times: u8,
    call: Call,
    request: Request<Bytes>,
) -> Answers {
    let (first_sender, first) = oneshot::channel();
    let (last_sender, last) = oneshot::channel();
    let sender = sender.clone();
    tokio::spawn(async move {
        let mut first_sender = Some(first_sender);
        let mut last_answer = None;
        for _ in 0..times {
            sleep(drawn.there).await;
            let (answer, held_back) =
                sender
                    .world
                    .serve(&sender.who, sender.command, &call, &request);
            sleep(held_back + drawn.back).await;
            if let Some(first) = first_sender.take() {
                let _gone = first.send(answer.clone());
            }
            last_answer = Some(answer);
        }
        if let Some(answer) = last_answer {
            let _gone = last_sender.send(answer);
        }
    });
    Answers { first, last }
}

impl Sender {
    fn say(&self, what: std::fmt::Arguments<'_>) {
        self.world.say(&self.who, what);
    }
}
