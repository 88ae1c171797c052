// The rating screen: asks the server what to show, shows it, sends what was answered.

import { Refused, ask } from "./sending.js";
import { showLabel } from "./label.js";
import { showTrial } from "./trial.js";

const main = document.getElementById("main");
const bar = document.getElementById("bar");
const told = document.getElementById("told");
const pauseButton = document.getElementById("pause");
const listenButton = document.getElementById("listen");

let current = null; // what the server said last
let stopCurrent = () => {}; // takes the keys off the trial that is shown
let isUnsaved = false;

/** An element with attributes and children; text is never read as HTML. */
export function make(kind, attributes = {}, ...children) {
  const element = document.createElement(kind);
  for (const [name, value] of Object.entries(attributes)) {
    if (name in element && typeof value !== "string") element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** Put something into the page and the reading place on its heading. */
export function place(...children) {
  main.replaceChildren(...children);
  main.scrollTop = 0;
  window.scrollTo(0, 0);
  main.querySelector("[tabindex='-1']")?.focus({ preventScroll: true });
}

export function speak(sentence) {
  document.getElementById("spoken").textContent = sentence;
}

function heading(text) {
  return make("h1", { tabindex: "-1" }, text);
}

function card(...children) {
  return make("section", { class: "card" }, ...children);
}

function button(text, onClick, kind = "main") {
  const made = make("button", { type: "button", class: kind }, text);
  made.addEventListener("click", onClick);
  return made;
}

function trying(isTrying, sentence) {
  told.textContent = isTrying ? sentence : "";
  document.body.classList.toggle("is-trying", isTrying);
}

/** Send something and show what comes back. */
async function send(path, body, sentence) {
  isUnsaved = body !== undefined && path !== "leave";
  try {
    show(await ask(path, body, (is) => trying(is, sentence)));
  } catch (problem) {
    if (!(problem instanceof Refused)) throw problem;
    showProblem(problem.sentence);
  } finally {
    isUnsaved = false;
  }
}

const NOT_SAVED = "Not saved yet, trying again …";
const NOT_REACHED = "No connection, trying again …";
export const sendAnswer = (body) => send("answer", body, NOT_SAVED);
export const sendLabel = (body) => send("label", body, NOT_SAVED);
const load = () => send("now", undefined, NOT_REACHED);

function show(screen) {
  stopCurrent();
  stopCurrent = () => {};
  current = screen;
  const isTask = screen.screen === "trial" || screen.screen === "label";
  bar.hidden = !isTask;
  listenButton.hidden = true;
  document.body.dataset.screen = screen.screen;
  if (isTask && screen.is_start && !wasExplained(screen)) showExplanation(screen);
  else if (isTask) begin(screen);
  else SCREENS[screen.screen](screen);
}

function begin(screen) {
  const isPractice = screen.is_practice === true;
  const text = `${isPractice ? "Practice: " : ""}${screen.number} of ${screen.total}`;
  bar.hidden = false;
  document.body.dataset.screen = screen.screen;
  document.getElementById("place").textContent = text;
  document.getElementById("done-share").style.width =
    `${isPractice ? 0 : (100 * (screen.number - 1)) / screen.total}%`;
  speak(text);
  stopCurrent = (screen.screen === "trial" ? showTrial : showLabel)(screen, showProblem);
}

const explained = new Set();
const startOf = (screen) => `${screen.rater}:${screen.is_practice === true}`;

function wasExplained(screen) {
  return explained.has(startOf(screen));
}

function showExplanation(screen) {
  bar.hidden = true;
  document.body.dataset.screen = "start";
  const go = () => {
    explained.add(startOf(screen));
    begin(screen);
  };
  const isPractice = screen.is_practice === true;
  const start = button(isPractice ? "Start practice" : "Start", go);
  if (!isPractice && screen.has_practised) {
    place(
      card(
        heading("Now it begins"),
        make("p", {}, `Practice is over. There are ${screen.total} questions.`),
        make("p", {}, "Answer as well as you can, without thinking for long. You can pause."),
        start,
      ),
    );
    return;
  }
  place(card(heading("How it works"), ...explanation(screen), start));
}

function explanation(screen) {
  const keys = make("p", { class: "keys", "aria-label": "Keys 1 to 4" });
  for (const key of "1234") keys.append(make("kbd", {}, key));
  if (screen.screen === "label") {
    return [
      make("p", {}, "You read what was said and see the pictures from around that time."),
      make("p", {}, "Judge whether what the words are about can be seen while they are said: " +
        "aligned if what they are about is in view, partly if some of it is, or not at all. " +
        "If they name something, write what."),
      keys,
      make("p", { class: "faint" }, "Keys 1 to 4 choose. Then " +
        "write, and Enter saves and goes on; Esc goes back to choosing."),
    ];
  }
  return [
    make("p", {}, "You read a sentence and choose the picture it goes with, or see a picture and " +
      "choose the sentence it goes with. The pictures come from a camera that a child wore."),
    make("p", {}, "There are always four to choose from. Press its number, or touch it. " +
      "If you are not sure, take the one that seems most likely."),
    keys,
    make("p", { class: "faint" }, "You will not be told which were right. " +
      "Each answer is saved at once."),
  ];
}

function showCode(screen) {
  const input = make("input", {
    id: "code",
    name: "code",
    autocomplete: "off",
    autocapitalize: "characters",
    spellcheck: "false",
    maxlength: "40",
    placeholder: "XXXX-XXXX-XX",
    "aria-describedby": "code-told",
    required: true,
  });
  const go = make("button", { type: "submit", class: "main" }, "Go on");
  const form = make("form", { novalidate: true },
    make("label", { for: "code" }, "Your code"),
    input,
    make("p", { id: "code-told", class: "wrong", role: "alert" }, screen.told),
    go);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!input.value.trim()) {
      input.focus();
      return;
    }
    go.disabled = true;
    await send("code", { code: input.value }, NOT_REACHED);
  });
  place(card(heading("Welcome"), make("p", {}, "Type the code that you were given."), form));
  input.focus();
}

function showConsent(screen) {
  const agree = button("I agree and want to take part", () => {
    agree.disabled = true;
    send("agree", {}, NOT_SAVED);
  });
  const text = make("div", { class: "consent" });
  for (const part of screen.text.split(/\n\s*\n/)) text.append(make("p", {}, part));
  place(card(heading("Before you begin"), text, agree, make("p", { class: "faint" },
    "If you do not want to take part, close this page.")));
}

function showEnded(screen) {
  place(card(heading("Nothing to answer"), make("p", {}, screen.told), leaveButton()));
}

function showDone(screen) {
  place(card(
    make("div", { class: "tick", "aria-hidden": "true" }),
    heading("That was the last one"),
    make("p", {}, `All your ${screen.n_answered} answers are saved. Thank you!`),
    ...(screen.closing.length ? [closing(screen.closing)] : []),
    make("p", { class: "faint" }, "You can close this page."),
    leaveButton(),
  ));
}

const closing = (parts) => make("p", { class: "closing" }, ...parts.map(({ text, is_link }) =>
  is_link ? make("a", { href: text, rel: "noreferrer" }, text) : text));

function leaveButton() {
  return button("Sign out on this device", () => send("leave", {}, NOT_REACHED), "plain");
}

function showPause() {
  if (current === null || bar.hidden) return;
  const screen = current;
  stopCurrent();
  stopCurrent = () => {};
  bar.hidden = true;
  document.body.dataset.screen = "pause";
  const n = screen.number - 1;
  place(card(
    heading("Paused"),
    make("p", {}, n === 0 || screen.is_practice
      ? "Everything you answered is saved."
      : `${n} of ${screen.total} are answered and saved.`),
    make("p", {}, "Go on whenever you like: here, or on another device with the same link or " +
      "code."),
    button("Go on", () => load()),
    leaveButton(),
  ));
  speak("Paused");
}

function showProblem(sentence) {
  bar.hidden = true;
  document.body.dataset.screen = "problem";
  place(card(
    heading("This cannot be shown now"),
    make("p", {}, sentence),
    make("p", { class: "faint" }, "Your answers so far are saved. If it stays like this, tell " +
      "the person who invited you."),
    button("Try again", () => load()),
  ));
}

const SCREENS = { code: showCode, consent: showConsent, ended: showEnded, done: showDone };

pauseButton.addEventListener("click", showPause);
window.addEventListener("beforeunload", (event) => {
  if (isUnsaved) event.preventDefault();
});
// A page that comes back from the browser's memory may show what was answered long ago.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) load();
});
load();
