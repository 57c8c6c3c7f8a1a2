// first view: whether the service can be reached; asked again until it can.

const AGAIN_MS = 1500;
const listeners = new Set();
let isUp = true;

/** Be told when the service goes away (false) and comes back (true). Gives what ends that. */
export function onReach(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** A request did not get through. */
export function seemsDown() {
  if (!isUp) return;
  tell(false);
  setTimeout(lookAgain, AGAIN_MS);
}

/** Whether requests get through, as far as known. */
export const isReachable = () => isUp;

async function lookAgain() {
  try {
    if ((await fetch("/health/live", { cache: "no-store" })).ok) return tell(true);
  } catch {
    // still away
  }
  setTimeout(lookAgain, AGAIN_MS);
}

function tell(up) {
  isUp = up;
  for (const listener of [...listeners]) listener(up);
}
