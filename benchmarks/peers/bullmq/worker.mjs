// Works jobs off, BENCH_WIDTH at a time; the answer is the job's return value.
import { Worker } from "bullmq";
import { Agent, request } from "undici";
import { QUEUE, connect } from "./work.mjs";

const concurrency = Number(process.env.BENCH_WIDTH || 100);
const dispatcher = new Agent({ connections: concurrency, headersTimeout: 600_000, bodyTimeout: 600_000 });
const url = `${process.env.BENCH_ENDPOINT}/v1/responses`;
const headers = { "content-type": "application/json", authorization: "Bearer any" };

new Worker(
  QUEUE,
  async (job) => {
    const answer = await request(url, { method: "POST", headers, body: job.data.body, dispatcher });
    if (answer.statusCode !== 200) throw new Error(`answered ${answer.statusCode}`);
    return await answer.body.text();
  },
  { connection: connect(), concurrency },
);
