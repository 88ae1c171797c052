// What travels between the page and the server. An answer is sent until it is acknowledged.

const TIMEOUT_MS = 15_000;
const LONGEST_WAIT_MS = 5_000;
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** The server cannot take this; `sentence` says why. Sending it again would not help. */
export class Refused extends Error {
  constructor(sentence) {
    super(sentence);
    this.sentence = sentence;
  }
}

async function once(path, body) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), TIMEOUT_MS);
  try {
    const asked = body === undefined
      ? { signal: stop.signal }
      : {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify(body),
          signal: stop.signal,
        };
    const answer = await fetch(path, { ...asked, credentials: "same-origin", cache: "no-store" });
    const found = await answer.json();
    // 409: it was answered elsewhere; the reply holds what is to be shown.
    if (answer.ok || answer.status === 409) return found;
    if (answer.status >= 500 || answer.status === 429) throw new Error(found.problem);
    throw new Refused(found.problem);
  } finally {
    clearTimeout(timer);
  }
}

/** Ask until there is an answer; `onTrying(true)` while it does not come. */
export async function ask(path, body, onTrying) {
  for (let wait = 500; ; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
    try {
      const found = await once(path, body);
      onTrying(false);
      return found;
    } catch (problem) {
      if (problem instanceof Refused) {
        onTrying(false);
        throw problem;
      }
      onTrying(true);
      await sleep(wait);
    }
  }
}

/** Load a picture and decode it; a few tries, then it throws. */
export async function loaded(image, address) {
  for (let left = 3; ; left -= 1) {
    image.src = address;
    try {
      await image.decode();
      return;
    } catch (problem) {
      if (left === 1) throw problem;
      await sleep(600);
      image.removeAttribute("src");
    }
  }
}

/** Resolves when what was shown just now has been painted. */
export function painted() {
  return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
}
