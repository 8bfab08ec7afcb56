import { told } from './told.js';

/** One request to the ordered endpoint. Times are Unix ms. */
export interface OrderedArrival {
  key: string;
  /** 1, 2, 3, … of its key, in the order in which they were accepted. */
  seq: number;
  at: number;
  endedAt: number;
  /** Status of the answer; absent when the connection broke. */
  answered?: number | undefined;
}

/**
 * What was broken of: for one key, the next event goes only after the one before is done. None may come after a later one has begun,
 * not even as a duplicate, and none may begin before the one before it was answered with success.
 */
export function orderFaults(arrivals: readonly OrderedArrival[]): string[] {
  const broken: string[] = [];
  for (const [key, ofKey] of byKey(arrivals)) {
    let newest = 0;
    let doneAt = 0;
    for (const { seq, at, endedAt, answered } of ofKey) {
      if (seq < newest) broken.push(`${key}: ${seq} came again after ${newest}`);
      if (seq > newest + 1) broken.push(`${key}: ${seq} came after ${newest}`);
      if (seq === newest + 1 && newest > 0 && at < doneAt)
        broken.push(`${key}: ${seq} came before ${newest} was done`);
      if (seq > newest) doneAt = Infinity;
      newest = Math.max(newest, seq);
      if (seq === newest && answered === 200) doneAt = Math.min(doneAt, endedAt);
    }
  }
  return told('order of one key broken', broken);
}

function byKey(arrivals: readonly OrderedArrival[]): Map<string, OrderedArrival[]> {
  const keys = new Map<string, OrderedArrival[]>();
  for (const arrival of arrivals) keys.set(arrival.key, [...(keys.get(arrival.key) ?? []), arrival]);
  return keys;
}
