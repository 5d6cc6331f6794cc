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

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from support.browser import Browser  # noqa: E402

HOSTILE = ["<script>document.title='hit'</script>", "</script><img src=x onerror=\"document.title='hit'\">",
           "\"quotes\" and 'quotes' & &lt;", "line\u2028separator", "\x1b[31mred", "plain", "javascript:alert(1)",
           "\u202eright to left"]
EPOCHS = 7
PROBLEMS = ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded", "Page.javascriptDialogOpening")
# Names of figures, with the curves and the marks of the best epoch in each.
CURVED = {"Loss": (2, 1), "Accuracy": (2, 1), "Balanced accuracy": (1, 1), "F1, mean over classes": (1, 1), "Calibration error": (1, 1),
          "Learning rate": (1, 0), "Samples per second": (1, 0)}

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


def train(program, folder, name, *options):
    run = folder / name
    subprocess.run([program, "--quiet", "--data", folder / "table.csv", "--label-column", "label", "--epochs", str(EPOCHS),
                    "--validation", "0.3", "--output", run, *options], check=True)
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


def check_figures(checks, browser, width):
    curves = browser.evaluate(CURVES)
    checks.equal([name for name, *_ in curves], [*CURVED, "Confusion matrix", "Seconds by phase and rank"], f"figures at {width}")
    for (name, points, best), (lines, marks) in zip(curves, CURVED.values()):
        checks.equal(points, [EPOCHS] * lines, f"points of {name} at {width}")
        checks.equal(best, marks, f"best epochs marked in {name}")
    alternatives = browser.evaluate("[...document.querySelectorAll('figure .plot svg')].map((svg) => svg.getAttribute('aria-label'))")
    checks.true(all(text and len(text) > 20 for text in alternatives), "each figure has a text alternative")
    tables = browser.evaluate("""(async () => {
        document.querySelectorAll("figure details").forEach((details) => { details.open = true; });
        await new Promise((done) => setTimeout(done, 300));
        return [...document.querySelectorAll("figure details tbody")].map((body) => body.rows.length); })()""")
    checks.equal(tables, [EPOCHS] * len(CURVED) + [len(HOSTILE), 1], f"rows of the figures' tables at {width}")


def check_keys(checks, browser):
    browser.evaluate("document.querySelector(\"figure[data-plot='Loss'] svg[tabindex]\").focus()")
    for key, text in (("Home", "epoch 1:"), ("ArrowRight", "epoch 2:"), ("End", f"epoch {EPOCHS}:")):
        browser.press(key)
        readout = browser.evaluate("document.querySelector(\"figure[data-plot='Loss'] .readout\").textContent")
        checks.true(readout.startswith(text) and "train" in readout and "validation" in readout, f"{key} reads {readout!r}")
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
        runs = [train(arguments.bin / "dnn_train", folder, "first <b>", "--hidden", "16"),
                train(arguments.bin / "dnn_train", folder, "second", "--hidden", "8,4", "--seed", "2")]
        both = folder / "both.html"
        subprocess.run([arguments.bin / "dnn_model", "report", *runs, "--output", both], check=True, stdout=subprocess.DEVNULL)
        for width in (375, 1440):
            open_quietly(checks, browser, runs[0] / "report.html", width)
            check_names(checks, browser)
            check_numbers(checks, browser, runs[0])
            check_sorting(checks, browser)
            if arguments.screenshots:
                browser.screenshot(arguments.screenshots / f"run{width}.png", width)
            check_figures(checks, browser, width)
            check_keys(checks, browser)
            open_quietly(checks, browser, both, width)
            if arguments.screenshots:
                browser.screenshot(arguments.screenshots / f"both{width}.png", width)
            check_comparison(checks, browser, runs)
            checks.equal(browser.take_events(*PROBLEMS), [], f"console at {width} in the end")
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
