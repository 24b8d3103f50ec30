//! A head on disk: one file, whole or not at all.
//!
//! A magic word, the length of the rest, its CRC-32, and the rest: the space, the points that live with their rows, the graph
//! and the vectors outside of it. Numbers have their least significant byte first; a text is preceded by its length.
//!
//! Only what lives is written. A removed point leaves no byte of its payload, and zeros for its vector where the graph still
//! passes through it. (Rebuilding the graph instead would take a minute of work for each removal.)

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use ulid::Ulid;

use super::super::{Head, Payload, PointId, Space, VectorError, f16};
use super::graph::Graph;
use super::index::Index;
use super::points::Points;
use crate::{ProjectId, SessionId, Timestamp};

const MAGIC: &[u8; 8] = b"MIRAVEC1";
/// The magic word, a length and a checksum.
const PREFIX: usize = 8 + 8 + 4;

/// What was found in place of a snapshot.
pub(super) enum Found {
    Nothing,
    /// A file that is not a whole snapshot of this head.
    Damaged,
    Whole(Box<Index>),
}

/// The file of a head.
pub(super) fn path(directory: &Path, head: Head) -> PathBuf {
    directory.join(format!("{head}.vectors"))
}

/// Reads the file of a head, and removes what a write that did not end left beside it.
pub(super) fn read(path: &Path, head: Head) -> Result<Found, VectorError> {
    match fs::remove_file(unfinished(path)) {
        Err(source) if source.kind() != ErrorKind::NotFound => {
            return Err(file_error(&unfinished(path), source));
        }
        _ => {}
    }
    match read_body(path) {
        Ok(body) => Ok(decode(&body, head).map_or(Found::Damaged, |index| Found::Whole(Box::new(index)))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Found::Nothing),
        // Whatever keeps the file from being read, the points are elsewhere.
        Err(_) => Ok(Found::Damaged),
    }
}

/// Puts the file of a head in place, so that a crash leaves the former one or this one.
pub(super) fn write(path: &Path, body: &[u8]) -> Result<(), VectorError> {
    let new = unfinished(path);
    let directory = path.parent().unwrap_or(Path::new(""));
    let attempt = || {
        fs::create_dir_all(directory)?;
        let mut file = File::create(&new)?;
        file.write_all(MAGIC)?;
        file.write_all(&(body.len() as u64).to_le_bytes())?;
        file.write_all(&crc32fast::hash(body).to_le_bytes())?;
        file.write_all(body)?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        // A directory can be opened, and so synced, on Unix only.
        if cfg!(unix) {
            File::open(directory)?.sync_all()
        } else {
            Ok(())
        }
    };
    attempt().map_err(|source| file_error(path, source))
}

/// The bytes of a head.
pub(super) fn encode(index: &Index, head: Head) -> Result<Vec<u8>, VectorError> {
    let mut body = Vec::new();
    put_text(&mut body, head.as_str());
    put_text(&mut body, &index.space.embedder);
    put_length(&mut body, index.space.dimension);
    body.extend(index.space.text_form.to_le_bytes());

    let points = &index.points;
    put_length(&mut body, points.rows());
    put_length(&mut body, index.folded);
    put_length(&mut body, points.live());
    for row in (0..).take(points.rows()) {
        if let Some((id, version, payload)) = points.get(row) {
            body.extend(row.to_le_bytes());
            body.extend(id.0.0.to_le_bytes());
            body.extend(version.to_le_bytes());
            put_payload(&mut body, &payload);
        }
    }

    let is_live = |row| u32::try_from(row).is_ok_and(|row| points.is_live(row));
    let size = index.graph.as_ref().map_or(0, Graph::serialised_size);
    body.reserve_exact(size + size_of::<u64>() + size_of_val(index.flat()));
    put_length(&mut body, size);
    if let Some(graph) = &index.graph {
        let at = body.len();
        body.resize(at + size, 0);
        graph.serialise(&mut body[at..], is_live)?;
    }
    body.extend(f16::to_bytes(index.flat()));
    Ok(body)
}

fn put_payload(body: &mut Vec<u8>, payload: &Payload) {
    let ids = [
        payload.session.map(SessionId::ulid),
        payload.project.map(ProjectId::ulid),
    ];
    body.extend(ids.map(|id| u8::from(id.is_some())));
    body.push(u8::from(payload.role.is_some()));
    for Ulid(id) in ids.into_iter().flatten() {
        body.extend(id.to_le_bytes());
    }
    put_text(body, &payload.kind);
    put_text(body, &payload.user);
    if let Some(role) = &payload.role {
        put_text(body, role);
    }
    body.extend(payload.time.ms().to_le_bytes());
    body.extend(payload.salience.to_le_bytes());
    put_length(body, payload.tags.len());
    for tag in &payload.tags {
        put_text(body, tag);
    }
}

fn put_text(body: &mut Vec<u8>, text: &str) {
    put_bytes(body, text.as_bytes());
}

fn put_bytes(body: &mut Vec<u8>, bytes: &[u8]) {
    put_length(body, bytes.len());
    body.extend(bytes);
}

fn put_length(body: &mut Vec<u8>, length: usize) {
    body.extend((length as u64).to_le_bytes());
}

/// The checked bytes after the prefix. Nothing is allocated for a length that the file does not have.
fn read_body(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    let mut prefix = [0; PREFIX];
    file.read_exact(&mut prefix)?;
    let (magic, rest) = prefix.split_at(MAGIC.len());
    let expected = size.saturating_sub(PREFIX as u64).to_le_bytes();
    if magic != MAGIC || !rest.starts_with(&expected) {
        return Err(ErrorKind::InvalidData.into());
    }
    let mut body = Vec::new();
    file.read_to_end(&mut body)?;
    if rest.ends_with(&crc32fast::hash(&body).to_le_bytes()) {
        Ok(body)
    } else {
        Err(ErrorKind::InvalidData.into())
    }
}

/// The head that [`encode`] wrote.
fn decode(body: &[u8], head: Head) -> Option<Index> {
    let mut rest = Rest(body);
    if rest.text()? != head.as_str() {
        return None;
    }
    let space = Space {
        embedder: rest.text()?.to_owned(),
        dimension: rest.length()?,
        text_form: u32::from_le_bytes(rest.array()?),
    };
    let (rows, folded, live) = (rest.length()?, rest.length()?, rest.length()?);
    // No row takes less than a byte.
    if folded > rows || live > rows || rows > body.len() || space.dimension == 0 {
        return None;
    }
    let points = decode_points(&mut rest, rows, live)?;
    let graph = match rest.bytes()? {
        [] => None,
        bytes => Some(Graph::from_bytes(bytes, space.dimension).ok()?),
    };
    let in_graph = |row| graph.as_ref().is_some_and(|graph| graph.contains(row));
    let mut inside = (0..).take(folded).filter(|&row| points.is_live(row));
    if !inside.all(in_graph) {
        return None;
    }
    let flat = f16::from_bytes(rest.0)?;
    let whole = (rows - folded).checked_mul(space.dimension) == Some(flat.len());
    whole.then(|| Index::of(space, points, graph, folded, flat))
}

/// The rows come in their order; those that are missing are empty.
fn decode_points(rest: &mut Rest<'_>, rows: usize, live: usize) -> Option<Points> {
    let mut points = Points::default();
    for _ in 0..live {
        let row = u32::from_le_bytes(rest.array()?) as usize;
        if row >= rows {
            return None;
        }
        while points.rows() < row {
            points.push_empty().ok()?;
        }
        let id = PointId(rest.ulid()?);
        let version = i64::from_le_bytes(rest.array()?);
        let payload = rest.payload()?;
        if points.rows() != row || points.row(id).is_some() {
            return None;
        }
        points.push(id, version, payload).ok()?;
    }
    while points.rows() < rows {
        points.push_empty().ok()?;
    }
    Some(points)
}

/// What is left to be read.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }

    fn length(&mut self) -> Option<usize> {
        usize::try_from(u64::from_le_bytes(self.array()?)).ok()
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.length()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    fn ulid(&mut self) -> Option<Ulid> {
        Some(Ulid(u128::from_le_bytes(self.array()?)))
    }

    fn payload(&mut self) -> Option<Payload> {
        let [session, project, role] = self.array()?.map(|is_there: u8| is_there != 0);
        let mut payload = Payload {
            session: if session { Some(self.ulid()?.into()) } else { None },
            project: if project { Some(self.ulid()?.into()) } else { None },
            kind: self.text()?.to_owned(),
            user: self.text()?.to_owned(),
            role: if role { Some(self.text()?.to_owned()) } else { None },
            time: Timestamp::from_ms(i64::from_le_bytes(self.array()?)),
            salience: f32::from_le_bytes(self.array()?),
            tags: Vec::new(),
        };
        for _ in 0..self.length()? {
            payload.tags.push(self.text()?.to_owned());
        }
        Some(payload)
    }
}

fn unfinished(path: &Path) -> PathBuf {
    path.with_extension("vectors.new")
}

pub(super) fn file_error(path: &Path, source: std::io::Error) -> VectorError {
    VectorError::File {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::{Filter, Point};
    use super::*;

    fn index() -> Index {
        let mut index = Index::unused();
        index.reset(Space {
            embedder: "test".to_owned(),
            dimension: 2,
            text_form: 1,
        });
        let point = |n: u8| Point {
            id: PointId(Ulid(n.into())),
            head: Head::Code,
            version: n.into(),
            vector: Vec::new(),
            payload: Payload {
                kind: "element".to_owned(),
                session: None,
                project: Some(Ulid(7).into()),
                user: "ada".to_owned(),
                role: Some("user".to_owned()),
                time: Timestamp::from_ms(9),
                tags: vec!["λ".to_owned()],
                salience: 0.5,
            },
        };
        let points = (1..5).map(|n| (point(n), f16::round(&[0.6, 0.8]))).collect();
        index.upsert(points).unwrap();
        index.delete(&Filter {
            ids: Some(vec![PointId(Ulid(2))]),
            ..Filter::default()
        });
        index
    }

    #[test]
    fn what_is_read_is_written_the_same() {
        let body = encode(&index(), Head::Code).unwrap();
        let read = decode(&body, Head::Code).unwrap();
        assert_eq!(encode(&read, Head::Code).unwrap(), body);
        assert!(decode(&body, Head::Semantic).is_none(), "of another head");
    }

    #[test]
    fn no_byte_is_believed_even_when_the_checksum_fits() {
        let body = encode(&index(), Head::Code).unwrap();
        for at in 0..body.len() {
            assert!(decode(&body[..at], Head::Code).is_none(), "cut at {at}");
            for flip in [1, 0x80, 0xff] {
                let mut body = body.clone();
                body[at] ^= flip;
                // Some bytes may have any value; none may do harm.
                if let Some(read) = decode(&body, Head::Code) {
                    assert!(read.points.live() <= read.points.rows());
                }
            }
        }
    }
}
