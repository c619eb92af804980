// Going through many pictures by keyboard alone: each key presses the button or link that carries it.
import { lettersWork } from "./letters.js";

const SAME = { s: "ArrowRight", " ": "ArrowRight" };
const section = () => document.querySelector("[data-cull]");
const live = document.getElementById("live");

function say(words) {
  live.textContent = "";
  setTimeout(() => (live.textContent = words), 50);
}

// Before the keys of all pages, some of which are the same letters.
addEventListener(
  "keydown",
  (event) => {
    if (!section() || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.repeat) return;
    if (event.target.matches?.("input:not([type=hidden]), textarea, select, dialog *, .menu *, .switcher *")) return;
    if (event.key === " " && event.target.matches?.("button, a, summary")) return;
    if (event.key.length === 1 && event.key !== " " && !lettersWork()) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const pressed = section().querySelector(`[data-press="${CSS.escape(SAME[key] ?? key)}"]`);
    if (!pressed && !["a", "r", "u", "s", " "].includes(key)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (pressed) pressed.click();
    // Said anew, also where it was said already.
    else if (key === "a" || key === "r") say(section().querySelector("[aria-current] [data-why-not]")?.textContent ?? "");
  },
  true,
);

document.addEventListener("htmx:afterSettle", ({ target }) => {
  if (target.id !== "cull") return;
  section().focus({ preventScroll: true });
  live.textContent = section().dataset.words;
});
