// What changes by itself asks for itself again: when the event stream says so, and at its own pace besides.
//
// An element with data-look (topics like "edit:<id>", parted by spaces) gets the event "look", which its hx-trigger
// names: at news of one of them; every data-pace ms (never without it); and every data-calm ms while a stream is open.
import { keepStream } from "./stream.js";

const CALM = 30_000; // ms
const SILENCE = 60_000; // ms; then whatever kept the stream is gone
const TICK = 250; // ms
const person = document.body.dataset.person;
const page = document.documentElement;
const due = new WeakMap();
const asked = new Map(); // topic → when it was last asked about,
const told = new Map(); // and when there was last news of it
let live = false;
let ticking = 0;
let silence = 0;

const topicsOf = (element) => element.dataset?.look?.split(" ") ?? [];
const waiting = (root = document) => [...root.querySelectorAll("[data-look]")];

function plan(element) {
  const pace = Number(element.dataset.pace ?? Infinity);
  due.set(element, performance.now() + (live ? Math.max(pace, Number(element.dataset.calm ?? CALM)) : pace));
}

function look(element) {
  plan(element);
  element.dispatchEvent(new CustomEvent("look"));
}

function tick() {
  const elements = waiting();
  const now = performance.now();
  elements.filter((element) => (due.get(element) ?? Infinity) <= now).forEach(look);
  if (!elements.length) {
    clearInterval(ticking);
    ticking = 0;
  }
}

function tend(element) {
  // News that came while it was being asked for may have come too late for the answer.
  const late = topicsOf(element).some((topic) => (told.get(topic) ?? 0) > (asked.get(topic) ?? 0));
  if (late) look(element);
  else plan(element);
  ticking ||= setInterval(tick, TICK);
}

function setLive(state) {
  live = state;
  page.dataset.live = live ? "on" : "off";
  waiting().forEach(live ? look : plan);
  document.dispatchEvent(new CustomEvent("retake:live", { detail: { live } }));
}

function hear({ live: state, news }) {
  clearTimeout(silence);
  silence = setTimeout(() => setLive(false), SILENCE);
  if (state || (state === false && live)) setLive(state);
  if (!news) return;
  const all = news.includes("*");
  for (const element of waiting()) {
    const topics = topicsOf(element).filter((topic) => all || news.includes(topic));
    topics.forEach((topic) => told.set(topic, performance.now()));
    if (topics.length) look(element);
  }
  document.dispatchEvent(new CustomEvent("retake:news", { detail: { topics: news, all } }));
}

// One worker for all pages of the browser.
function share() {
  const worker = new SharedWorker(new URL("live_worker.js", import.meta.url), { type: "module", name: "retake" });
  worker.port.addEventListener("message", ({ data }) => hear(data));
  worker.port.start();
  return { hello: () => worker.port.postMessage({ person }), bye: () => worker.port.postMessage({ bye: true }), worker };
}

// Without such workers: the page that holds a lock keeps the stream, and tells the others.
function elect() {
  const channel = new BroadcastChannel("retake");
  let stream = null;
  let resign = null;
  let wanting = false;
  channel.addEventListener("message", ({ data }) => {
    if (!data.hello) hear(data);
    else if (stream && live) channel.postMessage({ live });
  });
  const lead = () => {
    stream = keepStream((said) => {
      channel.postMessage(said);
      hear(said);
    });
    stream.start();
    return new Promise((end) => (resign = end));
  };
  const hello = async () => {
    channel.postMessage({ hello: true });
    stream?.start();
    if (wanting) return;
    wanting = true;
    await navigator.locks.request("retake-live", () => (wanting ? lead() : null));
  };
  const bye = () => {
    wanting = false;
    stream?.stop();
    stream = null;
    resign?.();
  };
  return { hello, bye };
}

function listen(way) {
  way.hello();
  addEventListener("pagehide", way.bye);
  addEventListener("pageshow", ({ persisted }) => persisted && way.hello());
  addEventListener("online", way.hello);
  document.addEventListener("visibilitychange", () => !document.hidden && !live && way.hello());
  return way;
}

document.addEventListener("htmx:load", ({ target }) => {
  if (target.dataset?.look) tend(target);
  waiting(target).forEach(tend);
});
// What the answer to a button brought is asked for again at its own pace, stream or not: news of the very change that the
// button made may have come before the answer, and only a look tells the rest of the page.
document.addEventListener("htmx:afterSettle", ({ target, detail }) => {
  if (detail.requestConfig?.verb === "get") return;
  for (const element of [target, ...waiting(target)]) {
    if (element.dataset?.look) due.set(element, performance.now() + Number(element.dataset.pace ?? Infinity));
  }
});
document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  topicsOf(detail.elt).forEach((topic) => asked.set(topic, performance.now()));
});
waiting().forEach(tend);

const couldElect = () => navigator.locks && globalThis.BroadcastChannel;
if (person && globalThis.SharedWorker) {
  const { worker } = listen(share());
  worker.addEventListener("error", () => couldElect() && listen(elect()), { once: true });
} else if (person && couldElect()) listen(elect());
