// Pictures come in by drop, paste, dialog or camera: one request each, with its progress, and a bad one harms no other.
import { carryWords } from "./prompt.js";
import { takingAlong } from "./walking.js";
import { drawToken, send } from "./sending.js";

const AT_ONCE = 3;
const waiting = [];
let running = 0;
let lastSlot = "stage";

const list = () => document.getElementById("uploads");
const form = () => document.getElementById("upload-form");

function row(file) {
  const item = document.createElement("li");
  item.className = "upload";
  const picture = document.createElement("img");
  picture.alt = "";
  const preview = URL.createObjectURL(file);
  picture.src = preview;
  picture.addEventListener("error", () => {
    const mark = document.createElement("span");
    mark.className = "upload-mark";
    picture.replaceWith(mark);
  });
  const name = document.createElement("span");
  name.className = "upload-name";
  name.textContent = file.name || "Pasted picture";
  const progress = document.createElement("progress");
  progress.max = 1;
  progress.value = 0;
  progress.setAttribute("aria-label", `Upload of ${name.textContent}`);
  const words = document.createElement("span");
  words.className = "upload-words";
  words.setAttribute("role", "status");
  item.append(picture, name, progress, words);
  list().append(item);
  return { item, progress, words, preview, name: name.textContent };
}

function refuse(line, sentence) {
  line.item.classList.add("bad");
  line.progress.remove();
  line.words.textContent = sentence;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "icon-button icon-button-small";
  close.setAttribute("aria-label", `Close: ${line.name}`);
  close.textContent = "×";
  close.addEventListener("click", () => line.item.remove());
  line.item.insertBefore(close, line.item.children[2]);
}

function sendFile(file, line) {
  const fields = new FormData();
  fields.append("csrfmiddlewaretoken", form().querySelector("[name=csrfmiddlewaretoken]").value);
  fields.append("workspace", form().querySelector("[name=workspace]").value);
  fields.append("token", drawToken());
  fields.append("file", file, file.name || "pasted.png");
  return send(form().action, fields, {
    onProgress: (share) => {
      line.progress.value = share;
      if (share > 0) line.words.textContent = "";
    },
    onWait: (words) => {
      line.words.textContent = words;
    },
  });
}

async function settled(picture) {
  for (let pause = 300; ; pause = Math.min(pause * 1.4, 3000)) {
    if (picture.state !== "received") return picture;
    await new Promise((resolve) => setTimeout(resolve, pause));
    const answer = await fetch(`${form().action}${picture.id}/state/`, { headers: { Accept: "application/json" } });
    if (answer.ok) picture = await answer.json();
  }
}

async function take({ file, slot, opens }) {
  const line = row(file);
  try {
    const picture = await sendFile(file, line);
    line.progress.removeAttribute("value");
    if (opens) {
      if (slot === "source") carryWords();
      location.assign(takingAlong(picture.url, { aloud: true }));
      return;
    }
    if (slot === "second") {
      document.dispatchEvent(new CustomEvent("retake:second", { detail: { id: picture.id, preview: line.preview, name: line.name } }));
    }
    line.words.textContent = "Looking at it…";
    const known = await settled(picture);
    if (known.error) refuse(line, known.error);
    else if (slot === "second") line.item.remove();
    else {
      line.progress.remove();
      const link = document.createElement("a");
      link.href = known.url;
      link.textContent = "Open in the studio";
      line.words.replaceChildren(link);
    }
  } catch (error) {
    refuse(line, error.message);
  }
}

async function work() {
  if (running >= AT_ONCE || !waiting.length) return;
  running += 1;
  await take(waiting.shift());
  running -= 1;
  work();
}

function accept(files, slot) {
  const pictures = [...files].filter((file) => file.size > 0 || file.type);
  if (!pictures.length || !form()) return;
  // One picture for the stage is opened at once; of several, each says for itself how it went.
  pictures.forEach((file, index) => {
    if (slot === "second" && index > 0) return;
    waiting.push({ file, slot, opens: slot !== "second" && pictures.length === 1 });
  });
  for (let started = 0; started < AT_ONCE; started += 1) work();
}

document.addEventListener("change", ({ target }) => {
  if (target.type !== "file" || !target.files?.length) return;
  accept(target.files, target.dataset.slot ?? "stage");
  const panel = target.closest("details[data-menu]");
  if (panel) panel.open = false;
  target.value = "";
});

const zone = (event) => event.target.closest?.("[data-drop]") ?? document.querySelector("#stage[data-drop], .dropzone");
const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
const unmark = () => document.querySelectorAll(".over").forEach((element) => element.classList.remove("over"));

document.addEventListener("dragover", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  unmark();
  zone(event)?.classList.add("over");
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) unmark();
});
document.addEventListener("drop", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  unmark();
  accept(event.dataTransfer.files, zone(event)?.dataset.drop ?? "stage");
});

// A paste goes to the slot that was last opened or focused, else to the stage.
document.addEventListener("focusin", (event) => {
  lastSlot = event.target.closest?.("[data-drop]")?.dataset.drop ?? "stage";
});
document.addEventListener("paste", (event) => {
  const files = event.clipboardData?.files;
  if (!files?.length) return;
  event.preventDefault();
  accept(files, lastSlot);
});

const input = form()?.querySelector("input[type=file]");
if (input) {
  input.multiple = true;
  // Somebody may have chosen before this module was here.
  if (input.files.length) input.dispatchEvent(new Event("change", { bubbles: true }));
}
