//! Which stages live in an account and region, by what they left there: the journal, which
//! is a stage's first and last, and the API.
//!
//! An API counts by itself, too: a call to make one may be carried out when the `down` that
//! didn't wait for it has removed the journal. Deliberately absent: functions, roles, tables
//! and log groups without either. Listing those takes a call for each that there is in the
//! account, whoever's it is; a `down` of the stage by its name looks for them.

use crate::manifest::journal;
use crate::names::{ApiId, LogGroupName, Names, StageIdentity};
use crate::record::Record;
use crate::tags::{SERVICE_TAG, STAGE_TAG, Tags};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// What the names of all journals begin with.
pub const JOURNAL_PREFIX: &str = "/deployer/";

/// A log group that may be a stage's journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalFound {
    /// Its name.
    pub log_group: LogGroupName,
    /// When it was made, if the service said so; ms since 1970.
    pub created_ms: Option<i64>,
    /// Its tags; `None`: whoever asks may not read them.
    pub tags: Option<Tags>,
}

/// An API that may be a stage's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiFound {
    /// Its id.
    pub api_id: ApiId,
    /// Its tags.
    pub tags: Tags,
    /// Where it answers, without the stage.
    pub endpoint: String,
    /// RFC 3339, when the service said so.
    pub created: Option<String>,
}

/// A stage that lives in the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resident {
    /// Whose it is.
    pub identity: StageIdentity,
    /// What its journal says of it; nothing where there is no journal.
    pub record: Record,
    /// All tags of its journal, or of the API where there is none.
    pub tags: Tags,
    /// When it was first deployed.
    pub created: Option<Timestamp>,
    /// Its APIs: one, unless an answer was lost.
    pub apis: Vec<ApiFound>,
}

/// Everybody who lives there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Census {
    /// In the order of their names.
    pub residents: Vec<Resident>,
    /// Log groups named as journals, whose tags whoever asks may not read.
    pub unreadable: Vec<LogGroupName>,
}

/// Where the journals of a service are; `None`: of all services.
pub fn journal_prefix(service: Option<&str>) -> String {
    match service {
        Some(service) => format!("{JOURNAL_PREFIX}{service}-"),
        None => JOURNAL_PREFIX.to_owned(),
    }
}

/// Whoever lives there, of one service or of all. What only looks like a stage's is left
/// out: a journal has the name that follows from its tags.
pub fn census(journals: Vec<JournalFound>, apis: Vec<ApiFound>, service: Option<&str>) -> Census {
    let wanted = |identity: &StageIdentity| service.is_none_or(|it| it == identity.service);
    let mut residents: BTreeMap<StageIdentity, Resident> = BTreeMap::new();
    let mut unreadable = Vec::new();
    for JournalFound {
        log_group,
        created_ms,
        tags,
    } in journals
    {
        let Some(tags) = tags else {
            unreadable.push(log_group);
            continue;
        };
        // The region is in names of roles only.
        let its =
            |identity: &StageIdentity| journal(&Names::new(identity.clone(), "")) == log_group;
        let Some(identity) = identity_of(&tags).filter(its).filter(wanted) else {
            continue;
        };
        let resident = Resident {
            identity: identity.clone(),
            record: Record::of(&tags),
            tags,
            created: created_ms.and_then(|ms| Timestamp::from_millisecond(ms).ok()),
            apis: Vec::new(),
        };
        residents.insert(identity, resident);
    }
    for api in apis {
        let Some(identity) = identity_of(&api.tags).filter(wanted) else {
            continue;
        };
        let resident = residents
            .entry(identity.clone())
            .or_insert_with(|| Resident {
                identity,
                record: Record::default(),
                tags: api.tags.clone(),
                created: api.created.as_ref().and_then(|at| at.parse().ok()),
                apis: Vec::new(),
            });
        resident.apis.push(api);
    }
    Census {
        residents: residents.into_values().collect(),
        unreadable,
    }
}

fn identity_of(tags: &Tags) -> Option<StageIdentity> {
    Some(StageIdentity {
        service: tags.get(SERVICE_TAG)?.clone(),
        stage: tags.get(STAGE_TAG)?.clone(),
    })
}

/// Whether a stage's name has this form: `*` stands for any text, `?` for one character.
pub fn matches(pattern: &str, name: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    // How much of the name the pattern's beginning may have taken.
    let mut taken = BTreeSet::from([0]);
    for wanted in pattern.chars() {
        let fits = |at: &usize| {
            name.get(*at)
                .is_some_and(|it| wanted == '?' || wanted == *it)
        };
        taken = match wanted {
            '*' => taken
                .first()
                .map_or(0..0, |first| *first..name.len() + 1)
                .collect(),
            _ => taken.into_iter().filter(fits).map(|at| at + 1).collect(),
        };
    }
    taken.contains(&name.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::EXPIRES_TAG;
    use crate::tags::ownership;

    fn identity(service: &str, stage: &str) -> StageIdentity {
        StageIdentity {
            service: service.into(),
            stage: stage.into(),
        }
    }

    fn journal_of(service: &str, stage: &str) -> JournalFound {
        let identity = identity(service, stage);
        JournalFound {
            log_group: journal(&Names::new(identity.clone(), "eu-central-1")),
            created_ms: Some(1_764_000_000_000),
            tags: Some(ownership(&identity)),
        }
    }

    fn api_of(service: &str, stage: &str) -> ApiFound {
        ApiFound {
            api_id: "a1".into(),
            tags: ownership(&identity(service, stage)),
            endpoint: "wss://a1.example.com".into(),
            created: Some("2026-11-23T10:00:00Z".into()),
        }
    }

    fn names(census: &Census) -> Vec<String> {
        let all = census.residents.iter();
        all.map(|it| it.identity.to_string()).collect()
    }

    #[test]
    fn stages_whose_names_run_into_each_other_are_told_apart_by_their_tags() {
        let journals = vec![journal_of("a-b", "c"), journal_of("a", "d")];
        assert_eq!(
            names(&census(journals.clone(), vec![], None)),
            ["a/d", "a-b/c"]
        );
        // `/deployer/a-b-c` begins as a journal of `a` does.
        assert_eq!(names(&census(journals, vec![], Some("a"))), ["a/d"]);
    }

    #[test]
    fn an_api_whose_journal_is_gone_is_a_stage_and_else_belongs_to_one() {
        let journals = vec![journal_of("chat", "alpha")];
        let apis = vec![api_of("chat", "alpha"), api_of("chat", "beta")];
        let census = census(journals, apis, Some("chat"));
        assert_eq!(names(&census), ["chat/alpha", "chat/beta"]);
        let [alpha, beta] = &census.residents[..] else {
            panic!("two");
        };
        assert_eq!((alpha.apis.len(), beta.apis.len()), (1, 1));
        assert!(alpha.created < beta.created);
        assert_eq!(beta.record, Record::default());
    }

    #[test]
    fn a_log_group_with_anothers_tags_is_no_journal() {
        let copied = JournalFound {
            log_group: "/deployer/mine".into(),
            ..journal_of("chat", "alpha")
        };
        assert_eq!(census(vec![copied], vec![], None), Census::default());
    }

    #[test]
    fn what_may_not_be_read_is_named() {
        let hidden = JournalFound {
            tags: None,
            ..journal_of("chat", "alpha")
        };
        let census = census(vec![hidden], vec![], None);
        assert_eq!(census.unreadable, ["/deployer/chat-alpha".into()]);
    }

    #[test]
    fn what_the_journal_says_of_its_stage_is_read() {
        let mut dated = journal_of("chat", "pr-1");
        let tags = dated.tags.as_mut().unwrap();
        tags.insert(EXPIRES_TAG.into(), "2026-11-26T00:00:00Z".into());
        let census = census(vec![dated], vec![], None);
        let expires = census.residents[0].record.expires.unwrap();
        assert_eq!(expires.to_string(), "2026-11-26T00:00:00Z");
    }

    #[test]
    fn a_pattern_is_the_whole_name() {
        for (pattern, name, fits) in [
            ("pr-*", "pr-123", true),
            ("pr-*", "pr-", true),
            ("pr-*", "prod", false),
            ("*-1", "pr-1", true),
            ("*-1", "pr-12", false),
            ("p?-1", "pr-1", true),
            ("p?-1", "p-1", false),
            ("*", "", true),
            ("alpha", "alpha", true),
            ("alpha", "alpha2", false),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "acb", false),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }
}
