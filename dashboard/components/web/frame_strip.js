// Frames around a moment. A click sends the player there; the frame being played is underlined.
const LISTENERS = new WeakMap();

export default function ({ data, parentElement }) {
  const strip = parentElement.querySelector(".strip");
  strip.style.setProperty("--frame-aspect", String(data.aspect));
  strip.style.setProperty("--frame-width", `${data.aspect < 1 ? 78 : 116}px`);
  const frames = data.frames.map((frame) => ({ frame, element: draw(frame, data.aspect) }));
  strip.replaceChildren(...frames.map(({ element }) => element));
  if (strip.dataset.key !== data.key) {
    strip.dataset.key = data.key;
    requestAnimationFrame(() => centre(strip, frames));
  }
  window.removeEventListener("coview-time", LISTENERS.get(strip));
  const follow = ({ detail }) => {
    const current = frames.findLast(({ frame }) => frame.time_ms <= detail);
    for (const entry of frames) entry.element.classList.toggle("now", entry === current);
  };
  LISTENERS.set(strip, follow);
  window.addEventListener("coview-time", follow);
  return () => window.removeEventListener("coview-time", follow);
}

function centre(strip, frames) {
  const counted = frames.filter(({ frame }) => frame.is_counted);
  const chosen = counted.length ? counted : frames.filter(({ frame }) => frame.is_near);
  if (!chosen.length) return;
  const first = chosen[0].element;
  const last = chosen[chosen.length - 1].element;
  const middle = (first.offsetLeft + last.offsetLeft + last.offsetWidth) / 2;
  strip.scrollLeft = middle - strip.offsetLeft - strip.clientWidth / 2;
}

function draw(frame, aspect) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = `frame${frame.is_best ? " best" : ""}${frame.is_counted ? "" : " away"}`;
  button.title = frame.title;
  button.dataset.time = String(frame.time_ms);
  const picture = document.createElement("span");
  picture.className = "picture";
  if (frame.picture) {
    const image = document.createElement("img");
    image.src = `data:image/jpeg;base64,${frame.picture}`;
    image.alt = frame.title;
    picture.append(image, outline(frame.boxes, aspect));
  }
  button.append(picture, line("cosine", frame.cosine), line("lag", frame.lag));
  button.onclick = () =>
    window.dispatchEvent(new CustomEvent("coview-seek", { detail: frame.time_ms }));
  return button;
}

// Boxes are [left, top, width, height] in shares of the frame; what no box shows is darkened.
function outline(boxes, aspect) {
  const [wide, high] = [aspect * 1000, 1000];
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", `0 0 ${wide} ${high}`);
  svg.setAttribute("preserveAspectRatio", "none");
  const rectangle = ([x, y, w, h]) =>
    `M${x * wide} ${y * high}h${w * wide}v${h * high}h${-w * wide}z`;
  const [seen] = boxes;
  const isWhole = seen[2] > 0.999 && seen[3] > 0.999;
  if (!isWhole) svg.append(path("outside", `M0 0H${wide}V${high}H0z${rectangle(seen)}`));
  for (const box of boxes) svg.append(path("edge", rectangle(box)));
  return svg;
}

function path(className, d) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", "path");
  element.setAttribute("class", className);
  element.setAttribute("d", d);
  return element;
}

function line(className, text) {
  const element = document.createElement("span");
  element.className = className;
  element.textContent = text;
  return element;
}
