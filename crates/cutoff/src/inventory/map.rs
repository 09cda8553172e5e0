//! The map: apps downwards, members across, and how many grants lie in each cell. It says what is where; how that looks, in
//! shades and marks, is up to whoever draws it.
//!
//! Groups of look-alikes are one row. Rows are put in order by how many grants match, then by name. Members are put in order by
//! the rows they have, as if each had a number in binary whose first digit is the first row: those who have the most connected
//! app stand left of those who do not, among each of the two the same holds for the second app, and so on. Members with the same
//! apps stand together. After that come the widest of their matching grants, and their names.
//!
//! Where there are more rows or columns than cells, neighbours share one, so evenly that no cell stands for two more than
//! another. Each matching grant of the part that is drawn lies in exactly one cell.

use std::cmp::{Ordering, Reverse};

use super::filter::{Index, Matches};
use super::list::AppRow;
use super::picture::{Change, Picture, u32_of};

/// Which part of the map, and how finely.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct View {
    /// First row, from 0.
    pub row: u32,
    /// How many rows; 0 for all from there on.
    pub rows: u32,
    /// First column, from 0.
    pub column: u32,
    /// How many columns; 0 for all from there on.
    pub columns: u32,
    /// At most so many cells down, at least one.
    pub cells_down: u32,
    /// At most so many cells across, at least one.
    pub cells_across: u32,
}

/// The order of rows and columns: of those only that have a matching grant. It changes with picture and filter, not with the view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Apps and groups, downwards.
    pub rows: Vec<AppRow>,
    /// Members by index, from the left.
    pub columns: Vec<u32>,
    /// Each row's number in the index's list of folded rows.
    folded: Vec<u32>,
    /// Each member's column; [`NOWHERE`] without one.
    column_of: Vec<u32>,
}

/// The column of a member who has none.
const NOWHERE: u32 = u32::MAX;

/// A part of the map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Map {
    /// Rows that have a matching grant, in all.
    pub total_rows: u32,
    /// Members who have a matching grant, in all.
    pub total_columns: u32,
    /// First row of this part.
    pub row: u32,
    /// Rows of this part.
    pub rows: u32,
    /// First column of this part.
    pub column: u32,
    /// Columns of this part.
    pub columns: u32,
    /// What each line of cells stands for, from the top.
    pub down: Vec<Down>,
    /// What each column of cells stands for, from the left.
    pub across: Vec<Across>,
    /// The cells that are not empty, from the top and in each line from the left.
    pub cells: Vec<Cell>,
}

/// What a line of cells stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Down {
    /// First row.
    pub first: u32,
    /// How many.
    pub count: u32,
    /// Matching grants in it, of this part.
    pub grants: u32,
    /// The app, when it is exactly one row; of a group the one with the most grants.
    pub app: Option<u32>,
    /// The group, when it is exactly one.
    pub group: Option<u32>,
    /// How many clients its rows have.
    pub clients: u32,
    /// Whether one of them is flagged.
    pub odd: bool,
}

/// What a column of cells stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Across {
    /// First column.
    pub first: u32,
    /// How many.
    pub count: u32,
    /// Matching grants in it, of this part.
    pub grants: u32,
    /// The member, when it is exactly one.
    pub member: Option<u32>,
}

/// A cell that is not empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Index into `down`.
    pub y: u32,
    /// Index into `across`.
    pub x: u32,
    /// Matching grants in it.
    pub grants: u32,
    /// How many there could be: every client of its rows for every member of its columns. A group's clients count one by one, as
    /// their grants do.
    pub room: u32,
    /// The widest, 0 to 3.
    pub level: u8,
    /// How many are new or widened.
    pub fresh: u32,
}

/// Puts rows and columns in order.
#[must_use]
pub fn order(picture: &Picture, index: &Index, matches: &Matches) -> Order {
    let matching = |row: u32| -> u32 { index.folded[row as usize].apps.iter().map(|&app| matches.of_app(app)).sum() };
    let mut rows: Vec<(Reverse<u32>, u32, u32)> = (0..u32_of(index.folded.len()))
        .map(|row| (Reverse(matching(row)), index.app_rank[index.folded[row as usize].face as usize], row))
        .filter(|(grants, ..)| grants.0 > 0)
        .collect();
    rows.sort_unstable();
    let folded: Vec<u32> = rows.into_iter().map(|(.., row)| row).collect();

    let members = picture.members.len();
    // For each member the numbers of their rows, ascending, since rows are gone through from the top.
    let mut begin = Vec::with_capacity(members + 1);
    begin.push(0_usize);
    for member in 0..u32_of(members) {
        begin.push(begin[member as usize] + matches.of_member(member) as usize);
    }
    let mut end = begin.clone();
    let mut held = vec![0_u32; begin[members]];
    let mut widest = vec![0_u8; members];
    for (row, &at) in folded.iter().enumerate() {
        let row = u32_of(row);
        for &app in &index.folded[at as usize].apps {
            for grant in picture.of_app[app as usize].clone().filter(|&grant| matches.grant(u32_of(grant))) {
                let grant = &picture.grants[grant];
                let member = grant.member as usize;
                widest[member] = widest[member].max(picture.scopes(grant).width.level);
                // Two clients of one group are one row.
                if end[member] == begin[member] || held[end[member] - 1] != row {
                    held[end[member]] = row;
                    end[member] += 1;
                }
            }
        }
    }
    let rows_of = |member: u32| &held[begin[member as usize]..end[member as usize]];
    let mut columns: Vec<u32> = (0..u32_of(members)).filter(|&member| matches.of_member(member) > 0).collect();
    columns.sort_unstable_by(|&a, &b| {
        let tie = |member: u32| (Reverse(widest[member as usize]), index.member_rank[member as usize]);
        more_to_the_left(rows_of(a), rows_of(b)).then_with(|| tie(a).cmp(&tie(b)))
    });
    let mut column_of = vec![NOWHERE; members];
    for (column, &member) in columns.iter().enumerate() {
        column_of[member as usize] = u32_of(column);
    }
    let row = |&at: &u32| {
        let row = &index.folded[at as usize];
        row.group.map_or(AppRow::App(row.face), AppRow::Group)
    };
    Order { rows: folded.iter().map(row).collect(), columns, folded, column_of }
}

/// The first row that only one of the two has decides: who has it stands left.
fn more_to_the_left(a: &[u32], b: &[u32]) -> Ordering {
    let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    match (a.get(same), b.get(same)) {
        (Some(a), Some(b)) => a.cmp(b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    }
}

/// Draws a part. `order` must come from the same picture and matches.
#[must_use]
pub fn draw(picture: &Picture, index: &Index, order: &Order, matches: &Matches, view: &View) -> Map {
    let (row, rows) = part(order.rows.len(), view.row, view.rows);
    let (column, columns) = part(order.columns.len(), view.column, view.columns);
    let down_bands = bands(rows, view.cells_down);
    let across_bands = bands(columns, view.cells_across);

    let mut across: Vec<Across> = across_bands
        .iter()
        .map(|&(first, count)| Across {
            first: column + first,
            count,
            grants: 0,
            member: (count == 1).then(|| order.columns[(column + first) as usize]),
        })
        .collect();
    let mut band_of_column = vec![0_u32; columns as usize];
    for (x, &(first, count)) in across_bands.iter().enumerate() {
        band_of_column[first as usize..(first + count) as usize].fill(u32_of(x));
    }

    let mut down = Vec::with_capacity(down_bands.len());
    let mut cells = Vec::new();
    // One line of cells at a time, and of it the places that are not empty: memory stays that of a line, however fine the map.
    let mut line = vec![Cell { y: 0, x: 0, grants: 0, room: 0, level: 0, fresh: 0 }; across.len()];
    let mut filled: Vec<u32> = Vec::new();
    for (y, &(first, count)) in down_bands.iter().enumerate() {
        let first = row + first;
        let band = &order.folded[first as usize..(first + count) as usize];
        let one = (count == 1).then(|| &index.folded[band[0] as usize]);
        let mut place = Down {
            first,
            count,
            grants: 0,
            app: one.map(|row| row.face),
            group: one.and_then(|row| row.group),
            clients: 0,
            odd: false,
        };
        for &app in band.iter().flat_map(|&at| &index.folded[at as usize].apps) {
            place.clients += 1;
            place.odd |= !picture.apps[app as usize].odd.is_empty();
            for at in picture.of_app[app as usize].clone().filter(|&at| matches.grant(u32_of(at))) {
                let grant = &picture.grants[at];
                let Some(at) = order.column_of[grant.member as usize].checked_sub(column).filter(|&at| at < columns)
                else {
                    continue;
                };
                let x = band_of_column[at as usize];
                let cell = &mut line[x as usize];
                if cell.grants == 0 {
                    filled.push(x);
                }
                cell.grants += 1;
                cell.level = cell.level.max(picture.scopes(grant).width.level);
                cell.fresh += u32::from(matches!(grant.change, Some(Change::New | Change::Widened)));
            }
        }
        filled.sort_unstable();
        for x in filled.drain(..) {
            let cell =
                std::mem::replace(&mut line[x as usize], Cell { y: 0, x: 0, grants: 0, room: 0, level: 0, fresh: 0 });
            place.grants += cell.grants;
            across[x as usize].grants += cell.grants;
            let room = place.clients.saturating_mul(across[x as usize].count);
            cells.push(Cell { y: u32_of(y), x, room, ..cell });
        }
        down.push(place);
    }
    Map {
        total_rows: u32_of(order.rows.len()),
        total_columns: u32_of(order.columns.len()),
        row,
        rows,
        column,
        columns,
        down,
        across,
        cells,
    }
}

/// Where a part begins and how long it is, within what there is: a view may be older than the picture it is asked of.
fn part(len: usize, first: u32, count: u32) -> (u32, u32) {
    let len = u32_of(len);
    let first = first.min(len);
    let left = len - first;
    (first, if count == 0 { left } else { count.min(left) })
}

/// Cuts `n` into at most `cells` pieces of nearly one size: each where it begins and how long it is.
fn bands(n: u32, cells: u32) -> Vec<(u32, u32)> {
    let cells = cells.max(1).min(n);
    let edge = |at: u32| u32::try_from(u64::from(at) * u64::from(n) / u64::from(cells.max(1))).unwrap_or(n);
    (0..cells).map(|at| (edge(at), edge(at + 1) - edge(at))).collect()
}
