// Sign in: where, with which address, the code, the organization. Each refusal of a field is said next to that field; every
// other one in the dialog that all refusals share.

import { ask, refusalOf } from "../bridge.js";
import { openDialog } from "../elements/dialog.js";
import { faultWords, hostOf, tellRefusal } from "../elements/outcome.js";
import { paintTelling } from "../elements/telling.js";
import { announce, button, clone, el, input, put, say, slot, unique } from "../lib/dom.js";
import { named } from "../lib/text.js";
import { everySecond, time, until } from "../lib/time.js";
import { words } from "../words/en.js";
import { banner } from "./frame.js";

/** @typedef {import("../contract.js").Connection} Connection */
/** @typedef {import("../contract.js").ConnectionDraft} ConnectionDraft */
/** @typedef {import("../contract.js").SandboxPerson} SandboxPerson */
/** @typedef {import("../contract.js").Session} Session */
/** @typedef {import("../contract.js").SignInStep} SignInStep */
/** @typedef {import("../contract.js").SessionEnd} SessionEnd */
/** @typedef {import("../contract.js").Keeping} Keeping */
/** @typedef {import("../bridge.js").AnyRefusal} AnyRefusal */

/**
 * @param {HTMLElement} place
 * @param {{ ended: SessionEnd | null, kept: import("../contract.js").Problem | null, keeping: Keeping, resume: import("./frame.js").Resume | null, onSignedIn: (session: Session) => void }} how
 */
export function openSignIn(place, how) {
  const root = clone("t-sign-in");
  const card = slot(root, "card");
  const banners = slot(root, "banners");
  /** @type {Connection[]} */
  let connections = [];
  /** @type {SandboxPerson[]} */
  let people = [];
  /** @type {Connection | null} */
  let chosen = null;
  let address = how.resume?.email ?? "";
  let { keeping, kept } = how;
  let watching = 0;
  let inSandbox = false;

  document.title = `${words.signin.title} · ${words.product}`;
  put(place, root);
  drawBanners();
  begin();

  function drawBanners() {
    const made = [];
    if (how.resume?.about) {
      const { app, member } = how.resume.about;
      made.push(banner("resume", say(words.resume_banner, { app: named(app.name, { strong: true }), member: named(member.name || member.email || member.member_id, { strong: true }), email: named(how.resume.email) })));
    } else if (how.ended) {
      made.push(banner("ended", el("span", {}, say(words.ended_banner, { org: named(how.ended.organization_name, { strong: true }), at: time(how.ended.at) }), how.ended.request_id ? say(` ${words.ended_banner_request}`, { id: named(how.ended.request_id) }) : null)));
    }
    // A session of the sandbox is never kept, so where one would be kept is of no concern there.
    if (keeping !== "keyring" && keeping !== "memory_sandbox" && !inSandbox) {
      const again = el("button", { class: "b small", type: "button", "data-test": "keyring-again" }, words.keeping_banner.again);
      again.addEventListener("click", async () => {
        again.disabled = true;
        try {
          keeping = await ask("keyring_try_again", {});
          if (keeping === "keyring") announce(words.keeping_banner.now);
        } catch (thrown) {
          const refusal = refusalOf(thrown);
          if (refusal.kind === "keyring") keeping = refusal.keeping;
          tell(refusal);
        }
        drawBanners();
      });
      made.push(banner("keeping", el("span", {}, el("b", {}, words.keeping_banner.lead), " ", words.keeping_banner[keeping]), again));
    }
    if (kept) {
      const again = el("button", { class: "b small", type: "button", "data-test": "session-restore" }, words.kept_banner.again);
      again.addEventListener("click", () => restore(again));
      const causes = /** @type {Record<string, string>} */ (words.cause);
      const cause = kept.cause ? causes[kept.cause] ?? words.cause.other : kept.message ?? kept.error_type ?? "";
      made.push(banner("kept", el("span", {}, el("b", {}, words.kept_banner.lead), " ", named(cause, { limit: 200, empty: " " })), again));
    }
    put(banners, ...made);
  }

  /** @param {HTMLButtonElement} from */
  async function restore(from) {
    from.disabled = true;
    try {
      const status = await ask("session_restore", {});
      if (status.state === "signed_in") { how.onSignedIn(status); return; }
      kept = status.kept;
      keeping = status.keeping;
    } catch (thrown) { tell(refusalOf(thrown)); }
    drawBanners();
  }

  /** @param {AnyRefusal} refusal @param {{ retry?: () => unknown, host?: string }} [more] */
  function tell(refusal, more = {}) {
    const dialog = openDialog();
    const { retry } = more;
    const { root: content, first } = paintTelling(tellRefusal(refusal, {
      session: null,
      act: "sign_in",
      host: more.host ?? chosen?.base_url ?? "",
      close: () => dialog.close(),
      startOver: () => { dialog.close(null); startOver(); },
      ...(retry ? { retry: () => { dialog.close(); retry(); } } : {}),
    }));
    dialog.show(content, { stage: "told", refusal: refusal.kind }, first);
  }

  /**
   * A form whose fields know what is wrong with them.
   * @param {HTMLElement} step
   * @param {string[]} names
   */
  function fields(step, names) {
    for (const name of names) {
      const field = input(step, name);
      field.id = unique(name);
      slot(step, `${name}-label`).setAttribute("for", field.id);
      const wrong = slot(step, `${name}-wrong`);
      wrong.id = unique("wrong");
      const hint = step.querySelector(`[data-slot="${name}-hint"]`);
      if (hint) hint.id = unique("hint");
      field.setAttribute("aria-describedby", [hint?.id, wrong.id].filter(Boolean).join(" "));
      wrong.dataset.test = `wrong-${name}`;
      field.addEventListener("input", () => right(step, name));
    }
  }

  /** @param {HTMLElement} step @param {string} name */
  function right(step, name) {
    slot(step, `${name}-wrong`).hidden = true;
    input(step, name).removeAttribute("aria-invalid");
  }

  /** @param {HTMLElement} step @param {string} name @param {string} said @returns {boolean} whether there is such a field here */
  function wrong(step, name, said) {
    const place = step.querySelector(`[data-slot="${name}-wrong"]`);
    if (!(place instanceof HTMLElement)) return false;
    place.hidden = false;
    place.textContent = said;
    const field = step.querySelector(`[data-slot="${name}"]`);
    if (field instanceof HTMLInputElement) {
      field.setAttribute("aria-invalid", "true");
      const folded = field.closest("details");
      if (folded) folded.open = true;
      field.focus();
      field.select();
    }
    announce(said);
    return true;
  }

  /** @param {HTMLElement} step @param {AnyRefusal} refusal @param {{ retry?: () => unknown }} [more] */
  function refuse(step, refusal, more = {}) {
    if (refusal.kind === "bad_input" && wrong(step, refusal.field, faultWords(refusal.field, refusal.fault))) return;
    if (refusal.kind === "code_rejected" && wrong(step, "code", words.code_rejected)) return;
    if (refusal.kind === "no_organization" && wrong(step, "email", words.no_organization)) return;
    tell(refusal, more);
  }

  /** @param {HTMLElement} step @param {HTMLElement | null} focus */
  function put_step(step, focus) {
    clearInterval(watching);
    put(card, step);
    (focus ?? step.querySelector("h1") ?? step).focus();
  }

  /**
   * Runs with the button saying that it works.
   * @param {HTMLButtonElement} from
   * @param {string} meanwhile
   * @param {() => Promise<void>} run
   */
  async function busy(from, meanwhile, run) {
    if (from.disabled) return;
    const label = from.textContent;
    from.disabled = true;
    const slow = setTimeout(() => { from.textContent = meanwhile; }, 150);
    try { await run(); } finally {
      clearTimeout(slow);
      from.disabled = false;
      from.textContent = label;
    }
  }

  async function begin() {
    try {
      connections = await ask("connection_list", {});
    } catch (thrown) {
      tell(refusalOf(thrown), { retry: begin });
      connections = [];
    }
    const sandbox = connections.find((one) => one.environment === "sandbox");
    if (sandbox && people.length === 0) {
      // It runs already: this only asks who may sign in there.
      try { people = (await ask("sandbox_start", {})).people; } catch { people = []; }
    }
    chosen = connections.find((one) => one.id === (chosen?.id ?? how.resume?.connection_id)) ?? connections[0] ?? null;
    if (connections.length === 0) add();
    else where();
  }

  async function startOver() {
    try { await ask("sign_in_cancel", {}); } catch { /* There was nothing to call off. */ }
    where();
  }

  // ---- where, and as whom

  function where() {
    if (connections.length === 0) { add(); return; }
    const step = clone("t-where");
    fields(step, ["email"]);
    const email = input(step, "email");
    const send = button(step, "send");
    drawPlaces(step);
    email.value = address || chosen?.email || "";
    choose(step, chosen);
    step.addEventListener("submit", (event) => {
      event.preventDefault();
      sendCode(step, send, email.value);
    });
    if (!connections.some((one) => one.environment === "sandbox")) step.append(sandboxCard());
    const people = slot(step, "people");
    put_step(step, people.hidden || how.resume ? email : people.querySelector("button") ?? email);
  }

  /** @param {HTMLElement} step */
  function drawPlaces(step) {
    const list = slot(step, "places");
    put(list);
    for (const connection of connections) {
      const row = clone("t-place");
      row.dataset.id = connection.id;
      const radio = input(row, "radio");
      radio.value = connection.id;
      radio.checked = connection.id === chosen?.id;
      radio.addEventListener("change", () => choose(step, connection));
      put(slot(row, "name"), named(connection.name, { strong: true, limit: 80 }));
      const env = slot(row, "env");
      env.textContent = words.environment[connection.environment];
      env.dataset.env = connection.environment;
      const host = hostOf(connection.base_url);
      // Until an organization is known the host is the name, and once is enough.
      put(slot(row, "host"), host === connection.name ? null : el("bdi", {}, host), connection.organization_slug ? ` · ${connection.organization_slug}` : null);
      const remove = button(row, "remove");
      remove.hidden = connection.environment === "sandbox";
      remove.addEventListener("click", async () => {
        try {
          await ask("connection_remove", { connection_id: connection.id });
          announce(words.signin.removed(connection.name));
          connections = connections.filter((one) => one.id !== connection.id);
          if (chosen?.id === connection.id) chosen = connections[0] ?? null;
          where();
        } catch (thrown) { tell(refusalOf(thrown)); }
      });
      list.append(row);
    }
    const more = el("button", { class: "place-add", type: "button", "data-test": "add-connection" }, words.signin.add);
    more.addEventListener("click", add);
    list.append(more);
  }

  /** @param {boolean} on */
  function showSandbox(on) {
    if (inSandbox === on) return;
    inSandbox = on;
    drawBanners();
  }

  /** @param {HTMLElement} step @param {Connection | null} connection */
  function choose(step, connection) {
    chosen = connection;
    showSandbox(connection?.environment === "sandbox");
    const email = input(step, "email");
    if (connection?.email && email.value === "") email.value = connection.email;
    const contacts = slot(step, "contacts");
    const foreign = connection !== null && !connection.stytch_host && connection.environment !== "sandbox";
    contacts.classList.toggle("foreign-host", foreign);
    put(contacts, connection ? say(foreign ? words.signin.contacts_foreign : words.signin.contacts, { host: el("bdi", {}, hostOf(connection.base_url)) }) : null);
    const crowd = slot(step, "people");
    crowd.hidden = connection?.environment !== "sandbox" || people.length === 0;
    if (crowd.hidden) return;
    put(crowd, el("p", {}, words.signin.sandbox_people));
    for (const person of people) {
      const card = clone("t-person");
      const said = /** @type {Record<string, { role: string, shows: string }>} */ (words.signin.people)[person.role];
      slot(card, "role").textContent = said?.role ?? person.role;
      put(slot(card, "email"), named(person.email));
      slot(card, "shows").textContent = said?.shows ?? "";
      card.dataset.role = person.role;
      card.addEventListener("click", () => {
        email.value = person.email;
        sendCode(step, button(step, "send"), person.email);
      });
      crowd.append(card);
    }
  }

  /** @param {HTMLElement} step @param {HTMLButtonElement} send @param {string} typed */
  function sendCode(step, send, typed) {
    return busy(send, words.signin.sending, async () => {
      address = typed.trim();
      try {
        take(await ask("sign_in_send_code", { connection_id: chosen?.id ?? "", email: address }));
      } catch (thrown) {
        refuse(step, refusalOf(thrown), { retry: () => sendCode(step, send, typed) });
      }
    });
  }

  function sandboxCard() {
    const made = clone("t-sandbox-card");
    const open = button(made, "open");
    open.addEventListener("click", () => busy(open, words.signin.sandbox_opening, async () => {
      try {
        const offer = await ask("sandbox_start", {});
        people = offer.people;
        connections = [...connections.filter((one) => one.id !== offer.connection.id), offer.connection];
        chosen = offer.connection;
        address = "";
        where();
      } catch (thrown) { tell(refusalOf(thrown)); }
    }));
    return made;
  }

  // ---- another connection

  function add() {
    const step = clone("t-add");
    showSandbox(false);
    const names = ["public_token", "organization_slug", "base_url", "app_identifier", "sdk_identifier"];
    fields(step, names);
    const back = button(step, "back");
    back.hidden = connections.length === 0;
    back.addEventListener("click", where);
    const save = button(step, "save");
    const foreign = slot(step, "foreign");
    /** @param {boolean} confirmed */
    const send = (confirmed) => busy(confirmed ? button(step, "foreign-confirm") : save, words.signin.saving, async () => {
      for (const name of names) right(step, name);
      /** @param {string} name */
      const value = (name) => input(step, name).value.trim() || null;
      /** @type {ConnectionDraft} */
      const draft = {
        public_token: input(step, "public_token").value.trim(),
        base_url: value("base_url"),
        organization_slug: value("organization_slug"),
        app_identifier: value("app_identifier"),
        sdk_identifier: value("sdk_identifier"),
        host_confirmed: confirmed,
      };
      try {
        const made = await ask("connection_add", { draft });
        connections = [...connections.filter((one) => one.id !== made.id), made];
        chosen = made;
        address = made.email ?? "";
        where();
      } catch (thrown) {
        const refusal = refusalOf(thrown);
        if (refusal.kind === "unknown_host") {
          put(slot(step, "foreign-host"), refusal.base_url);
          foreign.hidden = false;
          slot(step, "bottom").hidden = true;
          button(step, "foreign-change").focus();
          foreign.scrollIntoView({ block: "nearest" });
        } else refuse(step, refusal, { retry: () => send(confirmed) });
      }
    });
    const change = () => {
      foreign.hidden = true;
      slot(step, "bottom").hidden = false;
    };
    button(step, "foreign-change").addEventListener("click", () => { change(); const base = input(step, "base_url"); const folded = base.closest("details"); if (folded) folded.open = true; base.focus(); });
    button(step, "foreign-confirm").addEventListener("click", () => send(true));
    // A host that was confirmed is that host: another one is asked for anew.
    for (const name of names) input(step, name).addEventListener("input", change);
    step.addEventListener("submit", (event) => {
      event.preventDefault();
      if (foreign.hidden) send(false);
    });
    if (!connections.some((one) => one.environment === "sandbox")) step.append(sandboxCard());
    put_step(step, input(step, "public_token"));
  }

  // ---- what the server says next

  /** @param {SignInStep} next */
  function take(next) {
    if (next.step === "code_sent") code(next.email, next.valid_until);
    else if (next.step === "choose_organization") organizations(next.organizations);
    else if (next.step === "more_needed") more(next.what, next.methods);
    else how.onSignedIn(next);
  }

  /** @param {string} email @param {string} validUntil */
  function code(email, validUntil) {
    const step = clone("t-code");
    fields(step, ["code"]);
    const field = input(step, "code");
    const check = button(step, "check");
    everySecond(slot(step, "sent"), (node) => {
      const late = until(validUntil) <= 0 ? "late" : "in-time";
      if (node.dataset.is === late) return;
      node.dataset.is = late;
      put(node, say(late === "late" ? words.signin.code_late : words.signin.code_sent, { email: named(email, { strong: true }), until: time(validUntil, { seconds: false }) }));
    });
    // A code pasted from a mail brings spaces and dashes with it.
    field.addEventListener("input", () => {
      const digits = field.value.replace(/\D/g, "").slice(0, 6);
      if (digits !== field.value) field.value = digits;
    });
    const send = () => busy(check, words.signin.checking, async () => {
      try {
        take(await ask("sign_in_check_code", { code: field.value.trim() }));
      } catch (thrown) {
        refuse(step, refusalOf(thrown), { retry: send });
      }
    });
    step.addEventListener("submit", (event) => {
      event.preventDefault();
      send();
    });
    button(step, "other").addEventListener("click", startOver);
    const another = button(step, "another");
    another.addEventListener("click", () => busy(another, words.signin.sending, async () => {
      try {
        const next = await ask("sign_in_send_code", { connection_id: chosen?.id ?? "", email });
        announce(words.signin.another_sent);
        take(next);
      } catch (thrown) { refuse(step, refusalOf(thrown)); }
    }));
    put_step(step, field);
    if (chosen?.environment === "sandbox") watchInbox(step, email, field, send);
  }

  /** @param {HTMLElement} step @param {string} email @param {HTMLInputElement} field @param {() => void} send */
  function watchInbox(step, email, field, send) {
    const inbox = slot(step, "inbox");
    const use = button(step, "use");
    let newest = "";
    inbox.hidden = false;
    use.hidden = true;
    slot(step, "letter").textContent = words.signin.inbox_waiting;
    use.addEventListener("click", () => {
      field.value = newest;
      right(step, "code");
      send();
    });
    const look = async () => {
      if (!step.isConnected) { clearInterval(watching); return; }
      try {
        const letters = (await ask("sandbox_inbox", {})).filter((one) => one.to.toLowerCase() === email.toLowerCase());
        const last = letters.reduce((/** @type {import("../contract.js").Letter | null} */ best, one) => (best && best.at > one.at ? best : one), null);
        if (!last || last.code === newest) return;
        newest = last.code;
        use.hidden = false;
        put(slot(step, "letter"), say(words.signin.inbox, { code: el("b", { class: "num", "data-test": "inbox-code" }, last.code) }));
      } catch { /* It is asked again in a second. */ }
    };
    watching = window.setInterval(look, 1000);
    look();
  }

  /** @param {import("../contract.js").OrganizationChoice[]} choices */
  function organizations(choices) {
    const step = clone("t-organizations");
    const list = slot(step, "choices");
    put(slot(step, "note"), choices.length > 0 ? say(words.signin.organization_note, { email: named(address, { strong: true }) }) : words.signin.organization_none);
    const memberships = /** @type {Record<string, string>} */ (words.signin.membership);
    for (const choice of choices) {
      const made = clone("t-choice");
      made.dataset.id = choice.organization_id;
      put(slot(made, "name"), named(choice.name));
      put(slot(made, "slug"), named(choice.slug));
      slot(made, "membership").textContent = memberships[choice.membership] ?? choice.membership;
      made.addEventListener("click", async () => {
        if (list.ariaBusy === "true") return;
        list.ariaBusy = "true";
        try {
          take(await ask("sign_in_choose_organization", { organization_id: choice.organization_id }));
        } catch (thrown) { refuse(step, refusalOf(thrown)); }
        list.ariaBusy = "false";
      });
      list.append(made);
    }
    button(step, "over").addEventListener("click", startOver);
    const first = list.querySelector("button");
    put_step(step, first);
  }

  /** @param {string} what @param {string[]} methods */
  function more(what, methods) {
    const step = clone("t-more");
    slot(step, "lead").textContent = what === "mfa" ? words.signin.more_mfa : words.signin.more_primary;
    put(slot(step, "methods"), named(methods.join(", "), { empty: words.unknown_value }));
    button(step, "over").addEventListener("click", startOver);
    put_step(step, null);
  }
}
