//! Typed ids. Each is a ULID: 26 characters, sortable by the time it was made, stored as text.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::{InvalidId, Timestamp};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $kind:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Ulid);

        impl $name {
            /// A new id that sorts by `time`; ids of the same millisecond sort at random.
            pub fn at(time: Timestamp) -> Self {
                let ms = u64::try_from(time.ms()).unwrap_or(0);
                Self(Ulid::from_parts(ms, Ulid::generate().random()))
            }

            /// The id as a number that no id of another kind has.
            pub fn ulid(self) -> Ulid {
                self.0
            }

            /// The time this id was made at.
            pub fn time(self) -> Timestamp {
                Timestamp::from_ms(i64::try_from(self.0.timestamp_ms()).unwrap_or(i64::MAX))
            }
        }

        impl From<Ulid> for $name {
            fn from(ulid: Ulid) -> Self {
                Self(ulid)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                // Only the canonical spelling, so that no two texts name one thing.
                match Ulid::from_string(text) {
                    Ok(ulid) if ulid.to_string() == text => Ok(Self(ulid)),
                    _ => Err(InvalidId { kind: $kind, text: text.chars().take(64).collect() }),
                }
            }
        }

        impl sqlx::Type<sqlx::Sqlite> for $name {
            fn type_info() -> sqlx::sqlite::SqliteTypeInfo {
                <String as sqlx::Type<sqlx::Sqlite>>::type_info()
            }
        }

        impl sqlx::Encode<'_, sqlx::Sqlite> for $name {
            fn encode_by_ref(
                &self,
                buffer: &mut sqlx::sqlite::SqliteArgumentsBuffer,
            ) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
                sqlx::Encode::<sqlx::Sqlite>::encode(self.0.to_string(), buffer)
            }
        }

        impl<'r> sqlx::Decode<'r, sqlx::Sqlite> for $name {
            fn decode(value: sqlx::sqlite::SqliteValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
                Ok(<&str as sqlx::Decode<sqlx::Sqlite>>::decode(value)?.parse()?)
            }
        }
    )*};
}

ids! {
    /// A conversation.
    SessionId = "session";
    /// One message of a conversation.
    MessageId = "message";
    /// One turn and all that it does.
    OperationId = "operation";
    /// One streamed text of an operation.
    ItemId = "item";
    /// One call of the second model.
    DelegationId = "delegation";
    /// A file that a model produced.
    ArtifactId = "artifact";
    /// A project on disk.
    ProjectId = "project";
    /// One recorded change of a file.
    ChangeId = "change";
    /// A summary of messages.
    SummaryId = "summary";
    /// One state of something known of a user.
    FactId = "fact";
    /// Something learned of how a user works.
    PatternId = "pattern";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time_and_survive_their_text_form() {
        let early = SessionId::at(Timestamp::from_ms(1_000));
        let late = SessionId::at(Timestamp::from_ms(2_000));
        assert!(early < late && early.to_string() < late.to_string());
        assert_eq!(early.to_string().parse(), Ok(early));
        assert_eq!(late.time(), Timestamp::from_ms(2_000));
        assert_eq!(
            serde_json::to_value(early).unwrap(),
            serde_json::json!(early.to_string())
        );
    }

    #[test]
    fn a_text_that_is_no_id_is_refused_by_kind() {
        for text in [
            "",
            "peter",
            "01ARZ3NDEKTSV4RRFFQ69G5FAVX",
            "8ZZZZZZZZZZZZZZZZZZZZZZZZZ",
            "ÄÖ",
        ] {
            let refused = text.parse::<MessageId>().unwrap_err();
            assert_eq!(
                refused,
                InvalidId {
                    kind: "message",
                    text: text.to_owned()
                }
            );
        }
    }
}
