//! Faults at the moment at which they strike.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Fault, Faults, Kind, delay};
use crate::model::Model;

/// What happens to an invocation that was let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Inflicted {
    /// How much later the process gets the event.
    pub(crate) delay: Duration,
    /// Whether the process is killed instead of getting it.
    pub(crate) crash: bool,
}

impl Inflicted {
    pub(crate) fn is_nothing(self) -> bool {
        self == Self::default()
    }
}

/// What a fault may strike.
#[derive(Debug, Clone, Copy)]
enum Victim<'a> {
    Invocation {
        function_name: &'a str,
        request_id: &'a str,
    },
    Post {
        api_id: &'a str,
        connection_id: &'a str,
    },
}

impl Fault {
    fn is_for(&self, victim: Victim<'_>) -> bool {
        let fits =
            |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|wanted| wanted == is);
        match victim {
            Victim::Invocation { function_name, .. } => {
                fits(&self.what.function_name, function_name)
            }
            Victim::Post {
                api_id,
                connection_id,
            } => fits(&self.what.api_id, api_id) && fits(&self.what.connection_id, connection_id),
        }
    }
}

/// A fault that has struck.
struct Struck {
    delay: Duration,
    told: Value,
    /// It was the last time.
    used_up: bool,
}

impl Faults {
    /// The oldest one of a kind that is for this victim strikes; the rest wait.
    fn strike(&self, kind: Kind, victim: Victim<'_>) -> Option<Struck> {
        if !self.any.load(Ordering::Acquire) {
            return None;
        }
        let mut list = self.lock();
        let mut faults = list.faults.iter_mut();
        let at = faults.position(|fault| fault.what.kind == kind && fault.is_for(victim))?;
        let fault = &mut list.faults[at];
        fault.hits += 1;
        fault.remaining = fault.remaining.map(|times| times.saturating_sub(1));
        let used_up = fault.remaining == Some(0);
        let mut told = json!({
            "kind": "fault",
            "id": fault.id,
            "fault": kind,
            "functionName": null,
            "requestId": null,
            "apiId": null,
            "connectionId": null,
            "hits": fault.hits,
            "remaining": fault.remaining,
        });
        let members = match victim {
            Victim::Invocation {
                function_name,
                request_id,
            } => [("functionName", function_name), ("requestId", request_id)],
            Victim::Post {
                api_id,
                connection_id,
            } => [("apiId", api_id), ("connectionId", connection_id)],
        };
        for (name, value) in members {
            told[name] = value.into();
        }
        let delay = delay(&fault.what);
        if used_up {
            list.faults.remove(at);
            self.changed(&list);
        }
        Some(Struck {
            delay,
            told,
            used_up,
        })
    }
}

impl Model {
    fn strike(&self, kind: Kind, victim: Victim<'_>) -> Option<Duration> {
        let struck = self.faults.strike(kind, victim)?;
        self.traffic.tell(|| {
            let mut told = struck.told;
            told["at"] = self.now().as_millisecond().into();
            told
        });
        if struck.used_up {
            self.tell_faults();
        }
        Some(struck.delay)
    }

    /// Whether an invocation is refused.
    pub(crate) fn is_throttled(&self, function_name: &str, request_id: &str) -> bool {
        let victim = Victim::Invocation {
            function_name,
            request_id,
        };
        self.strike(Kind::Throttle, victim).is_some()
    }

    /// What happens to one that was let in.
    pub(crate) fn inflicted(&self, function_name: &str, request_id: &str) -> Inflicted {
        let victim = Victim::Invocation {
            function_name,
            request_id,
        };
        Inflicted {
            delay: self.strike(Kind::Slow, victim).unwrap_or_default(),
            crash: self.strike(Kind::Crash, victim).is_some(),
        }
    }

    /// Whether a post to a connection finds it gone.
    pub(crate) fn is_gone(&self, api_id: &str, connection_id: &str) -> bool {
        let victim = Victim::Post {
            api_id,
            connection_id,
        };
        self.strike(Kind::Gone, victim).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::NewFault;
    use crate::limits::FAULTS;
    use jiff::Timestamp;

    const ROOM: Victim<'_> = Victim::Invocation {
        function_name: "room",
        request_id: "r",
    };

    fn fault(kind: Kind) -> NewFault {
        NewFault {
            kind,
            function_name: None,
            api_id: None,
            connection_id: None,
            delay_ms: None,
            times: None,
        }
    }

    fn faults(all: Vec<NewFault>) -> Faults {
        let faults = Faults::default();
        for what in all {
            faults.add(what, Timestamp::UNIX_EPOCH).unwrap();
        }
        faults
    }

    fn strikes(faults: &Faults, kind: Kind, victim: Victim<'_>) -> bool {
        faults.strike(kind, victim).is_some()
    }

    #[test]
    fn a_fault_strikes_its_kind_and_its_function_alone() {
        let of_room = NewFault {
            function_name: Some("room".to_owned()),
            ..fault(Kind::Crash)
        };
        let faults = faults(vec![of_room]);
        let other = Victim::Invocation {
            function_name: "other",
            request_id: "r",
        };
        assert!(strikes(&faults, Kind::Crash, ROOM));
        assert!(!strikes(&faults, Kind::Slow, ROOM));
        assert!(!strikes(&faults, Kind::Crash, other));
        assert_eq!(faults.show()[0]["hits"], 1);
    }

    #[test]
    fn gone_is_for_a_connection_an_api_or_all() {
        let post = |api_id, connection_id| Victim::Post {
            api_id,
            connection_id,
        };
        let one = NewFault {
            connection_id: Some("c".to_owned()),
            ..fault(Kind::Gone)
        };
        let one = faults(vec![one]);
        assert!(strikes(&one, Kind::Gone, post("a", "c")));
        assert!(!strikes(&one, Kind::Gone, post("a", "d")));
        let api = NewFault {
            api_id: Some("a".to_owned()),
            ..fault(Kind::Gone)
        };
        let api = faults(vec![api]);
        assert!(strikes(&api, Kind::Gone, post("a", "d")));
        assert!(!strikes(&api, Kind::Gone, post("b", "d")));
        let all = faults(vec![fault(Kind::Gone)]);
        assert!(strikes(&all, Kind::Gone, post("b", "d")));
    }

    #[test]
    fn one_for_so_many_times_goes_after_the_last() {
        let twice = NewFault {
            times: Some(2),
            ..fault(Kind::Throttle)
        };
        let faults = faults(vec![twice]);
        let first = faults.strike(Kind::Throttle, ROOM).unwrap();
        assert_eq!(
            (first.used_up, &first.told["remaining"]),
            (false, &1.into())
        );
        assert!(faults.strike(Kind::Throttle, ROOM).unwrap().used_up);
        assert!(!strikes(&faults, Kind::Throttle, ROOM));
        assert_eq!(faults.show(), json!([]));
    }

    #[test]
    fn they_are_few_and_can_be_removed() {
        let faults = faults((0..FAULTS).map(|_| fault(Kind::Crash)).collect());
        assert!(
            faults
                .add(fault(Kind::Crash), Timestamp::UNIX_EPOCH)
                .is_err()
        );
        assert!(faults.remove(Some("fault-1")) && !faults.remove(Some("fault-1")));
        assert_eq!(faults.show()[0]["id"], "fault-2");
        assert!(faults.remove(None) && !faults.remove(None));
        assert!(!strikes(&faults, Kind::Crash, ROOM));
    }
}
