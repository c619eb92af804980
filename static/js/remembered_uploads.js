// Which files were to be sent, in the browser's own store: after a reload the same ones, chosen again, go on where they were.
// Of each its token, or "done" and the id of the picture that it became.
const DAYS = 3;
const DONE = "done ";

export class Remembered {
  constructor(name) {
    this.name = name;
    this.files = {};
    try {
      const { at, files } = JSON.parse(localStorage.getItem(name) ?? "{}");
      if (at > Date.now() - DAYS * 86_400_000) this.files = files;
    } catch {
      // Storage may be forbidden or hold nonsense; then nothing is remembered.
    }
  }

  get(key) {
    const known = Object.hasOwn(this.files, key) ? this.files[key] : null;
    if (!known?.startsWith(DONE)) return known && { token: known };
    return { id: known.slice(DONE.length) };
  }

  add(items) {
    for (const { key, token } of items) this.files[key] = token;
    this.save();
  }

  done(key, id) {
    if (Object.hasOwn(this.files, key)) this.files[key] = DONE + id;
    this.save();
  }

  forget(key) {
    delete this.files[key];
    this.save();
  }

  clear() {
    this.files = {};
    this.save();
  }

  count() {
    const all = Object.values(this.files);
    return { all: all.length, left: all.filter((known) => !known.startsWith(DONE)).length };
  }

  save() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.write(), 200);
    addEventListener("pagehide", () => this.write(), { once: true });
  }

  write() {
    clearTimeout(this.timer);
    if (!this.count().left) this.files = {};
    try {
      if (this.count().all) localStorage.setItem(this.name, JSON.stringify({ at: Date.now(), files: this.files }));
      else localStorage.removeItem(this.name);
    } catch {
      // Full or forbidden: uploading goes on, only not after a reload.
    }
  }
}
