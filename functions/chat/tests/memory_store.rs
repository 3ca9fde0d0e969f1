//! The promises of every store, by the one in memory.

#[macro_use]
mod suite;

use chat::{MEMBERS_PER_ROOM, MemoryStore};
use proptest::prelude::proptest;

fn subject() -> (MemoryStore, usize) {
    (MemoryStore::default(), MEMBERS_PER_ROOM)
}

macro_rules! promise {
    ($case:ident) => {
        #[tokio::test]
        async fn $case() {
            let (store, most) = subject();
            suite::$case(&store, most).await;
        }
    };
}

all_promises!(promise);

proptest! {
    #[test]
    fn any_life_of_rooms_is_as_the_model_has_it(life in suite::random::life()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        // One environment is all that this store may have.
        runtime.block_on(suite::random::live(&[subject().0], "", &life));
    }
}
