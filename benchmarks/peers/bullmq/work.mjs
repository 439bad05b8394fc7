// What BullMQ's client and worker have in common.
import Redis from "ioredis";

export const connect = () => new Redis(process.env.BENCH_REDIS_URL, { maxRetriesPerRequest: null });
export const QUEUE = "jobs";
const TEXT = "Tell me in one sentence what is to be seen on the attached picture of a harbour in the evening. ".repeat(4);

export const markOf = (place) => place.toString(16).padStart(32, "0");
export const bodyOf = (mark) =>
  JSON.stringify({ model: "doubao-seed-1-6-251015", input: TEXT, metadata: { mark }, stream: false });

// Seconds of the machine's monotonic clock, the one that Python's time.monotonic() reads.
export const monotonic = () => Number(process.hrtime.bigint()) / 1e9;
