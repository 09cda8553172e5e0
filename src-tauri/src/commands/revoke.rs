//! The revoke. One path for all of it: `revoke_connected_app` is a sweep of one.

use std::sync::Arc;

use contract::refusal::Refusal;
use contract::revoke::{RevokePlan, RevokeReport, RevokeStep};
use cutoff::revoke::Ask;
use cutoff::sweep::{Observer, Step};
use cutoff::watch::ListedAgain;
use tauri::ipc::{Channel, JavaScriptChannelId};
use tauri::{Runtime, State, Webview};

use super::{Reply, sweeps};
use crate::{Shell, map};

/// What revoking this grant would be. It may read the grant, and changes nothing.
#[tauri::command(rename_all = "snake_case")]
pub async fn revoke_plan(shell: State<'_, Shell>, member_id: String, connected_app_id: String) -> Reply<RevokePlan> {
    let desk = shell.desk()?;
    let confirmation = desk.plan_revoke(&member_id, &connected_app_id).await.map_err(map::refusal)?;
    let session = desk.session().map_err(map::refusal)?;
    Ok(map::revoke_plan(confirmation, &session))
}

/// Revokes one member's connected app and tells what became of it.
///
/// The pair is the whole plan; `plan_hash`, when given, must be that of the plan that was shown. `progress` is a channel
/// for the steps.
#[tauri::command(rename_all = "snake_case")]
pub async fn revoke_connected_app<R: Runtime>(
    webview: Webview<R>,
    shell: State<'_, Shell>,
    member_id: String,
    connected_app_id: String,
    plan_hash: Option<String>,
    ask_anyway: Option<bool>,
    progress: Option<JavaScriptChannelId>,
) -> Reply<RevokeReport> {
    let desk = shell.desk()?;
    shell.sweeping.free()?;
    let ask = Ask { member_id, connected_app_id, plan_hash, ask_anyway: ask_anyway.unwrap_or(false) };
    let channel: Option<Channel<RevokeStep>> = progress.map(|id| id.channel_on(webview));
    let own = desk.observer();
    let observer: Observer = Arc::new(move |step| {
        own(step);
        if let (Some(channel), Some(step)) = (&channel, shown(step)) {
            // A page that is gone needs no progress.
            let _ = channel.send(step);
        }
    });
    let report = desk.revoke(&ask, Some(&observer)).await.map_err(map::refusal)?;
    told(&shell, &report).await
}

/// What was revoked one by one, what is unsettled first.
#[tauri::command(rename_all = "snake_case")]
pub async fn revoke_list(shell: State<'_, Shell>) -> Reply<Vec<RevokeReport>> {
    let desk = shell.desk()?;
    let digests = desk.digests().await.map_err(map::refusal)?;
    let mut reports: Vec<_> = digests.iter().filter_map(|digest| desk.single(digest)).collect();
    reports.sort_by_key(|report| !report.unsettled);
    let (mut told, again) = (Vec::with_capacity(reports.len()), sweeps::again(&shell).await?);
    for report in &reports {
        told.push(told_with(&shell, report, &again).await?);
    }
    Ok(told)
}

/// Reads again what is unsettled; with `send_again` repeats a request that was never answered.
#[tauri::command(rename_all = "snake_case")]
pub async fn revoke_settle(shell: State<'_, Shell>, sweep_id: String, send_again: bool) -> Reply<RevokeReport> {
    let id = sweep_id.parse().map_err(|_| Refusal::PlanChanged)?;
    shell.sweeping.free()?;
    let report = shell.desk()?.settle(id, send_again).await.map_err(map::refusal)?;
    told(&shell, &report).await
}

pub(super) async fn told(shell: &Shell, report: &cutoff::report::Report) -> Reply<RevokeReport> {
    told_with(shell, report, &sweeps::again(shell).await?).await
}

pub(super) async fn told_with(
    shell: &Shell,
    report: &cutoff::report::Report,
    again: &ListedAgain,
) -> Reply<RevokeReport> {
    let desk = shell.desk()?;
    let organization_name = desk.organization_name(&report.connection.organization_id).await;
    Ok(map::revoke_report(report, desk.session().ok().as_deref(), organization_name, again))
}

fn shown(step: Step) -> Option<RevokeStep> {
    match step {
        Step::IntentRecorded => Some(RevokeStep::Recorded),
        Step::Sending => Some(RevokeStep::Sent),
        Step::Answered => Some(RevokeStep::Answered),
        Step::Reading => Some(RevokeStep::ReadingAgain),
        Step::Waiting => Some(RevokeStep::Waiting),
        // A single revoke leaves the policy alone.
        Step::Opened
        | Step::AnswerRecorded
        | Step::Read
        | Step::ReadRecorded
        | Step::PolicyRead
        | Step::PolicyIntentRecorded
        | Step::PolicySending
        | Step::PolicyAnswered
        | Step::PolicyAnswerRecorded
        | Step::Closed => None,
    }
}
