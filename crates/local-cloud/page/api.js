// What the page asks of the local cloud, besides the feed.

const MARK = { "x-local-cloud": "1" };
const DEADLINE = 15_000;

/** The answer's JSON, or an error with the cloud's own words. */
async function ask(method, path, body) {
  const options = { method, signal: AbortSignal.timeout(DEADLINE), cache: "no-store" };
  if (method !== "GET") {
    options.headers = body === undefined ? MARK : { ...MARK, "content-type": "application/json" };
    if (body !== undefined) options.body = JSON.stringify(body);
  }
  const answer = await fetch(`/_local/${path}`, options).catch((error) => {
    throw new Error(error.name === "TimeoutError" ? "The local cloud doesn't answer." : "The local cloud can't be reached.");
  });
  const text = await answer.text();
  let value = null;
  try {
    value = text ? JSON.parse(text) : null;
  } catch { /* told by its status below, or not needed */ }
  if (!answer.ok) throw new Error(value?.message ?? `The local cloud answers ${answer.status}.`);
  return value;
}

const of = encodeURIComponent;

export const overview = () => ask("GET", "overview");
export const deployments = (apiId) => ask("GET", `deployments?apiId=${of(apiId)}`);
export const invocations = () => ask("GET", "invocations");
export const resend = (requestId) => ask("POST", `invocations/${of(requestId)}/resend`);
export const cut = (connectionId) => ask("DELETE", `connections/${of(connectionId)}`);
export const faults = () => ask("GET", "faults");
export const addFault = (fault) => ask("POST", "faults", fault);
export const removeFault = (id) => ask("DELETE", `faults/${of(id)}`);
export const removeFaults = () => ask("DELETE", "faults");
