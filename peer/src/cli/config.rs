use std::io::Write as _;

use anstyle::Style;
use clap::{Args, CommandFactory as _};
use serde::Serialize;

use super::exit::{Exit, Failure};
use super::language::{language, tr};
use super::output::{FAINT, Output};
use super::settings::{self, Setting, Source};
use super::table::{Cell, Table};
use super::untrusted::Untrusted;
use super::{Arguments, Global};

/// Show every setting, and where its value is from
///
/// A setting is a flag that can also be said by a variable, or in config.toml in the data directory. A flag wins over the
/// variable, the variable over the file. What every command takes stands at the top of the file, what one command takes in
/// a table that is called as the command is. A switch that is on in the file is put off by its variable, as in
/// `RECADO_ALLOW_PLAIN_HTTP=false`. Nothing is written, and no name or directory is needed.
#[derive(Args)]
#[command(before_help = "Examples:
  peer config                              each setting, its value, and who said so
  peer config --json | grep -v default     what somebody has set
  RECADO_EXPIRE=1d peer config             a variable wins over the file")]
#[command(after_help = "A config.toml:
  server = \"https://recado.example:7100\"

  [serve]
  listen = \"0.0.0.0:7101\"
  allow-plain-http = true

  [send]
  expire = \"1d\"")]
pub struct Config {}

/// A setting, for programs.
#[derive(Serialize)]
struct Line<'a> {
    key: String,
    value: Option<&'a str>,
    source: &'static str,
}

impl Config {
    #[expect(clippy::unused_self, reason = "every command is run by what was typed behind it")]
    pub(super) fn run(self, global: &Global, output: &mut Output) -> Result<Exit, Failure> {
        if let Some(broken) = &global.settings.broken {
            return Err(broken.clone());
        }
        let commands = Arguments::command();
        settings::check_values(&commands, &global.settings.file, None)?;
        let all = settings::all(&commands);
        let values = all.iter().map(|setting| match global.settings.value_of(setting) {
            // Without a word the locale decides, and the platform.
            (None, source) if setting.flag == settings::DATA_DIR => {
                let place = settings::default_data_dir();
                (setting, (place.map(|place| place.to_string_lossy().into_owned()), source))
            }
            (None, source) if setting.flag == "lang" => {
                (setting, (Some(language().code().to_owned()), source))
            }
            said => (setting, said),
        });
        if output.json {
            for (setting, (value, source)) in values {
                output.line(&Line { key: setting.key(), value: value.as_deref(), source: source.word() })?;
            }
            return Ok(Exit::Done);
        }
        let file = &global.settings.file;
        let path = Untrusted(&file.path.to_string_lossy()).to_string();
        let first =
            if file.exists { tr!("config-file", path = path) } else { tr!("config-no-file", path = path) };
        writeln!(output, "{FAINT}{first}{FAINT:#}\n")?;
        let mut table = Table::default();
        table.titles([tr!("config-key"), tr!("config-value"), tr!("config-from")]);
        for (setting, (value, source)) in values {
            let value = value.map_or_else(|| "–".to_owned(), |value| Untrusted(&value).to_string());
            let style = if source == Source::Default { FAINT } else { Style::new() };
            table.row([setting.key(), value, source.told(setting)].map(|text| Cell::new(text).styled(style)));
        }
        table.print(output)?;
        Ok(Exit::Done)
    }
}

impl Source {
    /// For programs.
    fn word(self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::Environment => "environment",
            Self::Config => "config",
            Self::Default => "default",
        }
    }

    /// For people: what they would look for.
    fn told(self, setting: &Setting) -> String {
        match self {
            Self::Flag => format!("--{}", setting.flag),
            Self::Environment => setting.variable.clone(),
            Self::Config => settings::file::NAME.to_owned(),
            Self::Default => tr!("config-default"),
        }
    }
}
