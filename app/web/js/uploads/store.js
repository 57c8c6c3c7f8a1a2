// first view: files whose upload is not over, kept by the browser so that leaving the page loses none.

const NAME = "parloir";
const TABLE = "uploads";

let opened;

function open() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(TABLE, { keyPath: "id" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opened;
}

async function run(mode, act) {
  try {
    const table = (await open()).transaction(TABLE, mode).objectStore(TABLE);
    return await new Promise((resolve, reject) => {
      const request = act(table);
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  } catch {
    return undefined; // a private window, or a full disk: uploads work, they are only not remembered
  }
}

/** Remember a file that is to be sent: `{id, file, options}`. */
export const keep = (upload) => run("readwrite", (table) => table.put(upload));

/** It has arrived, or is not wanted any more. */
export const forget = (id) => run("readwrite", (table) => table.delete(id));

/** What an earlier visit has left. */
export const remembered = async () => (await run("readonly", (table) => table.getAll())) ?? [];
