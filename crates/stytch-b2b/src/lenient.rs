//! Reading a field that may be absent or null where a value is documented, and that is not the point of its answer.

use serde::{Deserialize, Deserializer};

/// Null reads as the type's default: an empty text or list, a no. Absence needs `#[serde(default)]` beside it.
pub(crate) fn or_default<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Default + Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}
