// What a reader decides on a study: sign it, ask, reject it.
import * as adjudicate from "./adjudicate";
import * as api from "./api";
import {ask, choice, field} from "./dialog";
import {el, fixed} from "./dom";
import {fetchItems, openNext} from "./list";
import {say} from "./notice";
import {isEmpty, settled} from "./queue";
import {app} from "./state";
import {reload} from "./study";

// The name is asked for once in a tab; it is kept nowhere else.
let name = "";

const text = (rows: number, isRequired: boolean) => el("textarea", {rows, required: isRequired, maxlength: 2000});

// change is the field that asks why there is another revision, null for the first one.
function changeField(): {input: HTMLTextAreaElement; field: HTMLElement} | null {
  const reads = app.study?.reads ?? [];
  if (reads.length === 0) return null;
  const input = text(2, true);
  const last = reads[reads.length - 1];
  return {input, field: field("Reason for the change", input,
    `Revision ${last.revision} was ${wordOf(last.state)} on ${dateOf(last.time)}. It stays as it is; this makes revision ${last.revision + 1}.`)};
}

const wordOf = (s: api.State) => (s === "query" ? "a query" : s);

export function dateOf(time: string): string {
  const d = new Date(time);
  return Number.isNaN(d.getTime()) ? time : d.toLocaleString("en-GB", {dateStyle: "medium", timeStyle: "short"});
}

// Shown is what a dialog shows, and what is signed: the server refuses it if it has changed since.
interface Shown {
  id: string;
  at: api.At;
  decides: string[];
}

const shown = (): Shown => ({id: app.id, at: app.drawing ? {...app.drawing} : {drawing: "", step: 0}, decides: adjudicate.sums()});

// whenSaved opens a dialog as soon as all steps are saved, if the study is still open, so that it shows what is signed.
function whenSaved(open: () => void): void {
  const {id} = app;
  if (isEmpty()) open();
  else void settled().then(() => app.id === id && open());
}

async function send({id, at, decides}: Shown, s: Partial<api.Signature> & {state: api.State}, done: string): Promise<void> {
  const signature = {name: "", meaning: "", text: "", reason: "", change: "", decides, password: "", ...s};
  let read: api.Done;
  try {
    read = await api.sign(id, at, signature);
  } catch (e) {
    if (e instanceof api.Failure && e.status === 409) {
      await Promise.all([reload().catch(() => {}), adjudicate.fetchAgain()]);
      throw new Error(`Nothing was signed: ${e.message}. The image is up to date now: close this, look at it, and sign again.`);
    }
    throw e;
  }
  say("good", `${done} as revision ${read.revision}.`);
  await fetchItems();
  if (app.id === id) await reload();
}

export const askSign = () => whenSaved(signDialog);
export const askQuery = () => whenSaved(queryDialog);
export const askReject = () => whenSaved(rejectDialog);

function signDialog(): void {
  const {session, values} = app;
  if (!app.drawing || !session || session.role === "manager") return;
  const what = shown();
  const rows = (values?.rows ?? []).filter(r => r.voxels > 0);
  const by = el("input", {type: "text", required: true, maxlength: 100, value: name, autocomplete: "name"});
  const meaning = choice(session.meanings ?? []);
  const comment = text(2, false);
  const change = changeField();
  const password = session.password ? el("input", {type: "password", required: true, maxlength: 72, autocomplete: "current-password"}) : null;
  const decision = session.role === "adjudicator" ? text(2, true) : null;
  ask({
    title: `Sign ${app.study?.name ?? ""}`,
    body: [
      rows.length > 0
        ? el("table", {class: "numbers"},
            el("thead", {}, el("tr", {}, ...["Region", "Mean T2 (ms)", "SD", "Voxels"].map(t => el("th", {scope: "col"}, t)))),
            el("tbody", {}, ...rows.map(r => el("tr", {}, el("th", {scope: "row"}, r.name), el("td", {}, fixed(r.mean_t2_ms, 1)),
              el("td", {}, fixed(r.sd_t2_ms, 1)), el("td", {}, String(r.used))))))
        : el("p", {class: "problem"}, "The mask is empty."),
      field("Your name", by),
      field("Meaning of the signature", meaning),
      ...(decision ? [field("Reason for the decision", decision)] : []),
      ...(change ? [change.field] : []),
      field("Comment (optional)", comment),
      ...(password ? [field("Your password", password)] : [])
    ],
    action: "Sign",
    run: async () => {
      name = by.value.trim();
      await send(what, {state: "signed", name, meaning: meaning.value, reason: decision?.value.trim() ?? "", password: password?.value ?? "",
        text: comment.value.trim(), change: change?.input.value.trim() ?? ""}, "Signed");
    }
  });
}

function queryDialog(): void {
  if (!app.study) return;
  const what = shown();
  const question = text(4, true);
  const change = changeField();
  ask({
    title: `Query on ${app.study?.name ?? ""}`,
    body: [field("Question", question, "The study waits for an answer. What is drawn is kept with the question."), ...(change ? [change.field] : [])],
    action: "Send query",
    run: () => send(what, {state: "query", text: question.value.trim(), change: change?.input.value.trim() ?? ""}, "The query is recorded")
  });
}

function rejectDialog(): void {
  if (!app.study) return;
  const what = shown();
  const reason = choice(app.session?.reasons ?? []);
  const comment = text(2, false);
  const change = changeField();
  ask({
    title: `Reject ${app.study?.name ?? ""}`,
    body: [field("Reason", reason), ...(change ? [change.field] : []), field("Comment (optional)", comment)],
    action: "Reject",
    run: async closed => {
      await send(what, {state: "rejected", reason: reason.value.trim(), text: comment.value.trim(), change: change?.input.value.trim() ?? ""}, "Rejected");
      if (!closed.aborted) openNext();
    }
  });
}
