// The one door to the shell: the only file that touches `window.__TAURI__`. Every command is typed by `contract.d.ts`, and
// whatever goes wrong comes out as one shape.

/** @typedef {import("./contract.js").Commands} Commands */
/** @typedef {import("./contract.js").Refusal} Refusal */

/**
 * A refusal by the commands, or one of the two things that are ours to tell: the shell's access list refused the call, or
 * something broke that nobody foresaw.
 * @typedef {Refusal | { kind: "shell_refused", message: string } | { kind: "unexpected", message: string }} AnyRefusal
 */

/** What a failed command throws. */
export class Refused extends Error {
  /** @param {AnyRefusal} refusal */
  constructor(refusal) {
    super(refusal.kind);
    /** @type {AnyRefusal} */
    this.refusal = refusal;
  }
}

/** @returns {any} */
function core() {
  const found = /** @type {any} */ (window).__TAURI__?.core;
  if (!found) throw new Refused({ kind: "unexpected", message: "The shell is not there." });
  return found;
}

/**
 * Asks the shell to carry out a command.
 * @template {keyof Commands} K
 * @param {K} name
 * @param {Commands[K]["args"]} args
 * @returns {Promise<Commands[K]["reply"]>} rejects with a `Refused` and with nothing else
 */
export async function ask(name, args) {
  try {
    return await core().invoke(name, args);
  } catch (thrown) {
    throw new Refused(refusalOf(thrown));
  }
}

/**
 * The refusal in whatever was thrown.
 * @param {unknown} thrown
 * @returns {AnyRefusal}
 */
export function refusalOf(thrown) {
  if (thrown instanceof Refused) return thrown.refusal;
  // The shell's access list and its argument parser reject with a sentence, not with a shape of ours.
  if (typeof thrown === "string") return { kind: "shell_refused", message: thrown.slice(0, 400) };
  if (typeof thrown === "object" && thrown !== null && typeof (/** @type {any} */ (thrown).kind) === "string") {
    return /** @type {Refusal} */ (thrown);
  }
  return { kind: "unexpected", message: String(/** @type {any} */ (thrown)?.message ?? thrown).slice(0, 400) };
}

/**
 * A channel on which a running command tells how far it is.
 * @template T
 * @param {(message: T) => void} onMessage
 * @returns {unknown} what the command takes as `progress`
 */
export function channel(onMessage) {
  const made = new (core().Channel)();
  made.onmessage = onMessage;
  return made;
}
