// JSON Schema, as far as the server's documents use it, to TypeScript. What it does not know it refuses.
const SCALARS = { string: 'string', integer: 'number', number: 'number', boolean: 'boolean', null: 'null' };
// What says more of a value than its type can.
const PASSED_OVER = new Set([
  'format', 'pattern', 'minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems', 'uniqueItems', 'propertyNames', 'title', 'examples',
  'exclusiveMinimum', 'exclusiveMaximum', 'maxProperties', 'minProperties', 'contentEncoding', 'contentMediaType', 'writeOnly', 'readOnly',
]);
const KNOWN = new Set(['$ref', 'const', 'enum', 'anyOf', 'oneOf', 'allOf', 'type', 'properties', 'required', 'additionalProperties', 'items', 'description', 'default']);

const quoted = (name) => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name));
const isUnion = (type) => / [|&] /.test(type);
const all = (types, sign) => {
  const distinct = [...new Set(types)];
  if (distinct.length === 1) return distinct[0];
  return distinct.map((type) => (isUnion(type) ? `(${type})` : type)).join(` ${sign} `);
};
/** At least one of some fields: the types of the fields themselves cannot say so. */
const isAboutPresence = (schemas) => schemas.every((schema) => Object.keys(schema).join() === 'required');

/** The comment of something described. */
export function doc({ description, default: fallback }, indent = '') {
  const words = [description, fallback !== undefined && fallback !== null && `Default: ${JSON.stringify(fallback)}.`].filter(Boolean);
  return words.length === 0 ? '' : `${indent}/** ${words.join(' ').replaceAll('*/', '*\\/').replace(/\s+/g, ' ')} */\n`;
}

/** The type of what a schema describes. */
export function typeOf(schema, indent = '') {
  if (schema === true) return 'unknown';
  for (const keyword of Object.keys(schema)) {
    if (!KNOWN.has(keyword) && !PASSED_OVER.has(keyword)) throw new Error(`no type is known for the keyword ${keyword}: ${JSON.stringify(schema)}`);
  }
  if (schema.$ref) return schema.$ref.split('/').at(-1);
  if ('const' in schema) return JSON.stringify(schema.const);
  if (schema.enum) return all(schema.enum.map((value) => JSON.stringify(value)), '|');
  const parts = [];
  for (const keyword of ['anyOf', 'oneOf']) {
    if (schema[keyword] && !isAboutPresence(schema[keyword])) parts.push(all(schema[keyword].map((one) => typeOf(one, indent)), '|'));
  }
  if (schema.allOf) parts.push(...schema.allOf.map((one) => typeOf(one, indent)));
  const types = [schema.type ?? (schema.properties ? 'object' : [])].flat();
  if (types.length > 0) parts.push(all(types.map((type) => ofType(type, schema, indent)), '|'));
  return parts.length === 0 ? 'unknown' : all(parts, '&');
}

function ofType(type, schema, indent) {
  if (SCALARS[type]) return SCALARS[type];
  if (type === 'array') {
    const items = typeOf(schema.items ?? true, indent);
    return isUnion(items) ? `(${items})[]` : `${items}[]`;
  }
  if (type === 'object') return objectOf(schema, indent);
  throw new Error(`no type is known for ${type}`);
}

function objectOf({ properties = {}, required = [], additionalProperties = true }, indent) {
  const inner = `${indent}  `;
  const own = Object.entries(properties).map(([name, schema]) => {
    const mark = required.includes(name) ? '' : '?';
    return `${doc(schema, inner)}${inner}${quoted(name)}${mark}: ${typeOf(schema, inner)};\n`;
  });
  const more = additionalProperties === false ? null : typeOf(additionalProperties, inner);
  if (own.length === 0) return more === null ? 'Record<string, never>' : `Record<string, ${more}>`;
  // With fields of its own, what else there is can be anything.
  if (more !== null) own.push(`${inner}[field: string]: unknown;\n`);
  return `{\n${own.join('')}${indent}}`;
}

/** The declaration of a named schema. */
export function declared(name, schema) {
  const type = typeOf(schema);
  return `${doc({ description: schema.description })}${type.startsWith('{') && !isUnion(type.replace(/\{[^]*\}/, '')) ? `export interface ${name} ${type}` : `export type ${name} = ${type};`}\n`;
}
