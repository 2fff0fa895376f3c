// What goes wrong in a run: every kind of fault can be asked for alone, and how bad it is depends on the seed
// (swarm testing: Groce et al., ISSTA 2012), so that some runs have one plague and others all of them.

import type { Random } from '../virtual/random.ts'

/** The kinds of fault, by the names the command line knows. */
export const FAULT_KINDS = [
  'loss',
  'delay',
  'duplication',
  'reordering',
  'partition',
  'crash',
  'clock',
  'disk',
] as const

/** More kinds, which swarm runs draw besides, and which have to be asked for by name. */
export const RARE_FAULT_KINDS = [
  'mute',
  'clog',
  'pause',
  'clock-step',
  'disk-loss',
  'bridge',
  'replay',
  'slow-disk',
  'ring',
  'flap',
  'damage',
  'full-link',
  'slow-cpu',
  'crash-loop',
  'disk-failure',
  'clock-stop',
  'wrong-hour',
  'bit-rot',
  'strangers',
] as const

/** One kind of fault. */
export type FaultKind = (typeof FAULT_KINDS)[number] | (typeof RARE_FAULT_KINDS)[number]

/** Strangers in one run at most. */
const STRANGERS_MAX = 3

/** How bad each fault is in one run. */
export interface FaultPlan {
  /** Share of messages that never arrive. */
  readonly lossRate: number
  /** Milliseconds that every message takes at least, and on top of that on average. */
  readonly delayMinMs: number
  readonly delayMeanMs: number
  /** Share of messages that take ten seconds more. */
  readonly tailRate: number
  /** Share of messages that arrive a second time, later. */
  readonly duplicateRate: number
  /** Whether a link may hand over messages in another order than they were sent. */
  readonly mayReorder: boolean
  /** Milliseconds on average between partitions (null: none) and until one heals. */
  readonly partitionEveryMs: number | null
  readonly partitionMeanMs: number
  /** Milliseconds on average between crashes (null: none) and until the node is back. */
  readonly crashEveryMs: number | null
  readonly downMeanMs: number
  /** Share of votes right after which the validator crashes: what it remembers of them then is all that counts. */
  readonly voteCrashRate: number
  /** Milliseconds by which a node's clock may be off, either way. */
  readonly clockOffsetMaxMs: number
  /** Whether a crash may leave some of what was not synced, from the oldest on; otherwise it takes all of it. */
  readonly keepsUnsynced: boolean
  /** Milliseconds on average between times when messages from some nodes reach no other (null: none). */
  readonly muteEveryMs: number | null
  /** The same of times when links are closed one by one. */
  readonly clogEveryMs: number | null
  /** The same of pauses, in which a node does nothing. */
  readonly pauseEveryMs: number | null
  /** The same of clocks that are set wrong; and the parts per million by which clocks run wrong at most. */
  readonly clockStepEveryMs: number | null
  readonly clockDriftMaxPpm: number
  /** The same of disks that lose all or are exchanged for an old copy. */
  readonly diskLossEveryMs: number | null
  /** The same of partitions in which one node reaches both sides. */
  readonly bridgeEveryMs: number | null
  /** Share of messages that arrive once more long afterwards, when no node waits for them. */
  readonly replayRate: number
  /** Milliseconds that a synced write takes on average. */
  readonly syncMeanMs: number
  /** The same as the others of times when each node reaches those next to it in a ring only: a majority. */
  readonly ringEveryMs: number | null
  /** The same of times when the network is cut and whole again many times a second. */
  readonly flapEveryMs: number | null
  /** Share of messages that arrive damaged, so that their connection ends. */
  readonly damageRate: number
  /** Messages on their way on one link at most, any more being lost; null for as many as there are. */
  readonly linkCapacity: number | null
  /** Milliseconds that the slowest node may work at each thing that happens to it. */
  readonly stepMaxMs: number
  /** The same as the others of nodes that crash again and again as soon as they are back. */
  readonly crashLoopEveryMs: number | null
  /** The same of disks whose syncs fail for a while. */
  readonly diskFailureEveryMs: number | null
  /** The same of clocks that stand still for a while. */
  readonly clockStopEveryMs: number | null
  /** The same of times when one clock, always of the same node, is wrong by up to an hour. */
  readonly wrongHourEveryMs: number | null
  /** The same of disks of which one bit of one record flips. */
  readonly bitRotEveryMs: number | null
  /** Peers without a key that mean harm; they do not end with the faults. */
  readonly strangers: number
}

/** A quiet local network. */
export const NO_FAULTS: FaultPlan = {
  lossRate: 0,
  delayMinMs: 1,
  delayMeanMs: 2,
  tailRate: 0,
  duplicateRate: 0,
  mayReorder: false,
  partitionEveryMs: null,
  partitionMeanMs: 0,
  crashEveryMs: null,
  downMeanMs: 0,
  voteCrashRate: 0,
  clockOffsetMaxMs: 0,
  keepsUnsynced: false,
  muteEveryMs: null,
  clogEveryMs: null,
  pauseEveryMs: null,
  clockStepEveryMs: null,
  clockDriftMaxPpm: 0,
  diskLossEveryMs: null,
  bridgeEveryMs: null,
  replayRate: 0,
  syncMeanMs: 1,
  ringEveryMs: null,
  flapEveryMs: null,
  damageRate: 0,
  linkCapacity: null,
  stepMaxMs: 0,
  crashLoopEveryMs: null,
  diskFailureEveryMs: null,
  clockStopEveryMs: null,
  wrongHourEveryMs: null,
  bitRotEveryMs: null,
  strangers: 0,
}

/** A network without chance, in which all that is sent together arrives together: for counting. */
export const LOCKSTEP: FaultPlan = { ...NO_FAULTS, delayMinMs: 3, delayMeanMs: 0 }

/** How bad the chosen faults are under one seed. */
export function drawFaults(kinds: ReadonlySet<FaultKind>, random: Random, blockTimeMs: number): FaultPlan {
  const { lossRate, delayMinMs, delayMeanMs, tailRate, duplicateRate, mayReorder, ...rest } = NO_FAULTS
  const isSlow = kinds.has('delay')
  return {
    lossRate: kinds.has('loss') ? random.between(0, 0.3) : lossRate,
    delayMinMs: isSlow ? random.between(0, 30) : delayMinMs,
    delayMeanMs: isSlow ? random.between(30, 100) : delayMeanMs,
    tailRate: isSlow ? random.between(0, 0.01) : tailRate,
    duplicateRate: kinds.has('duplication') ? random.between(0, 0.5) : duplicateRate,
    mayReorder: kinds.has('reordering') ? true : mayReorder,
    partitionEveryMs: kinds.has('partition') ? random.between(8, 25) * blockTimeMs : rest.partitionEveryMs,
    partitionMeanMs: random.between(1, 4) * blockTimeMs,
    crashEveryMs: kinds.has('crash') ? random.between(2, 10) * blockTimeMs : rest.crashEveryMs,
    downMeanMs: random.between(0.2, 3) * blockTimeMs,
    // Beyond what the rules allow a block's time to be ahead: such a node's blocks have to wait.
    clockOffsetMaxMs: kinds.has('clock') ? random.between(0, 25_000) : rest.clockOffsetMaxMs,
    keepsUnsynced: kinds.has('disk'),
    voteCrashRate:
      kinds.has('crash') && random.chance(0.5) ? random.between(0.002, 0.03) : rest.voteCrashRate,
    ...drawRareFaults(kinds, random, blockTimeMs),
  }
}

/** How bad those faults are that have to be asked for by name: each has a stream of its own. */
function drawRareFaults(kinds: ReadonlySet<FaultKind>, random: Random, blockTimeMs: number) {
  const every = (kind: FaultKind): number | null =>
    kinds.has(kind) ? random.stream(kind).between(3, 15) * blockTimeMs : null
  const share = (kind: FaultKind, min: number, max: number): number =>
    kinds.has(kind) ? random.stream(kind).between(min, max) : 0
  return {
    muteEveryMs: every('mute'),
    clogEveryMs: every('clog'),
    pauseEveryMs: every('pause'),
    clockStepEveryMs: every('clock-step'),
    clockDriftMaxPpm: kinds.has('clock-step') ? random.stream('drift').between(0, 500) : 0,
    diskLossEveryMs: every('disk-loss'),
    bridgeEveryMs: every('bridge'),
    replayRate: share('replay', 0.001, 0.02),
    syncMeanMs: kinds.has('slow-disk')
      ? 10 ** random.stream('slow-disk').between(0.5, 2.5)
      : NO_FAULTS.syncMeanMs,
    ringEveryMs: every('ring'),
    flapEveryMs: every('flap'),
    damageRate: share('damage', 0.0001, 0.001),
    linkCapacity: kinds.has('full-link') ? random.stream('full-link').integer(2, 20) : null,
    stepMaxMs: share('slow-cpu', 2, 30),
    crashLoopEveryMs: every('crash-loop'),
    diskFailureEveryMs: every('disk-failure'),
    clockStopEveryMs: every('clock-stop'),
    wrongHourEveryMs: every('wrong-hour'),
    bitRotEveryMs: every('bit-rot'),
    strangers: kinds.has('strangers') ? random.stream('strangers').integer(1, STRANGERS_MAX) : 0,
  }
}
