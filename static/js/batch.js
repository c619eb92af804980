// What a batch comes to while it is asked for: its price follows the results of each picture, and by the portal's word the
// rows of its table; words in braces get their fields as they are typed. Another recipe shows its steps.
import { namesIn } from "./braces.js";

const form = document.querySelector("[data-batch]");
const money = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 4 });
const run = form?.querySelector("[data-batch-run]");
const use = form?.querySelector("[data-batch-use]");
const samples = form?.elements.samples;
const TYPED = 300; // ms without a key, before fields come;
const FILLED = 600; // ms, before a table is looked at;
const LATER = 20_000; // ms, before it is tried once more when no price came
let pause = 0;

const said = () => form.querySelector("[data-batch-said]");
const blanks = () => [...form.querySelectorAll("#batch-blanks input")];
const nameOf = (blank) => blank.name.replace(/^value-/, "");

function say() {
  const { items, what, short, unknown } = said().dataset;
  form.querySelector("[data-batch-what]").textContent = what;
  run.disabled = Boolean(short);
  if (!samples || unknown !== undefined) return;
  const uses = Number(items) * Number(samples.value);
  run.disabled = uses > Number(form.dataset.left);
  form.querySelector("[data-batch-uses]").textContent = uses;
  const costs = form.querySelector("[data-batch-money]");
  if (costs) costs.textContent = money.format(uses * Number(form.dataset.price));
  form.querySelector("[data-batch-short]").hidden = !run.disabled;
}

function look(wait) {
  clearTimeout(pause);
  pause = setTimeout(() => htmx.trigger(form.querySelector("[data-batch-preview]"), "preview"), wait);
}

const hasTable = () => Boolean(form.elements.rows?.value.trim() || form.elements.table?.files.length);
const wanted = () => (form.elements.prompt ? namesIn(`${form.elements.prompt.value} ${form.elements.negative_prompt.value}`) : []);

function onInput({ target }) {
  if (target.name === "rows") return look(FILLED);
  if (target.closest("#batch-blanks")) return hasTable() && look(FILLED);
  if (target.name !== "prompt" && target.name !== "negative_prompt") return;
  if (wanted().join("\n") !== blanks().map(nameOf).join("\n")) look(TYPED);
}

// Fields come anew only when they are other ones; what was typed meanwhile stays with its name, and so does the focus.
let typed = new Map();
let focused = null;

function keep({ detail }) {
  if (detail.target.id !== "batch-blanks") return;
  typed = new Map(blanks().map((blank) => [nameOf(blank), blank.value]));
  const coming = [...detail.fragment.querySelectorAll("input")].map(nameOf);
  if (coming.join("\n") === blanks().map(nameOf).join("\n")) {
    detail.shouldSwap = false;
    return;
  }
  focused = document.activeElement.closest("#batch-blanks input") && nameOf(document.activeElement);
}

function putBack({ detail }) {
  if (detail.target.id === "batch-blanks") {
    for (const blank of blanks()) blank.value = typed.get(nameOf(blank)) ?? blank.value;
    if (focused) blanks().find((blank) => nameOf(blank) === focused)?.focus();
    focused = null;
  }
  say();
}

// Without an answer the old price would be that of other words: none is said then. Who is signed out keeps what they typed.
function unknown(event) {
  // What is said here needs no message of its own, and that the connection is gone is told once.
  if (event.type !== "htmx:sendError" || said().dataset.unknown !== undefined) event.stopPropagation();
  form.querySelector("#batch-price").replaceChildren(form.querySelector("[data-batch-unknown]").content.cloneNode(true));
  say();
  look(LATER);
}

function stay(event) {
  if (!event.detail.xhr.getResponseHeader("HX-Redirect")) return;
  event.preventDefault();
  unknown(event);
}

if (form) {
  const preview = form.querySelector("[data-batch-preview]");
  for (const end of ["htmx:responseError", "htmx:sendError"]) preview.addEventListener(end, unknown);
  preview.addEventListener("htmx:beforeOnLoad", stay);
  samples?.addEventListener("change", say);
  say();
  form.addEventListener("input", onInput);
  form.elements.table?.addEventListener("change", () => look(0));
  form.elements.recipe?.addEventListener("change", () => form.requestSubmit(use));
  if (use) use.hidden = true;
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit(run);
  });
  document.addEventListener("htmx:oobBeforeSwap", keep);
  document.addEventListener("htmx:oobAfterSwap", putBack);
  // What is wrong comes first.
  const wrong = form.querySelector("[aria-invalid=true], .form-error");
  if (wrong?.matches(".form-error")) wrong.tabIndex = -1;
  wrong?.focus();
  addEventListener("pageshow", ({ persisted }) => !persisted && hasTable() && look(0)); // a browser that goes back keeps it
}
