//! Enums that are stored and spoken of by fixed names.

/// Gives an enum without data its fixed names: `ALL`, `as_str` and `parse`.
macro_rules! names {
    ($type:ident: $($variant:ident = $name:literal),+ $(,)?) => {
        impl $type {
            /// Every one, in a fixed order.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The stored form.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),+
                }
            }

            /// The one of a stored form.
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.as_str() == name)
            }
        }
    };
}

pub(crate) use names;
