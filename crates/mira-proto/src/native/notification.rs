//! What the server says unasked.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
#[cfg(feature = "ts")]
use ts_rs::TS;

use super::Event;
use super::method::{ParseError, parse_params};
use crate::open_enum::open_enum;
use crate::rpc;

/// Parameters of `event`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct EventNotification {
    /// The session that it happened in.
    pub session_id: String,
    /// Its number: above 0, and above that of every earlier event of the session.
    pub seq: u64,
    /// When it happened.
    pub time_ms: i64,
    /// What happened.
    pub event: Event,
}

/// Parameters of `session.synced`: the replay has reached the watermark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct SessionSyncedNotification {
    /// The session.
    pub session_id: String,
    /// The watermark.
    pub seq: u64,
}

/// Parameters of `heartbeat`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct HeartbeatNotification {
    /// The server's clock.
    pub time_ms: i64,
}

open_enum! {
    /// Why a connection gets no more events of a session.
    pub enum SessionClosedReason {
        /// The connection read too slowly.
        SlowClient = "slow_client",
        /// The server stops.
        ShuttingDown = "shutting_down",
    }
}

/// Parameters of `session.closed`: this connection gets no more events of the session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct SessionClosedNotification {
    /// The session.
    pub session_id: String,
    /// Why.
    pub reason: SessionClosedReason,
    /// The number of the last event that was sent; `after` of a resume.
    pub resume_after: u64,
}

/// What the documentation says of a notification.
#[derive(Debug, Clone, Copy)]
pub struct NotificationInfo {
    /// Its name on the wire.
    pub name: &'static str,
    /// The name of its parameters' type.
    pub params: &'static str,
    /// What it says.
    pub summary: &'static str,
    /// The schema of its parameters.
    pub schema: fn(&mut schemars::SchemaGenerator) -> schemars::Schema,
}

macro_rules! notifications {
    ($(#[doc = $doc:literal] $variant:ident = $name:literal, $params:ident;)+) => {
        /// A notification from the server.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Notification {
            $(#[doc = $doc] $variant($params),)+
        }

        impl Notification {
            /// Every notification, in the order of the documentation.
            pub const TYPES: &'static [NotificationInfo] = &[
                $(NotificationInfo {
                    name: $name,
                    params: stringify!($params),
                    summary: $doc,
                    schema: |generator| generator.subschema_for::<$params>(),
                },)+
            ];

            /// Reads a notification. `UnknownMethod` is to be ignored: the server is newer.
            pub fn parse(method: &str, params: Option<&RawValue>) -> Result<Self, ParseError> {
                match method {
                    $($name => parse_params(params).map(Self::$variant),)+
                    _ => Err(ParseError::UnknownMethod { method: method.to_owned() }),
                }
            }

            /// The frame to send.
            pub fn to_frame(&self) -> Result<String, serde_json::Error> {
                match self {
                    $(Self::$variant(params) => serde_json::to_string(&rpc::Notification::new($name, params)),)+
                }
            }
        }

        #[cfg(feature = "ts")]
        pub(crate) fn visit_notification_types(visitor: &mut impl ts_rs::TypeVisitor) {
            $(visitor.visit::<$params>();)+
        }
    };
}

notifications! {
    /// Something happened in an open session.
    Event = "event", EventNotification;
    /// The replay after `session.resume` is complete.
    SessionSynced = "session.synced", SessionSyncedNotification;
    /// The server is alive.
    Heartbeat = "heartbeat", HeartbeatNotification;
    /// This connection gets no more events of a session.
    SessionClosed = "session.closed", SessionClosedNotification;
}
