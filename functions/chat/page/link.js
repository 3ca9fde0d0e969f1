// The connection to a stage of the chat: joins its room, joins again when it was cut, and says
// again what was not acknowledged. docs/CHAT.md has the protocol.
//
// Deliberately absent: anything about how it looks.

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 15_000;
/** API Gateway closes sockets that are silent for ten minutes. */
const ALIVE_EVERY = 5 * 60_000;
/** A request that is refused because another is served is said again after a while. */
const REPEAT_AFTER = 1_500;
/** So long a goodbye is waited for. */
const GOODBYE = 6_000;
/** Who is told something hears it while the function still serves: rooms in memory refuse meanwhile. */
const SETTLE = 120;
const HISTORY = 50;
const SESSION = "chat-session";

function random() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** With it, ids of messages hold across connections of this window. No other stage is told. */
function session(url) {
  try {
    const name = `${SESSION} ${url}`;
    let kept = sessionStorage.getItem(name);
    if (!kept) {
      kept = random();
      sessionStorage.setItem(name, kept);
    }
    return kept;
  } catch {
    return random();
  }
}

export class Link {
  /** `heard` is told of every envelope; `state` of "connecting", "open", "joined", "closed". */
  constructor({ url, room, heard, state }) {
    Object.assign(this, { url, room, heard, state });
    this.session = session(url);
    this.outbox = new Map();
    this.last = null;
    this.me = null;
    this.over = false;
    this.pause = FIRST_PAUSE;
    this.repeats = setInterval(() => this.repeat(), REPEAT_AFTER);
    this.alive = setInterval(() => this.ask({ action: "who", room: this.room }), ALIVE_EVERY);
    this.open();
  }

  open() {
    this.state("connecting");
    this.joined = false;
    let socket;
    try {
      socket = new WebSocket(this.url);
    } catch (error) {
      this.leave();
      this.state("closed", error.message);
      return;
    }
    this.socket = socket;
    socket.addEventListener("open", () => {
      this.state("open");
      this.join();
    });
    socket.addEventListener("message", ({ data }) => {
      if (this.socket === socket) this.hear(data);
    });
    socket.addEventListener("close", ({ code }) => {
      if (this.over || this.socket !== socket) return;
      this.state("closed", `Cut (${code}). Connecting again.`);
      this.timer = setTimeout(() => this.open(), this.pause);
      this.pause = Math.min(LONGEST_PAUSE, this.pause * 2);
    });
  }

  ask(request) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ ...request, format: "json" }));
  }

  join() {
    this.ask({ action: "join", room: this.room });
  }

  hear(data) {
    let told;
    try {
      told = JSON.parse(data);
    } catch {
      return undefined;
    }
    // A frame of API Gateway's own: which request it answers isn't said. What was lost is said again.
    if (!told?.type) return undefined;
    if (told.room !== undefined && told.room !== this.room) return undefined;
    if (this.over) return this.heard(told);
    if (!this.joined && (told.type === "joined" || told.code === "ALREADY_JOINED")) this.begin(told);
    if (told.type === "error" && told.code === "NOT_A_MEMBER" && this.joined) {
      this.joined = false;
      this.join();
    }
    if (told.type === "message") this.saw(told.seq);
    if (told.type === "sent" && told.id) this.outbox.delete(told.id);
    if (told.type === "error" && told.id && told.code !== "UNAVAILABLE" && told.code !== "NOT_A_MEMBER" && told.code !== "TOO_MANY_MESSAGES") this.outbox.delete(told.id);
    if (told.type === "history") this.repeatHistory(told);
    return this.heard(told);
  }

  /** The first that is heard after joining is one's own arrival. */
  begin(told) {
    this.joined = true;
    this.pause = FIRST_PAUSE;
    if (told.type === "joined") this.me = told.member.connection;
    this.state("joined");
    // Messages that came while it was cut are asked for by their number.
    this.missing = true;
    this.counted = false;
    setTimeout(() => this.repeat(), SETTLE);
  }

  /** Says again what has no answer: the chat stores a message with the same id once. */
  repeat() {
    if (this.over || this.socket?.readyState !== WebSocket.OPEN) return;
    if (!this.joined) {
      this.join();
      return;
    }
    // One at a time: rooms in memory serve one event at a time.
    if (this.missing) this.ask(this.last === null ? { action: "history", room: this.room, last: HISTORY } : { action: "history", room: this.room, after: this.last, last: 100 });
    else if (this.outbox.size) this.send(this.outbox.values().next().value);
    else if (!this.counted) this.who();
  }

  /** While earlier ones are missing, a later one doesn't say that they are here. */
  saw(seq) {
    this.seen = Math.max(this.seen ?? 0, seq);
    if (!this.missing) this.last = this.seen;
  }

  repeatHistory({ messages, more }) {
    if (!this.missing) return;
    const first = this.last === null;
    for (const { seq } of messages) this.last = Math.max(this.last ?? 0, seq);
    this.missing = more && !first;
    if (!this.missing) this.last = Math.max(this.last ?? 0, this.seen ?? 0);
    setTimeout(() => this.repeat(), SETTLE);
  }

  who() {
    this.ask({ action: "who", room: this.room });
  }

  say(text) {
    const message = { id: random(), text };
    this.outbox.set(message.id, message);
    if (this.joined) this.send(message);
    return message.id;
  }

  send({ id, text }) {
    this.ask({ action: "send", room: this.room, msg: text, id, session: this.session });
  }

  /** Says goodbye until it is heard, for a while. */
  leave() {
    if (this.over) return;
    this.over = true;
    clearInterval(this.repeats);
    clearInterval(this.alive);
    clearTimeout(this.timer);
    const goodbye = () => this.ask({ action: "leave", room: this.room });
    const again = setInterval(goodbye, REPEAT_AFTER);
    const end = () => {
      clearInterval(again);
      clearTimeout(late);
      this.socket?.close(1000);
    };
    const late = setTimeout(end, GOODBYE);
    this.heard = ({ type, code, member }) => {
      if ((type === "left" && member.connection === this.me) || code === "NOT_A_MEMBER") end();
    };
    goodbye();
  }
}
