// What all plots have in common: caption, keys and pointer, a line that reads values out, a table of the numbers.

/** A colour and what it stands for: a line with dashes, an area ("fill") or dots ("dot"). */
function legendEntry(name, color, dash) {
  return element("span", { class: "legend" }, svgElement("svg", { viewBox: "0 0 26 10", "aria-hidden": "true" },
    dash === "fill" ? svgElement("rect", { width: 26, height: 10, fill: color })
      : dash === "dot" ? svgElement("circle", { cx: 13, cy: 5, r: 3, fill: color })
      : svgElement("path", { class: "curve", d: "M1 5H25", stroke: color, "stroke-dasharray": dash })), name);
}

/**
 * A figure named `name`. `draw(width, isLog)` returns {svg, mark: shows a cursor at a place, nearest: the place under the
 * pointer}; `count`: of the places; `say`: the place in words; `text`: the figure in words; `table`: makes one of its numbers.
 */
function plotFigure({ name, note, legend = [], log = false, draw, count, say, text, table }) {
  const place = element("div", { class: "plot" });
  const readout = element("p", { class: "readout", "aria-live": "polite" });
  const caption = element("figcaption", {}, name, ...(note ? [element("span", { class: "legend quiet" }, note)] : []), ...legend);
  const state = stateOf("figure " + name, { isLog: false, cursor: -1 });
  if (log) {
    const button = element("button", { type: "button", class: "toggle", "aria-pressed": String(state.isLog) }, "log scale");
    button.addEventListener("click", () => {
      state.isLog = !state.isLog;
      button.setAttribute("aria-pressed", String(state.isLog));
      redraw();
    });
    caption.append(button);
  }
  function redraw() {
    const hadFocus = place.firstChild !== null && place.firstChild === document.activeElement;
    const drawn = draw(Math.max(260, place.clientWidth), state.isLog);
    drawn.svg.setAttribute("aria-label", text);
    place.replaceChildren(drawn.svg);
    const move = (to) => {
      state.cursor = Math.max(0, Math.min(count - 1, to));
      drawn.mark(state.cursor);
      readout.textContent = say(state.cursor);
    };
    drawn.svg.addEventListener("pointermove", (event) => count > 0 && move(drawn.nearest(event)));
    drawn.svg.addEventListener("keydown", (event) => {
      const to = { ArrowLeft: state.cursor - 1, ArrowUp: state.cursor - 1, ArrowRight: state.cursor + 1, ArrowDown: state.cursor + 1,
        Home: 0, End: count - 1 }[event.key];
      if (to !== undefined && count > 0) {
        move(to);
        event.preventDefault();
      }
    });
    if (state.cursor >= 0 && count > 0) {
      move(state.cursor);
    }
    if (hadFocus) {
      drawn.svg.focus();
    }
  }
  drawings.add({ place, draw: redraw });
  return element("figure", { "data-plot": name }, caption, place, readout, tableOnDemand("Numbers", table));
}

/** An empty drawing that takes the focus. */
function plotSvg(width, height) {
  return svgElement("svg", { viewBox: "0 0 " + width + " " + height, role: "img", tabindex: 0 });
}

/** The pointer's place in a drawing, in its own units. */
function pointerIn(svg, event, width, height) {
  const bounds = svg.getBoundingClientRect();
  return [((event.clientX - bounds.left) / bounds.width) * width, ((event.clientY - bounds.top) / bounds.height) * height];
}

/** The texts of ticks, with as many digits as tell them apart. */
function tickTexts(ticks, write) {
  const texts = ticks.map((tick) => tickText(tick, write));
  return new Set(texts).size === texts.length ? texts : ticks.map(String);
}

/** Ticks and names of both axes. `x`, `y`: {at: place of a value, ticks, write, name}. */
function drawAxes(svg, box, x, y) {
  const texts = { x: tickTexts(x.ticks, x.write), y: tickTexts(y.ticks, y.write) };
  y.ticks.forEach((tick, i) => {
    svg.append(svgElement("path", { class: "grid", d: "M" + box.left + " " + y.at(tick) + "H" + box.right }),
      svgElement("text", { x: box.left - 6, y: y.at(tick) + 4, "text-anchor": "end" }, texts.y[i]));
  });
  x.ticks.forEach((tick, i) => {
    svg.append(svgElement("path", { class: "grid", d: "M" + x.at(tick) + " " + box.bottom + "v4" }),
      svgElement("text", { x: x.at(tick), y: box.bottom + 16, "text-anchor": "middle" }, texts.x[i]));
  });
  svg.append(svgElement("text", { class: "axis-name", x: box.right, y: box.bottom + 30, "text-anchor": "end" }, x.name));
  if (y.name) {
    svg.append(svgElement("text", { class: "axis-name", x: box.left + 4, y: box.top - 4 }, y.name));
  }
}

/** The ends of an axis that shows values from `low` to `high`, with a part of the distance as room on either side. */
function withRoom(low, high, part) {
  const isOne = high - low <= 1e-9 * Math.max(Math.abs(low), Math.abs(high));  // but for rounding
  const room = isOne ? Math.abs(low) / 10 || 1 : (high - low) * part;
  return [low - room, high + room];
}

/** About `count` round numbers between `low` and `high`. */
function linearTicks(low, high, count) {
  const wanted = Math.max(1, count);
  const rough = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough * 0.999);
  const first = Math.ceil(low / step - 1e-9);
  const ticks = [];
  // The count bounds it where steps are too small to change numbers as large as these.
  for (let i = 0; i <= 10 * wanted && (first + i) * step <= high + step * 1e-9; ++i) {
    ticks.push(Number(((first + i) * step).toPrecision(12)));
  }
  return ticks;
}

function logTicks(low, high) {
  const ticks = [];
  const factors = high / low > 1000 ? [1] : high / low > 20 ? [1, 3] : [1, 2, 3, 5, 7];
  for (let power = Math.floor(Math.log10(low)); 10 ** power <= high; ++power) {
    ticks.push(...factors.map((factor) => Number((factor * 10 ** power).toPrecision(3))));
  }
  const inside = ticks.filter((tick) => tick >= low && tick <= high);
  const stride = Math.ceil(inside.length / 8);
  return inside.filter((_, place) => place % stride === 0);
}

/** The places of values on an axis from pixel `from` to pixel `to`. */
function makeScale(low, high, from, to, isLog) {
  const f = isLog ? Math.log10 : (value) => value;
  const span = f(high) - f(low) || 1;
  return (value) => from + ((f(value) - f(low)) / span) * (to - from);
}

function tickText(tick, write) {
  if (write === percent) {
    return Number((100 * tick).toPrecision(6)) + " %";
  }
  const size = Math.abs(tick);
  return size >= 1e5 && size < 1e15 ? tick.toLocaleString("en-US", { notation: "compact", maximumSignificantDigits: 3 }) : write === bytes ? bytes(tick) : digits(tick);
}
