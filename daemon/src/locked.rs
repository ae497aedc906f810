//! Secrets in memory, locked so that they never reach the swap, and wiped before they are let go: those
//! that stay as long as the daemon runs each on a page of its own, the shared secret of a start where
//! it lies.

use std::fmt;
use std::ops::Deref;

use ipc_protocol::secret::SharedSecret;
use region::LockGuard;
use zeroize::Zeroize;

/// Bytes of a page. Where the system's pages are larger, all of one is locked.
const PAGE: usize = 4_096;

/// A page that shares its memory with nothing else.
#[repr(align(4096))]
struct Page<T>(T);

/// A value on a locked page.
pub(crate) struct Locked<T: Zeroize> {
    // Before the page: fields go in this order, and a page that is free must not be unlocked. What
    // is on it is wiped by `drop`, before either goes.
    _lock: Option<LockGuard>,
    page: Box<Page<T>>,
}

impl<T: Zeroize> Locked<T> {
    /// Puts `empty` on a page, locks it, and only then lets `fill` write the secret there.
    ///
    /// # Errors
    /// When the system locks no memory, by its limit for example.
    pub(crate) fn new(empty: T, fill: impl FnOnce(&mut T)) -> Result<Self, region::Error> {
        let page = Box::new(Page(empty));
        let lock = lock(&page)?;
        Ok(Self::filled(page, Some(lock), fill))
    }

    /// The same where the secret is needed, locked or not: the log tells which.
    pub(crate) fn or_unlocked(empty: T, fill: impl FnOnce(&mut T)) -> Self {
        let page = Box::new(Page(empty));
        let lock = told(lock(&page));
        Self::filled(page, lock, fill)
    }

    fn filled(mut page: Box<Page<T>>, lock: Option<LockGuard>, fill: impl FnOnce(&mut T)) -> Self {
        fill(&mut page.0);
        Self { _lock: lock, page }
    }

    /// Puts `value` in the place of the one that is there, which is wiped.
    pub(crate) fn replace(&mut self, value: T) {
        self.page.0.zeroize();
        self.page.0 = value;
    }

    /// The value.
    pub(crate) const fn expose(&self) -> &T {
        &self.page.0
    }
}

fn lock<T>(page: &Page<T>) -> Result<LockGuard, region::Error> {
    const { assert!(size_of::<Page<T>>() == PAGE, "one page holds it") };
    region::lock(std::ptr::from_ref(page), PAGE)
}

/// The lock, or a word in the log that there is none.
fn told(lock: Result<LockGuard, region::Error>) -> Option<LockGuard> {
    lock.inspect_err(|error| {
        tracing::warn!(%error, "a key is on a page that could not be locked");
    })
    .ok()
}

impl<T: Zeroize> Drop for Locked<T> {
    fn drop(&mut self) {
        self.page.0.zeroize();
    }
}

impl<T: Zeroize> fmt::Debug for Locked<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Locked(…)")
    }
}

/// The shared secret from when it is had until it has been compared, which may be after a long
/// migration. What it lies on is locked where it is: another copy would be one more. No two are kept
/// at once: locks on a page do not add up, and the first to go would take both.
pub struct KeptSecret {
    // Before the secret, as above.
    _lock: Option<LockGuard>,
    secret: SharedSecret,
}

impl KeptSecret {
    /// Locks what `secret` lies on.
    pub fn new(secret: SharedSecret) -> Self {
        let bytes = secret.expose();
        Self {
            _lock: told(region::lock(bytes.as_ptr(), bytes.len())),
            secret,
        }
    }
}

impl Deref for KeptSecret {
    type Target = SharedSecret;

    fn deref(&self) -> &SharedSecret {
        &self.secret
    }
}

impl fmt::Debug for KeptSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeptSecret(…)")
    }
}

impl Drop for KeptSecret {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Kilobytes of the mapping around `address` that are locked, as the kernel says.
    fn locked_kib(address: usize) -> u64 {
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let mut inside = false;
        for line in maps.lines() {
            let range = line.split(' ').next().unwrap();
            if let Some((from, to)) = range.split_once('-')
                && let (Ok(from), Ok(to)) = (
                    usize::from_str_radix(from, 16),
                    usize::from_str_radix(to, 16),
                )
            {
                inside = (from..to).contains(&address);
            }
            if inside && let Some(size) = line.strip_prefix("Locked:") {
                return size.trim().trim_end_matches(" kB").parse().unwrap();
            }
        }
        panic!("no mapping around {address:x}");
    }

    #[test]
    fn the_page_of_a_secret_is_locked_and_nothing_else_is_on_it() {
        let locked = Locked::new([0_u8; 64], |key| key.fill(7)).unwrap();
        assert_eq!(locked.expose(), &[7; 64]);
        let address = std::ptr::from_ref(locked.expose()).addr();
        assert_eq!(address % PAGE, 0);
        assert!(locked_kib(address) >= 4);
    }

    #[test]
    fn what_takes_the_place_of_a_key_is_on_the_same_locked_page() {
        let mut locked = Locked::new([1_u8; 64], |_| {}).unwrap();
        let address = std::ptr::from_ref(locked.expose()).addr();
        locked.replace([2; 64]);
        assert_eq!(std::ptr::from_ref(locked.expose()).addr(), address);
        assert_eq!(locked.expose(), &[2; 64]);
        assert!(locked_kib(address) >= 4);
    }

    #[test]
    fn a_secret_that_is_kept_for_a_start_is_locked_where_it_lies() {
        // Large, and so in a mapping of its own where no other test locks anything.
        let mut bytes = Vec::with_capacity(1 << 20);
        bytes.extend_from_slice(b"correct horse");
        let kept = KeptSecret::new(SharedSecret::new(bytes).unwrap());
        let address = kept.expose().as_ptr().addr();
        assert!(locked_kib(address) >= 4);
        assert_eq!(kept.expose(), b"correct horse");
        assert!(!format!("{kept:?}").contains("horse"));
    }

    #[test]
    fn it_is_not_shown() {
        let locked = Locked::or_unlocked([0_u8; 8], |key| key.fill(b'k'));
        assert_eq!(format!("{locked:?}"), "Locked(…)");
    }
}
