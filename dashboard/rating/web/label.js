// One moment to label: what was said, the frames around it, four judgements and a name.

import { make, place, sendLabel } from "./rating.js";
import { loaded, painted } from "./sending.js";
import { noticePointer, soundOf, watched } from "./trial.js";

const DEAF_MS = 150;
const LABELS = [
  ["aligned", "Aligned", "what the words are about is in view"],
  ["partly", "Partly", "some of it, or only in part"],
  ["not", "Not", "nothing of it is in view"],
  ["cannot_tell", "Cannot tell", "too dark, too blurred, or unclear words"],
];

/** Show a moment; returns a function that takes it away. */
export function showLabel(moment, onProblem) {
  const images = moment.frames.map((frame) => make("img", {
    alt: `Frame at ${frame.time_s.toFixed(1)} s${frame.is_within ? ", with the words" : ""}`,
    draggable: "false",
  }));
  const strip = make("ol", { class: "strip", "aria-label": "Frames around the words" });
  moment.frames.forEach((frame, index) => {
    const sign = frame.time_s >= 0 ? "+" : "−";
    strip.append(make("li", { class: frame.is_within ? "within" : "around" },
      images[index],
      make("span", { class: "time", "aria-hidden": "true" },
        `${sign}${Math.abs(frame.time_s).toFixed(1)} s`)));
  });
  const buttons = LABELS.map(([, name, meaning], index) => make("button",
    { type: "button", class: "label", "aria-pressed": "false" },
    make("span", { class: "number", "aria-hidden": "true" }, String(index + 1)),
    make("span", {}, make("b", {}, name), make("small", {}, meaning))));
  const referent = make("input", { id: "referent", maxlength: "200", autocomplete: "off" });
  const next = make("button", { type: "submit", class: "main", disabled: true }, "Save and go on");
  const form = make("form", { class: "referent" },
    make("label", { for: "referent" }, "What do the words name? ",
      make("small", {}, "may stay empty")),
    referent, next);
  const whole = make("div", { class: "trial moment is-coming", "aria-busy": "true" },
    make("div", { class: "asked" },
      make("p", { class: "question" }, "Is what the words are about in view while they are said?"),
      make("h1", { tabindex: "-1", class: "words" }, `“${moment.words}”`)),
    strip,
    make("div", { class: "labels", role: "group", "aria-label": "Your judgement" }, ...buttons),
    form);

  const watch = watched(moment);
  const sound = moment.has_sound ? soundOf(moment.item_id) : null;
  let isOver = false;
  let isOpen = false;
  let shownAt = 0;
  let chosen = -1;
  let rtMs = null;

  async function come() {
    const at = `picture/${encodeURIComponent(moment.item_id)}`;
    try {
      await Promise.all(images.map((image, index) => loaded(image, `${at}/${index + 1}.jpg`)));
    } catch {
      if (!isOver) onProblem("The pictures of this moment did not come.");
      return;
    }
    if (isOver) return;
    whole.classList.remove("is-coming");
    whole.removeAttribute("aria-busy");
    strip.querySelector(".within")?.scrollIntoView({ inline: "center", block: "nearest" });
    await painted();
    shownAt = performance.now();
    sound?.play();
    setTimeout(() => {
      isOpen = !isOver;
    }, DEAF_MS);
  }

  function choose(index, isByKey) {
    if (!isOpen || isOver) return;
    chosen = index;
    rtMs = performance.now() - shownAt;
    buttons.forEach((one, at) => one.setAttribute("aria-pressed", String(at === index)));
    next.disabled = false;
    // Not after a touch: a keyboard on the screen would cover the moment.
    if (isByKey) referent.focus();
  }

  const onKey = (event) => {
    if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && event.target === referent) buttons[Math.max(chosen, 0)].focus();
    else if (/^[1-4]$/.test(event.key) && event.target !== referent) {
      event.preventDefault();
      choose(Number(event.key) - 1, true);
    }
  };
  buttons.forEach((one, index) => one.addEventListener("click", () => choose(index, false)));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!isOpen || chosen < 0) return;
    isOpen = false;
    next.disabled = true;
    whole.classList.add("is-answered");
    sound?.stop();
    sendLabel({
      item_id: moment.item_id,
      label: LABELS[chosen][0],
      referent: referent.value,
      rt_ms: watch.isTrusted() ? Math.round(rtMs * 10) / 10 : null,
    });
  });
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
