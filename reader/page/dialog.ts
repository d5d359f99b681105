// Dialogs: a form with a title, fields and two buttons.
import {byId, el, put} from "./dom";
import {say} from "./notice";

// Form is what a dialog asks.
export interface Form {
  title: string;
  body: HTMLElement[];
  // action is the text of the main button; without it, there is only one to close.
  action?: string;
  // run does it. The dialog stays open with the text of an error. The signal says that it was closed meanwhile.
  run?: (closed: AbortSignal) => Promise<void>;
}

const dialog = () => byId<HTMLDialogElement>("dialog");

export const isOpen = (): boolean => dialog().open;

export function ask(form: Form): void {
  const d = dialog();
  if (d.open) return;
  const closed = new AbortController();
  d.addEventListener("close", () => closed.abort(), {once: true});
  const problem = el("p", {class: "problem", role: "alert", hidden: true});
  const main = form.action ? el("button", {type: "submit", class: "action main"}, form.action) : null;
  const close = el("button", {type: "button", class: "action", onclick: () => d.close()}, form.action ? "Cancel" : "Close");
  const e = el("form", {method: "dialog"}, el("h2", {id: "dialog-title"}, form.title), ...form.body, problem,
    el("div", {class: "buttons"}, close, main));
  e.addEventListener("submit", async ev => {
    ev.preventDefault();
    if (!main || !form.run) {
      d.close();
      return;
    }
    main.disabled = true;
    problem.hidden = true;
    try {
      await form.run(closed.signal);
      if (!closed.signal.aborted) d.close();
    } catch (err) {
      problem.textContent = err instanceof Error ? err.message : String(err);
      problem.hidden = false;
      if (closed.signal.aborted) say("bad", problem.textContent);
    }
    main.disabled = false;
  });
  put(d, e);
  d.showModal();
}

// field is a labelled field with an optional explanation.
export function field(name: string, input: HTMLElement, hint = ""): HTMLElement {
  return el("label", {class: "field"}, el("span", {class: "name"}, name), input, hint && el("span", {class: "hint"}, hint));
}

// choice is a field of a list of texts, or a free text if the list is empty.
export function choice(texts: readonly string[]): HTMLSelectElement | HTMLInputElement {
  if (texts.length === 0) return el("input", {type: "text", required: true, maxlength: 500});
  const e = el("select", {required: true}, ...(texts.length > 1 ? [el("option", {value: ""}, "Choose …")] : []),
    ...texts.map(t => el("option", {value: t}, t)));
  return e;
}
