// Recipes in the studio: F2 opens them while somebody types, and what one leaves open is filled in above the words,
// with a line below that reads as the edit will be asked for.
import { BRACES } from "./braces.js";

const reads = () => document.querySelector("[data-reads]");
const fields = () => [...document.querySelectorAll("[data-to-fill] input[name=value]")];
const nameOf = (field) => field.parentElement.querySelector("[name=placeholder]").value;

function say() {
  const line = reads();
  if (!line) return;
  const values = new Map(fields().map((field) => [nameOf(field).toLowerCase(), field.value.trim()]));
  const pieces = document.getElementById("prompt").value.split(BRACES);
  line.replaceChildren(
    ...pieces.map((piece, place) => {
      if (place % 2 && piece.startsWith("{{")) return piece.slice(1, -1); // meant as it stands
      const value = piece.startsWith("{") ? values.get(piece.slice(1, -1).toLowerCase()) : undefined;
      if (value === undefined) return piece;
      return Object.assign(document.createElement("mark"), { className: "placeholder", textContent: value || piece });
    }),
  );
  if (![...values.values()].some(Boolean)) line.replaceChildren();
}

function begin() {
  const next = fields().find((field) => !field.value);
  if (next && matchMedia("(pointer: fine)").matches) next.focus({ preventScroll: true });
  say();
}

document.addEventListener("input", ({ target }) => {
  if (target.id === "prompt" || target.name === "value") say();
  if (target.matches?.(".pick-sheet [type=search]")) wanted = false;
});
document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  if (key === "F2" && !document.querySelector("dialog[open]")) {
    const link = document.querySelector("[data-recipes]");
    if (!link) return;
    event.preventDefault();
    link.click();
  } else if (key === "Enter" && target.matches("[data-to-fill] input[name=value]")) {
    const next = fields().find((field) => !field.value.trim());
    if (!next || next === target) return; // nothing is left, or this one: the form says so
    event.preventDefault();
    next.focus();
  } else if (target.closest?.(".pick-sheet[data-slot=recipe]")) {
    const first = document.querySelector("#picks .pick");
    if (key === "Enter" && target.matches("[type=search]")) {
      wanted = !take(target);
      if (wanted) return; // what was typed is looked up first
    } else if (key === "ArrowDown" && target.matches("[type=search]") && first) first.focus();
    else if (key === "ArrowUp" && target === first) document.querySelector(".pick-sheet [type=search]").focus();
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }
}, true);

// Enter takes the only one that is called like what was typed, once that was looked up.
let wanted = false;

function take(search) {
  const list = document.getElementById("picks");
  const found = list.querySelectorAll(".pick");
  if (list.dataset.q !== search.value.trim() || found.length !== 1) return false;
  found[0].click();
  return true;
}
document.addEventListener("htmx:afterSettle", ({ target }) => {
  const search = document.querySelector(".pick-sheet[data-slot=recipe] [type=search]");
  if (!wanted || !search || target.id !== "picks") return;
  if (document.getElementById("picks").dataset.q === search.value.trim()) wanted = false;
  if (document.activeElement === search) take(search);
});

// The second picture stays in its slot.
document.addEventListener("click", ({ target }) => {
  const link = target.closest?.(".pick-dialog a[data-recipe]");
  const second = document.querySelector("#edit-form [name=second]")?.value;
  if (!link || !second) return;
  const url = new URL(link.href);
  url.searchParams.set("second", second);
  link.href = url.href;
});
document.addEventListener("htmx:load", ({ target }) => target.id === "studio" && begin());
begin();
