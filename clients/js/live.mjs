// The live view over real sockets: plans of operations by a few users each, in many windows at once, with broken
// connections and restarts; every window's replica is compared with fresh loads, and every byte with who may read it.
//
//   SYNAPTASK_BIN=… node live.mjs        LIVE_PLANS=200  LIVE_STEPS=200  LIVE_SEED=…
//
// A plan that fails is shrunk and written to `live-failure.json`; moved to `pinned/`, it is run every time.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { randomFrom, seedFromEnv } from './bulk.mjs';
import { Server } from './harness.mjs';
import { MARKER } from './simulation/canary.mjs';
import { USERS_MAX } from './simulation/plan.mjs';
import { inPython } from './simulation/python_seat.mjs';
import { Plan } from './simulation/run.mjs';
import { shrink } from './simulation/shrink.mjs';

const PLANS = Number(process.env.LIVE_PLANS ?? 200);
const STEPS = Number(process.env.LIVE_STEPS ?? 200);
const SIDE_BY_SIDE = Number(process.env.LIVE_SIDE_BY_SIDE ?? 16);
const RESTARTS = Number(process.env.LIVE_RESTARTS ?? 3);
const PINNED = new URL('pinned/', import.meta.url);
const FAILURE = new URL('live-failure.json', import.meta.url);

/** The server that plans run on, and its restarts. */
class Stage {
  constructor() {
    this.server = new Server('off');
    this.epoch = 0;
    this.down = false;
    this.up = Promise.resolve();
    this.why = new Map();
  }

  async open(userCount) {
    const name = (nth) => `live-${nth}`;
    this.users = [];
    for (let nth = 0; nth < userCount; nth += 2) {
      this.users.push(...(await Promise.all([nth, nth + 1].map((one) => this.server.addUser(name(one))))));
    }
    await this.server.up();
    return this;
  }

  /** Every batch there is, oldest first. */
  async log() {
    return this.server.cli('history', '--limit', String(2 ** 32), '--json');
  }

  /** What a power cut would do, in the middle of everything. */
  async restart() {
    this.down = true;
    this.up = (async () => {
      await this.server.kill();
      this.epoch++;
      await this.server.up();
      this.down = false;
    })();
    return this.up;
  }
}

/** Runs one plan; resolves with it, its fault if there was one, and its steps. */
async function runPlan(stage, users, { name, watched, ...how }) {
  const plan = new Plan(stage, users, { name, watched });
  let steps = how.steps ?? [];
  try {
    steps = await plan.run(how);
  } catch (error) {
    plan.fault ??= error;
    for (const seat of [...plan.seats, ...plan.witnesses]) seat.close();
  }
  return Object.assign(plan, { steps });
}

function add(total, counts) {
  for (const [name, count] of Object.entries(counts)) total[name] = (total[name] ?? 0) + count;
}

const seed = seedFromEnv('LIVE_SEED');
const startMs = Date.now();
const stage = await new Stage().open(USERS_MAX * SIDE_BY_SIDE);
const total = {};
let failed = null;
try {
  const ran = [];
  const isOver = (plan) => {
    ran.push(plan);
    if (plan.fault) failed ??= plan;
  };
  const pinned = readdirSync(PINNED).filter((file) => file.endsWith('.json'));
  for (const file of pinned) {
    const { users, watched, steps } = JSON.parse(readFileSync(new URL(file, PINNED), 'utf8'));
    isOver(await runPlan(stage, stage.users.slice(0, users), { name: file, watched, steps }));
  }
  const queue = Array.from({ length: PLANS }, (_, nth) => nth);
  let restarts = 0;
  let done = 0;
  const slots = Array.from({ length: SIDE_BY_SIDE }, async (_, slot) => {
    const own = stage.users.slice(slot * USERS_MAX, (slot + 1) * USERS_MAX);
    for (let nth = queue.shift(); nth !== undefined && !failed; nth = queue.shift()) {
      const random = randomFrom(seed + nth * 7919);
      const users = own.slice(0, 3 + (nth % (USERS_MAX - 2)));
      const plan = await runPlan(stage, users, { name: `plan ${nth}`, watched: nth % 2 === 0, count: STEPS, random });
      isOver(plan);
      add(total, plan.counts);
      done++;
      if (!failed && restarts < RESTARTS && done >= ((restarts + 1) * PLANS) / (RESTARTS + 1)) {
        restarts++;
        await stage.restart();
      }
    }
  });
  await Promise.all(slots);
  if (!failed) {
    const log = await stage.log();
    for (const plan of ran) plan.judge(log);
    failed = ran.find((plan) => plan.fault) ?? null;
  }
  if (failed) {
    console.error(`${failed.name} failed (seed ${seed}): ${failed.fault.stack}`);
    const again = await shrink(failed, async (steps) => {
      const alone = await new Stage().open(failed.users.length + (failed.users.length % 2));
      try {
        const ran = await runPlan(alone, alone.users.slice(0, failed.users.length), { name: 'shrunk', watched: true, steps });
        ran.judge(await alone.log());
        return ran;
      } finally {
        await alone.server.stop();
      }
    });
    console.error(again ? `shrunk to ${again.steps.length} steps: ${again.fault.stack}` : 'run alone it does not fail');
    const { users, watched, steps } = again ?? failed;
    writeFileSync(FAILURE, `${JSON.stringify({ users: users.length, watched, steps }, null, 1)}\n`);
    console.error(`the plan is in ${FAILURE.pathname}`);
    process.exitCode = 1;
  } else {
    await stage.server.kill();
    await stage.server.cli('check');
    assert.deepEqual(stage.server.log.match(MARKER), null, 'a text of an entity stands in the log');
    const seconds = ((Date.now() - startMs) / 1000).toFixed(1);
    const megabytes = (total.bytes / 1e6).toFixed(1);
    console.log(
      `live: ${PLANS} plans and ${pinned.length} pinned, ${total.operations} operations (${total.refused} refused), ${total.cuts} broken connections ` +
        `(${total.synced} caught up), ${restarts} restarts, ${total.checks} replicas held against loads (${inPython.checks} in Python), ${total.messages} messages ` +
        `(${megabytes} MB) read for canaries, ${seconds} s`,
    );
    if (process.env.LIVE_WHY) console.log([...stage.why].sort((a, b) => b[1] - a[1]).map(([why, count]) => `${count} ${why}`).join('\n'));
  }
} catch (error) {
  console.error(stage.server.log.trim().split('\n').slice(-60).join('\n'));
  console.error(error);
  process.exitCode = 1;
} finally {
  await stage.server.stop();
}
process.exit();
