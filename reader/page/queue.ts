// The steps of the drawing that are sent to the server: strokes, undo and redo, one after the other. A step that the server
// did not answer is sent again until it does. A step that is dropped is always reported.
import * as api from "./api";
import {app, changed} from "./state";
import {apply, messageOf, reload} from "./study";
import {banner, say} from "./notice";

export type Job = {kind: "stroke"; gesture: api.Gesture} | {kind: "undo"} | {kind: "redo"};

let waiting: {job: Job; id: string}[] = [];
let isRunning = false;
let isLost = false;
const pauses = [300, 700, 1500, 2500]; // ms before the next attempts

// pending returns the gestures that the server has not confirmed.
export function pending(): api.Gesture[] {
  return waiting.flatMap(w => (w.job.kind === "stroke" ? [w.job.gesture] : []));
}

export const isEmpty = (): boolean => waiting.length === 0 && !isRunning;

// forgetLost takes the banner away when another study is opened.
export function forgetLost(): void {
  banner("lost", "bad", "");
}

// push adds a step of the open study's drawing.
export function push(job: Job): void {
  if (!app.drawing) return;
  waiting.push({job, id: app.id});
  changed("queue", "preview");
  if (!isRunning) void run();
}

async function run(): Promise<void> {
  isRunning = true;
  while (waiting.length > 0) await first();
  isRunning = false;
  changed("queue", "preview");
}

// first sends the first step until it is answered, and removes it.
async function first(): Promise<void> {
  const {job, id} = waiting[0];
  for (let attempt = 0; ; attempt++) {
    const at = app.drawing && {drawing: app.drawing.drawing, step: app.drawing.step};
    if (!at || app.id !== id) break; // the study was closed
    try {
      const step = await send(id, at, job);
      if (app.id === id) apply(step);
      if (job.kind === "stroke" && (step.changed ?? []).length === 0) say("note", reasonOf(job.gesture));
      found();
      break;
    } catch (e) {
      if (e instanceof api.Failure && e.isPassing) {
        lose(e);
        await new Promise(done => setTimeout(done, pauses[Math.min(attempt, pauses.length - 1)]));
        continue;
      }
      if (e instanceof api.Failure && e.status === 409) {
        if (await conflict(at, attempt > 0, e.message)) return; // the queue is another one now
      } else {
        const hint = e instanceof api.Failure && e.hint ? ` ${e.hint}` : "";
        say("bad", `The step was not drawn: ${messageOf(e)}${hint}`);
      }
      found();
      break;
    }
  }
  waiting.shift();
  changed("queue", "preview");
}

// reasonOf says why a gesture has probably changed nothing.
function reasonOf(g: api.Gesture): string {
  return `Nothing has changed: no voxel there is ${g.only ? "within the limits" : g.keep ? "free" : "affected"}.`;
}

function send(id: string, at: api.At, job: Job): Promise<api.Step> {
  if (job.kind === "stroke") return api.stroke(id, at, job.gesture);
  return job.kind === "undo" ? api.undo(id, at) : api.redo(id, at);
}

// conflict fetches the mask after the server has another step than this tab. If the step was sent before and the answer
// was lost, the server may have it; then the steps behind it are sent as well. Otherwise another tab has drawn, and they
// are dropped, since they were drawn on another mask. If the server has the same step, it has refused this one for another
// reason, which its message says. conflict reports whether it has emptied the queue.
async function conflict(at: api.At, wasSent: boolean, message: string): Promise<boolean> {
  for (;;) {
    try {
      await reload();
      break;
    } catch (e) {
      if (!(e instanceof api.Failure && e.isPassing)) {
        say("bad", `The mask cannot be read: ${messageOf(e)}`);
        break;
      }
      lose(e);
      await new Promise(done => setTimeout(done, pauses[1]));
    }
  }
  if (app.drawing?.drawing === at.drawing) {
    if (wasSent && app.drawing.step === at.step + 1) return false;
    if (app.drawing.step === at.step) {
      say("bad", `The step was not drawn: ${message}`);
      return false;
    }
  }
  const n = waiting.length;
  waiting = [];
  found();
  say("bad", `Another tab has drawn in this study. Its mask is shown now; ${count(n, "step")} of this tab ` +
    `${n === 1 ? "was" : "were"} not drawn.`);
  changed("queue", "preview");
  return true;
}

function lose(e: api.Failure): void {
  isLost = true;
  const n = waiting.length;
  banner("pulse", "bad", "");
  banner("lost", "bad", `${e.status === 401 ? "Your session has ended: log in again in another tab." : "The server does not answer."} ` +
    `${count(n, "step")} ${n === 1 ? "is" : "are"} kept here and sent when it is back. Do not close this tab.`);
}

function found(): void {
  if (!isLost) return;
  isLost = false;
  banner("lost", "bad", "");
  say("good", "The server is back. All steps are saved.");
}

const count = (n: number, word: string) => `${n} ${word}${n === 1 ? "" : "s"}`;

// A tab with unsaved steps is not closed without a question.
addEventListener("beforeunload", e => {
  if (!isEmpty()) e.preventDefault();
});

// settled resolves when no step waits.
export function settled(): Promise<void> {
  if (isEmpty()) return Promise.resolve();
  return new Promise(done => {
    const timer = setInterval(() => {
      if (!isEmpty()) return;
      clearInterval(timer);
      done();
    }, 20);
  });
}
