// Tables, sorted by a click or a key on a column's name.

/**
 * A table in a box that scrolls. `columns`: {name, number: whether its values are numbers, write: a value as text};
 * `rows`: arrays of values. With `sortable`, names of columns are buttons; the rows of `foot` stay below the others.
 */
function makeTable(caption, columns, rows, sortable = false, foot = []) {
  const body = element("tbody");
  const heads = columns.map((column) => {
    const name = sortable ? element("button", { type: "button" }, column.name) : column.name;
    return element("th", { scope: "col", class: column.number ? "number" : null, "aria-sort": sortable ? "none" : null }, name);
  });
  const fillBody = (sorted) => {
    body.replaceChildren();
    sorted.forEach((row) => body.append(makeRow(columns, row)));
  };
  const state = stateOf("table " + caption, { place: -1, upwards: false });
  const showSorted = () => {
    const isSorted = state.place >= 0 && state.place < heads.length;
    if (isSorted) {
      heads.forEach((other) => other.setAttribute("aria-sort", "none"));
      heads[state.place].setAttribute("aria-sort", state.upwards ? "ascending" : "descending");
    }
    fillBody(isSorted ? sortedBy(rows, state.place, state.upwards) : rows);
  };
  if (sortable) {
    heads.forEach((head, place) => head.querySelector("button").addEventListener("click", () => {
      state.upwards = head.getAttribute("aria-sort") === (columns[place].number ? "descending" : "none");
      state.place = place;
      showSorted();
    }));
    showSorted();
  } else {
    fillBody(rows);
  }
  return element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": caption },
    element("table", { "aria-label": caption }, element("thead", {}, element("tr", {}, ...heads)), body,
      foot.length === 0 ? undefined : element("tfoot", {}, ...foot.map((row) => makeRow(columns, row)))));
}

function makeRow(columns, row) {
  return element("tr", {}, ...columns.map((column, place) => {
    const text = (column.write || inWords)(row[place]);
    const attributes = { class: column.number ? "number" : null };
    return place === 0 ? element("th", { scope: "row", ...attributes }, text) : element("td", attributes, text);
  }));
}

/** Rows without a value come last; equal ones keep their order. */
function sortedBy(rows, place, upwards) {
  const sign = upwards ? 1 : -1;
  return [...rows].sort((a, b) => {
    const [x, y] = [a[place], b[place]];
    if (typeof x === "number" || typeof y === "number") {
      return isNumber(x) && isNumber(y) ? sign * (x - y) : Number(isNumber(y)) - Number(isNumber(x));
    }
    return sign * String(x).localeCompare(String(y), "en", { numeric: true });
  });
}

/** A table that is made when somebody opens it. */
function tableOnDemand(summary, make) {
  const details = element("details", {}, element("summary", {}, summary));
  details.addEventListener("toggle", () => {
    if (details.open && details.children.length === 1) {
      details.append(make());
    }
  });
  return details;
}

/** A table of names and values. */
function pairs(caption, entries) {
  const table = makeTable(caption, [{ name: "Name" }, { name: "Value" }], entries);
  table.classList.add("pairs");
  return table;
}
