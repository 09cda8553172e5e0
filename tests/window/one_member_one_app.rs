//! Story 1: sign in by e-mail code, find the member, revoke the app, read the truth in a dialog.

use promises::stage::{Played, Scene, Setting};
use promises::stories::{self, Record};

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_revokes_one_app_of_one_member_by_mouse_and_is_still_signed_in_after_a_restart() -> Played {
    let scene = Scene::set(Setting::default()).await?;
    let app = scene.open().await?;
    let mut record = Record::strict();
    stories::one_member_one_app(&scene, &app, &mut record).await?;
    let codes = scene.codes(&scene.person("admin").email);
    scene.close(app).await?;
    let app = scene.open().await?;
    stories::remembers(&scene, &app, &mut record, codes).await
}
