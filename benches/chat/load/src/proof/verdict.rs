//! What must hold in the end, and whether it does.

use serde_json::{Value, json};

use super::ledger::{LogFaults, MemberFaults};
use super::processes::Kills;
use super::witness::Blame;

/// All that the proof found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) seed: u64,
    pub(super) seconds: f64,
    /// Messages of all logs, and how many were said.
    pub(super) accepted: u64,
    pub(super) said: u64,
    /// Stays in rooms by the client library, and messages that it told.
    pub(super) stays: u64,
    pub(super) stays_to_the_end: u64,
    pub(super) told: u64,
    pub(super) returns: u64,
    pub(super) members: MemberFaults,
    pub(super) logs: LogFaults,
    /// Connections of raw sockets, and messages that they heard.
    pub(super) sockets: u64,
    pub(super) heard: u64,
    pub(super) late: u64,
    pub(super) stray: u64,
    pub(super) altered: u64,
    pub(super) blame: Blame,
    pub(super) unanswered: u64,
    pub(super) kills: Kills,
    pub(super) resets: u64,
    pub(super) deletes: u64,
    pub(super) table_errors: u64,
    pub(super) undelivered: u64,
    /// Room environments that may be at once, were at once, were at work at once, and
    /// were in all.
    pub(super) environments_wanted: u64,
    pub(super) environments: u64,
    pub(super) at_work: u64,
    pub(super) environments_in_all: u64,
}

/// One condition.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) what: &'static str,
    pub(super) found: u64,
    pub(super) least: u64,
    pub(super) most: u64,
}

impl Verdict {
    pub(super) fn holds(&self) -> bool {
        (self.least..=self.most).contains(&self.found)
    }
}

const ANY: u64 = u64::MAX;

impl Found {
    pub(super) fn verdicts(&self) -> Vec<Verdict> {
        let (members, logs, blame) = (&self.members, &self.logs, &self.blame);
        let wanted = self.environments_wanted;
        [
            ("client library: messages lost", members.lost, 0, 0),
            ("client library: messages told twice", members.doubled, 0, 0),
            (
                "client library: messages out of order",
                members.misordered,
                0,
                0,
            ),
            ("client library: other texts", members.altered, 0, 0),
            ("client library: never got in", members.never_in, 0, 0),
            ("log: messages stored twice", logs.stored_twice, 0, 0),
            ("log: messages that nobody said", logs.invented, 0, 0),
            ("log: acknowledged, and not there", logs.not_kept, 0, 0),
            ("raw: heard by a non-member", self.stray, 0, 0),
            ("raw: other texts", self.altered, 0, 0),
            (
                "raw: lost, though nothing was killed",
                blame.lost_without_cause,
                0,
                0,
            ),
            (
                "raw: doubled, though nothing was killed",
                blame.doubled_without_cause,
                0,
                0,
            ),
            (
                "messages cut short, of rooms' kills",
                blame.cut_short,
                0,
                self.kills.rooms,
            ),
            (
                "room environments at once",
                self.environments,
                wanted,
                wanted,
            ),
            ("of these at work at once", self.at_work, wanted, wanted),
            // Without these nothing would be proven.
            ("messages accepted", self.accepted, 100, ANY),
            ("messages told by the client library", self.told, 1_000, ANY),
            ("messages heard by raw sockets", self.heard, 100, ANY),
            (
                "killed at work: rooms' processes",
                self.kills.at_work,
                5,
                ANY,
            ),
            ("connections reset", self.resets, 5, ANY),
            ("connections deleted", self.deletes, 5, ANY),
            ("members back after a cut", self.returns, 5, ANY),
        ]
        .map(|(what, found, least, most)| Verdict {
            what,
            found,
            least,
            most,
        })
        .into()
    }

    pub(super) fn figures(&self) -> Value {
        let failed: Vec<_> = self.verdicts();
        let failed: Vec<_> = failed.iter().filter(|it| !it.holds()).collect();
        json!({
            "seed": self.seed,
            "seconds": self.seconds.round(),
            "said": self.said,
            "accepted": self.accepted,
            "client_library": {
                "stays": self.stays,
                "stays_to_the_end": self.stays_to_the_end,
                "told": self.told,
                "returns": self.returns,
                "lost": self.members.lost,
                "doubled": self.members.doubled,
                "misordered": self.members.misordered,
                "altered": self.members.altered,
                "never_in": self.members.never_in,
            },
            "log": {
                "stored_twice": self.logs.stored_twice,
                "invented": self.logs.invented,
                "not_kept": self.logs.not_kept,
            },
            "raw": {
                "connections": self.sockets,
                "heard": self.heard,
                "stray": self.stray,
                "late": self.late,
                "altered": self.altered,
                "lost_by_kills": self.blame.lost,
                "doubled_by_kills": self.blame.doubled,
                "lost_without_cause": self.blame.lost_without_cause,
                "doubled_without_cause": self.blame.doubled_without_cause,
                "unanswered": self.unanswered,
            },
            "messages_cut_short": self.blame.cut_short,
            "kills": {
                "rooms": self.kills.rooms,
                "at_work": self.kills.at_work,
                "others": self.kills.others,
            },
            "resets": self.resets,
            "deletes": self.deletes,
            "table_errors": self.table_errors,
            "undelivered": self.undelivered,
            "environments": {
                "at_once": self.environments,
                "at_work_at_once": self.at_work,
                "in_all": self.environments_in_all,
            },
            "failed": failed.iter().map(|it| it.what).collect::<Vec<_>>(),
        })
    }
}

/// For people.
pub(super) fn table(found: &Found) -> String {
    let counts = [
        ("messages said", found.said),
        ("stays by the client library", found.stays),
        ("of these to the end", found.stays_to_the_end),
        ("raw connections", found.sockets),
        ("raw: requests without an answer", found.unanswered),
        ("raw: heard just after leaving", found.late),
        ("raw: lost where the telling was killed", found.blame.lost),
        ("raw: doubled where it was killed", found.blame.doubled),
        ("rooms' processes killed", found.kills.rooms),
        ("other functions' killed", found.kills.others),
        ("room environments in all", found.environments_in_all),
        ("posts that reached nobody in time", found.undelivered),
        ("lines that tell of an error", found.table_errors),
    ];
    let mut lines: Vec<String> = counts
        .iter()
        .map(|(what, count)| format!("{what:<42}{count:>10}"))
        .collect();
    lines.extend(found.logs.wrongs.iter().map(|wrong| format!("  {wrong}")));
    lines.push(String::new());
    lines.push(format!("{:<42}{:>10}  {:>8}", "", "found", "must be"));
    for verdict in found.verdicts() {
        let bounds = match (verdict.least, verdict.most) {
            (least, ANY) => format!("≥ {least}"),
            (0, most) => format!("≤ {most}"),
            (least, _) => format!("= {least}"),
        };
        let word = if verdict.holds() { "ok" } else { "FAILED" };
        let (what, count) = (verdict.what, verdict.found);
        lines.push(format!("{what:<42}{count:>10}  {bounds:>8}  {word}"));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Found {
        Found {
            accepted: 1_000,
            told: 20_000,
            heard: 1_000,
            kills: Kills {
                rooms: 20,
                at_work: 15,
                others: 4,
            },
            resets: 50,
            deletes: 20,
            returns: 40,
            environments_wanted: 8,
            environments: 8,
            at_work: 8,
            ..Found::default()
        }
    }

    fn failed(change: impl Fn(&mut Found)) -> Vec<&'static str> {
        let mut found = good();
        change(&mut found);
        let verdicts = found.verdicts();
        let failed = verdicts.iter().filter(|it| !it.holds());
        failed.map(|it| it.what).collect()
    }

    #[test]
    fn a_proof_in_which_much_happened_and_nothing_went_wrong_holds() {
        assert_eq!(failed(|_| {}), [""; 0]);
    }

    #[test]
    fn each_fault_fails_by_itself() {
        assert_eq!(
            failed(|it| it.members.lost = 1),
            ["client library: messages lost"]
        );
        assert_eq!(failed(|it| it.members.doubled = 1).len(), 1);
        assert_eq!(failed(|it| it.members.misordered = 1).len(), 1);
        assert_eq!(failed(|it| it.members.altered = 1).len(), 1);
        assert_eq!(failed(|it| it.members.never_in = 1).len(), 1);
        assert_eq!(failed(|it| it.logs.stored_twice = 1).len(), 1);
        assert_eq!(failed(|it| it.logs.invented = 1).len(), 1);
        assert_eq!(failed(|it| it.logs.not_kept = 1).len(), 1);
        assert_eq!(failed(|it| it.stray = 1), ["raw: heard by a non-member"]);
        assert_eq!(failed(|it| it.altered = 1).len(), 1);
        assert_eq!(failed(|it| it.blame.lost_without_cause = 1).len(), 1);
        assert_eq!(failed(|it| it.blame.doubled_without_cause = 1).len(), 1);
        assert_eq!(failed(|it| it.blame.cut_short = 21).len(), 1);
    }

    #[test]
    fn losses_where_invocations_were_killed_are_counted_and_no_fault() {
        let lost = |it: &mut Found| {
            it.blame.lost = 30;
            it.blame.cut_short = 20;
        };
        assert_eq!(failed(lost), [""; 0]);
    }

    #[test]
    fn a_proof_without_all_environments_kills_or_cuts_proves_nothing() {
        assert_eq!(
            failed(|it| it.environments = 7),
            ["room environments at once"]
        );
        assert_eq!(
            failed(|it| it.environments = 9),
            ["room environments at once"]
        );
        assert_eq!(failed(|it| it.kills.at_work = 0).len(), 1);
        assert_eq!(failed(|it| (it.resets, it.deletes) = (0, 0)).len(), 2);
    }
}
