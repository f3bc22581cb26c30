// What both programs of this peer know: their assignment (a JSON file, see bench/peers/assignment.py) and the queue.
import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';

export const QUEUE = 'chambers';
export const assignment = JSON.parse(readFileSync(process.argv[2], 'utf8'));

/** A connection as BullMQ wants it: a blocking command must never give up. */
export function connect() {
  return new Redis(assignment.redis, { maxRetriesPerRequest: null });
}
