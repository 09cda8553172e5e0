// What a person does with the keyboard alone, with real key presses, and what the page must do then.

import assert from "node:assert/strict";

/** @typedef {import("playwright-core").Page} Page */

/** @param {Page} page @param {string} url @param {string} scene */
async function open(page, url, scene) {
  await page.goto(`${url}/?scene=${scene}`);
  await page.waitForFunction(() => document.documentElement.dataset.scene, null, { timeout: 15_000 });
  assert.equal(await page.evaluate(() => document.documentElement.dataset.scene), "ready");
}
/** @param {Page} page */
const focused = (page) => page.evaluate(() => /** @type {HTMLElement | null} */ (document.activeElement)?.dataset.test ?? document.activeElement?.tagName ?? "");
/** @param {Page} page @param {string} test */
const arrives = (page, test) => page.waitForFunction((wanted) => /** @type {HTMLElement | null} */ (document.activeElement)?.dataset.test === wanted, test, { timeout: 3000 });
/** @param {Page} page @param {string} command */
const called = (page, command) => page.evaluate((name) => /** @type {any} */ (window).gallery.calls.filter((/** @type {any} */ call) => call.name === name).map((/** @type {any} */ call) => call.args), command);

/** @type {Record<string, (page: Page, url: string) => Promise<void>>} */
export const keyboard = {
  "from the list to the confirmation takes two keys, and to the act four": async (page, url) => {
    await open(page, url, "members");
    await page.keyboard.type("ada");
    await page.waitForFunction(() => document.querySelector('[data-test="matching"]')?.textContent?.includes(" of "));
    await page.keyboard.press("ArrowDown");
    assert.equal(await focused(page), "rows");
    await page.keyboard.press("Enter");
    await arrives(page, "revoke");
    await page.keyboard.press("Enter");
    await arrives(page, "cancel");
    assert.deepEqual(await called(page, "revoke_connected_app"), [], "nothing is sent before the confirmation");
    await page.keyboard.press("Tab");
    await arrives(page, "confirm");
    await page.keyboard.press("Enter");
    await arrives(page, "close");
    assert.equal((await called(page, "revoke_connected_app")).length, 1);
    assert.equal(await page.locator("dialog").getAttribute("data-outcome"), "revoked");
    await page.keyboard.press("Enter");
    await arrives(page, "revoke");
  },
  "Enter held down never confirms": async (page, url) => {
    await open(page, url, "members");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.down("Enter");
    for (let n = 0; n < 30; n += 1) { await page.keyboard.down("Enter"); await page.waitForTimeout(15); }
    await page.keyboard.up("Enter");
    assert.deepEqual(await called(page, "revoke_connected_app"), []);
    assert.equal(await page.locator("dialog").count(), 0, "and opens no confirmation by itself");
  },
  "an app that the newest reading lists no more keeps nothing that could be taken for its state, in sight or out of it": async (page, url) => {
    for (const scene of ["apps-detail-hidden", "apps-detail-unlisted"]) {
      await open(page, url, scene);
      const hidden = scene === "apps-detail-hidden";
      const said = async () => {
        const detail = page.locator('[data-test="detail-app"]');
        const text = await detail.innerText();
        assert.doesNotMatch(text, /\d members?\b|at once|Revoke/, scene);
        assert.match(text, /not listed any more/);
        assert.match(await detail.locator('[data-fact="granted_by"]').innerText(), /not listed as of/);
        assert.match(await detail.locator('[data-fact="may_reconnect"]').innerText(), hidden ? /may not connect it again/ : /not known/i);
        assert.equal(await detail.locator('[data-test="contain"]').count(), hidden ? 0 : 1);
        assert.equal(await detail.locator('[data-test="revoke"], [data-test="revoke-all"]').count(), 0);
      };
      await said();
    }
    // Opened as it was, and read again while another screen is in sight.
    await open(page, url, "apps-vanishing");
    await page.locator('[data-test="revoke-all"]').waitFor();
    await page.locator('[data-test="nav-members"]').click();
    await page.locator('[data-test="screen-members"] [data-test="read-again"]').click();
    await page.waitForFunction(() => /** @type {any} */ (window).gallery.calls.some((/** @type {any} */ call) => call.name === "inventory_read"));
    await page.locator('[data-test="nav-apps"]').click();
    await page.locator('[data-test="detail-app"] [data-fact="unlisted"]').waitFor();
    assert.equal(await page.locator('[data-test="detail-app"] [data-test="revoke"], [data-test="revoke-all"]').count(), 0);
  },
  "that the policy hides what is gone is said of a containment only once it has been read again": async (page, url) => {
    await open(page, url, "sweep-contain-answered");
    assert.equal(await page.locator('[data-fact="accepted"]').count(), 0);
    await open(page, url, "sweep-contained-hidden");
    assert.match(await page.locator('[data-fact="accepted"]').innerText(), /no read can show/);
  },
  "a revoke of which only the intent is on record may have been sent, and had no answer": async (page, url) => {
    await open(page, url, "sweep-halted");
    await page.locator('[data-test="sweep-kind"][data-kind="unknown"]').click();
    const row = page.locator('[data-test="sweep"] [data-test="row"]').first();
    await row.locator("text=Unsettled").waitFor();
    assert.match(await row.innerText(), /may have been sent .*, not settled\s+no answer/);
    await open(page, url, "outcome-unknown_interrupted");
    assert.match(await page.locator("dialog").innerText(), /may have been sent, and carried out, or not/);
    await open(page, url, "outcome-unknown_garbled");
    assert.doesNotMatch(await page.locator("dialog").innerText(), /may have been sent/);
  },
  "two members of one name are told apart in a sweep and beside an app, and a member is named however opened": async (page, url) => {
    await open(page, url, "sweep-done");
    const [first] = await page.locator('[data-test="sweep"] [data-test="row"]').all();
    assert.match(await first?.innerText() ?? "", /Ada Moreau\s+ada\.moreau@acme\.test · /);
    await open(page, url, "apps-detail");
    assert.match(await page.locator('[data-test="detail-app"] [data-test="row"]').first().innerText(), /@acme\.test/);
    await open(page, url, "members-detail-by-id");
    assert.match(await page.locator('[data-test="detail-member"]').innerText(), /^\W*(?:Back.*\s+)?Ada Moreau[^]*ada\.moreau@acme\.test/);
  },
  "the tokens of answered revokes are told of although no read can show that anything is gone": async (page, url) => {
    await open(page, url, "sweep-none-gone");
    assert.match(await page.locator('[data-fact="tokens_until"]').innerText(), /may be accepted until about/);
  },
  "a sweep that stops for want of a role says which permission is missing and who holds it": async (page, url) => {
    await open(page, url, "sweep-halted-roles");
    const why = page.locator('[data-test="sweep"] [data-fact="why"]');
    assert.match(await why.innerText(), /roles .* do not allow .* Nothing more was sent/);
    assert.doesNotMatch(await why.innerText(), /session_authorization_error/);
    await page.locator('[data-test="sweep-denied"]').click();
    const dialog = page.locator("dialog");
    assert.match(await dialog.locator('[data-fact="missing"]').innerText(), /on stytch\.member/);
    assert.ok(await dialog.locator('[data-fact="roles_that_hold_it"]').isVisible());
    assert.doesNotMatch(await dialog.innerText(), /Nothing was (sent|changed)/);
    assert.ok(await dialog.locator('[data-test="copy-request"]').isVisible());
  },
  "a revoke that was never sent has no request id": async (page, url) => {
    await open(page, url, "sweep-running");
    await page.locator('[data-test="sweep-kind"][data-kind="unsent"]').click();
    const row = page.locator('[data-test="sweep"] [data-test="row"]').first();
    await row.locator("text=Not sent").waitFor();
    assert.match(await row.innerText(), /no request/);
    assert.doesNotMatch(await row.innerText(), /request-id/);
    // One that was sent and not answered is none that had no request.
    await open(page, url, "sweep-paused");
    await page.locator('[data-test="sweep-kind"][data-kind="unknown"]').click();
    await row.locator("text=Unsettled").waitFor();
    assert.match(await row.innerText(), /no answer/);
  },
  "a session that ends in the middle of a sweep is not said to have changed nothing, and the sweep stays one's own": async (page, url) => {
    await open(page, url, "sweep-session-dies");
    const dialog = page.locator("dialog");
    assert.match(await dialog.innerText(), /in the middle of a sweep: of 137 grants 54 were not sent/);
    assert.doesNotMatch(await dialog.innerText(), /Nothing was changed/);
    await dialog.locator('[data-test="close"]').click();
    const sweep = page.locator('[data-test="sweep"]');
    assert.doesNotMatch(await sweep.innerText(), /another organization/);
    assert.match(await sweep.innerText(), /by you/);
    assert.match(await page.locator('[data-test="session-left"]').innerText(), /ended/);
    await page.locator('[data-test="session-extend"]', { hasText: "Sign in" }).click();
    await page.locator('[data-test="sign-in"]').waitFor();
    assert.deepEqual(await called(page, "session_extend"), []);
    await open(page, url, "sweep-nobody");
    assert.match(await sweep.innerText(), /Nobody is signed in/);
    assert.doesNotMatch(await sweep.innerText(), /another organization/);
  },
  "a sweep that was cancelled says so, and what was not sent is revokes": async (page, url) => {
    await open(page, url, "sweep-cancelled");
    const sweep = page.locator('[data-test="sweep"]');
    assert.match(await sweep.locator('[data-test="sweep-now"]').innerText(), /^Cancelled/);
    assert.match(await sweep.locator('[data-fact="why"]').innerText(), /cancelled: the revokes of 54 grants were never sent/);
    await open(page, url, "sweep-cancel");
    assert.match(await page.locator("dialog").innerText(), /The revokes of \d+ grants were not sent yet/);
  },
  "Esc cancels the confirmation, and the focus is back on the row": async (page, url) => {
    await open(page, url, "confirm");
    await page.keyboard.press("Escape");
    await arrives(page, "revoke");
    assert.equal(await page.locator("dialog").count(), 0);
    assert.deepEqual(await called(page, "revoke_connected_app"), []);
  },
  "a plan is sent only after its number and organization are typed, and then once": async (page, url) => {
    await open(page, url, "plan-app");
    await arrives(page, "plan-typed");
    await page.keyboard.press("Enter");
    await page.keyboard.type("137 Acme");
    await page.keyboard.press("Enter");
    await page.waitForSelector('[data-test="wrong-typed"]:not([hidden])');
    assert.deepEqual(await called(page, "sweep_start"), [], "half of it is not enough");
    await page.keyboard.type(" robotics");
    await page.keyboard.press("Enter");
    await arrives(page, "sweep-title");
    const begun = await called(page, "sweep_start");
    assert.equal(begun.length, 1);
    assert.deepEqual([begun[0].typed, begun[0].canary, begun[0].ask_anyway], ["137 Acme robotics", false, false]);
  },
  "a plan that blocks does not ask to be preceded by a block": async (page, url) => {
    await open(page, url, "plan-opened-block");
    const said = await page.locator('form[data-test="plan"]').innerText();
    assert.match(said, /Before that, DataSync is forbidden/);
    assert.doesNotMatch(said, /again at once|if that must not be/);
    await open(page, url, "plan-app");
    assert.match(await page.locator('form[data-test="plan"]').innerText(), /again at once\. Block it first if that must not be/);
  },
  "what is saved has the reason that was typed": async (page, url) => {
    for (const [scene, field, make] of [["plan-app", "plan-reason", "plan_make"], ["contain", "contain-reason", "contain_make"]]) {
      await open(page, url, scene ?? "");
      await page.locator(`[data-test="${field}"]`).fill("SEC-114");
      await page.locator('[data-test="plan-save"]').click();
      await page.waitForSelector('[data-test="plan-saved"]:not([hidden])');
      assert.equal((await called(page, make ?? "")).at(-1).reason, "SEC-114", scene);
      const order = await page.evaluate(() => /** @type {any} */ (window).gallery.calls.map((/** @type {any} */ call) => call.name));
      assert.ok(order.lastIndexOf(make) < order.indexOf("plan_save"), "it was made with it before it was saved");
    }
  },
  "what roles lack is named, and where that is not known no sentence waits for it": async (page, url) => {
    for (const scene of ["lift-denied", "contain-denied", "plan-opened-block-denied"]) {
      await open(page, url, scene);
      assert.match(await page.locator('dialog [data-fact="block_denied"]').innerText(), /allowed: update\.settings\.allowed-connected-apps on stytch\.organization/, scene);
    }
    await open(page, url, "contain-denied-unknown");
    assert.match(await page.locator('dialog [data-fact="block_denied"]').innerText(), /which apps are allowed\. You can/);
  },
  "the check of a pack has the whole dialog, and a choice that is not taken looks empty in the dark": async (page, url) => {
    await open(page, url, "evidence-check");
    const [dialog, field] = await Promise.all(["dialog", '[data-test="check-head"]'].map((one) => page.locator(one).boundingBox()));
    assert.ok(dialog && field && field.width > dialog.width * 0.8 && field.x - dialog.x >= 16, JSON.stringify([dialog, field]));
    await page.emulateMedia({ colorScheme: "dark" });
    await open(page, url, "contain");
    const [taken, other] = await Promise.all(["contain-first", "contain-last"].map((one) => page.locator(`[data-test="${one}"]`).evaluate((node) => ({ drawn: getComputedStyle(node).appearance === "none", dot: getComputedStyle(node, "::before").visibility, colour: getComputedStyle(node).backgroundColor }))));
    assert.deepEqual([taken?.drawn, other?.drawn, taken?.dot, other?.dot], [true, true, "visible", "hidden"]);
    assert.notEqual(taken?.colour, other?.colour);
  },
  "of apps of one name a containment says which it is of, and that the others stay": async (page, url) => {
    await open(page, url, "contain-one-name");
    const dialog = page.locator('form[data-test="contain"]');
    for (const place of ["h2", '[data-fact="lead"]', '[data-test="confirm"]']) assert.match(await dialog.locator(place).innerText(), /DataSync \(?…[\w-]{8}/, place);
    assert.match(await dialog.locator('[data-fact="lead"]').innerText(), /1 grant is revoked/);
    assert.match(await dialog.locator('[data-fact="twins"]').innerText(), /2 other apps have this name and are not contained: …/);
    await dialog.locator('[data-test="contain-twins"]').click();
    await page.waitForFunction(() => /** @type {any} */ (window).gallery.calls.filter((/** @type {any} */ call) => call.name === "contain_look").length === 2);
    assert.equal((await called(page, "contain_look"))[1].what.connected_app_ids.length, 3);
    await open(page, url, "contain-one-name-asked");
    assert.match(await dialog.locator('[data-fact="twins"]').innerText(), /^Another app has this name/, "the one that is decided upon is told where it is decided");
    await open(page, url, "contain");
    assert.equal(await dialog.locator('[data-fact="twins"]').count(), 0);
    assert.doesNotMatch(await dialog.locator("h2").innerText(), /…/);
  },
  "what is typed is judged by the plan that it is compared with, and at once": async (page, url) => {
    const wrong = page.locator('[data-test="wrong-typed"]');
    await open(page, url, "contain-slow");
    await page.locator('[data-test="contain-typed"]').focus();
    await page.keyboard.type("158 Acme Robotics");
    await page.keyboard.press("Shift+Tab");
    assert.ok(await page.locator('[data-test="confirm"]').isDisabled(), "there is no plan yet");
    assert.ok(await wrong.isHidden(), "and nothing that it could differ from");
    await page.waitForSelector('[data-test="confirm"]:not([disabled])');
    assert.ok(await wrong.isHidden());
    // A number as the button has it is not the one that must be typed: that is said before Enter.
    await open(page, url, "plan-large");
    await page.locator('[data-test="plan-typed"]').fill("");
    await page.locator('[data-test="plan-typed"]').focus();
    await page.keyboard.type("10");
    assert.ok(await wrong.isHidden());
    await page.keyboard.type(",412 Acme Robotics");
    assert.ok(await wrong.isVisible());
    assert.ok(await page.locator('[data-test="confirm"]').isDisabled());
  },
  "Esc leaves a plan, sends nothing, and the focus is back where it came from": async (page, url) => {
    await open(page, url, "plan-app");
    await page.keyboard.press("Escape");
    await page.locator('[data-test="revoke-all"]').focus();
    await page.keyboard.press("Enter");
    await arrives(page, "plan-typed");
    await page.keyboard.press("Escape");
    await arrives(page, "revoke-all");
    assert.deepEqual(await called(page, "sweep_start"), []);
  },
  "the export of a comparison takes what is shown of it, and the keyboard stays on its button": async (page, url) => {
    await open(page, url, "history");
    await page.locator('[data-test="history-filter"]').fill("claude");
    // The chips are drawn anew with what the filter found: a person sees that before pressing one.
    await page.waitForFunction(() => /** @type {any} */ (window).gallery.calls.some((/** @type {any} */ call) => call.name === "snapshot_changes" && call.args.query.filter.text === "claude"));
    await page.waitForTimeout(300);
    await page.locator('[data-test="kind"][data-kind="new"]').press("Enter");
    await page.waitForFunction(() => document.activeElement?.getAttribute("aria-pressed") === "true");
    await page.locator('[data-test="history-export"]').press("Enter");
    await arrives(page, "export-csv");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.waitForSelector('[data-test="exported"]:not([hidden])');
    const shown = (await called(page, "snapshot_changes")).at(-1);
    const [took] = await called(page, "snapshot_changes_export");
    assert.deepEqual([took.format, took.from, took.to, took.kinds, took.query.filter], ["json", shown.from, shown.to, ["new"], { text: "claude" }]);
    await arrives(page, "history-export");
    // What is said of one comparison is not said of the next.
    await page.locator('[data-test="history-from"]').selectOption("5");
    await page.waitForSelector('[data-test="exported"]', { state: "hidden" });
  },
  "a reason makes another plan, which is the one that is sent": async (page, url) => {
    await open(page, url, "plan-typed");
    await page.locator('[data-test="plan-reason"]').fill("SEC-9");
    await page.locator('[data-test="plan-reason"]').press("Enter");
    await page.waitForFunction(() => /** @type {any} */ (window).gallery.calls.some((/** @type {any} */ call) => call.name === "sweep_start"));
    assert.deepEqual((await called(page, "plan_make")).map((args) => args.reason), [null, "SEC-9"]);
  },
  "the vendor's own apps are taken in with one key, and the keyboard stays there": async (page, url) => {
    await open(page, url, "plan-large");
    await page.locator('[data-test="plan-first-party"]').focus();
    await page.keyboard.press(" ");
    await page.waitForFunction(() => document.querySelector('[data-fact="first_party"]') !== null);
    assert.equal(await focused(page), "plan-first-party");
    assert.deepEqual((await called(page, "plan_make")).map((args) => args.first_party), [false, true]);
  },
  "a sweep is paused by keyboard; to cancel it takes a second word, which is not the first to be pressed": async (page, url) => {
    await open(page, url, "sweep-running");
    await page.locator('[data-test="sweep-cancel"]').focus();
    await page.keyboard.press("Enter");
    await arrives(page, "keep");
    await page.keyboard.press("Enter");
    await arrives(page, "sweep-cancel");
    assert.deepEqual(await called(page, "sweep_wish"), [], "the harmless answer was given");
    await page.keyboard.press("Shift+Tab");
    await arrives(page, "sweep-pause");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => /** @type {any} */ (window).gallery.calls.some((/** @type {any} */ call) => call.name === "sweep_wish"));
    assert.deepEqual(await called(page, "sweep_wish"), [{ sweep_id: "s1", wish: "pause" }]);
  },
  "Esc goes back from a sweep to the list, on its row": async (page, url) => {
    await open(page, url, "sweep-done");
    await page.keyboard.press("Escape");
    await page.waitForSelector('[data-test="screen-activity"]');
    await arrives(page, "rows");
  },
  "a containment waits for a decision about each flagged app, and is sent as decided": async (page, url) => {
    await open(page, url, "contain-decisions");
    await arrives(page, "decide-keep");
    assert.ok(await page.locator('[data-test="contain-typed"]').isDisabled(), "nothing can be typed before");
    await page.keyboard.press(" ");
    await page.keyboard.press("Tab");
    await page.keyboard.press(" ");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Tab");
    await page.keyboard.press(" ");
    await page.keyboard.press("ArrowLeft");
    assert.deepEqual(await called(page, "contain_make"), [], "one is still to be decided");
    await page.keyboard.press("Tab");
    await page.keyboard.press(" ");
    await page.waitForSelector('[data-test="contain-typed"]:not([disabled])');
    await page.waitForSelector('[data-fact="to_type"]');
    const wanted = await page.locator('[data-fact="to_type"]').textContent();
    await page.locator('[data-test="contain-typed"]').focus();
    await page.keyboard.type("158 Acme Robotics");
    await page.keyboard.press("Enter");
    await page.waitForSelector('[data-test="wrong-typed"]:not([hidden])');
    assert.deepEqual(await called(page, "sweep_start"), [], "the count without what was decided is not enough");
    await page.locator('[data-test="contain-typed"]').fill(wanted ?? "");
    await page.keyboard.press("Enter");
    await arrives(page, "sweep-title");
    const [made] = (await called(page, "contain_make")).slice(-1);
    assert.deepEqual(made.decisions.map((/** @type {any} */ one) => one.choice), ["keep", "block", "leave_out", "keep"]);
    const begun = await called(page, "sweep_start");
    assert.equal(begun.length, 1);
    assert.deepEqual([begun[0].block_last, begun[0].ask_anyway], [false, false]);
  },
  "what is not decided can be kept at once, and the keyboard goes where one types": async (page, url) => {
    await open(page, url, "contain-decisions");
    await page.locator('[data-test="contain-keep-rest"]').focus();
    await page.keyboard.press("Enter");
    await arrives(page, "contain-typed");
    await page.waitForFunction(() => /** @type {any} */ (window).gallery.calls.some((/** @type {any} */ call) => call.name === "contain_make"));
    assert.deepEqual((await called(page, "contain_make"))[0].decisions.map((/** @type {any} */ one) => one.choice), ["keep", "keep", "keep", "keep"]);
  },
  "the other order is asked for with an arrow key, and goes along": async (page, url) => {
    await open(page, url, "contain");
    await page.locator('[data-test="contain-first"]').focus();
    await page.keyboard.press("ArrowDown");
    await page.locator('[data-test="contain-typed"]').fill("158 Acme Robotics");
    await page.keyboard.press("Enter");
    await arrives(page, "sweep-title");
    assert.equal((await called(page, "sweep_start"))[0].block_last, true);
  },
  "a containment counts and names every app that it forbids, those included that keep their grants": async (page, url) => {
    await open(page, url, "contain-left-out");
    await page.locator('[data-fact="to_type"]').waitFor();
    assert.match(await page.locator('[data-test="confirm"]').innerText(), /^Block 3 apps and revoke /);
    assert.match(await page.locator('[data-fact="lead"]').innerText(), /^3 apps are forbidden/);
    const which = await page.locator('[data-fact="which"]').innerText();
    assert.match(which, /DataSync \(158 grants\)/);
    assert.equal(which.split("), ").length, 3);
    assert.match(which, /\(its grants stay\)/);
    assert.match(await page.locator('form[data-test="contain"]').innerText(), /4 grants of administrators go first/);
    assert.ok(await page.locator('[data-test="contain-part-blocked"]').isChecked(), "what is forbidden is what is shown first");
    assert.equal(await page.locator('[data-test="contain-rows"] [data-index]').count(), 3);
    await page.locator('label:has([data-test="contain-part-members"])').click();
    await page.locator('[data-test="contain-rows"]', { hasText: /loses 1 of \d+ apps/ }).waitFor();
  },
  "what a containment would do to the policy moves with each decision, and each flag says why": async (page, url) => {
    await open(page, url, "contain-decisions");
    const policy = page.locator('[data-test="contain-policy"]');
    assert.match(await policy.innerText(), /only the 43 apps on a list/);
    assert.match(await policy.innerText(), /4 apps that are still to be decided/);
    assert.match(await page.locator('[data-test="contain-decide"]').innerText(), /Cyrillic/);
    assert.match(await page.locator('[data-test="contain-decide"] p').innerText(), /forbidden: with “Block too” its grants are revoked as well, with “Leave off the list” they stay/);
    await page.locator('label:has([data-test="decide-leave_out"])').first().click();
    assert.match(await policy.innerText(), /only the 42 apps on a list/);
    assert.match(await policy.innerText(), /3 apps that are still to be decided/);
    await page.locator('[data-test="contain-keep-rest"]').click();
    await page.locator('[data-fact="policy_open"]').waitFor({ state: "detached" });
  },
  "Esc leaves a containment, sends nothing, and the focus is back where it came from": async (page, url) => {
    await open(page, url, "contain");
    await page.keyboard.press("Escape");
    await page.locator('[data-test="contain"]').focus();
    await page.keyboard.press("Enter");
    await arrives(page, "contain-typed");
    await page.keyboard.press("Escape");
    await arrives(page, "contain");
    assert.deepEqual(await called(page, "sweep_start"), []);
  },
  "who may not change the policy goes on to the revoke without it": async (page, url) => {
    await open(page, url, "contain-denied");
    await page.locator('[data-test="contain-without"]').focus();
    await page.keyboard.press("Enter");
    await arrives(page, "plan-typed");
    assert.deepEqual((await called(page, "plan_make"))[0].what.kind, "app");
  },
  "the open app is contained from the palette": async (page, url) => {
    await open(page, url, "apps-detail");
    await page.keyboard.press("Control+k");
    await page.keyboard.type("contain data");
    await page.waitForSelector('[data-key="act-contain"]');
    await page.keyboard.press("Enter");
    await arrives(page, "contain-typed");
    assert.equal((await called(page, "contain_look"))[0].what.kind, "apps");
  },
  "lifting a block names the apps that become free, also those that no list has, and counts them on the button": async (page, url) => {
    await open(page, url, "lift-several");
    const dialog = page.locator("dialog");
    assert.match(await dialog.innerText(), /Lift the block of 3 apps/);
    assert.match(await dialog.innerText(), /consent again at once to DataSync, Claude and 1 more app\./);
    assert.match(await dialog.locator('[data-test="lift-go"]').innerText(), /^Lift the block of 3 apps in /);
    await open(page, url, "lift-changed-several");
    assert.match(await dialog.locator('[data-fact="changes"]').innerText(), /DataSync/);
    assert.match(await dialog.innerText(), /consent again at once to DataSync\./);
    assert.match(await dialog.locator('[data-test="lift-go"]').innerText(), /block of 1 app in/);
    await open(page, url, "lift");
    assert.match(await dialog.locator("h2").innerText(), /Lift the block of DataSync/);
  },
  "the head of a column is read whole, with the arrow of the sort, in every width": async (page, url) => {
    const cut = [];
    for (const scene of ["apps", "apps-detail", "members", "members-detail"]) {
      await open(page, url, scene);
      for (const width of [1280, 1000, 900, 720]) {
        await page.setViewportSize({ width, height: 800 });
        for (const by of await page.locator(".columns .sort:visible").all()) {
          await by.evaluate((node) => node.classList.add("sorted", "down"));
          if (await by.evaluate((node) => node.scrollWidth > node.clientWidth)) cut.push(`${scene}, ${width}: ${await by.innerText()}`);
          await by.evaluate((node) => node.classList.remove("sorted", "down"));
        }
      }
    }
    assert.deepEqual(cut, []);
  },
  "a plan for one member speaks of one member": async (page, url) => {
    await open(page, url, "plan-member");
    const said = await page.locator('[data-test="plan"]').innerText();
    assert.match(said, /1 member loses 4 grants to 4 apps/);
    assert.doesNotMatch(said, /these members|connect the app again/);
  },
  "only the head that proves the whole pack is called the head to keep": async (page, url) => {
    await open(page, url, "sweep-done");
    assert.match(await page.locator('[data-fact="head"]').innerText(), /^Head of the rows/);
    await open(page, url, "evidence-exported");
    assert.match(await page.locator("dialog").innerText(), /Head to keep/);
  },
  "what a running sweep says of itself adds up: its head, its bar and its legend": async (page, url) => {
    await open(page, url, "sweep-running");
    await page.locator('[data-fact="answered_since"]').waitFor();
    const shown = async (/** @type {string} */ at) => Object.fromEntries((await page.locator(at).allInnerTexts()).map((one) => /** @type {[string, number]} */ ([one.replace(/ [\d,]+$/, ""), Number(one.match(/[\d,]+$/)?.[0].replace(",", ""))])));
    const legend = await shown('.kind');
    assert.match(await page.locator('[data-test="sweep-now"]').innerText(), /91 of 137 answered/);
    // 80 revoked and 1 failed were judged; 10 more were answered since, the 2 on their way among them.
    assert.deepEqual(legend, { Revoked: 80, Failed: 1, "Not sent": 46, "Answered, not yet read": 10 });
    const bar = await page.locator('[data-test="sweep-bar"]').getAttribute("aria-label");
    assert.match(bar ?? "", /Revoked 80, Failed 1, Answered, not yet read 10, Not sent 46/);
    await open(page, url, "sweep-paused");
    const of = await page.locator(".kind i").evaluateAll((all) => all.map((one) => getComputedStyle(one).background));
    assert.equal(new Set(of).size, of.length, "no two kinds look alike");
  },
  "a sweep that blocks is called a containment, and told apart from one that does not": async (page, url) => {
    await open(page, url, "sweep-contained");
    assert.match(await page.locator('[data-test="sweep-title"]').innerText(), /^Containment of DataSync: 137 members/);
    await open(page, url, "lift-several");
    assert.match(await page.locator('[data-test="sweep-title"]').innerText(), /^Containment of 3 apps: 169 grants, 168 members/);
    await open(page, url, "sweep-done");
    assert.match(await page.locator('[data-test="sweep-title"]').innerText(), /^DataSync for 137 members/);
  },
  "a block is lifted by a second word, which is not the first to be pressed": async (page, url) => {
    await open(page, url, "sweep-contained");
    await page.locator('[data-test="sweep-lift"]').focus();
    await page.keyboard.press("Enter");
    await arrives(page, "cancel");
    await page.keyboard.press("Enter");
    await arrives(page, "sweep-lift");
    assert.deepEqual(await called(page, "lift"), [], "the harmless answer was given");
    await page.keyboard.press("Enter");
    await arrives(page, "cancel");
    await page.keyboard.press("Tab");
    await arrives(page, "lift-go");
    await page.keyboard.press("Enter");
    await arrives(page, "close");
    assert.deepEqual(await called(page, "lift"), [{ sweep_id: "s1", over_changes: false }]);
  },
  "a pack is checked without a head, and the verdict has the keyboard": async (page, url) => {
    await open(page, url, "evidence-check");
    await arrives(page, "check-head");
    await page.keyboard.type("abc");
    await page.keyboard.press("Enter");
    await page.waitForSelector('[data-test="wrong-head"]:not([hidden])');
    assert.deepEqual(await called(page, "evidence_check"), []);
    await page.locator('[data-test="check-head"]').fill("");
    await page.keyboard.press("Enter");
    await arrives(page, "close");
    assert.deepEqual(await called(page, "evidence_check"), [{ head: null }]);
    assert.match(await page.locator("dialog").innerText(), /proves neither author, nor truth, nor completeness/);
  },
  "what came back is told to the system without a member's name, and dismissed by keyboard": async (page, url) => {
    await open(page, url, "come-back-told");
    await page.waitForFunction(() => /** @type {any} */ (window).gallery.calls.some((/** @type {any} */ call) => call.name === "window_notify"));
    const [told] = await called(page, "window_notify");
    assert.equal(told.body, "DataSync came back for 3 members.");
    await page.locator('[data-test="come-back-dismiss"]').focus();
    await page.keyboard.press("Enter");
    await page.waitForSelector('[data-test="banner-come-back"]', { state: "detached" });
    assert.deepEqual((await called(page, "come_back_dismiss")).map((args) => args.id), ["come-back-0", "come-back-1", "come-back-2"]);
  },
  "a look-alike is not told as a grant that came back": async (page, url) => {
    await open(page, url, "come-back-several");
    const banner = page.locator('[data-test="banner-come-back"]');
    assert.match(await banner.innerText(), /DataSync came back for 2 members\. .+ connected .+, which looks like .+ that was revoked\./);
    assert.equal(await page.locator('[data-test="come-back-again"]').innerText(), "Revoke 3…", "one of them was never revoked");
    await open(page, url, "come-back-look-alike");
    assert.doesNotMatch(await banner.innerText(), /came back/);
  },
  "a session that ended in passing takes nothing back of what was done": async (page, url) => {
    await open(page, url, "apps");
    await page.evaluate(() => {
      const core = /** @type {any} */ (window).__TAURI__.core;
      const real = core.invoke;
      core.invoke = (/** @type {string} */ name, /** @type {any} */ args) => (name === "session_status" ? Promise.resolve({ state: "signed_out", ended: null, kept: null, keeping: "keyring" }) : real(name, args));
      window.dispatchEvent(new Event("focus"));
    });
    await page.locator("dialog[open]").waitFor();
    assert.match(await page.locator("dialog").innerText(), /What was done before stays done/);
  },
  "grants of the contained app that the plan lacks are told beside what is gone": async (page, url) => {
    await open(page, url, "sweep-beside");
    assert.match(await page.locator('[data-fact="beside"]').innerText(), /2 grants of its apps are not in the plan and were still listed/);
    assert.equal((await called(page, "sweep_pairs"))[0].part, "beside");
    assert.match(await page.locator("dialog").innerText(), /Nothing was sent for them: they stay/);
  },
  "whoever reads again has looked for what came back, and the line about the watch says so": async (page, url) => {
    await open(page, url, "apps");
    const before = (await called(page, "come_back_list")).length;
    await page.locator('[data-test="read-again"]').click();
    await page.waitForFunction((/** @type {number} */ before) => /** @type {any} */ (window).gallery.calls.filter((/** @type {any} */ call) => call.name === "come_back_list").length > before, before);
  },
  "a server that answers no more is told of while a sweep runs": async (page, url) => {
    await open(page, url, "sweep-running");
    const silence = page.locator('[data-fact="silence"]');
    assert.equal(await silence.innerText(), "");
    await page.evaluate(() => { const real = Date.now; Date.now = () => real() + 40_000; });
    await page.waitForFunction(() => document.querySelector('[data-fact="silence"]')?.textContent?.includes("no answer for 4"));
    await open(page, url, "sweep-between-reads");
    await page.evaluate(() => { const real = Date.now; Date.now = () => real() + 40_000; });
    await page.waitForTimeout(1_300);
    assert.doesNotMatch(await page.locator('[data-test="sweep-now"]').innerText(), /no answer/, "nobody owes one between two reads");
  },
  "a list of containments tells what became of each one's block": async (page, url) => {
    await open(page, url, "activity-blocks");
    assert.deepEqual(await page.locator('[data-fact="block"]').allInnerTexts(), ["Blocked", "Not blocked", "Block lifted"]);
  },
  "what is asked before closing is answered harmlessly by Enter": async (page, url) => {
    await open(page, url, "frame-closing");
    await arrives(page, "keep");
    await page.keyboard.press("Enter");
    assert.equal(await page.locator("dialog").count(), 0);
    assert.deepEqual(await called(page, "window_close"), []);
  },
  "a running revoke cannot be dismissed": async (page, url) => {
    await open(page, url, "running");
    for (let n = 0; n < 4; n += 1) await page.keyboard.press("Escape");
    assert.equal(await page.locator("dialog[open]").getAttribute("data-stage"), "running");
  },
  "Tab stays inside an open dialog": async (page, url) => {
    await open(page, url, "outcome-denied");
    for (let n = 0; n < 8; n += 1) {
      await page.keyboard.press("Tab");
      const inside = await page.evaluate(() => document.activeElement === document.body || document.querySelector("dialog")?.contains(document.activeElement));
      assert.ok(inside, "the focus left the dialog");
    }
  },
  "arrows, Page Down, Home and End move through ten thousand members": async (page, url) => {
    await open(page, url, "members-ten-thousand");
    await page.locator('[data-test="rows"]').first().focus();
    await page.keyboard.press("End");
    const last = page.locator('[data-test="row"].here');
    await last.waitFor();
    assert.equal(await last.getAttribute("aria-rowindex"), "10001", "the row of the heads is the first");
    assert.equal(await page.locator('[data-test="rows"]').first().getAttribute("aria-rowcount"), "10001");
    await page.keyboard.press("Home");
    await page.waitForFunction(() => document.querySelector('[data-test="row"].here')?.getAttribute("aria-rowindex") === "2");
    await page.keyboard.press("PageDown");
    await page.keyboard.press("ArrowUp");
    const place = Number(await page.locator('[data-test="row"].here').getAttribute("aria-rowindex"));
    assert.ok(place > 5 && place < 30, `a page further, not at ${place}`);
    const active = await page.locator('[data-test="rows"]').first().getAttribute("aria-activedescendant");
    assert.equal(active, await page.locator('[data-test="row"].here').getAttribute("id"));
    assert.ok((await page.locator('[data-test="row"]').count()) < 60, "only the rows in sight are there");
  },
  // How quick it is depends on the machine, so no time is asserted: what makes it quick is.
  "scrolling through ten thousand members holds few rows and asks only for what is seen": async (page, url) => {
    await open(page, url, "members-ten-thousand");
    const before = (await called(page, "inventory_members")).length;
    const most = await page.evaluate(async () => {
      const list = /** @type {HTMLElement} */ (document.querySelector('[data-test="rows"]'));
      list.scrollTop = 0;
      let most = 0;
      for (let n = 0; n < 120; n += 1) {
        list.scrollTop += 4000;
        await new Promise(requestAnimationFrame);
        most = Math.max(most, document.querySelectorAll('[data-test="row"]').length);
      }
      return most;
    });
    assert.ok(most < 60, `${most} rows were in the page at once`);
    const asked = (await called(page, "inventory_members")).length - before;
    assert.ok(asked < 100, `asked ${asked} times for 100 windows scrolled past`);
  },
  "a late answer to an earlier filter is dropped": async (page, url) => {
    await open(page, url, "members");
    await page.evaluate(() => {
      const core = /** @type {any} */ (window).__TAURI__.core;
      const real = core.invoke;
      core.invoke = async (/** @type {string} */ name, /** @type {any} */ args) => {
        const reply = await real(name, args);
        if (name === "inventory_members" && args.query.filter.text === "a") await new Promise((done) => setTimeout(done, 600));
        return reply;
      };
    });
    await page.keyboard.type("a");
    await page.waitForTimeout(200);
    await page.keyboard.type("da");
    await page.waitForTimeout(900);
    const names = await page.locator('[data-test="row"] .top').allTextContents();
    assert.ok(names.length > 0 && names.every((one) => /ada/i.test(one)), `rows of "ada", not ${names.slice(0, 3)}`);
  },
  "/ goes to the filter, Esc in the detail goes back to the list": async (page, url) => {
    await open(page, url, "members-detail");
    await arrives(page, "revoke");
    await page.keyboard.press("/");
    assert.equal(await focused(page), "filter");
    await page.locator('[data-test="revoke"]').first().focus();
    await page.keyboard.press("Escape");
    assert.equal(await focused(page), "rows");
  },
  "arrows move between the revoke buttons of a detail, and Tab leaves it in one step": async (page, url) => {
    await open(page, url, "apps-detail");
    await arrives(page, "revoke");
    const first = await page.evaluate(() => document.activeElement?.getAttribute("aria-label"));
    await page.keyboard.press("ArrowDown");
    const second = await page.evaluate(() => document.activeElement?.getAttribute("aria-label"));
    assert.notEqual(first, second);
    assert.equal(await focused(page), "revoke");
    const stops = await page.locator('[data-test="revoke"][tabindex="0"]').count();
    assert.equal(stops, 1);
  },
  "a refused field is told beside it, and the focus is in it": async (page, url) => {
    await open(page, url, "sign-in-bad-email");
    assert.equal(await focused(page), "email");
    const field = page.locator('[data-test="email"]');
    assert.equal(await field.getAttribute("aria-invalid"), "true");
    const described = (await field.getAttribute("aria-describedby"))?.split(" ") ?? [];
    const wrong = await page.locator('[data-test="wrong-email"]').getAttribute("id");
    assert.ok(described.includes(wrong ?? ""));
  },
  "an unknown host is sent again only after it was confirmed": async (page, url) => {
    await open(page, url, "sign-in-unknown-host");
    assert.deepEqual((await called(page, "connection_add")).map((/** @type {any} */ one) => one.draft.host_confirmed), [false]);
    await page.locator('[data-test="unknown-host-confirm"]').click();
    await page.locator('[data-test="step-email"]').waitFor();
    assert.deepEqual((await called(page, "connection_add")).map((/** @type {any} */ one) => one.draft.host_confirmed), [false, true]);
  },
  "a code pasted with spaces arrives as six digits": async (page, url) => {
    await open(page, url, "sign-in-code");
    await page.evaluate(() => {
      const field = /** @type {HTMLInputElement} */ (document.activeElement);
      field.value = " 48 15-16 ";
      field.dispatchEvent(new Event("input", { bubbles: true }));
    });
    await page.keyboard.press("Enter");
    await page.locator('[data-test="shell"]').waitFor();
    assert.deepEqual((await called(page, "sign_in_check_code"))[0], { code: "481516" });
  },
  "a denial said in advance sends no revoke": async (page, url) => {
    await open(page, url, "reader-why");
    assert.deepEqual(await called(page, "revoke_connected_app"), []);
    assert.ok(await page.locator('[data-test="revoke"]').first().isDisabled());
    await page.locator('[data-test="ask-anyway"]').click();
    await page.locator('[data-test="confirm"]').waitFor();
    assert.deepEqual(await called(page, "revoke_connected_app"), [], "asking anyway is confirmed like any revoke");
    await page.locator('[data-test="confirm"]').click();
    await page.locator('[data-test="close"]').waitFor();
    assert.equal((await called(page, "revoke_connected_app"))[0].ask_anyway, true);
  },
  "after the session ended, signing in as the same member goes on with the same revoke": async (page, url) => {
    await open(page, url, "refusal-signed_out");
    await page.evaluate(() => {
      const core = /** @type {any} */ (window).__TAURI__.core;
      const real = core.invoke;
      core.invoke = (/** @type {string} */ name, /** @type {any} */ args) => (name === "session_status" ? Promise.resolve({ state: "signed_out", ended: null, kept: null, keeping: "keyring" }) : real(name, args));
    });
    await page.locator('[data-test="sign-in-again"]').click();
    await page.locator('[data-test="banner-resume"]').waitFor();
    assert.equal(await page.locator('[data-test="email"]').inputValue(), "nora@acme.test");
    await page.locator('[data-test="send-code"]').click();
    await page.locator('[data-test="code"]').fill("123456");
    await page.locator('[data-test="check-code"]').click();
    await page.locator('[data-test="confirm"]').waitFor();
    assert.equal((await called(page, "revoke_connected_app")).length, 1, "it is shown again, not sent again");
  },
  "what is copied is the whole request id": async (page, url) => {
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await open(page, url, "outcome-revoked");
    await page.locator('[data-fact="request_id"] [data-test="copy"]').click();
    await page.waitForFunction(() => document.querySelector('[data-fact="request_id"] [data-test="copy"]')?.textContent === "Copied");
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "request-id-test-b05c992f-ebdc-489d-a754-c7e70ba13141");
  },
  "sending again asks for a confirmation first, and that sentence stands on its button": async (page, url) => {
    await open(page, url, "confirm-send-again");
    await arrives(page, "cancel");
    assert.deepEqual(await called(page, "revoke_settle"), []);
    await page.keyboard.press("Tab");
    await arrives(page, "confirm");
    assert.equal(await page.locator('[data-test="confirm"]').innerText(), "If still listed, revoke 1 grant in Acme Robotics");
    await page.keyboard.press("Enter");
    await arrives(page, "close");
    assert.deepEqual((await called(page, "revoke_settle")).map((/** @type {any} */ one) => one.send_again), [true]);
    assert.deepEqual(await called(page, "revoke_connected_app"), [], "the same sweep goes on, and no second one begins");
  },
  "beside one grant of a sweep of many nothing is offered that would be done to all of them": async (page, url) => {
    await open(page, url, "activity-one-of-many");
    assert.equal(await page.locator('[data-test="row"]').count(), 2, "each grant has its own row");
    const pane = page.locator("dialog");
    await pane.locator('[data-fact="answered_at"], [data-test="why"], h2').first().waitFor();
    assert.equal(await pane.locator('[data-test="settle"], [data-test="send-again"]').count(), 0);
  },
  "what was done in another organization is told there, and nothing is offered here": async (page, url) => {
    await open(page, url, "activity-elsewhere");
    assert.equal(await page.locator('[data-test="nav-activity"] small').innerText(), "");
    await page.locator('[data-test="nav-apps"]').click();
    await page.locator('[data-test="screen-apps"] [data-test="row"]').first().waitFor();
    assert.equal(await page.locator('[data-test="banner-unsettled"]').count(), 0);
    await page.locator('[data-test="nav-activity"]').click();
    const row = page.locator('[data-test="row"]', { hasText: "Northwind Traders" });
    assert.match(await row.innerText(), /Northwind Traders\s*LIVE/);
    await row.click();
    await page.locator("dialog[data-outcome]").waitFor();
    assert.match(await page.locator('[data-fact="elsewhere"]').last().innerText(), /Sign in there/);
    const acts = await page.locator("dialog menu button").evaluateAll((all) => all.map((one) => one.getAttribute("data-test")));
    assert.deepEqual(acts, ["copy-record", "close"]);
  },
  "each step of a running revoke is said inside the dialog, where it can be heard": async (page, url) => {
    await open(page, url, "running-sent");
    await page.waitForFunction(() => document.querySelector("dialog[open] > [role=status]")?.textContent === "Request sent");
    assert.equal(await page.locator("#announce").textContent(), "");
    assert.equal(await page.locator('[aria-current="step"]').getAttribute("data-step"), "answered");
    assert.deepEqual(await page.locator("[data-step] > i").allTextContents(), ["✓", "✓", "▸", "○"]);
  },
  "the button that Enter presses is described by what the dialog says": async (page, url) => {
    await open(page, url, "outcome-still_there");
    const heard = await page.evaluate(() => (document.activeElement?.getAttribute("aria-describedby") ?? "").split(" ").map((id) => document.getElementById(id)?.textContent).join(" "));
    assert.match(heard, /Still listed after the revoke .*DataSync for Ada Moreau/);
  },
  "a plain member comes to their own apps, and finds no list that will never fill": async (page, url) => {
    await open(page, url, "plain-member");
    await arrives(page, "revoke");
    assert.equal(await page.locator('[data-test="filter"]').isVisible(), false);
    assert.equal(await page.locator('[data-test="own-apps"]').isVisible(), false);
    assert.equal(await page.locator('.pane [data-test="refused"]').getAttribute("role"), "alert");
    await page.keyboard.press("Escape");
    await arrives(page, "own-apps");
    await page.keyboard.press("Enter");
    await arrives(page, "revoke");
  },
  "a session about to end is said, and one press extends it": async (page, url) => {
    await open(page, url, "frame-live-soon");
    await page.waitForFunction(() => document.getElementById("announce")?.textContent?.includes("Unless it is extended"));
    await page.locator('[data-test="session-extend-now"]').click();
    await page.locator('[data-test="banner-ending"]').waitFor({ state: "detached" });
    assert.deepEqual(await called(page, "session_extend"), [{ minutes: 60 }]);
  },
  "a denial by the server can be asked again, after a confirmation": async (page, url) => {
    await open(page, url, "outcome-denied");
    await page.locator('[data-test="ask-anyway"]').click();
    await page.locator('[data-test="confirm"]').waitFor();
    assert.equal((await called(page, "revoke_connected_app")).length, 1, "it is asked once so far");
  },
  "the record that is copied has every fact, and a name cannot add a line to it": async (page, url) => {
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await open(page, url, "outcome-revoked_confirmed");
    await page.locator('[data-test="copy-record"]').click();
    await page.waitForTimeout(100);
    const text = await page.evaluate(() => navigator.clipboard.readText());
    for (const part of ["Revoked: gone, and confirmed (revoked)", "Acme Robotics TEST", "Ada Moreau <ada.moreau@acme.test> member-test-", "DataSync connected-app-test-", "contacts.read contacts.write offline_access", "request-id-test-b05c992f", "5b1f".repeat(16)]) assert.ok(text.includes(part), `${part} is in: ${text}`);
    for (const when of ["Sent", "Answered", "Gone", "Confirmed"]) assert.match(text, new RegExp(`^${when}: +\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$`, "m"));
    assert.ok(text.endsWith("This text proves nothing by itself; the journal does."));
    await open(page, url, "outcome-revoked_hostile");
    await page.locator('[data-test="copy-record"]').click();
    await page.waitForTimeout(100);
    const lines = (await page.evaluate(() => navigator.clipboard.readText())).split("\n");
    assert.equal(lines.length, text.split("\n").length);
  },
  "the request for access names what is missing": async (page, url) => {
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await open(page, url, "outcome-denied");
    await page.locator('[data-test="copy-request"]').click();
    await page.waitForTimeout(100);
    const text = await page.evaluate(() => navigator.clipboard.readText());
    for (const part of ["revoke.connected-app on stytch.member", "stytch_admin, security_responder", "app_reader", "request-id-test-b05c992f", "DataSync", "Ada Moreau", "Acme Robotics"]) assert.ok(text.includes(part), `${part} is in: ${text}`);
  },
  "the palette opens from anywhere, finds by a few letters, opens what is chosen, and Esc gives the focus back": async (page, url) => {
    await open(page, url, "members-detail");
    await arrives(page, "revoke");
    await page.keyboard.press("Control+k");
    await arrives(page, "palette");
    await page.keyboard.press("Escape");
    await arrives(page, "revoke");
    await page.keyboard.press("Control+k");
    await arrives(page, "palette");
    await page.keyboard.type("bo sato");
    await page.waitForFunction(() => document.querySelector("[data-test=found]")?.textContent?.includes("Bo Sato"));
    const active = await page.locator('[data-test="palette"]').getAttribute("aria-activedescendant");
    assert.equal(await page.locator(`#${active}`).getAttribute("aria-selected"), "true");
    await page.keyboard.press("Enter");
    await page.locator('[data-test="detail-member"] h2', { hasText: "Bo Sato" }).waitFor();
    assert.equal(await page.locator("dialog").count(), 0);
    await page.keyboard.press("Control+k");
    await page.keyboard.type("map");
    await page.waitForFunction(() => document.querySelector("[data-test=found][aria-selected=true]")?.getAttribute("data-key") === "go-map");
    await page.keyboard.press("Enter");
    await page.locator('[data-test="screen-map"]').waitFor();
  },
  "an act that cannot be done now says why in the palette, and Enter does nothing": async (page, url) => {
    await open(page, url, "kept-signed-out");
    await page.keyboard.press("Control+k");
    await page.keyboard.type("read again");
    await page.locator('[data-key="act-read"][aria-disabled="true"]', { hasText: "Nobody is signed in" }).waitFor();
    await page.keyboard.press("Enter");
    await page.waitForTimeout(150);
    assert.equal(await page.locator("dialog").count(), 1);
    assert.deepEqual(await called(page, "inventory_read"), []);
  },
  "Space selects, and what is selected survives sorting, filtering and reading again": async (page, url) => {
    await open(page, url, "apps");
    await page.keyboard.press("ArrowDown");
    assert.equal(await focused(page), "rows");
    await page.keyboard.press("Space");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Space");
    const count = page.locator('[data-test="selection-count"]');
    await page.waitForFunction(() => document.querySelector("[data-test=selection-count]")?.textContent?.startsWith("2 apps"));
    const before = await count.innerText();
    const ids = await page.locator('[data-test="row"][aria-selected="true"]').evaluateAll((all) => all.map((one) => one.getAttribute("data-id")).sort());
    assert.equal(ids.length, 2);
    await page.locator('[data-test="sort-name"]').click();
    await page.locator('[data-test="filter"]').fill("a");
    await page.waitForFunction(() => document.querySelector("[data-test=matching]")?.textContent?.includes(" of "));
    await page.locator('[data-test="read-again"]').click();
    await page.waitForTimeout(300);
    assert.equal(await count.innerText(), before);
    await page.locator('[data-test="filter"]').fill("");
    await page.waitForFunction(() => document.querySelectorAll("[data-test=row][aria-selected=true]").length === 2);
    assert.deepEqual(await page.locator('[data-test="row"][aria-selected="true"]').evaluateAll((all) => all.map((one) => one.getAttribute("data-id")).sort()), ids);
    const rules = (await called(page, "inventory_selection")).map((/** @type {any} */ one) => one.selection);
    assert.ok(rules.every((/** @type {any} */ rule) => rule.all === false && rule.ids.length <= 2), "a rule, never a list of all");
  },
  "all that match is one rule; a row that is let go becomes its exception; another filter shows which rows it means": async (page, url) => {
    await open(page, url, "apps-selected-all");
    const last = (await called(page, "inventory_selection")).at(-1).selection;
    assert.equal(last.all, true);
    assert.deepEqual(last.filter, { text: "third" });
    assert.equal(last.ids.length, 1);
    const first = page.locator('[data-test="row"]', { hasText: "Acme CLI" });
    assert.equal(await first.getAttribute("aria-selected"), "false", "what does not match the rule's filter is not selected");
    await page.locator('[data-test="rows"]').focus();
    await page.keyboard.press("Control+a");
    await page.waitForFunction(() => [...document.querySelectorAll("[data-test=row]")].every((row) => row.getAttribute("aria-selected") === "true"));
    assert.deepEqual((await called(page, "inventory_selection")).at(-1).selection.filter, { text: "o" });
    await page.locator('[data-test="selection-clear"]').click();
    assert.equal(await page.locator('[data-test="selection"]').isVisible(), false);
    assert.equal(await focused(page), "rows");
  },
  "a head sorts by Enter, says how, and turns around when pressed again": async (page, url) => {
    await open(page, url, "apps");
    const cell = page.locator('[role="columnheader"]', { has: page.locator('[data-test="sort-name"]') });
    await page.locator('[data-test="sort-name"]').focus();
    await page.keyboard.press("Enter");
    assert.equal(await cell.getAttribute("aria-sort"), "ascending");
    assert.equal(await page.locator('[aria-sort]').count(), 1);
    await page.keyboard.press("Enter");
    assert.equal(await cell.getAttribute("aria-sort"), "descending");
    const queries = (await called(page, "inventory_apps")).map((/** @type {any} */ one) => [one.query.sort, one.query.descending]);
    assert.deepEqual(queries.slice(-2), [["name", false], ["name", true]]);
  },
  "the filter is chosen by keyboard, holds on every screen, and a chip takes it away": async (page, url) => {
    await open(page, url, "apps");
    await page.keyboard.press("Tab");
    assert.equal(await focused(page), "filter-menu");
    await page.keyboard.press("Enter");
    await arrives(page, "facet-client_types");
    await page.keyboard.press("Space");
    await page.keyboard.press("Escape");
    await arrives(page, "filter-menu");
    await page.locator('[data-test="chip"]', { hasText: "Third-party" }).waitFor();
    assert.equal(await page.locator('[data-test="screen-apps"]').count(), 1);
    for (const [nav, command] of [["nav-members", "inventory_members"], ["nav-map", "inventory_map"]]) {
      await page.locator(`[data-test="${nav}"]`).click();
      await page.waitForTimeout(250);
      assert.deepEqual((await called(page, command ?? "")).at(-1).query.filter, { client_types: ["third_party"] });
      assert.equal(await page.locator('[data-test="chip"]:visible').count(), 1);
    }
    await page.locator('[data-test="chip"]:visible').focus();
    await page.keyboard.press("Enter");
    await arrives(page, "filter");
    await page.waitForTimeout(200);
    assert.deepEqual((await called(page, "inventory_map")).at(-1).query.filter, {});
  },
  "the map is walked by arrows, tells each cell, comes nearer by plus, and Esc shows everything again": async (page, url) => {
    await open(page, url, "map-large");
    const told = page.locator('[data-test="map-told"]');
    await page.locator('[data-test="map"]').focus();
    await page.keyboard.press("ArrowRight");
    await page.waitForFunction(() => /×.*: /.test(document.querySelector("[data-test=map-told]")?.textContent ?? ""));
    const first = await told.innerText();
    await page.waitForFunction((said) => document.getElementById("announce")?.textContent === said, first);
    await page.keyboard.press("ArrowRight");
    await page.waitForFunction((said) => document.querySelector("[data-test=map-told]")?.textContent !== said, first);
    const whole = await page.locator('[data-test="map-extent"]').innerText();
    for (let n = 0; n < 12; n += 1) await page.keyboard.press("+");
    await page.waitForFunction((said) => document.querySelector("[data-test=map-extent]")?.textContent !== said, whole);
    await page.waitForTimeout(300);
    const asked = (await called(page, "inventory_map")).at(-1).query;
    assert.ok(asked.columns > 0 && asked.columns < 100 && asked.rows < 30, `only what is in sight is asked for, not ${asked.rows} × ${asked.columns}`);
    assert.equal(await page.locator(".map-top .column").count() > 5, true, "names stand above when they can be read");
    await page.keyboard.press("Escape");
    await page.waitForFunction((said) => document.querySelector("[data-test=map-extent]")?.textContent === said, whole);
  },
  "an app and a member can be filtered by, found by typing, and their chips have their names": async (page, url) => {
    await open(page, url, "apps");
    await page.locator('[data-test="filter-menu"]').click();
    await page.locator('[data-test="facet-search-apps"]').fill("datasync");
    await page.waitForFunction(() => document.querySelectorAll("[data-test=facet-apps]").length < 5);
    const app = page.locator('[data-test="facet-apps"]').first();
    const id = await app.getAttribute("data-value");
    await app.focus();
    await page.keyboard.press("Space");
    await page.locator('[data-test="facet-members"]').first().check();
    await page.keyboard.press("Escape");
    await page.waitForFunction(() => document.querySelectorAll("[data-test=chip]").length === 2);
    assert.match(await page.locator('[data-test="chip"][data-key="apps"]').innerText(), /DataSync/);
    assert.doesNotMatch(await page.locator('[data-test="chip"][data-key="members"]').innerText(), /one member/);
    await page.waitForFunction((one) => /** @type {any} */ (window).gallery.calls.some((/** @type {any} */ call) => call.name === "inventory_apps" && call.args.query.filter.apps?.[0] === one && call.args.query.filter.members?.length === 1), id);
  },
  "the map comes as near as one cell of one app and one member": async (page, url) => {
    await open(page, url, "map-large");
    const nearer = page.locator('[data-test="map-in"]');
    for (let step = 0; step < 30 && (await nearer.isEnabled()); step += 1) await nearer.click();
    await page.waitForFunction(() => /^1 of \d.* × 1 of \d/.test(document.querySelector("[data-test=map-extent]")?.textContent ?? ""));
    const asked = (await called(page, "inventory_map")).at(-1).query;
    assert.deepEqual([asked.rows, asked.columns], [1, 1]);
  },
  "Enter on one cell of the map opens that grant, with the keyboard on its Revoke": async (page, url) => {
    await open(page, url, "map");
    await page.locator('[data-test="map"]').focus();
    let said = "";
    for (let n = 0; n < 40 && !/between|before/.test(said); n += 1) {
      await page.keyboard.press("ArrowRight");
      await page.waitForTimeout(60);
      said = await page.locator('[data-test="map-told"]').innerText();
    }
    assert.match(said, /^.+ × .+: .+ · .+by rule/);
    await page.keyboard.press("Enter");
    await page.locator('[data-test="detail-member"]').waitFor();
    await arrives(page, "revoke");
    const who = said.split(" × ")[1]?.split(":")[0] ?? "?";
    const label = await page.evaluate(() => document.activeElement?.getAttribute("aria-label"));
    assert.equal(label, `Revoke ${said.split(" × ")[0]} for ${who}`);
  },
  "the map's facts are a table too, with every row counted": async (page, url) => {
    await open(page, url, "map-table");
    const grid = page.locator('[data-test="screen-map"] [role="grid"]');
    const rows = Number(await grid.getAttribute("aria-rowcount"));
    const summary = await page.locator('[data-test="summary"]').innerText();
    assert.equal(`${(rows - 1).toLocaleString("en-GB")} grants`, summary.split(" · ")[0]);
    assert.ok((await page.locator('[data-test="row"]').count()) < 60);
  },
  "what was kept becomes live where it stands, and the keyboard stays where it is": async (page, url) => {
    // The shell answers when it is let to, however busy the machine is.
    await page.addInitScript(() => { /** @type {any} */ (window).held = true; });
    await page.goto(`${url}/?scene=kept-live`);
    const row = page.locator('[data-test="row"]').first();
    await row.waitFor();
    assert.equal(await page.locator('[data-test="banner-read-only"]').count(), 1);
    assert.equal(await page.locator('[data-test="read-again"]').isDisabled(), true);
    const before = await row.boundingBox();
    await page.evaluate(() => { /** @type {any} */ (window).held = false; });
    await page.locator('[data-test="account-menu"]').waitFor();
    await page.waitForTimeout(150);
    assert.deepEqual(await row.boundingBox(), before, "nothing on screen has moved");
    assert.equal(await page.locator('[data-test="banner-read-only"]').count(), 0);
    assert.equal(await focused(page), "filter");
  },
  "with nobody signed in nothing can be revoked, and it says why": async (page, url) => {
    await open(page, url, "kept-offline");
    assert.equal(await page.locator('[data-test="revoke"]:enabled').count(), 0);
    assert.match(await page.locator('[data-test="denied-reason"]').innerText(), /cannot be reached/);
    await page.locator('[data-test="session-restore"]').click();
    await page.locator('[data-test="account-menu"]').waitFor();
    await page.waitForFunction(() => document.querySelectorAll("[data-test=revoke]:enabled").length > 0);
  },
  "after signing out nothing is shown but the sign-in": async (page, url) => {
    await open(page, url, "frame-account");
    await page.evaluate(() => {
      const core = /** @type {any} */ (window).__TAURI__.core;
      const real = core.invoke;
      core.invoke = (/** @type {string} */ name, /** @type {any} */ args) => (name === "session_status" ? Promise.resolve({ state: "signed_out", ended: null, kept: null, keeping: "keyring" }) : real(name, args));
    });
    await page.locator('[data-test="sign-out"]').click();
    await page.locator('[data-test="sign-in"]').waitFor();
    assert.equal(await page.locator('[data-test="shell"]').count(), 0);
    assert.doesNotMatch(await page.evaluate(() => document.body.innerText), /DataSync/);
  },
  "indicators are said of a reading without what sweeps found gone since": async (page, url) => {
    await open(page, url, "indicators-none");
    assert.match(await page.locator("dialog[open]").innerText(), /inventory read .*, without 12 grants that sweeps found gone since\./);
    await open(page, url, "indicators-found");
    assert.doesNotMatch(await page.locator("dialog[open]").innerText(), /found gone/);
  },
  "a reading can be stopped, and what was read stays": async (page, url) => {
    await open(page, url, "apps-reading-again");
    assert.equal(await focused(page), "read-cancel", "the keyboard went along with the button");
    assert.match(await page.locator('[data-test="summary"]').innerText(), /11 of 26 calls.*about 12 s left/);
    assert.equal(await page.locator('[data-test="progress"]').getAttribute("aria-valuenow"), "42");
    await page.keyboard.press("Enter");
    await page.waitForTimeout(100);
    assert.equal((await called(page, "inventory_cancel")).length, 1);
    assert.ok((await page.locator('[data-test="row"]').count()) > 5);
  },
  "a reading that was stopped is no trouble, and says only that it was stopped": async (page, url) => {
    await open(page, url, "apps-stopped");
    assert.equal((await called(page, "inventory_cancel")).length, 1);
    await page.waitForFunction(() => document.getElementById("announce")?.textContent === "Stopped. What was read before is still shown.");
    assert.equal(await page.locator('[data-test="stale"]:visible').count(), 0);
    assert.doesNotMatch(await page.evaluate(() => document.body.innerText), /broke/);
    assert.ok((await page.locator('[data-test="row"]').count()) > 5);
  },
  "what could not be read is named one by one, with its request id": async (page, url) => {
    await open(page, url, "apps-partial-details");
    const lines = await page.locator('[data-test="missing"]').allInnerTexts();
    assert.equal(lines.length, 4);
    assert.match(lines[2] ?? "", /Quill Mail[\s\S]*policy hides it[\s\S]*not called gone/);
    assert.match(lines[0] ?? "", /DataSync[\s\S]*your role does not allow it[\s\S]*request-id-test-/);
    assert.match(await page.locator('[data-test="summary"]').innerText(), /22 of 24 apps/);
  },
  "a flagged sibling is named beside its group and not counted in": async (page, url) => {
    await open(page, url, "apps-group");
    await page.locator('[data-test="flagged"]').waitFor();
    assert.match(await page.locator('[data-test="flagged"]').innerText(), /not in it[\s\S]*Cyrillic “а” \(U\+0430\)/);
    const clients = await page.locator('[data-test="clients"] [data-test="client"]').count();
    assert.equal(clients, 7);
    const grants = await page.locator('[data-fact="granted_by"]').innerText();
    await page.locator('[data-test="flagged"] [data-test="client"]').click();
    await page.locator('[data-fact="odd_confusable"]').waitFor();
    assert.notEqual(await page.locator('[data-fact="granted_by"]').innerText(), grants);
  },
  "one Esc closes the account menu, the next one the detail": async (page, url) => {
    await open(page, url, "members-detail");
    await page.locator('[data-test="account-menu"]').click();
    await page.locator('[data-test="sign-out"]').waitFor();
    await page.keyboard.press("Escape");
    await page.locator('[data-test="sign-out"]').waitFor({ state: "hidden" });
    assert.equal(await page.locator('[data-test="detail-member"]').isVisible(), true);
    await page.keyboard.press("Escape");
    await page.locator('[data-test="detail-member"]').waitFor({ state: "detached" });
  },
  "a banner that comes later moves nothing above it": async (page, url) => {
    await open(page, url, "apps");
    const quiet = await page.locator('[data-test="row"]').first().boundingBox();
    await open(page, url, "frame-unsettled");
    await page.locator('[data-test="banner-unsettled"]').waitFor();
    assert.deepEqual(await page.locator('[data-test="row"]').first().boundingBox(), quiet);
  },
  "a refused rule is told in its dialog, and what was written stays": async (page, url) => {
    await open(page, url, "width-rules-refused");
    await arrives(page, "rule-label");
    assert.match(await page.locator('[data-test="wrong-width_rules"]').innerText(), /needs a label/);
    assert.equal(await page.locator('[data-test="rule"]').count(), 8);
    await page.keyboard.press("Escape");
    assert.equal(await page.locator("dialog").count(), 0);
  },
  "what is new is one press away, and marking it as looked at is another": async (page, url) => {
    await open(page, url, "apps");
    await page.locator('[data-test="changes-show"]').click();
    await page.waitForTimeout(250);
    assert.deepEqual((await called(page, "inventory_apps")).at(-1).query.filter, { changes: ["new", "widened"] });
    await page.locator('[data-test="looked"]').click();
    await page.locator('[data-test="changes"]').waitFor({ state: "hidden" });
    assert.equal((await called(page, "inventory_looked")).length, 1);
  },
  "an export takes what the filter shows, or only what is selected": async (page, url) => {
    await open(page, url, "apps-selected");
    await page.locator('[data-test="selection-export"]').click();
    await page.locator('[data-test="selection"] [data-test="export-json"]').click();
    await page.locator('[data-test="said"]').waitFor();
    const [first] = await called(page, "inventory_export");
    assert.equal(first.what.format, "json");
    assert.equal(first.what.selection.ids.length, 3);
    await page.locator('[data-test="filter"]').fill("data");
    await page.waitForTimeout(300);
    await page.locator('[data-test="export"]').click();
    await arrives(page, "export-csv");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => /** @type {any} */ (window).gallery.calls.filter((/** @type {any} */ call) => call.name === "inventory_export").length === 2);
    const second = (await called(page, "inventory_export")).at(-1);
    assert.equal(second.what.selection ?? null, null);
    assert.deepEqual(second.what.query.filter, { text: "data" });
  },
};
