// One study with everything that is known about it.

const scale = {max: 80, tick: 20, colours: []}; // of T2 in ms

// colourOf returns the colour of a T2.
function colourOf(ms) {
  const steps = scale.colours.length - 1;
  const place = Math.min(Math.max(ms / scale.max, 0), 1) * steps;
  const n = Math.min(Math.floor(place), steps - 1),
    share = place - n;
  const part = i => [0, 1].map(k => parseInt(scale.colours[n + k].slice(1 + 2 * i, 3 + 2 * i), 16));
  return (
    "rgb(" +
    [0, 1, 2]
      .map(i => {
        const [a, b] = part(i);
        return Math.round(a + share * (b - a));
      })
      .join(", ") +
    ")"
  );
}

// bar draws mean ± SD, given as "38.21 ± 9.10", on the scale of the pictures.
function bar(text) {
  if (!text) return "";
  const [mean, sd = 0] = text.split(" ± ").map(Number);
  const percent = ms => 100 * Math.min(Math.max(ms / scale.max, 0), 1);
  const box = node("i"),
    line = node("b");
  box.style.left = percent(mean - sd) + "%";
  box.style.width = percent(mean + sd) - percent(mean - sd) + "%";
  box.style.background = colourOf(mean);
  line.style.left = percent(mean) + "%";
  return node("div", {class: "bar"}, box, line);
}

function axis() {
  const e = node("div", {class: "axis"}, node("i"));
  for (let ms = 0; ms <= scale.max; ms += scale.tick) {
    const tick = node("span", {}, String(ms));
    tick.style.left = (100 * ms) / scale.max + "%";
    e.append(tick);
  }
  return e;
}

function nameOf(s) {
  const words = [s.subject || s.folder || s.hash || "a study without a name", s.visit, s.side].filter(w => w !== "");
  return words.join(" · ");
}

// safeLink makes a link only to a file beside the page.
function safeLink(folder, file, ...content) {
  const url = new URL(folder + file, document.baseURI);
  if (url.protocol !== location.protocol || url.host !== location.host) return node("span", {}, ...content);
  return node("a", {href: folder + file}, ...content);
}

const unreadable =
  "The details of this study cannot be read: the page has been written again since it was opened, or the folder " +
  "page is not beside it. Load the page again.";

// showStudy returns the whole of a study. What is in a file of details follows when the file is read.
function showStudy(s) {
  const e = node("article", {class: "study"}, node("h3", {}, nameOf(s)));
  const place = [s.folder && "folder " + s.folder, s.hash && "study " + s.hash].filter(w => w).join(" · ");
  if (s.status !== done) {
    e.append(
      node(
        "p",
        {class: s.status === failed ? "reason" : "soft"},
        node("b", {}, s.status === failed ? "failed: " : "not done: "),
        s.reason
      ),
      s.hint ? node("p", {class: "hint"}, "hint: " + s.hint) : "",
      node("p", {class: "soft small"}, place)
    );
    return e;
  }
  const rest = node("div", {class: "rest"}, node("p", {class: "soft"}, "…"));
  e.append(rest);
  e.ready = detailOf(s).then(
    d => rest.replaceWith(...detailNodes(s, d, place)),
    () => rest.replaceChildren(node("p", {class: "warn"}, unreadable))
  );
  return e;
}

function wordsOfOutlier(s, o) {
  const kind = o.kind === "t2" ? "T2" : "change of T2";
  const z = o.z.toFixed(1).replace("-", "−");
  return `outlier: ${kind} of ${compartments[o.compartment]}, ${fixed(s[o.kind][o.compartment])} ms, z ${z}`;
}

function detailNodes(s, d, place) {
  const out = [];
  if (d.carried) out.push(node("p", {class: "carried"}, d.carried));
  out.push(node("p", {class: "soft small"}, [...d.facts, place].join(" · ")));
  if (d.folder && d.links) {
    const links = node("p", {class: "links small"});
    d.links.forEach(([text, file], n) => links.append(n ? " · " : "", safeLink(d.folder, file, text)));
    out.push(links);
  }
  for (const w of d.warnings ?? []) out.push(node("p", {class: "warn"}, w));
  for (const o of s.outliers) out.push(node("p", {class: "small outlier"}, wordsOfOutlier(s, o)));
  for (const text of d.notes ?? []) out.push(node("p", {class: "small"}, text));
  if (d.flags)
    out.push(
      node(
        "div",
        {class: "flags-of-study"},
        node("b", {}, "Quality of the study"),
        node("ul", {class: "flags"}, ...d.flags.map(f => flagNode("li", f)))
      )
    );
  out.push(rowsOf(s, d));
  if (d.folder) out.push(picture(s, d));
  if (d.quality) out.push(qualityOf(d.quality));
  if (d.regions) out.push(regionsOf(d));
  return out;
}

// picture loads the preview.
function picture(s, d) {
  const image = node("img", {alt: "T2 in colour over the echo image, every slice that contains a mask"});
  const link = safeLink(d.folder, "overlay.png", image);
  const place = node("div", {class: "sheet"}, link);
  image.addEventListener("error", () =>
    place.replaceChildren(
      node("p", {class: "soft small"}, "No picture: preview.jpg cannot be read in the study's folder.")
    )
  );
  if (link.localName === "a") image.src = d.folder + "preview.jpg";
  return place;
}

// table returns a table with a head and rows; cells are nodes or texts, and classes belong to columns.
function tableOf(heads, classes, rows, name) {
  const cells = (tag, list) =>
    list.map((c, n) => node(tag, {class: classes[n], scope: tag === "th" ? "col" : null}, ...[c].flat()));
  const body = node("tbody", {}, ...rows.map(list => node("tr", {class: list.kind}, ...cells("td", list))));
  return node("table", {class: name}, node("thead", {}, node("tr", {}, ...cells("th", heads))), body);
}

const small = text => (text ? node("span", {class: "detail"}, text) : "");

// flagNode shows a flag. A level that the page does not know is shown as a warning.
function flagNode(name, f) {
  return node(name, {class: "flag-" + (f.level === "fail" ? "fail" : "warn")}, f.text);
}

function rowsOf(s, d) {
  const change = s.change.some(isNumber);
  const heads = [
    "Compartment",
    "T2, mean ± SD (ms)",
    axis(),
    ...(change ? ["change (ms)"] : []),
    "used / voxels",
    "R²",
    "mm³",
    "Quality"
  ];
  const classes = [
    "name",
    "num c-t2",
    "c-bar",
    ...(change ? ["num c-change"] : []),
    "num c-used",
    "num c-r2",
    "num c-volume",
    "flags"
  ];
  const rows = d.rows.map(r => {
    const c = compartments.indexOf(r.compartment);
    return [
      r.compartment,
      [node("b", {}, r.t2 ?? ""), small(r.median && "median " + r.median), small(r.se && "SE of the mean " + r.se)],
      [bar(r.t2), small(r.note)],
      ...(change ? [[signed(s.change[c]), small(isNumber(s.change[c]) && "from " + s.reference)]] : []),
      [r.used ?? "", ...(r.excluded ?? []).map(small)],
      [r.r2 ?? "", small(r.snr && "SNR " + r.snr)],
      r.volume ?? "",
      (r.flags ?? []).map(f => flagNode("span", f))
    ];
  });
  return node("div", {class: "scroll"}, tableOf(heads, classes, rows, "rows"));
}

function qualityOf(q) {
  const heads = [
    "Compartment",
    "SNR, first–last echo",
    "S2/S1 (fit)",
    "saturated",
    "zero",
    "excluded",
    "eroded, T2 (ms)",
    "χ²",
    "volume"
  ];
  const rows = q.rows.map(r => [
    r.compartment,
    r.snr ?? "",
    r.ratio ?? "",
    r.saturated,
    r.zero ?? "",
    r.excluded ?? "",
    r.eroded ?? "",
    r.chi2 ?? "",
    r.volume ?? ""
  ]);
  return node(
    "details",
    {class: "parts"},
    node("summary", {}, "Quality"),
    q.shift ? node("p", {class: "soft small"}, q.shift) : "",
    q.baseline ? node("p", {class: "soft small"}, q.baseline) : "",
    node("div", {class: "scroll"}, tableOf(heads, ["", ...Array(8).fill("num")], rows, ""))
  );
}

function regionsOf(d) {
  const fraction = d.fractions === true;
  const heads = [
    "Region",
    "Layer",
    "T2, mean ± SD (ms)",
    "",
    "used / voxels",
    ...(fraction ? ["fraction"] : []),
    "Note"
  ];
  const classes = ["", "", "num", "p-bar", "num", ...(fraction ? ["num"] : []), "note"];
  const groups = d.regions.map(g => {
    let last = null;
    const rows = g.rows.map(([region, layer, t2, used, share, note]) => {
      const first = region !== last;
      last = region;
      const cells = [first ? region : "", layer, t2, bar(t2), used, ...(fraction ? [share] : []), note];
      cells.kind = first ? "first" : "";
      return cells;
    });
    return [node("h4", {}, g.compartment), node("div", {class: "scroll"}, tableOf(heads, classes, rows, ""))];
  });
  return node("details", {class: "parts"}, node("summary", {}, "Regions and layers"), ...groups.flat());
}
