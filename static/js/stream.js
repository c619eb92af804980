// One event stream: opened with a fresh pass, watched, and opened anew after it ended. While there is none, pages poll.
const PASS = "/events/pass/";
const FIRST_WORD = 10_000; // ms until it must have begun; some proxies keep a stream to themselves
const SILENCE = 50_000; // ms between two words; it beats every 20 s
const LONGEST_PAUSE = 60_000;

// `tell` gets {live: true} when everything is to be looked at again, {live: false}, {news: […topics]} and {}, a beat.
export function keepStream(tell) {
  let source = null;
  let asking = false;
  let shut = false; // signed out, or of no use here: until somebody starts it again
  let tries = 0;
  let retry = 0;
  let silence = 0;

  function listenFor(ms) {
    clearTimeout(silence);
    silence = setTimeout(lose, ms);
  }

  function close() {
    clearTimeout(silence);
    clearTimeout(retry);
    source?.close();
    source = null;
  }

  function lose() {
    close();
    tell({ live: false });
    if (shut) return;
    // Never all browsers at once: a web process that ends has thousands of streams.
    const pause = Math.min(LONGEST_PAUSE, 1000 * 2 ** tries * (1 + Math.random() * 2));
    tries += 1;
    retry = setTimeout(open, pause);
  }

  function listen(address) {
    const mine = new EventSource(address);
    const heard = (said) => {
      if (mine !== source) return;
      listenFor(SILENCE);
      tell(said);
    };
    source = mine;
    listenFor(FIRST_WORD);
    mine.addEventListener("hello", () => {
      tries = 0;
      heard({ live: true });
    });
    mine.addEventListener("beat", () => heard({}));
    mine.addEventListener("message", ({ data }) => heard({ news: data.split(" ") }));
    // The browser's own way back would bring the same pass again.
    mine.addEventListener("error", () => mine === source && lose());
  }

  async function open() {
    clearTimeout(retry);
    if (source || asking || shut) return;
    asking = true;
    try {
      const headers = { Accept: "application/json" };
      const answer = await fetch(PASS, { headers, cache: "no-store", signal: AbortSignal.timeout(FIRST_WORD) });
      if ([401, 403, 404].includes(answer.status)) shut = true;
      if (!answer.ok) throw new Error(answer.statusText);
      const { address } = await answer.json();
      if (!shut) listen(address);
    } catch {
      lose();
    } finally {
      asking = false;
    }
  }

  return {
    start() {
      shut = false;
      open();
    },
    stop() {
      shut = true;
      close();
    },
  };
}
