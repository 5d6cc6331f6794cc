// Curves over epochs.

/** About `count` round numbers between `low` and `high`. */
function linearTicks(low, high, count) {
  const rough = (high - low) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough * 0.999);
  const ticks = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; ++i) {
    ticks.push(Number((i * step).toPrecision(12)));
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

/** The least and largest value of all curves, apart from each other. */
function rangeOf(series, isLog) {
  const values = series.flatMap((one) => one.points.map((point) => point[1])).filter((y) => isNumber(y) && (!isLog || y > 0));
  if (values.length === 0) {
    return isLog ? [0.1, 1] : [0, 1];
  }
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  if (isLog) {
    return low === high ? [low / 2, high * 2] : [low, high];
  }
  const room = low === high ? Math.abs(low) / 10 || 1 : (high - low) * 0.04;
  return [low - room, high + room];
}

/** What a curve does, in words. */
function describeCurve(one, write) {
  const points = one.points.filter((point) => isNumber(point[1]));
  if (points.length === 0) {
    return one.name + ": no values";
  }
  const first = points[0];
  const last = points[points.length - 1];
  const best = points.find((point) => point[0] === one.best);
  return one.name + ": " + write(first[1]) + " at epoch " + first[0] + ", " + write(last[1]) + " at epoch " + last[0] +
    (best ? ", " + write(best[1]) + " at the best epoch, " + best[0] : "");
}

/** The path of a curve, broken where a value is missing; a value between two gaps stays a dot. */
function pathOf(points, x, y, isLog) {
  let path = "";
  let pen = "M";
  for (const [epoch, value] of points) {
    if (!isNumber(value) || (isLog && value <= 0)) {
      pen = "M";
      continue;
    }
    const place = x(epoch).toFixed(1) + " " + y(value).toFixed(1);
    path += pen === "M" ? "M" + place + "l0 0" : "L" + place;
    pen = "L";
  }
  return path;
}

/**
 * A figure of curves. `series`: {name, color, dash, points: [[epoch, value], ...], best: epoch to mark}; `write`: a value
 * as text; `log`: whether a button offers a logarithmic scale.
 */
function linePlot({ name, series, write = digits, log = false }) {
  const place = element("div", { class: "plot" });
  const readout = element("p", { class: "readout", "aria-live": "polite" });
  const caption = element("figcaption", {}, name);
  const figure = element("figure", { "data-plot": name }, caption, place, readout);
  const epochs = [...new Set(series.flatMap((one) => one.points.map((point) => point[0])))].sort((a, b) => a - b);
  const state = { isLog: false, cursor: -1 };

  for (const one of series.length > 1 ? series : []) {
    caption.append(element("span", { class: "legend" }, svgElement("svg", { viewBox: "0 0 26 10", "aria-hidden": "true" },
      svgElement("path", { class: "curve", d: "M1 5H25", stroke: one.color, "stroke-dasharray": one.dash })), one.name));
  }
  if (log) {
    const button = element("button", { type: "button", class: "toggle", "aria-pressed": "false" }, "log scale");
    button.addEventListener("click", () => {
      state.isLog = !state.isLog;
      button.setAttribute("aria-pressed", String(state.isLog));
      draw();
    });
    caption.append(button);
  }

  const text = series.map((one) => describeCurve(one, write)).join("; ");
  function say() {
    const epoch = epochs[state.cursor];
    readout.textContent = epoch === undefined ? "" : "epoch " + epoch + ": " + series.map((one) => {
      const point = one.points.find((candidate) => candidate[0] === epoch);
      return one.name + " " + (point ? write(point[1]) : "–");
    }).join(", ");
  }
  function draw() {
    const hadFocus = place.firstChild !== null && place.firstChild === document.activeElement;
    const drawn = drawCurves({ width: Math.max(260, place.clientWidth), series, epochs, write, isLog: state.isLog });
    drawn.svg.setAttribute("aria-label", name + " by epoch. " + text);
    place.replaceChildren(drawn.svg);
    const move = (to) => {
      state.cursor = Math.max(0, Math.min(epochs.length - 1, to));
      drawn.moveCursor(epochs[state.cursor]);
      say();
    };
    drawn.svg.addEventListener("pointermove", (event) => move(drawn.nearest(event)));
    drawn.svg.addEventListener("keydown", (event) => {
      const to = { ArrowLeft: state.cursor - 1, ArrowRight: state.cursor + 1, Home: 0, End: epochs.length - 1 }[event.key];
      if (to !== undefined) {
        move(to);
        event.preventDefault();
      }
    });
    if (state.cursor >= 0) {
      move(state.cursor);
    }
    if (hadFocus) {
      drawn.svg.focus();
    }
  }
  drawings.add({ place, draw });
  figure.append(tableOnDemand("Numbers", () => makeTable(name, [{ name: "Epoch", number: true },
    ...series.map((one) => ({ name: one.name, number: true, write }))], epochs.map((epoch) => [epoch,
    ...series.map((one) => (one.points.find((point) => point[0] === epoch) || [])[1])]), true)));
  return figure;
}

/** The drawing itself; returns it with what moves its cursor. */
function drawCurves({ width, series, epochs, write, isLog }) {
  const height = width < 480 ? 210 : 250;
  const box = { left: 58, right: width - 12, top: 12, bottom: height - 34 };
  const [low, high] = rangeOf(series, isLog);
  const last = epochs[epochs.length - 1];
  const x = makeScale(epochs[0], Math.max(last, epochs[0] + 1), box.left + 4, box.right - 4, false);
  const y = makeScale(low, high, box.bottom, box.top, isLog);
  const svg = svgElement("svg", { viewBox: "0 0 " + width + " " + height, role: "img", tabindex: 0 });

  for (const tick of isLog ? logTicks(low, high) : linearTicks(low, high, 5)) {
    svg.append(svgElement("path", { class: "grid", d: "M" + box.left + " " + y(tick) + "H" + box.right }),
      svgElement("text", { x: box.left - 6, y: y(tick) + 4, "text-anchor": "end" }, tickText(tick, write)));
  }
  for (const tick of linearTicks(epochs[0], Math.max(last, epochs[0] + 1), width / 70).filter(Number.isInteger)) {
    svg.append(svgElement("path", { class: "grid", d: "M" + x(tick) + " " + box.bottom + "v4" }),
      svgElement("text", { x: x(tick), y: box.bottom + 16, "text-anchor": "middle" }, String(tick)));
  }
  svg.append(svgElement("text", { class: "axis-name", x: box.right, y: height - 4, "text-anchor": "end" }, "epoch"));
  for (const one of series) {
    svg.append(svgElement("path", { class: "curve", "data-series": one.name, d: pathOf(one.points, x, y, isLog),
      stroke: one.color, "stroke-dasharray": one.dash }));
  }
  for (const one of series) {
    const best = one.points.find((point) => point[0] === one.best && isNumber(point[1]) && (!isLog || point[1] > 0));
    if (best) {
      const isRight = x(best[0]) > (box.left + box.right) / 2;
      svg.append(svgElement("circle", { class: "best", cx: x(best[0]), cy: y(best[1]), r: 5, stroke: one.color }));
      if (series.filter((other) => other.best !== undefined).length === 1) {
        svg.append(svgElement("text", { class: "best-name", x: x(best[0]) + (isRight ? -9 : 9),
          y: y(best[1]) + (y(best[1]) < box.top + 24 ? 18 : -9), "text-anchor": isRight ? "end" : "start" },
        "best: " + write(best[1]) + ", epoch " + best[0]));
      }
    }
  }
  const cursor = svgElement("path", { class: "cursor", d: "" });
  svg.append(cursor);
  return {
    svg,
    moveCursor: (epoch) => cursor.setAttribute("d", "M" + x(epoch) + " " + box.top + "V" + box.bottom),
    nearest: (event) => {
      const bounds = svg.getBoundingClientRect();
      const at = ((event.clientX - bounds.left) / bounds.width) * width;
      return epochs.reduce((best, epoch, i) => (Math.abs(x(epoch) - at) < Math.abs(x(epochs[best]) - at) ? i : best), 0);
    },
  };
}

function tickText(tick, write) {
  if (write === percent) {
    return Number((100 * tick).toPrecision(6)) + " %";
  }
  const size = Math.abs(tick);
  return size >= 1e5 && size < 1e15 ? tick.toLocaleString("en-US", { notation: "compact", maximumSignificantDigits: 3 }) : digits(tick);
}
