// The confusion matrix as a heat map, and the figures of each class.

/** Precision, recall and F1 of a class; null where nothing was or is of it. */
function figuresOf(support, predicted, correct) {
  const precision = predicted > 0 ? correct / predicted : null;
  const recall = support > 0 ? correct / support : null;
  const f1 = support + predicted > 0 ? (2 * correct) / (support + predicted) : null;
  return { precision, recall, f1 };
}

function classTable(classes) {
  const rows = classes.names.map((name, i) => {
    const { precision, recall, f1 } = figuresOf(classes.support[i], classes.predicted[i], classes.correct[i]);
    return [name, classes.support[i], classes.predicted[i], classes.correct[i], precision, recall, f1];
  });
  const number = (name, write) => ({ name, number: true, write });
  return makeTable("Figures of each class", [{ name: "Class", write: visible }, number("Support", digits),
    number("Predicted", digits), number("Correct", digits), number("Precision", percent), number("Recall", percent),
    number("F1", percent)], rows, true);
}

/** The names of the rows and columns of the matrix. */
function matrixNames(matrix) {
  return matrix.others ? [...matrix.names, "all other classes"] : matrix.names;
}

function describeMatrix(matrix) {
  const names = matrixNames(matrix);
  const worst = [];
  matrix.counts.forEach((row, i) => row.forEach((count, j) => {
    if (i !== j && count > 0) {
      worst.push([count, names[i], names[j]]);
    }
  }));
  worst.sort((a, b) => b[0] - a[0]);
  const mostly = worst.slice(0, 3).map(([count, from, to]) => digits(count) + " of " + visible(from) + " taken for " + visible(to));
  return worst.length === 0 ? "No sample was taken for another class." : "Most frequent confusions: " + mostly.join("; ") + ".";
}

/** The matrix as a figure: a row for each true class, a column for each predicted one. */
function heatMap(matrix) {
  const names = matrixNames(matrix);
  const place = element("div", { class: "plot" });
  const box = element("div", { class: "scroll", style: "max-height:none" }, place);
  const readout = element("p", { class: "readout", "aria-live": "polite" }, describeMatrix(matrix));
  const sums = matrix.counts.map((row) => row.reduce((a, b) => a + b, 0));
  const state = { row: -1, column: -1 };
  function draw() {
    const drawn = drawMatrix(matrix.counts, sums, names, box.clientWidth - 2);
    place.replaceChildren(drawn.svg);
    place.style.width = drawn.width + "px";
    place.style.maxWidth = "none";
    const move = (row, column) => {
      state.row = Math.max(0, Math.min(names.length - 1, row));
      state.column = Math.max(0, Math.min(names.length - 1, column));
      drawn.frame(state.row, state.column);
      const count = matrix.counts[state.row][state.column];
      readout.textContent = digits(count) + " of " + digits(sums[state.row]) + " samples of class " +
        visible(names[state.row]) + " were taken for " + visible(names[state.column]) + " (" +
        percent(sums[state.row] > 0 ? count / sums[state.row] : null) + ")";
    };
    drawn.svg.addEventListener("pointermove", (event) => {
      const cell = event.target.closest("[data-row]");
      if (cell) {
        move(Number(cell.dataset.row), Number(cell.dataset.column));
      }
    });
    drawn.svg.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
      if (step) {
        move(state.row + step[0], state.column + step[1]);
        event.preventDefault();
      }
    });
    drawn.svg.setAttribute("aria-label", "Confusion matrix of " + names.length + " classes. " + describeMatrix(matrix));
  }
  drawings.add({ place, draw });
  const table = tableOnDemand("Numbers", () => makeTable("Confusion matrix", [{ name: "true \\ predicted", write: visible },
    ...names.map((name) => ({ name: visible(name), number: true, write: digits }))],
  matrix.counts.map((row, i) => [names[i], ...row])));
  return element("figure", { "data-plot": "Confusion matrix" },
    element("figcaption", {}, "Confusion matrix: rows are true classes, columns predicted ones"), box, readout, table);
}

function drawMatrix(counts, sums, names, room) {
  const size = names.length;
  const longest = names.reduce((most, name) => Math.max(most, [...shortened(name, 16)].length), 4);
  const label = 14 + longest * 6.6;
  const cell = Math.max(size > 12 ? 15 : 24, Math.min(46, (room - label - 24) / size));
  const width = Math.ceil(label + size * cell + 24);
  const height = Math.ceil(label + size * cell + 8);
  const svg = svgElement("svg", { viewBox: "0 0 " + width + " " + height, role: "img", tabindex: 0 });
  svg.append(svgElement("text", { class: "axis-name", x: 2, y: label - 6 }, "true"),
    svgElement("text", { class: "axis-name", x: label + size * cell + 20, y: 11, "text-anchor": "end" }, "predicted"));
  const widest = String(counts.flat().reduce((a, b) => Math.max(a, b), 0)).length;
  const showsCounts = widest * 6.5 + 4 <= cell;
  names.forEach((name, i) => {
    const middle = label + (i + 0.5) * cell;
    svg.append(svgElement("text", { x: label - 5, y: middle + 4, "text-anchor": "end" }, shortened(name, 16)),
      svgElement("text", { transform: "translate(" + (middle + 4) + " " + (label - 5) + ") rotate(-90)" }, shortened(name, 16)));
  });
  counts.forEach((row, i) => row.forEach((count, j) => {
    const share = sums[i] > 0 ? count / sums[i] : 0;
    const opacity = count === 0 ? 0 : i === j ? 0.12 + 0.6 * share : Math.min(0.85, 0.18 + 1.6 * share);
    const [x, y] = [label + j * cell, label + i * cell];
    svg.append(svgElement("rect", { class: "cell " + (i === j ? "right" : "wrong"), x, y, width: cell, height: cell,
      "fill-opacity": opacity.toFixed(3), "data-row": i, "data-column": j }));
    if (showsCounts && count > 0) {
      svg.append(svgElement("text", { class: "count", x: x + cell / 2, y: y + cell / 2 + 4, "pointer-events": "none" }, String(count)));
    }
  }));
  const frame = svgElement("rect", { class: "cell-frame", width: cell, height: cell, visibility: "hidden" });
  svg.append(frame);
  return {
    svg,
    width,
    frame: (row, column) => {
      frame.setAttribute("x", label + column * cell);
      frame.setAttribute("y", label + row * cell);
      frame.setAttribute("visibility", "visible");
    },
  };
}

/** The section of a run's classes. */
function classSection(run) {
  const classes = run.classes;
  const on = run.summary ? run.summary.evaluated_on : "evaluated";
  const parts = [element("h2", {}, "Classes"), element("p", { class: "quiet" }, "The best epoch's model on the " + on +
    " samples: " + digits(classes.correct_samples) + " of " + digits(classes.samples) + " samples in " +
    digits(classes.count) + " classes are right.")];
  if (classes.matrix.others) {
    parts.push(element("p", { class: "quiet" }, "The matrix shows the " + classes.matrix.names.length +
      " classes with the most errors; confusion.csv has all of them."));
  }
  if (classes.names.length < classes.count) {
    parts.push(element("p", { class: "quiet" }, "The table shows the " + classes.names.length + " classes with the most errors."));
  }
  parts.push(element("div", { class: "classes" }, heatMap(classes.matrix), classTable(classes)));
  return element("section", {}, ...parts);
}
