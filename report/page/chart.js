// Small multiples: T2 of all compartments of a subject over its visits.

const svgSpace = "http://www.w3.org/2000/svg";
const chartWidth = 300,
  chartHeight = 190,
  left = 42,
  right = 10,
  above = 10,
  below = 30;
const shapes = ["circle", "square", "triangle", "diamond", "cross"];
const colours = 5; // of the style sheet

// seriesOf and shapeOf return the class, which has a colour, and the shape of a compartment. Each turn of the colours
// begins with the next shape, so that the first 25 compartments differ.
const seriesOf = c => "series-" + (c % colours);
const shapeOf = c => shapes[(c + Math.floor(c / colours)) % shapes.length];

// node makes an element with attributes, a text or children.
function node(name, attributes = {}, ...children) {
  const e = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null && value !== false) e.setAttribute(key, value === true ? "" : value);
  }
  e.append(...children.filter(c => c !== null && c !== undefined && c !== ""));
  return e;
}

function svg(name, attributes = {}, ...children) {
  const e = document.createElementNS(svgSpace, name);
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
  e.append(...children);
  return e;
}

// fixed prints a number with two decimals and a proper minus, "" without a value.
function fixed(x) {
  return isNumber(x) ? x.toFixed(2).replace("-", "−") : "";
}

function signed(x) {
  return isNumber(x) ? (x > 0 ? "+" : "") + fixed(x) : "";
}

// scaleOfT2 returns the range of all charts: tens of ms around all values.
let chartRange = null;
function scaleOfT2() {
  if (chartRange) return chartRange;
  let low = Infinity,
    high = -Infinity;
  for (const s of studies)
    for (const x of s.t2)
      if (isNumber(x)) {
        low = Math.min(low, x);
        high = Math.max(high, x);
      }
  chartRange =
    low > high
      ? [0, 80]
      : [10 * Math.floor(low / 10), Math.max(10 * Math.ceil(high / 10), 10 * Math.floor(low / 10) + 10)];
  return chartRange;
}

// The visits of all charts, empty if there are so many that each chart has only those of its subject.
const manyVisits = 8;
let chartVisits = [];

// chart returns the chart of the studies of one subject, sorted. chosen is the compartment to draw, −1 for all.
function chart(list, chosen, current) {
  const visits = chartVisits.length > 0 ? chartVisits : [...new Set(list.map(s => s.visit))];
  const [low, high] = scaleOfT2();
  const x = visit => {
    const n = visits.indexOf(visit);
    return visits.length === 1
      ? (left + chartWidth - right) / 2
      : left + 14 + (n * (chartWidth - left - right - 28)) / (visits.length - 1);
  };
  const y = ms => above + ((chartHeight - above - below) * (high - ms)) / (high - low);
  const root = svg("svg", {viewBox: `0 0 ${chartWidth} ${chartHeight}`, role: "img", class: "chart"});
  root.append(
    svg("title", {}, `T2 in ms of ${list[0].subject || "studies without a subject"} over ${visits.length} visits`)
  );
  const step = high - low > 60 ? 20 : 10;
  for (let ms = Math.ceil(low / step) * step; ms <= high; ms += step) {
    root.append(
      svg("line", {class: "grid", x1: left, x2: chartWidth - right, y1: y(ms), y2: y(ms)}),
      svg(
        "text",
        {class: "tick", x: left - 5, y: y(ms) + 4, "text-anchor": "end"},
        ms === Math.floor(high / step) * step ? ms + " ms" : String(ms)
      )
    );
  }
  drawVisits(root, visits, x);
  for (const s of list.filter(s => s.status !== done && visits.includes(s.visit))) {
    const text = [s.visit, s.status === failed ? "failed" : "not done", s.reason].filter(w => w !== "").join(", ");
    root.append(
      svg(
        "a",
        {href: addressOf({...state, open: s.id}), tabindex: "-1"},
        svg(
          "text",
          {class: "absent", x: x(s.visit), y: chartHeight - below - 4, "text-anchor": "middle"},
          "×",
          svg("title", {}, text)
        )
      )
    );
  }
  for (const side of new Set(list.map(s => s.side))) {
    for (let c = 0; c < compartments.length; c++) {
      if (chosen < 0 || c === chosen)
        drawLine(
          root,
          list.filter(s => s.side === side),
          c,
          x,
          y,
          current
        );
    }
  }
  return root;
}

// drawVisits labels the visits, of which there may be more than fit.
function drawVisits(root, visits, x) {
  const room = (chartWidth - left) / Math.max(visits.length, 1);
  const every = Math.ceil(34 / room);
  const letters = Math.max(4, Math.floor((room * every) / 6));
  visits.forEach((visit, n) => {
    if (n % every !== 0) return;
    const short = visit.length > letters ? visit.slice(0, letters - 1) + "…" : visit;
    root.append(
      svg(
        "text",
        {class: "tick", x: x(visit), y: chartHeight - 10, "text-anchor": "middle"},
        short,
        svg("title", {}, visit)
      )
    );
  });
}

// drawLine draws one compartment of a knee. The right knee has a dashed line.
function drawLine(root, list, c, x, y, current) {
  const known = list.filter(s => isNumber(s.t2[c]));
  if (known.length === 0) return;
  const colour = seriesOf(c);
  if (known.length > 1) {
    root.append(
      svg("polyline", {
        class: "series " + colour + (known[0].side === "right" ? " right" : ""),
        points: known.map(s => x(s.visit).toFixed(1) + "," + y(s.t2[c]).toFixed(1)).join(" ")
      })
    );
  }
  for (const s of known) {
    const outlier = s.outliers.some(o => o.compartment === c);
    const text = [
      compartments[c],
      fixed(s.t2[c]) + " ms",
      s.visit,
      s.side,
      isNumber(s.change[c]) ? "change " + signed(s.change[c]) + " ms" : "",
      outlier ? "outlier" : ""
    ]
      .filter(w => w !== "")
      .join(", ");
    const link = svg(
      "a",
      {href: addressOf({...state, open: s.id}), tabindex: "-1", class: "point " + colour},
      svg("title", {}, text)
    );
    if (outlier) link.append(svg("circle", {class: "outlier-ring", cx: x(s.visit), cy: y(s.t2[c]), r: 8}));
    if (s === current) link.append(svg("circle", {class: "current-ring", cx: x(s.visit), cy: y(s.t2[c]), r: 5.5}));
    link.append(mark(shapeOf(c), x(s.visit), y(s.t2[c])));
    root.append(link);
  }
}

function mark(shape, x, y) {
  const r = 3.6;
  switch (shape) {
    case "square":
      return svg("rect", {x: x - r, y: y - r, width: 2 * r, height: 2 * r});
    case "triangle":
      return svg("path", {d: `M${x - 4.4} ${y + 3.6}L${x} ${y - 4.6}L${x + 4.4} ${y + 3.6}Z`});
    case "diamond":
      return svg("path", {d: `M${x - 4.8} ${y}L${x} ${y - 4.8}L${x + 4.8} ${y}L${x} ${y + 4.8}Z`});
    case "cross":
      return svg("path", {d: `M${x - 4} ${y - 1.4}h2.6v-2.6h2.8v2.6h2.6v2.8h-2.6v2.6h-2.8v-2.6h-2.6Z`});
  }
  return svg("circle", {cx: x, cy: y, r});
}

// legend names the compartments of charts.
function legend(chosen) {
  const list = node("ul", {class: "legend"});
  compartments.forEach((name, c) => {
    if (chosen >= 0 && c !== chosen) return;
    const key = svg(
      "svg",
      {viewBox: "0 0 22 12", width: 22, height: 12, "aria-hidden": "true"},
      svg("line", {class: "series " + seriesOf(c), x1: 0, x2: 22, y1: 6, y2: 6}),
      svg("g", {class: "point " + seriesOf(c)}, mark(shapeOf(c), 11, 6))
    );
    list.append(node("li", {}, key, name));
  });
  if (studies.some(s => s.side === "right") && studies.some(s => s.side === "left")) {
    list.append(node("li", {class: "soft"}, "dashed: right knee"));
  }
  list.append(node("li", {class: "soft"}, "ring: outlier"));
  if (studies.some(s => s.status !== done)) list.append(node("li", {class: "soft"}, "×: no result"));
  return list;
}
