// A test is a story: its name says who wants what and which rule it shows.
import { after, test } from 'node:test';
import { judge, throwFaults } from './described.mjs';
import { Server } from './harness.mjs';

judge();

const LOG_LINES_SHOWN = 60;

/** Tells a story on a server, and shows the server's log where it fails. */
async function tellOn(server, t, tell) {
  const logStart = server.log.length;
  try {
    await tell();
    throwFaults();
  } catch (error) {
    const lines = server.log.slice(logStart).trim().split('\n').slice(-LOG_LINES_SHOWN);
    t.diagnostic(`the server's log during this story:\n${lines.join('\n')}`);
    throw error;
  } finally {
    for (const client of server.clients) client.close();
    server.clients.clear();
  }
}

/** Starts the server that all stories of a file share. */
export async function stage(options) {
  const server = await Server.start(options);
  after(() => server.stop());
  let count = 0;

  /** A user of one story alone, so that stories do not see each other's graphs. */
  const newUser = (name, ...more) => server.addUser(`${name}-${++count}`, ...more);
  const story = (name, tell) => test(name, (t) => tellOn(server, t, tell));
  return { server, story, newUser };
}

/** For stories that use a server up: each gets its own as argument. */
export function storyOnOwnServer(name, options, tell) {
  test(name, async (t) => {
    const server = await Server.start(options);
    try {
      await tellOn(server, t, () => tell(server));
    } finally {
      await server.stop();
    }
  });
}
