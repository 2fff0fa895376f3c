// The trace of a run: every input of every node and every effect, as lines. Its hash is the proof that two runs
// were the same, to the byte.

import { sha256Stream } from '../../chain/hash.ts'
import { type Hex, toHex } from '../../encoding/bytes.ts'
import type { Effect, Input } from '../../replica/effects.ts'
import type { OutgoingMessage } from '../../replica/messages.ts'

/** Characters that are hashed together. */
const HASHED_AT_ONCE = 16_384

/** The hash of all that happened, and the last lines of it for people. */
export class Trace {
  readonly #hash = sha256Stream()
  readonly #encoder = new TextEncoder()
  readonly #recent: string[] = []
  /** Lines that are not hashed yet. */
  #waiting = ''
  readonly #recentMax: number
  lines = 0

  /** `recentMax` is the number of last lines to keep. */
  constructor(recentMax: number) {
    this.#recentMax = recentMax
  }

  add(timeMs: number, node: string, text: string): void {
    const line = `${timeMs.toFixed(3)} ${node} ${text}`
    this.#waiting += `${line}\n`
    if (this.#waiting.length >= HASHED_AT_ONCE) this.#flush()
    this.lines += 1
    this.#recent.push(line)
    if (this.#recent.length > this.#recentMax * 2) this.#recent.splice(0, this.#recentMax)
  }

  /** The SHA-256 of all lines; nothing can be added after it. */
  finish(): Hex {
    this.#flush()
    return toHex(this.#hash.digest())
  }

  #flush(): void {
    this.#hash.update(this.#encoder.encode(this.#waiting))
    this.#waiting = ''
  }

  recent(): string[] {
    return this.#recent.slice(-this.#recentMax)
  }
}

/** An input in a few words that tell it from every other. */
export function describeInput(input: Input): string {
  switch (input.type) {
    case 'start':
      return 'start'
    case 'peer-connected':
    case 'peer-disconnected':
      return `${input.type} ${input.peer}`
    case 'message':
      return `message ${input.from} ${describeMessage(input.message)}`
    case 'orphan':
      return `orphan ${input.from}`
    case 'timeout':
      return `timeout ${input.name}`
    case 'submit':
      return `submit ${input.token}`
    case 'mining':
      return `mining ${input.beneficiary} ${input.blocks}`
    case 'mined':
      return `mined ${input.templateId} ${input.nonce}`
  }
}

/** An effect in a few words. */
export function describeEffect(effect: Effect): string {
  switch (effect.type) {
    case 'persist':
      return `persist ${effect.writes.map(write => `${write.value === null ? '-' : ''}${write.key}`).join(' ')}`
    case 'send':
      return `send ${effect.to} ${describeMessage(effect.message)}`
    case 'broadcast':
      return `broadcast ${describeMessage(effect.message)}`
    case 'relay':
    case 'stop-mining':
      return effect.type
    case 'reject':
      return `reject ${effect.from} ${effect.reason}`
    case 'disconnect':
      return `disconnect ${effect.peer} ${effect.reason}`
    case 'set-timer':
      return `set-timer ${effect.name} ${effect.delayMs}`
    case 'clear-timer':
      return `clear-timer ${effect.name}`
    case 'mine':
      return `mine ${effect.template.id} on ${effect.template.header.previous}`
    case 'reply':
      return `reply ${effect.token} ${'id' in effect.result ? effect.result.id : effect.result.rejection}`
    case 'head':
      return `head ${effect.height} ${effect.id} left ${effect.reorganised}`
    case 'final':
      return `final ${effect.height} ${effect.id}`
    case 'alarm':
      return `alarm ${effect.text}`
  }
}

function describeMessage(message: OutgoingMessage): string {
  switch (message.type) {
    case 'status':
      return `status ${message.status.height} ${message.status.headId}`
    case 'get-headers':
      return `get-headers ${message.requestId} ${message.locator[0]}`
    case 'headers':
      return `headers ${message.requestId} ${message.headers.length}`
    case 'get-blocks':
      return `get-blocks ${message.requestId} ${message.ids.join(' ')}`
    case 'blocks':
      return `blocks ${message.requestId} ${message.blocks.length}`
    case 'block':
      return `block ${message.block.id}`
    case 'finality':
      return `finality ${fingerprint(message.body)} ${message.block?.id ?? ''}`
    case 'announce':
      return `announce ${message.ids.join(' ')}`
    case 'get-transactions':
      return `get-transactions ${message.requestId} ${message.ids.join(' ')}`
    case 'transactions':
      return `transactions ${message.requestId} ${message.transactions.map(tx => tx.id).join(' ')}`
  }
}

/** FNV-1a of 32 bits (Fowler, Noll, Vo), from two ends: quick, and enough to tell the messages of one run apart. */
function fingerprint(bytes: Uint8Array): string {
  let [forth, back] = [0x811c9dc5, 0x811c9dc5]
  for (let index = 0; index < bytes.length; index++) {
    forth = Math.imul(forth ^ bytes[index]!, 0x01000193)
    back = Math.imul(back ^ bytes[bytes.length - 1 - index]!, 0x01000193)
  }
  return [forth, back].map(half => (half >>> 0).toString(16).padStart(8, '0')).join('')
}
