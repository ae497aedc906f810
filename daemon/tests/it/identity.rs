//! Names, sessions, and who may be whom.

use ipc_protocol::error::ErrorCode;

use crate::harness::{House, code};

#[test]
fn a_live_name_cannot_be_claimed_with_the_secret() {
    let house = House::new();
    let _bob = house.register("bob");
    assert_eq!(code(house.try_register("bob")), ErrorCode::NameInUse);
    assert_eq!(code(house.try_register("BOB")), ErrorCode::NameInUse);
}
