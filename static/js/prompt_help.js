// While somebody writes: earlier words and recipes to take, and a hint. Typing goes on undisturbed.
// ↓ at the end of the words goes into the list, ↵ or Tab takes, Escape closes and leaves this text alone from then on.
import { hintFor, hintsShown, setHints } from "./hints.js";

const SHORTEST = 3; // characters before anything is asked for
const LONGEST = 200; // what is longer nobody asked for before
const PAUSE = 180; // ms without a key, before the portal is asked;
const THOUGHT = 700; // ms, before a hint is said
const ROOM = [96, 304]; // px of height, at least and at most

const prompt = () => document.getElementById("prompt");
const help = () => document.getElementById("prompt-help");
const list = () => document.getElementById("suggestions");
const hint = () => help()?.querySelector("[data-hint]");
const options = () => [...(list()?.querySelectorAll("[role=option]") ?? [])];

let left = null; // the text for which it was closed
let active = null; // the option that ↵ takes
let asking = null;
let pause = 0;
let thought = 0;
const waved = new Set(); // hints that were closed on this page

const say = (words) => (document.getElementById("prompt-said").textContent = words);

function mark(option) {
  active?.setAttribute("aria-selected", "false");
  active = option ?? null;
  active?.setAttribute("aria-selected", "true");
  active?.scrollIntoView({ block: "nearest" });
  if (active) prompt()?.setAttribute("aria-activedescendant", active.id);
  else prompt()?.removeAttribute("aria-activedescendant");
}

/** As high as there is room above the words; it never lies over them. */
function show() {
  const box = help();
  const some = options().length > 0;
  const said = Boolean(hint().textContent);
  list().hidden = !some;
  hint().parentElement.hidden = !said;
  box.hidden = !some && !said;
  if (box.hidden) return;
  const top = document.querySelector(".topbar")?.getBoundingClientRect().bottom ?? 0;
  const room = document.getElementById("edit-form").getBoundingClientRect().top - Math.max(top, 0) - 16;
  box.style.maxHeight = `${Math.min(ROOM[1], Math.max(ROOM[0], room))}px`;
  box.scrollTop = 0;
}

function put(found) {
  const before = options().length;
  mark(null);
  list().replaceChildren(...found);
  show();
  if (found.length && !before) say(`${found.length === 1 ? "One suggestion" : `${found.length} suggestions`}; arrow down goes to them.`);
}

function tell(sentence) {
  const words = hintsShown() && !waved.has(sentence) ? sentence : "";
  if (words === hint().textContent) return;
  hint().textContent = words;
  show();
  if (words) say(`Hint: ${words}`);
}

function stop() {
  asking?.abort();
  clearTimeout(pause);
  clearTimeout(thought);
}

function close() {
  stop();
  if (!help()) return;
  mark(null);
  list().replaceChildren();
  hint().textContent = "";
  show();
  say("");
}

/** Closed, and nothing comes up again until other words stand there. */
function leave() {
  left = prompt()?.value.trim() ?? null;
  close();
}

async function ask(text) {
  asking?.abort();
  if (text.trim().length < SHORTEST || text.length > LONGEST || !navigator.onLine) return put([]);
  const mine = (asking = new AbortController());
  const address = new URL(help().dataset.address, location.href);
  address.searchParams.set("q", text.replace(/\s+/g, " "));
  let found = [];
  try {
    const answer = await fetch(address, { signal: mine.signal, redirect: "error", headers: { Accept: "text/html" } });
    const page = answer.ok ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
    found = [...(page?.querySelectorAll("[role=option]") ?? [])];
  } catch {
    // Without a connection there are no suggestions, and nobody has to know.
  }
  if (!mine.signal.aborted && prompt()?.value === text && document.activeElement === prompt()) put(found);
}

function think(text) {
  if (prompt()?.value === text && document.activeElement === prompt()) tell(text.trim().length < SHORTEST ? "" : hintFor(text));
}

/** The studio with the recipe in its dock: its settings too, and fields for what it leaves open. */
function use(recipe) {
  const address = new URL(location.pathname, location.href);
  address.searchParams.set("recipe", recipe);
  const second = prompt().form.elements.second?.value;
  if (second) address.searchParams.set("second", second);
  location.assign(address);
}

function take(option) {
  const field = prompt();
  const words = option.dataset.words;
  left = words.trim();
  close();
  if (option.dataset.recipe && location.pathname.startsWith("/studio/")) return use(option.dataset.recipe);
  field.focus();
  field.select();
  // The browser's own way, so that its Undo brings back what stood there.
  if (!document.execCommand("insertText", false, words)) {
    field.setRangeText(words, 0, field.value.length, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
  const gap = /\{[^{}\n]{1,40}\}/.exec(field.value); // of a recipe: to be written over
  if (gap) field.setSelectionRange(gap.index, gap.index + gap[0].length);
}

document.addEventListener("input", ({ target }) => {
  if (target.id !== "prompt") return;
  stop();
  mark(null);
  const text = target.value;
  if (text.trim() === left) return close();
  if (hint().textContent && hintFor(text) !== hint().textContent) tell("");
  pause = setTimeout(() => ask(text), PAUSE);
  const joined = target.form.elements.joined; // words of several edits, on purpose
  if (!joined) thought = setTimeout(() => think(text), THOUGHT);
});

function step(event) {
  const all = options();
  const place = all.indexOf(active);
  const atEnd = event.target.selectionStart === event.target.value.length;
  if (event.key === "ArrowDown" && (active || atEnd)) mark(all[place + 1]);
  else if (event.key === "ArrowUp" && active) mark(all[place - 1]);
  else return mark(null);
  event.preventDefault();
}

// Before all others, as Escape would leave the words as well.
document.addEventListener(
  "keydown",
  (event) => {
    const { key } = event;
    if (event.target.id !== "prompt" || event.isComposing || !help() || ["Alt", "Control", "Meta", "Shift"].includes(key)) return;
    if (event.altKey && key.startsWith("Arrow")) return leave();
    if (help().hidden || event.ctrlKey || event.metaKey || event.altKey) return;
    if (key === "Escape") {
      event.preventDefault();
      waved.add(hint().textContent);
      leave();
    } else if (active && !event.shiftKey && ["Enter", "Tab"].includes(key)) {
      event.preventDefault();
      take(active);
    } else if (["ArrowDown", "ArrowUp", "ArrowLeft", "ArrowRight", "Home", "End", "PageUp", "PageDown"].includes(key) && options().length) {
      if (!event.shiftKey) step(event);
    }
  },
  true,
);

// A press in there leaves the focus with the words.
document.addEventListener("mousedown", (event) => event.target.closest("#prompt-help") && event.preventDefault());
document.addEventListener("click", ({ target }) => {
  const option = target.closest("#suggestions [role=option]");
  if (option) return take(option);
  if (!target.closest("[data-hints-off]")) return;
  setHints(false);
  sayHints();
  leave();
  prompt().focus();
  const sentence = "No more hints in this browser. “More”, below the words, brings them back.";
  document.dispatchEvent(new CustomEvent("retake:toast", { detail: { sentence } }));
});
document.addEventListener("focusout", ({ target, relatedTarget }) => {
  const box = help();
  if (!box || (target.id !== "prompt" && !box.contains(target))) return;
  if (relatedTarget?.id !== "prompt" && !box.contains(relatedTarget)) close();
});
document.addEventListener("submit", ({ target }) => target.id === "edit-form" && leave(), true);

function sayHints() {
  for (const box of document.querySelectorAll("[data-hints]")) box.checked = hintsShown();
}
document.addEventListener("change", ({ target }) => target.matches("[data-hints]") && setHints(target.checked));

function begin() {
  sayHints();
  const field = prompt();
  if (!field || !list() || field.hasAttribute("aria-controls")) return;
  active = null;
  field.setAttribute("aria-controls", "suggestions");
  field.setAttribute("aria-autocomplete", "list");
}
document.addEventListener("htmx:load", begin);
begin();
