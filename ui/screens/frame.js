// The frame around the screens: the bar, the navigation, the banners, the session's time, and what every screen may ask of the
// rest. With nobody signed in it shows what was kept of the last reading, and every act is refused with the reason.

import { ask, channel, refusalOf } from "../bridge.js";
import { openDialog, openedDialog } from "../elements/dialog.js";
import { hostOf, tellRefusal } from "../elements/outcome.js";
import { paintTelling } from "../elements/telling.js";
import { announce, button, clone, el, put, say, slot } from "../lib/dom.js";
import { named } from "../lib/text.js";
import { everySecond, span, time, until } from "../lib/time.js";
import { words } from "../words/en.js";
import { Choice } from "../lib/choice.js";
import { Inventory } from "../lib/inventory.js";
import { ComeBacks } from "../lib/come_backs.js";
import { Sweeps, isOpen } from "../lib/sweeps.js";
import { activity } from "./activity.js";
import { apps } from "./apps.js";
import { comeBackActs, comeBackSentence, notificationOf, openComeBacks } from "./come_backs.js";
import { contain } from "./contain.js";
import { checkPack, tellRolledBack } from "./evidence.js";
import { openHistory } from "./history.js";
import { checkIndicators } from "./indicators.js";
import { map } from "./map.js";
import { members } from "./members.js";
import { openPalette } from "./palette.js";
import { makePlan, openPlan } from "./plan.js";
import { showReport, startRevoke } from "./revoke.js";
import { blockShort, sweepTitle, whyOpen } from "./sweep.js";
import { openWidthRules } from "./width_rules.js";

/** @typedef {import("../contract.js").Session} Session */
/** @typedef {import("../contract.js").MemberFace} MemberFace */
/** @typedef {import("../contract.js").AppFace} AppFace */
/** @typedef {import("../contract.js").RevokeReport} RevokeReport */
/** @typedef {import("../contract.js").SessionEnd} SessionEnd */
/** @typedef {import("../bridge.js").AnyRefusal} AnyRefusal */
/** @typedef {{ member: MemberFace, app: AppFace }} About */
/** @typedef {"apps" | "members" | "map" | "activity"} ScreenName */
/** Why nothing can be done here: the session is being checked, there is none, or nobody could be asked. @typedef {"checking" | "signed_out" | "offline"} ReadOnly */
/** @typedef {import("../contract.js").Environment} Environment */
/** @typedef {{ organization_id: string, organization_name: string, environment: Environment, base_url: string }} Place */
/** @typedef {import("../lib/inventory.js").What} What */

/**
 * A screen, as the frame sees it.
 * @typedef {object} View
 * @property {HTMLElement} root
 * @property {() => Promise<void>} load reads what it shows, for the first time
 * @property {() => void} reload reads again
 * @property {() => void} [redraw] reads again what the open detail shows
 * @property {() => void} enter it has come into view
 * @property {(what: What, inSight: boolean) => void} [changed] the inventory has changed
 * @property {() => { name: string, run: () => void } | null} [contain] the app that is open, and what contains it
 * @property {() => boolean} [escape] Esc was pressed: whether something was closed
 * @property {() => void} [refresh] asks the server again; without it, the inventory is read
 * @property {HTMLInputElement} [filter]
 * @property {(format: import("../contract.js").ExportFormat) => import("../contract.js").ExportWhat} [export] what an export of it takes
 * @property {(id: string, only?: string) => Promise<void>} [openRow] opens the detail of one row; `only` is what in it is meant
 */

/**
 * What a screen may ask of the frame.
 * @typedef {object} Frame
 * @property {Session | null} session `null`: nobody is signed in, and what is shown was kept
 * @property {Place} place
 * @property {Inventory} inventory
 * @property {Sweeps} sweeps
 * @property {{ apps: Choice, members: Choice, grants: Choice }} choices what is selected
 * @property {(what: import("../contract.js").PlanWhat) => void} plan shows what revoking something would be
 * @property {ComeBacks} comeBacks
 * @property {(what: import("../contract.js").ContainWhat, name: string | null) => void} contain shows what containing something would be
 * @property {() => void} checkIndicators
 * @property {() => void} checkPack
 * @property {() => void} openComeBacks
 * @property {() => void} openPlan
 * @property {(id: string) => void} openSweep
 * @property {(sweep: import("../contract.js").Sweep) => void} began a sweep was begun: shows it
 * @property {(id: string) => Promise<void>} resumeSweep goes on with one
 * @property {() => string} whyReadOnly why nothing can be done here, with nobody signed in
 * @property {(name: ScreenName) => void} go
 * @property {(screen: "apps" | "members" | "activity", id: string, only?: string) => Promise<void>} openRow
 * @property {boolean} ended the shell has said that the session is over; what was on screen stays readable
 * @property {() => void} openHistory
 * @property {() => void} openWidthRules
 * @property {() => Promise<void>} looked marks what is there now as looked at
 * @property {() => View | undefined} view the screen in view
 * @property {() => void} extend
 * @property {() => void} signOut
 * @property {(about: About | null) => void} signInAgain
 * @property {() => Promise<Session>} readPolicy
 * @property {(about: About, how: import("./revoke.js").How) => void} revoke
 * @property {(report: RevokeReport, how: import("./revoke.js").How) => void} showReport
 * @property {(refusal: AnyRefusal, how: { act: "read" | "session", retry?: () => unknown }) => void} tell
 * @property {(reports: RevokeReport[]) => void} revokesSeen
 * @property {() => Promise<void>} lookAtRevokes
 * @property {(look: (reports: RevokeReport[]) => void, until: Promise<void>) => void} watch
 */

/**
 * What goes on after signing in again.
 * @typedef {{ about: About | null, member_id: string, organization_id: string, email: string, connection_id: string }} Resume
 */

/** Milliseconds between two looks at the session. The shell keeps it alive; this only shows it. */
const SESSION_LOOK = 15_000;
/** Milliseconds between two looks at revokes that are still open. */
const REVOKE_LOOK = 20_000;

/** A session that has less left than these milliseconds is about to end. */
const ENDING = 5 * 60_000;

const SCREENS = { apps, members, map, activity };

/**
 * The frame as main sees it.
 * @typedef {object} Opened
 * @property {(session: Session) => boolean} live the session has come: everything becomes live where it stands; false: it is of
 *   another organization or place than what is shown, and nothing was done
 * @property {(why: ReadOnly, about: { ended?: SessionEnd | null, problem?: import("../contract.js").Problem | null }) => void} cannot nobody could be signed in
 * @property {() => void} close
 */

/**
 * @param {HTMLElement} place
 * @param {Session | null} session
 * @param {{ resume: Resume | null, kept?: import("../contract.js").PictureFacts, onSignedOut: (ended: SessionEnd | null, resume: Resume | null) => void, tryAgain?: () => unknown }} how `kept` is there when nobody is signed in
 * @returns {Opened}
 */
export function openFrame(place, session, how) {
  const root = clone("t-shell");
  const content = slot(root, "content");
  const banners = slot(root, "banners");
  const late = slot(root, "late");
  const pop = slot(root, "pop");
  const left = slot(root, "left");
  let closed = false;
  let toldEnd = false;
  let openTold = false;
  let settledTold = false;
  let wasRunning = false;
  // The sweep that ran last while this was open.
  let ran = "";
  // The session ends within five minutes, and that is said.
  let ending = false;
  // Whatever is unsettled at the first look was left by an earlier run.
  let leftBehind = false;
  /** @type {Set<(reports: RevokeReport[]) => void>} */
  const watchers = new Set();
  /** @type {Map<ScreenName, View>} */
  const views = new Map();
  /** @type {ScreenName} */
  let current = "apps";
  /** @type {number[]} */
  const timers = [];
  let open = false;
  /** @type {ReadOnly} */
  let why = "checking";
  /** @type {{ ended?: SessionEnd | null, problem?: import("../contract.js").Problem | null }} */
  let whyAbout = {};
  const inventory = new Inventory();
  const sweeps = new Sweeps();
  const comeBacks = new ComeBacks();
  /** The journal is older than what was kept of it. @type {import("../contract.js").RolledBack | null} */
  let rolledBack = null;
  /** Blocks that somebody undid, until they are put away. @type {Array<{ sweep_id: string, connected_app_ids: string[] }>} */
  const undone = [];
  /** Sweeps whose banner was put away. @type {Set<string>} */
  const dismissed = new Set();

  /** @type {Frame} */
  const frame = {
    session,
    place: session ? placeOf(session) : { organization_id: how.kept?.organization_id ?? "", organization_name: how.kept?.organization_name ?? "", environment: how.kept?.environment ?? "test", base_url: how.kept?.base_url ?? "" },
    inventory,
    sweeps,
    plan: (what) => makePlan(frame, what),
    comeBacks,
    contain: (what, name) => contain(frame, what, name),
    checkIndicators: () => { checkIndicators(frame); },
    checkPack: () => checkPack(frame),
    openComeBacks: () => openComeBacks(frame),
    openPlan: () => openPlan(frame),
    openSweep: (id) => { frame.openRow("activity", id); },
    began: (sweep) => {
      sweeps.adopt(sweep);
      frame.openSweep(sweep.sweep_id);
    },
    resumeSweep: async (id) => {
      sweeps.adopt(await ask("sweep_resume", { sweep_id: id }));
    },
    choices: { apps: new Choice("apps", true), members: new Choice("members", false), grants: new Choice("grants", false) },
    whyReadOnly: () => words.read_only[why],
    ended: false,
    go,
    openRow: async (name, id, only) => {
      if (current !== name) go(name);
      try {
        await views.get(name)?.openRow?.(id, only);
      } catch (thrown) {
        tell(refusalOf(thrown), { act: "read" });
      }
    },
    openHistory: () => openHistory(frame),
    openWidthRules: () => openWidthRules(frame),
    looked: async () => {
      try {
        inventory.adopt(await ask("inventory_looked", {}));
        announce(words.inventory.looked_done);
        views.get(current)?.filter?.focus();
      } catch (thrown) {
        tell(refusalOf(thrown), { act: "read" });
      }
    },
    view: () => views.get(current),
    extend: () => extendSession(button(root, "extend")),
    signOut: () => signOut(false),
    signInAgain: (about) => {
      const { session: who } = frame;
      leave(null, who ? { about, member_id: who.member_id, organization_id: who.organization_id, email: who.member_email, connection_id: who.connection.id } : null);
    },
    readPolicy: async () => {
      const fresh = await ask("policy_read_again", {});
      show(fresh);
      return fresh;
    },
    revoke: (about, revokeHow) => startRevoke(frame, about, {
      after: async (changed) => {
        await revokeHow.after?.(changed);
        if (!changed) return;
        await lookAtLists();
        for (const [name, view] of views) if (name !== current || name !== "members") view.reload();
      },
    }),
    showReport: (report, reportHow) => showReport(frame, report, {
      after: async (changed) => {
        if (changed) {
          await lookAtLists();
          for (const view of views.values()) view.reload();
        }
        await reportHow.after?.(changed);
      },
    }),
    tell,
    revokesSeen,
    lookAtRevokes,
    watch: (look, ended) => {
      watchers.add(look);
      ended.then(() => watchers.delete(look));
    },
  };

  function showPlace() {
    const { place: here } = frame;
    put(slot(root, "org"), named(here.organization_name, { limit: 80 }));
    const env = slot(root, "env");
    env.textContent = words.environment[here.environment];
    env.dataset.env = here.environment;
    env.title = words.environment_long[here.environment];
    put(slot(root, "host"), say(here.environment === "sandbox" ? words.shell.footer_sandbox : words.shell.footer, { host: el("bdi", { "data-test": "host" }, hostOf(here.base_url)) }));
    const live = frame.session !== null;
    slot(root, "session").hidden = !live;
    slot(root, "account").hidden = !live;
    root.dataset.live = String(live);
  }

  /** @param {Session} fresh */
  function show(fresh) {
    frame.session = fresh;
    frame.ended = false;
    frame.place = placeOf(fresh);
    showPlace();
    put(slot(root, "who"), named(fresh.member_email, { limit: 80 }));
    put(
      slot(root, "facts"),
      el("dt", {}, words.shell.signed_in_as),
      el("dd", { "data-fact": "signed_in_as" }, fresh.member_name ? el("div", {}, named(fresh.member_name, { strong: true })) : null, named(fresh.member_email)),
      el("dt", {}, words.shell.roles),
      el("dd", { "data-fact": "roles" }, named(fresh.roles.join(", "), { empty: words.none, limit: 400 })),
      el("dt", {}, words.shell.policy),
      el("dd", { "data-fact": "policy_read_at" }, fresh.policy_read_at ? time(fresh.policy_read_at) : words.shell.policy_none),
      el("dt", {}, words.shell.kept),
      el("dd", { "data-fact": "keeping" }, words.keeping[fresh.keeping]),
    );
    drawBanners();
  }

  /** Banners are drawn anew from what is true now. */
  /** @type {RevokeReport[]} */
  let reports = [];
  let looked = false;
  let resumeLost = false;
  function drawBanners() {
    const made = [];
    const { session: now } = frame;
    if (!now) made.push(readOnlyBanner());
    const { keeping, impersonator } = now ?? { keeping: /** @type {const} */ ("keyring"), impersonator: null };
    if (impersonator && now) made.push(banner("impersonator", say(words.shell.impersonated, { who: named(impersonator, { strong: true }), member: named(now.member_email) })));
    if (keeping !== "keyring" && keeping !== "memory_sandbox") {
      const again = el("button", { class: "b small", type: "button", "data-test": "keyring-again" }, words.keeping_banner.again);
      again.addEventListener("click", () => tryKeyring(again));
      made.push(banner("keeping", el("span", {}, el("b", {}, words.keeping_banner.lead), " ", words.keeping_banner[keeping]), again));
    }
    if (ending && now) {
      const longer = el("button", { class: "b small", type: "button", "data-test": "session-extend-now" }, words.shell.extend_now);
      longer.addEventListener("click", () => extendSession(longer));
      made.push(banner("ending", endingWords(now), longer));
    }
    if (rolledBack) {
      const noted = rolledBack;
      const more = el("button", { class: "b small", type: "button", "data-test": "rolled-back-details" }, words.evidence.rolled_back_more);
      more.addEventListener("click", () => tellRolledBack(noted));
      const away = el("button", { class: "lnk", type: "button", "data-test": "rolled-back-dismiss" }, words.interrupted_banner.dismiss);
      away.addEventListener("click", () => { rolledBack = null; drawBanners(); });
      made.push(banner("rolled-back", el("b", {}, words.evidence.rolled_back), more, away));
    }
    if (now) for (const block of undone) made.push(undoneBanner(block));
    if (comeBacks.total > 0 && now) made.push(banner("come-back", el("span", {}, ...comeBackSentence(comeBacks.rows, comeBacks.total), " ", el("span", { class: "soft" }, words.come_back.note)), ...comeBackActs(frame)));
    for (const sweep of sweeps.all) {
      if (!now || !sweep.here || !isOpen(sweep) || dismissed.has(sweep.sweep_id) || current === "activity") continue;
      const look = el("button", { class: "b small", type: "button", "data-test": "sweep-open-show" }, words.sweep.banner_look);
      look.addEventListener("click", () => frame.openSweep(sweep.sweep_id));
      const acts = [look];
      if (sweep.resume === "yes") {
        const go_on = el("button", { class: "b small solid", type: "button", "data-test": "sweep-open-resume" }, words.sweep.go_on);
        go_on.addEventListener("click", async () => {
          go_on.disabled = true;
          try {
            await frame.resumeSweep(sweep.sweep_id);
            frame.openSweep(sweep.sweep_id);
          } catch (thrown) {
            go_on.disabled = false;
            tell(refusalOf(thrown), { act: "session" });
          }
        });
        acts.unshift(go_on);
      }
      const away = el("button", { class: "lnk", type: "button", "data-test": "sweep-open-dismiss" }, words.interrupted_banner.dismiss);
      away.addEventListener("click", () => { dismissed.add(sweep.sweep_id); drawBanners(); });
      const open = banner("sweep-open", say(words.sweep.banner, { what: sweepTitle(sweep), done: bannerDone(sweep), why: whyOpen(sweep) }), ...acts, away);
      open.dataset.sweep = sweep.sweep_id;
      // One that says the same stays: a button must not go from under a press.
      const stays = [...banners.children].find((old) => old.isEqualNode(open));
      made.push(stays instanceof HTMLElement ? stays : open);
    }
    const unsettled = reports.filter((report) => report.unsettled && report.here).length;
    if (unsettled > 0 && !openTold && current !== "activity") {
      const look = el("button", { class: "b small", type: "button", "data-test": "unsettled-show" }, words.interrupted_banner.show);
      look.addEventListener("click", () => go("activity"));
      const away = el("button", { class: "lnk", type: "button", "data-test": "unsettled-dismiss" }, words.interrupted_banner.dismiss);
      away.addEventListener("click", () => { openTold = true; drawBanners(); });
      const said = (leftBehind ? words.interrupted_banner.open : words.interrupted_banner.here)(unsettled);
      made.push(banner("unsettled", el("span", {}, said), look, away));
    }
    const settled = reports.filter((report) => report.left_behind && !report.unsettled && report.here);
    if (settled.length > 0 && !settledTold && current !== "activity") {
      const look = el("button", { class: "b small", type: "button", "data-test": "settled-show" }, words.interrupted_banner.show);
      look.addEventListener("click", () => go("activity"));
      const away = el("button", { class: "lnk", type: "button", "data-test": "settled-dismiss" }, words.interrupted_banner.dismiss);
      away.addEventListener("click", () => { settledTold = true; drawBanners(); });
      const [only] = settled;
      const said = settled.length === 1 && only
        ? say(words.interrupted_banner.settled_one, { app: named(only.app.name, { strong: true, empty: words.nameless }), member: named(only.member.name || only.member.member_id, { strong: true }), outcome: words.outcome[only.outcome].short })
        : words.interrupted_banner.settled_many(settled.length);
      made.push(banner("settled", el("span", {}, said), look, away));
    }
    if (resumeLost && how.resume?.about) {
      const away = el("button", { class: "lnk", type: "button" }, words.interrupted_banner.dismiss);
      away.addEventListener("click", () => { resumeLost = false; drawBanners(); });
      made.push(banner("resume-other", say(words.resume_other, { app: named(how.resume.about.app.name, { strong: true }), member: named(how.resume.about.member.name || how.resume.about.member.member_id, { strong: true }) }), away));
    }
    // They are drawn anew when something changes elsewhere: the keyboard must not fall off a button for that.
    const active = document.activeElement;
    const held = active instanceof HTMLElement && (banners.contains(active) || late.contains(active)) ? active.dataset.test : undefined;
    // What is true from the start stands above; what comes later must not push away what somebody reads or is about to press.
    const early = ["banner-impersonator", "banner-keeping", "banner-rolled-back", "banner-sweep-open"];
    put(banners, ...made.filter((one) => early.includes(one.dataset.test ?? "")));
    put(late, ...made.filter((one) => !early.includes(one.dataset.test ?? "")));
    const again = held === undefined ? null : root.querySelector(`.banners [data-test="${held}"]`);
    if (again instanceof HTMLElement) again.focus();
  }

  /** How far an open sweep is: the policy may be changed although nothing was sent. @param {import("../contract.js").Sweep} sweep */
  function bannerDone(sweep) {
    if (sweep.grants === 0) return words.sweep.banner_block;
    const block = sweep.policy && (sweep.policy.in_force || sweep.policy.unread || sweep.policy.lifted) ? `${blockShort(sweep.policy).toLowerCase()}, ` : "";
    return `${block}${words.sweep.sending(sweep.answered, sweep.grants)}`;
  }

  /** @param {Session} now */
  function endingWords(now) {
    return say(words.shell.ending, { org: named(now.organization_name, { strong: true, limit: 80 }), at: time(now.expires_at, { seconds: false }) });
  }

  /** What is shown was kept, and why nothing can be done with it. */
  function readOnlyBanner() {
    const picture = inventory.picture ?? how.kept ?? null;
    const at = picture ? time(picture.read_at, { seconds: false }) : words.unknown_value;
    const old = picture ? span(Date.now() - new Date(picture.read_at).getTime()) : "";
    const made = banner("read-only", el("span", {}, el("b", {}, words.read_only[why]), " ", say(words.read_only.shown, { at, old })));
    made.dataset.why = why;
    const acts = slot(made, "acts");
    if (why === "offline") {
      const { problem } = whyAbout;
      if (problem) {
        const more = el("button", { class: "lnk", type: "button", "data-test": "read-only-details" }, words.grants.why_not);
        more.addEventListener("click", () => tell({ kind: "offline", ...problem }, { act: "session" }));
        acts.append(more);
      }
      const again = el("button", { class: "b small", type: "button", "data-test": "session-restore" }, words.try_again);
      again.addEventListener("click", () => { again.disabled = true; how.tryAgain?.(); });
      acts.append(again);
    }
    if (why !== "checking") {
      const sign = el("button", { class: "b small", type: "button", "data-test": "sign-in-again" }, words.read_only.sign_in);
      sign.addEventListener("click", () => leave(whyAbout.ended ?? null, null));
      acts.append(sign);
    } else made.classList.add("plain");
    return made;
  }

  /** @param {HTMLButtonElement} from */
  async function extendSession(from) {
    from.disabled = true;
    try {
      const fresh = await ask("session_extend", { minutes: 60 });
      show(fresh);
      announce(words.shell.extended(span(until(fresh.expires_at))));
    } catch (thrown) {
      tell(refusalOf(thrown), { act: "session" });
    }
    from.disabled = false;
  }

  /** @param {HTMLButtonElement} from */
  async function tryKeyring(from) {
    from.disabled = true;
    try {
      const keeping = await ask("keyring_try_again", {});
      if (frame.session) show({ ...frame.session, keeping });
      if (keeping === "keyring") announce(words.keeping_banner.now);
    } catch (thrown) {
      tell(refusalOf(thrown), { act: "session" });
    }
    from.disabled = false;
  }

  /** The sweep that an end of the session would have stopped. */
  function stopped() {
    const sweep = sweeps.one(ran);
    return sweep && (sweep.stand.state === "running" || sweep.stand.state === "session_ended") ? sweep : null;
  }

  /** @param {AnyRefusal} refusal @param {{ act: "read" | "session", retry?: () => unknown, signOutAnyway?: () => unknown }} about */
  function tell(refusal, about) {
    const dialog = openDialog();
    const { retry, signOutAnyway } = about;
    const { root: content, first } = paintTelling(tellRefusal(refusal, {
      session: frame.session,
      act: about.act,
      stopped: stopped(),
      close: () => dialog.close(),
      ...(retry ? { retry: () => { dialog.close(); retry(); } } : {}),
      ...(signOutAnyway ? { signOutAnyway: () => { dialog.close(); signOutAnyway(); } } : {}),
      signIn: () => { dialog.close(null); frame.signInAgain(null); },
      showSweep: (id) => { dialog.close(null); frame.openSweep(id); },
    }));
    dialog.show(content, { stage: "told", refusal: refusal.kind }, first);
  }

  /** The shell was asked to close while a sweep runs, where it cannot go on without a window. */
  function askToClose() {
    if (openedDialog()?.root.dataset.stage === "closing") return;
    const dialog = openDialog();
    const content = clone("t-ask");
    slot(content, "title").textContent = words.closing.title;
    slot(content, "lead").textContent = words.closing.lead;
    const keep = button(content, "keep");
    keep.textContent = words.closing.keep;
    keep.addEventListener("click", () => dialog.close());
    const go_on = button(content, "go");
    go_on.textContent = words.closing.stop;
    go_on.addEventListener("click", async () => {
      go_on.disabled = true;
      keep.disabled = true;
      go_on.textContent = words.closing.stopping;
      dialog.lock(true);
      await ask("window_close", {}).catch((thrown) => { dialog.lock(false); tell(refusalOf(thrown), { act: "session" }); });
    });
    dialog.show(content, { stage: "closing" }, keep);
  }

  /** @param {RevokeReport[]} seen */
  function revokesSeen(seen) {
    const open = seen.filter((report) => report.unsettled && report.here).length;
    if (!looked) leftBehind = open > 0;
    else if (open === 0) leftBehind = false;
    looked = true;
    reports = seen;
    drawBadge();
    for (const look of watchers) look(seen);
    drawBanners();
  }

  function drawBadge() {
    const badge = slot(root, "count-activity");
    const running = sweeps.running ? sweeps.one(sweeps.running.id) : null;
    const open = reports.filter((report) => report.unsettled && report.here).length + sweeps.all.filter((sweep) => sweep.here && isOpen(sweep)).length;
    badge.classList.toggle("dot", running !== null || open > 0);
    if (running) {
      const done = Math.max(running.answered, sweeps.running?.progress?.answered ?? 0);
      put(badge, words.sweep.banner_running(Math.min(100, Math.floor((done / Math.max(1, running.grants)) * 100))));
      badge.title = words.sweep.banner_running_title;
      return;
    }
    put(badge, ...(open > 0 ? [words.number(open), el("span", { class: "unseen" }, words.shell.unsettled_unseen)] : []));
    badge.title = open > 0 ? words.shell.unsettled_badge(open) : "";
  }

  sweeps.listen((what) => {
    drawBadge();
    if (what !== "list") return;
    drawBanners();
    // A sweep that rests has changed what the lists show.
    if (!sweeps.running && wasRunning) {
      lookAtLists().then(() => { for (const [name, view] of views) if (name !== "activity") view.reload(); });
    }
    wasRunning = sweeps.running !== null;
    if (sweeps.running) ran = sweeps.running.id;
  });

  comeBacks.listen(() => {
    drawWatch();
    drawBanners();
  });

  /** A block that somebody undid, and what can be done. @param {{ sweep_id: string, connected_app_ids: string[] }} block */
  function undoneBanner(block) {
    const said = words.come_back.undone;
    const [only, ...more] = block.connected_app_ids;
    const away = () => { undone.splice(undone.indexOf(block), 1); drawBanners(); };
    const again = el("button", { class: "b small", type: "button", "data-test": "undone-block" }, words.come_back.block);
    again.addEventListener("click", () => frame.contain({ kind: "apps", connected_app_ids: block.connected_app_ids }, more.length === 0 ? only ?? null : null));
    const look = el("button", { class: "b small", type: "button", "data-test": "undone-show" }, said.show);
    look.addEventListener("click", () => frame.openSweep(block.sweep_id));
    const dismiss = el("button", { class: "lnk", type: "button", "data-test": "undone-dismiss" }, words.interrupted_banner.dismiss);
    dismiss.addEventListener("click", away);
    const app = more.length === 0 ? el("span", { class: "mono" }, named(only ?? "", { limit: 120 })) : el("b", {}, words.contain.apps(block.connected_app_ids.length));
    return banner("undone", el("span", {}, el("b", {}, said.lead), " ", say(said.consent, { app })), again, look, dismiss);
  }

  /** That it watches, and when it last looked. */
  function drawWatch() {
    const place = slot(root, "watch");
    const { watch } = comeBacks;
    place.hidden = watch === null;
    if (!watch) return;
    const said = words.come_back;
    const every = !watch.watching ? said.waits : watch.every_s < 60 ? said.watching_s(watch.every_s) : said.watching(Math.round(watch.every_s / 60));
    put(place, every, watch.looked_at ? say(`: ${said.looked}`, { at: time(watch.looked_at, { seconds: false }) }) : null, watch.problem ? `; ${said.failed}` : "", ".");
  }

  /** @param {import("../contract.js").WindowNotice} notice */
  async function heard(notice) {
    if (closed) return;
    if (notice === "closing") { askToClose(); return; }
    try {
      if (notice !== "looked" && "block_undone" in notice) {
        undone.push(notice.block_undone);
        drawBanners();
        const { title, body } = words.come_back.undone.notification(notice.block_undone.connected_app_ids.length);
        announce(body);
        await ask("window_notify", { title, body }).catch(() => {});
        return;
      }
      // What was found gone may be listed again, also in what Activity shows.
      await Promise.all([comeBacks.look(), sweeps.look()]);
      if (notice === "looked" || closed) { inventory.look(); return; }
      const fresh = comeBacks.rows.filter((row) => notice.come_backs.ids.includes(row.id));
      const { title, body } = notificationOf(fresh, Math.max(fresh.length, notice.come_backs.ids.length));
      announce(body);
      // Where the system shows no notifications, the line across the window says the same.
      await ask("window_notify", { title, body }).catch(() => {});
    } catch {
      // A look in passing: the next one says what has come back.
    }
  }

  async function lookAtJournal() {
    try {
      const { rolled_back } = await ask("journal_status", {});
      if (closed || !rolled_back) return;
      rolledBack = rolled_back;
      drawBanners();
      announce(words.evidence.rolled_back);
    } catch {
      // A journal that cannot be asked is told of by whatever needs it.
    }
  }

  /** What the lists have now: what had come back may be gone again. */
  async function lookAtLists() {
    await Promise.all([inventory.look(), comeBacks.look().catch(() => {})]);
  }

  async function lookAtRevokes() {
    try {
      const [seen] = await Promise.all([ask("revoke_list", {}), sweeps.look()]);
      if (!closed) revokesSeen(seen);
    } catch {
      // The Activity screen says what is wrong with it when it is opened; a look in passing says nothing.
    }
  }

  async function lookAtSession() {
    if (closed || frame.session === null) return;
    try {
      const status = await ask("session_status", {});
      if (closed) return;
      if (status.state === "signed_in") {
        toldEnd = false;
        frame.ended = false;
        drawLeft();
        if (JSON.stringify(status) !== JSON.stringify({ state: "signed_in", ...frame.session })) show(status);
        return;
      }
      if (!frame.ended) {
        frame.ended = true;
        drawLeft();
        // A sweep may have been stopped by it: how far it came is told with the end.
        await sweeps.look().catch(() => {});
        if (closed) return;
      }
      if (!toldEnd && !openedDialog()) {
        // What is on screen stays readable behind the dialog; nothing is taken away from under a hand.
        toldEnd = true;
        tell({ kind: "signed_out", request_id: status.ended?.request_id ?? null, resume_as: null }, { act: "session" });
      }
    } catch {
      // A look in passing: the next command that matters says what is wrong.
    }
  }

  /** @param {ScreenName} name */
  function go(name) {
    current = name;
    drawBanners();
    for (const one of root.querySelectorAll("[data-nav]")) {
      if (/** @type {HTMLElement} */ (one).dataset.nav === name) one.setAttribute("aria-current", "page");
      else one.removeAttribute("aria-current");
    }
    document.title = `${words.shell[name]} · ${words.product}`;
    let view = views.get(name);
    if (!view) {
      view = SCREENS[name](frame);
      views.set(name, view);
      put(content, view.root);
      view.load();
    } else {
      put(content, view.root);
      if (name === "activity") view.reload();
    }
    view.enter();
  }

  /** @param {SessionEnd | null} ended @param {Resume | null} resume */
  function leave(ended, resume) {
    shut();
    openedDialog()?.close(null);
    how.onSignedOut(ended, resume);
  }

  function shut() {
    closed = true;
    inventory.close();
    sweeps.close();
    comeBacks.close();
    for (const timer of timers) clearInterval(timer);
    document.removeEventListener("visibilitychange", seen);
    document.removeEventListener("keydown", keys);
    window.removeEventListener("focus", lookAtSession);
  }

  /** @param {boolean} evenIfUnreachable */
  async function signOut(evenIfUnreachable) {
    const out = button(root, "out");
    out.disabled = true;
    try {
      await ask("sign_out", { even_if_unreachable: evenIfUnreachable });
      leave(null, null);
    } catch (thrown) {
      out.disabled = false;
      const refusal = refusalOf(thrown);
      if (refusal.kind === "signed_out") { leave(null, null); return; }
      if (open) pop.hidePopover();
      tell(refusal, { act: "session", retry: () => signOut(false), signOutAnyway: () => signOut(true) });
    }
  }

  /** @param {number} ms until the session ends */
  function watchEnd(ms) {
    const near = ms > 0 && ms < ENDING;
    if (near === ending) return;
    ending = near;
    drawBanners();
    if (near && frame.session) announce(endingWords(frame.session).textContent ?? "");
  }

  function drawLeft() {
    if (!frame.session) return;
    const ms = frame.ended ? 0 : until(frame.session.expires_at);
    left.textContent = ms > 0 ? words.shell.left(span(ms)) : words.shell.ended;
    left.classList.toggle("soon", ms < ENDING);
    watchEnd(ms);
    left.title = frame.ended ? "" : `${new Date(frame.session.expires_at).toISOString().slice(0, 19).replace("T", " ")} UTC`;
    const act = button(root, "extend");
    act.textContent = frame.ended ? words.read_only.sign_in : words.shell.extend;
    act.title = frame.ended ? "" : words.shell.extend_title;
  }
  everySecond(left, drawLeft);
  const extend = button(root, "extend");
  extend.addEventListener("click", () => { if (frame.ended) frame.signInAgain(null); else extendSession(extend); });
  pop.addEventListener("toggle", (event) => { open = /** @type {any} */ (event).newState === "open"; });
  const policy = button(root, "policy");
  policy.addEventListener("click", async () => {
    policy.disabled = true;
    policy.textContent = words.lists.reading;
    try {
      await frame.readPolicy();
      announce(words.shell.policy_read);
      // What may be done stands beside every grant, in the open detail too.
      for (const view of views.values()) {
        view.reload();
        view.redraw?.();
      }
    } catch (thrown) {
      pop.hidePopover();
      tell(refusalOf(thrown), { act: "session" });
    }
    policy.textContent = words.shell.policy_again;
    policy.disabled = false;
  });
  button(root, "out").addEventListener("click", () => signOut(false));
  for (const one of root.querySelectorAll("[data-nav]")) {
    one.addEventListener("click", () => go(/** @type {ScreenName} */ (/** @type {HTMLElement} */ (one).dataset.nav)));
  }
  slot(root, "skip").addEventListener("click", (event) => {
    event.preventDefault();
    content.focus();
    views.get(current)?.enter();
  });
  const seen = () => { if (document.visibilityState === "visible") lookAtSession(); };
  document.addEventListener("visibilitychange", seen);
  window.addEventListener("focus", lookAtSession);

  // Keys that mean the same wherever the keyboard is, unless a dialog, a menu or a field has a use for them.
  const keys = (/** @type {KeyboardEvent} */ event) => {
    if (closed || event.defaultPrevented) return;
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      if (openedDialog()?.root.dataset.stage === "palette") openedDialog()?.close();
      else if (!openedDialog()) openPalette(frame);
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || openedDialog() || document.querySelector(":popover-open")) return;
    const { target } = event;
    const typing = target instanceof HTMLSelectElement || (target instanceof HTMLInputElement && target.type !== "checkbox" && target.type !== "radio");
    const view = views.get(current);
    if (event.key === "/" && !typing && view?.filter?.checkVisibility()) {
      event.preventDefault();
      view.filter.focus();
      view.filter.select();
    } else if (event.key.toLowerCase() === "r" && !typing) {
      event.preventDefault();
      if (view?.refresh) view.refresh();
      else if (frame.session) inventory.read();
    } else if (event.key === "Escape" && view?.escape?.()) event.preventDefault();
  };
  document.addEventListener("keydown", keys);
  button(root, "find").addEventListener("click", () => openPalette(frame));
  slot(root, "find-keys").textContent = /Mac/i.test(navigator.userAgent) ? "⌘ K" : "Ctrl K";
  // When the picture was read that the come-backs were last looked at with.
  let watchedAt = "";
  inventory.listen((what) => {
    if (what === "picture") {
      const picture = inventory.picture;
      // Whoever reads again has looked for what came back, too.
      if (picture && picture.source === "read" && picture.read_at !== watchedAt && frame.session) {
        const first = watchedAt === "";
        watchedAt = picture.read_at;
        if (!first) comeBacks.look().catch(() => {});
      }
      slot(root, "count-apps").textContent = picture ? words.number(picture.apps) : "";
      slot(root, "count-members").textContent = picture && picture.names !== "denied" ? words.number(picture.members) : "";
    }
    for (const [name, view] of views) view.changed?.(what, name === current);
  });

  /** The session is there: what must be looked at from time to time is. */
  function begin() {
    timers.push(window.setInterval(lookAtSession, SESSION_LOOK));
    timers.push(window.setInterval(() => {
      const due = reports.some((report) => report.here && (report.unsettled || report.confirm_due_at !== null && report.confirmed_at === null));
      const open = sweeps.all.some((sweep) => sweep.here && (sweep.unsettled || sweep.stand.state === "elsewhere" || sweep.look_again_at !== null && sweep.confirmed_at === null));
      if (due || open) lookAtRevokes();
    }, REVOKE_LOOK));
    lookAtRevokes();
    lookAtJournal();
    inventory.enter().then(() => comeBacks.look()).catch(() => {});
    ask("window_notices", { notices: channel(heard), tray: words.tray }).catch(() => {});
  }

  if (session) show(session);
  else {
    showPlace();
    if (how.kept) inventory.status = { picture: how.kept, reading: null, snapshots: how.kept.snapshot === null ? 0 : 1 };
    drawBanners();
  }
  put(place, root);

  const { resume } = how;
  const same = resume && session && resume.member_id === session.member_id && resume.organization_id === session.organization_id;
  go(session?.may.search_members.allowed === false || resume?.about ? "members" : "apps");
  if (session) begin();
  else inventory.look();
  if (resume?.about) {
    if (same) startRevoke(frame, resume.about, { after: () => views.get(current)?.enter() });
    else {
      resumeLost = true;
      drawBanners();
    }
  }

  return {
    live: (fresh) => {
      if (fresh.organization_id !== frame.place.organization_id || fresh.connection.base_url !== frame.place.base_url) return false;
      show(fresh);
      begin();
      // What may be done stands beside every grant.
      for (const view of views.values()) {
        view.changed?.("reading", view === views.get(current));
        view.redraw?.();
      }
      return true;
    },
    cannot: (reason, about) => {
      why = reason;
      whyAbout = about;
      drawBanners();
      announce(words.read_only[why]);
      for (const view of views.values()) {
        view.changed?.("reading", view === views.get(current));
        view.redraw?.();
      }
    },
    close: shut,
  };
}

/** @param {Session} session @returns {Place} */
const placeOf = (session) => ({ organization_id: session.organization_id, organization_name: session.organization_name, environment: session.connection.environment, base_url: session.connection.base_url });

/**
 * A line across the window.
 * @param {string} key
 * @param {import("../lib/dom.js").Piece} text
 * @param {...HTMLElement} acts
 */
export function banner(key, text, ...acts) {
  const made = clone("t-banner");
  made.dataset.test = `banner-${key}`;
  put(slot(made, "text"), text);
  put(slot(made, "acts"), ...acts);
  return made;
}
