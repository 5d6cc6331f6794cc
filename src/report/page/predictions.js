// What a model does on the samples that it is judged by: curves, calibration, errors, the worst samples, which columns count.

const rateAxis = (name) => ({ name, write: (value) => String(Number(value.toFixed(3))), low: 0, high: 1 });
const rate = (value) => (isNumber(value) ? value.toFixed(3) : "–");
const rateGrid = Array.from({ length: 51 }, (_, i) => i / 50);

/** The points of false and true positive rates of a curve. */
const rocPoints = (curve) => curve.points.map(([hits, alarms]) => [alarms / curve.negatives, hits / curve.positives]);

/** The points of recall and precision. */
function precisionPoints(curve) {
  const points = curve.points.filter(([hits, alarms]) => hits + alarms > 0).map(([hits, alarms]) => [hits / curve.positives, hits / (hits + alarms)]);
  return points.length > 0 && points[0][0] > 0 ? [[0, points[0][1]], ...points] : points;
}

/** The mean of curves at each place of the grid. */
function meanCurve(curves) {
  const all = curves.map((points) => ({ points }));
  return rateGrid.map((place) => [place, all.reduce((sum, one) => {
    // Where a curve rises straight up, its upper end counts.
    const same = one.points.filter((point) => point[0] === place);
    return sum + (same.length > 0 ? same[same.length - 1][1] : valueAt(one, place, true));
  }, 0) / all.length]);
}

/** Both curves of some of the outputs: `chosen` are shown, the mean is of all of them. */
function rateFigures(evaluation, chosen) {
  const usable = evaluation.curves.filter((curve) => curve.positives > 0 && curve.negatives > 0);
  const series = (points, area, key) => [
    ...chosen.map((curve, i) => ({ name: shortened(curve.name, 24) + " (" + rate(curve[key]) + ")", color: colors[i % colors.length], points: points(curve),
      text: visible(curve.name) + ": " + area + " " + rate(curve[key]) })),
    ...(key === "auc" && usable.length > 1 ? [{ name: "mean of all (" + rate(evaluation.macro_auc) + ")", color: "var(--ink)", dash: "6 4",
      points: meanCurve(usable.map(points)), text: "mean of all: " + area + " " + rate(evaluation.macro_auc) }] : []),
  ];
  return [
    linePlot({ name: "ROC curve", note: "area under the curve", series: series(rocPoints, "area under the curve", "auc"), write: rate,
      axis: rateAxis("false positive rate"), valueName: "true positive rate", range: [0, 1], diagonal: true, grid: rateGrid }),
    linePlot({ name: "Precision and recall", note: "average precision", series: series(precisionPoints, "average precision", "average_precision"), write: rate,
      axis: rateAxis("recall"), valueName: "precision", range: [0, 1.02], tall: true, grid: rateGrid }),
  ];
}

/** The curves of all outputs, of which some are shown at a time. */
function curvesBlock(evaluation) {
  const most = 6;
  const usable = evaluation.curves.filter((curve) => curve.positives > 0 && curve.negatives > 0);
  if (usable.length === 0) {
    return [element("p", { class: "quiet" }, "There are no curves: no class is both present and absent among the samples.")];
  }
  const place = element("div", { class: "figures" });
  const lowest = [...usable].sort((a, b) => a.auc - b.auc).slice(0, most);
  const show = (chosen) => place.replaceChildren(...rateFigures(evaluation, chosen));
  show(lowest);
  const parts = [element("p", { class: "quiet" }, "Curves come from counts in " + digits(evaluation.score_bins) +
    " bins of the log-odds; each " + (usable.length > 1 ? "is one against the rest." : "is of " + visible(usable[0].name) + "."))];
  if (usable.length > most) {
    const select = element("select", { id: "curve" }, element("option", { value: -1 }, "the " + most + " with the least area"),
      ...usable.map((curve, i) => element("option", { value: i }, visible(curve.name))));
    select.addEventListener("change", () => {
      show(select.value === "-1" ? lowest : [usable[Number(select.value)]]);
      drawAll();
    });
    parts.push(element("p", {}, element("label", { for: "curve" }, "Curves of: "), select));
  }
  parts.push(place);
  if (evaluation.curves.length > 1) {
    const number = (name, write) => ({ name, number: true, write });
    parts.push(element("details", {}, element("summary", {}, "Areas of all " + evaluation.curves.length), makeTable("Areas under the curves",
      [{ name: "Class", write: visible }, number("Positives", digits), number("Area under the ROC curve", rate), number("Average precision", rate)],
      evaluation.curves.map((curve) => [curve.name, curve.positives, curve.auc, curve.average_precision]), true)));
  }
  return parts;
}

/** Calibration and score histogram. `labels`: whether the probabilities are of labels rather than of the class that was predicted. */
function probabilityFigures(evaluation, labels) {
  const bins = evaluation.calibration.bins;
  const used = bins.map(([count, right, mean], i) => ({ count, share: right / count, mean, i })).filter((bin) => bin.count > 0);
  const cameTrue = labels ? "has the label" : "is right";
  const calibration = linePlot({ name: "Calibration", note: "expected error " + rate(evaluation.calibration.error),
    series: [{ name: "part that " + cameTrue, color: colors[0], points: used.map((bin) => [bin.mean, bin.share]), dots: true }],
    write: percent, axis: rateAxis("mean probability"), valueName: "part that " + cameTrue, range: [0, 1], diagonal: true,
    table: () => makeTable("Calibration", ["Probability above", "Samples", "Mean probability", "Part that " + cameTrue].map((name, i) =>
      ({ name, number: true, write: i === 1 ? digits : i === 3 ? percent : rate })), used.map((bin) => [bin.i / bins.length, bin.count, bin.mean, bin.share]), true) });
  const { right, wrong } = evaluation.scores;
  const scores = histogramPlot({ name: labels ? "Probabilities of labels" : "Probability of the predicted class",
    bars: right.map((count, i) => ({ from: i / right.length, to: (i + 1) / right.length, counts: [count, wrong[i]] })),
    kinds: labels ? [{ name: "has the label", color: "var(--right)" }, { name: "has not", color: "var(--c7)" }]
      : [{ name: "right", color: "var(--right)" }, { name: "wrong", color: "var(--wrong)" }], axis: rateAxis("probability") });
  return [calibration, scores];
}

/** Predicted against true, and the residuals, of each of some outputs. */
function numberFigures(outputs, samples) {
  const several = outputs.length > 1;
  return outputs.flatMap((target) => {
    const of = several ? ": " + visible(target.name) : "";
    const { first, width, counts, below, above } = target.residuals;
    const outside = below + above > 0 ? digits(below) + " below and " + digits(above) + " above are not shown" : undefined;
    return [
      ...(target.points.length > 0 ? [scatterPlot({ name: "Predicted against true" + of, points: target.points, names: ["true", "predicted"],
        note: target.points.length < samples ? digits(target.points.length) + " of " + digits(samples) + " samples" : undefined,
        text: "On the line, a prediction is exact." })] : []),
      ...(counts.length > 0 ? [histogramPlot({ name: "Residuals" + of, note: outside, kinds: [{ name: "", color: colors[0] }],
        bars: counts.map((count, i) => ({ from: first + i * width, to: first + (i + 1) * width, counts: [count] })),
        axis: { name: "predicted less true", write: digits } })] : []),
    ];
  });
}

/** What became of each label. */
function labelTable(labels) {
  const number = (name, write) => ({ name, number: true, write });
  return makeTable("Figures of each label", [{ name: "Label", write: visible }, number("Support", digits), number("Given", digits),
    number("Correct", digits), number("Precision", percent), number("Recall", percent), number("F1", percent), number("Given from", rate)],
  labels.map((label) => {
    const { precision, recall, f1 } = figuresOf(label.positives, label.given, label.right);
    return [label.name, label.positives, label.given, label.right, precision, recall, f1, label.threshold];
  }), true);
}

/** How far predicted shares are from true ones: over all outputs, and of each. */
function shareBlock(evaluation) {
  const { distribution: whole, outputs } = evaluation;
  const most = 30;
  const sorted = [...outputs].sort((a, b) => b.error - a.error);
  const number = (name, write = digits) => ({ name, number: true, write });
  const table = () => makeTable("Figures of each output", [{ name: "Output", write: visible }, number("Mean true share", percent),
    number("Mean predicted share", percent), number("Mean absolute error", percent), number("Cross-entropy"), number("Divergence")],
  outputs.map((one) => [one.name, one.true, one.predicted, one.error, one.cross_entropy, one.divergence]), true);
  const longest = sorted.slice(0, most).reduce((length, one) => Math.max(length, [...shortened(one.name, 24)].length), 4);
  const errors = rowBars({
    name: "Mean absolute error of the shares",
    note: sorted.length > most ? "the " + most + " largest of " + digits(sorted.length) : undefined,
    rows: sorted.slice(0, most).map((one) => ({ label: one.name, parts: [one.error] })),
    kinds: [{ name: "", color: colors[0] }],
    write: percent,
    wide: 16 + longest * 6.6,
    text: "Most: " + sorted.slice(0, 3).map((one) => visible(one.name) + " " + percent(one.error)).join(", ") + ".",
    table,
  });
  return [element("p", { class: "quiet" }, "The cross-entropy is " + digits(whole.cross_entropy) + ": " + digits(whole.entropy) +
    " of it is the entropy of the true shares, below which no prediction gets, and " + digits(whole.divergence) +
    " the divergence (Kullback-Leibler). On average " + percent(whole.misplaced) + " of a sample's whole is predicted for outputs that should not have it."),
  ...(whole.outputs > outputs.length ? [element("p", { class: "quiet" }, "The table has the first " + digits(outputs.length) + " of " +
    digits(whole.outputs) + " outputs.")] : []),
  errors, table(), ...(whole.outputs > evaluation.shares.length ? [element("p", { class: "quiet" }, "Drawn are the first " +
    evaluation.shares.length + " outputs.")] : []), element("div", { class: "figures" }, ...numberFigures(evaluation.shares, evaluation.samples))];
}

/** A table of the samples whose predictions are worst. */
function worstTable(evaluation) {
  const number = (name, write = digits) => ({ name, number: true, write });
  const text = (name) => ({ name, write: visible });
  const [columns, row] = evaluation.shares
    ? [[number("Sample"), number("Divergence"), text("Output furthest off"), number("True share", percent), number("Predicted share", percent)],
      (one) => [one.sample, one.divergence, one.output, one.true, one.predicted]]
    : evaluation.numbers
      ? [[number("Sample"), text("Target"), number("True"), number("Predicted"), number("Error, in deviations")],
        (one) => [one.sample, one.target, one.true, one.predicted, one.deviations]]
      : "label" in evaluation.worst[0]
        ? [[number("Sample"), text("Label"), text("True"), number("Probability of the label")],
          (one) => [one.sample, one.label, one.has_label ? "has it" : "has it not", one.probability]]
        : [[number("Sample"), text("True"), text("Predicted"), number("Probability of the true class"), number("Probability of the predicted class")],
          (one) => [one.sample, one.true, one.predicted, one.true_probability, one.predicted_probability]];
  return makeTable("Most wrong samples", columns, evaluation.worst.map(row), true);
}

/** The section of a run's predictions; nothing while there are none. */
function predictionSection(run) {
  const evaluation = run.evaluation;
  if (!evaluation || (!evaluation.calibration && !evaluation.numbers && !evaluation.shares)) {
    return undefined;
  }
  const parts = [element("h2", {}, "Predictions"), element("p", { class: "quiet" }, "The best epoch's model on the " +
    digits(evaluation.samples) + " " + evaluation.set + " samples. Each sample counts once, whatever its weight.")];
  if (evaluation.calibration) {
    const labels = evaluation.worst.length > 0 ? "label" in evaluation.worst[0] : run.classes === null;
    parts.push(...(evaluation.curves ? curvesBlock(evaluation)
      : [element("p", { class: "quiet" }, "Curves are drawn for up to 100 classes.")]));
    parts.push(element("div", { class: "figures" }, ...probabilityFigures(evaluation, labels)));
    if (evaluation.labels) {
      parts.push(element("h3", {}, "Labels"), labelTable(evaluation.labels));
    }
  }
  if (evaluation.numbers) {
    parts.push(element("div", { class: "figures" }, ...numberFigures(evaluation.numbers, evaluation.samples)));
  }
  if (evaluation.shares) {
    parts.push(...shareBlock(evaluation));
  }
  parts.push(element("h3", {}, "Most wrong samples"));
  if (evaluation.worst.length === 0) {
    parts.push(element("p", { class: "quiet" }, "No prediction is wrong."));
  } else {
    parts.push(element("p", { class: "quiet" }, "The " + evaluation.worst.length + " with the largest " + (evaluation.shares ? "divergence" : evaluation.numbers ? "deviation" : "loss") + ". Samples are counted from 1 in the " +
      (evaluation.set === "test" ? "test data" : "training data") + ", in the order of the files; rows that were left out do not count."), worstTable(evaluation));
  }
  return element("section", {}, ...parts);
}

/** The section of what each column is worth to the model. */
function importanceSection(run) {
  const importance = (run.evaluation || {}).importance;
  if (!importance) {
    return undefined;
  }
  const head = element("h2", {}, "Which columns count");
  if (importance.left_out) {
    return element("section", {}, head, element("p", { class: "quiet" }, "The importance of columns was not computed: " + importance.left_out));
  }
  const most = 30;
  const sorted = [...importance.columns].sort((a, b) => b.loss - a.loss);
  const signed = (value) => (isNumber(value) ? (value > 0 ? "+" : "") + digits(value) : "–");
  const withAccuracy = isNumber(importance.accuracy);
  const seconds = (run.summary || {}).importance_seconds;
  const longest = sorted.slice(0, most).reduce((length, column) => Math.max(length, [...shortened(column.name, 24)].length), 4);
  const columns = [{ name: "Column", write: visible }, { name: "Loss grows by", number: true, write: signed }, { name: "Least", number: true, write: signed },
    { name: "Largest", number: true, write: signed }, ...(withAccuracy ? [{ name: "Accuracy falls by", number: true, write: percent }] : [])];
  const figure = rowBars({
    name: "Growth of the loss without a column",
    note: sorted.length > most ? "the " + most + " of " + digits(sorted.length) + " columns that count most" : undefined,
    rows: sorted.slice(0, most).map((column) => ({ label: column.name, parts: [column.loss], value: column.loss, low: column.least, high: column.largest })),
    kinds: [{ name: "", color: colors[0] }],
    write: (value) => digits(value),
    wide: 16 + longest * 6.6,
    text: "Most: " + sorted.slice(0, 3).map((column) => visible(column.name) + " " + signed(column.loss)).join(", ") + ".",
    table: () => makeTable("Importance of the columns", columns, sorted.map((column) => [column.name, column.loss, column.least, column.largest,
      ...(withAccuracy ? [column.accuracy] : [])]), true),
  });
  return element("section", {}, head, element("p", { class: "quiet" }, "How much worse " + digits(importance.samples) + " " + run.evaluation.set +
    " samples are predicted when one column is shuffled among them (" + (importance.shuffles === 1 ? "once" : importance.shuffles + " times") +
    (isNumber(seconds) ? "; " + duration(seconds) + " in all" : "") + "). Loss as they are: " + digits(importance.loss) +
    (withAccuracy ? ", accuracy " + percent(importance.accuracy) : "") + ". Columns that say the same share their importance; the whisker spans the shuffles."), figure);
}
