// Sections about approval refresh themselves; not while somebody types there, and what was unfolded stays so.
const typing = (section) =>
  section.contains(document.activeElement) && document.activeElement.matches("textarea, input:not([type=hidden])");
const begun = (section) => [...section.querySelectorAll("textarea")].some((field) => field.value.trim());

document.addEventListener("htmx:beforeRequest", (event) => {
  const section = event.detail.elt;
  if (section.matches?.("[data-held]") && (typing(section) || begun(section))) event.preventDefault();
});

let unfolded = [];
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (!detail.target.matches?.("[data-held]")) return;
  unfolded = [...detail.target.querySelectorAll("details[open]")].map((each) => each.className);
});
document.addEventListener("htmx:afterSettle", ({ target }) => {
  if (!target.matches?.("[data-held]")) return;
  for (const each of target.querySelectorAll("details")) each.open ||= unfolded.includes(each.className);
});

// Whom to ask: narrowed while one types, without losing who is chosen.
const search = document.querySelector("[data-people-search]");
const list = document.querySelector("[data-people]");
search?.addEventListener("input", () => {
  const wanted = search.value.trim().toLowerCase();
  const people = [...list.querySelectorAll(".person")];
  for (const person of people) person.hidden = !person.textContent.toLowerCase().includes(wanted);
  list.querySelector("[data-nobody]").hidden = people.some((person) => !person.hidden);
});
