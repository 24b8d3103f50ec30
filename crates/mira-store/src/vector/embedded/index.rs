//! The points of one head and what is asked of them.

use std::cmp::Ordering;

use super::super::f16;
use super::super::{Filter, Hit, Point, PointId, Search, Space, VectorError};
use super::graph::Graph;
use super::points::Points;
use super::{product, spread};

/// So many candidates are compared with one by one; of more, the graph is asked. Also from how many points on there is one.
const FEW: usize = 20_000;
/// The same as a share of the points: one in so many.
const FEW_OF: usize = 10;
/// The most hits that the graph is asked for; the work grows with their square.
const WALK_LIMIT: usize = 1_000;
/// Points that enter the graph at a time, while searches wait: a few milliseconds.
const SLICE: usize = 8;
/// From one removed point in so many rows on, the graph is built anew.
const REMOVED_OF: usize = 5;
/// Numbers that are worth a thread of their own to compare with.
const WORTH_A_THREAD: usize = 4_000_000;

/// Vectors are appended to a flat array. The first of them move into a graph when there are many.
#[derive(Debug)]
pub(super) struct Index {
    pub(super) space: Space,
    pub(super) points: Points,
    /// Over the rows before `folded`, without those removed before they could enter.
    pub(super) graph: Option<Graph>,
    pub(super) folded: usize,
    /// The vectors of the rows from `flat_from` on, which is not after `folded`. Those of empty rows are zero.
    flat: Vec<i16>,
    flat_from: usize,
    /// Rises with every change.
    pub(super) changes: u64,
}

/// A row and how similar it is.
#[derive(Debug, Clone, Copy)]
struct Scored {
    similarity: f32,
    row: u32,
}

impl Index {
    fn new(space: Space) -> Self {
        Self::of(space, Points::default(), None, 0, Vec::new())
    }

    /// An index that waits for its space.
    pub(super) fn unused() -> Self {
        Self::new(Space {
            embedder: String::new(),
            dimension: 0,
            text_form: 0,
        })
    }

    /// Throws everything away.
    pub(super) fn reset(&mut self, space: Space) {
        let changes = self.changes + u64::from(self.points.rows() > 0);
        *self = Self {
            changes,
            ..Self::new(space)
        };
    }

    /// An index of parts that fit: `flat` are the vectors of the rows from `folded` on.
    pub(super) fn of(
        space: Space,
        points: Points,
        graph: Option<Graph>,
        folded: usize,
        flat: Vec<i16>,
    ) -> Self {
        Self {
            space,
            points,
            graph,
            folded,
            flat,
            flat_from: folded,
            changes: 0,
        }
    }

    /// The vectors of the rows that are not in the graph.
    pub(super) fn flat(&self) -> &[i16] {
        &self.flat[(self.folded - self.flat_from) * self.space.dimension..]
    }

    /// Adds or replaces points, each with its vector at unit length and rounded, or refuses them all.
    pub(super) fn upsert(&mut self, points: Vec<(Point, Vec<i16>)>) -> Result<(), VectorError> {
        points
            .iter()
            .try_for_each(|(_, vector)| check(vector, self.space.dimension))?;
        self.changes += 1;
        let mut scratch = vec![0; self.space.dimension];
        for (point, vector) in points {
            if let Some(row) = self.points.row(point.id) {
                if row as usize >= self.folded {
                    self.points.update(row, point.version, point.payload)?;
                    self.flat_vector_mut(row).copy_from_slice(&vector);
                    continue;
                }
                if self.vector(row, &mut scratch)? == vector {
                    self.points.update(row, point.version, point.payload)?;
                    continue;
                }
                self.remove(row);
            }
            self.points.push(point.id, point.version, point.payload)?;
            self.flat.extend_from_slice(&vector);
        }
        Ok(())
    }

    pub(super) fn delete(&mut self, filter: &Filter) {
        for row in self.points.passing(filter) {
            self.changes += 1;
            self.remove(row);
        }
    }

    fn remove(&mut self, row: u32) {
        self.points.remove(row);
        self.flat_vector_mut(row).fill(0);
    }

    pub(super) fn search(&self, search: &Search) -> Result<Vec<Hit>, VectorError> {
        let query = f16::unit(&search.vector);
        check(&f16::round(&query), self.space.dimension)?;
        let mut candidates = self.points.passing(&search.filter);
        let limit = search.limit.min(candidates.len());
        let few = candidates.len() < FEW || candidates.len() < self.points.live() / FEW_OF;
        if !search.exact && !few && limit <= WALK_LIMIT {
            candidates = self.shortlist(&query, limit, candidates)?;
        }
        let nearest = self.nearest(&query, &candidates, limit)?;
        let hit = |scored: Scored| Hit {
            id: self.points.id(scored.row),
            similarity: scored.similarity,
        };
        Ok(nearest.into_iter().map(hit).collect())
    }

    pub(super) fn count(&self, filter: &Filter) -> usize {
        self.points.passing(filter).len()
    }

    pub(super) fn inventory(&self) -> Vec<(PointId, i64)> {
        self.points.inventory()
    }

    /// Frees the room of removed points when they are many; then every vector is flat and [`Index::fold`] has work.
    pub(super) fn compact(&mut self) -> Result<(), VectorError> {
        let removed = self.points.rows() - self.points.live();
        if removed == 0 || removed * REMOVED_OF < self.points.rows() {
            return Ok(());
        }
        let dimension = self.space.dimension;
        let mut flat = Vec::with_capacity(self.points.live() * dimension);
        let mut scratch = vec![0; dimension];
        for row in (0..)
            .take(self.points.rows())
            .filter(|&row| self.points.is_live(row))
        {
            flat.extend_from_slice(self.vector(row, &mut scratch)?);
        }
        self.points.compact()?;
        (self.graph, self.folded) = (None, 0);
        (self.flat, self.flat_from) = (flat, 0);
        self.changes += 1;
        Ok(())
    }

    /// Moves some flat vectors into the graph when there are many points; whether more are left.
    pub(super) fn fold(&mut self) -> Result<bool, VectorError> {
        let end = self.points.rows().min(self.folded + SLICE);
        if self.folded == end || (self.graph.is_none() && self.points.live() < FEW) {
            return Ok(false);
        }
        let dimension = self.space.dimension;
        let graph = match self.graph.take() {
            Some(graph) => graph,
            None => Graph::new(dimension)?,
        };
        let graph = self.graph.insert(graph);
        let vectors = self.flat[(self.folded - self.flat_from) * dimension..].chunks_exact(dimension);
        let rows = (self.folded..end)
            .filter_map(|row| u32::try_from(row).ok())
            .zip(vectors);
        let rows: Vec<_> = rows.filter(|&(row, _)| self.points.is_live(row)).collect();
        graph.add(&rows)?;
        self.folded = end;
        self.changes += 1;
        if self.folded == self.points.rows() {
            (self.flat, self.flat_from) = (Vec::new(), self.folded);
        }
        Ok(self.folded < self.points.rows())
    }

    /// The candidates that are worth comparing with: what the graph finds, and all that are not in it.
    fn shortlist(&self, query: &[f32], limit: usize, candidates: Vec<u32>) -> Result<Vec<u32>, VectorError> {
        let Some(graph) = &self.graph else {
            return Ok(candidates);
        };
        let (inside, outside) =
            candidates.split_at(candidates.partition_point(|&row| (row as usize) < self.folded));
        let mut allowed = vec![false; self.folded];
        for &row in inside {
            allowed[row as usize] = true;
        }
        let is_allowed = |row| usize::try_from(row).is_ok_and(|row| allowed.get(row) == Some(&true));
        let found = graph.search(query, limit, is_allowed)?;
        let found = found.into_iter().filter_map(|row| u32::try_from(row).ok());
        Ok(found.chain(outside.iter().copied()).collect())
    }

    /// The rows most similar to a unit vector, best first, equal ones by id.
    fn nearest(&self, query: &[f32], rows: &[u32], limit: usize) -> Result<Vec<Scored>, VectorError> {
        let query = product::scale(query);
        let worth_a_thread = WORTH_A_THREAD.div_ceil(self.space.dimension);
        let mut nearest = spread(rows, worth_a_thread, |rows| self.score(&query, rows, limit))?.concat();
        nearest.sort_unstable_by(|a, b| self.order(*a, *b));
        nearest.truncate(limit);
        Ok(nearest)
    }

    fn score(&self, query: &[f32], rows: &[u32], limit: usize) -> Result<Vec<Scored>, VectorError> {
        let mut scratch = vec![0; query.len()];
        let mut scored = Vec::with_capacity(rows.len());
        for &row in rows {
            let similarity = product::dot(query, self.vector(row, &mut scratch)?);
            // Adding zero makes -0 equal to 0 in the order of hits.
            let similarity = similarity.clamp(-1.0, 1.0) + 0.0;
            scored.push(Scored { similarity, row });
        }
        if 0 < limit && limit < scored.len() {
            scored.select_nth_unstable_by(limit - 1, |a, b| self.order(*a, *b));
        }
        scored.truncate(limit);
        Ok(scored)
    }

    fn order(&self, a: Scored, b: Scored) -> Ordering {
        let by_id = || self.points.id(a.row).cmp(&self.points.id(b.row));
        b.similarity.total_cmp(&a.similarity).then_with(by_id)
    }

    /// The vector of a row that is not empty; one in the graph is copied to the scratch.
    fn vector<'a>(&'a self, row: u32, scratch: &'a mut [i16]) -> Result<&'a [i16], VectorError> {
        let row_in_graph = (row as usize) < self.folded;
        if let Some(graph) = self.graph.as_ref().filter(|_| row_in_graph) {
            graph.read(row, scratch)?;
            return Ok(scratch);
        }
        let at = (row as usize - self.flat_from) * self.space.dimension;
        Ok(&self.flat[at..at + self.space.dimension])
    }

    /// The flat vector of a row; empty when it is in the graph only.
    fn flat_vector_mut(&mut self, row: u32) -> &mut [i16] {
        let dimension = self.space.dimension;
        match (row as usize).checked_sub(self.flat_from) {
            Some(at) => &mut self.flat[at * dimension..(at + 1) * dimension],
            None => &mut [],
        }
    }
}

pub(super) fn check(vector: &[i16], expected: usize) -> Result<(), VectorError> {
    if vector.len() == expected && f16::is_finite(vector) {
        Ok(())
    } else {
        let found = vector.len();
        Err(VectorError::BadVector { expected, found })
    }
}
