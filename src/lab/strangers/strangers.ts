// The strangers of a run: one to three hostile peers without a key, connected with nodes from the first moment to the last.
// A stranger is no replica: it keeps what it receives and sends what attacks.ts makes of that. It has another name with every
// node. A node that finds it breaking a rule bans that name; then, and now and then by itself, the stranger comes back
// under a new one.

import type { Genesis } from '../../execution/genesis.ts'
import type { PeerId } from '../../replica/effects.ts'
import { decodeMessage, encodeMessage } from '../../replica/message-codec.ts'
import type { OutgoingMessage } from '../../replica/messages.ts'
import { type Rejection, verdictOn } from '../../replica/verdict.ts'
import { type Client, createStranger } from '../clients/workload.ts'
import type { OutsidePeers } from '../cluster/cluster.ts'
import type { SimNode } from '../cluster/sim-node.ts'
import type { Random } from '../virtual/random.ts'
import type { Schedule } from '../virtual/schedule.ts'
import { ANSWERS, ATTACKS, spoil } from './attacks.ts'
import { Overheard } from './overheard.ts'
import { type Attack, ownStatus, type Question, type Scene } from './scene.ts'
import { isStranger, nameStranger } from './stranger-name.ts'

/**
 * Milliseconds between two attacks of one stranger on average, each on one node: slow nodes (30 ms for each message) must
 * be left time for others, since what a peer may cost them is bounded outside the replica, and not simulated.
 */
const ATTACK_EVERY_MS = [150, 1_500] as const
/** Milliseconds for which a connection lasts that the node does not end, and until the next, on average. */
const STAY_MS = 60_000
const AWAY_MS = 10_000
/** Milliseconds by which an answer is late, where it is. */
const LATE_MS = 6_000
const LATE_RATE = 0.3
/** Share of the answers that make a node ask for more, where there is such an answer. */
const LURE_RATE = 0.5
/** Share of the messages whose bytes are spoilt, and of the strangers that are connected with all nodes. */
const SPOILT_RATE = 0.03
const EVERYWHERE_RATE = 0.5
/** Share of the strangers that avoid being banned. */
const CAREFUL_RATE = 0.5

/** What strangers need of their run. */
export interface StrangersOptions {
  readonly count: number
  readonly genesis: Genesis
  readonly schedule: Schedule
  /** Sends bytes to a node under one of the names. */
  readonly send: (name: PeerId, to: PeerId, bytes: Uint8Array) => void
  readonly random: Random
}

interface Link {
  readonly name: PeerId
  readonly stranger: Stranger
  readonly node: SimNode
}

interface Stranger {
  readonly index: number
  readonly account: Client
  readonly random: Random
  /** Its kinds of attack, of each kind of message one at least. */
  readonly repertoire: readonly Attack[]
  readonly everyMs: number
  /** Names that it had so far. */
  names: number
}

/** All strangers of one run. */
export class Strangers implements OutsidePeers {
  /** Attacks and answers by their names, and refusals for which a name was banned. */
  readonly attacks = new Map<string, number>()
  readonly denials = new Map<Rejection, number>()
  readonly #options: StrangersOptions
  readonly #overheard: Overheard
  readonly #strangers: readonly Stranger[]
  readonly #links = new Map<PeerId, Link>()

  constructor(options: StrangersOptions) {
    this.#options = options
    const { random, count } = options
    this.#overheard = new Overheard(random.stream('overheard'))
    this.#strangers = Array.from({ length: count }, (_, index) => {
      const own = random.stream(String(index + 1))
      return {
        index,
        account: createStranger(index),
        random: own,
        repertoire: drawRepertoire(own.stream('repertoire')),
        everyMs: own.between(...ATTACK_EVERY_MS),
        names: 0,
      }
    })
  }

  /** Connects with nodes, and attacks from now on. */
  start(nodes: readonly SimNode[]): void {
    for (const stranger of this.#strangers) {
      const { random } = stranger
      const known = random.chance(EVERYWHERE_RATE)
        ? nodes
        : random.shuffle(nodes).slice(0, random.integer(1, nodes.length))
      for (const node of known) this.#comeBack(stranger, node, random.between(0, AWAY_MS))
      this.#goOn(stranger)
    }
  }

  has(name: PeerId): boolean {
    return isStranger(name)
  }

  /** The names under which strangers are connected with a node. */
  namesAt(node: PeerId): PeerId[] {
    return [...this.#links.values()].filter(link => link.node.id === node).map(({ name }) => name)
  }

  /** Whether a stranger is connected with a node under this name. */
  isLinked(name: PeerId, node: PeerId): boolean {
    return this.#links.get(name)?.node.id === node
  }

  /** A node says something to one of them. */
  receive(name: PeerId, bytes: Uint8Array): void {
    const link = this.#links.get(name)
    const message = decodeMessage(bytes)
    if (link === undefined || typeof message === 'string') return
    this.#overheard.note(message)
    if (ANSWERS[message.type].length > 0) this.#answer(link, message as Question)
  }

  /** A node has refused something; it bans the name where that was no honest mistake. */
  onRefused(name: PeerId, node: SimNode, reason: Rejection): void {
    if (verdictOn(reason) === 'ignore' || !this.isLinked(name, node.id)) return
    this.denials.set(reason, (this.denials.get(reason) ?? 0) + 1)
    this.disconnect(name)
  }

  /** The connection under this name ends. */
  disconnect(name: PeerId): void {
    const link = this.#links.get(name)
    if (link === undefined || !this.#links.delete(name)) return
    const { stranger, node } = link
    // Not from within the step that asked for it.
    this.#options.schedule.after(0, () => node.input({ type: 'peer-disconnected', peer: name }))
    this.#comeBack(stranger, node, stranger.random.exponential(AWAY_MS))
  }

  /** A node is down, with all its connections. */
  onCrash(node: SimNode): void {
    for (const name of this.namesAt(node.id)) this.disconnect(name)
  }

  #comeBack(stranger: Stranger, node: SimNode, afterMs: number): void {
    const { schedule, genesis } = this.#options
    schedule.after(afterMs, () => {
      if (!node.isUp) return this.#comeBack(stranger, node, stranger.random.exponential(AWAY_MS))
      stranger.names += 1
      const name = nameStranger(stranger.index, stranger.names)
      const link = { name, stranger, node }
      this.#links.set(name, link)
      node.input({ type: 'peer-connected', peer: name })
      this.#send(link, encodeMessage({ type: 'status', status: ownStatus({ genesis }) }))
      schedule.after(stranger.random.exponential(STAY_MS), () => this.disconnect(name))
    })
  }

  #goOn(stranger: Stranger): void {
    const { random, everyMs } = stranger
    this.#options.schedule.after(random.exponential(everyMs), () => {
      this.#attack(stranger)
      this.#goOn(stranger)
    })
  }

  #attack(stranger: Stranger): void {
    const { random } = stranger
    const links = [...this.#links.values()].filter(link => link.stranger === stranger)
    if (links.length === 0) return
    const { name, make } = random.pick(stranger.repertoire)
    const messages = make(this.#sceneOf(stranger))
    if (messages.length > 0) this.#shoot(random.pick(links), name, messages)
  }

  #answer(link: Link, question: Question): void {
    const { random } = link.stranger
    const answers = ANSWERS[question.type]
    const lures = answers.filter(({ isLure }) => isLure === true)
    const { name, make } = random.pick(lures.length > 0 && random.chance(LURE_RATE) ? lures : answers)
    const delayMs = random.chance(LATE_RATE) ? random.between(0, LATE_MS) : 0
    this.#options.schedule.after(delayMs, () =>
      this.#shoot(link, name, make(question, this.#sceneOf(link.stranger))),
    )
  }

  #shoot(link: Link, name: string, messages: readonly OutgoingMessage[]): void {
    this.attacks.set(name, (this.attacks.get(name) ?? 0) + 1)
    const { random } = link.stranger
    for (const message of messages) {
      const bytes = encodeMessage(message)
      this.#send(link, random.chance(SPOILT_RATE) ? spoil(bytes, random) : bytes)
    }
  }

  #send({ name, node }: Link, bytes: Uint8Array): void {
    this.#options.send(name, node.id, bytes)
  }

  #sceneOf({ account, random }: Stranger): Scene {
    return { genesis: this.#options.genesis, account, overheard: this.#overheard, random }
  }
}

/** Some attacks of each kind. A careful stranger does nothing for which it would be banned, and so stays for long. */
function drawRepertoire(random: Random): Attack[] {
  const isCareful = random.chance(CAREFUL_RATE)
  return Object.values(ATTACKS).flatMap(attacks => {
    const known = attacks.filter(attack => !(isCareful && attack.isBlatant))
    return random.shuffle(known).slice(0, random.integer(1, known.length))
  })
}
