/** Puts the page together: one connection, one conversation, one talk, and the views on them. */

import { MicrophoneError } from "./audio/microphone.js";
import { Connection } from "./connection.js";
import { Conversation } from "./conversation.js";
import { Person } from "./person.js";
import { Talk } from "./talk.js";
import { Timeline } from "./timeline.js";
import { asJson, asText, download } from "./transcript.js";
import { Captions } from "./view/captions.js";
import { Controls } from "./view/controls.js";
import { Devices } from "./view/devices.js";
import { byId } from "./view/dom.js";
import { MemoryDialog } from "./view/memory.js";
import { Notices } from "./view/notices.js";
import { Orb } from "./view/orb.js";
import { Panel } from "./view/panel.js";
import { PersonView } from "./view/person.js";
import { confirmErase, followTheme, onTurnChoice, openOnDemand } from "./view/settings.js";
import { TimelineView } from "./view/timeline.js";
import {
  FULL,
  LINK_NAMES,
  LOCKED,
  LOST,
  MICROPHONE_FAULTS,
  NOT_KEPT,
  STATE_NAMES,
  hintFor,
} from "./view/words.js";

const TOKEN = "voice-agent-token";
const WIDE = matchMedia("(width >= 62rem)");

const person = new Person();
const connection = new Connection(document.baseURI, person);
const conversation = new Conversation();
const talk = new Talk(connection, conversation);
const timeline = new Timeline(connection, () => talk.microphone?.level ?? 0);
const notices = new Notices(byId("notices"));
const panel = new Panel(conversation);
const personView = new PersonView(person);
const memory = new MemoryDialog(
  person,
  () => connection.token,
  () => notices.hide("memory"),
);
const devices = new Devices({ microphone: useMicrophone, speaker: useSpeaker });
const controls = new Controls(talk, {
  microphone: toggleMicrophone,
  end,
  say,
});
const orb = new Orb(/** @type {HTMLCanvasElement} */ (byId("orb")), () =>
  talk.state === "speaking" ? (talk.player?.level ?? 0) : (talk.microphone?.level ?? 0),
);
new TimelineView(byId("timeline"), timeline);
const places = { list: byId("captions"), scroll: byId("captions-scroll"), spoken: byId("spoken") };
new Captions(conversation, places, (entry) => {
  panel.choose(entry);
  openPanel(true);
});

connection.token = sessionStorage.getItem(TOKEN) ?? "";
let wantsMicrophone = false;

followTheme();
openOnDemand();
onTurnChoice((automatic) => talk.setAutomatic(automatic));
talk.addEventListener("state", render);
talk.addEventListener("state", () => timeline.playing(talk.player?.item ?? null));
talk.addEventListener("problem", ({ detail }) => notices.show("problem", detail));
talk.addEventListener("trouble", ({ detail }) =>
  notices.show("trouble", `Something failed, and the agent goes on: ${detail}`, { calm: true }),
);
talk.addEventListener("disclosure", ({ detail }) =>
  notices.show("disclosure", detail, { lasting: true, calm: true }),
);
talk.addEventListener("session", ({ detail }) => introduce(detail));
talk.addEventListener("deleted", () => notices.show("deleted", "The conversation was deleted."));
connection.addEventListener("status", followConnection);
conversation.addEventListener("change", render);
conversation.addEventListener("cleared", () => timeline.clear());

byId("start").onclick = () => begin(true);
byId("start-typing").onclick = () => begin(false);
byId("token-form").onsubmit = (event) => {
  event.preventDefault();
  connection.token = /** @type {HTMLInputElement} */ (byId("token")).value.trim();
  sessionStorage.setItem(TOKEN, connection.token);
  begin(wantsMicrophone);
};
byId("panel-toggle").onclick = () => openPanel(!document.body.classList.contains("panel-open"));
byId("panel-close").onclick = () => {
  openPanel(false);
  byId("panel-toggle").focus();
};
byId("panel").onkeydown = ({ key }) => {
  if (key === "Escape" && !WIDE.matches) byId("panel-close").click();
};
byId("download-text").onclick = () =>
  download("conversation.txt", "text/plain", asText(conversation.entries));
byId("download-json").onclick = () =>
  download("conversation.json", "application/json", asJson(conversation.turns, talk.sessions));
byId("erase").onclick = erase;
personView.lock(false);
openPanel(WIDE.matches);
render();

/** @param {boolean} withMicrophone */
async function begin(withMicrophone) {
  wantsMicrophone = withMicrophone;
  byId("token-form").hidden = true;
  byId("ways").hidden = false;
  document.body.dataset.phase = "talk";
  notices.place = byId("notices");
  try {
    await talk.prepare();
  } catch {
    const text = "This browser cannot play or record sound here; typing still works.";
    notices.show("sound", text, { lasting: true });
  }
  connection.open();
  if (!withMicrophone) byId("say").focus();
  else await useMicrophone(devices.microphone);
  if (document.body.dataset.phase === "welcome") talk.microphone?.close(); // refused meanwhile
}

/** @param {string} deviceId */
async function useMicrophone(deviceId) {
  try {
    await talk.prepare();
    await talk.microphone.open(deviceId);
    notices.hide("microphone");
    await devices.refresh();
  } catch (error) {
    const fault = error instanceof MicrophoneError ? error.fault : "failed";
    notices.show("microphone", MICROPHONE_FAULTS[fault], { lasting: true });
  }
  render();
}

function toggleMicrophone() {
  const { microphone } = talk;
  if (microphone?.isOpen) microphone.muted = !microphone.muted;
  else useMicrophone(devices.microphone);
  render();
}

/** @param {string} deviceId */
async function useSpeaker(deviceId) {
  try {
    await talk.prepare();
    await talk.player.setSpeaker(deviceId);
  } catch {
    notices.show("speaker", "That loudspeaker cannot be used. The sound stays where it was.");
  }
}

/** @param {string} text @returns {Promise<boolean>} */
async function say(text) {
  const sent = await talk.say(text);
  if (!sent) notices.show("say", "Not connected just now; your words stay here until you are.");
  return sent;
}

async function end() {
  await talk.end();
  for (const kind of ["disclosure", "memory", "trouble"]) notices.hide(kind);
  document.body.dataset.phase = "welcome";
  byId("start").focus();
  render();
}

async function erase() {
  const text =
    "All that was said, heard and thought is erased from the server and from this page. This " +
    "cannot be undone.";
  if (!(await confirmErase("Delete this conversation?", text))) return;
  byId("settings").close();
  try {
    await talk.erase();
  } catch (error) {
    const text = `Not all of the conversation could be deleted: ${error.message}`;
    notices.show("erase", text, { lasting: true });
  }
}

/** @param {import("./talk.js").Session} session */
function introduce({ engines, disclosure, profile, memory: kept, user_key: key }) {
  if (disclosure) byId("disclosure").textContent = disclosure;
  const { user } = connection;
  if (user && key) person.keep(user, key);
  personView.tell(user, kept);
  if (user && kept === "locked") {
    const action = { label: "What to do", run: () => memory.open() };
    notices.show("memory", LOCKED, { lasting: true, action });
  } else if (user && kept !== "kept") {
    notices.show("memory", NOT_KEPT, { lasting: true, calm: true });
  }
  const parts = Object.entries(engines ?? {}).map(
    ([kind, name]) => `${kind.replace("_", " ")}: ${name}`,
  );
  if (profile) parts.unshift(`Profile ${profile}`);
  byId("engines").textContent = parts.join(" · ");
}

/** @param {boolean} open */
function openPanel(open) {
  document.body.classList.toggle("panel-open", open);
  byId("panel-toggle").setAttribute("aria-expanded", String(open));
  if (open && !WIDE.matches) byId("panel-close").focus();
}

function followConnection() {
  const { status, fault, explanation } = connection;
  personView.lock(status !== "closed");
  byId("link").dataset.status = status;
  byId("link-text").textContent = fault === "full" ? "Waiting for room" : LINK_NAMES[status];
  if (status === "open") {
    notices.hide("connection");
  } else if (status === "waiting") {
    const action = { label: "Try now", run: () => connection.retry() };
    notices.show("connection", fault === "full" ? FULL : LOST, { lasting: true, action });
  } else if (status === "closed" && fault === "token") {
    askForToken();
  } else if (status === "closed" && fault === "name") {
    askForName();
  } else if (status === "closed" && fault) {
    const action = { label: "Start again", run: () => connection.open() };
    const text = explanation || "The server ended the conversation.";
    notices.show("connection", text, { lasting: true, action });
  }
}

/** Back to the welcome, for something that the server wants; the microphone closes meanwhile. */
function backToWelcome() {
  talk.microphone?.close();
  document.body.dataset.phase = "welcome";
  notices.hide("connection");
}

function askForName() {
  backToWelcome();
  personView.ask(`The server does not take this name (${connection.explanation}).`);
  render();
}

function askForToken() {
  backToWelcome();
  notices.place = byId("token-form");
  if (connection.token) notices.show("token", "The server does not accept this token.");
  sessionStorage.removeItem(TOKEN);
  connection.token = "";
  byId("token-form").hidden = false;
  byId("ways").hidden = true;
  byId("token").value = "";
  byId("token").focus();
  render();
}

function render() {
  const { state } = talk;
  const welcome = document.body.dataset.phase === "welcome";
  document.body.dataset.state = state;
  byId("state").textContent = STATE_NAMES[state];
  byId("hint").textContent = hintFor(talk);
  const reply = conversation.turns.at(-1)?.reply;
  orb.show(welcome ? "listening" : state, reply?.thought?.reply_emotion);
  controls.render();
}
