//! `open_enum!`: an enum of strings that a newer peer may extend.

/// Declares an enum whose variants are strings on the wire. A string that is not listed becomes `Other`, so that a
/// newer peer can add values without breaking this one.
macro_rules! open_enum {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            $($(#[$variant_meta:meta])* $variant:ident = $text:literal,)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[cfg_attr(feature = "ts", derive(ts_rs::TS))]
        pub enum $name {
            $($(#[$variant_meta])* #[serde(rename = $text)] $variant,)+
            /// A value that this version does not know.
            #[serde(untagged)]
            Other(#[cfg_attr(feature = "ts", ts(type = "string & {}"))] String),
        }

        impl $name {
            /// Every value that this version knows.
            pub const KNOWN: &'static [Self] = &[$(Self::$variant),+];

            /// The value as it is on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Other(text) => text,
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($text => Self::$variant,)+
                    other => Self::Other(other.to_owned()),
                }
            }
        }
    };
}

pub(crate) use open_enum;
