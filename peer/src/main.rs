//! `peer`: see `peer --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    peer::cli::main()
}
