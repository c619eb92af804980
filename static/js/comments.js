// Comments on a picture. What others say comes in between, without taking away what somebody is writing, the focus or a
// form that is open: only what changed is put in anew, and nothing in which somebody writes.
const section = document.querySelector("[data-comments]");
const live = document.getElementById("live");
let sent = ""; // the comment that was sent last, to be shown once it is there
let heard = 0; // comments of others that came in

const fieldsIn = (element) => [...element.querySelectorAll("textarea")];
const isWritten = (element) => fieldsIn(element).some((field) => field.value !== field.defaultValue);
const isBusy = (element) => isWritten(element) || fieldsIn(element).includes(document.activeElement);
const partsOf = (element) => [...element.children].filter((child) => child.dataset.part);
const inside = (element, selector) => element.querySelector(`:scope > ${selector}`);

function settle(made) {
  htmx.process(made);
  htmx.trigger(made, "htmx:load");
  return made;
}

function swap(old, fresh) {
  const made = document.importNode(fresh, true);
  const held = old.contains(document.activeElement);
  const around = old.parentElement.closest("[tabindex]");
  old.replaceWith(made);
  settle(made);
  if (held) (made.querySelector("button") ?? around)?.focus({ preventScroll: true });
}

function remove(item) {
  const held = item.contains(document.activeElement);
  const next = item.nextElementSibling ?? item.previousElementSibling ?? document.getElementById("comments-title");
  item.remove();
  if (held) next.focus({ preventScroll: true });
}

function addAfter(list, place, fresh) {
  const made = document.importNode(fresh, true);
  if (place) place.after(made);
  else list.prepend(made);
  settle(made);
  made.classList.add("said-new");
  heard += [made, ...made.querySelectorAll("[data-said]")].filter((each) => "said" in each.dataset && !("own" in each.dataset)).length;
  return made;
}

// Threads and answers never change places: those that are there stay where they are.
function mergeList(list, fresh) {
  const wanted = [...fresh.children];
  const known = new Map([...list.children].map((item) => [item.id, item]));
  const staying = new Set(wanted.map(({ id }) => id));
  for (const item of known.values()) if (!staying.has(item.id) && !isBusy(item)) remove(item);
  let place = null;
  for (const item of wanted) {
    const old = known.get(item.id);
    if (old) merge(old, item);
    place = old ?? addAfter(list, place, item);
  }
}

function mergeParts(element, fresh) {
  for (const part of partsOf(element)) {
    const other = inside(fresh, `[data-part="${part.dataset.part}"]`);
    if (!other) {
      if (!part.open) part.remove();
    } else if (part.dataset.part === "fold") continue;
    else if (part.dataset.state === undefined ? part.innerHTML !== other.innerHTML : part.dataset.state !== other.dataset.state) swap(part, other);
  }
  const fold = inside(fresh, '[data-part="fold"]');
  if (fold && !inside(element, '[data-part="fold"]')) settle(element.appendChild(document.importNode(fold, true)));
}

function merge(element, fresh) {
  mergeParts(element, fresh);
  const said = inside(element, "[data-said]");
  const other = inside(fresh, "[data-said]");
  if (said && other && said.dataset.state !== other.dataset.state && !isBusy(said)) swap(said, other);
  const list = inside(element, "[data-merge]");
  if (list) mergeList(list, inside(fresh, "[data-merge]"));
}

// Those of a picture that is shown; a sensitive one has none until somebody asks for it.
function mergePins(fresh) {
  const pins = document.querySelector("[data-pinned] [data-pins]");
  if (!pins || !fresh || pins.innerHTML === fresh.innerHTML) return;
  const held = pins.contains(document.activeElement) ? document.activeElement.id : "";
  pins.replaceChildren(...[...fresh.children].map((each) => document.importNode(each, true)));
  document.getElementById(held)?.focus({ preventScroll: true });
}

function say() {
  const made = sent && document.getElementById(`comment-${sent}`);
  if (made) {
    made.scrollIntoView({ block: "nearest" });
    live.textContent = "Your comment is there.";
    sent = "";
  } else if (heard) live.textContent = heard === 1 ? "A new comment." : `${heard} new comments.`;
  heard = 0;
}

const lookAgain = () => section.querySelectorAll("[data-threads]").forEach((box) => box.dispatchEvent(new CustomEvent("look")));

/** What was sent is no longer being written. */
function empty(form, token) {
  const field = fieldsIn(form)[0];
  const details = form.closest("details");
  if (form.closest("[data-change]")) field.defaultValue = field.value;
  else field.value = field.defaultValue = "";
  form.querySelectorAll("[data-chosen]").forEach((chosen) => chosen.remove());
  if (form.elements.form_token) form.elements.form_token.value = token;
  clear(field);
  if (details) {
    details.open = false;
    details.querySelector("summary").focus({ preventScroll: true });
  }
}

function clear(field) {
  field.removeAttribute("aria-invalid");
  field.form.querySelector("[data-error]").textContent = "";
}

section?.addEventListener("htmx:afterRequest", ({ target, detail }) => {
  if (target.matches("[data-comment-form]") && detail.xhr.status === 422) {
    const field = fieldsIn(target)[0];
    field.setAttribute("aria-invalid", "true");
    field.focus();
  }
  if (!target.matches("[data-threads]") || detail.xhr.status !== 200) return;
  const fresh = new DOMParser().parseFromString(detail.xhr.responseText, "text/html").querySelector("[data-threads]");
  if (!fresh) return;
  mergePins(fresh.querySelector("[data-pins]"));
  merge(target, fresh);
  say();
});
section?.addEventListener("retake:said", ({ target, detail }) => {
  if (target.matches("[data-comment-form]")) {
    sent = detail.comment;
    empty(target, detail.token);
  }
  lookAgain();
});
section?.addEventListener("input", ({ target }) => target.matches("textarea") && clear(target));
section?.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.matches("textarea")) event.target.form.requestSubmit();
});
/** What was written there is given up, or there was nothing. */
function close(details) {
  const field = fieldsIn(details)[0];
  field.value = field.defaultValue;
  clear(field);
  details.open = false;
  details.querySelector("summary").focus({ preventScroll: true });
}

section?.addEventListener("click", ({ target }) => target.closest("[data-cancel]") && close(target.closest("details")));
section?.addEventListener("keydown", (event) => {
  const details = event.key === "Escape" && event.target.closest(".thread-answer[open], [data-change][open]");
  if (details && !isWritten(details)) close(details);
});
// A form that opens is for writing in.
section?.addEventListener(
  "toggle",
  ({ target }) => {
    const field = target.open && target.matches(".thread-answer, [data-change]") && fieldsIn(target)[0];
    if (!field) return;
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
  },
  true,
);
