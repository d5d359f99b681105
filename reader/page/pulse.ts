// The pulse of the open study: are there other tabs, and have they drawn?
import * as api from "./api";
import {banner, say} from "./notice";
import {isEmpty} from "./queue";
import {app} from "./state";
import {reload} from "./study";

const every = 2000; // ms
const tab = Array.from(crypto.getRandomValues(new Uint8Array(8)), b => b.toString(16).padStart(2, "0")).join("");
let missed = 0;

// leave tells the server that this tab no longer shows a study.
export const leave = (id: string) => api.leave(id, tab);

async function beat(): Promise<void> {
  const {id, study} = app;
  if (!study) return; // hidden tabs are counted too
  const step = app.drawing?.step;
  let pulse: api.Pulse;
  try {
    pulse = await api.pulse(id, tab);
  } catch (e) {
    if (e instanceof api.Failure && e.isPassing && ++missed >= 2 && isEmpty()) {
      banner("pulse", "bad", e.status === 401 ? "Your session has ended. Log in again in another tab." :
        "The server does not answer. What you draw is kept in this tab until it is back.");
    }
    return;
  }
  missed = 0;
  banner("pulse", "bad", "");
  if (app.id !== id) return;
  banner("tabs", "note", pulse.tabs > 0 ? "This study is open in another tab as well. Draw in one of them only." : "");
  if (!isEmpty() || app.drawing?.step !== step) return; // this tab has drawn meanwhile
  const here = app.drawing;
  if ((here?.drawing ?? "") === pulse.drawing && (!here || here.step === pulse.step)) return;
  if (!here && pulse.drawing === "") return;
  try {
    await reload();
    say("note", "Another tab has drawn in this study. Its mask is shown now.");
  } catch {
    // The next beat tries again.
  }
}

export function start(): void {
  const again = () => void beat().finally(() => setTimeout(again, every));
  setTimeout(again, every);
  addEventListener("pagehide", () => {
    if (app.id) leave(app.id);
  });
}
