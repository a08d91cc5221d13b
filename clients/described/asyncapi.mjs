// Holds the AsyncAPI document of the binary against the official parser: anything that it warns of is a fault.
import { Parser } from '@asyncapi/parser';
import { execFileSync } from 'node:child_process';

const text = execFileSync(process.env.SYNAPTASK_BIN, ['asyncapi'], { encoding: 'utf8', maxBuffer: 1 << 26 });
const INFORMATION = 2;

/** What the parser finds wrong with a document. */
const faultsOf = async (document) => {
  const { diagnostics } = await new Parser().parse(document);
  return diagnostics.filter(({ severity }) => severity < INFORMATION);
};

const faults = await faultsOf(text);
for (const { code, path, message } of faults) console.error(`${code} at ${path.join('.')}: ${message}`);
if (faults.length > 0) process.exit(1);

// The parser sees a fault where there is one.
const broken = JSON.parse(text);
delete broken.channels.namespace.address;
broken.operations.nodeAdd.action = 'shout';
if ((await faultsOf(JSON.stringify(broken))).length === 0) throw new Error('the parser sees no fault in a broken document');
console.log('described: the AsyncAPI document is valid');
