//! The main job, shown without anybody looking: drives the real window through stories 1 to 3 and the inventory, and leaves a transcript with a
//! picture of each step, or through every screen for pictures alone. What is expected of the stories lies in the library.

#[cfg(target_os = "linux")]
mod linux {
    use std::path::{Path, PathBuf};
    use std::process::ExitCode;

    use clap::Parser;
    use promises::stage::{App, Key, Played, Scene, Setting, hook};
    use promises::stories::{self, Record, grant, row};
    use serde_json::json;

    /// Drives the real window of Cutoff on a display of its own.
    #[derive(Parser)]
    struct Arguments {
        /// Play stories 1 to 3 and that of the inventory, and leave transcript.json and a PNG of each step here.
        #[arg(long, value_name = "DIR", required_unless_present = "shots")]
        out: Option<PathBuf>,
        /// Leave pictures of every screen here, large and small, light and dark.
        #[arg(long, value_name = "DIR")]
        shots: Option<PathBuf>,
    }

    #[tokio::main]
    pub async fn main() -> ExitCode {
        let arguments = Arguments::parse();
        let mut well = true;
        if let Some(out) = arguments.out {
            well &= said(demo(&out).await);
        }
        if let Some(out) = arguments.shots {
            well &= said(shots(&out).await.map(|()| true));
        }
        if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    fn said(outcome: Played<bool>) -> bool {
        outcome.unwrap_or_else(|mishap| {
            eprintln!("{mishap}");
            false
        })
    }

    async fn demo(out: &Path) -> Played<bool> {
        std::fs::create_dir_all(out)?;
        // Pictures of an earlier run would stand beside those of this one.
        for entry in std::fs::read_dir(out)?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.ends_with(".png") && name.as_bytes().first().is_some_and(u8::is_ascii_digit) {
                std::fs::remove_file(entry.path())?;
            }
        }
        let mut record = Record::with_pictures(out);
        record.part("Story 1");
        if let Err(mishap) = story_one(&mut record).await {
            record.broke(&mishap);
        }
        record.part("Story 2");
        if let Err(mishap) = story_two(&mut record).await {
            record.broke(&mishap);
        }
        record.part("Story 3");
        if let Err(mishap) = story_three(&mut record).await {
            record.broke(&mishap);
        }
        record.part("Story inventory");
        if let Err(mishap) = story_inventory(&mut record).await {
            record.broke(&mishap);
        }
        let steps = record.steps();
        std::fs::write(out.join("transcript.json"), serde_json::to_string_pretty(steps)?)?;
        for (number, step) in (1..).zip(steps) {
            let mark = if step.ok { "ok   " } else { "WRONG" };
            println!(
                "{mark} {number:2}. {}\n          expected: {}\n          seen:     {}",
                step.step, step.expected, step.seen
            );
        }
        let wrong = steps.iter().filter(|step| !step.ok).count();
        println!("{} steps, {wrong} of them wrong; pictures and transcript.json in {}", steps.len(), out.display());
        Ok(wrong == 0)
    }

    async fn story_one(record: &mut Record) -> Played {
        let scene = Scene::set(Setting::default()).await?;
        let app = scene.open().await?;
        stories::one_member_one_app(&scene, &app, record).await?;
        let codes = scene.codes(&scene.person("admin").email);
        scene.close(app).await?;
        let app = scene.open().await?;
        stories::remembers(&scene, &app, record, codes).await
    }

    async fn story_two(record: &mut Record) -> Played {
        let scene = Scene::set(Setting::default()).await?;
        let app = scene.open().await?;
        stories::no_permission(&scene, &app, record).await
    }

    async fn story_three(record: &mut Record) -> Played {
        let scene = Scene::set(Setting::default()).await?;
        let app = scene.open().await?;
        stories::containment(&scene, &app, record).await.map(drop)
    }

    async fn story_inventory(record: &mut Record) -> Played {
        let scene = Scene::set(large(false)).await?;
        let app = scene.open().await?;
        stories::inventory(&scene, &app, record).await
    }

    /// Enough members and apps for an inventory in which something can be looked for.
    fn large(dark: bool) -> Setting {
        let mut setting = Setting { dark, ..Setting::default() };
        setting.sandbox.members = 400;
        setting.sandbox.apps = 60;
        setting
    }

    /// Pictures of the window in both sizes, under a name.
    struct Camera<'a> {
        out: &'a Path,
        scheme: &'a str,
    }

    impl Camera<'_> {
        async fn take(&self, app: &App, name: &str) -> Played {
            for (width, height) in [(900, 600), (1280, 800)] {
                app.resize(width, height).await?;
                app.painted().await?;
                let file = format!("{name}-{width}x{height}-{}.png", self.scheme);
                std::fs::write(self.out.join(file), app.picture().await?)?;
            }
            Ok(())
        }
    }

    async fn shots(out: &Path) -> Played {
        std::fs::create_dir_all(out)?;
        for dark in [false, true] {
            let camera = Camera { out, scheme: if dark { "dark" } else { "light" } };
            let mut setting = Setting { dark, ..Setting::default() };
            setting.sandbox.apps = 20;
            let mut scene = Scene::set(setting).await?;
            as_admin(&mut scene, &camera).await?;
            as_others(&camera, dark).await?;
            of_the_inventory(&camera, dark).await?;
            println!("{} pictures are in {}", camera.scheme, out.display());
        }
        Ok(())
    }

    async fn as_admin(scene: &mut Scene, camera: &Camera<'_>) -> Played {
        let app = scene.open_with(&[]).await?;
        let dark = app.script("return matchMedia('(prefers-color-scheme: dark)').matches", vec![]).await?;
        if dark != (camera.scheme == "dark") {
            return Err(promises::stage::Mishap::new(format!("the page does not follow the {} scheme", camera.scheme)));
        }
        camera.take(&app, "01-add-connection").await?;
        app.fill(&hook("public-token"), "public-token-test-nonsense").await?;
        app.click(&hook("save-connection")).await?;
        camera.take(&app, "02-bad-token").await?;
        app.kill().await?;
        let app = scene.open().await?;
        camera.take(&app, "03-sign-in").await?;
        let admin = scene.person("admin").email.clone();
        app.fill(&hook("email"), &admin).await?;
        app.click(&hook("send-code")).await?;
        let code = scene.code(&admin, 0).await?;
        app.see(&hook("code")).await?;
        camera.take(&app, "04-code").await?;
        app.fill(&hook("code"), &code).await?;
        app.click(&hook("check-code")).await?;
        app.see(&hook("step-organization")).await?;
        camera.take(&app, "05-organization").await?;
        app.click(&format!("{}[data-id=\"{}\"]", hook("organization"), scene.sandbox.card().organization_id)).await?;
        app.see(&format!("{} {}", hook("screen-apps"), hook("row"))).await?;
        camera.take(&app, "06-apps").await?;
        app.click(&format!("{} .pane [data-index=\"0\"]", hook("screen-apps"))).await?;
        app.see(&format!(".detail {}", hook("row"))).await?;
        camera.take(&app, "07-app-detail").await?;
        app.press(Key::Escape).await?;
        app.fill(&hook("filter"), "Everlasting").await?;
        app.see(&hook("matching")).await?;
        app.click(&format!("{} .pane [data-index=\"0\"]", hook("screen-apps"))).await?;
        app.see(&format!(".detail {}", hook("row"))).await?;
        camera.take(&app, "08-app-without-end").await?;
        app.click(&hook("account-menu")).await?;
        app.see(&hook("account")).await?;
        camera.take(&app, "09-account").await?;
        app.press(Key::Escape).await?;
        app.press(Key::Escape).await?;
        app.fill(&hook("filter"), "nothing like it").await?;
        app.see(&hook("empty")).await?;
        camera.take(&app, "10-no-match").await?;
        app.click(&hook("clear-filter")).await?;

        app.click(&hook("nav-members")).await?;
        app.see(&format!("{} {}", hook("screen-members"), hook("row"))).await?;
        camera.take(&app, "11-members").await?;
        let member = scene.person("reader").clone();
        stories::find_member(&app, &member.email, &member.member_id).await?;
        app.click(&row(&member.member_id)).await?;
        let id = stories::app_in_detail(&app, stories::APP).await?;
        camera.take(&app, "12-member-detail").await?;
        app.click(&grant(&id, "revoke")).await?;
        app.see("dialog[data-stage=\"confirm\"]").await?;
        camera.take(&app, "13-confirm").await?;
        scene.wire.hold(Some("/revoke"));
        app.click(&format!("dialog {}", hook("confirm"))).await?;
        app.see("dialog[data-stage=\"running\"] [data-step=\"sent\"][data-at=\"done\"]").await?;
        camera.take(&app, "14-running").await?;
        app.kill().await?;
        scene.wire.hold(None);
        let app = scene.open().await?;
        app.see(&hook("shell")).await?;
        camera.take(&app, "15-after-a-kill").await?;
        app.click(&hook("nav-activity")).await?;
        app.see(&format!("{} {}", hook("screen-activity"), hook("row"))).await?;
        camera.take(&app, "16-activity").await?;

        let member = scene.person("member").clone();
        stories::find_member(&app, &member.email, &member.member_id).await?;
        app.click(&row(&member.member_id)).await?;
        let id = stories::app_in_detail(&app, stories::APP).await?;
        app.click(&grant(&id, "revoke")).await?;
        app.click(&format!("dialog {}", hook("confirm"))).await?;
        app.see("dialog[data-stage=\"told\"]").await?;
        camera.take(&app, "17-revoked").await?;
        app.click(&format!("dialog {}", hook("close"))).await?;
        app.gone("dialog").await?;
        scene.faults(json!({"rate_limit_after": 0, "retry_after_s": 30, "rate_window_s": 3600})).await?;
        app.click(&format!(".detail {}", hook("detail-read-again"))).await?;
        app.click(&format!(".detail {}", hook("stale-details"))).await?;
        app.see("dialog[data-stage=\"told\"]").await?;
        camera.take(&app, "18-rate-limited").await?;
        app.press(Key::Escape).await?;
        scene.wire.cut().await;
        app.click(&format!(".detail {}", hook("detail-read-again"))).await?;
        app.see(".detail [data-refusal=\"offline\"]").await?;
        camera.take(&app, "19-offline").await?;
        app.kill().await
    }

    async fn of_the_inventory(camera: &Camera<'_>, dark: bool) -> Played {
        let mut scene = Scene::set(large(dark)).await?;
        let truth = scene.grants().await?;
        scene.faults(json!({"latency_ms": 1500})).await?;
        let app = scene.open().await?;
        stories::sign_in(&scene, &app, "admin").await?;
        let first = |screen: &str, name: &str| format!("{} .pane {}", hook(screen), hook(name));
        app.see(&first("screen-apps", "first-reading")).await?;
        camera.take(&app, "30-first-reading").await?;
        scene.faults(json!({"latency_ms": null})).await?;
        app.reads(&first("screen-apps", "summary"), "grants · read").await?;
        // Somebody lets an app act that they had not, and others let theirs do more.
        let pairs: std::collections::HashSet<_> =
            truth.iter().map(|one| (one.member_id.as_str(), one.connected_app_id.as_str())).collect();
        let newcomers = truth.iter().map(|one| (one.member_id.as_str(), truth[2].connected_app_id.as_str()));
        let newcomers: std::collections::BTreeSet<_> = newcomers.filter(|pair| !pairs.contains(pair)).collect();
        for (member, app) in newcomers.into_iter().take(7) {
            scene.consent(member, app, &["openid", "email", "offline_access"]).await?;
        }
        for one in truth.iter().filter(|one| one.scopes.len() == 3).step_by(40).take(4) {
            let wider: Vec<&str> = one.scopes.iter().map(String::as_str).chain(["contacts.write"]).collect();
            scene.consent(&one.member_id, &one.connected_app_id, &wider).await?;
        }
        app.click(&first("screen-apps", "read-again")).await?;
        app.see(&first("screen-apps", "changes")).await?;
        camera.take(&app, "31-apps-with-changes").await?;
        app.point(&format!("{} .pane .row[data-id^=\"group:\"]", hook("screen-apps"))).await?;
        app.see(&format!("{} {}", hook("detail-app"), hook("clients"))).await?;
        camera.take(&app, "32-group").await?;
        app.press(Key::Escape).await?;
        app.click(&first("screen-apps", "filter-menu")).await?;
        app.see(&hook("facet-look_alikes")).await?;
        camera.take(&app, "33-filter-menu").await?;
        app.click(&format!("{}[data-value=\"odd\"]", hook("facet-look_alikes"))).await?;
        app.press(Key::Escape).await?;
        app.see(&format!("{} .pane .row.flagged", hook("screen-apps"))).await?;
        camera.take(&app, "34-flagged").await?;
        app.click(&format!("{} .pane .row.flagged", hook("screen-apps"))).await?;
        app.see(&format!("{} {}", hook("detail-app"), hook("row"))).await?;
        camera.take(&app, "35-flagged-detail").await?;
        app.press(Key::Escape).await?;
        app.click(&first("screen-apps", "filter-clear-all")).await?;

        app.click(&hook("nav-members")).await?;
        app.see(&first("screen-members", "row")).await?;
        camera.take(&app, "36-members").await?;
        app.fill(&first("screen-members", "filter"), "contacts").await?;
        app.reads(&first("screen-members", "matching"), "of").await?;
        app.point(&first("screen-members", "select-all")).await?;
        app.point(&format!("{} .pane [data-index=\"1\"] {}", hook("screen-members"), hook("row-check"))).await?;
        app.reads(&first("screen-members", "selection-count"), "selected").await?;
        camera.take(&app, "37-members-selected").await?;
        app.point(&first("screen-members", "selection-clear")).await?;
        app.click(&first("screen-members", "filter")).await?;
        app.press(Key::Escape).await?;

        app.click(&hook("nav-map")).await?;
        app.reads(&first("screen-map", "map-extent"), "members").await?;
        camera.take(&app, "38-map").await?;
        for _ in 0..3 {
            app.click(&first("screen-map", "map-in")).await?;
        }
        camera.take(&app, "39-map-nearer").await?;
        let nearer = first("screen-map", "map-in");
        while app.shows(&format!("{nearer}:not(:disabled)")).await? {
            app.click(&nearer).await?;
        }
        app.click(&first("screen-map", "map")).await?;
        camera.take(&app, "40-map-near").await?;
        app.click(&format!("{} label:has({})", hook("screen-map"), hook("map-as-table"))).await?;
        app.see(&first("screen-map", "row")).await?;
        camera.take(&app, "41-map-table").await?;

        app.chord(Key::Control, 'k').await?;
        app.focused("palette").await?;
        app.keys("da").await?;
        app.see(&format!("{}[data-key^=\"app\"]", hook("found"))).await?;
        camera.take(&app, "42-palette").await?;
        app.press(Key::Escape).await?;
        app.click(&first("screen-map", "history")).await?;
        app.see(&format!("dialog {}", hook("row"))).await?;
        camera.take(&app, "43-history").await?;
        app.click(&format!("dialog {}", hook("close"))).await?;
        app.chord(Key::Control, 'k').await?;
        app.focused("palette").await?;
        app.keys("width").await?;
        app.see(&format!("{}[data-key=\"act-width\"][aria-selected=\"true\"]", hook("found"))).await?;
        app.press(Key::Enter).await?;
        app.see(&hook("rule")).await?;
        camera.take(&app, "44-width-rules").await?;
        app.click(&format!("dialog {}", hook("cancel"))).await?;

        app.click(&hook("nav-apps")).await?;
        let unlucky = truth[0].connected_app_id.clone();
        scene.faults(json!({"server_error_share": 1.0, "on": unlucky})).await?;
        app.click(&first("screen-apps", "read-again")).await?;
        app.see(&first("screen-apps", "partial")).await?;
        camera.take(&app, "45-partial").await?;
        app.click(&first("screen-apps", "partial-details")).await?;
        app.see(&hook("missing")).await?;
        camera.take(&app, "46-partial-details").await?;
        app.click(&format!("dialog {}", hook("close"))).await?;
        scene.faults(json!({"server_error_share": null, "on": unlucky})).await?;
        scene.faults(json!({"rate_limit_after": 5, "retry_after_s": 20, "rate_window_s": 20})).await?;
        app.click(&first("screen-apps", "read-again")).await?;
        app.see(&first("screen-apps", "waiting")).await?;
        camera.take(&app, "47-waiting").await?;
        app.kill().await?;
        scene.wire.cut().await;
        let app = scene.open().await?;
        app.see(&format!("{}[data-why=\"offline\"]", hook("banner-read-only"))).await?;
        app.see(&first("screen-apps", "row")).await?;
        camera.take(&app, "48-kept-offline").await?;
        app.click(&format!("{} .pane [data-index=\"0\"]", hook("screen-apps"))).await?;
        app.see(&format!(".detail {}", hook("row"))).await?;
        camera.take(&app, "49-kept-offline-detail").await?;
        app.kill().await
    }

    async fn as_others(camera: &Camera<'_>, dark: bool) -> Played {
        let setting = Setting { dark, keyring: promises::stage::Keyring::Missing, ..Setting::default() };
        let scene = Scene::set(setting).await?;
        let app = scene.open().await?;
        camera.take(&app, "20-sign-in-without-keyring").await?;
        stories::sign_in(&scene, &app, "reader").await?;
        let other = scene.person("member").clone();
        stories::find_member(&app, &other.email, &other.member_id).await?;
        app.click(&row(&other.member_id)).await?;
        let id = stories::app_in_detail(&app, stories::APP).await?;
        camera.take(&app, "21-reader-denied").await?;
        app.click(&grant(&id, "why-not")).await?;
        app.see("dialog[data-stage=\"told\"]").await?;
        camera.take(&app, "22-why-not").await?;
        app.click(&format!("dialog {}", hook("ask-anyway"))).await?;
        app.see("dialog[data-stage=\"confirm\"]").await?;
        camera.take(&app, "23-ask-anyway").await?;
        app.click(&format!("dialog {}", hook("confirm"))).await?;
        app.see("dialog[data-stage=\"told\"]").await?;
        camera.take(&app, "24-denied").await?;
        app.kill().await?;

        // What the reader has read is kept and shown; somebody else signs in instead.
        let app = scene.open().await?;
        app.click(&format!("{} {}", hook("banner-read-only"), hook("sign-in-again"))).await?;
        stories::sign_in(&scene, &app, "member").await?;
        app.see(&hook("refused")).await?;
        camera.take(&app, "25-plain-member").await?;
        scene.faults(json!({"session_dies_after": 0})).await?;
        app.click(&hook("nav-apps")).await?;
        app.click(&format!("{} {}", hook("screen-apps"), hook("read-again"))).await?;
        app.see("[data-refusal=\"signed_out\"]").await?;
        camera.take(&app, "26-session-ended").await?;
        scene.faults(json!({"session_dies_after": null, "bundle_id_refused": true})).await?;
        app.click(&hook("sign-in-again")).await?;
        app.fill(&hook("email"), &other.email).await?;
        app.click(&hook("send-code")).await?;
        app.see("dialog[data-refusal=\"bundle_id_not_registered\"]").await?;
        camera.take(&app, "27-not-registered").await?;
        app.kill().await
    }
}

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    linux::main()
}

#[cfg(not(target_os = "linux"))]
fn main() -> std::process::ExitCode {
    eprintln!(
        "The real window is driven on Linux only: WebKitWebDriver under Xvfb. Elsewhere, open the app on its sandbox."
    );
    std::process::ExitCode::FAILURE
}
