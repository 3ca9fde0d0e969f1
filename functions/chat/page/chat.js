// The chat's page: a room, who is there, and what is said.
//
// `?url=wss://…&room=…` says where; without a URL the local cloud that serves the page is asked
// for a stage that has the chat's routes.

import { Link } from "./link.js";

const KEPT = 1_000;
const byId = (id) => document.getElementById(id);
const wanted = new URLSearchParams(location.search);

let link = null;
let people = new Map();
/** Messages by their number, and one's own without a number yet by their id. */
let bySeq = new Map();
let mine = new Map();

function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

const short = (connection) => (connection.length > 8 ? `${connection.slice(0, 7)}…` : connection);
const nameOf = ({ connection, name }) => name ?? short(connection);
const isMe = (person) => person.connection === link?.me;

/** The first stage of this local cloud that has the chat's routes. */
async function find() {
  if (wanted.get("url")) return wanted.get("url");
  try {
    const answer = await fetch("/_local/overview", { cache: "no-store" });
    if (!answer.ok) return "";
    const { apis } = await answer.json();
    const stages = apis.flatMap((api) => api.stages);
    const chat = stages.find(({ routes }) => ["join", "send"].every((key) => routes.some(({ routeKey }) => routeKey === key)));
    return (location.protocol === "https:" ? chat?.secureUrl : chat?.url) ?? "";
  } catch {
    return "";
  }
}

function show(talking) {
  byId("talk").hidden = !talking;
  byId("enter").hidden = talking;
}

function state(now, why = "") {
  const words = { connecting: "Connecting", open: "Joining", joined: "Connected", closed: why || "Not connected" };
  byId("link").dataset.state = now === "joined" ? "open" : now;
  byId("link-text").textContent = words[now];
  if (now === "joined" && link?.me) byId("me").textContent = `You are ${short(link.me)}`;
}

function enter() {
  const room = byId("room").value.trim();
  byId("problem").textContent = "";
  people = new Map();
  bySeq = new Map();
  mine = new Map();
  byId("messages").replaceChildren();
  drawWho();
  byId("room-name").textContent = room;
  document.title = `${room} · Chat`;
  show(true);
  link = new Link({ url: byId("url").value.trim(), room, heard, state });
  byId("text").focus();
}

function leave(problem = "") {
  link?.leave();
  link = null;
  show(false);
  document.title = "Chat";
  state("closed", "Not connected");
  byId("link").dataset.state = "none";
  byId("problem").textContent = problem;
  byId("room").focus();
}

const FATAL = new Set(["MALFORMED", "ROOM_FULL", "TOO_MANY_ROOMS", "NO_MORE_ROOMS"]);

function heard(told) {
  if (told.type === "joined") {
    people.set(told.member.connection, told.member);
    note(isMe(told.member) ? "You have joined." : `${nameOf(told.member)} has joined.`);
    drawWho(told.members);
  } else if (told.type === "left") {
    people.delete(told.member.connection);
    note(`${nameOf(told.member)} has left.`);
    drawWho();
  } else if (told.type === "message") {
    message(told);
  } else if (told.type === "sent") {
    sent(told);
  } else if (told.type === "members") {
    link.counted = true;
    people = new Map(told.members.map((one) => [one.connection, one]));
    drawWho(told.total);
  } else if (told.type === "history") {
    for (const one of told.messages) message(one);
    const first = Math.min(...bySeq.keys());
    byId("earlier").hidden = !Number.isFinite(first) || first <= 1;
  } else if (told.type === "error") {
    problem(told);
  }
}

function problem({ code, text, id }) {
  if (id && mine.has(id) && code !== "UNAVAILABLE" && code !== "NOT_A_MEMBER") {
    fate(mine.get(id), text, true);
  } else if (FATAL.has(code) && !link.joined) {
    leave(text);
  }
}

function at(time) {
  return new Date(time).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

function bubble(own, person, text, time) {
  const from = element("span", "from", element("b", "", own ? "You" : nameOf(person)), time ? ` ${at(time)}` : "");
  return element("div", own ? "line said-by-me" : "line", from, element("span", "text", text), " ");
}

/** In the order of their numbers, each once. */
function message({ seq, id, from, text, at: time }) {
  if (bySeq.has(seq)) return;
  const own = id !== undefined && mine.has(id) || isMe(from);
  const item = (id !== undefined && mine.get(id)) || bubble(own, from, text, time);
  if (own && id !== undefined) fate(item, "");
  item.seq = seq;
  bySeq.set(seq, item);
  const list = byId("messages");
  let before = null;
  for (let node = list.lastElementChild; node; node = node.previousElementSibling) {
    if (node === item) continue;
    if (node.seq !== undefined && node.seq < seq) break;
    if (node.seq !== undefined && node.seq > seq) before = node;
  }
  if (item.parentNode !== list || before) list.insertBefore(item, before);
  trim(list);
  newest(list);
}

function sent({ id, delivered, undelivered }) {
  const item = mine.get(id);
  if (!item) return;
  fate(item, undelivered ? `reached ${delivered}, not ${undelivered}` : "");
}

function fate(item, text, bad = false) {
  let place = item.querySelector(".fate");
  if (!place) {
    place = element("span", "fate");
    item.append(place);
  }
  place.className = bad ? "fate bad" : "fate";
  place.textContent = text;
}

function note(text) {
  const list = byId("messages");
  list.append(element("div", "line note", text));
  trim(list);
  newest(list);
}

function trim(list) {
  while (list.children.length > KEPT) list.firstElementChild.remove();
}

function newest(list) {
  list.scrollTop = list.scrollHeight;
}

function drawWho(total = people.size) {
  byId("count").textContent = total ? `(${total})` : "";
  byId("who").replaceChildren(...[...people.values()].map((one) => element("li", "", isMe(one) ? `${nameOf(one)} (you)` : nameOf(one))));
}

byId("enter").addEventListener("submit", (event) => {
  event.preventDefault();
  enter();
});
byId("leave").addEventListener("click", () => leave());
byId("earlier").addEventListener("click", () => {
  const first = Math.min(...bySeq.keys());
  const after = Math.max(0, first - 101);
  link.ask({ action: "history", room: link.room, after, last: Math.min(100, first - 1) });
});
byId("say").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = byId("text").value;
  if (!text.trim() || !link) return;
  const item = bubble(true, {}, text, Date.now());
  fate(item, "sending…");
  mine.set(link.say(text), item);
  const list = byId("messages");
  list.append(item);
  newest(list);
  byId("text").value = "";
});

if (wanted.get("room")) byId("room").value = wanted.get("room").slice(0, 64);
const found = await find();
if (!byId("url").value) byId("url").value = found;
if (found && wanted.get("room")) enter();
