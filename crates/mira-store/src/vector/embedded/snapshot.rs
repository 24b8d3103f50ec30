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

use half::f16;
use ulid::Ulid;

use super::super::f16 as numbers;
use super::super::{Head, Payload, PointId, Space, VectorError};
use super::graph::Graph;
use super::index::Index;
use super::points::Points;
use crate::Timestamp;

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
        if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
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
    let graph = index.graph.as_ref().map(|graph| graph.to_bytes(is_live)).transpose()?;
    put_bytes(&mut body, &graph.unwrap_or_default());
    body.extend(numbers::to_bytes(index.flat()));
    Ok(body)
}

fn put_payload(body: &mut Vec<u8>, payload: &Payload) {
    put_text(body, &payload.kind);
    put_id(body, payload.session.map(crate::SessionId::ulid));
    put_id(body, payload.project.map(crate::ProjectId::ulid));
    put_text(body, &payload.user);
    match &payload.role {
        None => body.push(0),
        Some(role) => {
            body.push(1);
            put_text(body, role);
        }
    }
    body.extend(payload.time.ms().to_le_bytes());
    body.extend(payload.salience.to_le_bytes());
    put_length(body, payload.tags.len());
    for tag in &payload.tags {
        put_text(body, tag);
    }
}

fn put_id(body: &mut Vec<u8>, id: Option<Ulid>) {
    match id {
        None => body.push(0),
        Some(Ulid(id)) => {
            body.push(1);
            body.extend(id.to_le_bytes());
        }
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
    let expected = (size - PREFIX as u64).to_le_bytes();
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
    if folded > rows || live > rows || space.dimension == 0 {
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
    let flat: Vec<f16> = numbers::from_bytes(rest.0)?;
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
        let id = PointId(Ulid(u128::from_le_bytes(rest.array()?)));
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

    fn id<T: From<Ulid>>(&mut self) -> Option<Option<T>> {
        match self.array()? {
            [0] => Some(None),
            [1] => Some(Some(Ulid(u128::from_le_bytes(self.array()?)).into())),
            _ => None,
        }
    }

    fn payload(&mut self) -> Option<Payload> {
        let kind = self.text()?.to_owned();
        let session = self.id()?;
        let project = self.id()?;
        let user = self.text()?.to_owned();
        let role = match self.array()? {
            [0] => None,
            [1] => Some(self.text()?.to_owned()),
            _ => return None,
        };
        let time = Timestamp::from_ms(i64::from_le_bytes(self.array()?));
        let salience = f32::from_le_bytes(self.array()?);
        let tags = self.length()?;
        let mut payload = Payload { kind, session, project, user, role, time, tags: Vec::new(), salience };
        for _ in 0..tags {
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
