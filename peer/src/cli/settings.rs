//! What can be set otherwise than by a flag: by a variable, or in `config.toml`. A setting is a flag that names a variable
//! (`env = "RECADO_…"`); its key in the file is the flag's name, at the top or in the table of its command. Both are handed to
//! clap as the flag's default, so that they are parsed as the flag is, and a flag wins over them.

pub mod file;

use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};
use etcetera::BaseStrategy as _;

use super::exit::Failure;
use super::language::tr;
use super::{suggest, usage};
use file::{File, Value};

/// One that cannot stand in the file: it says where the file is.
pub const DATA_DIR: &str = "data-dir";

/// All that was said of settings, wherever it was said.
#[derive(Debug, Default)]
pub struct Settings {
    /// The file; an empty one if it is of no use.
    pub file: File,
    /// Why it is of no use.
    pub broken: Option<Failure>,
    words: ArgMatches,
}

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The table that it stands in; none at the top.
    pub table: Option<String>,
    /// The flag's name.
    pub flag: String,
    /// Its variable.
    pub variable: String,
    /// What holds without a word.
    pub default: Option<String>,
    is_switch: bool,
    id: String,
}

/// Where a value is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The command line.
    Flag,
    /// A variable.
    Environment,
    /// The file.
    Config,
    /// Nobody has said anything.
    Default,
}

/// The data directory, as clap will see it; but it is needed before: the file in it is read first.
pub fn data_dir_of(line: &[OsString]) -> Option<PathBuf> {
    let mut words = line.iter().skip(1).take_while(|word| *word != "--");
    let typed = words.find_map(|word| match word.as_bytes() {
        b"--data-dir" => Some(None),
        word => word.strip_prefix(b"--data-dir=").map(|path| Some(OsStr::from_bytes(path).to_owned())),
    });
    let typed = typed.and_then(|typed| typed.or_else(|| words.next().cloned()));
    typed.or_else(|| variable("RECADO_DATA_DIR")).map(PathBuf::from).or_else(default_data_dir)
}

/// Where everything is kept unless something else is said; nothing without a home directory.
pub fn default_data_dir() -> Option<PathBuf> {
    Some(etcetera::choose_base_strategy().ok()?.data_dir().join("recado"))
}

/// A variable of the environment. An empty one is one that was not set.
pub fn variable(name: impl AsRef<OsStr>) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// The table whose keys a command takes: the menu runs the peer as `serve` does.
pub fn table_of(command: &str) -> &str {
    if command == "menu" { "serve" } else { command }
}

/// The commands with all variables and the file as defaults. Nothing in them reads the environment any more.
pub fn applied(commands: Command, file: &File) -> Command {
    commands.mut_args(|flag| with_default(flag, None, file)).mut_subcommands(|command| {
        let table = table_of(command.get_name()).to_owned();
        command.mut_args(|flag| with_default(flag, Some(&table), file))
    })
}

/// Makes a setting of each limit: they have the variables that their names say.
pub fn limits(flag: Arg) -> Arg {
    match flag.get_long() {
        Some(name) if flag.get_help_heading() == Some("Limits") => {
            let variable = format!("RECADO_{}", name.to_uppercase().replace('-', "_"));
            flag.env(variable).hide_env_values(true)
        }
        _ => flag,
    }
}

/// The same without what is wrong among them.
pub fn applied_where_good(commands: Command, file: &File) -> Command {
    let is_wrong = |setting: &Setting| {
        setting.elsewhere(file).is_some_and(|(value, _)| setting.fault(&value, &commands).is_some())
    };
    let wrong: Vec<_> = all(&commands).into_iter().filter(is_wrong).collect();
    let with_default = |flag: Arg, table: Option<&str>| match setting(&flag, table) {
        Some(setting) if wrong.contains(&setting) => flag.env(None::<&'static str>),
        _ => with_default(flag, table, file),
    };
    commands.mut_args(|flag| with_default(flag, None)).mut_subcommands(|command| {
        let table = table_of(command.get_name()).to_owned();
        command.mut_args(|flag| with_default(flag, Some(&table)))
    })
}

/// The commands without any variable.
pub fn bare(commands: Command) -> Command {
    let unset = |flag: Arg| flag.env(None::<&'static str>);
    commands.mut_args(unset).mut_subcommands(|command| command.mut_args(unset))
}

fn with_default(flag: Arg, table: Option<&str>, file: &File) -> Arg {
    let Some(setting) = setting(&flag, table) else { return flag };
    let flag = flag.env(None::<&'static str>);
    match setting.elsewhere(file) {
        Some((value, _)) => flag.default_value(value),
        None => flag,
    }
}

/// The setting that a flag is, if it is one.
fn setting(flag: &Arg, table: Option<&str>) -> Option<Setting> {
    let default = flag.get_default_values().first().map(|value| value.to_string_lossy().into_owned());
    let is_switch = matches!(flag.get_action(), ArgAction::SetTrue);
    Some(Setting {
        table: table.map(str::to_owned),
        flag: flag.get_long()?.to_owned(),
        variable: flag.get_env()?.to_str()?.to_owned(),
        default: default.or_else(|| is_switch.then(|| false.to_string())),
        is_switch,
        id: flag.get_id().as_str().to_owned(),
    })
}

/// All settings: those at the top, then those of each command.
pub fn all(commands: &Command) -> Vec<Setting> {
    let mut all: Vec<_> = commands.get_arguments().filter_map(|flag| setting(flag, None)).collect();
    for command in
        commands.get_subcommands().filter(|command| table_of(command.get_name()) == command.get_name())
    {
        all.extend(command.get_arguments().filter_map(|flag| setting(flag, Some(command.get_name()))));
    }
    all
}

impl Setting {
    /// What it is called, with its table.
    pub fn key(&self) -> String {
        match &self.table {
            Some(table) => format!("{table}.{}", self.flag),
            None => self.flag.clone(),
        }
    }

    /// Switches may be set in more ways than the file has for yes and no.
    fn spelt_out(&self, text: OsString) -> OsString {
        if !self.is_switch {
            return text;
        }
        match text.to_ascii_lowercase().to_str() {
            Some("1" | "yes" | "on" | "true") => true.to_string().into(),
            Some("0" | "no" | "off" | "false") => false.to_string().into(),
            _ => text,
        }
    }

    /// What was said of it elsewhere than on the command line, and where.
    fn elsewhere(&self, file: &File) -> Option<(OsString, Source)> {
        let entry = || file.find(self.table.as_deref(), &self.flag)?.value.typed();
        variable(&self.variable)
            .map(|text| (self.spelt_out(text), Source::Environment))
            .or_else(|| Some((entry()?.into(), Source::Config)))
    }

    /// What is wrong with a value of it; nothing if it is a good one.
    fn fault(&self, value: &OsStr, commands: &Command) -> Option<String> {
        if self.is_switch {
            let good = ["true", "false"].into_iter().any(|word| value == word);
            return (!good).then(|| tr!("config-true-or-false"));
        }
        let mut word = OsString::from(format!("--{}=", self.flag));
        word.push(value);
        let line =
            [OsString::from("peer")].into_iter().chain(self.table.clone().map(OsString::from)).chain([word]);
        let error = bare(commands.clone()).try_get_matches_from(line).err()?;
        usage::fault_of_value(&error)
    }
}

impl Settings {
    /// What was said in the file and on the command line.
    pub fn new(file: File, broken: Option<Failure>, words: ArgMatches) -> Self {
        Self { file, broken, words }
    }

    /// The value of a setting, and where it is from.
    pub fn value_of(&self, setting: &Setting) -> (Option<String>, Source) {
        let shown = |value: &OsStr| Some(value.to_string_lossy().into_owned());
        if let Some(typed) = self.typed(setting) {
            return (shown(typed), Source::Flag);
        }
        match setting.elsewhere(&self.file) {
            Some((value, source)) => (shown(&value), source),
            None => (setting.default.clone(), Source::Default),
        }
    }

    /// What the command line says of a setting that every command takes.
    fn typed(&self, setting: &Setting) -> Option<&OsStr> {
        let by_hand =
            setting.table.is_none() && self.words.value_source(&setting.id) == Some(ValueSource::CommandLine);
        if by_hand { self.words.get_raw(&setting.id)?.next() } else { None }
    }
}

/// Holds the keys of the file against the settings that there are. Whether their values are good shows when they are used, or by
/// [`check_values`].
pub fn check_keys(file: &File, commands: &Command) -> Result<(), Failure> {
    if !file.exists {
        return Ok(());
    }
    let settings = all(commands);
    let tables = || settings.iter().filter_map(|setting| setting.table.as_deref());
    for (table, line) in &file.tables {
        if !tables().any(|known| known == table) {
            let failure = file.wrong(*line, &tr!("config-no-table", table = table));
            return Err(failure.hint(suggest::among(table, tables())));
        }
    }
    for entry in &file.entries {
        let beside = || settings.iter().filter(|setting| setting.table == entry.table);
        let Some(setting) = beside().find(|setting| setting.flag == entry.key) else {
            let failure = file.wrong(entry.line, &tr!("config-no-setting", key = entry.key));
            let beside = beside().map(|setting| setting.flag.as_str());
            return Err(failure.hint(hint_for(&entry.key, &settings, beside)));
        };
        let fits = match entry.value {
            Value::Switch(_) => setting.is_switch,
            Value::Text(_) => !setting.is_switch,
            Value::Other => false,
        };
        if setting.table.is_none() && setting.flag == DATA_DIR {
            return Err(file.wrong(entry.line, &tr!("config-itself")).hint(tr!("config-itself-elsewhere")));
        }
        if !fits && setting.is_switch {
            return Err(file.wrong(entry.line, &tr!("config-takes-switch", key = entry.key)));
        }
        if !fits {
            return Err(file.wrong(entry.line, &tr!("config-takes-text", key = entry.key)));
        }
    }
    Ok(())
}

/// The table that a key belongs to, if it is in the wrong one; else the key that was perhaps meant.
fn hint_for<'a>(key: &str, settings: &[Setting], beside: impl Iterator<Item = &'a str>) -> String {
    match settings.iter().find(|setting| setting.flag == key) {
        Some(Setting { table: Some(table), .. }) => tr!("config-in-table", table = table),
        Some(Setting { table: None, .. }) => tr!("config-at-top"),
        None => suggest::among(key, beside),
    }
}

/// Holds the values of all settings against what they may be, wherever they were said; or only of those that a command takes.
pub fn check_values(commands: &Command, file: &File, only: Option<&str>) -> Result<(), Failure> {
    for setting in all(commands) {
        let taken = only
            .is_none_or(|command| setting.table.as_deref().is_none_or(|table| table == table_of(command)));
        let Some((value, source)) = setting.elsewhere(file).filter(|_| taken) else { continue };
        let Some(fault) = setting.fault(&value, commands) else { continue };
        let shown = value.to_string_lossy();
        let entry = file.find(setting.table.as_deref(), &setting.flag);
        return Err(match (source, entry) {
            (Source::Config, Some(entry)) => file
                .wrong(entry.line, &tr!("config-bad-value", key = entry.key, value = shown, fault = fault)),
            _ => {
                Failure::usage(tr!("config-bad-value", key = setting.variable, value = shown, fault = fault))
            }
        });
    }
    Ok(())
}
