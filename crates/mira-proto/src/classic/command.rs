//! `commands!`: the methods of one family of commands.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
#[cfg(feature = "ts")]
use ts_rs::TS;

/// A command whose parameters have not been read.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[cfg_attr(feature = "ts", derive(TS))]
pub struct RawCommand {
    /// The name of the method.
    pub method: String,
    /// Its parameters, as they came.
    pub params: Value,
}

/// Declares the commands of a family: each method, its other names, and its parameters. A method that is not listed
/// becomes `Other`.
macro_rules! commands {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            $($(#[$variant_meta:meta])* $variant:ident($params:ty) = $method:literal $(| $alias:literal)*,)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, schemars::JsonSchema)]
        #[cfg_attr(feature = "ts", derive(ts_rs::TS))]
        #[serde(tag = "method", content = "params")]
        pub enum $name {
            $($(#[$variant_meta])* #[serde(rename = $method)] $variant($params),)+
            /// A method of this family that is not listed here.
            #[serde(untagged)]
            Other($crate::classic::RawCommand),
        }

        impl $name {
            /// The name of the method.
            pub fn method(&self) -> &str {
                match self {
                    $(Self::$variant(_) => $method,)+
                    Self::Other(command) => &command.method,
                }
            }

            /// Reads the parameters, an object in JSON, of a method.
            pub(super) fn parse(method: String, params: &str) -> Result<Self, $crate::params::Fault> {
                match method.as_str() {
                    $($method $(| $alias)* => $crate::params::read(params).map(Self::$variant),)+
                    _ => $crate::classic::command::raw(method, params).map(Self::Other),
                }
            }
        }
    };
}

pub(super) use commands;

/// Reads the parameters of a method that has no type.
pub(super) fn raw(method: String, params: &str) -> Result<RawCommand, crate::params::Fault> {
    Ok(RawCommand {
        method,
        params: crate::params::read(params)?,
    })
}
