// A plan before it is carried out: exactly what would be revoked, who loses what, what is risked, and the words that must be typed.
// The shell made the plan and keeps it; this shows windows of it and sends back its hash.

import { ask, refusalOf } from "../bridge.js";
import { changeMark, widthTag } from "../elements/facts_of.js";
import { openDialog } from "../elements/dialog.js";
import { lacking, tellDenial, tellRefusal } from "../elements/outcome.js";
import { missingSentence } from "../elements/pane.js";
import { changeLines } from "../elements/policy.js";
import { Rows } from "../elements/rows.js";
import { note, paintTelling } from "../elements/telling.js";
import { announce, button, clone, el, input, put, say, slot } from "../lib/dom.js";
import { idTail, memberName, named, visible } from "../lib/text.js";
import { span, time } from "../lib/time.js";
import { words } from "../words/en.js";

/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {import("../contract.js").Plan} Plan */
/** @typedef {import("../contract.js").PlanWhat} PlanWhat */
/** @typedef {import("../contract.js").GrantRow} GrantRow */
/** @typedef {import("../contract.js").PlanShare} PlanShare */
/** @typedef {"planned" | "members" | "apps" | "vanished" | "appeared"} Part */
/** One line of a part: what it is of, and how much. @typedef {{ key: string, grant?: GrantRow, share?: PlanShare }} Line */

/** Milliseconds in which a plan may come without a word about waiting. */
const PATIENCE = 150;

/**
 * Makes a plan of something and shows it.
 * @param {Frame} frame
 * @param {PlanWhat} what
 */
export function makePlan(frame, what) {
  const flow = new Flow(frame, (choices) => ask("plan_make", { what, first_party: choices.firstParty, reason: choices.reason || null }));
  flow.look(words.plan.making);
}

/** Lets somebody choose a plan's file and shows it. @param {Frame} frame */
export function openPlan(frame) {
  new Flow(frame, null).look(words.plan.opening, () => ask("plan_open", {}));
}

/** A new plan of what a sweep did not bring about. @param {Frame} frame @param {string} sweepId */
export function retryPlan(frame, sweepId) {
  new Flow(frame, null).look(words.plan.making, () => ask("sweep_retry", { sweep_id: sweepId }));
}

class Flow {
  /** @param {Frame} frame @param {((choices: { firstParty: boolean, reason: string }) => Promise<Plan>) | null} make `null`: the plan is as it is */
  constructor(frame, make) {
    this.frame = frame;
    this.make = make;
    this.dialog = openDialog();
    this.choices = { firstParty: false, reason: "", canary: false };
  }

  /** @returns {import("../elements/outcome.js").Around} */
  get around() {
    return {
      session: this.frame.session,
      act: "revoke",
      close: () => this.dialog.close(),
      signIn: () => { this.dialog.close(null); this.frame.signInAgain(null); },
      showSweep: (id) => { this.dialog.close(null); this.frame.openSweep(id); },
    };
  }

  /** Asks for the plan and shows it. @param {string} said @param {() => Promise<Plan | null>} [how] */
  async look(said, how = () => this.make?.(this.choices) ?? Promise.resolve(null)) {
    const { dialog } = this;
    const waiting = setTimeout(() => {
      if (!dialog.open()) return;
      const root = clone("t-planning");
      slot(root, "said").textContent = said;
      const cancel = button(root, "cancel");
      cancel.addEventListener("click", () => dialog.close());
      dialog.show(root, { stage: "planning" }, cancel);
    }, PATIENCE);
    try {
      const plan = await how();
      if (!dialog.open()) return;
      if (plan) this.show(plan);
      else dialog.close();
    } catch (thrown) {
      if (!dialog.open()) return;
      const refusal = refusalOf(thrown);
      if (refusal.kind === "plan" && refusal.fault === "grants" && this.make && !this.choices.firstParty && await this.onlyFirstParty()) return;
      this.tell(tellRefusal(refusal, { ...this.around, act: "read", retry: () => this.look(said, how) }));
    } finally {
      clearTimeout(waiting);
    }
  }

  /** Nothing is left, because all of it is of the vendor's own apps: that is said, and asked. */
  async onlyFirstParty() {
    const with_ = await this.make?.({ ...this.choices, firstParty: true }).catch(() => null);
    if (!with_ || !this.dialog.open()) return false;
    this.tell({
      about: { refusal: "first_party" },
      mark: "note",
      title: words.plan.all_first_party_title,
      lead: words.plan.all_first_party,
      facts: [],
      notes: [],
      acts: [
        { key: "cancel", label: words.cancel, run: () => this.dialog.close() },
        { key: "take-in", label: words.plan.take_in, style: "solid", run: () => { this.choices.firstParty = true; this.show(with_); } },
      ],
    });
    return true;
  }

  /** @param {import("../elements/telling.js").Telling} telling */
  tell(telling) {
    const { root, first } = paintTelling(telling);
    this.dialog.show(root, { stage: "told", ...telling.about }, first);
  }

  /** @param {Plan} plan @param {{ focus?: string }} [how] `focus`: the `data-test` that keeps the keyboard */
  show(plan, how = {}) {
    const said = words.plan;
    const { dialog, frame } = this;
    const root = clone("t-plan");
    const act = planAct(plan);
    slot(root, "title").textContent = act;
    const env = slot(root, "env");
    env.textContent = words.environment[plan.environment];
    env.dataset.env = plan.environment;
    put(slot(root, "notes"), ...this.notes(plan));
    const takes = plan.estimate_ms === null ? said.takes_unknown : plan.estimate_ms < 2_000 ? said.takes_moment : said.takes_value(span(plan.estimate_ms));
    put(slot(root, "facts"), say(plan.grants === 0 ? said.facts_alone : said.facts, { takes: el("span", { "data-fact": "takes" }, takes), at: time(plan.read_at, { seconds: false }), until: time(plan.expires_at, { seconds: false }) }));
    this.parts(root, plan);

    const firstParty = input(root, "first-party");
    const line = slot(root, "first-party-line");
    const theirs = plan.first_party + plan.first_party_left_out;
    line.hidden = this.make === null || theirs === 0;
    firstParty.checked = this.choices.firstParty;
    slot(root, "first-party-said").textContent = this.choices.firstParty ? said.taken_in(plan.first_party) : said.left_out(plan.first_party_left_out);
    firstParty.addEventListener("change", () => this.remake({ firstParty: firstParty.checked }, "plan-first-party"));
    const canary = input(root, "canary");
    canary.checked = this.choices.canary;
    canary.addEventListener("change", () => { this.choices.canary = canary.checked; });
    slot(root, "canary-line").hidden = plan.grants < 7;

    const reason = input(root, "reason");
    reason.value = plan.reason ?? this.choices.reason;
    reason.readOnly = this.make === null;
    slot(root, "reason-line").hidden = this.make === null && !plan.reason;
    const typed = input(root, "typed");
    put(slot(root, "type-hint"), said.type_hint(plan.grants));
    put(slot(root, "type-said"), say(said.type, { text: el("bdi", { class: "to-type", "data-fact": "to_type" }, plan.to_type) }));
    const wrong = slot(root, "wrong");
    const go = button(root, "confirm");
    put(go, el("span", {}, plan.denied || plan.block?.block_denied ? words.contain.anyway(act) : act));
    const same = () => sameWords(typed.value, plan.to_type);
    const judge = () => {
      go.disabled = !same();
      wrong.hidden = onTheWay(typed.value, plan.to_type);
    };
    typed.addEventListener("input", judge);
    typed.addEventListener("change", () => { wrong.hidden = typed.value.trim() === "" || same(); });
    judge();
    // With its button disabled a form hears no Enter.
    typed.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || same()) return;
      event.preventDefault();
      wrong.hidden = false;
    });

    root.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (!same()) {
        wrong.hidden = false;
        typed.focus();
        return;
      }
      const meant = await this.reasoned(plan, reason.value.trim());
      if (meant) this.start(meant, typed.value, root);
    });
    const save = button(root, "save");
    save.addEventListener("click", async () => {
      const meant = await this.reasoned(plan, reason.value.trim());
      if (meant) this.save(meant, slot(root, "saved"), save);
    });
    const cancel = button(root, "cancel");
    cancel.addEventListener("click", () => dialog.close());
    const kept = how.focus ? root.querySelector(`[data-test="${how.focus}"]`) : null;
    dialog.show(root, { stage: "plan", hash: plan.hash }, kept instanceof HTMLElement ? kept : typed);
    announce(`${act}. ${said.nothing_yet}`);
    frame.lookAtRevokes();
  }

  /**
   * The plan with a reason: it is part of the plan, which with another one is another plan, counted anew.
   * @param {Plan} plan
   * @param {string} reason
   * @returns {Promise<Plan | null>} `null`: it came to something else, and that is shown
   */
  async reasoned(plan, reason) {
    if (!this.make || reason === (plan.reason ?? "")) return plan;
    this.choices.reason = reason;
    const fresh = await this.make(this.choices).catch((thrown) => { this.tell(tellRefusal(refusalOf(thrown), this.around)); return null; });
    if (!fresh || !this.dialog.open()) return null;
    if (fresh.to_type === plan.to_type) return fresh;
    this.show(fresh);
    announce(words.refusals.plan_changed.title);
    return null;
  }

  /** @param {{ firstParty?: boolean }} change @param {string} focus */
  async remake(change, focus) {
    const before = { ...this.choices };
    Object.assign(this.choices, change);
    this.choices.reason = /** @type {HTMLInputElement | null} */ (this.dialog.root.querySelector('[data-test="plan-reason"]'))?.value.trim() ?? "";
    try {
      const plan = await this.make?.(this.choices);
      if (plan && this.dialog.open()) this.show(plan, { focus });
    } catch (thrown) {
      this.choices = before;
      if (this.dialog.open()) this.tell(tellRefusal(refusalOf(thrown), { ...this.around, retry: () => this.look(words.plan.making) }));
    }
  }

  /** What is to be known before, the gravest first. @param {Plan} plan */
  notes(plan) {
    const said = words.plan;
    /** @type {Array<HTMLElement | null>} */
    const made = [el("p", { class: "lead", "data-fact": "lead" }, this.lead(plan), " ", said.nothing_yet)];
    const { opened, denied } = plan;
    if (denied) {
      const more = el("button", { class: "lnk", type: "button", "data-test": "plan-denied" }, said.denied_more);
      more.addEventListener("click", () => this.tell({ ...tellDenial(denied, { ...this.around, readPolicy: async () => { await this.frame.readPolicy(); this.look(words.plan.making, this.make ? undefined : async () => plan); } }, { refusal: "not_allowed" }) }));
      made.push(note("denied", ...lacking(said.denied, denied), " ", said.denied_note, " ", more));
    }
    if (opened) {
      made.push(el("p", { class: "soft", "data-fact": "from_file" }, say(said.from_file, { file: named(opened.file, { strong: true, limit: 80 }), at: time(opened.created_at, { seconds: false }), author: named(memberName(opened.author), { limit: 80 }) })));
      for (const key of /** @type {const} */ (["unfinished", "carried_out"])) {
        const id = opened[key];
        if (!id) continue;
        const go = el("button", { class: "lnk", type: "button", "data-test": `plan-${key}` }, key === "unfinished" ? said.go_on : said.look_at_it);
        go.addEventListener("click", () => { this.dialog.close(null); this.frame.openSweep(id); });
        made.push(note(key, el("b", {}, said[key]), " ", go));
      }
      if (opened.policy_changed) made.push(note("policy_changed", el("b", {}, said.policy_changed), " ", said.policy_changed_note));
      if (opened.policy_unread) made.push(note("policy_unread", el("b", {}, said.policy_unread), " ", said.policy_unread_note));
      if (opened.vanished > 0) made.push(note("vanished", el("b", {}, said.vanished(opened.vanished)), " ", said.vanished_note));
      if (opened.appeared > 0) made.push(note("appeared", el("b", {}, said.appeared(opened.appeared)), " ", said.appeared_note));
      else if (opened.beside > 0) made.push(el("p", { class: "soft", "data-fact": "beside" }, said.beside(opened.beside)));
    }
    const { block } = plan;
    if (block) {
      const what = block.apps_total === 1 && block.apps[0] ? named(blockedName(block.apps[0]), { strong: true, limit: 80 }) : el("b", {}, words.contain.apps(block.apps_total));
      made.push(el("div", { class: "policy", "data-fact": "block" }, el("p", {}, say(block.unchanged ? words.contain.already : plan.grants === 0 ? (block.apps_total === 1 ? words.contain.lead_only : words.contain.lead_only_many) : said.block, { app: what })), ...changeLines(block.before, block.after), block.left_out > 0 ? el("p", { class: "soft" }, said.block_left_out(block.left_out)) : null));
      if (block.block_denied) made.push(note("block_denied", ...lacking(words.contain.denied, block.block_denied), " ", words.contain.anyway_note));
    }
    if (plan.missing.length > 0) made.push(note("missing", el("b", {}, said.missing), " ", missingSentence(plan.missing, this.frame.inventory.picture?.apps ?? 0)));
    if (plan.lost > 0) made.push(note("lost", said.lost(plan.lost)));
    if (plan.own > 0) made.push(note("own", el("b", {}, said.own(plan.own)), " ", said.own_note));
    if (plan.first_party > 0) made.push(note("first_party", el("b", {}, said.first_party(plan.first_party)), " ", said.first_party_note(plan.members)));
    if (plan.full_access > 0) made.push(note("full_access", el("b", {}, said.full_access(plan.full_access)), " ", said.full_access_note));
    const quiet = [];
    if (plan.privileged > 0) quiet.push(said.privileged(plan.privileged));
    // A plan that blocks takes that away itself.
    if (plan.may_reconnect > 0 && !block) quiet.push(plan.may_reconnect === plan.grants ? said.reconnect(plan.members, plan.apps) : said.reconnect_some(plan.may_reconnect));
    if (plan.grants > 0) quiet.push(words.confirm.tokens);
    if (quiet.length > 0) made.push(el("p", { class: "soft", "data-fact": "quiet" }, quiet.join(" ")));
    return made;
  }

  /** @param {Plan} plan */
  lead(plan) {
    const said = words.plan;
    const of = { members: el("b", { class: "num" }, said.members(plan.members)), apps: el("b", { class: "num" }, said.apps(plan.apps)), grants: el("b", { class: "num" }, said.grants(plan.grants)) };
    if (plan.grants === 0) return words.contain.no_grants;
    return say(plan.members === 1 ? said.lead_one : said.lead_many, of);
  }

  /** The tabs and the list under them. @param {HTMLElement} root @param {Plan} plan */
  parts(root, plan) {
    const said = words.plan;
    /** @type {Part} */
    let part = "planned";
    /** @type {Array<[Part, number]>} */
    const all = [["planned", plan.grants], ["members", plan.members], ["apps", plan.apps]];
    if (plan.opened && plan.opened.vanished > 0) all.push(["vanished", plan.opened.vanished]);
    if (plan.opened && plan.opened.appeared > 0) all.push(["appeared", plan.opened.appeared]);
    /** @type {Rows<Line>} */
    const rows = new Rows({
      label: said.parts,
      manner: "listbox",
      height: 44,
      template: "t-plan-row",
      fetch: async ({ filter, offset, count }) => {
        /** @param {Line[]} rows @param {number} total @returns {import("../elements/rows.js").Page<Line>} */
        const page = (rows, total) => ({ rows, matching: total, total, unreadable: [], read_at: plan.read_at });
        const of = /** @type {Part} */ (filter === "" ? "planned" : filter);
        if (of === "members" || of === "apps") {
          const shares = await ask("plan_shares", { hash: plan.hash, noun: of, offset, count });
          return page(shares.rows.map((share) => ({ key: share.app?.connected_app_id ?? share.member?.member_id ?? "", share })), shares.total);
        }
        const grants = await ask("plan_grants", { hash: plan.hash, part: of, offset, count });
        return page(grants.rows.map((grant) => ({ key: `${grant.member.member_id}\n${grant.app.connected_app_id}`, grant })), grants.total);
      },
      id: (line) => line.key,
      paint: (node, line) => paintLine(node, line, plan.apps === 1),
      onPage: () => {},
      empty: () => el("div", { class: "blankness" }),
      refused: (refusal) => paintTelling(tellRefusal(refusal, { session: this.frame.session, act: "read" })).root,
      stale: () => {},
    });
    rows.root.dataset.test = "plan-rows";
    slot(root, "under").replaceWith(rows.root);
    const tabs = slot(root, "tabs");
    put(tabs, ...all.map(([name, n]) => {
      const radio = el("input", { type: "radio", name: "plan-part", value: name, "data-test": `plan-part-${name}`, checked: name === part });
      radio.addEventListener("change", () => {
        part = name;
        rows.load({ filter: name === "planned" ? "" : name });
      });
      return el("label", {}, radio, el("span", { class: "num" }, said.part[name](n)));
    }));
    rows.load();
  }

  /** @param {Plan} plan @param {HTMLElement} place @param {HTMLButtonElement} from */
  async save(plan, place, from) {
    from.disabled = true;
    try {
      const done = await ask("plan_save", { hash: plan.hash });
      put(place, say(words.plan.saved, { path: el("span", { class: "mono path", "data-fact": "path" }, named(done.path, { limit: 600 })) }));
      place.hidden = false;
      announce(words.plan.saved_heard);
    } catch (thrown) {
      if (this.dialog.open()) this.tell(tellRefusal(refusalOf(thrown), { ...this.around, act: "read", retry: () => this.show(plan) }));
    }
    from.disabled = false;
  }

  /** @param {Plan} plan @param {string} typed @param {HTMLElement} root */
  async start(plan, typed, root) {
    const { dialog, frame } = this;
    const go = button(root, "confirm");
    go.disabled = true;
    put(go, words.plan.starting);
    dialog.lock(true);
    try {
      const sweep = await ask("sweep_start", { hash: plan.hash, typed, canary: this.choices.canary && plan.grants >= 7, ask_anyway: plan.denied !== null || (plan.block?.block_denied ?? null) !== null });
      dialog.lock(false);
      dialog.close(null);
      frame.began(sweep);
    } catch (thrown) {
      dialog.lock(false);
      const again = this.make ? { retry: () => this.look(words.plan.making) } : {};
      if (dialog.open()) this.tell(tellRefusal(refusalOf(thrown), { ...this.around, ...again }));
    }
  }
}

/** Whether what was typed is what had to be: in whatever case, with one space between words. @param {string} typed @param {string} wanted */
export const sameWords = (typed, wanted) => plain(typed) === plain(wanted);
/** Whether what was typed so far may still become what is wanted: where it may not, that is said at once. @param {string} typed @param {string} wanted */
export const onTheWay = (typed, wanted) => plain(wanted).startsWith(plain(typed));
/** @param {string} text */
const plain = (text) => text.trim().split(/\s+/).join(" ").toLowerCase();

/** An app that no list names has no name: then its id. @param {import("../contract.js").AppFace} app */
const blockedName = (app) => app.name.trim() || app.connected_app_id;

/** The act, with its count and the organization. @param {Plan} plan */
function planAct(plan) {
  const organization = visible(plan.organization_name, 60);
  const { block } = plan;
  if (!block || block.unchanged) return words.plan.title(plan.grants, organization);
  const [only] = block.apps;
  // What keeps its grants is forbidden with the others, and counted with them.
  const apps = block.apps_total + block.left_out;
  if (plan.grants === 0) return apps === 1 && only ? words.contain.button_only(visible(blockedName(only), 40), organization) : words.contain.button_only_many(apps, organization);
  return apps === 1 && only ? words.contain.button_one(visible(only.name, 40), plan.grants, organization) : words.contain.button_many(apps, plan.grants, organization);
}

/** @param {HTMLElement} node @param {Line} line @param {boolean} oneApp of one app the members are what differs */
function paintLine(node, line, oneApp) {
  const { grant, share } = line;
  if (grant) {
    const member = el("span", {}, named(memberName(grant.member), { strong: oneApp, limit: 80 }), grant.member.yourself ? ` (${words.you})` : "");
    const app = el("span", {}, named(grant.app.name, { strong: !oneApp, limit: 80 }), " ", grant.app.first_party ? el("span", { class: "tag" }, words.apps.types.first_party) : null);
    const mark = grant.change ? changeMark(grant.change, grant.scopes_before) : null;
    put(slot(node, "what"), oneApp ? member : app, " ", mark);
    put(slot(node, "under"), oneApp ? (grant.member.email && grant.member.name ? named(grant.member.email, { limit: 120 }) : app) : member, ...(oneApp ? [] : [" · ", idTail(grant.app.connected_app_id)]));
    put(slot(node, "much"), widthTag(grant.width));
    put(slot(node, "scopes"), grant.scopes.length > 0 ? named(grant.scopes.join(" "), { limit: 200 }) : words.grants.no_scopes);
    return;
  }
  if (!share) return;
  const { app, member } = share;
  put(slot(node, "what"), app ? named(app.name, { strong: true, limit: 80 }) : member ? named(memberName(member), { strong: true, limit: 80 }) : null, member?.yourself ? ` (${words.you})` : "");
  put(slot(node, "under"), app ? idTail(app.connected_app_id) : member?.name && member.email ? named(member.email, { limit: 120 }) : "");
  put(slot(node, "much"), el("span", { class: "num" }, member ? words.plan.loses(share.grants, share.of) : share.grants === share.of ? words.plan.share_all(share.of) : words.plan.share(share.grants, share.of)));
  put(slot(node, "scopes"));
}
