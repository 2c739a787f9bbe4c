//! `config.toml` in the data directory: read once, before the arguments are parsed. What its values mean the flags decide that
//! they stand for.

use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::cli::exit::{Exit, Failure};
use crate::cli::faults::Told as _;
use crate::cli::language::tr;
use crate::identity::private::{self, Unreadable};

/// What the file is called.
pub const NAME: &str = "config.toml";

/// The file's values, each where it stands.
#[derive(Debug, Default, Clone)]
pub struct File {
    /// Where it is, or would be.
    pub path: PathBuf,
    /// Whether it is there.
    pub exists: bool,
    /// All that it says, from top to bottom.
    pub entries: Vec<Entry>,
    /// Its tables, each with its line.
    pub tables: Vec<(String, usize)>,
}

/// One line of it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The table that it stands in; none at the top.
    pub table: Option<String>,
    /// Its name.
    pub key: String,
    /// Its value.
    pub value: Value,
    /// Its line, from 1.
    pub line: usize,
}

/// A value, as the file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text or a whole number, as it would be typed.
    Text(String),
    /// Yes or no.
    Switch(bool),
    /// What no flag takes.
    Other,
}

/// Why the file is of no use.
#[derive(Debug)]
pub enum Unusable {
    /// It is not read.
    Unreadable(Unreadable),
    /// It is not text.
    NotText(PathBuf),
    /// It is not TOML.
    Syntax {
        /// Where it is.
        path: PathBuf,
        /// The line in which that shows, from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
}

impl File {
    /// Reads the file of this data directory. One that is not there says nothing.
    pub fn read(data_dir: &Path) -> Result<Self, Unusable> {
        let path = data_dir.join(NAME);
        let Some(bytes) = private::read_ours(&path).map_err(Unusable::Unreadable)? else {
            return Ok(Self { path, ..Self::default() });
        };
        let Ok(text) = String::from_utf8(bytes) else { return Err(Unusable::NotText(path)) };
        let line_of = |at: usize| text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1;
        let table = match DeTable::parse(&text) {
            Ok(table) => table,
            Err(error) => {
                let line = line_of(error.span().map_or(0, |span| span.start));
                return Err(Unusable::Syntax { path, line, problem: error.message().to_owned() });
            }
        };
        let tables = table.get_ref().iter().filter(|(_, value)| matches!(value.get_ref(), DeValue::Table(_)));
        let tables = tables.map(|(key, _)| (key.get_ref().clone().into_owned(), line_of(key.span().start)));
        let (tables, entries) = (tables.collect(), entries(table.get_ref(), &line_of));
        Ok(Self { path, exists: true, entries, tables })
    }

    /// What it says of one key.
    pub fn find(&self, table: Option<&str>, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.table.as_deref() == table && entry.key == key)
    }

    /// What is wrong in a line of it.
    pub fn wrong(&self, line: usize, what: &str) -> Failure {
        wrong(&self.path, line, what)
    }
}

impl Value {
    /// The value as it would be typed behind the flag.
    pub fn typed(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Switch(on) => Some(on.to_string()),
            Self::Other => None,
        }
    }
}

/// The entries at the top and those one table below; a table within a table is an entry that no flag takes.
fn entries(top: &DeTable<'_>, line_of: &dyn Fn(usize) -> usize) -> Vec<Entry> {
    let entry = |table: Option<&str>, key: &Spanned<_>, value: &Spanned<DeValue<'_>>| Entry {
        table: table.map(str::to_owned),
        key: AsRef::<str>::as_ref(key.get_ref()).to_owned(),
        value: value_of(value.get_ref()),
        line: line_of(key.span().start),
    };
    let mut entries = Vec::new();
    for (key, value) in top {
        match value.get_ref() {
            DeValue::Table(table) => {
                entries.extend(table.iter().map(|(inner, value)| entry(Some(key.get_ref()), inner, value)));
            }
            _ => entries.push(entry(None, key, value)),
        }
    }
    entries.sort_by_key(|entry| entry.line);
    entries
}

fn value_of(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.clone().into_owned()),
        DeValue::Integer(number) => Value::Text(number.to_string()),
        DeValue::Boolean(on) => Value::Switch(*on),
        _ => Value::Other,
    }
}

fn wrong(path: &Path, line: usize, what: &str) -> Failure {
    Failure::usage(tr!("config-line", path = path.display(), line = line.to_string(), what = what))
}

impl From<Unusable> for Failure {
    fn from(unusable: Unusable) -> Self {
        match unusable {
            Unusable::Syntax { path, line, problem } => wrong(&path, line, &problem),
            Unusable::NotText(path) => wrong(&path, 1, &tr!("config-not-text")),
            Unusable::Unreadable(error) => Self::new(Exit::Failed, error.told()),
        }
    }
}
