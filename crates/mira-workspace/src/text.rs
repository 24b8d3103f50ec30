//! Bytes on disk as text, and back without changing what the author of the file chose.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use crate::{Error, RelativePath};

/// The largest text, in bytes on disk, that is read or written.
pub const MAX_TEXT_BYTES: u64 = 2 * 1024 * 1024;

const BOM: &str = "\u{feff}";

/// A text file as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextFile {
    /// Where it is, symbolic links followed.
    pub path: RelativePath,
    /// Without the byte order mark. A file that ends every line with `\r\n` is given with `\n`; one that mixes the
    /// two is given as it is. A write puts both back.
    pub content: String,
    /// SHA-256 of the bytes on disk, in lower-case hex.
    pub hash: String,
    /// Bytes on disk.
    pub size: u64,
    pub had_bom: bool,
    pub line_ending: LineEnding,
}

/// How the lines of a file end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LineEnding {
    /// There is at most one line, and it does not end.
    None,
    Lf,
    CrLf,
    Mixed,
}

impl LineEnding {
    fn of(text: &str) -> Self {
        let all = text.bytes().filter(|byte| *byte == b'\n').count();
        let with_return = text.matches("\r\n").count();
        match (all, with_return) {
            (0, _) => Self::None,
            (_, 0) => Self::Lf,
            (all, with_return) if all == with_return => Self::CrLf,
            _ => Self::Mixed,
        }
    }
}

/// SHA-256 of `bytes` in lower-case hex, the form of every hash in this crate.
pub fn hash(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

/// Reads the bytes of a file. UTF-8 without NUL is text.
pub(crate) fn decode(path: RelativePath, bytes: &[u8]) -> Result<TextFile, Error> {
    let size = bytes.len() as u64;
    if size > MAX_TEXT_BYTES {
        return Err(Error::TooLarge {
            path,
            size,
            limit: MAX_TEXT_BYTES,
        });
    }
    let Some(text) = as_text(bytes) else {
        return Err(Error::NotText { path });
    };
    let (had_bom, text) = match text.strip_prefix(BOM) {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let line_ending = LineEnding::of(text);
    let content = match line_ending {
        LineEnding::CrLf => text.replace("\r\n", "\n"),
        LineEnding::None | LineEnding::Lf | LineEnding::Mixed => text.to_owned(),
    };
    Ok(TextFile {
        path,
        content,
        hash: hash(bytes),
        size,
        had_bom,
        line_ending,
    })
}

pub(crate) fn as_text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes)
        .ok()
        .filter(|text| !text.contains('\0'))
}

/// The bytes that give `content` to a file which was `before`: its byte order mark stays, and content whose lines
/// all end alike is brought to the file's own line ending.
pub(crate) fn encode(content: &str, before: Option<&TextFile>) -> Vec<u8> {
    let Some(before) = before else {
        return content.as_bytes().to_vec();
    };
    let (bom, text) = match content.strip_prefix(BOM) {
        Some(rest) => (true, rest),
        None => (before.had_bom, content),
    };
    let text: Cow<'_, str> = match (LineEnding::of(text), before.line_ending) {
        (LineEnding::Lf, LineEnding::CrLf) => text.replace('\n', "\r\n").into(),
        (LineEnding::CrLf, LineEnding::Lf) => text.replace("\r\n", "\n").into(),
        _ => text.into(),
    };
    let mut bytes = Vec::with_capacity(text.len() + BOM.len());
    if bom {
        bytes.extend_from_slice(BOM.as_bytes());
    }
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rewritten_file_keeps_its_mark_and_its_line_endings() {
        let cases: [(&str, &str, &str); 11] = [
            ("a\n", "b\n", "b\n"),
            ("a\r\nb\r\n", "a\nc\n", "a\r\nc\r\n"),
            ("a\r\n", "b\r\n", "b\r\n"),
            ("a\n", "b\r\n", "b\n"),
            ("a\r\nb\n", "a\nc\n", "a\nc\n"),
            ("a\r\n", "a\r\nb\n", "a\r\nb\n"),
            ("a", "b\r\n", "b\r\n"),
            ("\u{feff}a\n", "b\n", "\u{feff}b\n"),
            ("\u{feff}a\n", "\u{feff}b\n", "\u{feff}b\n"),
            ("\u{feff}a\r\n", "b\nc", "\u{feff}b\r\nc"),
            ("a\r\n", "", ""),
        ];
        for (before, content, expected) in cases {
            let path = RelativePath::parse("a").unwrap();
            let before = decode(path, before.as_bytes()).unwrap();
            let bytes = encode(content, Some(&before));
            assert_eq!(
                std::str::from_utf8(&bytes),
                Ok(expected),
                "{before:?} {content:?}"
            );
        }
        assert_eq!(encode("\u{feff}a\r\nb\n", None), "\u{feff}a\r\nb\n".as_bytes());
    }

    #[test]
    fn text_is_utf_8_without_nul() {
        let cases: [(&[u8], bool); 5] = [
            (b"", true),
            ("äö€😀".as_bytes(), true),
            (b"a\0b", false),
            (b"caf\xe9", false),
            (b"\xff\xfea\0", false),
        ];
        for (bytes, is_text) in cases {
            assert_eq!(as_text(bytes).is_some(), is_text, "{bytes:?}");
        }
    }
}
