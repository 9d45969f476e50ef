//! The command line.

use std::process::ExitCode;

use clap::Parser as _;

#[derive(clap::Parser)]
enum Cli {
    #[command(name = latchkey::db::embedded::KEEPER_COMMAND, hide = true)]
    Keep(latchkey::db::embedded::keeper::Args),
}

fn main() -> ExitCode {
    match Cli::parse() {
        Cli::Keep(args) => latchkey::db::embedded::keeper::run(&args),
    }
}
