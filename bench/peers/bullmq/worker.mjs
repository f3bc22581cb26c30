// The pipeline of a queue: a job for each slot fetches, checks and stores one reading.
import { createServer } from 'node:net';
import { Worker } from 'bullmq';
import pg from 'pg';
import { Agent, request } from 'undici';
import { QUEUE, assignment, connect } from './fleet.mjs';

const NAMES = ['temperature', 'humidity', 'co2', 'pressure', 'serial'];
const dispatcher = new Agent({
  connections: 1,
  pipelining: 0,
  connectTimeout: assignment.timeout_ms,
  headersTimeout: assignment.timeout_ms,
  bodyTimeout: assignment.timeout_ms,
});
const pool = new pg.Pool({ connectionString: assignment.postgres, max: assignment.tuning.connections });
const store = { name: 'store', text: assignment.insert };

/** The instant for which the scheduler made the job: the end of `repeat:<scheduler>:<millis>`. */
function slotOf(job) {
  return Number(job.id.slice(job.id.lastIndexOf(':') + 1));
}

function valuesOf(answer) {
  return NAMES.map((name) => {
    const value = answer[name];
    if (!Number.isFinite(value)) throw new Error(`${name} is no number: ${value}`);
    return value;
  });
}

async function read(job) {
  const requested = Date.now();
  const { statusCode, body } = await request(job.data.url, { dispatcher });
  const text = await body.text();
  const received = Date.now();
  if (statusCode !== 200) throw new Error(`the device answered ${statusCode}`);
  const times = [slotOf(job), requested, received].map((ms) => new Date(ms));
  await pool.query({ ...store, values: [job.data.number, ...times, valuesOf(JSON.parse(text))] });
}

const connection = connect();
await connection.config('SET', 'maxmemory-policy', 'noeviction'); // BullMQ demands it; the launcher's is for a cache
const worker = new Worker(QUEUE, read, { connection, concurrency: assignment.tuning.concurrency });
worker.on('error', (error) => console.error(error));
worker.on('failed', (job, error) => console.error(job?.id, error));
await worker.waitUntilReady();
const gate = createServer((socket) => socket.end()).listen(assignment.ready_port, '127.0.0.1');

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, async () => {
    gate.close();
    await worker.close();
    await connection.quit();
    await pool.end();
    await dispatcher.close();
  });
}
