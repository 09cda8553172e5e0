//! A journal of every version that was shipped opens in this one, verifies, and means what it meant.

use std::path::Path;

use promises::frozen;

#[test]
fn a_journal_of_every_shipped_version_still_opens_and_means_the_same() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("frozen");
    let mut seen = 0;
    for version in std::fs::read_dir(folder).expect("the frozen journals are in the repository") {
        let version = version.expect("readable").path();
        let meant = std::fs::read_to_string(version.join("meaning.json")).expect("its meaning lies beside it");
        let meant: serde_json::Value = serde_json::from_str(&meant).expect("JSON");
        assert_eq!(frozen::meaning(&version), meant, "{}", version.display());
        let outcomes: std::collections::BTreeSet<_> =
            meant["sweeps"].as_array().expect("sweeps").iter().map(|sweep| sweep["outcome"].to_string()).collect();
        assert!(outcomes.len() >= 4, "a frozen journal shows several endings: {outcomes:?}");
        seen += 1;
    }
    assert!(seen > 0, "there is at least one frozen journal");
}
