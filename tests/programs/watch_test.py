"""dnn_watch in headless Chromium: new epochs arrive by themselves; strangers are turned away. Exits 77 without Chromium.

    watch_test.py --bin FOLDER
"""

import argparse
import http.client
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
import urllib.error
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from support.browser import Browser  # noqa: E402

POINTS = """(() => { const path = document.querySelector("figure[data-plot='Loss'] path.curve");
    return path === null ? 0 : path.getAttribute("d").match(/[ML]/g).length; })()"""


def wait_for(value, expected, seconds=60):
    """The last value; waits until it is the expected one."""
    end = time.monotonic() + seconds
    while (found := value()) != expected and time.monotonic() < end:
        time.sleep(0.1)
    return found


def write_epochs(run, epochs, half_a_line=False):
    lines = [json.dumps({"epoch": i, "train_loss": 1 / i, "train_accuracy": 1 - 1 / i}) + "\n" for i in range(1, epochs + 1)]
    (run / "metrics.jsonl").write_text("".join(lines) + ('{"epoch": ' if half_a_line else ""))


def ask(port, path, method="GET", host=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path, headers={"Host": host} if host else {})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def check_strangers(equal, port, token):
    good = f"token={token}"
    equal(ask(port, f"/?{good}")[0], 200, "the page")
    equal(ask(port, f"/runs?{good}"), (200, '["night"]'), "the list")
    for path in ("/", "/runs", "/run?run=night", f"/?token={token[:-1]}x", "/?token="):
        equal(ask(port, path)[0], 403, f"{path} without the token")
    equal(ask(port, f"/?{good}", host="example.org")[0], 403, "another site's name")
    equal(ask(port, f"/?{good}", host="localhost:9")[0], 200, "through a tunnel")
    for method in ("POST", "PUT", "DELETE", "HEAD"):
        equal(ask(port, f"/?{good}", method)[0], 405, method)
    for run in ("..", "../secret", "%2e%2e%2fsecret", "/etc", "night/../../secret"):
        equal(ask(port, f"/run?{good}&run={run}")[0], 404, f"run {run}")
    for path in ("/night/metrics.jsonl", "/../secret/metrics.jsonl", "/%2e%2e/secret/metrics.jsonl"):
        equal(ask(port, f"{path}?{good}")[0], 404, path)
    with open("/proc/net/tcp", encoding="ascii") as file:
        listening = [line.split()[1] for line in file if line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A"]
    equal(listening, [f"0100007F:{port:04X}"], "addresses that it listens on")
    taken = subprocess.run([PROGRAM, ".", "--port", str(port)], capture_output=True, text=True, check=False)
    equal((taken.returncode, "--port" in taken.stderr), (2, True), f"a port that is taken: {taken.stderr}")


def check_page(equal, browser, address, runs):
    problems = ("Runtime.exceptionThrown", "Runtime.consoleAPICalled")
    browser.open(address, 1440)
    browser.evaluate("window.sameDocument = true")
    equal(wait_for(lambda: browser.evaluate(POINTS), 3), 3, "points at first")
    toggle = "document.querySelector(\"figure[data-plot='Loss'] button.toggle\")"
    browser.evaluate(f"{toggle}.focus(), {toggle}.click()")
    write_epochs(runs / "night", 4, half_a_line=True)
    equal(wait_for(lambda: browser.evaluate(POINTS), 4), 4, "points with a new epoch")
    equal(browser.evaluate(f"[{toggle}.getAttribute('aria-pressed'), document.activeElement === {toggle}]"), ["true", True],
          "the scale that was chosen, and the focus, with a new epoch")
    equal(browser.evaluate("document.querySelectorAll('nav a').length"), 0, "a list of one run")
    (runs / "morning").mkdir()
    write_epochs(runs / "morning", 2)
    equal(wait_for(lambda: browser.evaluate("[...document.querySelectorAll('nav a')].map((a) => a.textContent)"),
                   ["morning", "night"]), ["morning", "night"], "a list of two runs")
    equal(browser.evaluate("window.sameDocument"), True, "no reload")
    browser.evaluate("document.querySelector('nav a').click()")
    equal(wait_for(lambda: browser.evaluate(POINTS), 2), 2, "points of the other run")
    foreign = [event["params"]["request"]["url"] for event in browser.events
               if event.get("method") == "Network.requestWillBeSent" and not event["params"]["request"]["url"].startswith(address.split("?")[0])]
    equal(foreign, [], "requests to others")
    equal(browser.take_events(*problems), [], "console")


def check_damaged_run(equal, browser, address, runs):
    """The first run of the folder cannot be read: the page says so, and has the others."""
    (runs / "damaged").mkdir()
    write_epochs(runs / "damaged", 2)
    (runs / "damaged/steps.jsonl").write_bytes(b"\0" * 40 + b"\n")
    browser.open(address, 1440)
    state = "document.querySelector('[role=status]').textContent"
    equal(wait_for(lambda: browser.evaluate(state), "This run cannot be read at present."), "This run cannot be read at present.", "a damaged run")
    equal(browser.evaluate("[...document.querySelectorAll('nav a')].map((a) => a.textContent)"), ["damaged", "morning", "night"], "the other runs")


def main():
    failed = []

    def equal(found, expected, what):
        if found != expected:
            failed.append(f"{what}: {found!r} instead of {expected!r}")

    with tempfile.TemporaryDirectory(prefix="dnn_watch_") as name:
        runs = pathlib.Path(name) / "runs"
        for folder in ("runs/night", "secret"):
            (pathlib.Path(name) / folder).mkdir(parents=True)
            write_epochs(pathlib.Path(name) / folder, 3)
        (runs / "night/run.json").write_text('{"program": "dnn_train", "configuration": {"hidden": [4]}}')
        server = subprocess.Popen([PROGRAM, runs], stdout=subprocess.PIPE, text=True)
        try:
            address = next(line.strip() for line in server.stdout if "http://" in line)
            port, token = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/\?token=([0-9a-f]{32})", address).groups()
            check_strangers(equal, int(port), token)
            with Browser() as browser:
                check_page(equal, browser, address, runs)
                check_damaged_run(equal, browser, address, runs)
            server.terminate()
            equal(server.wait(30), -15, "ends when it is asked to")
        finally:
            server.kill()
            server.wait()
        other = subprocess.Popen([PROGRAM, runs, "--listen", "127.0.0.2"], stdout=subprocess.PIPE, text=True)
        try:
            address = next(line.strip() for line in other.stdout if "http://" in line)
            with urllib.request.urlopen(address, timeout=30) as page:
                equal(page.status, 200, "the page at another address")
            try:
                urllib.request.urlopen(address[:address.index("?")], timeout=30)
                equal("an answer", 403, "no token at another address")
            except urllib.error.HTTPError as error:
                equal(error.code, 403, "no token at another address")
        finally:
            other.kill()
            other.wait()
        refused = subprocess.run([PROGRAM, runs, "--listen", "192.0.2.1"], capture_output=True, text=True, timeout=60)
        equal((refused.returncode, "cannot listen on" in refused.stderr and "192.0.2.1" in refused.stderr), (2, True),
              "an address of no machine here")
    print("\n".join(failed) or "the page follows its run, and strangers see nothing")
    return 1 if failed else 0


PARSER = argparse.ArgumentParser()
PARSER.add_argument("--bin", type=pathlib.Path, required=True)
PROGRAM = PARSER.parse_args().bin.resolve() / "dnn_watch"
if shutil.which("chromium") is None:
    print("SKIP no browser: apt-get install chromium")
    sys.exit(77)
sys.exit(main())
