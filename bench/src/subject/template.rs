//! Data directories that are made once and copied, because adding thousands of users by the command line takes longer
//! than measuring. A template belongs to one binary: another may write another format.

use super::synaptask::add_user;
use super::{Data, Running, Subject, User, scratch};
use crate::measurement::progress;
use anyhow::ensure;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::thread;
use tempfile::TempDir;

/// The file with the users, in a data directory.
const USERS: &str = "users.json";
/// The file with what was made of the data.
const MADE: &str = "made.json";
/// How many users a template has, so that works share them.
const SIZES: [usize; 3] = [8, 256, 2_048];
/// How many commands add users at the same time.
const SIDE_BY_SIDE: usize = 4;

/// Fills an empty data directory with at least so many users, and returns them.
pub fn users(binary: &Path, count: usize, data: &Path) -> anyhow::Result<Vec<User>> {
    let count = SIZES.into_iter().find(|size| *size >= count).unwrap_or(count);
    let template = of(binary, &format!("users-{count}"), |unfinished| {
        progress(&format!("adding {count} users, once for this binary"));
        let users = add_users(binary, unfinished, count)?;
        Ok(fs::write(unfinished.join(USERS), serde_json::to_string(&users)?)?)
    })?;
    copy(&template, data)?;
    read(&data.join(USERS))
}

/// The same for data that takes requests to make: `make` gets the running subject, and what it returns is kept with
/// the data. `in_place` uses the template itself, for data that is too large to copy; what a work adds to it stays.
pub async fn made<T: Serialize + DeserializeOwned>(
    subject: &Subject,
    binary: &Path,
    name: &str,
    user_count: usize,
    in_place: bool,
    make: impl AsyncFnOnce(&Running) -> anyhow::Result<T>,
) -> anyhow::Result<(Running, T)> {
    let template = path_of(binary, name)?;
    if !template.exists() {
        let unfinished = tempfile::Builder::new().prefix("unfinished-").tempdir_in(scratch()?)?;
        users(binary, user_count, unfinished.path())?;
        progress(&format!("making {name}, once for this binary"));
        let users: Vec<User> = read(&unfinished.path().join(USERS))?;
        let mut running = subject.start_on(Data::Kept(unfinished.path().to_owned()), users)?;
        let made = make(&running).await?;
        // What is done in the background for the making is not to be measured with anything.
        running.process.settle().await?;
        running.process.stop()?;
        fs::write(unfinished.path().join(MADE), serde_json::to_string(&made)?)?;
        keep(&unfinished, &template)?;
    }
    let data = if in_place { Data::Kept(template) } else { Data::copied(&template)? };
    let (users, made) = (read(&data.path().join(USERS))?, read(&data.path().join(MADE))?);
    Ok((subject.start_on(data, users)?, made))
}

fn read<T: DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    Ok(serde_json::from_slice(&fs::read(path)?)?)
}

/// The directory of a template of a binary. It is made if there is none; a template that is there is whole.
pub fn of(
    binary: &Path,
    name: &str,
    make: impl FnOnce(&Path) -> anyhow::Result<()>,
) -> anyhow::Result<PathBuf> {
    let path = path_of(binary, name)?;
    if !path.exists() {
        let unfinished = tempfile::Builder::new().prefix("unfinished-").tempdir_in(scratch()?)?;
        make(unfinished.path())?;
        keep(&unfinished, &path)?;
    }
    Ok(path)
}

/// Puts a finished template into its place.
fn keep(unfinished: &TempDir, path: &Path) -> anyhow::Result<()> {
    // Another process may have made it in the meantime. Then this one is not needed.
    let renamed = fs::rename(unfinished.path(), path);
    ensure!(renamed.is_ok() || path.exists(), "cannot make {}", path.display());
    Ok(())
}

fn path_of(binary: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let mut hasher = DefaultHasher::new();
    fs::read(binary)?.hash(&mut hasher);
    Ok(scratch()?.join(format!("template-{:016x}-{name}", hasher.finish())))
}

fn add_users(binary: &Path, data: &Path, count: usize) -> anyhow::Result<Vec<User>> {
    // The first one creates the data, which two commands must not do at the same time.
    let mut users = vec![add_user(binary, data, "user-0")?];
    let numbers: Vec<usize> = (1..count).collect();
    for some in numbers.chunks(SIDE_BY_SIDE) {
        let added = thread::scope(|scope| {
            let commands: Vec<_> = some
                .iter()
                .map(|n| scope.spawn(move || add_user(binary, data, &format!("user-{n}"))))
                .collect();
            let ended = commands.into_iter().map(|command| {
                command.join().map_err(|_| anyhow::anyhow!("the thread of a command panicked"))?
            });
            ended.collect::<anyhow::Result<Vec<User>>>()
        })?;
        users.extend(added);
    }
    Ok(users)
}

/// Copies the files of a data directory.
pub fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}
