// One file goes to the portal, with patience: a lost connection, a busy portal and a full queue are waited out.
// The token makes sending it again harmless: the same one brings back the picture that it made.
const LONGEST = 15_000; // milliseconds between two tries
const MOST_BREAKDOWNS = 6; // answers of 5xx for one file; a lost connection is waited out for ever

/** This file can't be taken in; the message says why. `final`: nor could it a second time. */
export class Refusal extends Error {
  constructor(message, final) {
    super(message);
    this.final = final;
  }
}
/** Neither could any other one now: the message says what the person has to do first. */
export class Halt extends Error {}

let openAt = 0; // whoever is told to wait makes all wait

export const drawToken = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** Resolves after some milliseconds, as soon as the connection is back, or when `signal` says so. */
const rest = (milliseconds, signal) =>
  new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener("online", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    addEventListener("online", done, { once: true });
    signal?.addEventListener("abort", done, { once: true });
  });

function once(address, fields, onProgress, signal) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("POST", address);
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => event.lengthComputable && onProgress(event.loaded / event.total));
    request.addEventListener("loadend", () => {
      const after = Number.parseInt(request.getResponseHeader("Retry-After") ?? "", 10);
      resolve({ status: request.status, body: request.response, after: Number.isNaN(after) ? null : after });
    });
    signal?.addEventListener("abort", () => request.abort(), { once: true });
    request.send(fields);
  });
}

function waitingFor({ status, after, body }, tries) {
  const growing = Math.min(1000 * 2 ** tries, LONGEST);
  if (status === 0) return [growing, "The connection is lost. It goes on by itself as soon as it is back."];
  if (status === 429 && after !== null) return [Math.min(after, 60) * 1000, "Still looking at your last pictures. It goes on by itself."];
  if (status >= 500 && tries < MOST_BREAKDOWNS) return [Math.max(growing, (after ?? 0) * 1000), body?.error ?? "The portal does not answer well. It is tried again."];
  return null;
}

/** The portal's words about the picture, with `status` 200 if it was there already. Throws Refusal, Halt, or an AbortError. */
export async function send(address, fields, { onProgress = () => {}, onWait = () => {}, signal } = {}) {
  for (let tries = 0; ; tries += 1) {
    while (Date.now() < openAt && !signal?.aborted) await rest(openAt - Date.now(), null);
    signal?.throwIfAborted();
    const answer = await once(address, fields, onProgress, signal);
    signal?.throwIfAborted();
    const { status, body } = answer;
    if ((status === 200 || status === 201) && body) return { ...body, status };
    const waiting = waitingFor(answer, tries);
    if (!waiting) {
      const sentence = body?.error ?? "This file could not be taken in. Reload the page and try again.";
      throw [401, 403, 404, 429].includes(status) ? new Halt(sentence) : new Refusal(sentence, status < 500);
    }
    const [milliseconds, words] = waiting;
    onProgress(0);
    onWait(words);
    if (status === 0) await rest(milliseconds, signal);
    else {
      openAt = Math.max(openAt, Date.now() + milliseconds);
      await rest(milliseconds, signal);
    }
  }
}
