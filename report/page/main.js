// The page: it reads its address, shows the selection, and follows the reader.

const byId = id => document.getElementById(id);
const inputs = [
  "q",
  "subject",
  "visit",
  "status",
  "compartment",
  "flag",
  "t2-from",
  "t2-to",
  "change-from",
  "change-to",
  "sort",
  "order"
];
let everything = [],
  selection = [],
  pagesNow = 1,
  opener = null;

function start() {
  const body = document.body.dataset;
  scale.max = Number(body.scale);
  scale.tick = Number(body.tick);
  studiesOfDetails = Number(body.details);
  scale.colours = body.colours.split(" ");
  document.documentElement.style.setProperty(
    "--scale",
    "linear-gradient(to right, " + scale.colours.join(", ") + ")"
  );
  const {sorted, visits} = orderStudies();
  everything = sorted;
  if (visits.length <= manyVisits)
    chartVisits = visits.filter(v => studies.some(s => s.visit === v && s.status === done));
  markOutliers();
  fillLists(visits);
  state = readAddress();
  byId("rule").textContent =
    `Outlier: |z| > ${zLimit}, where z = ${zFactor} · (x − median) / MAD, separately for T2 and for its change in ` +
    "each compartment, over all studies of the page. MAD is the median absolute deviation. " +
    `There are no outliers among fewer than ${zLeast} values.`;
  const chosen = inputs.some(id => id !== "q" && state[id] !== "");
  if (!chosen && (studies.length <= manyStudies || matchMedia("(max-width: 900px)").matches))
    document.querySelector(".more").open = false;
  document.querySelector("main").hidden = studies.length === 0;
  listen();
  show();
  openStudy();
  if (studies.length !== Number(body.studies))
    say("incomplete", `${studies.length} of ${body.studies} studies are shown: files are missing in the folder page.`);
  performance.mark("usable"); // tests and docs/scale.md read it
  document.documentElement.dataset.ready = "true";
}

function option(value, text = value) {
  return node("option", {value}, text);
}

function fillLists(visits) {
  byId("visit").append(option("", "all"), ...visits.map(v => (v === "" ? option(noVisit) : option(v))));
  byId("compartment").append(option("", "all"), ...compartments.map(c => option(c)));
  byId("flag").append(
    option("", "all studies"),
    option("any", "any quality flag"),
    option("fail", "red flags"),
    option("outlier", "outliers"),
    option("warnings", "warnings"),
    option("none", "without any"),
    ...[...measures].map(([key, label]) => option("measure:" + key, label))
  );
  byId("sort").append(
    option("", "subject"),
    option("visit"),
    option("quality"),
    ...compartments.flatMap(c => [option("t2:" + c, c + ", T2"), option("change:" + c, c + ", change")])
  );
}

// show shows the selection that follows from the state.
function show() {
  selection = select(state, everything);
  for (const id of inputs)
    if (byId(id) !== document.activeElement || byId(id).value !== state[id]) byId(id).value = state[id];
  for (const b of document.querySelectorAll(".views button"))
    b.setAttribute("aria-pressed", String(b.dataset.view === state.view));
  const number = n => n.toLocaleString("en");
  byId("count").textContent =
    selection.length === studies.length
      ? number(studies.length) + (studies.length === 1 ? " study" : " studies")
      : number(selection.length) + " of " + number(studies.length) + (studies.length === 1 ? " study" : " studies");
  const words = describeState(state);
  byId("filtered").textContent = words === "" ? "" : "Shown: " + words + ".";
  render(false);
}

// render shows one page of the view, or all of it for print.
function render(all) {
  const items = state.view === "subjects" ? groupsOf(selection, everything) : selection;
  const size = all && state.view !== "studies" ? Math.max(items.length, 1) : pageSizes[state.view];
  pagesNow = Math.max(1, Math.ceil(items.length / size));
  const page = Math.min(Math.max(Math.trunc(Number(state.page)) || 1, 1), pagesNow);
  state.page = page === 1 ? "" : String(page);
  const first = (page - 1) * size,
    part = items.slice(first, first + size);
  const content = {table: showTable, studies: showStudies, subjects: showSubjects}[state.view](part, state);
  byId("content").replaceChildren(...(part.length ? content : [node("p", {class: "soft"}, "No study matches.")]));
  const unit = state.view === "subjects" ? "subjects " : "";
  for (const end of ["", "-below"]) {
    byId("range" + end).textContent =
      pagesNow === 1 ? "" : `${unit}${first + 1}–${first + part.length} of ${items.length.toLocaleString("en")}`;
    byId("previous" + end).disabled = page === 1;
    byId("next" + end).disabled = page === pagesNow;
  }
  for (const e of document.querySelectorAll(".pages")) e.hidden = pagesNow === 1;
}

// change changes the state and shows it. The address follows a moment later, because browsers limit how often it
// changes.
let later = 0;
function change(part) {
  state = {...state, page: "", ...part};
  show();
  clearTimeout(later);
  later = setTimeout(writeAddress, 150);
}

function writeAddress() {
  history.replaceState(null, "", addressOf(state));
}

// visit goes to another address, to which the browser adds a step of its history.
function visit(s) {
  clearTimeout(later);
  location.hash = addressOf(s);
}

function turn(step) {
  const page = (Number(state.page) || 1) + step;
  if (page < 1 || page > pagesNow) return;
  change({page: String(page)});
  byId("count").scrollIntoView({block: "start"});
}

// say shows a text in an element, which is hidden without one.
function say(id, text) {
  byId(id).textContent = text;
  byId(id).hidden = text === "";
}

// openStudy opens the study in the state, or closes what is open.
function openStudy() {
  const dialog = byId("study");
  const s = state.open === "" ? undefined : studies.find(x => x.id === state.open);
  say("trouble", state.open !== "" && !s ? "The study of this address is not on the page." : "");
  if (!s) {
    if (dialog.open) dialog.close();
    return;
  }
  const n = selection.indexOf(s),
    own = everything.filter(x => x.subject === s.subject);
  byId("study-place").textContent =
    n < 0
      ? "not among the studies shown"
      : `${(n + 1).toLocaleString("en")} of ${selection.length.toLocaleString("en")}`;
  byId("study-previous").disabled = n <= 0;
  byId("study-next").disabled = n < 0 || n === selection.length - 1;
  const charts =
    own.filter(x => x.t2.some(isNumber)).length > 1
      ? [node("figure", {class: "own"}, legend(-1), chart(own, -1, s))]
      : [];
  byId("study-content").replaceChildren(showStudy(s), ...charts);
  dialog.setAttribute("aria-label", nameOf(s));
  opener = s.id;
  if (!dialog.open) dialog.showModal();
  byId("study-content").scrollTop = 0;
}

function turnStudy(step) {
  const n = selection.findIndex(x => x.id === state.open);
  const next = n < 0 ? undefined : selection[n + step];
  if (!next) return;
  state.open = next.id;
  writeAddress();
  openStudy();
}

// closed returns to the row of the study, on whose page the table then is.
function closed() {
  if (state.open === "") return;
  state.open = "";
  const n = selection.findIndex(x => x.id === opener);
  if (state.view === "table" && n >= 0) {
    state.page = String(Math.floor(n / pageSizes.table) + 1);
    render(false);
    for (const row of document.querySelectorAll("table.cohort tbody tr")) if (row.dataset.id === opener) row.focus();
  }
  writeAddress();
}

function listen() {
  for (const id of inputs) byId(id).addEventListener("input", () => change({[id]: byId(id).value}));
  const form = document.querySelector(".filters");
  form.addEventListener("submit", e => e.preventDefault());
  form.addEventListener("reset", () => change(Object.fromEntries(inputs.map(id => [id, ""]))));
  document.querySelector(".views").addEventListener("click", e => {
    if (e.target.dataset.view) change({view: e.target.dataset.view});
  });
  for (const end of ["", "-below"]) {
    byId("previous" + end).addEventListener("click", () => turn(-1));
    byId("next" + end).addEventListener("click", () => turn(1));
  }
  byId("content").addEventListener("click", clicked);
  byId("study-previous").addEventListener("click", () => turnStudy(-1));
  byId("study-next").addEventListener("click", () => turnStudy(1));
  byId("study-close").addEventListener("click", () => byId("study").close());
  byId("study").addEventListener("close", closed);
  byId("study").addEventListener("click", e => {
    if (e.target === byId("study")) byId("study").close();
  });
  document.addEventListener("keydown", pressed);
  addEventListener("hashchange", () => {
    state = readAddress();
    show();
    openStudy();
  });
  addEventListener("beforeprint", () => print(true));
  addEventListener("afterprint", () => print(false));
}

// print prepares the page for print, or restores it. An open study moves out of its dialog, which would be cut at the
// end of a sheet. Otherwise all selected studies are printed, but of the pictures only those that are shown.
function print(begins) {
  if (byId("study").open || !begins) {
    const [source, target] = begins ? ["study-content", "print"] : ["print", "study-content"];
    if (byId(source).childElementCount > 0) byId(target).replaceChildren(...byId(source).childNodes);
  }
  if (byId("study").open) return;
  const page = state.page;
  render(begins);
  state.page = page;
}

function clicked(e) {
  const sort = e.target.closest("button[data-sort]");
  if (sort) {
    const key = sort.dataset.sort === "subject" ? "" : sort.dataset.sort;
    const again = key === state.sort;
    change({sort: key, order: again && state.order === "" ? "descending" : ""});
    for (const b of document.querySelectorAll("button[data-sort]"))
      if (b.dataset.sort === sort.dataset.sort) b.focus();
    return;
  }
  if (e.target.closest("a")) clearTimeout(later); // it would restore the address
  const row = e.target.closest("tr[data-id]");
  if (row && !e.target.closest("a") && String(getSelection()) === "")
    visit({...state, open: row.dataset.id});
}

function pressed(e) {
  if (e.ctrlKey || e.metaKey || e.altKey) return;
  const typing = e.target.closest("input, select, textarea");
  if (byId("study").open) {
    if (e.key === "ArrowLeft" || e.key === "ArrowRight") {
      e.preventDefault();
      turnStudy(e.key === "ArrowLeft" ? -1 : 1);
    }
    return;
  }
  if (typing) {
    if (e.key === "Escape") e.target.blur();
    if (e.target.id === "q" && (e.key === "Enter" || e.key === "ArrowDown")) {
      e.preventDefault();
      moveRow(1);
    }
    return;
  }
  const row = e.target.closest("tr[data-id]");
  switch (e.key) {
    case "/":
      byId("q").focus();
      byId("q").select();
      break;
    case "ArrowDown":
      if (state.view !== "table") return;
      moveRow(1);
      break;
    case "ArrowUp":
      if (state.view !== "table") return;
      moveRow(-1);
      break;
    case "ArrowLeft":
      turn(-1);
      break;
    case "ArrowRight":
      turn(1);
      break;
    case "Enter":
      if (!row || e.target.closest("a, button")) return;
      visit({...state, open: row.dataset.id});
      break;
    default:
      return;
  }
  e.preventDefault();
}

document.addEventListener("DOMContentLoaded", start);
