//! What shells and `man` get.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

pub const COMPLETIONS_EXAMPLES: &str = "\
The script asks `deployer` itself at each Tab, so stages and functions are those of the project
you are in, and a new version needs no new script. `deployer` must be on the PATH.

Examples:
  source <(deployer completions bash)                                in ~/.bashrc
  source <(deployer completions zsh)                                 in ~/.zshrc, after compinit
  deployer completions fish > ~/.config/fish/completions/deployer.fish
  deployer completions powershell | Out-String | Invoke-Expression   in $PROFILE
  eval (deployer completions elvish | slurp)                         in ~/.config/elvish/rc.elv";

pub const MAN_EXAMPLES: &str = "\
Examples:
  deployer man ~/.local/share/man/man1
  man deployer-up";

/// Which shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
}

impl Shell {
    /// As `clap_complete` calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Elvish => "elvish",
            Self::Fish => "fish",
            Self::Powershell => "powershell",
            Self::Zsh => "zsh",
        }
    }
}

/// For which shell.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

/// Where pages go.
#[derive(Debug, Args)]
pub struct Man {
    /// The folder; it is made if need be
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
}
