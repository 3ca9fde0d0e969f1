// Lambda's Runtime API for Node, as far as a handler that returns a promise needs it.
"use strict";

const base = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime`;
const [file, name] = process.argv[2].split(".");

async function post(path, body, headers) {
  const answer = await fetch(`${base}/${path}`, { method: "POST", body: JSON.stringify(body ?? null), headers });
  await answer.arrayBuffer();
}

async function fail(path, error) {
  const type = error.name;
  const trace = (error.stack ?? "").split("\n");
  console.error(JSON.stringify({ errorType: type, errorMessage: error.message, stack: trace }));
  const body = { errorType: type, errorMessage: error.message, trace };
  await post(path, body, { "Lambda-Runtime-Function-Error-Type": type });
}

async function main() {
  let handle;
  try {
    handle = require(`./${file}`)[name];
  } catch (error) {
    await fail("init/error", error);
    process.exit(1);
  }
  for (;;) {
    const next = await fetch(`${base}/invocation/next`);
    const id = next.headers.get("lambda-runtime-aws-request-id");
    const event = await next.json();
    try {
      await post(`invocation/${id}/response`, await handle(event, { awsRequestId: id }));
    } catch (error) {
      await fail(`invocation/${id}/error`, error);
    }
  }
}

main();
