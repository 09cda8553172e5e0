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
  "Esc cancels the confirmation, and the focus is back on the row": async (page, url) => {
    await open(page, url, "confirm");
    await page.keyboard.press("Escape");
    await arrives(page, "revoke");
    assert.equal(await page.locator("dialog").count(), 0);
    assert.deepEqual(await called(page, "revoke_connected_app"), []);
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
    assert.equal(await last.getAttribute("aria-posinset"), "10000");
    await page.keyboard.press("Home");
    await page.waitForFunction(() => document.querySelector('[data-test="row"].here')?.getAttribute("aria-posinset") === "1");
    await page.keyboard.press("PageDown");
    await page.keyboard.press("ArrowUp");
    const place = Number(await page.locator('[data-test="row"].here').getAttribute("aria-posinset"));
    assert.ok(place > 5 && place < 30, `a page further, not at ${place}`);
    const active = await page.locator('[data-test="rows"]').first().getAttribute("aria-activedescendant");
    assert.equal(active, await page.locator('[data-test="row"].here').getAttribute("id"));
    assert.ok((await page.locator('[data-test="row"]').count()) < 60, "only the rows in sight are there");
  },
  // How quick it is depends on the machine, so no time is asserted: what makes it quick is.
  "scrolling through ten thousand members holds few rows and asks only for what is seen": async (page, url) => {
    await open(page, url, "members-ten-thousand");
    const before = (await called(page, "member_list")).length;
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
    const asked = (await called(page, "member_list")).length - before;
    assert.ok(asked < 100, `asked ${asked} times for 100 windows scrolled past`);
  },
  "a late answer to an earlier filter is dropped": async (page, url) => {
    await open(page, url, "members");
    await page.evaluate(() => {
      const core = /** @type {any} */ (window).__TAURI__.core;
      const real = core.invoke;
      core.invoke = async (/** @type {string} */ name, /** @type {any} */ args) => {
        const reply = await real(name, args);
        if (name === "member_list" && args.window.filter === "a") await new Promise((done) => setTimeout(done, 600));
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
};
