// Double spends against a whole network in virtual time: four nodes that mine, vote or both, a merchant's among them, and
// an attacker whose node is not connected until it shows its branch. It does so as soon as the merchant has delivered and the
// branch holds more work. Where blocks are not mined the attacker can only make one without votes.

import { fromHex } from '../../encoding/bytes.ts'
import { buildTemplate, completeTemplate } from '../../replica/template.ts'
import type { RecoveryBackend } from '../../signatures/backend.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Variant } from '../stage/variant.ts'
import { BLOCK_MS, createAttackCluster } from './attack-cluster.ts'
import { hopelessGap } from './double-spend-race.ts'
import { type DoubleSpend, signDoubleSpend } from './double-spend-replicas.ts'

/** What became of the races of one setting. */
export interface NetworkRaceRow {
  readonly mode: string
  readonly share: number
  readonly races: number
  /** Races in which the merchant delivered: so many confirmations, or final where there is such a thing. */
  readonly delivered: number
  /** Those of them in which a branch with more work (or, without work, a rival block) was shown to all. */
  readonly shown: number
  /** Those of them in which it was refused, and in which the payment was gone. */
  readonly refused: number
  readonly reversed: number
}

/** What to try. */
export interface NetworkRaceOptions {
  readonly variant: Variant
  readonly share: number
  /** Confirmations that the merchant waits for where nothing is ever final. */
  readonly confirmations: number
  readonly races: number
  readonly seed: number
  readonly backend: RecoveryBackend
  readonly onRace?: (done: number) => void
}

const HONEST = ['merchant', 'second', 'third', 'fourth']
const ATTACKER = 'attacker'
/** Blocks on which all nodes agree before the race. */
const COMMON_BLOCKS = 3
/** Milliseconds after which a race is abandoned, and for which a branch is watched after it was shown. */
const RACE_MS = 1_000 * BLOCK_MS
const LOOK_MS = 15_000

/** Runs the races of one setting. */
export function raceNetworks(options: NetworkRaceOptions): NetworkRaceRow {
  const { variant, share, races, seed, onRace } = options
  let [delivered, shown, reversed] = [0, 0, 0]
  for (let race = 0; race < races; race++) {
    const end = new NetworkRace(options, `${seed}/${share}/${race}`).run()
    if (end !== 'not-delivered') delivered += 1
    if (end === 'refused' || end === 'reversed') shown += 1
    if (end === 'reversed') reversed += 1
    onRace?.(race + 1)
  }
  const refused = shown - reversed
  return { mode: variant.name, share, races, delivered, shown, refused, reversed }
}

type RaceEnd = 'not-delivered' | 'given-up' | 'refused' | 'reversed'

class NetworkRace {
  readonly #options: NetworkRaceOptions
  readonly #spend: DoubleSpend
  readonly #cluster: Cluster

  constructor(options: NetworkRaceOptions, seed: string) {
    const { variant, share, backend } = options
    this.#options = options
    this.#spend = signDoubleSpend(options.seed)
    const honest = HONEST.map(name => ({
      name,
      hashShare: (1 - share) / HONEST.length,
      isValidator: true,
    }))
    const nodes = [...honest, { name: ATTACKER, hashShare: share, isValidator: false }]
    this.#cluster = createAttackCluster({ variant, nodes, funded: [this.#spend.funded], seed, backend })
  }

  run(): RaceEnd {
    const cluster = this.#cluster
    const { isMined } = this.#options.variant
    cluster.connectAll([...HONEST, ATTACKER])
    if (isMined) this.#agree()
    cluster.links.isolate(cluster.node(ATTACKER))
    cluster.submit(ATTACKER, fromHex(this.#spend.rival.raw))
    if (isMined) this.#findFirst()
    cluster.submit('merchant', fromHex(this.#spend.payment.raw))
    for (const name of HONEST) cluster.node(name).startMining()
    const isTime = cluster.runUntil(
      () => this.#isDelivered() && (!isMined || this.#isHeavier() || this.#isHopeless()),
      RACE_MS,
    )
    if (!this.#isDelivered()) return 'not-delivered'
    if (!isTime || (isMined && !this.#isHeavier())) return 'given-up'
    this.#show()
    return HONEST.every(name => cluster.node(name).replica!.view.locate(this.#spend.payment.id) !== null)
      ? 'refused'
      : 'reversed'
  }

  /** All nodes, the attacker's too, come to follow the same few blocks. */
  #agree(): void {
    const cluster = this.#cluster
    for (const name of HONEST) cluster.node(name).startMining()
    cluster.runUntil(() => this.#height('merchant') >= COMMON_BLOCKS, RACE_MS)
    for (const name of HONEST) cluster.node(name).stopMining()
    cluster.runFor(LOOK_MS)
  }

  /** The attacker tries until he is one block ahead before he pays; only the try that succeeds is played. */
  #findFirst(): void {
    const before = this.#height(ATTACKER)
    this.#cluster.node(ATTACKER).startMining()
    this.#cluster.runUntil(() => this.#height(ATTACKER) > before, RACE_MS)
  }

  #isDelivered(): boolean {
    const { view, tree } = this.#cluster.node('merchant').replica!
    const place = view.locate(this.#spend.payment.id)
    if (place === null) return false
    const height = place.block.coinbase.height
    if (this.#options.variant.final.type === 'certificate') return tree.base.chained.height >= height
    return tree.head.chained.height - height + 1 >= this.#options.confirmations
  }

  #isHeavier(): boolean {
    const head = this.#cluster.node('merchant').replica!.tree.head.chained
    return this.#cluster.node(ATTACKER).replica!.tree.head.chained.work > head.work
  }

  #isHopeless(): boolean {
    const { share, races } = this.#options
    if (share >= 0.5) return false
    return this.#height('merchant') - this.#height(ATTACKER) >= hopelessGap(share, races)
  }

  #show(): void {
    const cluster = this.#cluster
    if (this.#options.variant.isMined) {
      cluster.node(ATTACKER).stopMining()
      cluster.connectAll([...HONEST, ATTACKER])
    } else {
      const { genesis, tree, pool } = cluster.node(ATTACKER).replica!
      const beneficiary = `0x${'0'.repeat(40)}` as const
      const nowSeconds = tree.head.block.header.time + 1
      const extraNonce = new Uint8Array(8)
      const template = buildTemplate(genesis, tree.head, pool, { beneficiary, extraNonce, nowSeconds })
      cluster.connectAll([...HONEST, ATTACKER])
      for (const name of HONEST)
        cluster.network.send(ATTACKER, [name], { type: 'block', block: completeTemplate(template, 0) })
    }
    cluster.runFor(LOOK_MS)
  }

  #height(name: string): number {
    return this.#cluster.node(name).replica!.tree.head.chained.height
  }
}
