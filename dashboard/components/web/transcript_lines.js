// What is said around a moment. A click opens a line; the line being heard shows its time in colour.
export default function ({ data, parentElement, setTriggerValue }) {
  const list = parentElement.querySelector(".lines");
  const lines = data.lines.map((line) => ({ line, element: draw(line, setTriggerValue) }));
  list.replaceChildren(
    ...lines.map(({ element }) => {
      const item = document.createElement("li");
      item.append(element);
      return item;
    }),
  );
  const open = lines.find(({ line }) => line.is_open);
  if (open) {
    const middle = open.element.offsetTop - list.offsetTop + open.element.offsetHeight / 2;
    list.scrollTop = middle - list.clientHeight / 2;
  }
  const follow = ({ detail }) => {
    for (const { line, element } of lines)
      element.classList.toggle("now", line.onset_ms <= detail && detail < line.offset_ms);
  };
  window.addEventListener("coview-time", follow);
  return () => window.removeEventListener("coview-time", follow);
}

function draw(line, setTriggerValue) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "line";
  button.dataset.utterance = line.utterance;
  button.setAttribute("aria-current", String(line.is_open));
  button.title = line.speaker;
  const dot = span("speaker", "");
  dot.style.background = line.colour;
  button.append(span("time", line.time), dot, span("words", line.text));
  if (!line.is_open) button.onclick = () => setTriggerValue("opened", line.utterance);
  return button;
}

function span(className, text) {
  const element = document.createElement("span");
  element.className = className;
  element.textContent = text;
  return element;
}
