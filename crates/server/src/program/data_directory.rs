//! The data directory. Commands that store data create it, accessible to its owner only. All other commands use the
//! existing one or report that there is none: a mistyped name must not create a directory.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use store::{LogError, SqliteLog};
use thiserror::Error;

/// The file with the log, in the data directory.
const LOG_FILE: &str = "synaptask.db";

/// Only the owner has access.
const DIRECTORY_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// A problem with the data directory.
#[derive(Debug, Error)]
pub enum DataError {
    #[error("there is no data in {}; `synaptask serve` and `synaptask user add` create it", .0.display())]
    Absent(PathBuf),
    #[error("the data directory {} is not a directory", .0.display())]
    NotDirectory(PathBuf),
    #[error("the data directory {} cannot be created: {reason}", path.display())]
    Unmade { path: PathBuf, reason: String },
    #[error("the data directory {} is not writable: {source}", path.display())]
    NotWritable { path: PathBuf, source: io::Error },
    #[error("the data file {} cannot be opened: {reason}", path.display())]
    Unopened { path: PathBuf, reason: String },
}

/// Opens the log in a data directory. Creates both if they do not exist.
///
/// # Errors
/// [`DataError`].
pub fn make_log(data: &Path) -> Result<SqliteLog, DataError> {
    make_directory(data)?;
    make_file(data)?;
    open_log(data)
}

/// Opens the existing log in a data directory.
///
/// # Errors
/// [`DataError`], [`DataError::Absent`] where there is none.
pub fn open_log(data: &Path) -> Result<SqliteLog, DataError> {
    if data.exists() && !data.is_dir() {
        return Err(DataError::NotDirectory(data.to_owned()));
    }
    let path = data.join(LOG_FILE);
    match path.try_exists() {
        Ok(true) => SqliteLog::open(&path).map_err(|error| unopened(data, path, &error)),
        Ok(false) => Err(DataError::Absent(data.to_owned())),
        Err(error) => Err(DataError::Unopened { path, reason: error.to_string() }),
    }
}

/// The reason in a log's error, for commands that only read.
pub fn reason(error: &LogError) -> String {
    match error {
        LogError::Refused(source) => source.to_string(),
        other => other.to_string(),
    }
}

/// Creates the directory for its owner only. Missing directories above it get the usual mode.
fn make_directory(data: &Path) -> Result<(), DataError> {
    if data.is_dir() {
        return Ok(());
    }
    if data.exists() {
        return Err(DataError::NotDirectory(data.to_owned()));
    }
    let above = data.parent().map_or(Ok(()), fs::create_dir_all);
    match above.and_then(|()| DirBuilder::new().mode(DIRECTORY_MODE).create(data)) {
        // Another process was faster.
        Err(_) if data.is_dir() => Ok(()),
        Err(source) => Err(DataError::Unmade { path: data.to_owned(), reason: why_unmade(data, &source) }),
        Ok(()) => Ok(()),
    }
}

fn why_unmade(data: &Path, source: &io::Error) -> String {
    let place = data.ancestors().skip(1).find(|above| above.exists());
    match place {
        Some(place) if !place.is_dir() => format!("{} is not a directory", place.display()),
        Some(place) => format!("no directory can be created in {} ({source})", place.display()),
        None => source.to_string(),
    }
}

/// Creates an empty file before SQLite does, because SQLite's files are readable by everyone. SQLite's other files
/// take their mode from this one. The process must not have the log open: closing the file releases the process's
/// locks on it.
fn make_file(data: &Path) -> Result<(), DataError> {
    let path = data.join(LOG_FILE);
    if path.exists() {
        return Ok(());
    }
    match OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(&path) {
        Err(source) if source.kind() != io::ErrorKind::AlreadyExists => {
            Err(DataError::NotWritable { path: data.to_owned(), source })
        }
        _ => Ok(()),
    }
}

/// SQLite reports most problems as "unable to open database file". The system's own error says more.
fn unopened(data: &Path, path: PathBuf, error: &LogError) -> DataError {
    if matches!(error, LogError::Refused(_)) {
        if let Err(source) = OpenOptions::new().read(true).write(true).open(&path) {
            return DataError::Unopened { path, reason: source.to_string() };
        }
        if let Err(source) = tempfile::tempfile_in(data) {
            return DataError::NotWritable { path: data.to_owned(), source };
        }
    }
    DataError::Unopened { path, reason: reason(error) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn c12_what_is_made_is_for_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("above").join("data");
        let log = make_log(&data).unwrap();
        assert_eq!(mode(&data), 0o700);
        let files: Vec<PathBuf> = fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(files.len() > 1, "the log is open, with its other files: {files:?}");
        for file in files {
            assert_eq!(mode(&file), 0o600, "{}", file.display());
        }
        drop(log);
    }

    #[test]
    fn c12_what_is_there_keeps_its_modes() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        drop(make_log(&data).unwrap());
        let file = data.join(LOG_FILE);
        fs::set_permissions(&data, fs::Permissions::from_mode(0o750)).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        drop(make_log(&data).unwrap());
        assert_eq!((mode(&data), mode(&file)), (0o750, 0o640));
    }

    #[test]
    fn c12_whoever_only_looks_makes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let mistyped = dir.path().join("mistyped");
        assert!(matches!(open_log(&mistyped), Err(DataError::Absent(_))));
        assert!(!mistyped.exists());
        let error = open_log(dir.path()).unwrap_err();
        assert!(error.to_string().contains("there is no data in"), "{error}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        drop(make_log(dir.path()).unwrap());
        drop(open_log(dir.path()).unwrap());
    }

    #[test]
    fn c12_an_error_says_what_is_wrong_with_the_directory() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("users.json");
        fs::write(&file, "{}").unwrap();
        let taken = dir.path().join("taken");
        fs::create_dir_all(taken.join(LOG_FILE)).unwrap();
        let foreign = dir.path().join("foreign");
        fs::create_dir(&foreign).unwrap();
        fs::write(foreign.join(LOG_FILE), "not a database, but long enough to be looked at as one".repeat(9))
            .unwrap();
        let cases = [
            (file.clone(), "users.json is not a directory"),
            (file.join("data"), "data cannot be created: "),
            (file.join("data"), "users.json is not a directory"),
            (taken, "synaptask.db cannot be opened: Is a directory"),
            (foreign, "synaptask.db cannot be opened: "),
            #[cfg(target_os = "linux")]
            (
                PathBuf::from("/proc/synaptask"),
                "/proc/synaptask cannot be created: no directory can be created in /proc",
            ),
        ];
        for (data, want) in cases {
            let error = make_log(&data).unwrap_err().to_string();
            assert!(error.contains(want) && !error.contains("nothing was written"), "{error}");
        }
        let error = open_log(&file).unwrap_err().to_string();
        assert!(error.contains("is not a directory"), "{error}");
    }
}
