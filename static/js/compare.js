// Before and after: a slider, side by side, or hold to flip. M goes round; a double click centres.
const MODES = ["slider", "side", "flip"];
const KEY = "compare-mode";

function remembered() {
  const mode = sessionStorage.getItem(KEY);
  return MODES.includes(mode) ? mode : "slider";
}

function size(element) {
  const [width, height] = (element.dataset.ratio ?? "").split(" ").map(Number);
  if (!width || !height) return;
  element.style.setProperty("--ratio", width / height);
  element.dataset.sized = "";
}

function setMode(compare, mode) {
  compare.dataset.mode = mode;
  delete compare.dataset.flipped;
  const radio = document.querySelector(`[data-compare-modes] input[value="${mode}"]`);
  if (radio) {
    radio.checked = true;
    sessionStorage.setItem(KEY, mode);
  }
}

function begin(compare) {
  if (compare.dataset.begun) return;
  compare.dataset.begun = "yes";
  const range = compare.querySelector("[data-compare-range]");
  const place = () => compare.style.setProperty("--at", `${range.value}%`);
  range.addEventListener("input", place);
  range.addEventListener("dblclick", () => {
    range.value = 50;
    place();
  });
  const flip = compare.querySelector("[data-compare-flip]");
  if (!flip) return;
  const show = (before) => compare.toggleAttribute("data-flipped", before);
  flip.addEventListener("pointerdown", () => show(true));
  for (const end of ["pointerup", "pointercancel", "pointerleave", "blur"]) flip.addEventListener(end, () => show(false));
  flip.addEventListener("keydown", (event) => {
    if (event.key === " " || event.key === "Enter") show(true);
  });
  flip.addEventListener("keyup", () => show(false));
  setMode(compare, remembered());
}

function beginAll() {
  document.querySelectorAll("[data-ratio]").forEach(size);
  document.querySelectorAll("[data-compare]").forEach(begin);
}

beginAll();
document.addEventListener("htmx:load", beginAll);
document.addEventListener("change", (event) => {
  if (event.target.name !== "compare") return;
  document.querySelectorAll("#stage [data-compare]").forEach((compare) => setMode(compare, event.target.value));
});
document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== "m" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("textarea, select, input:not([type=range], [type=radio], [type=checkbox])")) return;
  const compare = document.querySelector("#stage [data-compare]");
  if (!compare || document.querySelector("dialog[open]")) return;
  event.preventDefault();
  setMode(compare, MODES[(MODES.indexOf(compare.dataset.mode) + 1) % MODES.length]);
});
