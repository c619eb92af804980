// What a batch uses and costs follows from how many results each of its pictures gets.
const form = document.querySelector("[data-batch]");
const money = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 4 });

function say() {
  const uses = Number(form.dataset.pictures) * Number(form.elements.samples.value);
  const short = uses > Number(form.dataset.left);
  form.querySelector("[data-batch-uses]").textContent = uses;
  const costs = form.querySelector("[data-batch-money]");
  if (costs) costs.textContent = money.format(uses * Number(form.dataset.price));
  form.querySelector("[data-batch-short]").hidden = !short;
  form.querySelector("[data-batch-run]").disabled = short;
}

form?.elements.samples.addEventListener("change", say);
if (form) say();
form?.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit(form.querySelector("[data-batch-run]"));
});
