// Histograms, bars of rows, and points.

/**
 * Bars side by side, their parts on top of each other. `bars`: {from, to, counts: one for each kind}; `kinds`: {name, color}; `axis`:
 * {name, write}.
 */
function histogramPlot({ name, note, bars, kinds, axis }) {
  const total = (bar) => bar.counts.reduce((sum, count) => sum + count, 0);
  const all = bars.reduce((sum, bar) => sum + total(bar), 0);
  const inWordsOf = (bar) => axis.name + " " + axis.write(bar.from) + " to " + axis.write(bar.to) + ": " +
    kinds.map((kind, i) => digits(bar.counts[i]) + (kind.name ? " " + kind.name : "")).join(", ");
  const fullest = bars.reduce((most, bar) => (total(bar) > total(most) ? bar : most), bars[0]);
  return plotFigure({
    name,
    note,
    legend: kinds.length > 1 ? kinds.map((kind) => legendEntry(kind.name, kind.color, "fill")) : [],
    log: true,
    count: bars.length,
    draw: (width, isLog) => drawHistogram({ width, bars, kinds, axis, isLog, total }),
    say: (at) => inWordsOf(bars[at]),
    text: name + " of " + digits(all) + " values. The fullest bar: " + inWordsOf(fullest) + ".",
    table: () => makeTable(name, [{ name: "From", number: true, write: axis.write }, { name: "To", number: true, write: axis.write },
      ...kinds.map((kind) => ({ name: kind.name || "Count", number: true, write: digits }))], bars.map((bar) => [bar.from, bar.to, ...bar.counts]), true),
  });
}

function drawHistogram({ width, bars, kinds, axis, isLog, total }) {
  const height = width < 480 ? 210 : 250;
  const box = { left: 58, right: width - 12, top: 12, bottom: height - 34 };
  const high = Math.max(1, ...bars.map(total));
  const [low, top] = isLog ? [0.5, Math.max(high, 1) * 1.2] : [0, high * 1.04];
  const x = makeScale(bars[0].from, bars[bars.length - 1].to, box.left, box.right, false);
  const y = makeScale(low, top, box.bottom, box.top, isLog);
  const svg = plotSvg(width, height);
  drawAxes(svg, box, { at: x, ticks: linearTicks(bars[0].from, bars[bars.length - 1].to, width / 80), write: axis.write, name: axis.name },
    { at: y, ticks: (isLog ? logTicks(1, top) : linearTicks(0, top, 5)).filter(Number.isInteger), write: digits });
  bars.forEach((bar) => {
    let sum = 0;
    bar.counts.forEach((count, i) => {
      const [below, above] = [y(Math.max(sum, low)), y(Math.max(sum + count, low))];
      sum += count;
      if (count > 0) {
        svg.append(svgElement("rect", { class: "bar", x: x(bar.from) + 0.5, width: Math.max(1, x(bar.to) - x(bar.from) - 1), y: above,
          height: Math.max(0, below - above), fill: kinds[i].color }));
      }
    });
  });
  const frame = svgElement("rect", { class: "cell-frame", y: box.top, height: box.bottom - box.top, visibility: "hidden" });
  svg.append(frame);
  return {
    svg,
    mark: (at) => {
      frame.setAttribute("x", x(bars[at].from));
      frame.setAttribute("width", Math.max(2, x(bars[at].to) - x(bars[at].from)));
      frame.setAttribute("visibility", "visible");
    },
    nearest: (event) => {
      const [at] = pointerIn(svg, event, width, height);
      return bars.reduce((best, bar, i) => (x(bar.from) <= at ? i : best), 0);
    },
  };
}

/**
 * A row for each of `rows`, {label, parts: a length for each kind, low, high: the ends of a whisker}; `kinds`: {name, color}; `table`:
 * makes the numbers' table.
 */
function rowBars({ name, note, rows, kinds, write, text, table, wide = 58, limit }) {
  const total = (row) => row.parts.reduce((sum, part) => sum + Math.max(0, part || 0), 0);
  return plotFigure({
    name,
    note,
    legend: kinds.length > 1 ? kinds.map((kind) => legendEntry(kind.name, kind.color, "fill")) : [],
    count: rows.length,
    draw: (width) => drawRows({ width, rows, kinds, write, total, left: Math.min(wide, width / 3), limit }),
    say: (at) => visible(rows[at].label) + ": " + (kinds.length > 1
      ? kinds.map((kind, i) => kind.name + " " + write(rows[at].parts[i])).join(", ") : write(rows[at].value === undefined ? rows[at].parts[0] : rows[at].value)),
    text: name + ". " + text,
    table,
  });
}

function drawRows({ width, rows, kinds, write, total, left, limit }) {
  const step = 18;
  const height = rows.length * step + 26;
  const longest = Math.max(...rows.map((row) => Math.max(total(row), row.high || 0)), limit || 0, 1e-12);
  const x = makeScale(0, longest, left, width - 14, false);
  const svg = plotSvg(width, height);
  const unit = write === bytes ? 1024 ** Math.floor(Math.log(longest) / Math.log(1024)) : 1;
  for (const tick of linearTicks(0, longest / unit, (width - left) / 90).map((size) => size * unit)) {
    svg.append(svgElement("path", { class: "grid", d: "M" + x(tick) + " 0V" + (rows.length * step + 4) }),
      svgElement("text", { x: Math.min(x(tick), width - 3.2 * write(tick).length), y: rows.length * step + 18, "text-anchor": "middle" }, write(tick)));
  }
  rows.forEach((row, at) => {
    svg.append(svgElement("text", { x: left - 6, y: at * step + 14, "text-anchor": "end" }, shortened(row.label, Math.max(8, Math.floor(left / 6.6)))));
    let sum = 0;
    kinds.forEach((kind, i) => {
      const part = Math.max(0, row.parts[i] || 0);
      svg.append(svgElement("rect", { class: "bar", x: x(sum), y: at * step + 3, width: Math.max(0, x(sum + part) - x(sum)), height: 14, fill: kind.color }));
      sum += part;
    });
    if (row.high > row.low) {
      svg.append(svgElement("path", { class: "whisker", d: "M" + x(Math.max(0, row.low)) + " " + (at * step + 10) + "H" + x(Math.max(0, row.high)) }));
    }
  });
  if (limit) {
    svg.append(svgElement("path", { class: "limit", d: "M" + x(limit) + " 0V" + rows.length * step }));
  }
  const frame = svgElement("rect", { class: "cell-frame", x: left, width: width - 14 - left, height: step, visibility: "hidden" });
  svg.append(frame);
  return {
    svg,
    mark: (at) => {
      frame.setAttribute("y", at * step + 1);
      frame.setAttribute("visibility", "visible");
    },
    nearest: (event) => Math.floor(pointerIn(svg, event, width, height)[1] / step),
  };
}

/** Points of two numbers each. `names`: of the axes. */
function scatterPlot({ name, note, points, names, text }) {
  const sorted = [...points].sort((a, b) => a[0] - b[0]);
  const values = sorted.flat();
  const [low, high] = withRoom(values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b)), 0.03);
  function draw(width) {
    const height = Math.min(width, 340);
    const box = { left: 58, right: width - 12, top: 22, bottom: height - 34 };
    const x = makeScale(low, high, box.left, box.right, false);
    const y = makeScale(low, high, box.bottom, box.top, false);
    const svg = plotSvg(width, height);
    drawAxes(svg, box, { at: x, ticks: linearTicks(low, high, width / 80), write: digits, name: names[0] },
      { at: y, ticks: linearTicks(low, high, 5), write: digits, name: names[1] });
    svg.append(svgElement("path", { class: "guide", d: "M" + x(low) + " " + y(low) + "L" + x(high) + " " + y(high) }),
      svgElement("path", { class: "points", d: sorted.map((point) => "M" + x(point[0]).toFixed(1) + " " + y(point[1]).toFixed(1) + "h0").join("") }));
    const ring = svgElement("circle", { class: "best", r: 5, stroke: "var(--ink)", "fill-opacity": 0, visibility: "hidden" });
    svg.append(ring);
    return {
      svg,
      mark: (at) => {
        ring.setAttribute("cx", x(sorted[at][0]));
        ring.setAttribute("cy", y(sorted[at][1]));
        ring.setAttribute("visibility", "visible");
      },
      nearest: (event) => {
        const [px, py] = pointerIn(svg, event, width, height);
        const distance = (point) => (x(point[0]) - px) ** 2 + (y(point[1]) - py) ** 2;
        return sorted.reduce((best, point, i) => (distance(point) < distance(sorted[best]) ? i : best), 0);
      },
    };
  }
  return plotFigure({
    name,
    note,
    count: sorted.length,
    draw,
    say: (at) => names[0] + " " + digits(sorted[at][0]) + ", " + names[1] + " " + digits(sorted[at][1]),
    text: name + ". " + text,
    table: () => makeTable(name, names.map((axis) => ({ name: title(axis), number: true, write: digits })), sorted, true),
  });
}
