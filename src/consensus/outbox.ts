// The outbox of a process: each record is a `persist` of its own, so that a crash may come between two of them, and their
// order counts.

import { Outbox } from '../collections/outbox.ts'
import type { Effect } from './process.ts'

/** The effects of one step of a process in the making. */
export class ProcessOutbox<Message, Record, Output extends { readonly type: string }> extends Outbox<
  Record,
  Effect<Message, Record, Output>
> {
  constructor() {
    super(records => records.map(([key, record]) => ({ type: 'persist', key, record })))
  }

  /** Of several writes to one key the last one counts, in the last place: it may depend on records that were written between. */
  override write(key: string, record: Record | null): void {
    this.writeLast(key, record)
  }
}
