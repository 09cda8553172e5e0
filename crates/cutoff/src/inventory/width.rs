//! How wide scopes are, by plain rules that the user can read and change. It rates; it never decides.

/// A rating: how wide, and by which rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Width {
    /// 0: no scopes; 1: narrow; 2: wider; 3: wide.
    pub level: u8,
    /// The label of the rule that gave it; empty without scopes.
    pub rule: String,
    /// The scope that the rule matched; empty without scopes.
    pub scope: String,
}
