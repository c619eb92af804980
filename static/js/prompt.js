// The prompt: grows with its words, keeps a draft, runs by Ctrl or ⌘ Enter, walks earlier words by Alt ↑ and ↓.
let earlier = -1; // how far back; -1 is what is being written
let written = "";
let typed = null; // since the words were sent; the answer brings a new field

const prompt = () => document.getElementById("prompt");
const draftKey = () => `draft:${document.querySelector("#edit-form [name=source]")?.value ?? ""}`;

function grow(field) {
  if (CSS.supports("field-sizing", "content")) return;
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight + 2}px`;
}

function begin() {
  const field = prompt();
  if (!field || field.dataset.begun) return;
  field.dataset.begun = "yes";
  earlier = -1;
  const changing = new URLSearchParams(location.search).has("from");
  if (!field.value && !changing) field.value = sessionStorage.getItem(draftKey()) ?? "";
  grow(field);
  if (matchMedia("(pointer: fine)").matches && document.activeElement === document.body) field.focus({ preventScroll: true });
}

function walk(field, step) {
  const words = [...new Set([...document.querySelectorAll("[data-prompt]")].map((tile) => tile.dataset.prompt))];
  const next = Math.min(words.length - 1, Math.max(-1, earlier + step));
  if (next === earlier) return;
  if (earlier === -1) written = field.value;
  earlier = next;
  field.value = earlier === -1 ? written : words[earlier];
  grow(field);
}

document.addEventListener("input", (event) => {
  if (event.target.id !== "prompt") return;
  earlier = -1;
  grow(event.target);
  sessionStorage.setItem(draftKey(), event.target.value);
});

document.addEventListener("keydown", (event) => {
  const form = event.target.closest?.("#edit-form");
  if (form && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    if (!form.querySelector(".run").disabled) form.requestSubmit();
  } else if (event.target.id === "prompt" && event.altKey && ["ArrowUp", "ArrowDown"].includes(event.key)) {
    event.preventDefault();
    walk(event.target, event.key === "ArrowUp" ? 1 : -1);
  }
});

// What was sent is no draft any more; what was typed since then is.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.requestConfig?.elt.id !== "edit-form") return;
  const sent = detail.requestConfig.formData.get("prompt");
  const now = prompt()?.value ?? "";
  typed = null;
  if (detail.xhr.status === 200) {
    sessionStorage.removeItem(draftKey());
    if (now !== sent) typed = now.startsWith(sent) ? now.slice(sent.length).trimStart() : now;
  } else if (now !== sent) typed = now;
});
document.addEventListener("htmx:afterSwap", () => {
  const field = prompt();
  if (typed === null || !field) return;
  field.value = typed;
  sessionStorage.setItem(draftKey(), typed);
  typed = null;
});
document.addEventListener("htmx:load", begin);
begin();
