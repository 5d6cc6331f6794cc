// Curves: over epochs or updates, or of one rate over another.

/** The least and largest value of all curves, apart from each other. */
function rangeOf(series, isLog) {
  const values = series.flatMap((one) => one.points.map((point) => point[1])).filter((y) => isNumber(y) && (!isLog || y > 0));
  if (values.length === 0) {
    return isLog ? [0.1, 1] : [0, 1];
  }
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  if (isLog) {
    return high <= low * (1 + 1e-9) ? [low / 2, high * 2] : [low, high];
  }
  return withRoom(low, high, 0.04);
}

/** What a curve does, in words. */
function describeCurve(one, axis, write) {
  const points = one.points.filter((point) => isNumber(point[1]));
  if (points.length === 0) {
    return one.name + ": no values";
  }
  const at = (point) => write(point[1]) + " at " + axis.name + " " + axis.write(point[0]);
  const best = points.find((point) => point[0] === one.best);
  return one.name + ": " + at(points[0]) + ", " + at(points[points.length - 1]) +
    (best ? ", " + write(best[1]) + " at the best " + axis.name + ", " + axis.write(best[0]) : "");
}

/** The path of a curve, broken where a value is missing; a value between two gaps stays a dot. */
function pathOf(points, x, y, isLog) {
  let path = "";
  let pen = "M";
  for (const [at, value] of points) {
    if (!isNumber(value) || (isLog && value <= 0)) {
      pen = "M";
      continue;
    }
    const place = x(at).toFixed(1) + " " + y(value).toFixed(1);
    path += pen === "M" ? "M" + place + "l0 0" : "L" + place;
    pen = "L";
  }
  return path;
}

/** The value of a curve at `x`; between its points on the line that joins them, where there is a `grid`. */
function valueAt(one, x, interpolates) {
  const next = one.points.findIndex((point) => point[0] >= x);
  if (next < 0 || (!interpolates && one.points[next][0] !== x)) {
    return undefined;
  }
  const [x1, y1] = one.points[next];
  if (x1 === x || next === 0) {
    return x1 === x ? y1 : undefined;
  }
  const [x0, y0] = one.points[next - 1];
  return y0 + ((y1 - y0) * (x - x0)) / (x1 - x0);
}

const epochAxis = { name: "epoch", write: String, whole: true };

/**
 * A figure of curves. `series`: {name, color, dash, points: [[x, value], ...] by ascending x, best: an x to mark, dots: whether
 * points are marked, bare: whether no line joins them, label: the name in the readout, if it is another, again: whether the legend has
 * the name already}; `write`: a value as text; `log`: whether a button offers a logarithmic scale; `axis`: {name, write, whole:
 * whether there are whole numbers only, low, high}; `range`: of the values; `diagonal`: whether a line shows where both are
 * equal; `tall`: whether
 * it is higher; `grid`: the places that are read out, if not those of the points; `marks`: {name, color, places} of
 * vertical lines.
 */
function linePlot({ name, note, series, write = digits, log = false, axis = epochAxis, valueName, range, diagonal, tall = diagonal, grid, marks = [], table }) {
  const places = grid || [...new Set(series.flatMap((one) => one.points.map((point) => point[0])))].sort((a, b) => a - b);
  const values = (place) => series.map((one) => valueAt(one, place, grid !== undefined));
  const legend = series.length > 1 ? series.filter((one) => !one.again).map((one) => legendEntry(one.name, one.color, one.bare ? "dot" : one.dash)) : [];
  const labels = series.map((one) => one.label || one.name);
  for (const mark of marks) {
    legend.push(legendEntry(mark.name, mark.color, "2 3"));
  }
  return plotFigure({
    name,
    note,
    legend,
    log,
    count: places.length,
    draw: (width, isLog) => drawCurves({ width, series, places, write, isLog, axis, valueName, range, diagonal, tall, marks }),
    say: (at) => axis.name + " " + axis.write(places[at]) + ": " + values(places[at]).map((value, i) => labels[i] + " " +
      (value === undefined ? "–" : write(value))).join(", "),
    text: name + " by " + axis.name + ". " + marks.map((mark) => mark.name + " at " + mark.places.map(axis.write).join(", ") + ". ").join("") + series.map((one) =>
      (one.text === undefined ? describeCurve(one, axis, write) : one.text)).filter((words) => words !== "").join("; "),
    table: table || (() => makeTable(name, [{ name: title(axis.name), number: true, write: axis.write },
      ...labels.map((label) => ({ name: label, number: true, write }))], places.map((place) => [place, ...values(place)]), true)),
  });
}

/** The drawing itself; returns it with what moves its cursor. */
function drawCurves({ width, series, places, write, isLog, axis, valueName, range, diagonal, tall, marks }) {
  const height = tall ? Math.min(width, 340) : width < 480 ? 210 : 250;
  const box = { left: 58, right: width - 12, top: valueName ? 22 : 12, bottom: height - 34 };
  const [low, high] = range || rangeOf(series, isLog);
  const first = axis.low === undefined ? places[0] : axis.low;
  const last = axis.high === undefined ? Math.max(places[places.length - 1], first + (axis.whole ? 1 : 1e-9)) : axis.high;
  const x = makeScale(first, last, box.left + 4, box.right - 4, false);
  const y = makeScale(low, high, box.bottom, box.top, isLog);
  const svg = plotSvg(width, height);
  const xTicks = linearTicks(first, last, width / 70);
  drawAxes(svg, box, { at: x, ticks: axis.whole ? xTicks.filter(Number.isInteger) : xTicks, write: axis.whole ? undefined : axis.write, name: axis.name },
    { at: y, ticks: isLog ? logTicks(low, high) : linearTicks(low, high, 5), write, name: valueName });
  if (diagonal) {
    svg.append(svgElement("path", { class: "guide", d: "M" + x(Math.max(first, low)) + " " + y(Math.max(first, low)) + "L" + x(Math.min(last, high)) + " " + y(Math.min(last, high)) }));
  }
  for (const mark of marks) {
    svg.append(...mark.places.map((place) => svgElement("path", { class: "mark", stroke: mark.color, d: "M" + x(place) + " " + box.top + "V" + box.bottom })));
  }
  for (const one of series) {
    if (!one.bare) {
      svg.append(svgElement("path", { class: "curve", "data-series": one.name, d: pathOf(one.points, x, y, isLog),
        stroke: one.color, "stroke-dasharray": one.dash }));
    }
    for (const point of one.dots ? one.points.filter(([, value]) => isNumber(value)) : []) {
      svg.append(svgElement("circle", { class: "dot", cx: x(point[0]), cy: y(point[1]), r: 3, fill: one.color }));
    }
  }
  for (const one of series) {
    const best = one.points.find((point) => point[0] === one.best && isNumber(point[1]) && (!isLog || point[1] > 0));
    if (best) {
      const isRight = x(best[0]) > (box.left + box.right) / 2;
      svg.append(svgElement("circle", { class: "best", cx: x(best[0]), cy: y(best[1]), r: 5, stroke: one.color }));
      if (series.filter((other) => other.best !== undefined).length === 1) {
        svg.append(svgElement("text", { class: "best-name", x: x(best[0]) + (isRight ? -9 : 9),
          y: y(best[1]) + (y(best[1]) < box.top + 24 ? 18 : -9), "text-anchor": isRight ? "end" : "start" },
        "best: " + write(best[1]) + ", " + axis.name + " " + best[0]));
      }
    }
  }
  const cursor = svgElement("path", { class: "cursor", d: "" });
  svg.append(cursor);
  return {
    svg,
    mark: (at) => cursor.setAttribute("d", "M" + x(places[at]) + " " + box.top + "V" + box.bottom),
    nearest: (event) => {
      const [at] = pointerIn(svg, event, width, height);
      return places.reduce((best, place, i) => (Math.abs(x(place) - at) < Math.abs(x(places[best]) - at) ? i : best), 0);
    },
  };
}
