// What needs no browser.

import assert from "node:assert/strict";

const from = (name) => import(new URL(`../../crates/local-cloud/page/${name}`, import.meta.url));

export async function units(checks) {
  const { difference, isEmpty } = await from("difference.js");
  const { filterOf, rowOf } = await from("rows.js");
  const { duration, pretty } = await from("format.js");
  const one = (version, more = {}) => ({ functionName: "room", version, codeSha256: "a", runtime: "r", memoryMb: 128, timeoutS: 3, environmentNames: ["A"], ...more });
  const route = (routeKey, qualifier) => ({ routeKey, authorization: "NONE", integration: { type: "AWS_PROXY", function: "room", qualifier } });

  await checks.check("two deployments differ in what was added, removed and changed", async () => {
    const before = { routes: [route("join", "1"), route("who", "1")], functions: [one("1")] };
    const after = { routes: [route("join", "2"), route("send", "2")], functions: [one("2", { environmentNames: ["B"] })] };
    const found = difference(before, after);
    assert.deepEqual([found.routes.added, found.routes.removed], [["send"], ["who"]]);
    assert.deepEqual(found.routes.changed, [{ name: "join", changes: [{ what: "qualifier", from: "1", to: "2" }] }]);
    assert.deepEqual(found.functions.changed[0].changes.map(({ what }) => what), ["version", "variable B", "variable A"]);
    assert.ok(isEmpty(difference(before, before)));
  });
  await checks.check("a filter wants every word, in any text, and takes no word for a pattern", async () => {
    const row = rowOf({ kind: "management", at: 0, method: "POST", status: 200, connectionId: "abc=", body: "a.b (c)" });
    const fits = (words, failedOnly = false) => filterOf({ kinds: new Set(["management"]), failedOnly, words })(row);
    assert.ok(fits("") && fits("A.B abc=") && fits("(c) post"));
    assert.ok(!fits("a.b missing") && !fits("a?b") && !fits("", true));
    assert.ok(!filterOf({ kinds: new Set(["log"]), failedOnly: false, words: "" })(row));
  });
  await checks.check("durations are short, and what isn't JSON stays as it is", async () => {
    assert.deepEqual([3.94, 28.4, 1500, null].map(duration), ["3.9 ms", "28 ms", "1.50 s", ""]);
    assert.equal(pretty("{\"a\":1}"), "{\n  \"a\": 1\n}");
    assert.equal(pretty("{cut…"), "{cut…");
  });
}
