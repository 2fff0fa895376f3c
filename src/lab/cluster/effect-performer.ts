// Performs the effects of one simulated node in virtual time, one after the other, as the loop of a real node does
// (docs/architecture.md): what stands behind a persist waits until the disk has synced. The node may crash between any two
// effects, and when a sync fails.

import { workOfTarget } from '../../chain/compact.ts'
import type { Effect, Input, MiningTemplate, TimerName } from '../../replica/effects.ts'
import type { Tag } from '../network/costs.ts'
import type { Random } from '../virtual/random.ts'
import { describeEffect } from '../virtual/trace.ts'
import { searchNonce } from './search-nonce.ts'
import type { SimHost } from './sim-host.ts'
import type { SimNode } from './sim-node.ts'

/** What a performer is made of. */
export interface EffectPerformerOptions {
  readonly node: SimNode
  readonly host: SimHost
  readonly random: Random
  /** Hashes per millisecond; with none, no search ends by itself. */
  readonly hashrate: number
  /** Whether every write takes the same time. */
  readonly isPunctual: boolean
  /** Runs an action of the node after so many milliseconds, if it has not crashed by then. */
  readonly later: (delayMs: number, action: () => void) => void
  /** Crashes the node between two effects; or because a sync failed, of which something may have become durable. */
  readonly crash: (reason: 'planned' | 'sync-failed') => void
}

/** An effect that is to be performed, and the input that caused it. */
interface Queued {
  readonly effect: Effect
  readonly tag: Tag | null
  readonly input: Input
}

/** The performer of one node. */
export class EffectPerformer {
  readonly #options: EffectPerformerOptions
  #queue: Queued[] = []
  #isSyncing = false
  #isStarting = false
  /** Effects to perform before the node crashes; null when no crash is planned. */
  #crashAfter: number | null = null
  /** Until then every sync fails. */
  #diskFailsUntilMs = 0
  /** The number of each timer that is set: one that was set again has another. */
  readonly #timers = new Map<TimerName, number>()
  #timerCount = 0
  /** The number of the search for a nonce. */
  #search = 0

  constructor(options: EffectPerformerOptions) {
    this.#options = options
  }

  /** Whether effects of the node's start are still to be performed. */
  get isStarting(): boolean {
    return this.#isStarting
  }

  /** The effects to come are those of a start. */
  start(): void {
    this.#isStarting = true
  }

  /** Takes over the effects of one step; `cause` is the tag of the message that was its input. */
  add(input: Input, effects: readonly Effect[], cause: Tag | null): void {
    const { node, host } = this.#options
    for (const effect of effects) {
      if (effect.type === 'persist') node.disk.write(effect.writes)
      // At once, as a node does: a timer that the replica has replaced must not fire while the disk is waited for.
      else if (effect.type === 'set-timer') this.#setTimer(effect.name, effect.delayMs)
      else if (effect.type === 'clear-timer') this.#timers.delete(effect.name)
      this.#queue.push({ effect, tag: host.observer.tag?.(node, effect, cause) ?? null, input })
    }
  }

  /** Performs what is queued, up to a persist that has to sync. */
  perform(): void {
    const { node, host, crash } = this.#options
    while (!this.#isSyncing && this.#queue.length > 0) {
      if (this.#crashAfter === 0) return crash('planned')
      if (this.#crashAfter !== null) this.#crashAfter -= 1
      const queued = this.#queue.shift()!
      const { effect, tag } = queued
      host.trace?.add(host.schedule.nowMs, node.id, `> ${describeEffect(effect)}`)
      host.observer.beforeEffect?.(node, effect, tag)
      this.#performOne(queued)
    }
    if (!this.#isSyncing) this.#isStarting = false
  }

  /** Makes the node crash after so many more effects. */
  planCrash(effects: number): void {
    this.#crashAfter = effects
  }

  /** Makes every sync fail for so long. */
  failDisk(forMs: number): void {
    this.#diskFailsUntilMs = this.#options.host.schedule.nowMs + forMs
  }

  healDisk(): void {
    this.#diskFailsUntilMs = 0
  }

  /** Drops everything: the process has ended. */
  clear(): void {
    this.#crashAfter = null
    this.#queue = []
    this.#isSyncing = false
    this.#timers.clear()
  }

  #performOne({ effect, tag, input }: Queued): void {
    const { node, host, later } = this.#options
    switch (effect.type) {
      case 'persist':
        this.#isSyncing = true
        return later(this.#syncMs(), () => this.#sync())
      case 'send':
        return host.send(node, effect.to, effect.message, tag)
      case 'broadcast':
        return host.broadcast(node, effect.message, tag)
      case 'disconnect':
        return host.disconnect(node, effect.peer)
      case 'relay':
        if (input.type === 'message') host.relay(node, input.message, input.from)
        return
      case 'reply':
        return host.reply(node, effect.token, effect.result)
      case 'mine':
        return this.#mine(effect.template)
      case 'stop-mining':
        this.#search += 1
        return
      case 'set-timer':
      case 'clear-timer':
      case 'reject':
      case 'head':
      case 'final':
      case 'alarm':
        return
    }
  }

  #sync(): void {
    const { node, host, crash } = this.#options
    // A process whose sync failed can't know what was written, and must not try again (PostgreSQL's fsyncgate).
    if (host.schedule.nowMs < this.#diskFailsUntilMs) return crash('sync-failed')
    node.disk.sync()
    this.#isSyncing = false
    this.perform()
  }

  #syncMs(): number {
    const { node, random, isPunctual } = this.#options
    return isPunctual ? node.syncMeanMs : random.exponential(node.syncMeanMs)
  }

  #setTimer(name: TimerName, delayMs: number): void {
    const token = ++this.#timerCount
    this.#timers.set(name, token)
    this.#options.later(delayMs, () => {
      if (this.#timers.get(name) !== token) return
      this.#timers.delete(name)
      this.#options.node.input({ type: 'timeout', name })
    })
  }

  /** A search has no memory: how long it takes is exponential, with the mean that target and hashrate give. */
  #mine({ id, header, target }: MiningTemplate): void {
    const { node, random, hashrate, later } = this.#options
    const search = ++this.#search
    if (hashrate === 0) return
    const meanMs = Number(workOfTarget(target)) / hashrate
    later(random.exponential(meanMs), () => {
      if (search === this.#search)
        node.input({ type: 'mined', templateId: id, nonce: searchNonce(header, target) })
    })
  }
}
