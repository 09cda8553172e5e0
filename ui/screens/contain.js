// A containment before it is carried out, in the order of the act: what the policy would be, who has to be decided about, which
// grants would be revoked, and the words that must be typed. The shell looked and keeps the look; this sends back its id and hash.

import { ask, refusalOf } from "../bridge.js";
import { openDialog } from "../elements/dialog.js";
import { oddTags } from "../elements/facts_of.js";
import { lacking, tellDenial, tellRefusal } from "../elements/outcome.js";
import { missingSentence } from "../elements/pane.js";
import { appName, changeLines } from "../elements/policy.js";
import { Rows } from "../elements/rows.js";
import { note, paintTelling } from "../elements/telling.js";
import { announce, button, clone, el, input, put, say, slot } from "../lib/dom.js";
import { idTail, memberName, named, visible, whole } from "../lib/text.js";
import { span, time } from "../lib/time.js";
import { words } from "../words/en.js";
import { onTheWay, sameWords } from "./plan.js";

/** @typedef {import("./frame.js").Frame} Frame */
/** @typedef {import("../contract.js").ContainWhat} ContainWhat */
/** @typedef {import("../contract.js").ContainLook} ContainLook */
/** @typedef {import("../contract.js").ContainRow} ContainRow */
/** @typedef {import("../contract.js").ContainChoice} ContainChoice */
/** @typedef {import("../contract.js").Plan} Plan */
/** @typedef {"blocked" | "kept" | "planned" | "members"} Part */
/** One line of a part. @typedef {{ key: string, row?: ContainRow, choice?: ContainChoice, grant?: import("../contract.js").GrantRow, share?: import("../contract.js").PlanShare }} Line */

/** Milliseconds in which a look may come without a word about waiting. */
const PATIENCE = 150;
/** Apps to be decided about that are shown at once. */
const SHOWN = 200;
/** Apps that no list names, of which each is told by itself. */
const TOLD = 6;
/** Rows asked for at once where all are needed. */
const WINDOW = 1000;

/**
 * Looks at what containing some apps would be, and shows it.
 * @param {Frame} frame
 * @param {ContainWhat} what
 * @param {string | null} name of the one app or group; `null`: they are counted
 */
export function contain(frame, what, name) {
  new Containing(frame, what, name).look();
}

/**
 * The same grants as a plan without the block.
 * @param {ContainWhat} what
 * @returns {import("../contract.js").PlanWhat}
 */
function withoutBlock(what) {
  if (what.kind === "group") return { kind: "group", group: what.group };
  if (what.kind === "found") return { kind: "found", finding: what.finding, look_alikes: what.look_alikes };
  const [only] = what.connected_app_ids;
  if (what.connected_app_ids.length === 1 && only) return { kind: "app", connected_app_id: only };
  return { kind: "selection", selection: { noun: "apps", fold: false, all: false, filter: {}, ids: what.connected_app_ids } };
}

class Containing {
  /** @param {Frame} frame @param {ContainWhat} what @param {string | null} name */
  constructor(frame, what, name) {
    this.frame = frame;
    this.what = what;
    this.name = name;
    this.dialog = openDialog();
    this.choices = { firstParty: false, last: false, canary: false, reason: "" };
    /** What was decided, by app. It outlives a look that is taken anew. @type {Map<string, ContainChoice>} */
    this.decided = new Map();
    /** Apps that need a decision. @type {ContainRow[]} */
    this.undecided = [];
    /** The first of the apps that are contained whatever is decided. @type {ContainRow[]} */
    this.blocked = [];
    /** Apps that have the name of the one that is contained, and stay. @type {ContainRow[]} */
    this.twins = [];
    /** Why apps are flagged, by id. @type {Map<string, import("../contract.js").Oddity[]>} */
    this.odd = new Map();
    /** The plan of what is decided now. @type {Plan | null} */
    this.plan = null;
    // Counts plans asked for: an answer to earlier decisions is dropped.
    this.turn = 0;
  }

  /** @returns {import("../elements/outcome.js").Around} */
  get around() {
    return {
      session: this.frame.session,
      act: "revoke",
      close: () => this.dialog.close(),
      signIn: () => { this.dialog.close(null); this.frame.signInAgain(null); },
      showSweep: (id) => { this.dialog.close(null); this.frame.openSweep(id); },
      revokeAgain: () => this.look(),
      readAgain: async () => { this.dialog.close(null); await this.frame.inventory.read(); contain(this.frame, this.what, this.name); },
    };
  }

  async look() {
    const { dialog } = this;
    const waiting = setTimeout(() => {
      if (!dialog.open()) return;
      const root = clone("t-planning");
      put(/** @type {HTMLElement} */ (root.querySelector("h2")), this.heading(1));
      slot(root, "said").textContent = words.contain.looking;
      const cancel = button(root, "cancel");
      cancel.addEventListener("click", () => dialog.close());
      dialog.show(root, { stage: "planning" }, cancel);
    }, PATIENCE);
    try {
      const look = await ask("contain_look", { what: this.what, first_party: this.choices.firstParty });
      if (look.apps === 0 && look.first_party_left_out > 0 && dialog.open()) { this.onlyFirstParty(); return; }
      this.undecided = [];
      const wanted = look.fates.find((one) => one.fate === "undecided")?.apps ?? 0;
      while (this.undecided.length < wanted) {
        const page = await ask("contain_rows", { look: look.look, query: { fates: ["undecided"], text: "", offset: this.undecided.length, count: WINDOW } });
        if (page.rows.length === 0) break;
        this.undecided.push(...page.rows);
      }
      this.blocked = (await ask("contain_rows", { look: look.look, query: { fates: ["blocked"], text: "", offset: 0, count: TOLD } })).rows;
      this.twins = await this.ofOneName(look);
      if ([...this.undecided, ...this.blocked].some((row) => row.odd)) {
        const odd = await ask("inventory_apps", { query: { filter: { look_alikes: ["odd"] }, sort: "grants", descending: true, fold: false, offset: 0, count: WINDOW } }).catch(() => null);
        this.odd = new Map(odd?.rows.map((row) => [row.app.connected_app_id, row.odd]));
      }
      // A decision about an app that is not asked about any more is no decision.
      const asked = new Set(this.undecided.map((row) => row.app.connected_app_id));
      for (const id of this.decided.keys()) if (!asked.has(id)) this.decided.delete(id);
      if (!dialog.open()) return;
      this.show(look);
    } catch (thrown) {
      if (dialog.open()) this.refuse(thrown);
    } finally {
      clearTimeout(waiting);
    }
  }

  /** Other apps with the name of the one that is contained. @param {ContainLook} look */
  async ofOneName(look) {
    const { name, what } = this;
    const only = what.kind === "apps" && what.connected_app_ids.length === 1 ? what.connected_app_ids[0] : undefined;
    if (name === null || only === undefined || name.trim() === "") return [];
    // A name that cannot be looked for is told by its sight alone.
    const page = await ask("contain_rows", { look: look.look, query: { fates: ["kept", "undecided"], text: name.trim(), offset: 0, count: WINDOW } }).catch(() => null);
    return page?.rows.filter((row) => sameWords(row.app.name, name) && row.app.connected_app_id !== only) ?? [];
  }

  /** What the one app or group is called, with the end of its id where the name is another's too. @param {number} limit */
  called(limit) {
    const name = visible(this.name ?? "", limit);
    return this.twins.length > 0 && this.what.kind === "apps" ? `${name} (${idTail(this.what.connected_app_ids[0] ?? "").textContent})` : name;
  }

  /** @param {unknown} thrown */
  refuse(thrown) {
    const said = words.contain;
    const refusal = refusalOf(thrown);
    // Only the vendor's own are left out, and they are all that was asked for.
    if (refusal.kind === "plan" && refusal.fault === "grants") {
      this.onlyFirstParty();
      return;
    }
    if (refusal.kind === "block" && refusal.fault === "already_forbidden") {
      const left = refusal.app_ids.length;
      const takeIn = { key: "take-in", label: words.plan.take_in, run: () => { this.choices.firstParty = true; this.look(); } };
      this.tell({ about: { refusal: refusal.fault }, mark: "note", title: said.none_title, lead: left > 0 ? `${said.none} ${said.none_first_party(left)}` : said.none, facts: [], notes: [], acts: [...(left > 0 ? [takeIn] : []), { key: "close", label: words.close, style: "solid", run: () => this.dialog.close() }] });
      return;
    }
    if (refusal.kind === "block" && refusal.fault === "already_forbidden_unread") {
      this.tell({ about: { refusal: refusal.fault }, mark: "trouble", title: said.unread_title, lead: said.unread, facts: [{ key: "app_ids", label: words.apps.pick_id, value: whole(refusal.app_ids.join(" "), { mono: true }) }], notes: [], acts: [{ key: "close", label: words.close, run: () => this.dialog.close() }, { key: "look-again", label: words.acts.look_again, style: "solid", run: () => this.look() }] });
      return;
    }
    this.tell(tellRefusal(refusal, { ...this.around, act: "read", retry: () => this.look() }));
  }

  /** Nothing is left, because all of it is the vendor's own: that is said, and asked. */
  onlyFirstParty() {
    this.tell({
      about: { refusal: "first_party" },
      mark: "note",
      title: words.plan.all_first_party_title,
      lead: words.contain.all_first_party,
      facts: [],
      notes: [],
      acts: [
        { key: "cancel", label: words.cancel, run: () => this.dialog.close() },
        { key: "take-in", label: words.plan.take_in, style: "solid", run: () => { this.choices.firstParty = true; this.look(); } },
      ],
    });
  }

  /** @param {import("../elements/telling.js").Telling} telling */
  tell(telling) {
    const { root, first } = paintTelling(telling);
    this.dialog.show(root, { stage: "told", ...telling.about }, first);
  }

  /** @param {number} apps */
  heading(apps) {
    return this.name === null ? words.contain.title_n(apps) : words.contain.title.replace("{app}", () => this.called(60));
  }

  /** What is written on the button. @param {ContainLook} look @param {number} apps @param {number} grants */
  act(look, apps, grants) {
    const org = visible(look.organization_name, 60);
    if (look.unchanged) return words.plan.title(grants, org);
    if (grants === 0) return this.name !== null && apps === 1 ? words.contain.button_only(this.called(40), org) : words.contain.button_only_many(apps, org);
    return this.name !== null && apps === 1 ? words.contain.button_one(this.called(40), grants, org) : words.contain.button_many(apps, grants, org);
  }

  /** Apps of the look with a fate. @param {ContainLook} look @param {import("../contract.js").ContainFate} fate */
  fate(look, fate) {
    return look.fates.find((one) => one.fate === fate)?.apps ?? 0;
  }

  /** Apps that were decided so. @param {...ContainChoice} choices */
  decidedAs(...choices) {
    return this.undecided.filter((row) => choices.includes(/** @type {ContainChoice} */ (this.decided.get(row.app.connected_app_id))));
  }

  /** @param {ContainLook} look */
  show(look) {
    const said = words.contain;
    const { dialog, frame } = this;
    const root = clone("t-contain");
    slot(root, "title").textContent = this.heading(look.apps);
    const env = slot(root, "env");
    env.textContent = words.environment[look.environment];
    env.dataset.env = look.environment;
    put(slot(root, "notes"), ...this.notes(look));
    this.lead(look, root);
    const typed = input(root, "typed");
    const wrong = slot(root, "wrong");
    const go = button(root, "confirm");

    // ---- the choices
    const firstParty = input(root, "first-party");
    const taken = look.unlisted.some((one) => !one.kind_told && one.kind !== null);
    slot(root, "first-party-line").hidden = !this.choices.firstParty && look.first_party_left_out === 0 && !taken;
    firstParty.checked = this.choices.firstParty;
    slot(root, "first-party-said").textContent = this.choices.firstParty ? said.first_party_in : look.first_party_left_out > 0 ? said.first_party_out(look.first_party_left_out) : said.first_party_too;
    firstParty.addEventListener("change", () => { this.keep(root); this.choices.firstParty = firstParty.checked; this.look(); });
    slot(root, "order").hidden = look.unchanged || look.grants === 0;
    input(root, "first").checked = !this.choices.last;
    input(root, "last").checked = this.choices.last;
    for (const name of ["first", "last"]) {
      input(root, name).addEventListener("change", () => { this.choices.last = input(root, "last").checked; this.lead(look, root); });
    }
    const canary = input(root, "canary");
    canary.checked = this.choices.canary;
    canary.addEventListener("change", () => { this.choices.canary = canary.checked; });
    input(root, "reason").value = this.choices.reason;

    // ---- the decisions
    const rows = this.parts(root, look);
    this.decisions(root, () => { this.make(root, look, rows); });

    // ---- the end
    const same = () => this.plan !== null && sameWords(typed.value, this.plan.to_type);
    const judge = () => {
      go.disabled = !same();
      wrong.hidden = this.plan === null || onTheWay(typed.value, this.plan.to_type);
    };
    typed.addEventListener("input", judge);
    // Without a plan there is nothing yet that it could be the same as.
    typed.addEventListener("change", () => { wrong.hidden = this.plan === null || typed.value.trim() === "" || same(); });
    typed.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || same()) return;
      event.preventDefault();
      wrong.hidden = this.plan === null;
      if (this.plan === null) announce(slot(root, "type-said").textContent ?? "");
    });
    root.addEventListener("submit", (event) => {
      event.preventDefault();
      if (same()) this.start(root, look, typed.value);
      else {
        wrong.hidden = this.plan === null;
        typed.focus();
      }
    });
    const without = button(root, "without");
    without.hidden = look.block_denied === null || look.grants === 0;
    without.addEventListener("click", () => { dialog.close(null); frame.plan(withoutBlock(this.what)); });
    const save = button(root, "save");
    save.addEventListener("click", () => this.save(root, look));
    button(root, "cancel").addEventListener("click", () => dialog.close());

    const first = root.querySelector('[data-slot="decisions"] input');
    dialog.show(root, { stage: "contain", look: look.look }, first instanceof HTMLElement && this.left() > 0 ? first : typed);
    this.make(root, look, rows);
    const open = this.left();
    announce(`${this.heading(look.apps)}. ${open > 0 ? `${said.decide(open)}. ` : ""}${said.nothing_yet}`);
  }

  /** Apps that nobody has decided about yet. */
  left() {
    return this.undecided.filter((row) => !this.decided.has(row.app.connected_app_id)).length;
  }

  /** What was typed in survives a look that is taken anew. @param {HTMLElement} root */
  keep(root) {
    this.choices.reason = input(root, "reason").value.trim();
  }

  /** How many apps are forbidden by what is decided so far, those included that keep their grants. @param {ContainLook} look */
  forbids(look) {
    const block = this.plan?.block;
    return block ? block.apps_total + block.left_out : look.apps + this.decidedAs("block", "leave_out").length;
  }

  /** The first sentence: what happens, in its order, and to which apps. @param {ContainLook} look @param {HTMLElement} root */
  lead(look, root) {
    const said = words.contain;
    const place = root.querySelector('[data-fact="lead"]');
    if (!place) return;
    const grants = this.plan?.grants ?? look.grants;
    const apps = this.forbids(look);
    const app = this.name === null || apps > 1 ? el("b", { class: "num" }, said.apps(apps)) : this.twins.length > 0 && this.what.kind === "apps" ? el("span", {}, named(this.name, { strong: true, limit: 60 }), " ", idTail(this.what.connected_app_ids[0] ?? "")) : named(this.name, { strong: true, limit: 60 });
    const many = apps > 1;
    const sentence = grants === 0 && !look.unchanged ? (many ? said.lead_only_many : said.lead_only) : look.unchanged ? said.lead_unchanged : this.choices.last ? (many ? said.lead_last_many : said.lead_last) : many ? said.lead_many : said.lead;
    put(place, say(sentence, { app, grants: el("b", { class: "num" }, words.plan.grants(grants)), are: said.are(grants) }), " ", said.nothing_yet);
    const which = root.querySelector('[data-fact="which"]');
    if (!(which instanceof HTMLElement)) return;
    /** @type {Array<[ContainRow, string]>} */
    const named_ = [...[...this.blocked, ...this.decidedAs("block")].map((row) => /** @type {[ContainRow, string]} */ ([row, words.plan.grants(row.grants)])), ...this.decidedAs("leave_out").map((row) => /** @type {[ContainRow, string]} */ ([row, said.grants_stay]))];
    const shown = (many || this.name === null) && !look.unchanged ? named_.slice(0, TOLD) : [];
    which.hidden = shown.length === 0;
    put(which, ...shown.flatMap(([row, what], n) => [n > 0 ? ", " : "", row.app.name.trim() === "" ? el("span", { class: "mono" }, named(row.app.connected_app_id, { limit: 80 })) : named(row.app.name, { strong: true, limit: 60 }), ` (${what})`]), apps > shown.length && shown.length > 0 ? ` ${words.policy.differs.more(apps - shown.length)}` : "");
  }

  /** What is to be known before, the gravest first. @param {ContainLook} look */
  notes(look) {
    const said = words.contain;
    /** @type {Array<HTMLElement | null>} */
    const made = [el("p", { class: "lead", "data-fact": "lead" }), el("p", { class: "which", "data-fact": "which" })];
    for (const [key, denied, title, more] of /** @type {const} */ ([["block_denied", look.block_denied, said.denied, said.denied_note], ["denied", look.denied, said.not_revoke, said.anyway_note]])) {
      if (!denied) continue;
      const why = el("button", { class: "lnk", type: "button", "data-test": `contain-${key}` }, words.plan.denied_more);
      why.addEventListener("click", () => this.tell({ ...tellDenial(denied, { ...this.around, readPolicy: async () => { await this.frame.readPolicy(); this.look(); } }, { refusal: "not_allowed" }) }));
      made.push(note(key, ...lacking(title, denied), " ", more, " ", why));
    }
    for (const one of look.unlisted.slice(0, TOLD)) made.push(note("unlisted", ...this.unlisted(one)));
    if (look.unlisted.length > TOLD) made.push(note("unlisted", said.more_unlisted(look.unlisted.length - TOLD)));
    // One that is decided upon below is told there, whichever way.
    const stay = this.twins.filter((row) => !this.undecided.some((one) => one.app.connected_app_id === row.app.connected_app_id));
    if (stay.length > 0 && this.what.kind === "apps") {
      const ids = [...this.what.connected_app_ids, ...stay.map((row) => row.app.connected_app_id)];
      const too = el("button", { class: "lnk", type: "button", "data-test": "contain-twins" }, said.twins_too(stay.length));
      too.addEventListener("click", () => { this.dialog.close(null); contain(this.frame, { kind: "apps", connected_app_ids: ids }, null); });
      made.push(note("twins", el("b", {}, said.twins(stay.length)), " ", ...stay.slice(0, TOLD).flatMap((row, n) => [n > 0 ? ", " : "", idTail(row.app.connected_app_id), ` (${words.plan.grants(row.grants)})`]), stay.length > TOLD ? ` ${words.policy.differs.more(stay.length - TOLD)}` : "", ". ", too));
    }
    if (look.missing.length > 0) made.push(note("missing", el("b", {}, words.plan.missing), " ", missingSentence(look.missing, this.frame.inventory.picture?.apps ?? 0)));
    if (look.own > 0) made.push(note("own", el("b", {}, words.plan.own(look.own)), " ", words.plan.own_note));
    return made;
  }

  /** What blocking an app means that no list names. @param {import("../contract.js").ContainUnlisted} one */
  unlisted(one) {
    const said = words.contain;
    const { app, known_at, kind, kind_told } = one;
    const whose = el("span", { class: "mono" }, named(app.connected_app_id, { limit: 200 }));
    const who = app.name.trim() === "" ? whose : el("span", {}, named(app.name, { strong: true, limit: 60 }), " ", whose);
    return [
      known_at !== null ? say(said.known, { app: who, at: time(known_at, { seconds: false }) }) : say(said.very_id, { app: who }),
      ...(known_at === null && app.name.trim() === "" ? [" ", said.mistyped] : []),
      ...(kind_told ? [] : [" ", kind === null ? said.both_parts : said.taken_third_party]),
    ];
  }

  /** What else the change of the policy does. @param {ContainLook} look */
  effects(look) {
    const said = words.contain;
    if (look.unchanged) return [];
    const sentences = [...look.closes.map((kind) => said.closes[kind]), said.others_see];
    return [el("p", { class: "soft", "data-fact": "effects" }, sentences.join(" "))];
  }

  /** The apps that somebody has to decide about. @param {HTMLElement} root @param {() => void} changed */
  decisions(root, changed) {
    const said = words.contain;
    const place = slot(root, "decide");
    place.hidden = this.undecided.length === 0;
    if (this.undecided.length === 0) return;
    const keepRest = button(root, "keep-rest");
    const count = () => {
      const left = this.left();
      slot(root, "decide-title").textContent = left > 0 ? said.decide(left) : said.decided;
      slot(root, "decided").textContent = left > 0 ? said.decide_left(left, this.undecided.length) : "";
      keepRest.hidden = left === 0;
    };
    const flagged = [...this.undecided].sort((a, b) => Number(b.like) - Number(a.like) || Number(b.odd) - Number(a.odd));
    put(slot(root, "decisions"), ...flagged.slice(0, SHOWN).map((row) => {
      const item = clone("t-decision");
      const id = row.app.connected_app_id;
      item.dataset.id = id;
      item.dataset.test = "decision";
      put(slot(item, "what"), appName(row.app), ...rowTags(row, this.flags(row)));
      put(slot(item, "under"), idTail(id), " · ", row.known_at ? say(said.known_from, { at: time(row.known_at, { seconds: false }) }) : words.plan.grants(row.grants));
      const group = slot(item, "choices");
      group.setAttribute("aria-label", said.decide_label(visible(row.app.name, 80)));
      put(group, ...(/** @type {ContainChoice[]} */ (["keep", "block", "leave_out"]).map((choice) => {
        const radio = el("input", { type: "radio", name: `decide ${id}`, value: choice, "data-test": `decide-${choice}`, checked: this.decided.get(id) === choice });
        radio.addEventListener("change", () => {
          this.decided.set(id, choice);
          item.dataset.decided = choice;
          count();
          changed();
        });
        return el("label", { title: said.decision_notes[choice] }, radio, el("span", {}, said.decisions[choice]));
      })));
      const had = this.decided.get(id);
      if (had) item.dataset.decided = had;
      return item;
    }), flagged.length > SHOWN ? el("li", { class: "decision soft" }, said.decide_more(flagged.length - SHOWN)) : null);
    keepRest.addEventListener("click", () => {
      for (const row of this.undecided) if (!this.decided.has(row.app.connected_app_id)) this.decided.set(row.app.connected_app_id, "keep");
      for (const item of root.querySelectorAll('[data-test="decision"]:not([data-decided])')) {
        /** @type {HTMLElement} */ (item).dataset.decided = "keep";
        const keep = item.querySelector('input[value="keep"]');
        if (keep instanceof HTMLInputElement) keep.checked = true;
      }
      count();
      changed();
      input(root, "typed").focus();
    });
    count();
  }

  /** Why an app is flagged, or at least that it is. @param {ContainRow} row */
  flags(row) {
    const why = this.odd.get(row.app.connected_app_id) ?? [];
    return !row.odd ? [] : why.length > 0 ? oddTags(why) : [el("span", { class: "tag warn" }, words.contain.odd_tag)];
  }

  /** The policy as it would be by what is decided so far: what is not decided counts as kept. @param {ContainLook} look */
  after(look) {
    const off = this.decidedAs("block", "leave_out");
    return look.after.map((part) => (part.word === "RESTRICTED" ? { ...part, listed: part.listed - off.filter((row) => (row.app.first_party ? "first_party" : "third_party") === part.kind).length } : part));
  }

  /**
   * The plan of what is decided, once all is.
   * @param {HTMLElement} root
   * @param {ContainLook} look
   * @param {{ draw: () => void }} list
   */
  async make(root, look, list) {
    const mine = ++this.turn;
    this.plan = null;
    this.end(root, look);
    list.draw();
    if (this.left() > 0) return;
    try {
      const plan = await this.asked(look);
      if (mine !== this.turn || !this.dialog.open()) return;
      this.plan = plan;
      this.end(root, look);
      list.draw();
      announce(words.contain.heard(plan.grants));
    } catch (thrown) {
      if (mine === this.turn && this.dialog.open()) this.refuse(thrown);
    }
  }

  /** @param {ContainLook} look */
  asked(look) {
    const decisions = [...this.decided].map(([connected_app_id, choice]) => ({ connected_app_id, choice }));
    return ask("contain_make", { look: look.look, decisions, reason: this.choices.reason || null });
  }

  /** The plan with the reason that stands there: it is part of the plan, which with another one is another plan, counted anew. @param {Plan} plan @param {ContainLook} look */
  async reasoned(plan, look) {
    return this.choices.reason === (plan.reason ?? "") ? plan : this.asked(look);
  }

  /** What must be typed, and the button that then works. @param {HTMLElement} root @param {ContainLook} look */
  end(root, look) {
    const said = words.contain;
    const { plan } = this;
    const typed = input(root, "typed");
    const left = this.left();
    this.lead(look, root);
    put(slot(root, "policy"), look.unchanged ? el("p", { class: "soft", "data-fact": "unchanged" }, said.already) : null, ...changeLines(look.before, plan?.block?.after ?? this.after(look)), left > 0 && !look.unchanged ? el("p", { class: "soft", "data-fact": "policy_open" }, said.policy_open(left)) : null, ...this.effects(look));
    const go = button(root, "confirm");
    typed.disabled = plan === null && left > 0;
    go.disabled = plan === null || !sameWords(typed.value, plan.to_type);
    // What was typed before the plan was there is judged by it now.
    slot(root, "wrong").hidden = plan === null || onTheWay(typed.value, plan.to_type);
    button(root, "save").disabled = plan === null;
    slot(root, "canary-line").hidden = (plan?.grants ?? look.grants) < 7;
    put(slot(root, "type-hint"), words.plan.type_hint(plan?.grants ?? look.grants));
    put(slot(root, "type-said"), plan ? say(words.plan.type, { text: el("bdi", { class: "to-type", "data-fact": "to_type" }, plan.to_type) }) : left > 0 ? said.decide_first(left) : words.grants.planning);
    const act = this.act(look, this.forbids(look), plan?.grants ?? look.grants);
    put(go, el("span", {}, look.denied || look.block_denied ? said.anyway(act) : act));
    if (plan) {
      const takes = plan.estimate_ms === null ? words.plan.takes_unknown : plan.estimate_ms < 2_000 ? words.plan.takes_moment : words.plan.takes_value(span(plan.estimate_ms));
      put(slot(root, "facts"), plan.privileged > 0 ? `${words.plan.privileged(plan.privileged)} ` : null, say(plan.grants === 0 ? words.plan.facts_alone : words.plan.facts, { takes: el("span", { "data-fact": "takes" }, takes), at: time(plan.read_at, { seconds: false }), until: time(plan.expires_at, { seconds: false }) }));
    } else put(slot(root, "facts"));
  }

  /**
   * The tabs and the list under them.
   * @param {HTMLElement} root
   * @param {ContainLook} look
   * @returns {{ draw: () => void }}
   */
  parts(root, look) {
    const said = words.contain;
    /** @type {Part} */
    let part = look.unchanged ? "planned" : "blocked";
    const text = input(root, "filter");
    /** @param {Line[]} rows @param {number} total @returns {import("../elements/rows.js").Page<Line>} */
    const page = (rows, total) => ({ rows, matching: total, total, unreadable: [], read_at: look.read_at });
    /** @param {ContainRow} row @returns {Line} */
    const line = (row) => {
      const choice = this.decided.get(row.app.connected_app_id);
      return { key: row.app.connected_app_id, row, ...(choice ? { choice } : {}) };
    };
    /** @type {Rows<Line>} */
    const rows = new Rows({
      label: said.parts,
      manner: "listbox",
      height: 44,
      template: "t-contain-row",
      fetch: async ({ offset, count }) => {
        const { plan } = this;
        if (part === "planned" || part === "members") {
          if (!plan) return page([], 0);
          if (part === "members") {
            const shares = await ask("plan_shares", { hash: plan.hash, noun: "members", offset, count });
            return page(shares.rows.map((share) => ({ key: share.member?.member_id ?? "", share })), shares.total);
          }
          const grants = await ask("plan_grants", { hash: plan.hash, part: "planned", offset, count });
          return page(grants.rows.map((grant) => ({ key: `${grant.member.member_id}\n${grant.app.connected_app_id}`, grant })), grants.total);
        }
        // What was decided stands first; the look knows nothing of it.
        const wanted = text.value.trim().toLowerCase();
        const mine = (part === "blocked" ? this.decidedAs("block", "leave_out") : this.decidedAs("keep")).filter((row) => `${row.app.name} ${row.app.connected_app_id}`.toLowerCase().includes(wanted));
        const shown = mine.slice(offset, offset + count);
        const rest = await ask("contain_rows", { look: look.look, query: { fates: part === "blocked" ? ["blocked", "forbidden"] : ["kept"], text: text.value.trim(), offset: Math.max(0, offset - mine.length), count: Math.max(1, count - shown.length) } });
        return page([...shown, ...rest.rows.slice(0, count - shown.length)].map(line), mine.length + rest.matching);
      },
      id: (one) => one.key,
      paint: (node, one) => paintLine(node, one, look.apps === 1, (row) => this.flags(row)),
      onPage: () => {},
      empty: () => el("div", { class: "blankness slim" }, part === "planned" || part === "members" ? (this.left() > 0 ? said.decide_first(this.left()) : this.plan ? said.no_grants : words.grants.planning) : said.list_none),
      refused: (refusal) => paintTelling(tellRefusal(refusal, { session: this.frame.session, act: "read" })).root,
      stale: () => {},
    });
    rows.root.dataset.test = "contain-rows";
    slot(root, "under").replaceWith(rows.root);
    const tabs = slot(root, "tabs");
    const draw = () => {
      const grants = this.plan?.grants ?? look.grants;
      /** @type {Array<[Part, number]>} */
      const all = [["blocked", this.fate(look, "blocked") + this.fate(look, "forbidden") + this.decidedAs("block", "leave_out").length], ["kept", this.fate(look, "kept") + this.decidedAs("keep").length], ["planned", grants], ["members", this.plan?.members ?? look.members]];
      const held = tabs.contains(document.activeElement);
      put(tabs, ...all.map(([name, n]) => {
        const radio = el("input", { type: "radio", name: "contain-part", value: name, "data-test": `contain-part-${name}`, checked: name === part });
        radio.addEventListener("change", () => { part = name; load(); });
        return el("label", {}, radio, el("span", { class: "num" }, said.part[name](n)));
      }));
      if (held) /** @type {HTMLElement | null} */ (tabs.querySelector("input:checked"))?.focus();
      load();
    };
    const load = () => {
      slot(root, "search").hidden = part !== "kept" && part !== "blocked";
      // What is listed depends on more than the words, so each key is another list.
      rows.load({ filter: JSON.stringify([part, text.value.trim(), this.plan?.hash ?? "", [...this.decided]]) });
    };
    let resting = 0;
    text.addEventListener("input", () => {
      clearTimeout(resting);
      resting = window.setTimeout(load, 110);
    });
    text.addEventListener("keydown", (event) => {
      if (event.key === "Enter") event.preventDefault();
      else if (event.key === "ArrowDown") {
        event.preventDefault();
        rows.focus();
      } else if (event.key === "Escape" && text.value !== "") {
        event.preventDefault();
        event.stopPropagation();
        text.value = "";
        load();
      }
    });
    return { draw };
  }

  /** @param {HTMLElement} root @param {ContainLook} look */
  async save(root, look) {
    const { plan } = this;
    if (!plan) return;
    this.keep(root);
    const from = button(root, "save");
    const place = slot(root, "saved");
    from.disabled = true;
    try {
      // Whoever carries it out is to read why: the reason is part of the file.
      const { turn } = this;
      const fresh = await this.reasoned(plan, look);
      if (turn !== this.turn || !this.dialog.open()) return;
      this.plan = fresh;
      this.end(root, look);
      const done = await ask("plan_save", { hash: fresh.hash });
      put(place, say(words.plan.saved, { path: el("span", { class: "mono path", "data-fact": "path" }, named(done.path, { limit: 600 })) }));
      place.hidden = false;
      announce(words.plan.saved_heard);
    } catch (thrown) {
      if (this.dialog.open()) this.tell(tellRefusal(refusalOf(thrown), { ...this.around, act: "read" }));
    }
    from.disabled = this.plan === null;
  }

  /** @param {HTMLElement} root @param {ContainLook} look @param {string} typed */
  async start(root, look, typed) {
    const { dialog, frame, plan } = this;
    if (!plan) return;
    this.keep(root);
    const go = button(root, "confirm");
    go.disabled = true;
    put(go, words.plan.starting);
    dialog.lock(true);
    try {
      const fresh = await this.reasoned(plan, look);
      if (fresh.to_type !== plan.to_type) {
        dialog.lock(false);
        this.plan = fresh;
        this.end(root, look);
        announce(words.refusals.plan_changed.title);
        return;
      }
      const sweep = await ask("sweep_start", { hash: fresh.hash, typed, canary: this.choices.canary && fresh.grants >= 7, ask_anyway: look.denied !== null || look.block_denied !== null, block_last: this.choices.last });
      dialog.lock(false);
      dialog.close(null);
      frame.began(sweep);
    } catch (thrown) {
      dialog.lock(false);
      if (dialog.open()) this.tell(tellRefusal(refusalOf(thrown), { ...this.around, retry: () => this.look() }));
    }
  }
}

/** What an app is marked with. @param {ContainRow} row @param {HTMLElement[]} flags */
function rowTags(row, flags) {
  const said = words.contain;
  return [row.like ? el("span", { class: "tag warn" }, said.like_tag) : null, ...flags, row.new ? el("span", { class: "tag" }, said.new_tag) : null, row.unlisted ? el("span", { class: row.known_at ? "tag warn" : "tag" }, said.unlisted_tag) : null];
}

/** @param {HTMLElement} node @param {Line} line @param {boolean} oneApp @param {(row: ContainRow) => HTMLElement[]} flags */
function paintLine(node, line, oneApp, flags) {
  const said = words.contain;
  const { row, grant, share, choice } = line;
  if (row) {
    const byId = row.unlisted && row.app.name.trim() === "";
    put(slot(node, "what"), byId ? el("span", { class: "mono" }, named(row.app.connected_app_id, { limit: 80 })) : appName(row.app), ...(byId ? [] : rowTags(row, flags(row))));
    put(slot(node, "under"), byId ? said.by_id : idTail(row.app.connected_app_id));
    put(slot(node, "much"), row.unlisted ? "" : words.plan.grants(row.grants));
    const fate = choice === "block" ? said.fates.blocked : choice === "leave_out" ? said.fates.left_out : choice === "keep" ? said.fates.kept : said.fates[row.fate];
    put(slot(node, "fate"), fate);
    node.dataset.fate = choice ?? row.fate;
    return;
  }
  const member = grant?.member ?? share?.member;
  if (!member) return;
  put(slot(node, "what"), named(memberName(member), { strong: true, limit: 80 }), member.yourself ? el("span", { class: "tag" }, words.you) : null);
  put(slot(node, "under"), grant && !oneApp ? named(grant.app.name, { limit: 80 }) : member.name && member.email ? named(member.email, { limit: 120 }) : "");
  put(slot(node, "much"), share ? words.plan.loses(share.grants, share.of) : "");
  put(slot(node, "fate"), grant ? (grant.scopes.length > 0 ? named(grant.scopes.join(" "), { limit: 200 }) : words.grants.no_scopes) : "");
}
