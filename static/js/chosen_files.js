// The files that somebody chose, dropped or pasted, also those in folders.

/** The same file, chosen again after a reload, has the same key. */
export const keyOf = (file, path) => `${path}|${file.size}|${file.lastModified}`;

const isHidden = (name) => name.startsWith(".") || name === "Thumbs.db";
const isOther = (file) => file.type !== "" && !file.type.startsWith("image/");

const read = (ask) => new Promise((resolve) => ask(resolve, () => resolve(null)));

async function* walk(entry, path) {
  if (entry.isFile) {
    const file = await read((good, bad) => entry.file(good, bad));
    if (file) yield { file, path: path + file.name, inFolder: path !== "" };
    return;
  }
  const reader = entry.createReader();
  // A reader gives some at a time, and none at the end.
  for (;;) {
    const entries = await read((good, bad) => reader.readEntries(good, bad));
    if (!entries?.length) return;
    for (const each of entries) yield* walk(each, `${path}${entry.name}/`);
  }
}

/**
 * Of a file input, a drop or a paste: `files` as {file, path}, and how many of a folder were left out as no pictures.
 * What was chosen by itself is never left out: the portal says what is wrong with it.
 */
export async function filesIn(source) {
  // Both have to be read before the first wait, since a drop is emptied then.
  const entries = [...(source.items ?? [])].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const plain = [...(source.files ?? [])];
  const found = [];
  if (entries.some((entry) => entry.isDirectory)) {
    for (const entry of entries) for await (const each of walk(entry, "")) found.push(each);
  } else {
    for (const file of plain) found.push({ file, path: file.webkitRelativePath || file.name || "pasted.png", inFolder: file.webkitRelativePath !== "" });
  }
  const seen = found.filter(({ file, inFolder }) => !(inFolder && isHidden(file.name)));
  const files = seen.filter(({ file, inFolder }) => !(inFolder && isOther(file)));
  return { files, others: seen.length - files.length };
}
