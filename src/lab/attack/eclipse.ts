// Eclipse: a victim all of whose peers are the attacker's (E. Heilman et al., "Eclipse attacks on Bitcoin's peer-to-peer
// network", 2015). What it is shown then, what it believes, and what a payment that only it sees is worth.
//
// Virtual time. The honest nodes go on without it; the attacker mines for it, with his share of all hashes. When the
// victim has its confirmations, or the time is up, it is connected with the others again.

import { fromHex } from '../../encoding/bytes.ts'
import type { RecoveryBackend } from '../../signatures/backend.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Variant } from '../stage/variant.ts'
import { createAccounts, type PlannedTransfer, Workload } from '../stage/workload.ts'
import { BLOCK_MS, createAttackCluster } from './attack-cluster.ts'
import { type DoubleSpend, signDoubleSpend } from './double-spend-replicas.ts'

/** What became of one way of making blocks final. */
export interface EclipseRow {
  readonly mode: string
  readonly share: number
  readonly confirmations: number
  readonly runs: number
  /** Runs in which the victim saw so many confirmations of the payment; seconds until then, on average. */
  readonly confirmed: number
  readonly confirmedSeconds: number | null
  /** What those seconds should be: z blocks by the attacker's share of the hashes; null where nothing is mined. */
  readonly expectedSeconds: number | null
  /** Standard error of their mean, by theory. */
  readonly expectedError: number | null
  /** Blocks that the victim and that the honest nodes followed in that time, on average. */
  readonly victimBlocks: number
  readonly honestBlocks: number
  /** Blocks that became final for the victim and for the honest nodes, by certificate. */
  readonly victimFinal: number
  readonly honestFinal: number
  /** Runs in which the payment was called final, and in which it was gone when the victim met the others again. */
  readonly calledFinal: number
  readonly reversed: number
  /** Runs after which the victim and the others agreed on which of the two payments was made. */
  readonly recovered: number
}

/** What to try. */
export interface EclipseOptions {
  readonly variant: Variant
  readonly share: number
  readonly confirmations: number
  readonly runs: number
  readonly seed: number
  readonly backend: RecoveryBackend
  readonly onRun?: (done: number) => void
}

const HONEST = ['first', 'second', 'third', 'fourth']
const VICTIM = 'victim'
const ATTACKER = 'attacker'
const COMMON_BLOCKS = 3
/** Milliseconds between the transfers of other people, so that there is something to make final. */
const TRAFFIC_MS = 1_000
/** Milliseconds until all nodes have a transfer, and until nodes that connect have caught up. */
const GOSSIP_MS = 100
const CATCH_UP_MS = 30_000
/** How many times longer than expected the attacker tries where blocks are mined. */
const PATIENCE = 5

/** Runs the eclipses of one way of making blocks final. */
export function eclipse(options: EclipseOptions): EclipseRow {
  const { variant, share, confirmations, runs, seed, onRun } = options
  const seen: RunEnd[] = []
  const spend = signDoubleSpend(seed)
  const traffic = new Traffic(seed)
  for (let run = 0; run < runs; run++) {
    seen.push(new Eclipse(options, { spend, traffic, name: `${seed}/${share}/${run}` }).run())
    onRun?.(run + 1)
  }
  const count = (holds: (end: RunEnd) => boolean): number => seen.filter(holds).length
  const mean = (value: (end: RunEnd) => number): number =>
    seen.reduce((sum, end) => sum + value(end), 0) / runs
  const times = seen.map(({ confirmedMs }) => confirmedMs).filter(ms => ms !== null)
  const { isMined } = variant
  return {
    mode: variant.name,
    share,
    confirmations,
    runs,
    confirmed: times.length,
    confirmedSeconds:
      times.length === 0 ? null : times.reduce((sum, ms) => sum + ms, 0) / times.length / 1_000,
    expectedSeconds: isMined ? expectedMs(options) / 1_000 : null,
    expectedError: isMined ? expectedMs(options) / 1_000 / Math.sqrt(confirmations * runs) : null,
    victimBlocks: mean(end => end.victimBlocks),
    honestBlocks: mean(end => end.honestBlocks),
    victimFinal: mean(end => end.victimFinal),
    honestFinal: mean(end => end.honestFinal),
    calledFinal: count(end => end.isCalledFinal),
    reversed: count(end => end.isReversed),
    recovered: count(end => end.isRecovered),
  }
}

/** Milliseconds that the attacker alone takes for the confirmations. */
function expectedMs({ share, confirmations }: EclipseOptions): number {
  return (confirmations * BLOCK_MS) / share
}

interface RunEnd {
  readonly confirmedMs: number | null
  readonly victimBlocks: number
  readonly honestBlocks: number
  readonly victimFinal: number
  readonly honestFinal: number
  readonly isCalledFinal: boolean
  readonly isReversed: boolean
  readonly isRecovered: boolean
}

/** Transfers of another account, signed once for all runs. */
class Traffic {
  readonly sender
  readonly #workload: Workload
  readonly #signed: PlannedTransfer[] = []

  constructor(seed: number) {
    const [sender] = createAccounts(seed, 'traffic', 1)
    this.sender = sender!
    this.#workload = new Workload([this.sender], seed)
  }

  get(index: number): Uint8Array {
    while (this.#signed.length <= index) this.#signed.push(...this.#workload.plan(1))
    return fromHex(this.#signed[index]!.raw)
  }
}

class Eclipse {
  readonly #options: EclipseOptions
  readonly #spend: DoubleSpend
  readonly #traffic: Traffic
  readonly #cluster: Cluster
  #submitted = 0

  constructor(options: EclipseOptions, run: { spend: DoubleSpend; traffic: Traffic; name: string }) {
    const { variant, share, backend } = options
    this.#options = options
    this.#spend = run.spend
    this.#traffic = run.traffic
    const honest = HONEST.map(name => ({
      name,
      hashShare: (1 - share) / HONEST.length,
      isValidator: true,
    }))
    const nodes = [
      ...honest,
      { name: VICTIM, hashShare: 0, isValidator: false },
      { name: ATTACKER, hashShare: share, isValidator: false },
    ]
    const funded = [run.spend.funded, run.traffic.sender.address]
    this.#cluster = createAttackCluster({ variant, nodes, funded, seed: run.name, backend })
  }

  run(): RunEnd {
    const cluster = this.#cluster
    cluster.connectAll([...HONEST, VICTIM, ATTACKER])
    for (const name of HONEST) cluster.node(name).startMining()
    this.#submitTraffic()
    cluster.runUntil(() => this.#height(VICTIM) >= COMMON_BLOCKS, PATIENCE * 20 * BLOCK_MS)
    this.#eclipse()
    const before = this.#look()
    const startMs = cluster.schedule.nowMs
    const forMs = expectedMs(this.#options) * (this.#options.variant.isMined ? PATIENCE : 1)
    const isConfirmed = cluster.runUntil(() => this.#confirmations() >= this.#options.confirmations, forMs)
    const confirmedMs = isConfirmed ? cluster.schedule.nowMs - startMs : null
    const after = this.#look()
    const isCalledFinal = this.#isFinal()
    const wasIncluded = this.#confirmations() > 0
    this.#heal()
    return {
      confirmedMs,
      victimBlocks: after.victim - before.victim,
      honestBlocks: after.honest - before.honest,
      victimFinal: after.victimFinal - before.victimFinal,
      honestFinal: after.honestFinal - before.honestFinal,
      isCalledFinal,
      isReversed: wasIncluded && cluster.node(VICTIM).replica!.view.locate(this.#spend.payment.id) === null,
      isRecovered: this.#chosen(VICTIM) === this.#chosen(HONEST[0]!),
    }
  }

  /** Submits a transfer every second to an honest node, for as long as the run lasts. */
  #submitTraffic(): void {
    this.#cluster.submit(HONEST[0]!, this.#traffic.get(this.#submitted++))
    this.#cluster.schedule.after(TRAFFIC_MS, () => this.#submitTraffic())
  }

  /** The attacker becomes the victim's only peer; the payment goes to the victim, its rival to the others. */
  #eclipse(): void {
    const cluster = this.#cluster
    for (const name of [VICTIM, ATTACKER]) cluster.links.isolate(cluster.node(name))
    cluster.connectAll([VICTIM, ATTACKER])
    cluster.submit(VICTIM, fromHex(this.#spend.payment.raw))
    cluster.submit(HONEST[0]!, fromHex(this.#spend.rival.raw))
    cluster.runFor(GOSSIP_MS)
    cluster.node(ATTACKER).startMining()
  }

  #heal(): void {
    if (this.#options.variant.isMined) this.#cluster.node(ATTACKER).stopMining()
    this.#cluster.connectAll([...HONEST, VICTIM, ATTACKER])
    this.#cluster.runFor(CATCH_UP_MS)
  }

  #look(): { victim: number; honest: number; victimFinal: number; honestFinal: number } {
    return {
      victim: this.#height(VICTIM),
      honest: this.#height(HONEST[0]!),
      victimFinal: this.#finalHeight(VICTIM),
      honestFinal: this.#finalHeight(HONEST[0]!),
    }
  }

  #confirmations(): number {
    const place = this.#cluster.node(VICTIM).replica!.view.locate(this.#spend.payment.id)
    return place === null ? 0 : this.#height(VICTIM) - place.block.coinbase.height + 1
  }

  /** Which of the two transfers a node has in a block. */
  #chosen(name: string): 'payment' | 'rival' | null {
    const { view } = this.#cluster.node(name).replica!
    if (view.locate(this.#spend.payment.id) !== null) return 'payment'
    return view.locate(this.#spend.rival.id) === null ? null : 'rival'
  }

  #isFinal(): boolean {
    const place = this.#cluster.node(VICTIM).replica!.view.locate(this.#spend.payment.id)
    return place !== null && place.block.coinbase.height <= this.#finalHeight(VICTIM)
  }

  #height(name: string): number {
    return this.#cluster.node(name).replica!.tree.head.chained.height
  }

  #finalHeight(name: string): number {
    return this.#cluster.node(name).replica!.tree.base.chained.height
  }
}
