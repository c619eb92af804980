// Says how many variations the form asks for, before it is sent.
const form = document.querySelector("[data-vary]");
const count = form.querySelector("[data-vary-count]");

function asked() {
  const kind = form.querySelector("input[name=what]:checked")?.value;
  const fields = [...form.querySelectorAll(`[data-kind="${kind}"] :is(input, textarea)`)];
  // Words that are left as they came make none.
  return fields.filter((field) => field.value.trim() && !(kind === "prompt" && field.value === form.dataset.vary)).length;
}

function say() {
  const number = asked();
  count.textContent = ["and none is asked for yet", "so this uses 1"][number] ?? `so these use ${number}`;
}

count.hidden = false;
form.querySelector("[data-vary-most]").hidden = true;
form.addEventListener("input", say);
form.addEventListener("change", say);
say();
