//! Tables and lists of fields: columns as wide as what stands in them, and no wider together than the terminal.

use std::io::Write as _;

use anstyle::Style;

use super::exit::Failure;
use super::output::{FAINT, Output};
use super::width::{cell, cell_right, width};

/// Between columns.
const GAP: usize = 2;
/// No column is cut further than to this.
const NARROWEST: usize = 6;

/// What stands in a column of a row: harmless text.
pub struct Cell {
    text: String,
    style: Style,
    is_number: bool,
}

impl Cell {
    /// A text.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), style: Style::new(), is_number: false }
    }

    /// A number, which stands at the right.
    pub fn number(number: u64) -> Self {
        Self { is_number: true, ..Self::new(number.to_string()) }
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
        self.rows.push(titles.map(|title| Cell::new(title).styled(FAINT)).into());
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
        let numbers = self.columns_of_numbers();
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

    /// How wide each column is, so that all fit into so many: the widest are cut first.
    fn widths(&self, room: usize) -> Vec<usize> {
        let mut widths = Vec::new();
        for row in &self.rows {
            widths.resize(widths.len().max(row.len()), 0);
            for (widest, cell) in widths.iter_mut().zip(row) {
                *widest = (*widest).max(width(&cell.text));
            }
        }
        let gaps = widths.len().saturating_sub(1) * GAP;
        while widths.iter().sum::<usize>() + gaps > room {
            match widths.iter_mut().max() {
                Some(widest) if *widest > NARROWEST => *widest -= 1,
                _ => break,
            }
        }
        widths
    }

    fn columns_of_numbers(&self) -> Vec<usize> {
        let cells = self.rows.iter().flat_map(|row| row.iter().enumerate());
        cells.filter(|(_, cell)| cell.is_number).map(|(column, _)| column).collect()
    }
}

/// Prints fields, the values below each other. A field without a title goes on with the one before.
pub fn print_fields(fields: &[(String, String)], output: &mut Output) -> Result<(), Failure> {
    let titles = fields.iter().map(|(title, _)| width(title)).max().unwrap_or(0);
    for (title, value) in fields {
        writeln!(output, "{FAINT}{}{FAINT:#}  {value}", cell(title, titles))?;
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
            table.row([Cell::new(name), Cell::new(address), Cell::number(unread), Cell::new(key)]);
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
    fn the_widest_column_is_cut_where_there_is_no_room() {
        let lines = lines(&table(), Some(40));
        assert_eq!(lines[1], "joão  https://192.168…       0  verified");
        assert!(lines.iter().all(|line| width(line) <= 40));
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
