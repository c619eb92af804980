// Hundreds of pictures into the library: a few at a time, with pause, retry, and a way to go on after a reload.
import { drawToken, Halt, send } from "./sending.js";
import { filesIn, keyOf } from "./chosen_files.js";
import { Remembered } from "./remembered_uploads.js";

const AT_ONCE = 3;
const MOST_ASKED = 100;
const form = document.getElementById("upload-form");
const rows = document.getElementById("upload-rows");
const total = document.getElementById("upload-total");
const remembered = new Remembered(`uploads ${form?.dataset.person} ${form?.workspace.value}`);
const items = [];
let paused = false;
let halted = "";
let looking = false;

const part = (item, name) => item.row.querySelector(`[data-${name}]`);
const among = (...states) => items.filter((item) => states.includes(item.state));
const triable = () => among("bad").filter((item) => !item.hopeless);

function show(item, state, words = "") {
  item.state = state;
  item.row.dataset.state = state;
  part(item, "words").textContent = words;
  part(item, "progress").hidden = !["waiting", "sending", "looking"].includes(state);
  part(item, "retry").hidden = state !== "bad" || item.hopeless;
  part(item, "both").hidden = state !== "same";
  if (["waiting", "sending"].includes(state)) part(item, "progress").value = item.share;
  else part(item, "progress").removeAttribute("value");
  sum();
}

const sentences = [
  ["done", "taken in"],
  ["looking", "being looked at"],
  ["same", "already in the library"],
  ["bad", "not taken in"],
  ["canceled", "canceled"],
];

let summing = 0;
function sum() {
  summing ||= requestAnimationFrame(() => {
    summing = 0;
    const size = items.reduce((bytes, item) => bytes + item.file.size, 0);
    const sent = items.reduce((bytes, item) => bytes + item.file.size * (["waiting", "sending"].includes(item.state) ? item.share : 1), 0);
    const left = among("waiting", "sending").length;
    const counts = sentences.map(([state, words]) => [among(state).length, words]).filter(([count]) => count);
    total.hidden = !items.length;
    total.querySelector("progress").value = size ? sent / size : 0;
    total.querySelector("[data-count]").textContent = left
      ? `${items.length - left} of ${items.length} sent`
      : `${items.length} ${items.length === 1 ? "picture" : "pictures"}`;
    total.querySelector("[data-sorts]").textContent = counts.map(([count, words]) => `${count} ${words}`).join(" · ");
    total.querySelector("[data-halt]").textContent = halted;
    total.querySelector("[data-pause]").hidden = paused || !among("waiting").length;
    total.querySelector("[data-go-on]").hidden = !paused || !left;
    total.querySelector("[data-cancel]").hidden = !left;
    total.querySelector("[data-retry-all]").hidden = !triable().length;
  });
}

function link(words, address) {
  const anchor = document.createElement("a");
  anchor.href = address;
  anchor.textContent = words;
  return anchor;
}

function remember(item, picture) {
  if (picture) remembered.done(item.key, picture.id);
  else remembered.forget(item.key);
}

function settle(item, picture) {
  if (picture.error) {
    item.token = drawToken();
    item.hopeless = !["lost", "undecodable"].includes(picture.code);
    remember(item, item.hopeless && picture);
    show(item, "bad", picture.error);
    return;
  }
  remember(item, picture);
  show(item, "done");
  const others = picture.alike ?? [];
  const words = part(item, "words");
  words.append(link("Open", picture.page));
  if (others.length) words.append(" · looks like ", ...others.flatMap((other, index) => [index ? ", " : "", link(other.name || "another one", other.page)]));
  item.row.classList.toggle("alike", others.length > 0);
  showThumb(item, picture);
}

function showThumb(item, picture) {
  if (!picture.thumb) return;
  const thumb = part(item, "thumb");
  thumb.src = picture.thumb;
  thumb.hidden = false;
}

async function sendItem(item) {
  item.abort = new AbortController();
  const fields = new FormData();
  for (const [name, value] of item.fields) fields.append(name, value);
  fields.set("token", item.token);
  fields.append("file", item.file, item.file.name);
  item.share = 0;
  show(item, "sending");
  const picture = await send(form.action, fields, {
    signal: item.abort.signal,
    onProgress: (share) => {
      item.share = share;
      show(item, "sending", share < 1 ? "" : "Sent; waiting for the answer…");
    },
    onWait: (words) => show(item, "sending", words),
  });
  if (picture.same) {
    remember(item, picture);
    show(item, "same");
    showThumb(item, picture);
    part(item, "words").append("Already in the library, kept as it is. ", link("Open", picture.page ?? picture.url));
    return;
  }
  item.id = picture.id;
  if (picture.state === "received") show(item, "looking", "Looking at it…");
  else settle(item, picture);
  look();
}

async function work() {
  const most = Number(form.dataset.mostWaiting) / 2;
  if (paused || among("sending").length >= AT_ONCE || among("looking").length >= most) return;
  const item = items.find(({ state }) => state === "waiting");
  if (!item) return;
  const ended = sendItem(item).catch((error) => {
    if (error.name === "AbortError") return;
    if (error instanceof Halt) {
      halted = error.message;
      paused = true;
      item.share = 0;
      show(item, "waiting");
    } else {
      item.hopeless = Boolean(error.final);
      remember(item, null);
      show(item, "bad", error.message);
    }
  });
  work();
  await ended;
  work();
}

/** By id those of these pictures that are there; null if the portal does not answer. */
async function statesOf(ids) {
  const query = new URLSearchParams(ids.map((id) => ["id", id]));
  const answer = await fetch(`${form.dataset.states}?${query}`, { headers: { Accept: "application/json" } }).catch(() => null);
  return answer?.ok ? answer.json() : null;
}

// One question for all that are being looked at, until none is.
async function look() {
  if (looking) return;
  looking = true;
  for (let pause = 500; among("looking").length; pause = Math.min(pause * 1.3, 3000)) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    const asked = among("looking").slice(0, MOST_ASKED);
    const pictures = await statesOf(asked.map(({ id }) => id));
    if (!pictures) continue;
    for (const item of asked) {
      const picture = pictures[item.id];
      if (!picture) show(item, "bad", "This picture is not there any more.");
      else if (picture.state !== "received") {
        settle(item, picture);
        pause = 500;
      }
    }
    work();
  }
  looking = false;
}

// What came in before may lie in the trash by now: then the file is wanted once more.
async function forgetGone(keys) {
  const known = keys.map((key) => [key, remembered.get(key)?.id]).filter(([, id]) => id);
  for (let begin = 0; begin < known.length; begin += MOST_ASKED) {
    const asked = known.slice(begin, begin + MOST_ASKED);
    const pictures = await statesOf(asked.map(([, id]) => id));
    for (const [key, id] of asked) if (pictures && !pictures[id]) remembered.forget(key);
  }
}

async function accept(files) {
  await forgetGone(files.map(({ file, path }) => keyOf(file, path)));
  const fields = [...new FormData(form)].filter(([name]) => !["file", "back", "token"].includes(name));
  const here = new Set(among("waiting", "sending", "looking").map(({ key }) => key));
  let before = 0;
  for (const { file, path } of files) {
    const key = keyOf(file, path);
    if (here.has(key)) continue;
    here.add(key);
    const known = remembered.get(key);
    if (known?.id) {
      before += 1;
      continue;
    }
    const row = document.getElementById("upload-row").content.firstElementChild.cloneNode(true);
    const item = { file, key, fields, row, token: known?.token ?? drawToken(), share: 0, state: "waiting" };
    part(item, "name").textContent = path;
    part(item, "progress").setAttribute("aria-label", `Upload of ${path}`);
    part(item, "retry").addEventListener("click", () => again(item));
    part(item, "both").addEventListener("click", () => {
      item.fields = item.fields.filter(([name]) => name !== "same").concat([["same", "both"]]);
      item.token = drawToken();
      again(item);
    });
    items.push(item);
    rows.append(row);
    show(item, "waiting");
  }
  remembered.add(among("waiting"));
  document.getElementById("upload-left").hidden = true;
  tell(before ? `${before} of these ${before === 1 ? "is" : "are"} in the library already, from before.` : "");
  goOn();
}

function again(item) {
  item.share = 0;
  item.hopeless = false;
  show(item, "waiting");
  remembered.add([item]);
  goOn();
}

function goOn() {
  paused = false;
  halted = "";
  sum();
  work();
}

function tell(words) {
  document.getElementById("upload-told").textContent = words;
}

function cancelRest() {
  for (const item of among("waiting", "sending")) {
    item.abort?.abort();
    remember(item, null);
    show(item, "canceled", "Canceled");
  }
}

function offerRest() {
  const { left, all } = remembered.count();
  const notice = document.getElementById("upload-left");
  notice.hidden = left === 0;
  notice.querySelector("[data-left]").textContent = `${left} of ${all} pictures did not get here before the page was closed.`;
  notice.querySelector("[data-forget]").addEventListener("click", () => {
    remembered.clear();
    notice.hidden = true;
  });
}

async function take(source) {
  const { files, others } = await filesIn(source);
  await accept(files);
  if (others) tell(`${others} ${others === 1 ? "file is no picture and was" : "files are no pictures and were"} left out.`);
}

if (form) {
  document.addEventListener("change", ({ target }) => {
    if (target.type !== "file" || !target.files?.length) return;
    take(target);
    target.value = "";
  });
  document.addEventListener("dragover", (event) => {
    if (![...(event.dataTransfer?.types ?? [])].includes("Files")) return;
    event.preventDefault();
    form.classList.add("over");
  });
  document.addEventListener("dragleave", (event) => event.relatedTarget || form.classList.remove("over"));
  document.addEventListener("drop", (event) => {
    if (!event.dataTransfer?.items.length) return;
    event.preventDefault();
    form.classList.remove("over");
    take(event.dataTransfer);
  });
  document.addEventListener("paste", (event) => {
    if (event.clipboardData?.files.length) take(event.clipboardData);
  });
  addEventListener("beforeunload", (event) => {
    if (among("waiting", "sending").length) event.preventDefault();
  });
  total.querySelector("[data-pause]").addEventListener("click", () => {
    paused = true;
    sum();
  });
  total.querySelector("[data-go-on]").addEventListener("click", goOn);
  total.querySelector("[data-cancel]").addEventListener("click", cancelRest);
  total.querySelector("[data-retry-all]").addEventListener("click", () => triable().forEach(again));
  const input = form.querySelector("input[name=file]");
  input.multiple = true;
  offerRest();
  if (input.files.length) input.dispatchEvent(new Event("change", { bubbles: true }));
}
