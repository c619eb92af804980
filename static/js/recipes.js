// Recipes in the studio: F2 opens them while somebody types, and what one leaves open is filled in above the words,
// with a line below that reads as the edit will be asked for.
const reads = () => document.querySelector("[data-reads]");
const fields = () => [...document.querySelectorAll("[data-to-fill] input[name=value]")];
const PLACEHOLDERS = /(\{\{\p{L}[\p{L}\p{N}_ -]{0,39}\}\}|\{\p{L}[\p{L}\p{N}_ -]{0,39}\})/u; // as `jobs.steps` reads them
const nameOf = (field) => field.parentElement.querySelector("[name=placeholder]").value;

function say() {
  const line = reads();
  if (!line) return;
  const values = new Map(fields().map((field) => [nameOf(field).toLowerCase(), field.value.trim()]));
  const pieces = document.getElementById("prompt").value.split(PLACEHOLDERS);
  line.replaceChildren(
    ...pieces.map((piece) => {
      if (/^\{\{.+\}\}$/s.test(piece)) return piece.slice(1, -1); // meant as it stands
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
    if (key === "ArrowDown" && target.matches("[type=search]") && first) first.focus();
    else if (key === "ArrowUp" && target === first) document.querySelector(".pick-sheet [type=search]").focus();
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }
}, true);

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
