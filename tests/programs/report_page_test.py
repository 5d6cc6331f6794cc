"""Opens reports of real runs in headless Chromium and checks what a person would see. Exits 77 where there is none.

    report_page_test.py --bin FOLDER [--screenshots FOLDER]

The data have class, column and category names that try to be HTML, scripts or terminal escapes.
"""

import argparse
import csv
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from support.browser import Browser  # noqa: E402

HOSTILE = ["<script>document.title='hit'</script>", "</script><img src=x onerror=\"document.title='hit'\">",
           "\"quotes\" and 'quotes' & &lt;", "line\u2028separator", "\x1b[31mred", "plain", "javascript:alert(1)",
           "\u202eright to left"]
SHARES = ["<i>p</i>", "q", "r"]  # columns that add up to 1
EPOCHS = 7
PROBLEMS = ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded", "Page.javascriptDialogOpening")
# Names of figures, with the curves and the marks of the best epoch in each.
CURVED = {"Loss": (2, 1), "Accuracy": (2, 1), "Balanced accuracy": (1, 1), "F1, mean over classes": (1, 1), "Calibration error": (1, 1),
          "Learning rate": (1, 0), "Samples per second": (1, 0)}
STEPS = 40  # lines of steps.jsonl
# Curves by update, with the lines in each.
STEPPED = {"Loss by update": 1, "Gradient norm by update": 1, "Learning rate by update": 1, "Samples per second by update": 1,
           "Seconds of an update by phase": 2}
MOST_CURVES = 6  # that are shown at a time
GRID = 51  # places at which curves of rates are read out
DRAWN = ["Confusion matrix", "ROC curve", "Precision and recall", "Calibration", "Probability of the predicted class",
         "Growth of the loss without a column", "Seconds by phase and rank", "Peak memory by rank"]

CURVES = """[...document.querySelectorAll("figure[data-plot]")].map((figure) => [figure.dataset.plot,
    [...figure.querySelectorAll("path.curve[data-series]")].map((path) => (path.getAttribute("d").match(/[ML]/g) || []).length),
    figure.querySelectorAll("circle.best").length])"""
CLASS_TABLE = """[...document.querySelectorAll("[aria-label='Figures of each class'] tbody tr")].map((row) =>
    [...row.children].map((cell) => cell.textContent))"""
HEAD = """[...document.querySelectorAll("[aria-label='Figures of each class'] th[aria-sort]")].find((head) =>
    head.textContent.startsWith("%s"))"""


class Checks:
    def __init__(self):
        self.failed = []

    def equal(self, found, expected, what):
        if found != expected:
            self.failed.append(f"{what}: {found!r} instead of {expected!r}")

    def true(self, found, what):
        self.equal(bool(found), True, what)


def write_table(path):
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["<i>x</i>", "y\"'", "kind", "label"])
        for i in range(640):
            own = i % len(HOSTILE)
            # One sample in seven looks like the next class.
            seen = (own + 1) % len(HOSTILE) if i % 7 == 0 else own
            table.writerow([seen % 4 + i % 5 / 50, seen // 4 - i % 3 / 50, HOSTILE[i % 3], HOSTILE[own]])


def write_targets(path):
    """A table of numbers with targets that follow from them: a number, two that are yes or no, shares of a whole."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["x", "noise", "<u>price</u>", "large", "odd", *SHARES])
        for i in range(500):
            x, noise = i * 37 % 101, i * 53 % 17
            first = x / 100
            table.writerow([x, noise, 3 * x + noise / 5 + i % 7 / 10, int(x > 50), int(noise % 2 == 1), first, (1 - first) / 4, (1 - first) * 3 / 4])


def table_of(browser, name):
    """The cells of a table, by rows: its body's, then those below it."""
    return browser.evaluate(f"""[...document.querySelectorAll("[aria-label='{name}'] table")].map((table) =>
        [...table.tBodies[0].rows, ...(table.tFoot ? table.tFoot.rows : [])].map((row) => [...row.children].map((cell) => cell.textContent)))[0]""")


def number_in(text):
    """A number as the page writes it: 1,234 or 12.34 %."""
    return float(text.replace(",", "").removesuffix(" %")) / (100 if text.endswith("%") else 1)


def near(found, expected, part=1e-3):
    return abs(found - expected) <= part * abs(expected) + 1e-4


def train(programs, data, run, *options):
    """A run with a step log of its own, and its report."""
    subprocess.run([programs / "dnn_train", "--quiet", "--data", data, "--epochs", str(EPOCHS), "--validation", "0.3",
                    "--output", run, *options], check=True)
    with open(run / "steps.jsonl", "w", encoding="utf-8") as file:
        for i in range(STEPS):
            file.write(json.dumps({"update": 5 * i + 1, "epoch": i // 6 + 1, "loss": 2 / (i + 1), "gradient_norm": 1 + i % 3,
                                   "learning_rate": 0.001, "samples_per_second": 1e5 + i,
                                   "seconds": {"load": 1e-4, "compute": 2e-3}}) + "\n")
    subprocess.run([programs / "dnn_model", "report", run], check=True, stdout=subprocess.DEVNULL)
    return run


def open_quietly(checks, browser, page, width, scheme="light"):
    """Opens a page; nothing but the page itself may be asked for, and nothing complained about."""
    browser.open(page.as_uri(), width, scheme)
    events = browser.events
    checks.equal(browser.take_events(*PROBLEMS), [], f"{page.name} at {width}: console")
    requests = [event["params"]["request"]["url"] for event in events if event.get("method") == "Network.requestWillBeSent"]
    checks.equal(requests, [page.as_uri()], f"{page.name} at {width}: requests")
    checks.true(browser.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{page.name} fits into {width}")


def check_names(checks, browser):
    """Hostile names are text, and are all there."""
    checks.equal(browser.evaluate("document.querySelectorAll('main script, main img, main i, main b, main a').length"), 0,
                 "elements made of names")
    checks.true("hit" not in browser.evaluate("document.title"), "no name was run as a script")
    visible = [name.replace("\x1b", "\\u001b").replace("\u2028", "\\u2028").replace("\u202e", "\\u202e") for name in HOSTILE]
    checks.equal(sorted(row[0] for row in browser.evaluate(CLASS_TABLE)), sorted(visible), "names of classes")
    columns = browser.evaluate("""[...document.querySelectorAll("[aria-label='Columns of the training table'] tbody th")].map(
        (cell) => cell.textContent)""")
    checks.equal(columns, ["<i>x</i>", "y\"'", "kind", "label"], "names of columns")
    labels = browser.evaluate("""[...document.querySelectorAll("figure[data-plot='Confusion matrix'] text[transform]")].map(
        (text) => text.textContent)""")
    checks.equal(len(labels), len(HOSTILE), "columns of the matrix")
    checks.true(any(label.startswith("<script>") for label in labels), "a name in the matrix")


def check_sorting(checks, browser):
    for column, place in (("Recall", 5), ("Support", 1), ("Class", 0)):
        seen = []
        for _ in range(2):
            browser.evaluate(HEAD % column + ".querySelector('button').click()")
            cells = [row[place] for row in browser.evaluate(CLASS_TABLE)]
            values = [float(cell.split()[0].replace(",", "")) for cell in cells] if place else cells
            direction = browser.evaluate(HEAD % column + ".getAttribute('aria-sort')")
            seen.append(direction)
            if place:
                checks.equal(values, sorted(values, reverse=direction == "descending"), f"{column} {direction}")
            elif len(seen) == 2:
                checks.equal(cells, before[::-1], "classes the other way round")
            before = cells
        checks.equal(sorted(seen), ["ascending", "descending"], f"directions of {column}")


def check_numbers(checks, browser, run):
    """What the page says is what the files say."""
    with open(run / "confusion.csv", newline="", encoding="utf-8") as file:
        matrix = list(csv.reader(file))
    support = {row[0]: sum(map(int, row[1:])) for row in matrix[1:]}
    shown = {row[0]: int(row[1]) for row in browser.evaluate(CLASS_TABLE)}
    checks.equal(shown["plain"], support["plain"], "support of a class")
    counts = browser.evaluate("[...document.querySelectorAll('svg text.count')].map((text) => Number(text.textContent))")
    checks.equal(sorted(counts), sorted(int(cell) for row in matrix[1:] for cell in row[1:] if cell != "0"), "counts in the matrix")
    summary = json.loads((run / "summary.json").read_text())
    tiles = browser.evaluate("document.querySelector('.tiles').textContent")
    checks.true(f"{100 * summary['evaluation_of_best']['accuracy']:.2f} %" in tiles, "the accuracy")


def check_figures(checks, browser, width, evaluation):
    curves = browser.evaluate(CURVES)
    checks.equal([name for name, *_ in curves], [*CURVED, *STEPPED, *DRAWN], f"figures at {width}")
    for (name, points, best), (lines, marks) in zip(curves, CURVED.values()):
        checks.equal(points, [EPOCHS] * lines, f"points of {name} at {width}")
        checks.equal(best, marks, f"best epochs marked in {name}")
    found = {name: points for name, points, _ in curves}
    for name, lines in STEPPED.items():
        checks.equal(found[name], [STEPS] * lines, f"points of {name} at {width}")
    lowest = sorted(evaluation["curves"], key=lambda curve: curve["auc"])[:MOST_CURVES]
    checks.equal(found["ROC curve"], [len(curve["points"]) for curve in lowest] + [GRID], f"points of the ROC curves at {width}")
    checks.equal(len(found["Precision and recall"]), len(lowest), f"curves of precision at {width}")
    bins = [one for one in evaluation["calibration"]["bins"] if one[0] > 0]
    checks.equal(found["Calibration"], [len(bins)], f"points of the calibration at {width}")
    for name, bars in (("Growth of the loss without a column", 3), ("Peak memory by rank", 1),
                       ("Probability of the predicted class", sum(count > 0 for kind in evaluation["scores"].values() for count in kind))):
        checks.equal(browser.evaluate(f"document.querySelectorAll(\"figure[data-plot='{name}'] rect.bar\").length"), bars, f"bars of {name}")
    alternatives = browser.evaluate("[...document.querySelectorAll('figure .plot svg')].map((svg) => svg.getAttribute('aria-label'))")
    checks.true(all(text and len(text) > 20 for text in alternatives), "each figure has a text alternative")
    tables = browser.evaluate("""(async () => {
        document.querySelectorAll("figure details").forEach((details) => { details.open = true; });
        await new Promise((done) => setTimeout(done, 300));
        return [...document.querySelectorAll("figure details tbody")].map((body) => body.rows.length); })()""")
    expected = [EPOCHS] * len(CURVED) + [STEPS] * len(STEPPED) + [len(HOSTILE), GRID, GRID, len(bins), 50, 3, 1, 1]
    checks.equal(tables, expected, f"rows of the figures' tables at {width}")


def check_keys(checks, browser):
    browser.evaluate("document.querySelector(\"figure[data-plot='Loss'] svg[tabindex]\").focus()")
    for key, text in (("Home", "epoch 1:"), ("ArrowRight", "epoch 2:"), ("End", f"epoch {EPOCHS}:")):
        browser.press(key)
        readout = browser.evaluate("document.querySelector(\"figure[data-plot='Loss'] .readout\").textContent")
        checks.true(readout.startswith(text) and "train" in readout and "validation" in readout, f"{key} reads {readout!r}")
    # From a column's name to the next one by Tab; Enter sorts.
    browser.evaluate(HEAD % "Class" + ".querySelector('button').focus()")
    browser.press("Tab")
    browser.press("Enter")
    checks.equal(browser.evaluate(HEAD % "Support" + ".getAttribute('aria-sort')"), "descending", "sorted by Tab and Enter")
    browser.evaluate("document.querySelector(\"figure[data-plot='Calibration'] svg[tabindex]\").focus()")
    browser.press("End")
    checks.true("mean probability" in browser.evaluate("document.querySelector(\"figure[data-plot='Calibration'] .readout\").textContent"),
                "the calibration is read out")
    browser.evaluate("document.querySelector(\"figure[data-plot='Loss'] button.toggle\").click()")
    checks.equal(browser.evaluate(CURVES)[0][1], [EPOCHS] * 2, "points on a logarithmic scale")


def check_comparison(checks, browser, runs):
    curves = browser.evaluate(CURVES)
    checks.equal(curves[0][1], [EPOCHS] * 4, "points of the loss of two runs")
    checks.equal(curves[0][2], 2, "best epochs of two runs")
    configuration = browser.evaluate("""[...document.querySelectorAll("[aria-label='Configuration that differs'] tbody tr")].map(
        (row) => [...row.children].map((cell) => cell.textContent))""")
    checks.true(["hidden", "16", "8, 4"] in configuration, f"hidden in {configuration}")
    checks.true(["output", *map(str, runs)] in configuration, f"output in {configuration}")
    checks.true(all(row[1] != row[2] for row in configuration), "only what differs")
    browser.evaluate("(() => { const run = document.getElementById('run'); run.value = '1'; run.dispatchEvent(new Event('change')); })()")
    checks.true("-8-4-" in browser.evaluate("document.querySelector('.tiles').textContent"), "the run that was chosen")
    check_names(checks, browser)


def check_worst(checks, browser, evaluation):
    rows = browser.evaluate("""[...document.querySelectorAll("[aria-label='Most wrong samples'] tbody tr")].map(
        (row) => [...row.children].map((cell) => cell.textContent))""")
    checks.equal([int(row[0].replace(",", "")) for row in rows], [one["sample"] for one in evaluation["worst"]], "the most wrong samples")
    checks.true(all(row[1] != row[2] for row in rows), "wrong ones only")


def check_choice(checks, browser, evaluation):
    """The curves of one class, by its name."""
    browser.evaluate("(() => { const one = document.getElementById('curve'); one.value = '2'; one.dispatchEvent(new Event('change')); })()")
    found = {name: points for name, points, _ in browser.evaluate(CURVES)}
    checks.equal(found["ROC curve"], [len(evaluation["curves"][2]["points"]), GRID], "the curve that was chosen")


def check_folds(checks, browser, run):
    """Each fold's figures, then mean and deviation, as summary.json has them; dots for each fold in the figures."""
    folds = json.loads((run / "summary.json").read_text())["cross_validation"]
    names = list(folds["mean"])
    rows = table_of(browser, "Figures of each fold")
    expected = [[i + 1, fold["samples"], fold["epochs"], *[fold[name] for name in names]] for i, fold in enumerate(folds["by_fold"])]
    checks.equal(len(rows), len(expected) + 2, "rows of the folds")
    for row, numbers in zip(rows, expected):
        checks.true(all(near(number_in(cell), number) for cell, number in zip(row, numbers)), f"figures of a fold: {row}, {numbers}")
    for row, kind in zip(rows[-2:], ("mean", "deviation")):
        checks.equal(row[:3], [kind, "–", "–"], f"the row of the {kind}")
        checks.true(all(near(number_in(cell), folds[kind][name]) for cell, name in zip(row[3:], names)), f"{kind}: {row}, {folds[kind]}")
    for name in ("Loss by fold", "R² by fold"):
        dots = browser.evaluate(f"document.querySelectorAll(\"figure[data-plot='{name}'] circle.dot\").length")
        checks.equal(dots, len(expected), f"dots of {name}")
    # The last rows stay where they are when the others are sorted.
    browser.evaluate("""[...document.querySelectorAll("[aria-label='Figures of each fold'] th button")].find((head) => head.textContent === "Fold").click()""")
    checks.equal([row[0] for row in table_of(browser, "Figures of each fold")], ["3", "2", "1", "mean", "deviation"], "folds the other way round")
    checks.true("R² over 3 folds" in browser.evaluate("document.querySelector('.tiles').textContent"), "a tile of the folds")


def check_shares(checks, browser, evaluation):
    rows = {row[0]: row[1:] for row in table_of(browser, "Figures of each output")}
    checks.equal(sorted(rows), sorted(SHARES), "outputs")
    for output in evaluation["outputs"]:
        expected = [output[key] for key in ("true", "predicted", "error", "cross_entropy", "divergence")]
        checks.true(all(near(number_in(cell), number, 6e-3) for cell, number in zip(rows[output["name"]], expected)), f"{rows[output['name']]}, {expected}")
    worst = table_of(browser, "Most wrong samples")
    checks.equal([int(row[0].replace(",", "")) for row in worst], [one["sample"] for one in evaluation["worst"]], "samples with the largest divergence")
    told = browser.evaluate("[...document.querySelectorAll('main p')].map((one) => one.textContent).find((text) => text.includes('Kullback'))")
    checks.true(f"{100 * evaluation['distribution']['misplaced']:.2f} %" in told, f"what is misplaced: {told}")
    points = browser.evaluate("[...document.querySelectorAll('path.points')].map((path) => path.getAttribute('d').match(/M/g).length)")
    checks.equal(points, [150] * len(SHARES), "points of predicted against true shares")


def check_labels(checks, browser, evaluation):
    rows = {row[0]: row[1:] for row in table_of(browser, "Figures of each label")}
    for label in evaluation["labels"]:
        row = rows[label["name"]]
        checks.equal([int(cell) for cell in row[:3]], [label[key] for key in ("positives", "given", "right")], f"counts of {label['name']}")
        checks.true(near(number_in(row[4]), label["right"] / label["positives"]), f"recall of {label['name']}")
    checks.equal(len(rows), 2, "labels")


def check_tasks(checks, browser, programs, folder, screenshots):
    """Reports of numbers, with folds, of labels and of shares."""
    write_targets(folder / "targets.csv")
    shares = ",".join(SHARES)
    numbers = train(programs, folder / "targets.csv", folder / "numbers", "--task", "numbers", "--label-column", "<u>price</u>",
                    "--columns", "ignore:large,odd," + shares, "--folds", "3")
    labels = train(programs, folder / "targets.csv", folder / "labels", "--task", "labels", "--label-column", "large,odd",
                   "--columns", "ignore:<u>price</u>," + shares)
    distribution = train(programs, folder / "targets.csv", folder / "distribution", "--task", "distribution", "--label-column", shares,
                         "--columns", "ignore:<u>price</u>,large,odd")
    for run in (numbers, labels, distribution):
        evaluation = json.loads((run / "evaluation.json").read_text())
        for width, scheme in ((375, "light"), (1440, "dark"), (1440, "light")):
            open_quietly(checks, browser, run / "report.html", width, scheme)
            if screenshots:
                browser.screenshot(screenshots / f"{run.name}{width}{scheme}.png", width)
        checks.equal(browser.evaluate("document.querySelectorAll('main u, main i').length"), 0, f"elements made of names in {run.name}")
        names = [name for name, *_ in browser.evaluate(CURVES)]
        if run == numbers:
            checks.true({"Predicted against true", "Residuals"} <= set(names), f"figures of numbers: {names}")
            points = browser.evaluate("document.querySelector('path.points').getAttribute('d').match(/M/g).length")
            checks.equal(points, 150, "points of predicted against true")
            residuals = evaluation["numbers"][0]["residuals"]
            bars = browser.evaluate("document.querySelectorAll(\"figure[data-plot='Residuals'] rect.bar\").length")
            checks.equal(bars, sum(count > 0 for count in residuals["counts"]), "bars of the residuals")
            check_folds(checks, browser, run)
        elif run == distribution:
            checks.true({"Mean absolute error of the shares", "Predicted against true: q", "Residuals: q"} <= set(names), f"figures of shares: {names}")
            check_shares(checks, browser, evaluation)
        else:
            check_labels(checks, browser, evaluation)
            checks.true({"ROC curve", "Precision and recall", "Calibration", "Probabilities of labels"} <= set(names), f"figures of labels: {names}")
            checks.equal(len(evaluation["curves"]), 2, "curves of labels")
        importance = {column["name"]: column["loss"] for column in evaluation["importance"]["columns"]}
        checks.equal(sorted(importance), ["noise", "x"], "columns that have an importance")
        if run == numbers:
            checks.true(importance["x"] > 10 * abs(importance["noise"]), f"x counts more than noise: {importance}")
        checks.equal(browser.take_events(*PROBLEMS), [], f"console of {run.name}")


def check_many_targets(checks, browser, programs, folder):
    """Of 3,000 targets the page shows the first ones, soon; a page of many runs with long step logs opens."""
    run = folder / "targets"
    run.mkdir()
    figures = {f"{figure}(y{i})": 0.5 for i in range(3000) for figure in ("r2", "rmse", "mae")}
    (run / "metrics.jsonl").write_text("".join(json.dumps({"epoch": epoch, "train_loss": 1, **{"validation_" + name: value for name, value in figures.items()}})
                                               + "\n" for epoch in (1, 2)))
    (run / "summary.json").write_text(json.dumps({"best_epoch": 1, "evaluated_on": "test", "evaluation_of_best": {"r2": 0.5, **figures}}))
    subprocess.run([programs / "dnn_model", "report", run], check=True, stdout=subprocess.DEVNULL)
    open_quietly(checks, browser, run / "report.html", 1440)
    plots = [name for name, *_ in browser.evaluate(CURVES)]
    checks.equal(plots, ["Loss", *[f"{figure}(y{i})" for i in range(6) for figure in ("R²", "RMSE", "MAE")]], "figures of many targets")
    checks.true("first 6 are shown" in browser.evaluate("document.querySelector('main').textContent"), "what is left out is told")
    runs = []
    for number in range(70):
        runs.append(folder / f"sweep {number}")
        runs[-1].mkdir()
        (runs[-1] / "metrics.jsonl").write_text(json.dumps({"epoch": 1, "train_loss": number}) + "\n")
        (runs[-1] / "steps.jsonl").write_text("".join(json.dumps({"update": i + 1, "epoch": 1, "loss": 1}) + "\n" for i in range(2000)))
    subprocess.run([programs / "dnn_model", "report", *runs, "--output", folder / "sweep.html"], check=True, stdout=subprocess.DEVNULL)
    open_quietly(checks, browser, folder / "sweep.html", 1440)
    found = {name: points for name, points, _ in browser.evaluate(CURVES)}
    checks.equal((len(found.get("Loss by update", [])), len(found.get("Loss", []))), (70, 70), "curves of 70 runs")


def check_size(checks, browser, programs, folder):
    """A report of 100 epochs, 100 classes and a long step log is made quickly and stays small."""
    run = folder / "large"
    run.mkdir()
    names = [f"class {i} with a name of some length" for i in range(100)]
    # Rank 2 computes 4 s longer, and the others wait for it.
    seconds = [{"load": 0.25, "compute": 14 if rank == 2 else 10, "exchange": 1 if rank == 2 else 5, "update": 1, "evaluation": 0.5}
               for rank in range(4)]
    (run / "summary.json").write_text(json.dumps({
        "best_epoch": 90, "evaluated_on": "test", "evaluation_of_best": {"loss": 0.5, "accuracy": 0.9}, "seconds_by_rank": seconds,
        "host_by_rank": ["n0", "n0", "n<1>", "n<1>"], "peak_memory_by_rank": [100 << 20, 90 << 20, 80 << 20, 70 << 20],
        "planned_memory": {"rank": 95 << 20, "root": 0, "node": 1 << 20}}))
    (run / "metrics.jsonl").write_text("".join(json.dumps({"epoch": i + 1, "train_loss": 1 / (i + 1), "validation_loss": 1 / (i + 2), "lr": 1e-3,
                                                           "samples_per_second": 1e5}) + "\n" for i in range(100)))
    with open(run / "confusion.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["true\\predicted", *names])
        for i, name in enumerate(names):
            table.writerow([name, *[900 if i == j else (i * j) % 3 for j in range(100)]])
    curves = [{"name": name, "positives": 1000, "negatives": 99000, "auc": 0.9, "average_precision": 0.8,
               "points": [[k * 1000 // 150, k * 99000 // 150] for k in range(151)]} for name in names]
    worst = [{"sample": i + 1, "true": names[i], "predicted": names[i + 1], "true_probability": 1e-5, "predicted_probability": 0.9} for i in range(50)]
    (run / "evaluation.json").write_text(json.dumps({"set": "test", "samples": 100000, "score_bins": 1000, "curves": curves, "macro_auc": 0.9,
        "calibration": {"error": 0.01, "bins": [[10, 5, 0.5]] * 15}, "scores": {"right": [10] * 50, "wrong": [1] * 50}, "worst": worst,
        "importance": {"left_out": "The samples are stored sparse."}}))
    (run / "steps.jsonl").write_text("".join(json.dumps({"update": i + 1, "epoch": 1, "loss": 1.23456789, "gradient_norm": 2.3456789,
        "learning_rate": 1e-3, "samples_per_second": 123456.789, "seconds": {"load": 1e-3, "compute": 1e-2, "exchange": 1e-3}}) + "\n" for i in range(20000)))
    start = time.monotonic()
    subprocess.run([programs / "dnn_model", "report", run], check=True, stdout=subprocess.DEVNULL)
    took = time.monotonic() - start
    size = (run / "report.html").stat().st_size
    start = time.monotonic()
    open_quietly(checks, browser, run / "report.html", 1440)
    opened = time.monotonic() - start
    print(f"100 epochs, 100 classes, 20,000 lines of steps: written in {took:.2f} s, {size / 1e6:.2f} MB, opened in {opened:.2f} s")
    checks.true(took < 2, f"written within 2 s: {took:.2f}")
    checks.true(size < 2e6, f"at most 2 MB: {size}")
    found = {name: points for name, points, _ in browser.evaluate(CURVES)}
    told = browser.evaluate("[...document.querySelectorAll('main p')].map((one) => one.textContent).filter((text) => text.includes('straggler'))")
    checks.equal(told, ["Rank 2 on host n<1> is the straggler: it worked 15.3 s, waiting for others taken out, 36 % above the median; "
                        "most of it in the phase compute. Other ranks waited for it up to 4 s in the exchange."], "the straggler")
    waited = browser.evaluate("""(async () => {
        document.querySelector("figure[data-plot='Seconds by phase and rank'] details").open = true;
        await new Promise((done) => setTimeout(done, 300));
        const rows = [...document.querySelectorAll("figure[data-plot='Seconds by phase and rank'] tr")];
        const column = [...rows[0].children].findIndex((head) => head.textContent.startsWith("waiting for others"));
        return rows.slice(1).map((row) => Number(row.children[column].textContent)); })()""")
    checks.equal(waited, [4, 4, 0, 4], "seconds of waiting")
    checks.equal(found["Loss by update"], [2001], "points of a long step log: every 10th line, and the last one")


def check_odd_figures(checks, browser, programs, folder):
    """Figures below 0, figures that are equal in all folds but for rounding, and one that some fold lacks."""
    run = folder / "odd"
    run.mkdir()
    by_fold = [{"samples": 9, "epochs": 3, "loss": 0.1 + i, "top5_accuracy": 1, "auc": None if i == 4 else 0.5} for i in range(10)]
    (run / "summary.json").write_text(json.dumps({
        "best_epoch": 1, "epochs_run": 1, "evaluated_on": "test", "evaluation_of_best": {"samples": 50, "r2": -0.25, "rmse(T_max)": 3.5},
        "cross_validation": {"folds": 10, "by_fold": by_fold, "mean": {"loss": 4.6, "top5_accuracy": 0.9999999999999999, "auc": None},
                             "deviation": {"loss": 2.87, "top5_accuracy": 1e-16, "auc": None}}}))
    (run / "metrics.jsonl").write_text(json.dumps({"epoch": 1, "train_loss": 1}) + "\n")
    subprocess.run([programs / "dnn_model", "report", run], check=True, stdout=subprocess.DEVNULL)
    open_quietly(checks, browser, run / "report.html", 1440)
    tiles = browser.evaluate("document.querySelector('.tiles').textContent")
    checks.true("test R²-0.25" in tiles and "test RMSE(T_max)3.5" in tiles and "samples50" not in tiles, f"tiles of odd figures: {tiles}")
    dots = {name: browser.evaluate(f"document.querySelectorAll(\"figure[data-plot='{name}'] circle.dot\").length")
            for name in ("Top-5 accuracy by fold", "AUC by fold")}
    checks.equal(dots, {"Top-5 accuracy by fold": 10, "AUC by fold": 9}, "dots of the folds")
    levels = {name: points for name, points, _ in browser.evaluate(CURVES) if name.endswith("by fold")}
    checks.equal((levels["Top-5 accuracy by fold"], levels["AUC by fold"]), ([10, 10, 10], [0, 0, 0]), "the mean's lines")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", type=pathlib.Path, required=True)
    parser.add_argument("--screenshots", type=pathlib.Path)
    arguments = parser.parse_args()
    if shutil.which("chromium") is None:
        print("SKIP no browser: apt-get install chromium")
        return 77
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="dnn_report_") as name, Browser() as browser:
        folder = pathlib.Path(name)
        write_table(folder / "table.csv")
        runs = [train(arguments.bin, folder / "table.csv", folder / "first <b>", "--label-column", "label", "--hidden", "16"),
                train(arguments.bin, folder / "table.csv", folder / "second", "--label-column", "label", "--hidden", "8,4", "--seed", "2")]
        evaluation = json.loads((runs[0] / "evaluation.json").read_text())
        both = folder / "both.html"
        subprocess.run([arguments.bin / "dnn_model", "report", *runs, "--output", both], check=True, stdout=subprocess.DEVNULL)
        for width in (375, 1440):
            open_quietly(checks, browser, runs[0] / "report.html", width)
            check_names(checks, browser)
            check_numbers(checks, browser, runs[0])
            check_sorting(checks, browser)
            if arguments.screenshots:
                browser.screenshot(arguments.screenshots / f"run{width}.png", width)
            check_figures(checks, browser, width, evaluation)
            check_worst(checks, browser, evaluation)
            check_keys(checks, browser)
            check_choice(checks, browser, evaluation)
            open_quietly(checks, browser, both, width)
            if arguments.screenshots:
                browser.screenshot(arguments.screenshots / f"both{width}.png", width)
            check_comparison(checks, browser, runs)
            checks.equal(browser.take_events(*PROBLEMS), [], f"console at {width} in the end")
        check_tasks(checks, browser, arguments.bin, folder, arguments.screenshots)
        check_odd_figures(checks, browser, arguments.bin, folder)
        check_many_targets(checks, browser, arguments.bin, folder)
        check_size(checks, browser, arguments.bin, folder)
        open_quietly(checks, browser, runs[0] / "report.html", 1440)
        paper = browser.evaluate("getComputedStyle(document.body).backgroundColor")
        open_quietly(checks, browser, runs[0] / "report.html", 1440, "dark")
        checks.true(paper != browser.evaluate("getComputedStyle(document.body).backgroundColor"), "another page in the dark")
        printed = browser.pdf()
        checks.true(printed.startswith(b"%PDF") and b"/MediaBox [0 0 594.95996 841.91998]" in printed, "prints on A4")
        if arguments.screenshots:
            browser.screenshot(arguments.screenshots / "dark1440.png", 1440)
            (arguments.screenshots / "run.pdf").write_bytes(printed)
    print("\n".join(checks.failed) or "the pages show what the runs' files say")
    return 1 if checks.failed else 0


sys.exit(main())
