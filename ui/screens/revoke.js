// The one way to revoke: look at the plan, confirm it, watch the steps, read what came of it. All in one dialog.

import { ask, channel, refusalOf } from "../bridge.js";
import { openDialog } from "../elements/dialog.js";
import { planNotes, reportId, tellDenial, tellOutcome, tellRefusal } from "../elements/outcome.js";
import { factCells, paintTelling } from "../elements/telling.js";
import { announce, button, clone, el, put, say, slot } from "../lib/dom.js";
import { memberName, named, visible, whole } from "../lib/text.js";
import { time } from "../lib/time.js";
import { words } from "../words/en.js";

/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {import("./frame.js").About} About */
/** @typedef {import("../contract.js").RevokePlan} RevokePlan */
/** @typedef {import("../contract.js").RevokeReport} RevokeReport */
/** @typedef {import("../contract.js").RevokeStep} RevokeStep */
/** @typedef {import("../elements/outcome.js").Around} Around */

/** Milliseconds in which a plan may come without a word about waiting. */
const PATIENCE = 150;

/**
 * @typedef {object} How
 * @property {(changed: boolean) => unknown} [after] called when the dialog has closed; `changed`: lists may be out of date
 */

/**
 * `sendAgain`: the sweep whose request is repeated, if its grant is still listed; otherwise a new one is begun.
 * @typedef {{ anyway: boolean, note: string | null, sendAgain?: string }} PlanHow
 */

/**
 * Starts with a fresh look at what would be revoked.
 * @param {Frame} frame
 * @param {About} about
 * @param {How} how
 */
export function startRevoke(frame, about, how) {
  const flow = new Flow(frame, about, how);
  flow.plan({ anyway: false, note: null });
}

/**
 * Starts with a report that is already there.
 * @param {Frame} frame
 * @param {RevokeReport} report
 * @param {How} how
 */
export function showReport(frame, report, how) {
  const flow = new Flow(frame, { member: report.member, app: report.app }, how);
  flow.outcome(report, { quietly: true });
}

class Flow {
  /** @param {Frame} frame @param {About} about @param {How} how */
  constructor(frame, about, how) {
    this.frame = frame;
    this.about = about;
    this.changed = false;
    this.dialog = openDialog({ onClose: () => how.after?.(this.changed) });
    /** @type {RevokeReport | null} */
    this.report = null;
    frame.watch((reports) => this.renew(reports), this.dialog.closed);
  }

  /** @returns {Around} */
  get around() {
    return {
      session: this.frame.session,
      act: "revoke",
      about: this.about,
      close: () => this.dialog.close(),
      retry: () => this.plan({ anyway: false, note: null }),
      signIn: () => { this.dialog.close(null); this.frame.signInAgain(this.about); },
      showSweep: (id) => { this.dialog.close(null); this.frame.openSweep(id); },
      readPolicy: (from) => this.readPolicy(from),
      askAnyway: () => this.plan({ anyway: true, note: null }),
      settle: (from, sweepId) => this.settle(from, sweepId, false),
      sendAgain: (sweepId) => this.plan({ anyway: false, note: null, sendAgain: sweepId }),
      revokeAgain: () => this.plan({ anyway: false, note: null }),
    };
  }

  /** @param {PlanHow} how */
  async plan(how) {
    const { dialog } = this;
    const waiting = setTimeout(() => {
      if (!dialog.open()) return;
      const root = clone("t-planning");
      const cancel = button(root, "cancel");
      cancel.addEventListener("click", () => dialog.close());
      dialog.show(root, { stage: "planning" }, cancel);
    }, PATIENCE);
    try {
      const plan = await ask("revoke_plan", { member_id: this.about.member.member_id, connected_app_id: this.about.app.connected_app_id });
      clearTimeout(waiting);
      if (!dialog.open()) return;
      this.about = { member: plan.member, app: plan.app };
      if (plan.denied && !how.anyway) {
        const telling = tellDenial(plan.denied, this.around, { refusal: "not_allowed" });
        if (how.note) telling.notes.unshift(el("p", { class: "note", "data-fact": "policy_note" }, how.note));
        this.tell(telling);
      } else this.confirm(plan, how);
    } catch (thrown) {
      clearTimeout(waiting);
      if (dialog.open()) this.tell(tellRefusal(refusalOf(thrown), { ...this.around, act: "read", retry: () => this.plan(how) }));
    }
  }

  /** @param {RevokePlan} plan @param {PlanHow} how */
  confirm(plan, how) {
    const said = words.confirm;
    const root = clone("t-confirm");
    const member = memberName(plan.member);
    slot(root, "title").textContent = how.anyway && plan.denied ? said.title_anyway : said.title;
    put(slot(root, "lead"), say(said.lead, { app: named(plan.app.name, { strong: true, limit: 120, length: true }), member: named(member, { strong: true, limit: 120, length: true }), org: named(plan.organization_name, { limit: 80 }) }));
    const again = plan.may_reconnect === null ? said.again_unknown : plan.may_reconnect ? said.again_yes : said.again_no;
    const address = plan.member.name && plan.member.email ? el("span", { class: "soft" }, " ", named(plan.member.email)) : null;
    put(
      slot(root, "facts"),
      ...[
        { key: "member", label: said.member, value: el("span", {}, whole(member), address, plan.member.yourself ? el("span", { class: "soft" }, ` (${words.you})`) : null) },
        { key: "app", label: said.app, value: whole(plan.app.name) },
        { key: "connected_app_id", label: said.client_id, value: whole(plan.app.connected_app_id, { mono: true }) },
        { key: "organization", label: said.organization, value: el("span", {}, named(plan.organization_name, { limit: 120 }), " ", el("span", { class: "env", "data-env": plan.environment }, words.environment[plan.environment])) },
        { key: "scopes", label: said.scopes, value: plan.scopes === null ? said.scopes_unknown : plan.scopes.length > 0 ? whole(plan.scopes.join(" ")) : words.grants.no_scopes },
        { key: "may_reconnect", label: said.afterwards, value: again },
      ].flatMap(factCells),
    );
    put(slot(root, "notes"), how.note ? el("p", { class: "note", "data-fact": "policy_note" }, how.note) : null, ...planNotes(plan, how), el("p", { class: "soft", "data-fact": "tokens" }, said.tokens));
    const go = button(root, "confirm");
    const { sendAgain } = how;
    const organization = visible(plan.organization_name, 60);
    put(go, el("span", {}, sendAgain ? words.acts.send_again(organization) : said.button(organization)));
    const cancel = button(root, "cancel");
    go.addEventListener("click", () => {
      if (!sendAgain) { this.run(plan, how.anyway); return; }
      cancel.disabled = true;
      this.settle(go, sendAgain, true);
    });
    cancel.addEventListener("click", () => this.dialog.close());
    // The keyboard starts on Cancel, one Tab before the act: whoever comes here by pressing Enter twice in a row has read
    // nothing yet, and a third Enter must do no harm. Enter (list), Enter (Revoke), Tab, Enter: four keys, each meant.
    this.dialog.show(root, { stage: "confirm" }, cancel);
  }

  /** @param {RevokePlan} plan @param {boolean} anyway */
  async run(plan, anyway) {
    const { dialog } = this;
    const root = clone("t-running");
    put(slot(root, "lead"), say(words.confirm.running_lead, { app: named(plan.app.name, { strong: true, limit: 160 }), member: named(memberName(plan.member), { strong: true, limit: 160 }), org: named(plan.organization_name, { limit: 120 }) }));
    const progress = new Steps(slot(root, "steps"));
    dialog.lock(true);
    dialog.show(root, { stage: "running" }, slot(root, "title"));
    this.changed = true;
    try {
      const report = await ask("revoke_connected_app", {
        member_id: plan.member.member_id,
        connected_app_id: plan.app.connected_app_id,
        plan_hash: plan.plan_hash,
        ask_anyway: anyway,
        progress: channel((/** @type {RevokeStep} */ step) => progress.at(step)),
      });
      this.outcome(report, { quietly: false });
    } catch (thrown) {
      this.tell(tellRefusal(refusalOf(thrown), this.around));
    } finally {
      dialog.lock(false);
      this.frame.lookAtRevokes();
    }
  }

  /** @param {RevokeReport} report @param {{ quietly: boolean }} how */
  outcome(report, how) {
    this.report = report;
    this.about = { member: report.member, app: report.app };
    const telling = tellOutcome(report, this.around);
    this.tell(telling);
    if (!how.quietly) announce(telling.title);
  }

  /** @param {import("../elements/telling.js").Telling} telling */
  tell(telling) {
    const { root, first } = paintTelling(telling);
    this.dialog.show(root, { stage: "told", ...telling.about }, first);
  }

  /** The second read may come while the dialog is open. @param {RevokeReport[]} reports */
  renew(reports) {
    const shown = this.report;
    const now = shown && reports.find((report) => reportId(report) === reportId(shown));
    if (!shown || !now || this.dialog.root.dataset.stage !== "told") return;
    if (now.outcome === shown.outcome && now.confirmed_at === shown.confirmed_at && now.unsettled === shown.unsettled) return;
    this.outcome(now, { quietly: false });
  }

  /** @param {HTMLButtonElement} from @param {string} sweepId @param {boolean} sendAgain */
  async settle(from, sweepId, sendAgain) {
    from.disabled = true;
    from.textContent = words.acts.settling;
    announce(words.acts.settling);
    this.changed = true;
    // What may send cannot be called back; what only reads can be left.
    this.dialog.lock(sendAgain);
    try {
      this.outcome(await ask("revoke_settle", { sweep_id: sweepId, send_again: sendAgain }), { quietly: false });
    } catch (thrown) {
      if (this.dialog.open()) this.tell(tellRefusal(refusalOf(thrown), { ...this.around, retry: (button) => (sendAgain ? this.plan({ anyway: false, note: null, sendAgain: sweepId }) : this.settle(button, sweepId, false)) }));
    } finally {
      this.dialog.lock(false);
    }
    this.frame.lookAtRevokes();
  }

  /** @param {HTMLButtonElement} from */
  async readPolicy(from) {
    from.disabled = true;
    from.textContent = words.lists.reading;
    try {
      const session = await this.frame.readPolicy();
      this.changed = true;
      if (!this.dialog.open()) return;
      const at = session.policy_read_at ? (time(session.policy_read_at).textContent ?? "") : words.unknown_value;
      const own = this.about.member.yourself ? session.may.revoke_own_app : session.may.revoke_member_app;
      const note = (own.allowed === false ? words.policy_still : words.policy_now).replace("{at}", at);
      await this.plan({ anyway: false, note });
    } catch (thrown) {
      if (this.dialog.open()) this.tell(tellRefusal(refusalOf(thrown), { ...this.around, act: "read" }));
    }
  }
}

/** The steps in the order in which they come; the last two may repeat. */
const ORDER = /** @type {RevokeStep[]} */ (["recorded", "sent", "answered", "reading_again"]);

/** What each place looks like, for those who do not see colours. */
const GLYPH = { later: "○", now: "▸", done: "✓" };

class Steps {
  /** @param {HTMLElement} list */
  constructor(list) {
    this.reads = 0;
    /** @type {Map<RevokeStep, { line: HTMLElement, glyph: HTMLElement, said: HTMLElement, more: HTMLElement }>} */
    this.lines = new Map();
    for (const step of ORDER) {
      const glyph = el("i", { "aria-hidden": "true" }, GLYPH.later);
      const said = el("span", {}, words.confirm.steps[step]);
      const more = el("small", { class: "soft num" });
      const line = el("li", { "data-step": step, "data-at": "later" }, glyph, said, more);
      this.lines.set(step, { line, glyph, said, more });
      list.append(line);
    }
  }

  /** @param {RevokeStep} step */
  at(step) {
    const place = ORDER.indexOf(step === "waiting" ? "reading_again" : step);
    if (place < 0) return;
    if (step === "reading_again") this.reads += 1;
    for (const [index, name] of ORDER.entries()) {
      const found = this.lines.get(name);
      if (!found) continue;
      /** @type {keyof typeof GLYPH} */
      let at = index < place ? "done" : index === place ? "now" : "later";
      // Each of the first three is a thing done once it is told; only reading again goes on.
      if (index === place && index < 3) at = "done";
      if (index === place + 1 && place < 3) at = "now";
      found.line.dataset.at = at;
      found.glyph.textContent = GLYPH[at];
      if (at === "now") found.line.setAttribute("aria-current", "step");
      else found.line.removeAttribute("aria-current");
    }
    const reading = this.lines.get("reading_again");
    if (!reading) return;
    reading.said.textContent = step === "waiting" ? words.confirm.steps.waiting : words.confirm.steps.reading_again;
    reading.more.textContent = this.reads > 1 ? words.confirm.reads(this.reads) : "";
    announce(words.confirm.steps[step]);
  }
}
