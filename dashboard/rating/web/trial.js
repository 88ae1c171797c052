// One question: four pictures for a sentence, or four sentences for a picture.

import { make, place, sendAnswer } from "./rating.js";
import { loaded, painted } from "./sending.js";

const DEAF_MS = 150; // no answer counts so soon after the pictures came: it was meant for the last
const SHOWN = "coview-shown";

/** Show a question; returns a function that takes it away. */
export function showTrial(trial, onProblem) {
  const isPictures = trial.mode === "images";
  const grid = make("div", { class: isPictures ? "pictures" : "sentences" });
  const options = [1, 2, 3, 4].map((number) => option(trial, number, isPictures));
  grid.append(...options);
  const stage = make("div", { class: `stage ${trial.mode}` });
  const asked = make("div", { class: "asked" });
  if (trial.words) {
    asked.append(make("p", { class: "question" }, trial.question));
    asked.append(make("h1", { tabindex: "-1", class: "words" }, `“${trial.words}”`));
  } else {
    asked.append(make("h1", { tabindex: "-1", class: "question" }, trial.question));
  }
  const images = isPictures
    ? options.map((one) => one.querySelector("img"))
    : [make("img", { alt: "The picture this question is about", draggable: "false" })];
  if (!isPictures) stage.append(make("div", { class: "asked-picture" }, images[0]));
  stage.append(grid);
  const whole = make("div", { class: "trial is-coming", "aria-busy": "true" }, asked, stage);

  const watch = watched(trial);
  const sound = trial.has_sound ? soundOf(trial.trial_id) : null;
  let isOver = false;
  let isOpen = false;
  let shownAt = 0;

  async function come() {
    try {
      await Promise.all(
        images.map((image, index) => loaded(image, `picture/${trial.trial_id}/${index + 1}.jpg`)),
      );
    } catch {
      if (!isOver) onProblem("The pictures of this question did not come.");
      return;
    }
    if (isOver) return;
    const [first] = images;
    whole.style.setProperty("--aspect", String(first.naturalWidth / first.naturalHeight));
    whole.classList.toggle("is-wide", first.naturalWidth > 1.2 * first.naturalHeight);
    whole.classList.toggle("is-tall", first.naturalHeight > 1.2 * first.naturalWidth);
    whole.classList.remove("is-coming");
    whole.removeAttribute("aria-busy");
    await painted();
    shownAt = performance.now();
    sound?.play();
    setTimeout(() => {
      isOpen = !isOver;
    }, DEAF_MS);
  }

  function choose(number) {
    if (!isOpen || isOver) return;
    isOpen = false;
    const rtMs = performance.now() - shownAt;
    sound?.stop();
    options.forEach((one, index) => {
      one.setAttribute("aria-pressed", String(index + 1 === number));
    });
    whole.classList.add("is-answered");
    sendAnswer({
      trial_id: trial.trial_id,
      selected_position: number,
      rt_ms: watch.isTrusted() ? Math.round(rtMs * 10) / 10 : null,
    });
  }

  const onKey = (event) => {
    if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^[1-4]$/.test(event.key)) {
      event.preventDefault();
      choose(Number(event.key));
    }
  };
  options.forEach((one, index) => one.addEventListener("click", () => choose(index + 1)));
  document.addEventListener("keydown", onKey);
  noticePointer(whole);
  place(whole);
  come();
  return () => {
    isOver = true;
    sound?.stop();
    watch.stop();
    document.removeEventListener("keydown", onKey);
  };
}

function option(trial, number, isPictures) {
  const badge = make("span", { class: "number", "aria-hidden": "true" }, String(number));
  if (isPictures) {
    const picture = make("img", { alt: "", draggable: "false" });
    return make("button",
      { type: "button", class: "picture", "aria-label": `Picture ${number}`, "aria-pressed": "false" },
      picture, badge);
  }
  return make("button", { type: "button", class: "sentence", "aria-pressed": "false" },
    badge, make("span", {}, trial.texts[number - 1]));
}

/** Mark an option under the pointer only once the pointer moves: one that rests there would draw
 * the eye to that option. */
export function noticePointer(whole) {
  whole.addEventListener("pointermove", (event) => {
    if (event.movementX || event.movementY) whole.classList.add("is-pointed");
  });
}

/** Whether the time to answer can be trusted: the page stayed visible, and the pictures were not
 * seen before (a reload or a pause shows the same ones again). */
export function watched(shown) {
  const key = `${shown.rater}:${shown.trial_id ?? shown.item_id}`;
  let isTrusted = document.visibilityState === "visible";
  try {
    isTrusted = isTrusted && sessionStorage.getItem(SHOWN) !== key;
    sessionStorage.setItem(SHOWN, key);
  } catch {
    // A browser that keeps nothing cannot tell a reload.
  }
  const onChange = () => {
    if (document.visibilityState !== "visible") isTrusted = false;
  };
  document.addEventListener("visibilitychange", onChange);
  return {
    isTrusted: () => isTrusted,
    stop: () => document.removeEventListener("visibilitychange", onChange),
  };
}

/** The sound of what was said, played at once where the browser allows it, and by the button. */
export function soundOf(shownId) {
  const button = document.getElementById("listen");
  const audio = new Audio(`sound/${encodeURIComponent(shownId)}.m4a`);
  audio.preload = "auto";
  const again = () => {
    audio.currentTime = 0;
    // A browser may refuse before the first touch; the button is there.
    audio.play().catch(() => {});
  };
  button.hidden = false;
  button.addEventListener("click", again);
  return {
    play: again,
    stop: () => {
      audio.pause();
      button.removeEventListener("click", again);
    },
  };
}
