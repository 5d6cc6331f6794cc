// A page that dnn_watch serves: asks every two seconds for what is new, and shows the other runs of the folder.

const query = new URLSearchParams(location.search);

/** An address of the server that the page came from. */
function addressOf(path, run) {
  const parts = new URLSearchParams({ token: query.get("token") || "" });
  if (run !== null) {
    parts.set("run", run);
  }
  return path + "?" + parts;
}

/** Renders, and leaves the page where it was scrolled to, with what was open and the figure that had the focus. */
function renderInPlace(data) {
  const figure = document.activeElement === null ? null : document.activeElement.closest("figure[data-plot]");
  const opened = [...document.querySelectorAll("details")].map((details) => details.open);
  const place = scrollY;
  render(data);
  document.querySelectorAll("details").forEach((details, i) => { details.open = opened[i] === true; });
  const same = figure === null ? undefined : [...document.querySelectorAll("figure[data-plot]")].find((one) => one.dataset.plot === figure.dataset.plot);
  if (same !== undefined) {
    same.querySelector("svg[tabindex]").focus({ preventScroll: true });
  }
  scrollTo(0, place);
}

function showRuns(names, chosen) {
  let nav = document.querySelector("nav");
  if (nav === null) {
    nav = element("nav", { "aria-label": "Runs" });
    document.body.prepend(nav);
  }
  const state = names.join("\n") + "\n\n" + chosen;
  if (nav.dataset.state !== state) {
    nav.dataset.state = state;
    nav.replaceChildren(...(names.length < 2 ? [] : names.map((name) =>
      element("a", { href: addressOf("/", name), "aria-current": name === chosen ? "page" : null }, visible(name)))));
  }
}

async function follow() {
  const status = element("p", { role: "status", class: "live quiet" });
  document.body.prepend(status);
  let version = null;
  for (;;) {
    try {
      const names = await (await fetch(addressOf("/runs", null))).json();
      const chosen = query.get("run") || names[0];
      showRuns(names, chosen);
      const answer = chosen === undefined ? { status: 404 }
        : await fetch(addressOf("/run", chosen), { headers: version === null ? {} : { "If-None-Match": version } });
      if (answer.status === 200) {
        version = answer.headers.get("ETag");
        const run = await answer.json();
        renderInPlace({ program: run.program, runs: [run] });
      }
      status.textContent = chosen === undefined ? "No run is in this folder yet."
        : answer.status === 404 ? "This run cannot be read at present." : "live";
    } catch (error) {
      status.textContent = "dnn_watch does not answer; the page shows what was last known.";
    }
    await new Promise((done) => setTimeout(done, 2000));
  }
}

follow();
