//! Which clients look alike, and which of them is odd. It flags; it never counts an odd one in by itself.

/// Several clients of one look and one type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Stays the same as long as the look and the type do.
    pub id: String,
    /// Indices of its apps, two or more, in the picture's order.
    pub apps: Vec<u32>,
}

/// Why an app is flagged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oddity {
    /// What is odd.
    pub kind: OddKind,
    /// What exactly.
    pub detail: String,
    /// Index of the group beside which it is odd.
    pub beside: Option<u32>,
}

/// What is odd about an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OddKind {
    /// A letter of another script that looks the same.
    Confusable,
    /// Characters that cannot be seen.
    Invisible,
    /// Characters that reorder the text.
    Bidi,
    /// The look of a group, and another client type.
    OtherType,
    /// The look and type of a group, and a scope that no other in it has and that is wider.
    WiderScopes,
}
