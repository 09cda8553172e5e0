// Starts the page: asks whether somebody is signed in, and shows the sign-in or the frame with its screens.

import { ask, refusalOf } from "./bridge.js";
import { openDialog, openedDialog } from "./elements/dialog.js";
import { tellRefusal } from "./elements/outcome.js";
import { paintTelling } from "./elements/telling.js";
import { el, put } from "./lib/dom.js";
import { words } from "./words/en.js";
import { openFrame } from "./screens/frame.js";
import { openSignIn } from "./screens/sign_in.js";

/** @typedef {import("./contract.js").Session} Session */
/** @typedef {import("./contract.js").SessionEnd} SessionEnd */
/** @typedef {import("./screens/frame.js").Resume} Resume */

const place = /** @type {HTMLElement} */ (document.getElementById("app"));

/** @param {SessionEnd | null} ended @param {Resume | null} resume */
async function begin(ended, resume) {
  try {
    const status = await ask("session_status", {});
    if (status.state === "signed_in" && !resume) enter(status, null);
    else signIn(status, ended, resume);
  } catch (thrown) {
    refused(thrown, () => begin(ended, resume));
  }
}

/** @param {import("./contract.js").SessionStatus} status @param {SessionEnd | null} ended @param {Resume | null} resume */
function signIn(status, ended, resume) {
  openSignIn(place, { ended: ended ?? (status.state === "signed_out" ? status.ended : null), kept: status.state === "signed_out" ? status.kept : null, keeping: status.keeping, resume, onSignedIn: (session) => enter(session, resume) });
}

/** @param {unknown} thrown @param {() => unknown} retry */
function refused(thrown, retry) {
  const { root } = paintTelling(tellRefusal(refusalOf(thrown), { session: null, act: "session", retry }));
  root.setAttribute("role", "alert");
  put(place, el("main", { class: "gate", "data-test": "boot-refused" }, el("div", { class: "gate-in card" }, root)));
}

/** @param {Session} session @param {Resume | null} resume */
function enter(session, resume) {
  openFrame(place, session, { resume, onSignedOut: (ended, next) => begin(ended, next) });
}

/**
 * The first start: what was kept of the last reading is shown at once, read only, while the session is being checked.
 */
async function start() {
  const checking = ask("session_status", {});
  // Whoever waits for it below hears of its refusal there.
  /** @type {import("./contract.js").SessionStatus | null} */
  let early = null;
  checking.then((status) => { early = status; }, () => {});
  /** @type {import("./contract.js").PictureFacts | null} */
  let kept = null;
  try {
    const { picture } = await ask("inventory_status", {});
    if (picture?.source === "kept") kept = picture;
  } catch {
    // Without it the session alone decides what is shown.
  }
  if (!kept || /** @type {import("./contract.js").SessionStatus | null} */ (early)?.state === "signed_in") {
    try {
      const status = await checking;
      if (status.state === "signed_in") enter(status, null);
      else signIn(status, null, null);
    } catch (thrown) {
      refused(thrown, () => begin(null, null));
    }
    return;
  }
  const frame = openFrame(place, null, { resume: null, kept, onSignedOut: (ended, next) => begin(ended, next), tryAgain: () => settle(ask("session_restore", {})) });
  await settle(checking);

  /** @param {Promise<import("./contract.js").SessionStatus>} asked */
  async function settle(asked) {
    try {
      const status = await asked;
      if (status.state === "signed_in") {
        if (frame.live(status)) return;
        frame.close();
        enter(status, null);
      } else if (status.kept) frame.cannot("offline", { problem: status.kept });
      else frame.cannot("signed_out", { ended: status.ended });
    } catch (thrown) {
      const refusal = refusalOf(thrown);
      frame.cannot("offline", { problem: refusal.kind === "offline" || refusal.kind === "server_error" || refusal.kind === "garbled" ? refusal : null });
    }
  }
}

// A key held down repeats itself; an act is meant once. Without this, one long Enter would run from a list into a confirmation.
document.addEventListener("keydown", (event) => {
  if (event.repeat && (event.key === "Enter" || event.key === " ") && !(event.target instanceof HTMLInputElement)) {
    event.preventDefault();
    event.stopPropagation();
  }
}, { capture: true });

// Whose hand it is decides whether focus is drawn: web views differ in what they think of focus that a script has moved.
document.addEventListener("keydown", (event) => {
  if (!["Shift", "Control", "Alt", "Meta"].includes(event.key)) document.documentElement.dataset.hand = "keys";
}, { capture: true });
document.addEventListener("pointerdown", () => { document.documentElement.dataset.hand = "pointer"; }, { capture: true });

/** @param {unknown} thrown */
function broke(thrown) {
  if (openedDialog()?.root.dataset.stage === "running") return;
  const refusal = refusalOf(thrown);
  const dialog = openDialog();
  const { root, first } = paintTelling(tellRefusal(refusal, { session: null, act: "session", close: () => dialog.close() }));
  dialog.show(root, { stage: "told", refusal: refusal.kind }, first);
}
window.addEventListener("error", (event) => { if (event.error) broke(event.error); });
window.addEventListener("unhandledrejection", (event) => broke(event.reason));

put(place, el("p", { class: "boot" }, words.boot.loading));
start();
