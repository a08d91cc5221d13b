// One connection of the official client that remembers, in order, everything it was sent.
import assert from 'node:assert/strict';
import { io } from 'socket.io-client';
import { judged, judgedLater } from './described.mjs';

export const WAIT_MS_MAX = 10_000;

export class Client {
  constructor(url, token, { how = 'auth', transports = ['websocket'], path = '/socket.io/', ...more } = {}) {
    const options = { path, forceNew: true, reconnection: false, ...more };
    if (transports) options.transports = transports;
    if (how === 'header') options.extraHeaders = { Authorization: `Bearer ${token}` };
    if (how === 'auth') options.auth = { api_token: token };
    if (how === 'subprotocol') options.protocols = ['Bearer', token];
    this.heard = [];
    this.waiting = [];
    this.socket = io(url, options);
    this.socket.onAny((event, payload) => this.#hear(event, payload));
    this.socket.on('connect_error', (error) => this.#hear('(connect_error)', error));
    this.gone = new Promise((resolve) => this.socket.on('disconnect', resolve));
  }

  #hear(event, payload) {
    if (!event.startsWith('(')) judgedLater('event', event, payload);
    this.heard.push({ event, payload });
    for (const look of [...this.waiting]) look();
  }

  close() {
    this.socket.disconnect();
  }

  /** The first payload of `event` heard so far or from now on that `fits`. */
  async hears(event, fits = () => true, waitMs = WAIT_MS_MAX) {
    const find = () => this.heard.find((one) => one.event === event && fits(one.payload));
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = find();
        const failed = this.heard.find((one) => one.event === '(connect_error)');
        if (!found && !failed) return;
        stop();
        if (found) resolve(found.payload);
        else reject(new Error(`could not connect: ${failed.payload.message}`));
      };
      const stop = () => {
        clearTimeout(timer);
        this.waiting = this.waiting.filter((one) => one !== look);
      };
      const timer = setTimeout(() => {
        stop();
        const names = this.heard.map((one) => one.event).join(', ') || 'nothing';
        reject(new Error(`waited ${waitMs} ms for ${event}; heard: ${names}`));
      }, waitMs);
      this.waiting.push(look);
      look();
    });
  }

  all(event) {
    return this.heard.filter((one) => one.event === event).map((one) => one.payload);
  }

  /** Waits for `connected` and holds it to be a yes. */
  async welcome() {
    const connected = await this.hears('connected');
    assert.equal(connected.ok, true, `the server refused: ${JSON.stringify(connected)}`);
    return connected;
  }

  /** Resolves with the reason the connection ended for. */
  async ends(waitMs = WAIT_MS_MAX) {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`still connected after ${waitMs} ms`)), waitMs);
    });
    return Promise.race([this.gone, late]).finally(() => clearTimeout(timer));
  }

  /** Waits until a default connection has gone over from polling to websocket. */
  async upgraded() {
    const { engine } = this.socket.io;
    if (engine.transport.name === 'websocket') return;
    await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('never upgraded to websocket')), WAIT_MS_MAX);
      engine.once('upgrade', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  emit(event, payload) {
    this.socket.emit(event, payload);
  }

  /** Sends with an ack and resolves with it, yes or no. */
  async call(event, payload = {}) {
    const ack = await this.socket.timeout(WAIT_MS_MAX).emitWithAck(event, payload);
    judged('ack', event, ack);
    return ack;
  }

  /** Sends with an ack that must be a yes. */
  async does(event, payload = {}) {
    const ack = await this.call(event, payload);
    assert.equal(ack.ok, true, `${event} ${JSON.stringify(payload)} was refused: ${JSON.stringify(ack)}`);
    return ack;
  }

  /** node:add; resolves with the node's id. */
  async addNode(fields = {}) {
    const { diff } = await this.does('node:add', fields);
    return diff.nodes[0].after.id;
  }

  /** link:add; resolves with the link's id. */
  async addLink(source, target, more = {}) {
    const { diff } = await this.does('link:add', { source, target, ...more });
    return diff.links[0].after.id;
  }

  /** A connection has one line: once this read is answered, whatever was ordered before it has arrived. */
  async settled() {
    await this.does('graph:get', { limit: 1 });
  }
}
