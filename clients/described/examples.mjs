// The examples of errors in the documents, as the server answered the stories.
//
//   node examples.mjs RECORDED            writes them, from the answers that were recorded
//   node examples.mjs RECORDED --check    fails if one of them is not what the server answered
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';

const FILE = new URL('../../crates/server/src/described/examples.json', import.meta.url);
const [place, how] = process.argv.slice(2);

/** error → every answer that was recorded, the shortest first. */
const recorded = new Map();
for (const name of readdirSync(place).filter((one) => one.endsWith('.jsonl'))) {
  for (const line of readFileSync(`${place}/${name}`, 'utf8').trim().split('\n')) {
    const { error } = JSON.parse(line);
    recorded.set(error, (recorded.get(error) ?? new Set()).add(line));
  }
}
const first = (lines) => [...lines].sort((a, b) => a.length - b.length || (a < b ? -1 : 1))[0];

if (how === '--check') {
  const examples = JSON.parse(readFileSync(FILE, 'utf8'));
  const wrong = Object.entries(examples).filter(([error, example]) => !recorded.get(error)?.has(JSON.stringify(example)));
  // Stories meet more errors than the examples have: these are for the next time that the examples are written.
  const missing = [...recorded.keys()].filter((error) => !(error in examples));
  for (const [error, example] of wrong) console.error(`no story was answered so: ${error} ${JSON.stringify(example)}`);
  if (missing.length > 0) console.log(`described: no example yet of ${missing.sort().join(', ')}`);
  if (wrong.length > 0) process.exit(1);
  console.log(`described: ${Object.keys(examples).length} examples are as the server answers`);
} else {
  const examples = Object.fromEntries([...recorded.keys()].sort().map((error) => [error, JSON.parse(first(recorded.get(error)))]));
  writeFileSync(FILE, `${JSON.stringify(examples, null, 2)}\n`);
}
