import { ConnectionLost } from './errors.js';

/** Resolves after `ms`; rejects with the signal's reason when that is aborted first. */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal.addEventListener('abort', stop, { once: true });
  });
}

/** How long to wait before try `nth` (from 0): longer each time, and not the same for all clients at once. */
export function backoffMs(nth: number): number {
  return Math.min(10_000, 250 * 2 ** nth) * (0.5 + Math.random() / 2);
}

/** Aborted as soon as one of several is; `release` lets go of them. */
export function anySignal(...signals: (AbortSignal | undefined)[]): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController();
  const releases: (() => void)[] = [];
  for (const one of signals) {
    if (!one) continue;
    if (one.aborted) {
      controller.abort(one.reason);
      break;
    }
    const stop = () => controller.abort(one.reason);
    one.addEventListener('abort', stop, { once: true });
    releases.push(() => one.removeEventListener('abort', stop));
  }
  return { signal: controller.signal, release: () => releases.forEach((release) => release()) };
}

export const closed = (): ConnectionLost => new ConnectionLost('The client was closed.');

/** A UUID v4. (`crypto.randomUUID` exists in secure contexts alone.) */
export function uuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
