//! Why a command failed.

use super::accounts::AccountError;
use super::data_directory::{self, DataError};
use super::demo;
use super::serve::ServerError;
use super::settings::ConfigError;
use std::io;
use store::LogError;
use thiserror::Error;

/// Why a command failed.
#[derive(Debug, Error)]
pub(super) enum CommandError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error("{} ({})", .0, .0.name())]
    Account(#[from] AccountError),
    #[error("{message} ({name})")]
    Password { message: String, name: String },
    #[error(transparent)]
    Data(#[from] DataError),
    #[error("the data cannot be read: {}", data_directory::reason(.0))]
    Log(#[from] LogError),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("{0}")]
    Logging(String),
    #[error("{0}")]
    Demo(#[from] demo::DemoError),
    #[error("{0}; add --yes to do it")]
    Unconfirmed(String),
    #[error("{} violations found:\n{}", .0.len(), .0.join("\n"))]
    Broken(Vec<String>),
}
