// The desk by keyboard: one key per decision, and the next case comes by itself.
import { show } from "./desk_pictures.js";
import { lettersWork } from "./letters.js";

const desk = () => document.querySelector("[data-desk]");
const decision = () => desk()?.querySelector("[data-desk-decide]");
const live = document.getElementById("live");
const AT_ONCE = new Set(["f", "s"]); // need no reason
let busy = false;
let spokenOf = document.querySelector("[data-desk-said] a")?.href;

const actions = (form) => [...form.querySelectorAll(".desk-actions input")];
const needsReason = (form) => actions(form).some((box) => box.checked && "reason" in box.dataset);

// Words and choices ------------------------------------------------------------------------------------------------

/** The reason is asked for when somebody will read it; ones that can't go together leave each other. */
function follow(form) {
  form.querySelector("[data-desk-reasons]").hidden = !needsReason(form) && !form.dataset.open;
}

function complain(sentence) {
  const problem = decision()?.querySelector("[data-desk-problem]");
  if (!problem) return;
  problem.textContent = sentence;
  problem.hidden = !sentence;
}

function toggle(form, box) {
  box.checked = !box.checked;
  complain("");
  follow(form);
  if (box.checked && "reason" in box.dataset) form.querySelector("[name=preset]:checked").focus(); // the space bar chooses none by accident
  else box.focus();
}

function submit(form) {
  if (!actions(form).some((box) => box.checked)) {
    const keys = actions(form).map((box) => box.dataset.key.toUpperCase());
    return complain(`Choose what to do first: ${keys.slice(0, -1).join(", ")} or ${keys.at(-1)}.`);
  }
  const words = form.elements.words.value.trim() || form.querySelector("[name=preset]:checked")?.value;
  if (needsReason(form) && !words) {
    complain("Give a reason: 1 to 9, or 0 for your own words.");
    form.querySelector("[name=preset]:checked").focus();
    return;
  }
  form.requestSubmit();
}

// Keys --------------------------------------------------------------------------------------------------------------

const types = (target) => target.matches("textarea, select, input:not([type=checkbox], [type=radio])");

function press(key, event) {
  const form = decision();
  if (key === "?") return desk().querySelector("[data-desk-keys]")?.showModal();
  if (key === "v") return desk().querySelector("[data-desk-show]") ? show() : undefined;
  if (form && key === "Enter") return submit(form);
  if (form && /^[0-9]$/.test(key)) return reason(form, key);
  const box = form && actions(form).find((each) => each.dataset.key === key);
  if (box && "unseen" in form.dataset && AT_ONCE.has(key)) {
    for (const each of actions(form)) each.checked = each === box;
    return submit(form);
  }
  if (box) {
    const alone = !actions(form).some((each) => each.checked);
    toggle(form, box);
    if (AT_ONCE.has(key) && alone && box.checked && !("reason" in box.dataset)) submit(form);
    return;
  }
  const other = desk().querySelector(`:is(a, button)[data-key="${CSS.escape(key)}"]`);
  if (other) other.click();
  else return false;
}

function reason(form, digit) {
  const choice = form.querySelector(`[name=preset][data-key="${digit}"]`);
  if (!choice) return false;
  form.dataset.open = "1";
  follow(form);
  choice.checked = true;
  complain("");
  if (digit === "0") form.elements.words.focus();
  else choice.focus();
}

function leave(form, target) {
  if (types(target)) return form.querySelector("[name=preset]:checked, .desk-actions input").focus();
  for (const box of actions(form)) box.checked = false;
  delete form.dataset.open;
  complain("");
  follow(form);
  desk().querySelector("[data-desk-head]").focus();
}

document.addEventListener("keydown", (event) => {
  if (!desk() || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const { target } = event;
  if (document.querySelector("dialog[open], details[data-menu][open]")) return;
  if (event.key === "Escape") return decision() && leave(decision(), target);
  if (types(target)) return;
  if (event.key === "Enter" && target.closest("a, button, summary")) return;
  if (busy || event.repeat) return event.key === "Tab" ? undefined : event.preventDefault();
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (key.length > 1 ? key !== "Enter" : !lettersWork()) return;
  if (key !== " " && press(key, event) !== false) event.preventDefault();
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-desk-help]")) desk().querySelector("[data-desk-keys]").showModal();
});
document.addEventListener("change", ({ target }) => {
  const form = target.closest("[data-desk-decide]");
  if (form) follow(form);
});

// The next one ------------------------------------------------------------------------------------------------------

document.addEventListener("htmx:beforeRequest", () => (busy = true));
for (const end of ["afterSettle", "sendError", "responseError", "swapError"]) {
  document.addEventListener(`htmx:${end}`, () => (busy = false));
}

function arrive({ spoken }) {
  const form = decision();
  if (form) follow(form);
  if (desk()) desk().dataset.ready = "";
  const head = desk()?.querySelector("[data-desk-head]");
  if (!spoken) return;
  const problem = form?.querySelector("[data-desk-problem]:not([hidden])");
  if (problem) return actions(form)[0].focus();
  scrollTo({ top: 0, behavior: "instant" });
  head?.focus({ preventScroll: true });
  const last = desk().querySelector("[data-desk-said] a")?.href;
  const said = last !== spokenOf ? desk().querySelector("[data-desk-said] p")?.textContent : "";
  spokenOf = last;
  live.textContent = [said, head ? `Next: ${head.textContent}` : ""].filter(Boolean).join(". ");
  document.title = `${head?.textContent ?? "Desk"} · Retake`;
}

document.addEventListener("htmx:afterSettle", () => arrive({ spoken: true }));
arrive({ spoken: false });
