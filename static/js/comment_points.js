// A comment on a point of the picture: set by a press or by arrow keys; pins lead to their threads, and back.
const form = document.querySelector("[data-comments] [data-new]");
const start = form?.querySelector("[data-aim]");
const without = form?.querySelector("[data-unaim]");
const live = document.getElementById("live");
const STEP = 0.01; // of a side, with Shift ten times that
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
let pad = null;
let help = null;
let at = { x: 0.5, y: 0.5 };

const picture = () => document.querySelector("[data-pinned]");
const within = (part) => Math.min(1, Math.max(0, part));
const isSet = () => Boolean(form?.elements.x.value);

function put(element) {
  element.style.left = `${at.x * 100}%`;
  element.style.top = `${at.y * 100}%`;
}

function made(name, parent) {
  const element = document.createElement("div");
  element.className = name;
  parent.append(element);
  return element;
}

/** What the form says about its point, and a mark where it lies. */
function show() {
  document.querySelector(".aim-draft")?.remove();
  if (!start) return;
  start.hidden = !picture();
  start.setAttribute("aria-pressed", String(Boolean(pad)));
  start.querySelector("span").textContent = isSet() ? "Move the point" : "Mark a point";
  without.hidden = !isSet();
  if (isSet() && !pad && picture()) put(made("aim-draft", picture()));
}

function leave(words) {
  pad?.remove();
  help?.remove();
  pad = help = null;
  show();
  if (words) live.textContent = words;
}

function set() {
  form.elements.x.value = at.x.toFixed(5);
  form.elements.y.value = at.y.toFixed(5);
  leave("The point is set. Now say what is to be said about it.");
  form.elements.text.focus();
}

function forget() {
  at = { x: 0.5, y: 0.5 };
  form.elements.x.value = form.elements.y.value = "";
  leave("");
}

function move(event) {
  const box = pad.getBoundingClientRect();
  at = { x: within((event.clientX - box.left) / box.width), y: within((event.clientY - box.top) / box.height) };
  put(pad.firstChild);
}

function press(event) {
  const by = MOVES[event.key];
  if (by) {
    const step = event.shiftKey ? STEP * 10 : STEP;
    at = { x: within(at.x + by[0] * step), y: within(at.y + by[1] * step) };
    put(pad.firstChild);
    live.textContent = `${Math.round(at.x * 100)} % from the left, ${Math.round(at.y * 100)} % from the top`;
  } else if (event.key === "Enter" || event.key === " ") set();
  else if (event.key === "Escape") giveUp();
  else return;
  event.preventDefault();
  event.stopPropagation();
}

/** What to do, beside the picture for as long as it is to be done, and the way out for whoever has no keys. */
function hint() {
  const bar = document.createElement("div");
  bar.className = "aim-hint";
  const words = document.createElement("p");
  words.textContent = matchMedia("(pointer: coarse)").matches
    ? "Touch the place in the picture that you mean."
    : "Press on the place that you mean, or move the cross with the arrow keys and press Enter.";
  const out = document.createElement("button");
  out.type = "button";
  out.className = "button button-small";
  out.textContent = "Cancel";
  out.addEventListener("click", giveUp);
  bar.append(words, out);
  return bar;
}

function giveUp() {
  leave("No point was set.");
  start.focus();
}

function aim() {
  if (pad) return giveUp();
  const shown = picture();
  pad = made("aim", shown);
  pad.tabIndex = 0;
  pad.setAttribute("role", "application");
  pad.setAttribute("aria-label", "A point on the picture. Arrow keys move it, Enter sets it, Escape leaves.");
  put(made("aim-cross", pad));
  pad.addEventListener("pointermove", move);
  pad.addEventListener("click", (event) => {
    move(event);
    set();
  });
  pad.addEventListener("keydown", press);
  help = hint();
  shown.before(help);
  show();
  // The words first: of a picture that is higher than the window its lower part can be scrolled to.
  shown.scrollIntoView({ block: "nearest" });
  help.scrollIntoView({ block: "nearest" });
  pad.focus({ preventScroll: true });
}

start?.addEventListener("click", aim);
without?.addEventListener("click", () => {
  forget();
  form.elements.text.focus();
});
form?.addEventListener("retake:said", forget);
// A sensitive picture was shown, or hidden again.
document.addEventListener("htmx:afterSettle", () => {
  if (pad && !pad.isConnected) leave("");
  if (!pad) show();
});
document.addEventListener("click", (event) => {
  const pin = event.target.closest?.("a.pin");
  const mark = event.target.closest?.("[data-to-pin]");
  if (pin) {
    const thread = document.getElementById(pin.getAttribute("href").slice(1));
    // After the browser went there: going is what marks it.
    if (thread) setTimeout(() => thread.focus({ preventScroll: true }));
  } else if (mark) {
    const goal = document.getElementById(mark.getAttribute("href").slice(1)) ?? document.getElementById("veil-link");
    if (!goal) return;
    event.preventDefault();
    goal.closest("figure").scrollIntoView({ block: "nearest" });
    goal.focus({ preventScroll: true });
  }
});
show();
