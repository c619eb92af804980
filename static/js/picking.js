// Picking a picture in a dialog over the studio. The same page, opened by its link, works alone.
import { carryWords } from "./prompt.js";
import { fillSecond } from "./dock.js";

let dialog = null;

async function open(link) {
  const answer = await fetch(link.href, { headers: { Accept: "text/html" } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const sheet = page.getElementById("pick");
  if (!answer.ok || !sheet) throw new Error("no such page");
  dialog?.remove();
  dialog = document.createElement("dialog");
  dialog.className = "sheet-dialog pick-dialog";
  dialog.setAttribute("aria-labelledby", "pick-title");
  const form = document.createElement("form");
  form.method = "dialog";
  const close = document.createElement("button");
  close.className = "icon-button";
  close.textContent = "×";
  close.setAttribute("aria-label", "Close");
  form.append(close);
  dialog.append(form, document.adoptNode(sheet));
  document.body.append(dialog);
  htmx.process(dialog);
  dialog.showModal();
  dialog.querySelector("[type=search]").focus();
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => document.querySelector(`[data-drop="${sheet.dataset.slot}"] summary`)?.focus());
}

document.addEventListener("click", async (event) => {
  const { target } = event;
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  const link = target.closest("a[data-pick]");
  if (link) {
    event.preventDefault();
    const menu = link.closest("details[data-menu]");
    if (menu) menu.open = false;
    try {
      await open(link);
    } catch {
      location.assign(link.href);
    }
    return;
  }
  const picked = target.closest("a[data-picked]");
  if (!picked || !dialog?.contains(picked)) return;
  const { slot } = picked.closest("[data-slot]").dataset;
  if (slot === "second") {
    event.preventDefault();
    const expired = picked.parentElement.querySelector("[data-expired]");
    fillSecond({ id: picked.dataset.picked, name: picked.dataset.name, picture: picked.querySelector("img, .thumb-empty"), expired });
    dialog.close();
  } else if (slot === "source") carryWords();
});

// Arrows walk through the pictures.
document.addEventListener("keydown", (event) => {
  const here = event.target.closest?.("#picks .pick");
  if (!here || !event.key.startsWith("Arrow")) return;
  const all = [...document.querySelectorAll("#picks .pick")];
  const inRow = all.filter((each) => each.offsetTop === all[0].offsetTop).length;
  const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: inRow, ArrowUp: -inRow }[event.key];
  const next = all[all.indexOf(here) + by];
  if (!next) return;
  event.preventDefault();
  next.focus();
});
