// The prompt: grows with its words, keeps a draft, runs by Ctrl or ⌘ Enter, walks earlier words by Alt ↑ and ↓.
import { walked } from "./walking.js";

const CARRIED = "carried-words"; // to the next picture in the source slot

let earlier = -1; // how far back; -1 is what is being written
let written = "";
let quiet = walked; // on the page that somebody walked to, until words are sent
let typed = null; // since the words were sent; the answer brings a new field

const prompt = () => document.getElementById("prompt");
const draftKey = () => `draft:${document.querySelector("#edit-form [name=source]")?.value ?? ""}`;

function grow(field) {
  if (CSS.supports("field-sizing", "content")) return;
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight + 2}px`;
}

function begin() {
  const field = prompt();
  if (!field || field.dataset.begun) return;
  field.dataset.begun = "yes";
  earlier = -1;
  if (!field.value) field.value = sessionStorage.getItem(CARRIED) ?? sessionStorage.getItem(draftKey()) ?? "";
  sessionStorage.removeItem(CARRIED);
  sayTry(field);
  grow(field);
  if (quiet) showVersion();
  else if (matchMedia("(pointer: fine)").matches && document.activeElement === document.body) field.focus({ preventScroll: true });
  quiet = false;
}

/** Whoever walks goes on from the version on the stage. */
function showVersion() {
  const here = document.querySelector("#versions a[aria-current]");
  here?.focus({ preventScroll: true });
  here?.scrollIntoView({ block: "nearest" });
}

/** The words that stand here are to stand beside the picture of the next page, too. */
export function carryWords() {
  const words = prompt()?.value;
  if (words) sessionStorage.setItem(CARRIED, words);
}

/** Sentences to try are offered as long as nothing stands there. */
function sayTry(field) {
  const offered = document.querySelector("[data-try]");
  if (offered) offered.classList.toggle("has-words", Boolean(field.value));
}

function put(words) {
  const field = prompt();
  earlier = -1;
  field.value = words;
  grow(field);
  sayTry(field);
  sessionStorage.setItem(draftKey(), words);
}

/** Earlier words of this person: from the portal, once a page, with those of the edits that were asked for since. */
async function earlierWords() {
  const list = document.getElementById("earlier");
  if (list && !list.querySelector("[data-earlier]")) {
    await htmx.ajax("GET", list.getAttribute("hx-get"), { target: list, swap: "innerHTML" }).catch(() => {});
  }
  const here = [...document.querySelectorAll("[data-prompt]")].map((tile) => tile.dataset.prompt);
  const known = [...document.querySelectorAll("[data-earlier]")].map((each) => each.dataset.earlier);
  return [...new Set(known.length ? known : here)];
}

let walking = Promise.resolve();

async function walk(step) {
  const words = await earlierWords();
  const field = prompt();
  const next = Math.min(words.length - 1, Math.max(-1, earlier + step));
  if (next === earlier || !field) return;
  if (earlier === -1) written = field.value;
  earlier = next;
  field.value = earlier === -1 ? written : words[earlier];
  grow(field);
  sayTry(field);
}

document.addEventListener("input", (event) => {
  if (event.target.id !== "prompt") return;
  earlier = -1;
  grow(event.target);
  sayTry(event.target);
  sessionStorage.setItem(draftKey(), event.target.value);
});

document.addEventListener("keydown", (event) => {
  const form = event.target.closest?.("#edit-form");
  if (form && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    if (!form.querySelector(".run").disabled) form.requestSubmit();
  } else if (event.target.id === "prompt" && event.altKey && ["ArrowUp", "ArrowDown"].includes(event.key)) {
    event.preventDefault();
    const step = event.key === "ArrowUp" ? 1 : -1;
    walking = walking.then(() => walk(step)); // one after the other, however fast the keys are
  }
});

document.addEventListener("click", (event) => {
  const said = event.target.closest("[data-earlier], [data-sentence]");
  if (event.target.closest("[data-keeps-words]")) carryWords();
  if (!said) return;
  event.preventDefault();
  const panel = said.closest("details");
  if (panel) panel.open = false;
  put(said.dataset.earlier ?? said.textContent);
  prompt().focus();
});

// What was sent is no draft any more; what was typed since then is.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.requestConfig?.elt.id !== "edit-form") return;
  const sent = detail.requestConfig.formData.get("prompt");
  const now = prompt()?.value ?? "";
  typed = null;
  if (detail.xhr.status === 200) {
    sessionStorage.removeItem(draftKey());
    if (now !== sent) typed = now.startsWith(sent) ? now.slice(sent.length).trimStart() : now;
  } else if (now !== sent) typed = now;
});
document.addEventListener("htmx:afterSwap", () => {
  const field = prompt();
  if (typed === null || !field) return;
  field.value = typed;
  sessionStorage.setItem(draftKey(), typed);
  typed = null;
});
document.addEventListener("htmx:load", begin);
begin();
