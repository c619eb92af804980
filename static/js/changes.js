// Whether what changed is shown stays as it was chosen, from one result to the next. The switch itself needs no script.
const KEY = "changes-shown";
const find = () => document.querySelector("#stage [data-changes]");

function begin() {
  const box = find();
  if (!box || box.dataset.begun) return;
  box.dataset.begun = "yes";
  if (sessionStorage.getItem(KEY) === "yes") box.checked = true;
  if (box.checked) sessionStorage.setItem(KEY, "yes");
}

begin();
document.addEventListener("htmx:load", begin);
document.addEventListener("change", ({ target }) => {
  if (target === find()) sessionStorage.setItem(KEY, target.checked ? "yes" : "no");
});
