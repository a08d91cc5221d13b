//! Data directories that are made once and copied, because adding thousands of users by the command line takes longer
//! than measuring. A template belongs to one binary: another may write another format.

use super::synaptask::add_user;
use super::{User, scratch};
use crate::measurement::progress;
use anyhow::ensure;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::thread;

/// The file with the users, in a data directory.
const USERS: &str = "users.json";
/// How many commands add users at the same time.
const SIDE_BY_SIDE: usize = 4;

/// Fills an empty data directory with so many users, and returns them.
pub fn users(binary: &Path, count: usize, data: &Path) -> anyhow::Result<Vec<User>> {
    let template = of(binary, &format!("users-{count}"), |unfinished| {
        progress(&format!("adding {count} users, once for this binary"));
        let users = add_users(binary, unfinished, count)?;
        Ok(fs::write(unfinished.join(USERS), serde_json::to_string(&users)?)?)
    })?;
    copy(&template, data)?;
    Ok(serde_json::from_str(&fs::read_to_string(data.join(USERS))?)?)
}

/// The directory of a template of a binary. It is made if there is none; a template that is there is whole.
pub fn of(
    binary: &Path,
    name: &str,
    make: impl FnOnce(&Path) -> anyhow::Result<()>,
) -> anyhow::Result<PathBuf> {
    let mut hasher = DefaultHasher::new();
    fs::read(binary)?.hash(&mut hasher);
    let path = scratch()?.join(format!("template-{:016x}-{name}", hasher.finish()));
    if !path.exists() {
        let unfinished = tempfile::Builder::new().prefix("unfinished-").tempdir_in(scratch()?)?;
        make(unfinished.path())?;
        // Another process may have made it in the meantime. Then this one is not needed.
        let renamed = fs::rename(unfinished.path(), &path);
        ensure!(renamed.is_ok() || path.exists(), "cannot make {}", path.display());
    }
    Ok(path)
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
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}
