//! `deployer logs`: events of all the stage's log groups as one sequence. Reads only.

use crate::cli::logs::Logs;
use crate::failure::Failure;
use crate::project::Project;
use crate::render::{LogScreen, text};
use crate::stage::OpenStage;
use deployer_core::names::{LogGroupName, Names};
use deployer_core::observed::LogGroupState;
use deployer_core::stage_file::{Place, nearest};
use deployer_core::tags::{Ownership, ownership_of};
use deployer_engine::cloud::CloudReader;
use deployer_engine::error::{CloudError, CloudErrorKind};
use deployer_engine::logs::{Followed, LogEvent, in_order};
use futures_util::future::try_join3;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Between two looks, on AWS: FilterLogEvents is asked once a group each time.
const PAUSE: Duration = Duration::from_secs(2);
/// On the local cloud, which is near.
const LOCAL_PAUSE: Duration = Duration::from_millis(200);
/// After an answer that may be another next time.
const PAUSE_AFTER_ERROR: Duration = Duration::from_secs(10);
/// Between two looks for groups: functions may come and go.
const REDISCOVER: Duration = Duration::from_secs(30);
/// What stands for the API's own logs.
const GATEWAY: &str = "gateway";

/// Log groups, and what each is called here.
type Sources = BTreeMap<LogGroupName, String>;

/// Shows one stage's events until there are no more; following, until Ctrl-C.
pub async fn run(project: &Project, options: &Logs) -> Result<(), Failure> {
    let definition = project.read_stage(&options.stage)?;
    let stage = OpenStage::open_if_there(project, &definition).await?;
    let identity = &definition.identity;
    let none = || Failure::NotSo {
        message: format!("{identity} has no logs"),
        next_step: match definition.existing.values().next() {
            Some(function) if definition.functions.is_empty() => format!(
                "what its routes lead to logs where its owner had it log, mostly: aws logs tail /aws/lambda/{}",
                function.name
            ),
            _ => format!("deployer up {}", options.stage),
        },
    };
    let stage = stage.ok_or_else(none)?;
    let all = sources(&stage).await?;
    if all.is_empty() {
        return Err(none());
    }
    let chosen = chosen(&all, &options.sources)?;
    let screen = LogScreen::new(options.json, chosen.values().map(String::as_str));
    let mut show = Show {
        stage: &stage,
        options,
        screen,
        sources: chosen,
        followed: Followed::since(options.since.as_millisecond()),
        shown: 0,
    };
    if options.follow {
        tokio::select! {
            ended = show.follow() => return ended,
            _ = tokio::signal::ctrl_c() => return Ok(()),
        }
    }
    if show.look().await?.is_continue() && show.shown == 0 {
        let since = options.since.strftime("%Y-%m-%dT%H:%M:%SZ");
        text::progress(&format!(
            "nothing since {since}; --since looks further back"
        ));
    }
    Ok(())
}

/// The stage's groups, those of functions that the file no longer names too.
async fn sources(stage: &OpenStage) -> Result<Sources, CloudError> {
    let (names, cloud) = (&stage.names, &stage.cloud);
    let access = names.access_log_group();
    let (prefix, execution) = (names.log_group_prefix(), &names.api_stage);
    let (functions, access, execution) = try_join3(
        cloud.list_log_groups(&prefix),
        cloud.list_log_groups(access.as_str()),
        cloud.list_execution_log_groups(execution),
    )
    .await?;
    let ours =
        |state: &LogGroupState| ownership_of(&state.tags, &names.identity) == Ownership::Ours;
    let all = functions.into_iter().chain(access).chain(execution);
    Ok(all
        .filter(|(_, state)| ours(state))
        .map(|(group, _)| {
            let source = called(&group, names);
            (group, source)
        })
        .collect())
}

fn called(group: &LogGroupName, names: &Names) -> String {
    let function = group.as_str().strip_prefix(&names.log_group_prefix());
    match function {
        Some(function) => function.to_owned(),
        None if *group == names.access_log_group() => format!("{GATEWAY}:access"),
        None => format!("{GATEWAY}:execution"),
    }
}

/// Those that were asked for; all, if none was.
fn chosen(all: &Sources, wanted: &[String]) -> Result<Sources, Failure> {
    if wanted.is_empty() {
        return Ok(all.clone());
    }
    let fits = |source: &str, wanted: &str| {
        source == wanted
            || source
                .strip_prefix(wanted)
                .is_some_and(|rest| rest.starts_with(':'))
    };
    for wanted in wanted {
        if !all.values().any(|source| fits(source, wanted)) {
            let known: Vec<&str> = all.values().map(String::as_str).collect();
            let next_step = match nearest(wanted, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are {}", known.join(", ")),
            };
            return Err(Failure::Input {
                message: format!("the stage has no logs of `{wanted}`"),
                next_step,
            });
        }
    }
    let is_wanted = |source: &String| wanted.iter().any(|wanted| fits(source, wanted));
    let all = all.iter().filter(|(_, source)| is_wanted(source));
    Ok(all
        .map(|(group, source)| (group.clone(), source.clone()))
        .collect())
}

struct Show<'a> {
    stage: &'a OpenStage,
    options: &'a Logs,
    screen: LogScreen,
    sources: Sources,
    followed: Followed,
    shown: usize,
}

impl Show<'_> {
    /// Shows what wasn't shown yet; breaks when nobody reads any more.
    async fn look(&mut self) -> Result<ControlFlow<()>, CloudError> {
        let groups: Vec<_> = self
            .sources
            .keys()
            .map(|group| (group.clone(), self.followed.from_ms(group)))
            .collect();
        let Self {
            stage,
            options,
            screen,
            sources,
            followed,
            shown,
        } = self;
        let mut see = |event: &LogEvent| {
            // Without following nothing is looked at twice, and nothing is to be remembered.
            let is_new = !options.follow || followed.is_new(event);
            let fits = |it: &regex::Regex| it.is_match(&event.message);
            if !is_new || !options.grep.as_ref().is_none_or(fits) {
                return ControlFlow::Continue(());
            }
            *shown += 1;
            let source = &sources[&event.log_group];
            match screen.event(source, event) {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            }
        };
        in_order(&stage.cloud, &groups, &mut see).await
    }

    async fn follow(&mut self) -> Result<(), Failure> {
        let pause = match self.stage.definition.place {
            Place::Local { .. } => LOCAL_PAUSE,
            Place::Aws { .. } => PAUSE,
        };
        let mut discovered = Instant::now();
        loop {
            let looked = match discovered.elapsed() >= REDISCOVER {
                true => self.rediscover().await,
                false => Ok(()),
            };
            if discovered.elapsed() >= REDISCOVER {
                discovered = Instant::now();
            }
            let looked = match looked {
                Ok(()) => self.look().await,
                Err(error) => Err(error),
            };
            match looked {
                Ok(ControlFlow::Break(())) => return Ok(()),
                Ok(ControlFlow::Continue(())) => {
                    self.followed.forget();
                    sleep(pause).await;
                }
                Err(error) if passes(&error) => {
                    text::progress(&format!("{error}; looking again in 10 s"));
                    sleep(PAUSE_AFTER_ERROR).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn rediscover(&mut self) -> Result<(), CloudError> {
        let all = sources(self.stage).await?;
        // What was asked for by name may have gone meanwhile.
        if let Ok(chosen) = chosen(&all, &self.options.sources) {
            self.screen.widen(chosen.values().map(String::as_str));
            self.sources = chosen;
        }
        Ok(())
    }
}

/// Whether the next answer may be another.
fn passes(error: &CloudError) -> bool {
    error.kind == CloudErrorKind::NoAnswer || error.is("ThrottlingException")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Sources {
        [
            ("/aws/lambda/chat-alpha-room", "room"),
            ("/aws/vendedlogs/apigateway/chat-alpha", "gateway:access"),
            ("/aws/apigateway/a1/alpha", "gateway:execution"),
        ]
        .into_iter()
        .map(|(group, source)| (LogGroupName::new(group), source.to_owned()))
        .collect()
    }

    fn names(wanted: &[&str]) -> Result<Vec<String>, Failure> {
        let wanted: Vec<String> = wanted.iter().map(|it| (*it).to_owned()).collect();
        chosen(&all(), &wanted).map(|sources| sources.into_values().collect())
    }

    #[test]
    fn sources_are_chosen_by_name_and_the_gateways_together() {
        assert_eq!(names(&[]).expect("all").len(), 3);
        assert_eq!(names(&["room"]).expect("it is there"), ["room"]);
        assert_eq!(names(&["gateway"]).expect("they are there").len(), 2);
        assert_eq!(names(&["gateway:access"]).expect("it is there").len(), 1);
    }

    #[test]
    fn a_source_that_is_not_there_is_bad_input_that_names_what_is() {
        let failure = names(&["rom"]).expect_err("there is none");
        assert_eq!(failure.exit_code(), crate::exit::BAD_INPUT);
        assert_eq!(failure.next_step(), "did you mean `room`?");
        let failure = names(&["zebra"]).expect_err("there is none");
        assert!(failure.next_step().starts_with("there are "));
    }
}
