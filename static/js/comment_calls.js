// Behind an @ the names of members are offered: arrows choose one, Enter or Tab takes it, Escape goes on without.
const section = document.querySelector("[data-comments][data-people]");
const live = document.getElementById("live");
const CALL = /(?:^|[^\p{L}\p{N}_])@([^@\n]{0,40})$/u;
const PAUSE = 120; // ms without a key, before it is asked who that may be
const LIST = "people-offered";
// As of a combobox, whose role a field of many lines may not have.
const ATTRIBUTES = ["aria-autocomplete", "aria-haspopup", "aria-controls", "aria-activedescendant"];
let field = null; // in which somebody is called,
let from = -1; // from this sign on
let taken = -1; // the sign whose name was chosen, or not wanted
let people = [];
let active = 0;
let timer = 0;
let asking = null;

const list = () => document.getElementById(LIST);

function close() {
  clearTimeout(timer);
  asking?.abort();
  list()?.remove();
  ATTRIBUTES.forEach((name) => field?.removeAttribute(name));
  people = [];
}

function mark() {
  [...list().children].forEach((option, place) => option.setAttribute("aria-selected", String(place === active)));
  list().children[active].scrollIntoView({ block: "nearest" });
  field.setAttribute("aria-activedescendant", `${LIST}-${active}`);
}

function offer() {
  list()?.remove();
  const box = document.createElement("ul");
  box.id = LIST;
  box.className = "people-offered";
  box.setAttribute("role", "listbox");
  box.setAttribute("aria-label", "Members");
  people.forEach(({ name }, place) => {
    const option = document.createElement("li");
    option.id = `${LIST}-${place}`;
    option.setAttribute("role", "option");
    option.dir = "auto";
    option.textContent = name;
    option.addEventListener("pointerdown", (event) => {
      event.preventDefault(); // the field keeps the focus
      take(place);
    });
    box.append(option);
  });
  field.after(box);
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-haspopup", "listbox");
  field.setAttribute("aria-controls", LIST);
  active = 0;
  mark();
  live.textContent = people.length === 1 ? "One member is offered." : `${people.length} members are offered.`;
}

function take(place) {
  const { id, name } = people[place];
  field.setRangeText(`@${name} `, from, field.selectionStart, "end");
  const chosen = document.createElement("input");
  Object.assign(chosen, { type: "hidden", name: "called", value: id });
  chosen.dataset.chosen = "";
  field.form.append(chosen);
  taken = from;
  close();
}

async function ask(words) {
  asking = new AbortController();
  try {
    const answer = await fetch(`${section.dataset.people}?${new URLSearchParams({ q: words })}`, { signal: asking.signal, headers: { Accept: "application/json" } });
    const found = answer.ok ? (await answer.json()).people : [];
    if (!found.length || document.activeElement !== field) return close();
    people = found;
    offer();
  } catch {
    close(); // names are a help: without them the words are as good
  }
}

function look(target) {
  if (field !== target) {
    close();
    taken = -1;
  }
  field = target;
  const before = field.value.slice(0, field.selectionStart);
  const match = CALL.exec(before);
  const sign = match ? before.length - match[1].length - 1 : -1;
  if (taken !== -1 && before[taken] !== "@") taken = -1;
  clearTimeout(timer);
  if (!match || sign === taken) return close();
  from = sign;
  asking?.abort();
  timer = setTimeout(ask, PAUSE, match[1]);
}

function press(event) {
  if (!people.length || event.target !== field || event.ctrlKey || event.metaKey || event.isComposing) return;
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (by) {
    active = (active + by + people.length) % people.length;
    mark();
  } else if (event.key === "Enter" || event.key === "Tab") take(active);
  else if (event.key === "Escape") {
    taken = from;
    close();
  } else return;
  event.preventDefault();
  event.stopPropagation();
}

section?.addEventListener("input", ({ target }) => target.matches("[data-calls]") && look(target));
section?.addEventListener("keydown", press);
section?.addEventListener("focusout", ({ target }) => target === field && close());
