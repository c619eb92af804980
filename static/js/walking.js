// From picture to picture within the studio: what was set by hand stays in the dock, the second picture stays in its slot,
// and whoever walks through the versions keeps the focus outside of the words.
const KEY = "walk"; // what the page before left for this one
const SETTINGS = ["ratio", "samples", "strength", "seed", "keep_seed", "negative_prompt"];
const BROUGHT = { prompt: ["negative_prompt"], seed: ["seed", "keep_seed"], size: ["ratio"] }; // by reusing a part of an edit
const AGAIN = '#studio form[action$="/run-again/"]';
const QUIET = "#versions :is(.tile, .merged), .results";

const form = () => document.getElementById("edit-form");
const second = () => form()?.elements.second?.value ?? "";
const byHand = new Set();

const left = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
sessionStorage.removeItem(KEY);

/** Whether this page was come to by walking, not to write. */
export const walked = Boolean(left?.quiet);

function settings(brought = []) {
  const fields = form()?.elements;
  const names = new Set(byHand);
  if (fields?.keep_seed?.checked) names.add("seed").add("keep_seed");
  const kept = SETTINGS.filter((name) => names.has(name) && !brought.includes(name) && fields?.[name]);
  return Object.fromEntries(kept.map((name) => [name, name === "keep_seed" ? fields[name].checked : fields[name].value]));
}

function leave({ quiet = false, brought, aloud = false } = {}) {
  sessionStorage.setItem(KEY, JSON.stringify({ quiet, aloud, settings: settings(brought), second: second() }));
}

/** The address with the second picture that lies in its slot; the page behind it takes over what was set by hand. */
export function takingAlong(address, how) {
  leave(how);
  const url = new URL(address, location.href);
  if (second() && !url.searchParams.has("second")) url.searchParams.set("second", second());
  return url.href;
}

function put(name, value) {
  const field = [...form().querySelectorAll(`[name="${name}"]`)].find((each) => each.type !== "radio" || each.value === value);
  if (!field) return;
  if (field.type === "radio") field.checked = true;
  else if (field.type === "checkbox") field.checked = value;
  else field.value = value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

function saySecond(aloud) {
  const name = form().querySelector("[data-second-name]").textContent;
  const sentence = second() ? `The second picture, ${name}, stays in its slot.` : "The second picture is the source now; its slot is empty.";
  if (aloud) document.dispatchEvent(new CustomEvent("retake:toast", { detail: { sentence } }));
  else document.getElementById("live").textContent = sentence;
}

// Only then does every other script of the page listen.
document.addEventListener("DOMContentLoaded", () => {
  if (!left || !form()) return;
  for (const [name, value] of Object.entries(left.settings)) put(name, value);
  if (left.second && [left.second, ""].includes(second())) saySecond(left.aloud);
});
document.addEventListener("input", ({ target }) => {
  if (target.closest("#edit-form") && SETTINGS.includes(target.name)) byHand.add(target.name);
});

// At the window, so that others have said before whether the press means to go there.
window.addEventListener("click", (event) => {
  const link = event.target.closest?.("#studio a[href], .pick-dialog a[data-picked]");
  if (!link || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const { pathname, searchParams } = new URL(link.href);
  if (!pathname.startsWith("/studio/") || "clearSource" in link.dataset || searchParams.has("joined")) return;
  const brought = searchParams.has("reuse") ? (BROUGHT[searchParams.get("what")] ?? "all") : [];
  if (brought === "all") return; // with all that it was asked with
  const quiet = Boolean(link.closest(QUIET)) || searchParams.has("against");
  link.href = takingAlong(link.href, { quiet, brought });
});
window.addEventListener("submit", (event) => {
  if (event.target.matches(AGAIN) && !event.defaultPrevented) leave({ quiet: true });
});
document.addEventListener("formdata", ({ target, formData }) => {
  if (target.matches(AGAIN)) formData.set("second", second());
});
document.addEventListener("htmx:afterSwap", ({ detail }) => {
  if (detail.requestConfig?.elt.id === "edit-form" && detail.xhr.status === 200 && second()) saySecond(false);
});
