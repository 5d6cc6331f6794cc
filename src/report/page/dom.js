// Elements, words and numbers. Text from a run reaches the page as text nodes and attribute values alone.

/** An element with attributes and children; a child is a node, or a text. */
function element(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

function svgElement(name, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function fill(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null) {
      node.setAttribute(key, value);
    }
  }
  node.append(...children.filter((child) => child !== undefined && child !== null));
  return node;
}

/** A name from the data: characters that cannot be seen, or that turn text around, become visible; so does no name. */
function visible(name) {
  const text = String(name);
  return text === "" ? "(empty)" : text.replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
}

/** The same, no longer than `most` characters. */
function shortened(name, most) {
  const letters = [...visible(name)];
  return letters.length > most ? letters.slice(0, most - 1).join("") + "…" : letters.join("");
}

const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

/** A number of about 4 digits. */
function digits(value) {
  if (!isNumber(value)) {
    return "–";
  }
  if (Number.isInteger(value)) {
    return Math.abs(value) < 1e15 ? value.toLocaleString("en-US") : value.toExponential(3);
  }
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 1e7) {
    return Number(value.toPrecision(4)).toExponential();
  }
  return size >= 1000 ? Math.round(value).toLocaleString("en-US") : String(Number(value.toPrecision(4)));
}

const percent = (value) => (isNumber(value) ? (100 * value).toFixed(2) + " %" : "–");

function bytes(value) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  let size = value;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    ++unit;
  }
  return isNumber(value) ? (unit === 0 ? digits(size) : size.toFixed(1)) + " " + units[unit] : "–";
}

function duration(seconds) {
  if (!isNumber(seconds)) {
    return "–";
  }
  if (seconds < 60) {
    return Number(seconds.toPrecision(3)) + " s";
  }
  const total = Math.round(seconds);
  const two = (part) => String(part).padStart(2, "0");
  return Math.floor(total / 3600) + ":" + two(Math.floor(total / 60) % 60) + ":" + two(total % 60) + " h";
}

const states = new Map();

/** What a reader has set on a figure or table, by its name: it stays when the page is made again with new numbers. */
function stateOf(name, initial) {
  if (!states.has(name)) {
    states.set(name, initial);
  }
  return states.get(name);
}

/** "validation_accuracy" as "Validation accuracy". */
function title(key) {
  const words = key.replace(/[_-]/g, " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const metricNames = { lr: "learning rate", ece: "calibration error", f1_macro: "F1, mean over classes", r2: "R²", rmse: "RMSE", mae: "MAE",
  auc: "AUC", top5_accuracy: "top-5 accuracy" };

/** What readers call a metric: "balanced accuracy", "RMSE(T_max)". */
function metricName(key) {
  const end = (key + "(").indexOf("(");
  const word = key.slice(0, end);
  return (metricNames[word] || word.replace(/[_-]/g, " ")) + key.slice(end);
}

/** The same as the beginning of a line. */
const metricTitle = (key) => metricName(key).charAt(0).toUpperCase() + metricName(key).slice(1);

const mostTargets = 6;

/** The names of figures, but for those of targets beyond the first ones: "rmse(price)" is one of the target "(price)". */
function ofFirstTargets(names) {
  const first = new Set();
  return names.filter((name) => {
    const target = name.includes("(") ? name.slice(name.indexOf("(")) : "";
    if (target !== "" && first.size < mostTargets) {
      first.add(target);
    }
    return target === "" || first.has(target);
  });
}

/** How values of a metric are written. */
const writerOf = (metric) => (/accuracy$/.test(metric) ? percent : digits);

/** A value of JSON in a line. */
function inWords(value) {
  if (value === undefined || value === null) {
    return "–";
  }
  if (Array.isArray(value)) {
    return value.map(inWords).join(", ");
  }
  if (typeof value === "object") {
    return Object.entries(value).map(([key, part]) => visible(key) + ": " + inWords(part)).join(", ");
  }
  if (typeof value === "number") {
    return String(value);
  }
  return typeof value === "string" ? (value === "" ? "" : visible(value)) : String(value);
}

// Figures are drawn for the width that they have, and again when that changes.
const drawings = new Set();
function drawAll() {
  for (const drawing of drawings) {
    if (drawing.place.isConnected) {
      drawing.draw();
    } else {
      drawings.delete(drawing);
    }
  }
}
window.addEventListener("resize", drawAll);
