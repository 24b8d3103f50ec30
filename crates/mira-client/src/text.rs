//! Putting streamed texts together.

use std::collections::HashMap;

/// The texts of streamed items, put together from deltas that may come twice.
///
/// ```
/// use mira_client::Texts;
///
/// let mut texts = Texts::default();
/// assert_eq!(texts.apply("item", 0, "Grüße"), Ok("Grüße"));
/// assert_eq!(texts.apply("item", 3, "ße, Welt"), Ok(", Welt"));
/// assert_eq!(texts.get("item"), Some("Grüße, Welt"));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Texts {
    items: HashMap<String, Item>,
}

#[derive(Debug, Clone, Default)]
struct Item {
    text: String,
    /// Its length in Unicode scalar values.
    length: u64,
}

/// A delta begins behind the end of what has come: text in between is missing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("item `{item_id}` has {length} characters, and the next part begins at {offset}")]
pub struct MissingText {
    /// The item.
    pub item_id: String,
    /// How much of it has come, in Unicode scalar values.
    pub length: u64,
    /// Where the part begins that was to be applied.
    pub offset: u64,
}

impl Texts {
    /// Applies a part of an item that begins at `offset`, counted in Unicode scalar values. Returns what is new in it,
    /// nothing for a repeat. The text of an item in flight is a part with offset 0.
    pub fn apply<'d>(&mut self, item_id: &str, offset: u64, delta: &'d str) -> Result<&'d str, MissingText> {
        let length = self.items.get(item_id).map_or(0, |item| item.length);
        let Some(known) = length.checked_sub(offset) else {
            return Err(MissingText {
                item_id: item_id.to_owned(),
                length,
                offset,
            });
        };
        let new = skip_chars(delta, known);
        if !new.is_empty() {
            let item = self.items.entry(item_id.to_owned()).or_default();
            item.text.push_str(new);
            item.length += new.chars().count() as u64;
        }
        Ok(new)
    }

    /// The text of an item as far as it has come.
    pub fn get(&self, item_id: &str) -> Option<&str> {
        self.items.get(item_id).map(|item| item.text.as_str())
    }

    /// Forgets all items, as when their operation has ended.
    pub fn clear(&mut self) {
        self.items.clear();
    }
}

fn skip_chars(text: &str, count: u64) -> &str {
    let mut chars = text.chars();
    for _ in 0..count {
        if chars.next().is_none() {
            break;
        }
    }
    chars.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_applied_once_and_gaps_are_found() {
        let mut texts = Texts::default();
        let missing = |length, offset| {
            Err(MissingText {
                item_id: "a".to_owned(),
                length,
                offset,
            })
        };
        for (offset, delta, new) in [
            (0, "", Ok("")),
            (1, "late", missing(0, 1)),
            (0, "naïve", Ok("naïve")),
            (0, "naïve", Ok("")),
            (2, "ïv", Ok("")),
            (3, "ve 日本", Ok(" 日本")),
            (9, "x", missing(8, 9)),
            (8, "語👩‍🔬", Ok("語👩‍🔬")),
            (0, "naïve 日本語👩‍🔬!", Ok("!")),
            (u64::MAX, "x", missing(13, u64::MAX)),
        ] {
            assert_eq!(texts.apply("a", offset, delta), new, "{offset} {delta}");
        }
        assert_eq!(texts.get("a"), Some("naïve 日本語👩‍🔬!"));
        assert_eq!(texts.get("b"), None);
    }

    #[test]
    fn items_do_not_touch_each_other() {
        let mut texts = Texts::default();
        assert_eq!(texts.apply("a", 0, "one"), Ok("one"));
        assert_eq!(texts.apply("b", 0, "two"), Ok("two"));
        assert_eq!((texts.get("a"), texts.get("b")), (Some("one"), Some("two")));
        texts.clear();
        assert_eq!(texts.get("a"), None);
    }
}
