// The page: sections in reading order, from the data that stand in it.

const colors = Array.from({ length: 8 }, (_, i) => "var(--c" + i + ")");
const phaseColors = [colors[2], colors[0], colors[1], colors[3], colors[7]];
const phases = ["load", "compute", "exchange", "update", "evaluation"];
const notPlotted = /^(epoch|seconds|evaluation_seconds|.*_samples)$/;

/** "validation_loss": of which samples, and the metric. */
function partsOf(key) {
  const match = /^(train|validation|test)_(.+)$/.exec(key);
  return match ? { set: match[1], metric: match[2] } : { set: "", metric: key };
}

/** The metrics of all runs that are numbers, with their keys: loss and accuracy first. */
function metricsOf(runs) {
  const keysOf = new Map();
  for (const epoch of runs.flatMap((run) => run.epochs)) {
    for (const key of Object.keys(epoch).filter((one) => isNumber(epoch[one]) && !notPlotted.test(one))) {
      const { metric } = partsOf(key);
      keysOf.set(metric, (keysOf.get(metric) || new Set()).add(key));
    }
  }
  const order = ["loss", "accuracy"];
  const last = ["lr", "gradient_norm", "skipped_updates", "samples_per_second"];
  const rank = (metric) => (order.includes(metric) ? order.indexOf(metric) : last.includes(metric) ? 90 + last.indexOf(metric) : 50);
  return [...keysOf.keys()].sort((a, b) => rank(a) - rank(b)).map((metric) => ({ metric, keys: [...keysOf.get(metric)] }));
}

/** The curves of a metric; with several runs, a colour is a run. */
function curvesOf(runs, { metric, keys }) {
  const series = [];
  runs.forEach((run, number) => keys.forEach((key, place) => {
    const points = run.epochs.filter((epoch) => key in epoch).map((epoch) => [epoch.epoch, epoch[key]]);
    if (points.length === 0) {
      return;
    }
    const { set } = partsOf(key);
    const isJudged = set === "validation" || (set === "train" && !keys.some((other) => partsOf(other).set === "validation"));
    const many = runs.length > 1;
    series.push({
      name: many ? run.name + (set ? ", " + set : "") : set || "all ranks",
      color: colors[(many ? number : set === "train" ? 7 : place) % colors.length],
      dash: many && number >= colors.length ? "2 4" : set === "train" ? "6 4" : undefined,
      points,
      best: isJudged && run.summary ? run.summary.best_epoch : undefined,
    });
  }));
  return { name: metricTitle(metric), series, write: writerOf(metric), log: /loss|norm|^lr$/.test(metric) };
}

function curveSection(runs) {
  const metrics = metricsOf(runs);
  if (metrics.length === 0) {
    return element("p", {}, "No epoch has ended yet.");
  }
  const drawn = new Set(ofFirstTargets(metrics.map((one) => one.metric)));
  return element("section", {}, element("h2", {}, "By epoch"),
    drawn.size === metrics.length ? undefined : element("p", { class: "quiet" }, "Of the targets, the first " + mostTargets +
      " are shown on this page. metrics.jsonl and summary.json have all of them."),
    element("div", { class: "figures" }, ...metrics.filter((one) => drawn.has(one.metric)).map((one) => linePlot(curvesOf(runs, one)))));
}

/** Curves over updates, from the step log; with several runs, a colour is a run. */
function stepSection(runs) {
  const logged = runs.filter((run) => run.steps);
  if (logged.length === 0) {
    return undefined;
  }
  const axis = { name: "update", write: digits, whole: true };
  const color = (run) => colors[runs.indexOf(run) % colors.length];
  const has = (values) => values !== undefined && values.some((value) => isNumber(value));
  const curve = (run, values, more) => ({ name: runs.length > 1 ? visible(run.name) : "all ranks", color: color(run),
    points: run.steps.update.map((update, i) => [update, values[i]]), ...more });
  const last = logged.reduce((most, run) => run.steps.update.reduce((a, b) => Math.max(a, b), most), 0);
  const marksOf = (run) => {
    const bestEnd = run.steps.update.filter((_, i) => run.summary && run.steps.epoch[i] <= run.summary.best_epoch).pop();
    const bad = run.nonfinite.map((report) => report.update).filter((update) => isNumber(update) && update <= last);
    return [{ name: "end of the best epoch", color: "var(--ink)", places: bestEnd === undefined ? [] : [bestEnd] },
      { name: "not finite", color: "var(--wrong)", places: bad }].filter((mark) => mark.places.length > 0);
  };
  const figures = [["loss", "Loss by update"], ["gradient_norm", "Gradient norm by update"], ["learning_rate", "Learning rate by update"],
    ["samples_per_second", "Samples per second by update"], ["skipped", "Skipped updates"]].map(([key, name]) => {
    const series = logged.filter((run) => has(run.steps[key])).map((run) => curve(run, run.steps[key]));
    return series.length === 0 ? undefined : linePlot({ name, series, axis, log: key === "loss" || key === "gradient_norm" || key === "learning_rate",
      marks: key === "loss" && logged.length === 1 ? marksOf(logged[0]) : [] });
  });
  const [first] = logged;
  const names = Object.keys(first.steps.seconds || {}).filter((phase) => has(first.steps.seconds[phase]));
  if (logged.length === 1 && names.length > 0) {
    figures.push(linePlot({ name: "Seconds of an update by phase", note: "rank 0", axis, series: names.map((phase, i) =>
      curve(first, first.steps.seconds[phase], { name: phase, color: phases.includes(phase) ? phaseColors[phases.indexOf(phase)] : colors[(5 + i) % colors.length] })) }));
  }
  return element("section", {}, element("h2", {}, "By update"), element("div", { class: "figures" }, ...figures.filter(Boolean)));
}

function tiles(entries) {
  return element("dl", { class: "tiles" }, ...entries.map(([name, value]) =>
    element("div", {}, element("dt", {}, name), element("dd", {}, value))));
}

/** The figure that folds are compared by first: the accuracy, else the first one besides the loss. */
function foldTile({ folds }) {
  const names = folds ? foldFigureNames(folds) : [];
  const name = names.find((one) => one === "accuracy") || names[1] || names[0];
  return name === undefined ? [] : [[metricName(name) + " over " + digits(folds.folds) + " folds", spreadOf(folds, name)]];
}

/** What a run came to, in a few figures. */
function keyFigures(run) {
  const summary = run.summary;
  if (!summary) {
    return tiles([["state", "not finished"], ["epochs so far", digits(run.epochs.length)], ...foldTile(run)]);
  }
  const figures = summary.evaluation_of_best || {};
  const evaluation = ofFirstTargets(Object.keys(figures)).filter((key) => isNumber(figures[key]) && key !== "samples").map((key) => [key, figures[key]]);
  return tiles([
    ...evaluation.map(([key, value]) => [summary.evaluated_on + " " + metricName(key), writerOf(key)(value)]),
    ...foldTile(run),
    ["best epoch", digits(summary.best_epoch) + " of " + digits(summary.epochs_run)],
    ["training samples", digits(summary.training_samples)],
    ["network", (summary.network || []).join("-")],
    ["parameters", digits(summary.parameters)],
    ["ranks", digits(summary.ranks) + " on " + digits(summary.nodes) + (summary.nodes === 1 ? " node" : " nodes")],
    ["samples per second", digits(summary.samples_per_second)],
    ["time in all", duration(summary.total_seconds)],
  ]);
}

/** What went wrong, and what a reader may not expect. */
function warningsOf(run) {
  const summary = run.summary || {};
  const { nonfinite = {}, checkpoints = {} } = summary;
  const lines = [...run.notes, ...(summary.notes || [])];
  if (!run.summary) {
    lines.push("This run is not finished: it still runs, or was interrupted. Repeat its command to resume it.");
  }
  if (nonfinite.skipped_updates > 0) {
    lines.push(digits(nonfinite.skipped_updates) + " updates were skipped, since their numbers were not finite.");
  }
  if (nonfinite.rollbacks > 0) {
    lines.push("The run went back to a checkpoint " + digits(nonfinite.rollbacks) + " times.");
  }
  if (run.nonfinite.length > 0) {
    lines.push("Updates that were not finite (nonfinite.jsonl): " + run.nonfinite.slice(0, 5).map(inWords).join(" | ") +
      (run.nonfinite.length > 5 ? " | and " + (run.nonfinite.length - 5) + " more" : ""));
  }
  if (checkpoints.failed > 0) {
    lines.push(digits(checkpoints.failed) + " checkpoints could not be written.");
  }
  if (summary.stopped_early) {
    lines.push("The run stopped early: --early-stop epochs brought nothing better.");
  }
  if (checkpoints.resumed_from) {
    lines.push("The run was resumed from " + checkpoints.resumed_from + ".");
  }
  return lines;
}

function warningBox(run) {
  const lines = warningsOf(run);
  return lines.length === 0 ? undefined : element("div", { class: "warnings", role: "note", "aria-label": "Warnings and notes" },
    element("ul", {}, ...lines.map((line) => element("li", {}, visible(line)))));
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)];
const workOf = (one) => (one.load || 0) + (one.compute || 0) + (one.update || 0);

/** What a rank waited for others in the exchange: all that the quickest rank there did not need. */
const waitOf = (seconds, one) => (one.exchange || 0) - Math.min(...seconds.map((other) => other.exchange || 0));

function describeRanks(seconds, hosts = []) {
  if (seconds.length < 2) {
    return "";
  }
  const work = seconds.map(workOf);
  const middle = median(work);
  const slowest = work.reduce((most, time, rank) => (time > work[most] ? rank : most), 0);
  if (work[slowest] <= 1.1 * middle) {
    return "No rank is a straggler: none worked more than a tenth longer than the median, " + duration(middle) + ", waiting for others taken out.";
  }
  const excess = (phase) => (seconds[slowest][phase] || 0) - median(seconds.map((one) => one[phase] || 0));
  const mostly = ["load", "compute", "update"].reduce((most, phase) => (excess(phase) > excess(most) ? phase : most), "load");
  const longest = Math.max(...seconds.map((one, rank) => (rank === slowest ? 0 : waitOf(seconds, one))));
  return "Rank " + slowest + (hosts[slowest] ? " on host " + visible(hosts[slowest]) : "") + " is the straggler: it worked " + duration(work[slowest]) +
    ", waiting for others taken out, " + (100 * (work[slowest] / middle - 1)).toFixed(0) + " % above the median; most of it in the phase " + mostly +
    ". Other ranks waited for it up to " + duration(longest) + " in the exchange.";
}

/** Of many ranks those with the largest values, in the order of ranks. */
function largestRanks(values) {
  const most = 64;
  return values.map((value, rank) => ({ value, rank })).sort((a, b) => b.value - a.value).slice(0, most).sort((a, b) => a.rank - b.rank).map((one) => one.rank);
}

/** Seconds of each phase on each rank, as bars; of many ranks those that took longest. */
function rankTimes(seconds, hosts) {
  const shown = phases.flatMap((phase) => (phase === "exchange" && seconds.length > 1 ? [phase, "waiting for others"] : [phase]));
  const parts = (one) => shown.map((phase) => (phase === "waiting for others" ? waitOf(seconds, one)
    : phase === "exchange" && seconds.length > 1 ? (one.exchange || 0) - waitOf(seconds, one) : one[phase] || 0));
  const kinds = shown.map((name) => ({ name, color: name === "waiting for others" ? "var(--line)" : phaseColors[phases.indexOf(name)] }));
  const ranks = largestRanks(seconds.map((one) => phases.reduce((sum, phase) => sum + (one[phase] || 0), 0)));
  const write = (value) => (isNumber(value) ? value.toPrecision(3) : "–");
  return rowBars({
    name: "Seconds by phase and rank",
    rows: ranks.map((rank) => ({ label: "rank " + rank, parts: parts(seconds[rank]) })),
    kinds,
    write: (value) => digits(Number((value || 0).toPrecision(4))) + " s",
    text: describeRanks(seconds, hosts),
    table: () => makeTable("Seconds by phase and rank", [{ name: "Rank", number: true }, ...(hosts.length > 0 ? [{ name: "Host", write: visible }] : []),
      ...shown.map((name) => ({ name, number: true, write }))], seconds.map((one, rank) => [rank, ...(hosts.length > 0 ? [hosts[rank]] : []), ...parts(one)]), true),
  });
}

/** The most memory that each rank has used, against what was planned. */
function rankMemory(summary, hosts) {
  const peaks = summary.peak_memory_by_rank;
  const plan = summary.planned_memory || {};
  const whole = Array.isArray(plan.peak_by_rank);  // an older run has what was planned besides the program, MPI and the data
  const planned = whole ? plan.peak_by_rank.reduce((most, value) => Math.max(most, value), 0) : plan.rank;
  const most = peaks.reduce((largest, value, rank) => (value > peaks[largest] ? rank : largest), 0);
  return rowBars({
    name: "Peak memory by rank",
    note: !isNumber(planned) ? undefined : whole ? "planned at most " + bytes(planned) + " (line), the program, MPI and " + bytes(plan.node) + " of data included"
      : "planned " + bytes(planned) + " a rank (line) besides the program and MPI, and " + bytes(plan.node) + " of data once a node",
    rows: largestRanks(peaks).map((rank) => ({ label: "rank " + rank, parts: [peaks[rank]] })),
    kinds: [{ name: "", color: colors[4] }],
    write: bytes,
    limit: planned,
    text: "Most: rank " + most + ", " + bytes(peaks[most]) + ". Memory that ranks share counts in each of them.",
    table: () => makeTable("Peak memory by rank", [{ name: "Rank", number: true }, ...(hosts.length > 0 ? [{ name: "Host", write: visible }] : []),
      { name: "Peak", number: true, write: bytes }], peaks.map((peak, rank) => [rank, ...(hosts.length > 0 ? [hosts[rank]] : []), peak]), true),
  });
}

function timeSection(run) {
  const { seconds_by_rank: seconds = [], host_by_rank: hosts = [], peak_memory_by_rank: peaks = [] } = run.summary || {};
  return seconds.length === 0 ? undefined : element("section", {}, element("h2", {}, "Time and memory"),
    element("p", { class: "quiet" }, describeRanks(seconds, hosts)), element("div", { class: "figures" }, rankTimes(seconds, hosts),
      ...(peaks.length > 0 ? [rankMemory(run.summary, hosts)] : [])));
}

/** A column of the training table, as a row. */
function columnRow(column) {
  const values = column.categories ? digits(column.category_count) + ": " + column.categories.map(visible).join(", ") +
    (column.categories.length < column.category_count ? ", …" : "") : column.kind === "number" ? digits(column.least || 0) + " to " + digits(column.largest || 0) : "";
  return [column.name, column.kind, values, column.missing || 0, column.remark || ""];
}

function dataSection(run) {
  const table = (run.summary || run.started || {}).table;
  return table === undefined ? undefined : element("section", {}, element("h2", {}, "Data"),
    element("p", { class: "quiet" }, "How the columns of the training table were understood."),
    makeTable("Columns of the training table", [{ name: "Column", write: visible }, { name: "Kind" }, { name: "Values" },
      { name: "Missing", number: true, write: digits }, { name: "Remark" }], table.columns.map(columnRow), true));
}

function setupSection(run) {
  const { configuration, environment } = run.summary || run.started || {};
  const boxes = [];
  const add = (name, entries) => {
    if (entries.length > 0) {
      boxes.push(element("div", {}, element("h3", {}, name), pairs(name, entries)));
    }
  };
  const { chosen, ...options } = configuration || {};
  add("Configuration", Object.entries(options));
  add("Chosen from the data", Object.entries(chosen || {}));
  add("Environment", Object.entries(environment || {}));
  const { checkpoints = {}, exchange } = run.summary || {};
  add("Exchange", Object.entries(exchange || {}));
  add("Checkpoints", [...Object.entries(checkpoints).filter(([, value]) => value !== "").map(([key, value]) =>
    [title(key), key === "bytes" ? bytes(value) : digits(value) === "–" ? value : digits(value)]),
  ...run.checkpoints.map((file) => [file.name, bytes(file.bytes)])]);
  const hashes = ["sha256_best", "sha256_last"].filter((key) => (run.summary || {})[key]);
  add("Parameters", hashes.map((key) => [key.replace("sha256_", "SHA-256, ") + " epoch", run.summary[key]]));
  return boxes.length === 0 ? undefined
    : element("section", {}, element("h2", {}, "Set-up"), element("div", { class: "columns" }, ...boxes));
}

/** A nested object as {"a.b": value}. */
function flat(object, prefix = "") {
  return Object.entries(object || {}).reduce((all, [key, value]) => (value !== null && typeof value === "object" && !Array.isArray(value)
    ? { ...all, ...flat(value, prefix + key + ".") } : { ...all, [prefix + key]: value }), {});
}

/** A row for each name of which the runs have different values. */
function differences(objects) {
  const names = [...new Set(objects.flatMap((object) => Object.keys(object)))];
  return names.filter((name) => new Set(objects.map((object) => JSON.stringify(object[name]))).size > 1)
    .map((name) => [name, ...objects.map((object) => object[name])]);
}

function comparisonSection(runs) {
  const heads = (first) => [{ name: first }, ...runs.map((run) => ({ name: visible(run.name) }))];
  const result = (run) => {
    const { evaluated_on, evaluation_of_best, best_epoch, epochs_run, samples_per_second, total_seconds, ranks, sha256_best } = run.summary || {};
    const { samples, ...evaluation } = evaluation_of_best || {};
    return { "evaluated on": evaluated_on, ...Object.fromEntries(ofFirstTargets(Object.keys(evaluation)).map((key) => [metricTitle(key), writerOf(key)(evaluation[key])])),
      samples: digits(samples), ...Object.fromEntries((run.folds ? foldFigureNames(run.folds).slice(0, 8) : []).map((name) =>
        [metricName(name) + " over the folds", spreadOf(run.folds, name)])), "best epoch": best_epoch, "epochs run": epochs_run, ranks, "samples per second": digits(samples_per_second),
      "time in all": duration(total_seconds), "SHA-256, best epoch": sha256_best };
  };
  const results = runs.map(result);
  const rows = Object.keys(Object.assign({}, ...results)).map((name) => [name, ...results.map((one) => one[name])]);
  const of = (part) => differences(runs.map((run) => flat((run.summary || run.started || {})[part])));
  const parts = [element("h2", {}, "Comparison"), element("h3", {}, "Results"), makeTable("Results", heads("Result"), rows)];
  for (const [part, name] of [["configuration", "Configuration"], ["environment", "Environment"]]) {
    const found = of(part);
    parts.push(element("h3", {}, name), found.length === 0 ? element("p", { class: "quiet" }, "The same in all runs.")
      : makeTable(name + " that differs", heads("Name"), found));
  }
  return element("section", {}, ...parts);
}

/** All that is told of one run, besides its curves. */
function runSections(run) {
  return [foldSection(run), run.classes ? classSection(run) : undefined, predictionSection(run), importanceSection(run), timeSection(run), dataSection(run), setupSection(run)];
}

/** Chooses one of several runs. */
function runChooser(runs, place) {
  const select = element("select", { id: "run" }, ...runs.map((run, i) => element("option", { value: i }, visible(run.name))));
  const show = () => {
    const run = runs[Number(select.value)];
    place.replaceChildren(...[keyFigures(run), warningBox(run), ...runSections(run)].filter(Boolean));
    drawAll();
  };
  select.addEventListener("change", show);
  return { select, show };
}

function render({ program, runs }) {
  const main = document.getElementById("report");
  if (runs.length === 0) {
    main.replaceChildren();
    return;
  }
  const names = runs.map((run) => visible(run.name));
  document.title = names.join(", ") + " – dnn_train report";
  const head = element("h1", {}, runs.length === 1 ? "Run " + names[0] : "Comparison of " + runs.length + " runs");
  const line = element("p", { class: "quiet" }, runs.length === 1 ? "trained by " + inWords(((runs[0].summary || runs[0].started) || {}).program || program)
    : names.join(", "));
  if (runs.length === 1) {
    const [run] = runs;
    main.replaceChildren(...[head, line, keyFigures(run), warningBox(run), curveSection(runs), stepSection(runs), ...runSections(run)].filter(Boolean));
  } else {
    const place = element("div");
    const { select, show } = runChooser(runs, place);
    main.replaceChildren(...[head, line, comparisonSection(runs), curveSection(runs), stepSection(runs), element("section", {}, element("h2", {}, "One run"),
      element("p", {}, element("label", { for: "run" }, "Run: "), select), place)].filter(Boolean));
    show();
  }
  drawAll();
}

render(JSON.parse(document.getElementById("report-data").textContent));
