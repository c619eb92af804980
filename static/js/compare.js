// Before and after: a slider, side by side, or hold to flip. A double click centres the slider; arrows move it.
const MODES = ["slider", "side", "flip"];
const KEY = "compare-mode";
const ARROWS = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 };

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
  const slide = (to) => {
    range.value = to;
    place();
  };
  range.addEventListener("dblclick", () => slide(50));
  range.addEventListener("keydown", (event) => {
    const by = ARROWS[event.key];
    if (!by || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    slide(Number(range.value) + by * (event.shiftKey ? 10 : 1));
  });
  const flip = compare.querySelector("[data-compare-flip]");
  if (!flip) return;
  const show = (before) => compare.toggleAttribute("data-flipped", before);
  compare.addEventListener("pointerdown", (event) => {
    // What is zoomed is moved by a press, and two fingers pinch.
    const held = flip.contains(event.target) || !compare.closest(".zoomed");
    if (compare.dataset.mode === "flip" && event.button === 0) show(held && event.isPrimary);
  });
  compare.addEventListener("contextmenu", (event) => "flipped" in compare.dataset && event.preventDefault()); // of a long press
  for (const end of ["pointerup", "pointercancel", "pointerleave"]) compare.addEventListener(end, () => show(false));
  flip.addEventListener("blur", () => show(false));
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

const onStage = () => document.querySelector("#stage [data-compare]");

/** To the next way to compare. Returns whether there is anything to compare. */
export function cycle() {
  const compare = onStage();
  if (compare) setMode(compare, MODES[(MODES.indexOf(compare.dataset.mode) + 1) % MODES.length]);
  return Boolean(compare);
}

/** The picture before, until the key that asked for it goes up. Returns whether there is one. */
export function flip() {
  const compare = onStage();
  compare?.setAttribute("data-flipped", "");
  return Boolean(compare);
}
const unflip = () => onStage()?.removeAttribute("data-flipped");
document.addEventListener("keyup", ({ key }) => key.toLowerCase() === "f" && unflip());
addEventListener("blur", unflip);
