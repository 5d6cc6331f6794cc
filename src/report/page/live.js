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

const boxes = "figure[data-plot], .scroll[aria-label]";
const inBox = "svg[tabindex], button, summary, select";
const nameOfBox = (box) => box.dataset.plot || box.getAttribute("aria-label");

/** Does `change`, and gives the focus back to what had it in a figure or table: by the box's name, and its place there. */
function keepingFocus(change) {
  const active = document.activeElement;
  const box = active === null ? null : active.closest(boxes);
  const place = box === null ? -1 : [...box.querySelectorAll(inBox)].indexOf(active);
  change();
  const same = box === null ? undefined : [...document.querySelectorAll(boxes)].find((one) => nameOfBox(one) === nameOfBox(box));
  if (same !== undefined) {
    (same.querySelectorAll(inBox)[place] || same).focus({ preventScroll: true });
  }
}

/** Renders, and leaves the page and its tables where they were scrolled to, with what was open and what had the focus. */
function renderInPlace(data) {
  const opened = [...document.querySelectorAll("details")].map((details) => details.open);
  const scrolled = new Map([...document.querySelectorAll(".scroll[aria-label]")].map((box) => [nameOfBox(box), [box.scrollLeft, box.scrollTop]]));
  const place = scrollY;
  keepingFocus(() => render(data));
  document.querySelectorAll("details").forEach((details, i) => { details.open = opened[i] === true; });
  document.querySelectorAll(".scroll[aria-label]").forEach((box) => box.scrollTo(...(scrolled.get(nameOfBox(box)) || [0, 0])));
  scrollTo(0, place);
}

/** A line that is read out where it changes. */
function tell(status, text) {
  if (status.textContent !== text) {
    status.textContent = text;
  }
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
      tell(status, chosen === undefined ? "No run is in this folder yet."
        : answer.status === 200 || answer.status === 304 ? "live" : "This run cannot be read at present.");
    } catch (error) {
      tell(status, "dnn_watch does not answer; the page shows what was last known.");
    }
    await new Promise((done) => setTimeout(done, 2000));
  }
}

follow();
