//! Come-backs between the mind's words and the wire's. It moves facts and decides nothing.

use contract::come_backs as wire;
use cutoff::clock::rfc3339;
use cutoff::inventory::picture::Picture;
use cutoff::session::Session;
use cutoff::watch::{ComeBack, Kind};

use super::{contain, inventory};

pub(crate) fn come_back(back: &ComeBack, picture: &Picture, viewer: Option<&Session>) -> wire::ComeBack {
    let app = contain::app_by_id(Some(picture), &back.connected_app_id);
    let mut lost_app = contain::app_by_id(Some(picture), &back.lost_connected_app_id);
    if let Some(name) = &back.lost_app_name {
        // Under the name it was lost by, whatever it is called now.
        lost_app.name.clone_from(name);
    }
    wire::ComeBack {
        id: back.id.clone(),
        kind: match back.kind {
            Kind::SeenAgain => wire::ComeBackKind::SeenAgain,
            Kind::LookAlike => wire::ComeBackKind::LookAlike,
        },
        member: inventory::member_by_id(picture, &back.member_id, viewer),
        app,
        lost_app,
        gone_at: rfc3339(back.gone_at),
        seen_at: rfc3339(back.seen_at),
        sweep_id: back.sweep_id.to_string(),
    }
}
