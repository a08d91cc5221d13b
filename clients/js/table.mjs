// The table of operations as the binary under test prints it.
import { execFileSync } from 'node:child_process';
import { binary } from './harness.mjs';

export const TABLE = JSON.parse(execFileSync(binary(), ['operations', '--json'], { encoding: 'utf8' }));

const inputs = (row) => row.input.map((field) => field.name);

/** The names of all the fields that any operation takes. */
export const INPUTS = [...new Set(TABLE.flatMap(inputs))];

/** The names of the fields of a node that users set. */
export const NODE_FIELDS = inputs(TABLE.find((row) => row.event === 'node:add')).filter((name) => !['batchId', 'id', 'target'].includes(name));
