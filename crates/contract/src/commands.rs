//! The table of commands: what each takes and answers. `contract.d.ts` is generated from it, and a test compares it
//! with the handlers, the build script and the capability file.

use ts_rs::TS;

use crate::connections::{Connection, ConnectionDraft, Letter, SandboxOffer};
use crate::members::MemberApps;
use crate::refusal::Refusal;
use crate::revoke::{RevokePlan, RevokeReport, RevokeStep};
use crate::session::{Keeping, Session, SessionStatus, SignInStep};

/// One command: its name, its arguments as a TypeScript object type, and its reply's type.
#[derive(Clone, Debug)]
pub struct Command {
    /// The name, as invoked.
    pub name: &'static str,
    /// The arguments.
    pub args: &'static str,
    /// The reply.
    pub reply: &'static str,
}

/// Every command there is.
pub const COMMANDS: &[Command] = &[
    Command { name: "connection_list", args: "{}", reply: "Array<Connection>" },
    Command { name: "connection_add", args: "{ draft: ConnectionDraft }", reply: "Connection" },
    Command { name: "connection_remove", args: "{ connection_id: string }", reply: "null" },
    Command { name: "sandbox_start", args: "{}", reply: "SandboxOffer" },
    Command { name: "sandbox_inbox", args: "{}", reply: "Array<Letter>" },
    Command { name: "sign_in_send_code", args: "{ connection_id: string, email: string }", reply: "SignInStep" },
    Command { name: "sign_in_check_code", args: "{ code: string }", reply: "SignInStep" },
    Command { name: "sign_in_choose_organization", args: "{ organization_id: string }", reply: "SignInStep" },
    Command { name: "sign_in_cancel", args: "{}", reply: "null" },
    Command { name: "session_status", args: "{}", reply: "SessionStatus" },
    Command { name: "session_restore", args: "{}", reply: "SessionStatus" },
    Command { name: "session_extend", args: "{ minutes: number }", reply: "Session" },
    Command { name: "policy_read_again", args: "{}", reply: "Session" },
    Command { name: "sign_out", args: "{ even_if_unreachable: boolean }", reply: "null" },
    Command { name: "keyring_try_again", args: "{}", reply: "Keeping" },
    Command { name: "member_connected_apps", args: "{ member_id: string }", reply: "MemberApps" },
    Command { name: "inventory_status", args: "{}", reply: "InventoryStatus" },
    Command { name: "inventory_read", args: "{ progress?: unknown }", reply: "InventoryStatus" },
    Command { name: "inventory_cancel", args: "{}", reply: "null" },
    Command { name: "inventory_looked", args: "{}", reply: "InventoryStatus" },
    Command { name: "inventory_apps", args: "{ query: InventoryQuery }", reply: "AppRows" },
    Command { name: "inventory_members", args: "{ query: InventoryQuery }", reply: "MemberRows" },
    Command { name: "inventory_grants", args: "{ query: InventoryQuery }", reply: "GrantRows" },
    Command { name: "inventory_facets", args: "{}", reply: "Facets" },
    Command { name: "inventory_selection", args: "{ selection: Selection }", reply: "SelectionCount" },
    Command { name: "inventory_find", args: "{ text: string, count: number }", reply: "Array<PaletteHit>" },
    Command { name: "inventory_map", args: "{ query: MapQuery }", reply: "MapPicture" },
    Command { name: "inventory_copy", args: "{ what: ExportWhat }", reply: "Copied" },
    Command { name: "inventory_export", args: "{ what: ExportWhat }", reply: "Exported" },
    Command { name: "snapshot_list", args: "{}", reply: "Array<SnapshotRow>" },
    Command {
        name: "snapshot_changes",
        args: "{ from: number, to: number, query: InventoryQuery, kinds: Array<GrantChange> }",
        reply: "ChangeRows",
    },
    Command {
        name: "snapshot_changes_export",
        args: "{ from: number, to: number, query: InventoryQuery, kinds: Array<GrantChange>, format: ExportFormat }",
        reply: "Exported",
    },
    Command { name: "width_rules", args: "{}", reply: "WidthRules" },
    Command { name: "width_rules_set", args: "{ rules: WidthRules | null }", reply: "WidthRules" },
    Command { name: "revoke_plan", args: "{ member_id: string, connected_app_id: string }", reply: "RevokePlan" },
    Command {
        name: "revoke_connected_app",
        args: "{ member_id: string, connected_app_id: string, plan_hash?: string, ask_anyway?: boolean, progress?: unknown }",
        reply: "RevokeReport",
    },
    Command { name: "revoke_list", args: "{}", reply: "Array<RevokeReport>" },
    Command { name: "revoke_settle", args: "{ sweep_id: string, send_again: boolean }", reply: "RevokeReport" },
    Command {
        name: "plan_make",
        args: "{ what: PlanWhat, first_party: boolean, reason: string | null }",
        reply: "Plan",
    },
    Command {
        name: "plan_grants",
        args: "{ hash: string, part: PlanPart, offset: number, count: number }",
        reply: "PlanGrants",
    },
    Command {
        name: "plan_shares",
        args: "{ hash: string, noun: PlanNoun, offset: number, count: number }",
        reply: "PlanShares",
    },
    Command { name: "plan_save", args: "{ hash: string }", reply: "Exported" },
    Command { name: "plan_open", args: "{}", reply: "Plan | null" },
    Command {
        name: "sweep_start",
        args: "{ hash: string, typed: string, canary: boolean, ask_anyway: boolean, block_last?: boolean }",
        reply: "Sweep",
    },
    Command { name: "sweep_resume", args: "{ sweep_id: string }", reply: "Sweep" },
    Command { name: "sweep_wish", args: "{ sweep_id: string, wish: SweepWish }", reply: "null" },
    Command { name: "sweep_retry", args: "{ sweep_id: string }", reply: "Plan" },
    Command { name: "sweep_list", args: "{}", reply: "Array<Sweep>" },
    Command { name: "sweep_watch", args: "{ sweep_id: string, progress?: unknown }", reply: "Sweep" },
    Command { name: "sweep_grants", args: "{ sweep_id: string, query: SweepQuery }", reply: "SweepGrants" },
    Command {
        name: "sweep_pairs",
        args: "{ sweep_id: string, part: SweepPart, offset: number, count: number }",
        reply: "FacePairs",
    },
    Command { name: "contain_look", args: "{ what: ContainWhat, first_party: boolean }", reply: "ContainLook" },
    Command { name: "contain_rows", args: "{ look: string, query: ContainQuery }", reply: "ContainRows" },
    Command {
        name: "contain_make",
        args: "{ look: string, decisions: Array<ContainDecision>, reason: string | null }",
        reply: "Plan",
    },
    Command { name: "lift_look", args: "{ sweep_id: string }", reply: "LiftLook" },
    Command { name: "lift", args: "{ sweep_id: string, over_changes: boolean }", reply: "Lifted" },
    Command { name: "evidence_export", args: "{ sweep_id: string }", reply: "EvidencePack" },
    Command { name: "evidence_check", args: "{ head: string | null }", reply: "EvidenceCheck | null" },
    Command { name: "journal_status", args: "{}", reply: "JournalStatus" },
    Command { name: "erase_person", args: "{ member_id: string }", reply: "Erased" },
    Command { name: "come_back_list", args: "{ offset: number, count: number }", reply: "ComeBacks" },
    Command { name: "come_back_dismiss", args: "{ id: string }", reply: "null" },
    Command { name: "indicators_check", args: "{}", reply: "Finding | null" },
    Command {
        name: "indicators_rows",
        args: "{ finding: string, part: FindingPart, offset: number, count: number }",
        reply: "FindingRows",
    },
    Command { name: "indicators_export", args: "{ finding: string, reason: string | null }", reply: "EvidencePack" },
    Command { name: "window_notify", args: "{ title: string, body: string }", reply: "boolean" },
    Command { name: "window_notices", args: "{ notices: unknown, tray: TrayWords }", reply: "null" },
    Command { name: "window_close", args: "{}", reply: "null" },
];

/// The whole of `contract.d.ts`.
#[must_use]
pub fn typescript() -> String {
    let mut out = String::from(
        "// Generated by `cargo xtask contract` from crates/contract. Do not edit.\n\
         // The words between the page and the shell.\n\n",
    );
    let cfg = ts_rs::Config::default();
    macro_rules! declare {
        ($($ty:ty),* $(,)?) => {
            $(
                if let Some(docs) = <$ty as TS>::docs() { out.push_str(&docs); }
                out.push_str("export ");
                out.push_str(&<$ty as TS>::decl(&cfg));
                out.push_str("\n\n");
            )*
        };
    }
    declare!(
        crate::UnreadableRow,
        crate::connections::Environment,
        Connection,
        ConnectionDraft,
        crate::connections::SandboxPerson,
        SandboxOffer,
        Letter,
        Keeping,
        crate::session::SessionEnd,
        crate::session::Allowance,
        crate::session::Permissions,
        Session,
        SessionStatus,
        crate::session::OrganizationChoice,
        SignInStep,
        crate::connected_apps::AppFace,
        crate::members::MemberFace,
        crate::members::MemberGrant,
        MemberApps,
        crate::refusal::Problem,
        crate::refusal::Denial,
        crate::refusal::Field,
        crate::refusal::Fault,
        Refusal,
        crate::inventory::PictureSource,
        crate::inventory::NamesReading,
        crate::inventory::Missing,
        crate::inventory::ReadingProgress,
        crate::inventory::SnapshotMark,
        crate::inventory::ChangeCounts,
        crate::inventory::PictureFacts,
        crate::inventory::InventoryStatus,
        crate::inventory::LookAlikeKind,
        crate::inventory::GrantChange,
        crate::inventory::Filter,
        crate::inventory::SortKey,
        crate::inventory::InventoryQuery,
        crate::inventory::Noun,
        crate::inventory::FirstSeen,
        crate::inventory::Width,
        crate::inventory::Oddity,
        crate::inventory::AppRow,
        crate::inventory::MemberInventoryRow,
        crate::inventory::GrantRow,
        crate::inventory::AppRows,
        crate::inventory::MemberRows,
        crate::inventory::GrantRows,
        crate::inventory::Facet,
        crate::inventory::Facets,
        crate::inventory::Selection,
        crate::inventory::SelectionCount,
        crate::inventory::ExportFormat,
        crate::inventory::ExportWhat,
        crate::inventory::Exported,
        crate::inventory::Copied,
        crate::inventory::PaletteHit,
        crate::inventory::SnapshotRow,
        crate::inventory::ChangeRows,
        crate::inventory::WidthRule,
        crate::inventory::WidthRules,
        crate::inventory::MapQuery,
        crate::inventory::MapBand,
        crate::inventory::MapCell,
        crate::inventory::MapPicture,
        crate::revoke::Outcome,
        crate::revoke::Why,
        RevokeStep,
        RevokePlan,
        RevokeReport,
        crate::plans::PlanPair,
        crate::plans::PlanWhat,
        crate::plans::OpenedPlan,
        crate::plans::Plan,
        crate::plans::PlanPart,
        crate::plans::PlanGrants,
        crate::plans::PlanNoun,
        crate::plans::PlanShare,
        crate::plans::PlanShares,
        crate::contain::ContainWhat,
        crate::contain::AppKind,
        crate::contain::PolicyPart,
        crate::contain::PolicyDifference,
        crate::contain::ContainFate,
        crate::contain::FateCount,
        crate::contain::ContainLook,
        crate::contain::ContainQuery,
        crate::contain::ContainUnlisted,
        crate::contain::ContainRow,
        crate::contain::ContainRows,
        crate::contain::ContainChoice,
        crate::contain::ContainDecision,
        crate::contain::PlanBlock,
        crate::contain::SweepPolicy,
        crate::contain::SweepPart,
        crate::contain::FacePair,
        crate::contain::FacePairs,
        crate::contain::LiftWay,
        crate::contain::LiftLook,
        crate::contain::Lifted,
        crate::evidence::EvidencePack,
        crate::evidence::EvidenceSince,
        crate::evidence::EvidenceOutcome,
        crate::evidence::EvidenceFacts,
        crate::evidence::EvidenceBreak,
        crate::evidence::EvidenceVerdict,
        crate::evidence::EvidenceCheck,
        crate::evidence::Erased,
        crate::evidence::RolledBack,
        crate::evidence::JournalStatus,
        crate::come_backs::ComeBackKind,
        crate::come_backs::ComeBack,
        crate::come_backs::Watch,
        crate::come_backs::ComeBacks,
        crate::indicators::Finding,
        crate::indicators::IndicatorKind,
        crate::indicators::MatchedBy,
        crate::indicators::FindingRow,
        crate::indicators::FindingPart,
        crate::indicators::FindingRows,
        crate::sweeps::OutcomeCount,
        crate::sweeps::SweepState,
        crate::sweeps::SweepResume,
        crate::sweeps::Sweep,
        crate::sweeps::SweepProgress,
        crate::sweeps::SweepWish,
        crate::sweeps::SweepQuery,
        crate::sweeps::SweepGrants,
        crate::sweeps::WindowNotice,
        crate::sweeps::TrayWords,
    );
    out.push_str("/** Every command: what it takes and what it answers. A refused one rejects with a `Refusal`. */\nexport interface Commands {\n");
    for command in COMMANDS {
        out.push_str(&format!("  {}: {{ args: {}, reply: {} }};\n", command.name, command.args, command.reply));
    }
    out.push_str("}\n");
    out
}
