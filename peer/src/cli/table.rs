//! Tables and lists of fields: columns as wide as what stands in them, and no wider together than the terminal.

use std::collections::BTreeSet;
use std::io::Write as _;

use anstyle::Style;

use super::exit::Failure;
use super::output::{FAINT, Output};
use super::width::{cell, cell_right, width, wrapped};

/// Between columns.
const GAP: usize = 2;
/// No column is cut further than to this.
const NARROWEST: usize = 6;

/// What stands in a column of a row: harmless text.
pub struct Cell {
    text: String,
    style: Style,
    is_number: bool,
    is_title: bool,
    gives_way: bool,
}

impl Cell {
    /// A text.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), style: Style::new(), is_number: false, is_title: false, gives_way: false }
    }

    /// A number, which stands at the right.
    pub fn number(number: u64) -> Self {
        Self { is_number: true, ..Self::new(number.to_string()) }
    }

    /// The same, in a column that is cut before any other where there is no room.
    pub fn giving_way(self) -> Self {
        Self { gives_way: true, ..self }
    }

    /// The same in this style.
    pub fn styled(self, style: Style) -> Self {
        Self { style, ..self }
    }
}

/// Rows whose columns are aligned.
#[derive(Default)]
pub struct Table {
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// Adds the titles of columns. Those of numbers stand at the right where the first row has a number.
    pub fn titles<const COLUMNS: usize>(&mut self, titles: [String; COLUMNS]) {
        self.rows.push(titles.map(|title| Cell { is_title: true, ..Cell::new(title).styled(FAINT) }).into());
    }

    /// Adds a row.
    pub fn row<const COLUMNS: usize>(&mut self, cells: [Cell; COLUMNS]) {
        self.rows.push(cells.into());
    }

    /// Adds an empty line, unless it would be the first.
    pub fn gap(&mut self) {
        if !self.rows.is_empty() {
            self.rows.push(Vec::new());
        }
    }

    /// Prints all rows.
    pub fn print(&self, output: &mut Output) -> Result<(), Failure> {
        let lines = self.lines(output.columns());
        lines.iter().try_for_each(|line| Ok(writeln!(output, "{line}")?))
    }

    fn lines(&self, columns: Option<usize>) -> Vec<String> {
        let widths = self.widths(columns.unwrap_or(usize::MAX));
        let numbers = self.columns_of(|cell| cell.is_number);
        let line = |row: &Vec<Cell>| {
            let last = row.iter().rposition(|cell| !cell.text.is_empty());
            let mut line = String::new();
            for (column, Cell { text, style, .. }) in
                row.iter().enumerate().take(last.map_or(0, |last| last + 1))
            {
                let filled = if numbers.contains(&column) {
                    cell_right(text, widths[column])
                } else {
                    cell(text, widths[column])
                };
                // Nothing is underlined or marked where nothing stands.
                let bare = filled.trim_end();
                let rest = if Some(column) == last { "" } else { &filled[bare.len()..] };
                let gap = if column == 0 { 0 } else { GAP };
                line.extend([" ".repeat(gap), format!("{style}{bare}{style:#}{rest}")]);
            }
            line
        };
        self.rows.iter().map(line).collect()
    }

    /// How wide each column is, so that all fit into so many: first those are cut that give way, then
    /// titles, then whichever is widest.
    fn widths(&self, room: usize) -> Vec<usize> {
        let contents = self.widest(|cell| !cell.is_title);
        let mut widths = self.widest(|_| true);
        let gaps = widths.len().saturating_sub(1) * GAP;
        let give_way = self.columns_of(|cell| cell.gives_way);
        while widths.iter().sum::<usize>() + gaps > room {
            let cuttable = widths.iter_mut().enumerate().filter(|(_, width)| **width > NARROWEST);
            let Some((_, widest)) =
                cuttable.max_by_key(|(at, width)| (give_way.contains(at), contents[*at] < **width, **width))
            else {
                break;
            };
            *widest -= 1;
        }
        widths
    }

    /// How wide the widest of such cells is in each column.
    fn widest(&self, is_one: impl Fn(&Cell) -> bool) -> Vec<usize> {
        let mut widths = Vec::new();
        for row in &self.rows {
            widths.resize(widths.len().max(row.len()), 0);
            for (widest, cell) in widths.iter_mut().zip(row).filter(|(_, cell)| is_one(cell)) {
                *widest = (*widest).max(width(&cell.text));
            }
        }
        widths
    }

    /// The columns in which there is such a cell.
    fn columns_of(&self, is_one: impl Fn(&Cell) -> bool) -> BTreeSet<usize> {
        let cells = self.rows.iter().flat_map(|row| row.iter().enumerate());
        cells.filter(|(_, cell)| is_one(cell)).map(|(column, _)| column).collect()
    }
}

/// Prints fields, the values below each other. A field without a title goes on with the one before. Words are broken into
/// lines; a value that is one word is left to the terminal, from which it can be copied whole.
pub fn print_fields(fields: &[(String, Cell)], output: &mut Output) -> Result<(), Failure> {
    let titles = fields.iter().map(|(title, _)| width(title)).max().unwrap_or(0);
    let room =
        output.columns().map_or(usize::MAX, |columns| columns.saturating_sub(titles + GAP).max(NARROWEST));
    for (title, Cell { text, style, .. }) in fields {
        let lines = if text.contains(' ') { wrapped(text, room) } else { vec![text.as_str()] };
        for (number, line) in lines.iter().enumerate() {
            let title = cell(if number == 0 { title } else { "" }, titles);
            writeln!(output, "{FAINT}{title}{FAINT:#}  {style}{line}{style:#}")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use anstream::adapter::strip_str;

    use super::*;

    fn table() -> Table {
        let mut table = Table::default();
        table.titles(["NAME", "ADDRESS", "UNREAD", "KEY"].map(str::to_owned));
        for (name, unread, key) in [("joão", 0, "verified"), ("太郎", 12, "")] {
            let address = "https://192.168.1.10:7101";
            let address = Cell::new(address).giving_way();
            table.row([Cell::new(name), address, Cell::number(unread), Cell::new(key)]);
        }
        table
    }

    fn lines(table: &Table, columns: Option<usize>) -> Vec<String> {
        table.lines(columns).iter().map(|line| strip_str(line).to_string()).collect()
    }

    #[test]
    fn columns_are_aligned_by_what_is_seen() {
        assert_eq!(
            lines(&table(), None),
            [
                "NAME  ADDRESS                    UNREAD  KEY",
                "joão  https://192.168.1.10:7101       0  verified",
                "太郎  https://192.168.1.10:7101      12",
            ]
        );
    }

    #[test]
    fn what_gives_way_is_cut_where_there_is_no_room() {
        let lines = lines(&table(), Some(40));
        assert_eq!(lines[1], "joão  https://192.168…       0  verified");
        assert!(lines.iter().all(|line| width(line) <= 40));
        assert_eq!(self::lines(&table(), Some(28))[1], "joão  https…       0  verif…");
        assert!(table().lines(Some(1)).iter().all(|line| width(&strip_str(line).to_string()) < 40));
    }

    #[test]
    fn a_group_may_stand_apart() {
        let mut table = Table::default();
        table.gap();
        table.row([Cell::new("ana")]);
        table.gap();
        table.row([Cell::new("rui")]);
        assert_eq!(lines(&table, None), ["ana", "", "rui"]);
    }
}
