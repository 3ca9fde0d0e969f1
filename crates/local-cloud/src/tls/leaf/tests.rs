//! When the next certificate is made.

use super::*;

struct Hands(Mutex<Timestamp>);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

#[test]
fn a_cloud_that_runs_for_long_shows_the_next_certificate_in_time() {
    let dir = tempfile::tempdir().unwrap();
    let began: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
    let clock = Arc::new(Hands(Mutex::new(began)));
    let authority = Authority::load_or_make(dir.path(), began).unwrap();
    let leaves = Leaves::new(authority, Arc::clone(&clock) as _).unwrap();
    let first = leaves.current();
    *clock.0.lock().unwrap() = began + SHOWN;
    assert!(Arc::ptr_eq(&leaves.current(), &first));
    *clock.0.lock().unwrap() = began + SHOWN + SignedDuration::from_secs(1);
    let next = leaves.current();
    assert!(!Arc::ptr_eq(&next, &first));
    let (_, parsed) = x509_parser::parse_x509_certificate(&next.cert[0]).unwrap();
    let ends = parsed.validity().not_after.timestamp();
    assert_eq!(ends, (began + SHOWN + LIFETIME).as_second() + 1);
}
