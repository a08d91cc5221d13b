'use strict';
// Lists what /api/asyncapi.json describes: what a client sends with its ack, and what the server sends.
const make = (name, text, ...children) => {
  const element = document.createElement(name);
  if (text) element.textContent = text;
  element.append(...children);
  return element;
};
/** A sentence in which names of the API stand in backticks. */
const prose = (text) => make('p', '', ...text.split('`').map((part, nth) => (nth % 2 ? make('code', part) : part)));
const nameIn = (reference) => reference.$ref.split('/').pop();

const show = async () => {
  const document_ = await (await fetch('/api/asyncapi.json')).json();
  const { messages } = document_.channels.namespace;
  const schemas = document_.components.schemas;
  const payloadOf = (message) => {
    const { payload } = messages[nameIn(message)];
    return JSON.stringify(payload.$ref ? schemas[nameIn(payload)] : payload, null, 2);
  };
  const entry = ({ title, summary, messages: [message], reply }) => {
    const parts = [make('summary', '', make('code', title), ` ${summary}`)];
    parts.push(make('h3', 'Payload'), make('pre', payloadOf(message)));
    if (reply) parts.push(make('h3', 'Ack'), make('pre', payloadOf(reply.messages[0])));
    return make('details', '', ...parts);
  };
  const all = Object.values(document_.operations);
  const of = (action) => all.filter((operation) => operation.action === action).map(entry);
  document.getElementById('events').append(
    make('h1', document_.info.title),
    prose(document_.info.description),
    make('h2', 'What a client sends'),
    ...of('receive'),
    make('h2', 'What the server sends'),
    ...of('send'),
    make('h2', 'Shapes'),
    ...Object.entries(schemas).map(([name, schema]) =>
      make('details', '', make('summary', '', make('code', name)), make('pre', JSON.stringify(schema, null, 2)))),
  );
};
show();
