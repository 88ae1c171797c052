// The best frame as the model saw it: one square for each crop.
export default function ({ data, parentElement }) {
  parentElement.querySelector(".views").replaceChildren(
    ...data.views.map((view) => {
      const figure = document.createElement("figure");
      figure.className = view.is_chosen ? "chosen" : "";
      const square = document.createElement("div");
      square.className = "square";
      if (data.picture) square.append(image(data, view));
      const caption = document.createElement("figcaption");
      caption.append(line("name", view.name), line("cosine", view.cosine));
      figure.append(square, caption);
      return figure;
    }),
  );
}

// view.box is where the whole frame lies, in percent of the square.
function image(data, view) {
  const [left, top, width, height] = view.box;
  const element = document.createElement("img");
  element.src = `data:image/jpeg;base64,${data.picture}`;
  element.alt = view.title;
  element.title = view.title;
  Object.assign(element.style, {
    left: `${left}%`,
    top: `${top}%`,
    width: `${width}%`,
    height: `${height}%`,
  });
  return element;
}

function line(className, text) {
  const element = document.createElement("span");
  element.className = className;
  element.textContent = text;
  return element;
}
