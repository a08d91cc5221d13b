//! The program around the server: its command line, its settings, its data directory, and how it starts and stops.

mod accounts;
mod command_error;
mod command_line;
mod data_directory;
mod demo;
mod history_command;
mod history_words;
mod links;
mod logging;
mod printing;
mod serve;
mod settings;
mod token_command;
mod user_command;

pub use command_line::main;
