// The table of studies, and the other two views of the same selection.

const pageSizes = {table: 100, studies: manyStudies, subjects: 24};
const shownCompartments = 6; // more need a choice

// columnsOf returns the compartments that have columns.
function columnsOf(s) {
  if (s.compartment !== "") {
    const c = compartments.indexOf(s.compartment);
    return c < 0 ? [] : [c];
  }
  return compartments.map((_, c) => c).slice(0, shownCompartments);
}

// head returns the head of the table. A button sorts by its column; a second press reverses the order.
function headOf(s, columns) {
  const sorted = s.sort === "" ? "subject" : s.sort;
  const cell = (key, text, attributes = {}) => {
    const sort = key !== sorted ? "none" : s.order === "descending" ? "descending" : "ascending";
    const button = node("button", {type: "button", "data-sort": key}, text);
    return node("th", {scope: "col", "aria-sort": sort, ...attributes}, button);
  };
  const top = node(
    "tr",
    {},
    cell("subject", "Subject", {rowspan: 2}),
    cell("visit", "Visit", {rowspan: 2}),
    node("th", {scope: "col", rowspan: 2}, "Side")
  );
  const low = node("tr", {});
  columns.forEach(c => {
    top.append(node("th", {scope: "colgroup", colspan: 2, class: "group"}, compartments[c]));
    low.append(
      cell("t2:" + compartments[c], "T2 (ms)", {class: "num", "aria-label": compartments[c] + ", T2 in ms"}),
      cell("change:" + compartments[c], "change", {
        class: "num",
        "aria-label": compartments[c] + ", change of T2 in ms"
      })
    );
  });
  top.append(cell("quality", "Quality", {rowspan: 2, class: "marks"}));
  return node("thead", {}, top, low);
}

function rowOf(study, s, columns) {
  const link = node(
    "a",
    {href: addressOf({...s, open: study.id}), tabindex: "-1"},
    study.subject || study.folder || study.hash || "–"
  );
  const row = node(
    "tr",
    {"data-id": study.id, tabindex: "-1", class: ["", "failed", "not-done"][study.status]},
    node("td", {class: "subject"}, link),
    node("td", {class: "visit"}, study.visit),
    node("td", {class: "side"}, study.side)
  );
  if (study.status !== done) {
    row.append(
      node(
        "td",
        {class: "why", colspan: Math.max(2 * columns.length, 1)},
        study.reason,
        study.hint ? node("span", {class: "detail"}, study.hint) : ""
      ),
      node(
        "td",
        {class: "marks"},
        node("span", {class: "mark-fail"}, study.status === failed ? "failed" : "not done")
      )
    );
    return row;
  }
  if (columns.length === 0) row.append(node("td"));
  for (const c of columns) {
    const odd = kind => (study.outliers.some(o => o.compartment === c && o.kind === kind) ? " odd" : "");
    const t2 = node("td", {class: "num t2" + odd("t2"), "data-label": compartments[c]});
    if (isNumber(study.t2[c])) {
      const swatch = node("i", {class: "swatch", "aria-hidden": "true"});
      swatch.style.background = colourOf(study.t2[c]);
      t2.append(swatch, fixed(study.t2[c]));
    } else {
      t2.append(hasCompartment(study, c) ? "–" : "");
    }
    row.append(t2, node("td", {class: "num change" + odd("change")}, signed(study.change[c])));
  }
  row.append(node("td", {class: "marks"}, ...marksOf(study)));
  return row;
}

// marksOf returns the flags of a study by measure, its outliers and the number of its warnings.
function marksOf(study) {
  const worst = new Map();
  for (const f of study.flags) worst.set(f.measure, worst.get(f.measure) || f.fail);
  const out = [...worst]
    .sort((a, b) => b[1] - a[1])
    .map(([m, fail]) => node("span", {class: fail ? "mark-fail" : "mark-warn"}, measures.get(m)));
  const outliers = [...new Set(study.outliers.map(o => o.compartment))];
  if (outliers.length)
    out.push(node("span", {class: "mark-outlier", title: outliers.map(c => compartments[c]).join(", ")}, "outlier"));
  const n = study.warnings.length;
  if (n)
    out.push(
      node("span", {class: "mark-warn", title: study.warnings.join("\n")}, n === 1 ? "1 warning" : n + " warnings")
    );
  return out;
}

function showTable(list, s) {
  const columns = columnsOf(s);
  const body = node("tbody", {}, ...list.map(study => rowOf(study, s, columns)));
  if (body.firstChild) body.firstChild.tabIndex = 0; // the others are reached by arrows
  const out = [node("div", {class: "scroll"}, node("table", {class: "cohort"}, headOf(s, columns), body))];
  if (s.compartment === "" && compartments.length > shownCompartments) {
    out.unshift(
      node(
        "p",
        {class: "soft small"},
        `The first ${shownCompartments} of ${compartments.length} compartments. The list of compartments has all.`
      )
    );
  }
  return out;
}

function showStudies(list) {
  return list.map(showStudy);
}

function showSubjects(list, s) {
  const chosen = s.compartment === "" ? -1 : compartments.indexOf(s.compartment);
  const grid = node("div", {class: "multiples"});
  for (const own of list) {
    const marked = own.filter(x => x.status !== done).length;
    const title = node(
      "h3",
      {},
      node(
        "a",
        {href: addressOf({...s, view: "table", subject: own[0].subject, page: ""})},
        own[0].subject || "no subject"
      )
    );
    if (marked) title.append(node("span", {class: "mark-fail"}, marked + " without a result"));
    if (own.some(x => x.outliers.length)) title.append(node("span", {class: "mark-outlier"}, "outlier"));
    if (own.some(x => x.flags.some(f => f.fail))) title.append(node("span", {class: "mark-fail"}, "flags"));
    grid.append(
      node(
        "figure",
        {},
        title,
        own.some(x => x.t2.some(isNumber)) ? chart(own, chosen, null) : node("p", {class: "soft small"}, "no T2")
      )
    );
  }
  return [legend(chosen), grid];
}

// groupsOf returns the studies of each subject that has a selected study, in the order of the selection.
function groupsOf(found, sorted) {
  const wanted = new Map(found.map(s => [s.subject, []]));
  for (const s of sorted) wanted.get(s.subject)?.push(s);
  return [...wanted.values()];
}

// moveRow moves the active row of the table.
function moveRow(step) {
  const rows = document.querySelectorAll("table.cohort tbody tr");
  if (rows.length === 0) return;
  const focused = [...rows].indexOf(document.activeElement);
  const active =
    focused < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(Math.max(focused + step, 0), rows.length - 1);
  for (const row of rows) row.tabIndex = row === rows[active] ? 0 : -1;
  rows[active].focus();
}
