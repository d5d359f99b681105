// The page of t2map read: a reader looks at studies, draws and corrects masks, and signs them.
//
// Modules: api (the server), state (what is known, and who is told), order (orders of voxels), study, voxels and queue
// (data), pane, plate, marks, pointer and view (pictures), and one module for each part of the page. Every number of a
// result comes from the server; none is computed here.
import * as adjudicate from "./adjudicate";
import * as api from "./api";
import * as bar from "./bar";
import * as begin from "./begin";
import {openList, read} from "./display";
import * as head from "./head";
import * as keys from "./keys";
import * as list from "./list";
import {say} from "./notice";
import * as probe from "./probe";
import * as pulse from "./pulse";
import * as rail from "./rail";
import * as readout from "./readout";
import * as second from "./second";
import {app, changed} from "./state";
import * as strip from "./strip";
import {messageOf} from "./study";
import * as values from "./values";
import * as view from "./view";

async function start(): Promise<void> {
  read();
  const session = api.session();
  const items = list.fetchItems();
  try {
    await view.start();
  } catch (e) {
    say("bad", `Images cannot be shown: ${messageOf(e)} This page needs WebGL 2.`);
    throw e;
  }
  for (const part of [head, list, bar, rail, begin, readout, values, strip, second, adjudicate, keys, pulse, probe]) part.start();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => changed("display"));
  try {
    app.session = await session;
  } catch (e) {
    say("bad", `The session cannot be read: ${messageOf(e)}`);
    return;
  }
  changed("session", "list", "study", "display");
  await items;
  const id = decodeURIComponent(location.hash.slice(1));
  if (id !== "") await list.openItem(id);
  else openList(true);
}

void start();
