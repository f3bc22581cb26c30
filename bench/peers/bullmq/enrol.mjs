// Makes one scheduler for each chamber and ends. Again: the schedulers stay as they are.
import { Queue } from 'bullmq';
import { QUEUE, assignment, connect } from './fleet.mjs';

const AT_ONCE = 50;
const connection = connect();
const queue = new Queue(QUEUE, { connection });

async function enrol({ id, number, url, phase_ms }) {
  const every = assignment.interval_ms;
  const offset = phase_ms || every; // with 0 the scheduler would begin at once and keep that phase
  await queue.upsertJobScheduler(id, { every, offset }, {
    name: 'read',
    data: { number, url },
    opts: { removeOnComplete: true, removeOnFail: 1000 },
  });
}

for (let first = 0; first < assignment.chambers.length; first += AT_ONCE) {
  await Promise.all(assignment.chambers.slice(first, first + AT_ONCE).map(enrol));
}
await queue.close();
await connection.quit();
