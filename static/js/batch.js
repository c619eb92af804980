// What a batch uses and costs follows from how many results each of its pictures gets; another recipe shows its steps.
const form = document.querySelector("[data-batch]");
const money = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 4 });
const run = form?.querySelector("[data-batch-run]");
const use = form?.querySelector("[data-batch-use]");
const samples = form?.elements.samples;

function say() {
  const uses = Number(form.dataset.pictures) * Number(samples.value);
  const short = uses > Number(form.dataset.left);
  form.querySelector("[data-batch-uses]").textContent = uses;
  const costs = form.querySelector("[data-batch-money]");
  if (costs) costs.textContent = money.format(uses * Number(form.dataset.price));
  form.querySelector("[data-batch-short]").hidden = !short;
  run.disabled = short;
}

samples?.addEventListener("change", say);
if (samples) say();
form?.elements.recipe?.addEventListener("change", () => form.requestSubmit(use));
if (use) use.hidden = true;
form?.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit(run);
});
