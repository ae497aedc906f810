//! Secrets that stay as long as the daemon runs: each on a page of its own, locked so that it never
//! reaches the swap, wiped before it is let go.

use std::fmt;

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
        let lock = lock(&page)
            .inspect_err(|error| {
                tracing::warn!(%error, "a key is on a page that could not be locked");
            })
            .ok();
        Self::filled(page, lock, fill)
    }

    fn filled(mut page: Box<Page<T>>, lock: Option<LockGuard>, fill: impl FnOnce(&mut T)) -> Self {
        fill(&mut page.0);
        Self { _lock: lock, page }
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
    fn it_is_not_shown() {
        let locked = Locked::or_unlocked([0_u8; 8], |key| key.fill(b'k'));
        assert_eq!(format!("{locked:?}"), "Locked(…)");
    }
}
