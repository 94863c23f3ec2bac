// The peer of the verification benchmark: `verify` of @octokit/webhooks, which its middleware calls too.
//
// Says that it is ready, then answers each line of input, `{"bytes":1024,"signature":"sha256=...","calls":1500}`, with
// the nanoseconds that one call took: one line is one round, so that rounds can alternate with somebody else's. The body
// is made here, as the Rust side makes it; the signature comes from there and fits only if both bodies are the same.

import { Buffer } from "node:buffer";
import process from "node:process";
import { createInterface } from "node:readline";
import { Webhooks } from "@octokit/webhooks";

const [secret] = process.argv.slice(2);
const webhooks = new Webhooks({ secret });

// From bytes to text as the middleware does it, so that it is a string of the same kind.
const decoder = new TextDecoder("utf-8", { fatal: false });
const bodies = new Map();
const bodyOf = (bytes) => {
  if (!bodies.has(bytes)) {
    bodies.set(bytes, decoder.decode(Buffer.from(Array.from({ length: bytes }, (_, index) => 32 + (index % 95)))));
  }
  return bodies.get(bytes);
};

console.log("ready");
for await (const line of createInterface({ input: process.stdin })) {
  const { bytes, signature, calls } = JSON.parse(line);
  const body = bodyOf(bytes);
  const start = process.hrtime.bigint();
  for (let call = 0; call < calls; call++) {
    if (!(await webhooks.verify(body, signature))) throw new Error("the signature is valid");
  }
  console.log(Number(process.hrtime.bigint() - start) / calls);
}
