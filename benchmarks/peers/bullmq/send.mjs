// Queues jobs: `node send.mjs COUNT [PAUSE]` prints the seconds and the times.
import { Queue } from "bullmq";
import { setTimeout } from "node:timers/promises";
import { QUEUE, bodyOf, connect, markOf, monotonic } from "./work.mjs";

const [count, pause] = [Number(process.argv[2]), Number(process.argv[3] ?? 0)];
const connection = connect();
const queue = new Queue(QUEUE, { connection });
await queue.waitUntilReady();
const started = monotonic();
const sent = [];
const first = pause ? 2 ** 32 : 0;
for (let place = first; place < first + count; place++) {
  if (pause) await setTimeout(pause * 1000);
  const mark = markOf(place);
  const body = bodyOf(mark);
  sent.push(monotonic());
  await queue.add("call", { body }, { jobId: mark });
}
const seconds = monotonic() - started;
await queue.close();
await connection.quit();
console.log(JSON.stringify({ seconds, sent }));
