//! Telling a room, or who asked.

use crate::refusal::Refusal;
use crate::{Asked, Handler};
use chat::{
    Chunk, Delivery, Envelope, Failure, Format, Member, Post, Relay, Served, Store, Telling,
    fan_out,
};
use futures_util::{StreamExt, stream};

/// Parts that are handed over at a time.
const CHUNKS_AT_ONCE: usize = 4;
/// Memberships that are ended at a time.
const PRUNED_AT_ONCE: usize = 16;

/// The same in each format.
struct Texts {
    plain: String,
    json: String,
}

impl Texts {
    fn to<'t>(&'t self, member: &'t Member) -> Telling<'t> {
        let text = match member.format {
            Format::Plain => &self.plain,
            Format::Json => &self.json,
        };
        Telling {
            to: &member.id,
            text,
        }
    }
}

impl<S: Store, R: Relay> Handler<S, R> {
    /// Tells these members, each in its format, and drops those that are gone.
    pub(crate) async fn tell_room(
        &self,
        asked: &Asked<'_, impl Post>,
        room: String,
        members: &[Member],
        envelope: &Envelope,
    ) -> Served {
        let texts = Texts {
            plain: envelope.text(Format::Plain).unwrap_or_default(),
            json: envelope.text(Format::Json).unwrap_or_default(),
        };
        let mut delivery = Delivery::default();
        let mut here = members;
        if self.relay.splits() && members.len() > self.part {
            let (first, others) = members.split_at(self.part);
            delivery = self.hand_over(asked, &room, others, &texts).await;
            here = first;
        }
        let tellings: Vec<_> = here.iter().map(|member| texts.to(member)).collect();
        let told = fan_out(asked.post, &tellings, asked.invocation.deadline, |_| {}).await;
        self.prune(&room, here, &told).await;
        delivery.add(told);
        Served {
            room: Some(room),
            ..delivery.into()
        }
    }

    /// Has other invocations tell these members.
    async fn hand_over(
        &self,
        asked: &Asked<'_, impl Post>,
        room: &str,
        members: &[Member],
        texts: &Texts,
    ) -> Delivery {
        let context = &asked.event.request_context;
        let chunk = |(number, members): (usize, &[Member])| Chunk {
            chunk: format!("{}-{number}", asked.invocation.request_id),
            domain_name: context.domain_name.clone().unwrap_or_default(),
            stage: context.stage.clone().unwrap_or_default(),
            room: room.to_owned(),
            plain: texts.plain.clone(),
            json: texts.json.clone(),
            members: members.iter().map(Into::into).collect(),
        };
        let mut delivery = Delivery::default();
        let chunks = members.chunks(self.part).enumerate().map(chunk);
        let mut handing = stream::iter(chunks)
            .map(async |chunk| (chunk.members.len(), self.relay.relay(&chunk).await))
            .buffer_unordered(CHUNKS_AT_ONCE);
        while let Some((count, handed)) = handing.next().await {
            match handed {
                Ok(()) => delivery.relayed += count,
                Err(error) => {
                    delivery.undelivered += count;
                    delivery.failed.push(Failure {
                        connection_id: format!("{count} members"),
                        error,
                    });
                }
            }
        }
        delivery
    }

    /// Whom this misses, a later post finds, or their time ends.
    async fn prune(&self, room: &str, members: &[Member], delivery: &Delivery) {
        let gone = members.iter().filter(|it| delivery.gone.contains(&it.id));
        stream::iter(gone)
            .map(|member| self.store.prune(room, member))
            .buffer_unordered(PRUNED_AT_ONCE)
            .for_each(async |_| {})
            .await;
    }

    /// Tells who asked, in this format.
    pub(crate) async fn answer(
        &self,
        asked: &Asked<'_, impl Post>,
        format: Format,
        envelope: &Envelope,
    ) -> Delivery {
        let Some(text) = envelope.text(format) else {
            return Delivery::default();
        };
        let telling = Telling {
            to: asked.id,
            text: &text,
        };
        fan_out(asked.post, &[telling], asked.invocation.deadline, |_| {}).await
    }

    /// As [`answer`](Self::answer), as all that an event came to.
    pub(crate) async fn answer_about(
        &self,
        asked: &Asked<'_, impl Post>,
        room: String,
        format: Format,
        envelope: &Envelope,
    ) -> Served {
        Served {
            room: Some(room),
            ..self.answer(asked, format, envelope).await.into()
        }
    }

    /// Tells who asked why not.
    pub(crate) async fn refuse(&self, asked: &Asked<'_, impl Post>, refusal: Refusal) -> Served {
        // When the store fails, it can't say how the asker is spoken to either.
        let format = self.spoken(asked).await.unwrap_or_default();
        let delivery = self.answer(asked, format, &refusal.envelope()).await;
        Served {
            room: refusal.room().map(str::to_owned),
            refused: Some(refusal.code()),
            failure: match &refusal {
                Refusal::Unavailable(error) => Some(error.to_string()),
                _ => None,
            },
            ..delivery.into()
        }
    }
}
