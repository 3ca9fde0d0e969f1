//! Values that single keys may have, where a type alone can't say it.

use serde_json::{Value, json};

/// The retention periods CloudWatch Logs accepts (service model), and "unset".
pub(super) const RETENTION_DAYS_OR_NULL: [Option<u16>; 23] = [
    None,
    Some(1),
    Some(3),
    Some(5),
    Some(7),
    Some(14),
    Some(30),
    Some(60),
    Some(90),
    Some(120),
    Some(150),
    Some(180),
    Some(365),
    Some(400),
    Some(545),
    Some(731),
    Some(1096),
    Some(1827),
    Some(2192),
    Some(2557),
    Some(2922),
    Some(3288),
    Some(3653),
];

/// What a function may be called in a stage file.
pub(super) fn function_names() -> Value {
    json!({ "pattern": "^[a-z][a-z0-9-]{0,39}$" })
}

/// What a route key may be.
pub(super) fn route_keys() -> Value {
    json!({ "minLength": 1, "maxLength": 128 })
}

/// What a secret may be called: as environment variables are.
pub(super) fn secret_names() -> Value {
    json!({ "pattern": "^[A-Za-z][A-Za-z0-9_]{0,99}$" })
}
