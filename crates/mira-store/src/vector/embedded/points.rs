//! What is known of the points of one head besides their vectors, column by column, so that a filter touches little memory.
//!
//! A point lives in a row. Rows are numbered from 0 in the order of arrival; the row of a removed point stays empty until
//! [`Points::compact`].

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use super::super::{Filter, Payload, PointId, VectorError};
use crate::{ProjectId, SessionId, Timestamp};

/// The label of a row without a point.
const EMPTY: u32 = u32::MAX;

/// What many points have in common, kept once. A filter looks at each label instead of at each point.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Label {
    kind: String,
    session: Option<SessionId>,
    project: Option<ProjectId>,
    user: String,
    role: Option<String>,
}

#[derive(Debug, Default)]
pub(super) struct Points {
    rows: HashMap<PointId, u32>,
    ids: Vec<PointId>,
    versions: Vec<i64>,
    times: Vec<Timestamp>,
    salience: Vec<f32>,
    labels: Vec<u32>,
    tags: Vec<Box<[u32]>>,
    known_labels: Numbered<Label>,
    known_tags: Numbered<String>,
}

impl Points {
    /// Rows, empty ones included.
    pub(super) fn rows(&self) -> usize {
        self.ids.len()
    }

    /// Rows with a point.
    pub(super) fn live(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn row(&self, id: PointId) -> Option<u32> {
        self.rows.get(&id).copied()
    }

    pub(super) fn id(&self, row: u32) -> PointId {
        self.ids[row as usize]
    }

    pub(super) fn is_live(&self, row: u32) -> bool {
        self.labels[row as usize] != EMPTY
    }

    /// Every point with its version.
    pub(super) fn inventory(&self) -> Vec<(PointId, i64)> {
        let version = |(&id, &row): (&PointId, &u32)| (id, self.versions[row as usize]);
        self.rows.iter().map(version).collect()
    }

    /// Adds a row for a point that has none.
    pub(super) fn push(&mut self, id: PointId, version: i64, payload: Payload) -> Result<u32, VectorError> {
        let row = self.push_empty()?;
        self.ids[row as usize] = id;
        self.update(row, version, payload)?;
        self.rows.insert(id, row);
        Ok(row)
    }

    /// Adds a row without a point.
    pub(super) fn push_empty(&mut self) -> Result<u32, VectorError> {
        let row = number(self.ids.len())?;
        self.ids.push(PointId(ulid::Ulid::nil()));
        self.versions.push(0);
        self.times.push(Timestamp::default());
        self.salience.push(0.0);
        self.labels.push(EMPTY);
        self.tags.push(Box::default());
        Ok(row)
    }

    /// Writes what is known of the point of a row anew.
    pub(super) fn update(&mut self, row: u32, version: i64, payload: Payload) -> Result<(), VectorError> {
        let label = self.known_labels.number(Label {
            kind: payload.kind,
            session: payload.session,
            project: payload.project,
            user: payload.user,
            role: payload.role,
        })?;
        let tags = payload.tags.into_iter().map(|tag| self.known_tags.number(tag));
        let tags = tags.collect::<Result<_, _>>()?;
        let row = row as usize;
        self.versions[row] = version;
        self.times[row] = payload.time;
        self.salience[row] = payload.salience;
        self.labels[row] = label;
        self.tags[row] = tags;
        Ok(())
    }

    pub(super) fn remove(&mut self, row: u32) {
        self.rows.remove(&self.id(row));
        let row = row as usize;
        self.ids[row] = PointId(ulid::Ulid::nil());
        self.labels[row] = EMPTY;
        self.tags[row] = Box::default();
    }

    /// The rows, ascending, of the points that pass.
    pub(super) fn passing(&self, filter: &Filter) -> Vec<u32> {
        let labels = self.passing_labels(filter);
        let tag = match &filter.tag {
            None => None,
            Some(tag) => match self.known_tags.numbers.get(tag) {
                None => return Vec::new(),
                known => known,
            },
        };
        let passes = |&row: &u32| {
            let row = row as usize;
            labels
                .get(self.labels[row] as usize)
                .is_some_and(|&passes| passes)
                && filter.since.is_none_or(|since| self.times[row] >= since)
                && filter.until.is_none_or(|until| self.times[row] < until)
                && filter
                    .min_salience
                    .is_none_or(|least| self.salience[row] >= least)
                && tag.is_none_or(|tag| self.tags[row].contains(tag))
        };
        match &filter.ids {
            None => (0..).take(self.rows()).filter(passes).collect(),
            Some(ids) => {
                let rows = ids.iter().filter_map(|&id| self.row(id));
                let mut rows: Vec<u32> = rows.filter(passes).collect();
                rows.sort_unstable();
                rows.dedup();
                rows
            }
        }
    }

    fn passing_labels(&self, filter: &Filter) -> Vec<bool> {
        let sessions: Option<HashSet<_>> = filter.sessions.as_ref().map(|ids| ids.iter().collect());
        let not_sessions: HashSet<_> = filter.not_sessions.iter().collect();
        let passes = |label: &Label| {
            let session = label.session.as_ref();
            sessions
                .as_ref()
                .is_none_or(|wanted| session.is_some_and(|id| wanted.contains(id)))
                && session.is_none_or(|id| !not_sessions.contains(id))
                && (filter.project.is_none() || filter.project == label.project)
                && filter.user.as_ref().is_none_or(|user| *user == label.user)
                && filter
                    .kinds
                    .as_ref()
                    .is_none_or(|kinds| kinds.contains(&label.kind))
                && filter
                    .roles
                    .as_ref()
                    .is_none_or(|roles| label.role.as_ref().is_some_and(|role| roles.contains(role)))
        };
        self.known_labels.values.iter().map(passes).collect()
    }

    /// Drops the empty rows and everything that only removed points had. The points keep their order.
    pub(super) fn compact(&mut self) -> Result<(), VectorError> {
        let mut compact = Self::default();
        for row in (0..).take(self.rows()) {
            if let Some((id, version, payload)) = self.get(row) {
                compact.push(id, version, payload)?;
            }
        }
        *self = compact;
        Ok(())
    }

    /// The point of a row and its version, if there is one.
    pub(super) fn get(&self, row: u32) -> Option<(PointId, i64, Payload)> {
        let row = row as usize;
        let label = self.known_labels.values.get(self.labels[row] as usize)?.clone();
        let tags = self.tags[row].iter();
        let payload = Payload {
            kind: label.kind,
            session: label.session,
            project: label.project,
            user: label.user,
            role: label.role,
            time: self.times[row],
            tags: tags
                .map(|&tag| self.known_tags.values[tag as usize].clone())
                .collect(),
            salience: self.salience[row],
        };
        Some((self.ids[row], self.versions[row], payload))
    }
}

/// Values by small numbers.
#[derive(Debug)]
struct Numbered<T> {
    values: Vec<T>,
    numbers: HashMap<T, u32>,
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self {
            values: Vec::new(),
            numbers: HashMap::new(),
        }
    }
}

impl<T: Clone + Eq + Hash> Numbered<T> {
    fn number(&mut self, value: T) -> Result<u32, VectorError> {
        if let Some(&known) = self.numbers.get(&value) {
            return Ok(known);
        }
        let number = number(self.values.len())?;
        self.values.push(value.clone());
        self.numbers.insert(value, number);
        Ok(number)
    }
}

fn number(count: usize) -> Result<u32, VectorError> {
    match u32::try_from(count) {
        Ok(number) if number != EMPTY => Ok(number),
        _ => Err(VectorError::Index {
            attempted: "number another point",
            detail: format!("it has {count}"),
        }),
    }
}
