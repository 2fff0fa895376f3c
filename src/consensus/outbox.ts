// The outbox of a process: each record is a `persist` of its own.

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
}
