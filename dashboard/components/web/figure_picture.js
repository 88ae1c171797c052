// Draws a chart of the page anew for paper: white, at the width of a column, its caption below.
const PX_PER_MM = 96 / 25.4;
const DOTS_PER_MM = 300 / 25.4;
// Letters of 13 px on the screen are 7 points in print; everything shrinks alike.
const SHRINK = 0.75;
const FONT = "Helvetica, Arial, sans-serif";
const MARGIN = 10;
const LINE = 1.35;
const SVG = "http://www.w3.org/2000/svg";

export async function makePicture(data, chart, format, widthMm) {
  const Plotly = await library(`${data.scripts}/plotly.min.js`);
  const width = Math.round((widthMm * PX_PER_MM) / SHRINK);
  const figure = forPaper(chart, new Map(Object.entries(data.colours)));
  const height = figure.layout.height || chart.clientHeight;
  wrapTitles(figure.layout, width, height);
  const text = await Plotly.toImage(figure, { format: "svg", width, height, imageDataOnly: true });
  const page = withCaption(text, data, width, height);
  const heightMm = (page.height * widthMm) / width;
  if (format === "svg") return new Blob([sized(page.svg, widthMm, heightMm, "mm")], { type: "image/svg+xml" });
  const dots = [widthMm, heightMm].map((mm) => Math.round(mm * DOTS_PER_MM));
  return asPng(sized(page.svg, ...dots, ""), ...dots);
}

async function library(path) {
  if (!window.Plotly) {
    await new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = path;
      script.onload = resolve;
      script.onerror = () => reject(new Error("the server does not answer."));
      document.head.append(script);
    });
  }
  return window.Plotly;
}

function forPaper(chart, colours) {
  const { data, layout } = copied({ data: chart.data, layout: chart.layout }, colours);
  for (const trace of data) delete trace.selectedpoints;
  delete layout.selections;
  delete layout.width;
  layout.autosize = false;
  layout.font = { ...layout.font, family: FONT };
  layout.paper_bgcolor = layout.plot_bgcolor = "white";
  return { data, layout };
}

// A narrow picture has no room for the titles of axes that stand side by side on the screen.
function wrapTitles(layout, width, height) {
  for (const [name, axis] of Object.entries(layout)) {
    const kind = /^([xy])axis\d*$/.exec(name)?.[1];
    const text = axis?.title?.text?.replaceAll("<br>", " ");
    if (!kind || !text || text.includes("<")) continue;
    const [from, to] = axis.domain ?? [0, 1];
    const room = kind === "x" ? 0.62 * width : 0.7 * height;
    axis.title.text = wrapped(text, `13px ${FONT}`, (to - from) * room).join("<br>");
  }
}

// A deep copy in which every colour of the dark page is that of the light one.
function copied(value, colours) {
  if (typeof value === "string") return colours.size ? recoloured(value, colours) : value;
  if (Array.isArray(value)) return value.map((item) => copied(item, colours));
  if (value === null || typeof value !== "object" || ArrayBuffer.isView(value)) return value;
  const entries = Object.entries(value).filter(([name, item]) => !name.startsWith("_") && typeof item !== "function");
  return Object.fromEntries(entries.map(([name, item]) => [name, copied(item, colours)]));
}

function recoloured(text, colours) {
  const hex = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(text);
  if (hex) {
    const light = colours.get(hex.slice(1).map((part) => parseInt(part, 16)).join(","));
    return light ? `rgb(${light})` : text;
  }
  const rgb = /^rgba?\(([\d.]+), ?([\d.]+), ?([\d.]+)(?:, ?([\d.]+))?\)$/.exec(text);
  const light = rgb && colours.get(rgb.slice(1, 4).join(","));
  return light ? `rgba(${light},${rgb[4] ?? 1})` : text;
}

function withCaption(text, { title, text: lines }, width, chartHeight) {
  const svg = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  const paragraphs = [
    { words: title, size: 12, weight: "bold" },
    ...lines.map((words) => ({ words, size: 10, weight: "normal" })),
  ].filter(({ words }) => words);
  let y = chartHeight + MARGIN;
  for (const { words, size, weight } of paragraphs) {
    const element = node(svg, "text", { "font-family": FONT, "font-size": size, "font-weight": weight, fill: "#26292e" });
    for (const line of wrapped(words, `${weight} ${size}px ${FONT}`, width - 2 * MARGIN)) {
      y += size * LINE;
      const part = node(svg, "tspan", { x: MARGIN, y: y.toFixed(1) });
      part.textContent = line;
      element.append(part);
    }
    y += size * 0.35;
    svg.append(element);
  }
  const height = Math.ceil(y + MARGIN);
  svg.prepend(
    described(svg, "title", title),
    described(svg, "desc", lines.join(" ")),
    node(svg, "rect", { width, height, fill: "white" }),
  );
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("role", "img");
  svg.removeAttribute("style");
  return { svg, height };
}

function node(svg, name, attributes) {
  const element = svg.ownerDocument.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

function described(svg, name, words) {
  const element = node(svg, name, {});
  element.textContent = words;
  return element;
}

function wrapped(words, font, width) {
  const brush = document.createElement("canvas").getContext("2d");
  brush.font = font;
  const lines = [""];
  for (const word of words.split(/\s+/)) {
    const longer = `${lines.at(-1)} ${word}`.trim();
    if (lines.at(-1) && brush.measureText(longer).width > width) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines;
}

function sized(svg, width, height, unit) {
  svg.setAttribute("width", `${Number(width.toFixed(2))}${unit}`);
  svg.setAttribute("height", `${Number(height.toFixed(2))}${unit}`);
  return new XMLSerializer().serializeToString(svg);
}

async function asPng(text, width, height) {
  const image = new Image();
  image.src = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  canvas.getContext("2d").drawImage(image, 0, 0, width, height);
  URL.revokeObjectURL(image.src);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  return withDensity(new Uint8Array(await blob.arrayBuffer()));
}

// A pHYs chunk before the pixels, so that text processors place the picture at its true width.
function withDensity(png) {
  const perMetre = Math.round(DOTS_PER_MM * 1000);
  const chunk = new DataView(new ArrayBuffer(21));
  chunk.setUint32(0, 9);
  [..."pHYs"].forEach((letter, at) => chunk.setUint8(4 + at, letter.charCodeAt(0)));
  chunk.setUint32(8, perMetre);
  chunk.setUint32(12, perMetre);
  chunk.setUint8(16, 1);
  chunk.setUint32(17, checksum(new Uint8Array(chunk.buffer, 4, 13)));
  const afterHeader = 33;
  return new Blob([png.slice(0, afterHeader), chunk.buffer, png.slice(afterHeader)], { type: "image/png" });
}

function checksum(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  }
  return (sum ^ 0xffffffff) >>> 0;
}
