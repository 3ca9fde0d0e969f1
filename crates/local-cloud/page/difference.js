// What differs between two deployments. No DOM here.

const ROUTE = {
  "leads to": (route) => route.integration?.function ?? route.integration?.type ?? "nothing",
  qualifier: (route) => route.integration?.qualifier ?? "none",
  timeout: (route) => (route.integration?.timeoutMs ? `${route.integration.timeoutMs} ms` : "default"),
  authorization: (route) => route.authorization ?? "NONE",
};

const FUNCTION = {
  version: (one) => one.version ?? "unknown",
  code: (one) => one.codeSha256 ?? "unknown",
  runtime: (one) => one.runtime ?? "none",
  memory: (one) => `${one.memoryMb} MB`,
  timeout: (one) => `${one.timeoutS} s`,
};

/** { routes, functions }, each { added, removed, changed: [{ name, changes: [{ what, from, to }] }] }. */
export function difference(from, to) {
  return {
    routes: compare(from?.routes ?? [], to?.routes ?? [], (one) => one.routeKey, ROUTE),
    functions: compare(from?.functions ?? [], to?.functions ?? [], (one) => one.functionName, FUNCTION, variables),
  };
}

function compare(before, after, nameOf, properties, more = () => []) {
  const old = new Map(before.map((one) => [nameOf(one), one]));
  const fresh = new Map(after.map((one) => [nameOf(one), one]));
  const changed = [];
  for (const [name, one] of fresh) {
    const was = old.get(name);
    if (!was) continue;
    const changes = Object.entries(properties)
      .map(([what, read]) => ({ what, from: read(was), to: read(one) }))
      .filter((change) => change.from !== change.to);
    changes.push(...more(was, one));
    if (changes.length) changed.push({ name, changes });
  }
  return {
    added: [...fresh.keys()].filter((name) => !old.has(name)),
    removed: [...old.keys()].filter((name) => !fresh.has(name)),
    changed,
  };
}

/** Of variables only the names are known. */
function variables(was, is) {
  const before = new Set(was.environmentNames ?? []);
  const after = new Set(is.environmentNames ?? []);
  return [
    ...[...after].filter((name) => !before.has(name)).map((name) => ({ what: `variable ${name}`, from: "absent", to: "there" })),
    ...[...before].filter((name) => !after.has(name)).map((name) => ({ what: `variable ${name}`, from: "there", to: "absent" })),
  ];
}

export function isEmpty({ routes, functions }) {
  return [routes, functions].every((part) => !part.added.length && !part.removed.length && !part.changed.length);
}
