//! Messages that come from elsewhere, in the plainest form.

use mira_store::{MessageId, SessionId, Timestamp};
use serde::{Deserialize, Deserializer};
use sha2::{Digest, Sha256};
use sqlx::SqliteConnection;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use ulid::Ulid;

use super::line::{Refusal, excerpt};
use super::shape::LATEST_MS;
use super::store::{Outcome, Trouble};
use crate::curate;
use crate::message::{self, NewMessage, Role};
use crate::session::{self, DEFAULT_USER, valid_name};

/// The smallest number that is read as milliseconds, in the year 1973; as seconds it would be the year 5138.
const LEAST_MS: i64 = 100_000_000_000;

/// A message in the plainest form. Fields beside these are passed over, because whoever wrote them did not write them for
/// Mira.
#[derive(Debug, Deserialize)]
pub(super) struct Simple {
    content: String,
    role: Role,
    #[serde(default)]
    session: Option<String>,
    #[serde(default)]
    speaker: Option<String>,
    #[serde(default)]
    salience: Option<f64>,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    memory_type: Option<String>,
    #[serde(default, alias = "timestamp", deserialize_with = "time_of")]
    time: Option<Timestamp>,
}

impl Simple {
    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        let simple: Self = serde_json::from_str(text).map_err(|error| Refusal::NotAMessage {
            why: excerpt(&error.to_string()),
        })?;
        match simple.salience {
            Some(salience) if !(0.0..=10.0).contains(&salience) => Err(Refusal::Invalid {
                field: "salience",
                wanted: "a number from 0 to 1, or up to 10",
            }),
            _ => Ok(simple),
        }
    }

    /// Stores the message like one that was said just now or, where it has a time, then. One with a time has an id that
    /// follows from its content, so that it is not taken twice.
    pub(super) async fn store(
        self,
        connection: &mut SqliteConnection,
        into: Option<SessionId>,
        now: Timestamp,
    ) -> Result<Outcome, Trouble> {
        let session = match &self.session {
            Some(name) => session_called(connection, name, now).await?,
            None => into.ok_or(Refusal::NoSession)?,
        };
        let id = self
            .time
            .map_or_else(|| MessageId::at(now), |time| self.id(session, time));
        if message::get(connection, id).await?.is_some() {
            return Ok(Outcome::Known);
        }
        let mut tags = self.tags;
        tags.extend(self.memory_type.filter(|kind| !kind.is_empty()));
        let new = NewMessage {
            speaker: self.speaker,
            tags,
            time: self.time,
            ..NewMessage::new(session, self.role, self.content)
        };
        let message = message::append(connection, id, new, now).await?;
        if let Some(salience) = self.salience {
            let salience = if salience > 1.0 { salience / 10.0 } else { salience };
            curate::set_salience(connection, message.number, salience, now).await?;
        }
        Ok(Outcome::Added)
    }

    fn id(&self, session: SessionId, time: Timestamp) -> MessageId {
        let mut hash = Sha256::new();
        for part in [&session.to_string(), self.role.as_str(), &self.content] {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        let digest: [u8; 32] = hash.finalize().into();
        let random = digest[..16].try_into().map_or(0, u128::from_le_bytes);
        Ulid::from_parts(u64::try_from(time.ms()).unwrap_or(0), random).into()
    }
}

/// The session of an id, or of a name, made when there is none.
async fn session_called(
    connection: &mut SqliteConnection,
    name: &str,
    now: Timestamp,
) -> Result<SessionId, Trouble> {
    if let Ok(id) = name.parse() {
        return match session::get(connection, id).await? {
            Some(session) => Ok(session.id),
            None => Err(Trouble::Refused(Refusal::UnknownReference {
                field: "session",
                id: name.to_owned(),
            })),
        };
    }
    if !valid_name(name) {
        return Err(Trouble::Refused(Refusal::Invalid {
            field: "session",
            wanted: "an id, or a name of 1 to 200 characters without control characters",
        }));
    }
    if let Some(session) = session::named(connection, name).await? {
        return Ok(session.id);
    }
    Ok(session::create(connection, Some(name), DEFAULT_USER, now)
        .await?
        .id)
}

fn time_of<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    #[derive(Deserialize)]
    #[serde(
        untagged,
        expecting = "a time in RFC 3339, or a number of seconds or milliseconds since 1970"
    )]
    enum Form {
        Whole(i64),
        Fraction(f64),
        Text(String),
    }
    let ms = match Option::<Form>::deserialize(deserializer)? {
        None => return Ok(None),
        Some(Form::Whole(number)) if number.abs() < LEAST_MS => Some(number * 1000),
        Some(Form::Whole(number)) => Some(number),
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the range is checked below, and casts saturate"
        )]
        Some(Form::Fraction(seconds)) => Some((seconds * 1000.0) as i64),
        Some(Form::Text(text)) => OffsetDateTime::parse(&text, &Rfc3339)
            .ok()
            .and_then(|time| i64::try_from(time.unix_timestamp_nanos() / 1_000_000).ok()),
    };
    match ms {
        Some(ms) if ms.unsigned_abs() <= LATEST_MS => Ok(Some(Timestamp::from_ms(ms))),
        _ => Err(serde::de::Error::custom(
            "a time is RFC 3339, or a number of seconds or milliseconds since 1970",
        )),
    }
}
