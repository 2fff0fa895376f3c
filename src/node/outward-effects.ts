// What a replica wants done outside its disk and timers: messages to peers, mining, replies to clients, and events for the
// node's owner. Each is done at once, without waiting; the order is the performer's (performer.ts).

import type { Logger } from 'pino'
import { encodeHeader } from '../chain/header.ts'
import type { Miner } from '../mining/miner.ts'
import type { Effect } from '../replica/effects.ts'
import type { Counters } from './counters.ts'
import type { Host } from './host.ts'
import { Listeners } from './listeners.ts'
import type { OutwardEffect } from './performer.ts'
import type { Submissions } from './submissions.ts'

/** The node follows another head. */
export type HeadEvent = Extract<Effect, { type: 'head' }>
/** A block became final. */
export type FinalEvent = Extract<Effect, { type: 'final' }>

/** The parts of a node that effects go to. */
export interface OutwardParts {
  /** The host; null until it has started. */
  host(): Host | null
  readonly miner: Miner
  readonly submissions: Submissions
  readonly counters: Counters
  readonly log: Logger
}

/** Does the outward effects of one node. */
export class OutwardEffects {
  readonly heads: Listeners<HeadEvent>
  readonly finals: Listeners<FinalEvent>
  readonly alarms: Listeners<string>
  readonly #parts: OutwardParts

  constructor(parts: OutwardParts) {
    this.#parts = parts
    const onError = (error: unknown) => parts.log.error({ err: error }, 'a listener failed')
    this.heads = new Listeners(onError)
    this.finals = new Listeners(onError)
    this.alarms = new Listeners(onError)
  }

  /** Does one effect. */
  perform(effect: OutwardEffect): void {
    const { miner, submissions, counters, log } = this.#parts
    const host = this.#parts.host()
    switch (effect.type) {
      case 'send':
        return host?.send(effect.to, effect.message)
      case 'broadcast':
        return host?.broadcast(effect.message)
      case 'reject':
        return host?.admission.refuse(effect.from, effect.reason)
      case 'disconnect':
        return host?.admission.disconnect(effect.peer, effect.reason)
      case 'mine': {
        const { id, header, target } = effect.template
        return miner.mine({ id, header: encodeHeader(header), target })
      }
      case 'stop-mining':
        return miner.stop()
      case 'reply':
        return submissions.onReply(effect.token, effect.result)
      case 'head':
        counters.countHead(effect.reorganised)
        return this.heads.emit(effect)
      case 'final':
        return this.finals.emit(effect)
      case 'alarm':
        log.warn(effect.text)
        return this.alarms.emit(effect.text)
    }
  }
}
