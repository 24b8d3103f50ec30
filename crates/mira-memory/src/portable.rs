//! Memory as lines of JSON, to be kept, moved and read elsewhere, and back.
//!
//! The first line of an export is `{"mira":"memory","version":1}`. Each line after it is an object with a `type`: `session`,
//! `message` (with its `analysis`, where there is one), `summary`, `fact`, `replacement` (which fact took the place of which),
//! `profile` or `pattern`. Times are in milliseconds since 1970, UTC; a field that is empty is left out. Nothing refers to a
//! later line. Importing an export into an empty directory and exporting that gives the same bytes.
//!
//! Lines without a type are messages from elsewhere: `{"content": "…", "role": "user"}` and, where known, `time` or
//! `timestamp` (RFC 3339, or a number of seconds or milliseconds since 1970), `session` (an id, or the name of a session that
//! is made when there is none), `speaker`, `salience` (0 to 1, or up to 10), `tags` and `memory_type`, which becomes a tag.

mod export;
mod import;
mod line;
mod shape;
mod simple;
mod store;
mod table;

pub use export::{Export, InvalidPosition, Position};
pub use import::{Imported, MAX_LINE_BYTES, MAX_REPORTED, RefusedLine};
pub use line::Refusal;

const VERSION: u32 = 1;
const HEADER: &str = r#"{"mira":"memory","version":1}"#;
