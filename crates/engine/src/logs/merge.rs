//! Events of several groups, merged by their time. At most a page of each group is held.

use super::{LogEvent, LogReader};
use crate::error::CloudError;
use deployer_core::names::LogGroupName;
use futures_util::future::try_join_all;
use std::collections::VecDeque;
use std::ops::ControlFlow;

/// One group's events, as far as they are read.
struct Source<'a> {
    log_group: &'a LogGroupName,
    from_ms: i64,
    events: VecDeque<LogEvent>,
    next_token: Option<String>,
}

impl Source<'_> {
    /// Reads on until there is an event, or no more.
    async fn fill(&mut self, reader: &impl LogReader) -> Result<(), CloudError> {
        while self.events.is_empty()
            && let Some(token) = self.next_token.take()
        {
            self.read(reader, Some(token)).await?;
        }
        Ok(())
    }

    async fn read(
        &mut self,
        reader: &impl LogReader,
        token: Option<String>,
    ) -> Result<(), CloudError> {
        let page = reader.log_page(self.log_group, self.from_ms, token).await?;
        self.events.extend(page.events);
        self.next_token = page.next_token;
        Ok(())
    }
}

/// Shows `see` all events of these groups, each from a time on (milliseconds since 1970), in
/// the order of their times, until it says that it has seen enough. Those of one time come
/// by group, within a group as the service has them.
///
/// # Errors
/// When the service refuses or doesn't answer. What came before was seen.
pub async fn in_order(
    reader: &impl LogReader,
    groups: &[(LogGroupName, i64)],
    see: &mut impl FnMut(&LogEvent) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, CloudError> {
    let sources = groups.iter().map(async |(log_group, from_ms)| {
        let mut source = Source {
            log_group,
            from_ms: *from_ms,
            events: VecDeque::new(),
            next_token: None,
        };
        source.read(reader, None).await?;
        source.fill(reader).await?;
        Ok::<_, CloudError>(source)
    });
    let mut sources = try_join_all(sources).await?;
    loop {
        let heads = sources.iter().enumerate();
        let heads = heads.filter_map(|(place, source)| {
            let event = source.events.front()?;
            Some((event.timestamp_ms, place))
        });
        let Some((_, place)) = heads.min() else {
            return Ok(ControlFlow::Continue(()));
        };
        let source = &mut sources[place];
        if let Some(event) = source.events.pop_front()
            && see(&event).is_break()
        {
            return Ok(ControlFlow::Break(()));
        }
        source.fill(reader).await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::LogPage;
    use proptest::prelude::*;

    /// Groups whose pages have so many events.
    struct Groups {
        events: Vec<Vec<LogEvent>>,
        page: usize,
    }

    fn group(place: usize) -> LogGroupName {
        LogGroupName::new(place.to_string())
    }

    impl LogReader for Groups {
        async fn log_page(
            &self,
            log_group: &LogGroupName,
            from_ms: i64,
            token: Option<String>,
        ) -> Result<LogPage, CloudError> {
            let place: usize = log_group.as_str().parse().expect("a number");
            let begin: usize = token.map_or(0, |token| token.parse().expect("a number"));
            let all = self.events[place].iter();
            let all = all.filter(|event| event.timestamp_ms >= from_ms);
            let events: Vec<LogEvent> = all.clone().skip(begin).take(self.page).cloned().collect();
            let end = begin + self.page;
            let next_token = (end < all.count() + 1).then(|| end.to_string());
            Ok(LogPage { events, next_token })
        }
    }

    async fn seen(groups: &Groups, from_ms: i64, enough: usize) -> Vec<LogEvent> {
        let mut seen = Vec::new();
        let places = 0..groups.events.len();
        let wanted: Vec<_> = places.map(|place| (group(place), from_ms)).collect();
        let mut see = |event: &LogEvent| {
            seen.push(event.clone());
            match seen.len() < enough {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            }
        };
        in_order(groups, &wanted, &mut see)
            .await
            .expect("no error")
            .is_break();
        seen
    }

    fn groups(times: &[Vec<i64>], page: usize) -> Groups {
        let events = times.iter().enumerate().map(|(place, times)| {
            let mut times = times.clone();
            times.sort_unstable();
            let event = |(index, timestamp_ms): (usize, &i64)| LogEvent {
                event_id: format!("{place}-{index}"),
                log_group: group(place),
                log_stream: "stream".into(),
                timestamp_ms: *timestamp_ms,
                ingested_ms: *timestamp_ms,
                message: String::new(),
            };
            times.iter().enumerate().map(event).collect()
        });
        Groups {
            events: events.collect(),
            page,
        }
    }

    proptest! {
        #[test]
        fn every_event_comes_once_and_in_order_whatever_the_pages(
            times in prop::collection::vec(prop::collection::vec(0_i64..40, 0..20), 0..5),
            page in 1_usize..7,
            from_ms in 0_i64..40,
        ) {
            let groups = groups(&times, page);
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            let seen = runtime.block_on(seen(&groups, from_ms, usize::MAX));
            prop_assert!(seen.is_sorted_by_key(|event| event.timestamp_ms));
            let mut wanted: Vec<&LogEvent> = groups.events.iter().flatten()
                .filter(|event| event.timestamp_ms >= from_ms).collect();
            wanted.sort_by_key(|event| event.timestamp_ms);
            prop_assert_eq!(seen.iter().collect::<Vec<_>>(), wanted);
        }
    }

    #[tokio::test]
    async fn who_has_seen_enough_is_shown_no_more() {
        let groups = groups(&[vec![1, 3], vec![2, 4]], 1);
        let ids: Vec<String> = seen(&groups, 0, 3)
            .await
            .into_iter()
            .map(|event| event.event_id)
            .collect();
        assert_eq!(ids, ["0-0", "1-0", "0-1"]);
    }
}
