// Cross-validation: what networks say of samples that they were not trained on, fold by fold.

/** "95.21 % ± 0.40 %". */
function spreadOf(folds, name) {
  const write = writerOf(name);
  return write(folds.mean[name]) + " ± " + write(folds.deviation[name]);
}

/** The figures by name, the loss first. */
const foldFigureNames = (folds) => ofFirstTargets(Object.keys(folds.mean));

/** A figure of all folds: a dot for each, the mean, and a standard deviation on either side of it. */
function foldPlot(folds, name) {
  const write = writerOf(name);
  const values = folds.by_fold.map((fold, i) => [i + 1, fold[name]]);
  const known = values.filter(([, value]) => isNumber(value));
  const [low, high] = known.reduce(([least, most], one) => [one[1] < least[1] ? one : least, one[1] > most[1] ? one : most], [known[0], known[0]]);
  const [mean, deviation] = [folds.mean[name], folds.deviation[name]];
  // A figure that some fold has not got has no mean.
  const level = (height) => (isNumber(mean) ? values.map(([fold]) => [fold, height]) : []);
  return linePlot({
    name: metricTitle(name) + " by fold",
    axis: { name: "fold", write: String, whole: true, low: 0.5, high: values.length + 0.5 },
    write,
    series: [
      { name: "a fold", color: colors[0], points: values, dots: true, bare: true,
        text: "least " + write(low[1]) + " in fold " + low[0] + ", most " + write(high[1]) + " in fold " + high[0] },
      { name: "mean", color: "var(--ink)", points: level(mean), text: "mean " + write(mean) },
      { name: "mean ± deviation", color: "var(--c7)", dash: "4 4", points: level(mean - deviation), label: "mean less deviation",
        text: "standard deviation " + write(deviation) },
      { name: "mean ± deviation", color: "var(--c7)", dash: "4 4", points: level(mean + deviation), label: "mean plus deviation", again: true, text: "" },
    ],
  });
}

/** The figures of each fold, then mean and deviation. */
function foldTable(folds) {
  const names = foldFigureNames(folds);
  const number = (name, write = digits) => ({ name, number: true, write });
  return makeTable("Figures of each fold", [{ name: "Fold", number: true, write: inWords }, number("Samples"), number("Epochs"),
    ...names.map((name) => number(metricTitle(name), writerOf(name)))],
  folds.by_fold.map((fold, i) => [i + 1, fold.samples, fold.epochs, ...names.map((name) => fold[name])]), true,
  [["mean", undefined, undefined, ...names.map((name) => folds.mean[name])],
    ["deviation", undefined, undefined, ...names.map((name) => folds.deviation[name])]]);
}

/** The section of a run's cross-validation; nothing where there is none. */
function foldSection(run) {
  const { folds } = run;
  if (!folds || folds.by_fold.length === 0) {
    return undefined;
  }
  const most = 4;
  const drawn = foldFigureNames(folds).filter((name) => folds.by_fold.some((fold) => isNumber(fold[name]))).slice(0, most);
  return element("section", {}, element("h2", {}, "Cross-validation"), element("p", { class: "quiet" }, digits(folds.folds) +
    " networks, each judged by the samples that its fold leaves out: " + foldFigureNames(folds).slice(0, most).map((name) =>
    metricName(name) + " " + spreadOf(folds, name)).join(", ") +
    " (mean ± standard deviation over the folds). The model of this run is another one, trained on all of these samples. " +
    "out-of-fold.csv has what the networks say of each sample."),
  element("div", { class: "figures" }, ...drawn.map((name) => foldPlot(folds, name))), foldTable(folds));
}
