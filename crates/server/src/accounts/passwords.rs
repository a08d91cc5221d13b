//! Passwords: how they are hashed and checked, and which are refused.
//!
//! A hash takes much memory and time on purpose. Hashes are therefore computed on threads that may block, a few at a
//! time; some wait, and beyond that the server is `unavailable`. Nobody else's request waits for a hash.

use crate::operations::{Confidential, PASSWORD_CHARS_LEAST, PASSWORD_CHARS_MOST};
use crate::wire::{PayloadFault, PayloadRefusal, Problem};
use argon2::password_hash::phc::PasswordHash as Phc;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use graph::model::PasswordHash;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use tokio::sync::Semaphore;
use zxcvbn::{Score, zxcvbn};

/// OWASP's parameters for argon2id: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// How many requests may wait for their turn.
const WAITING_MAX: usize = 64;

/// How much of a password its strength is estimated by. The estimate takes more than linear time.
const ESTIMATED_CHARS: usize = 64;

/// Computes hashes.
#[derive(Debug)]
pub(super) struct Passwords {
    turns: Arc<Semaphore>,
    under_way: AtomicUsize,
    computed: Arc<AtomicU64>,
    /// The hash that is checked where there is none, so that it takes as long.
    nobodys: Arc<OnceLock<String>>,
}

/// What checking a password showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Checked {
    Wrong,
    Right {
        /// Whether the hash was computed with other parameters than new ones are.
        is_outdated: bool,
    },
}

/// A place in the line.
struct Place<'p>(&'p AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Default for Passwords {
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Passwords {
            turns: Arc::new(Semaphore::new((processors / 2).max(1))),
            under_way: AtomicUsize::new(0),
            computed: Arc::default(),
            nobodys: Arc::default(),
        }
    }
}

impl Passwords {
    /// How many hashes have been computed.
    #[cfg(test)]
    pub(super) fn computed(&self) -> u64 {
        self.computed.load(Ordering::Acquire)
    }

    /// The hash of a new password for an account, if it is good enough.
    ///
    /// # Errors
    /// `invalid_password`, with the reason, and `unavailable` when too many wait already.
    pub(super) async fn accept(
        &self,
        password: Confidential,
        email: &str,
        username: &str,
    ) -> Result<PasswordHash, Problem> {
        let (computed, email, username) = (Arc::clone(&self.computed), email.to_owned(), username.to_owned());
        // Judging it takes milliseconds, too.
        let hash = self.in_turn(move || {
            judge(password.reveal(), &email, &username)?;
            hash(password.reveal(), &computed)
        });
        hash.await?.map(PasswordHash::from_phc)
    }

    /// The hash of a password that is an account's already.
    ///
    /// # Errors
    /// `unavailable` when too many wait already.
    pub(super) async fn hash(&self, password: Confidential) -> Result<PasswordHash, Problem> {
        let computed = Arc::clone(&self.computed);
        self.in_turn(move || hash(password.reveal(), &computed)).await?.map(PasswordHash::from_phc)
    }

    /// Checks a password against a hash. Without a hash the password is wrong, after the same work.
    ///
    /// # Errors
    /// `unavailable` when too many wait already.
    pub(super) async fn check(&self, password: Confidential, of: Option<String>) -> Result<Checked, Problem> {
        let (computed, nobodys) = (Arc::clone(&self.computed), Arc::clone(&self.nobodys));
        self.in_turn(move || {
            let is_somebodys = of.is_some();
            let of = match of {
                Some(of) => of,
                None => nobodys_hash(&nobodys)?,
            };
            let checked = check(password.reveal(), &of, &computed)?;
            Ok(if is_somebodys { checked } else { Checked::Wrong })
        })
        .await?
    }

    /// Does something on a thread that may block, when it is its turn.
    async fn in_turn<T: Send + 'static>(
        &self,
        compute: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let most = WAITING_MAX + self.turns.available_permits();
        let before = self.under_way.fetch_add(1, Ordering::AcqRel);
        let _place = Place(&self.under_way);
        if before >= most {
            return Err(Problem::unavailable());
        }
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| Problem::unavailable())?;
        let computed = tokio::task::spawn_blocking(move || {
            // Held by the computation itself: a caller that disconnects does not make room for another.
            let _turn = turn;
            compute()
        });
        computed.await.map_err(|_| Problem::exception())
    }
}

fn parameters() -> Result<Argon2<'static>, Problem> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|_| Problem::exception())?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash(password: &str, computed: &AtomicU64) -> Result<String, Problem> {
    computed.fetch_add(1, Ordering::AcqRel);
    let hash = parameters()?.hash_password(password.as_bytes()).map_err(|_| Problem::exception())?;
    Ok(hash.to_string())
}

/// The hash of a new password for an account, if it is good enough. It takes a while.
///
/// # Errors
/// `invalid_password`, with the reason.
pub fn new_password(password: &str, email: &str, username: &str) -> Result<PasswordHash, Problem> {
    judge(password, email, username)?;
    hash(password, &AtomicU64::new(0)).map(PasswordHash::from_phc)
}

/// A hash of nothing that anyone could send. Making it does not count: it is made once.
fn nobodys_hash(nobodys: &OnceLock<String>) -> Result<String, Problem> {
    if let Some(hash) = nobodys.get() {
        return Ok(hash.clone());
    }
    let mut password = [0_u8; 32];
    getrandom::fill(&mut password).map_err(|_| Problem::exception())?;
    let hash = parameters()?.hash_password(&password).map_err(|_| Problem::exception())?.to_string();
    Ok(nobodys.get_or_init(|| hash).clone())
}

fn check(password: &str, of: &str, computed: &AtomicU64) -> Result<Checked, Problem> {
    let of = Phc::new(of).map_err(|_| Problem::exception())?;
    computed.fetch_add(1, Ordering::AcqRel);
    // It takes the parameters of the hash.
    if Argon2::default().verify_password(password.as_bytes(), &of).is_err() {
        return Ok(Checked::Wrong);
    }
    let current = Params::try_from(&of).is_ok_and(|params| {
        (params.m_cost(), params.t_cost(), params.p_cost()) == (MEMORY_KIB, PASSES, LANES)
    });
    let is_outdated = !current || of.algorithm != Algorithm::Argon2id.ident();
    Ok(Checked::Right { is_outdated })
}

/// Refuses a password that is too short, too long, contains what everyone knows of its owner, or is easily guessed.
/// It takes a few milliseconds, for a password of any length.
///
/// # Errors
/// `invalid_password`, with the reason.
fn judge(password: &str, email: &str, username: &str) -> Result<(), Problem> {
    let refuse = |why: &str| Err(PayloadRefusal::with(PayloadFault::InvalidPassword, why).into());
    let length = password.chars().count();
    if length < PASSWORD_CHARS_LEAST {
        return refuse(&format!("This one is too short: take at least {PASSWORD_CHARS_LEAST} characters."));
    }
    if length > PASSWORD_CHARS_MOST {
        return refuse(&format!("This one is too long: take at most {PASSWORD_CHARS_MOST} characters."));
    }
    let lower = password.to_lowercase();
    for (name, what) in [(email, "email"), (username, "username")] {
        if !name.is_empty() && lower.contains(&name.to_lowercase()) {
            return refuse(&format!("This one contains the {what}."));
        }
    }
    let start: String = password.chars().take(ESTIMATED_CHARS).collect();
    let own = email.split('@').chain([username]).filter(|word| !word.is_empty()).collect::<Vec<_>>();
    let estimate = zxcvbn(&start, &own);
    if estimate.score() < Score::Two {
        let warning = estimate.feedback().and_then(|feedback| feedback.warning());
        let why =
            warning.map_or_else(|| "Add another word or two.".to_owned(), |warning| warning.to_string());
        return refuse(&format!("This one is easily guessed. {why}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    fn refused(password: &str) -> Option<String> {
        judge(password, "olha.kovalenko@example.com", "olhak").err().map(|problem| {
            assert_eq!(problem.name(), "bad_request.invalid_password");
            problem.message()
        })
    }

    #[test]
    fn k7_a_password_is_refused_with_the_reason() {
        for (password, why) in [
            ("", "too short"),
            ("kT9#w2!", "too short"),
            ("їїїїїїї", "too short"),
            ("xx olha.kovalenko@EXAMPLE.com zz", "contains the email"),
            ("correct OLHAK horse battery", "contains the username"),
            ("password", "easily guessed"),
            ("12345678", "easily guessed"),
            ("qwertyuiop", "easily guessed"),
            ("aaaaaaaaaaaa", "easily guessed"),
            ("kovalenko1", "easily guessed"),
        ] {
            let message = refused(password).unwrap_or_default();
            assert!(message.contains(why), "{password}: {message}");
        }
        assert!(refused(&"ї9#".repeat(342)).unwrap_or_default().contains("too long"));
        let long: String = (0_u32..1_024).map(|n| char::from(33 + (n * n * 7 % 89) as u8)).collect();
        for password in ["kT9#w2!q", "correct horse battery staple", "пароль із кількох слів", &long]
        {
            assert_eq!(refused(password), None, "{password}");
        }
    }

    #[test]
    fn k7_a_long_password_is_judged_at_once() {
        let hard =
            ["aB3$".repeat(256), "a1b2c3d4".repeat(128), "p4ssw0rd".repeat(128), "@$$w0rd1".repeat(128)];
        let keys = "qwertyuiop[]asdfghjkl;'zxcvbnm,./".repeat(31);
        for password in hard.iter().chain([&keys]) {
            let begun = Instant::now();
            let _ = judge(password, "olha@example.com", "olha");
            assert!(begun.elapsed() < Duration::from_secs(1), "{:?} for {password:.16}…", begun.elapsed());
        }
    }

    #[tokio::test]
    async fn k6_a_hash_is_argon2id_with_the_parameters_of_owasp_and_tells_outdated_ones() {
        let passwords = Passwords::default();
        let secret = || Confidential::new("correct horse".to_owned());
        let hash = passwords.hash(secret()).await.unwrap().phc().to_owned();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(passwords.hash(secret()).await.unwrap().phc(), hash, "each has its own salt");
        let right = passwords.check(secret(), Some(hash.clone())).await.unwrap();
        assert_eq!(right, Checked::Right { is_outdated: false });
        let wrong = passwords.check(Confidential::new("another".to_owned()), Some(hash)).await.unwrap();
        assert_eq!(wrong, Checked::Wrong);
        let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(64, 1, 1, None).unwrap());
        let old = weak.hash_password(b"correct horse").unwrap().to_string();
        let right = passwords.check(secret(), Some(old)).await.unwrap();
        assert_eq!(right, Checked::Right { is_outdated: true });
    }

    #[tokio::test]
    async fn k8_where_there_is_no_hash_as_many_are_computed() {
        let passwords = Passwords::default();
        let secret = || Confidential::new("correct horse".to_owned());
        let hash = passwords.hash(secret()).await.unwrap().phc().to_owned();
        for of in [None, Some(hash), None] {
            let before = passwords.computed();
            let _ = passwords.check(secret(), of).await.unwrap();
            assert_eq!(passwords.computed() - before, 1);
        }
        assert_eq!(passwords.check(secret(), None).await.unwrap(), Checked::Wrong);
    }

    #[tokio::test]
    async fn k7_a_weak_password_costs_no_hash() {
        let passwords = Passwords::default();
        for (password, is_good) in [("password", false), ("correct horse", true)] {
            let (password, before) = (Confidential::new(password.to_owned()), passwords.computed());
            let accepted = passwords.accept(password, "olha@example.com", "olha").await;
            assert_eq!((accepted.is_ok(), passwords.computed() - before), (is_good, u64::from(is_good)));
        }
    }

    // Rules: K6.
    #[tokio::test(flavor = "multi_thread")]
    async fn k6_few_are_computed_at_once_and_few_wait() {
        let passwords = Passwords { turns: Arc::new(Semaphore::new(1)), ..Passwords::default() };
        let (release, held) = std::sync::mpsc::channel::<()>();
        let passwords = Arc::new(passwords);
        let begin = |of: &Arc<Passwords>, job: Box<dyn FnOnce() + Send>| {
            let of = Arc::clone(of);
            tokio::spawn(async move { of.in_turn(job).await })
        };
        let first = begin(&passwords, Box::new(move || held.recv().unwrap()));
        while passwords.turns.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let others: Vec<_> = (0..WAITING_MAX - 1).map(|_| begin(&passwords, Box::new(|| {}))).collect();
        while passwords.under_way.load(Ordering::Acquire) < WAITING_MAX {
            tokio::task::yield_now().await;
        }
        assert_eq!(passwords.in_turn(|| {}).await, Err(Problem::unavailable()));
        release.send(()).unwrap();
        for job in others.into_iter().chain([first]) {
            job.await.unwrap().unwrap();
        }
        assert_eq!(passwords.in_turn(|| 5).await, Ok(5));
    }
}
