// Draws what goes wrong in single nodes: crashes, pauses, clocks and disks. Where validators agree, only
// nodes that do not vote may lose what they have stored; the others may lose whatever was not synced.

import type { SimNode } from '../cluster/sim-node.ts'
import type { Random } from '../virtual/random.ts'
import type { Draw } from './draw.ts'

/** Effects within which a planned crash happens. */
const CRASH_WITHIN_EFFECTS = 12
/** Effects within which a node crashes that has just voted. */
const CRASH_AFTER_VOTE = 2
/** Crashes of a node that does nothing but crash and start, and milliseconds that it is down, and up, between two. */
const LOOP_CRASHES = [3, 6] as const
const LOOP_DOWN_MS = [0, 500] as const
const LOOP_UP_MS = [0, 400] as const
/** Milliseconds that a node does nothing at most, as in a pause of its garbage collector, or that its clock stands still. */
const PAUSE_MAX_MS = 10_000
/** Milliseconds for which the syncs of a disk fail at most. */
const DISK_FAILURE_MAX_MS = 5_000
/** Milliseconds by which a clock is off at most after it was set wrong: see fault-plan.ts. */
const CLOCK_OFFSET_MAX_MS = 25_000
/** Times that the disk of a validator is put back at most. */
const ROLLBACKS_MAX = 3
/** The same of a clock that is set to a wrong hour, and milliseconds until an operator notices. */
const WRONG_HOUR_MS = 3_600_000
const WRONG_HOUR_FOR_MS = [1_000, 30_000] as const

/** The faults of nodes that one seed brings about. */
export class NodeFaultDraw {
  readonly #draw: Draw
  readonly #voteCrashes: Random

  constructor(draw: Draw) {
    this.#draw = draw
    this.#voteCrashes = draw.options.random.stream('vote crashes')
  }

  /** Draws from now on; `withinMs` is how long the run takes if hardly anything goes wrong. */
  start(withinMs: number): void {
    const draw = this.#draw
    const { plan, random } = draw.options
    draw.repeat(random.stream('crashes'), plan.crashEveryMs, stream => this.#crash(stream))
    this.#planAmnesia(random.stream('amnesia'), withinMs)
    this.#planRollbacks(random.stream('rollbacks'), withinMs)
    draw.repeat(random.stream('pauses'), plan.pauseEveryMs, stream => {
      const node = stream.pick(draw.nodes).id
      draw.happen({ type: 'pause', node, forMs: stream.between(0, PAUSE_MAX_MS) })
    })
    draw.repeat(random.stream('clock steps'), plan.clockStepEveryMs, stream => {
      const node = stream.pick(draw.nodes).id
      const offsetMs = stream.between(-CLOCK_OFFSET_MAX_MS, CLOCK_OFFSET_MAX_MS)
      draw.happen({ type: 'clock', node, offsetMs })
    })
    draw.repeat(random.stream('disk losses'), plan.diskLossEveryMs, stream => this.#loseDisk(stream))
    draw.repeat(random.stream('bit rot'), plan.bitRotEveryMs, stream => this.#flipBit(stream))
    draw.repeat(random.stream('crash loops'), plan.crashLoopEveryMs, stream => this.#crashAgain(stream))
    draw.repeat(random.stream('disk failures'), plan.diskFailureEveryMs, stream => {
      const node = stream.pick(draw.nodes)
      const forMs = stream.between(0, DISK_FAILURE_MAX_MS)
      draw.happen({ type: 'disk-failure', node: node.id, forMs, downMs: draw.nextDownMs(node) })
    })
    draw.repeat(random.stream('clock stops'), plan.clockStopEveryMs, stream => {
      const node = stream.pick(draw.nodes).id
      draw.happen({ type: 'clock-stop', node, forMs: stream.between(0, PAUSE_MAX_MS) })
    })
    this.#planWrongHours(random.stream('wrong hours'))
  }

  /** A node sent its so many-th vote. */
  afterVote(node: SimNode, vote: number): void {
    const draw = this.#draw
    const { voteCrashRate } = draw.options.plan
    if (voteCrashRate === 0 || !this.#voteCrashes.chance(voteCrashRate)) return
    const effects = this.#voteCrashes.integer(0, CRASH_AFTER_VOTE)
    draw.happen({ type: 'vote-crash', vote, node: node.id, effects, downMs: draw.nextDownMs(node) })
  }

  #crash(random: Random): void {
    const node = random.pick(this.#draw.nodes)
    const effects = random.integer(0, CRASH_WITHIN_EFFECTS)
    const downMs = this.#draw.nextDownMs(node)
    this.#draw.happen({ type: 'crash', node: node.id, effects, downMs })
  }

  /** A node crashes, and soon after each start again. */
  #crashAgain(random: Random): void {
    const draw = this.#draw
    const node = random.pick(draw.nodes).id
    const crash = (left: number): void => {
      const downMs = random.between(...LOOP_DOWN_MS)
      draw.happen({ type: 'crash', node, effects: random.integer(0, CRASH_WITHIN_EFFECTS), downMs })
      if (left > 1) draw.after(downMs + random.between(...LOOP_UP_MS), () => crash(left - 1))
    }
    crash(random.integer(...LOOP_CRASHES))
  }

  /**
   * One clock is wrong by up to an hour, now and then. No protocol tolerates that of many clocks: the node is one of those
   * that may be faulty, or does not vote; and where work decides, it is one of three or more.
   */
  #planWrongHours(random: Random): void {
    const draw = this.#draw
    const { roster, isAgreed, plan } = draw.options
    const faultyMax = Math.floor((roster.validators - 1) / 3)
    const mayVote = roster.liars.size < faultyMax
    const mayBeWrong = draw.nodes.filter(
      node => !isAgreed || roster.memberOf(node) === null || (mayVote && roster.isHonest(node)),
    )
    if (draw.nodes.length < 3 || mayBeWrong.length === 0) return
    const node = random.pick(mayBeWrong).id
    draw.repeat(random, plan.wrongHourEveryMs, stream => {
      draw.happen({ type: 'clock', node, offsetMs: stream.between(-WRONG_HOUR_MS, WRONG_HOUR_MS) })
      draw.after(stream.between(...WRONG_HOUR_FOR_MS), () =>
        draw.happen({ type: 'clock', node, offsetMs: 0 }),
      )
    })
  }

  #loseDisk(random: Random): void {
    const [isEmpty, node] = [random.chance(0.5), this.#whoMayForget(random)]
    if (node === null) return
    const downMs = this.#draw.nextDownMs(node)
    this.#draw.happen({ type: 'disk-loss', node: node.id, isEmpty, downMs })
  }

  #flipBit(random: Random): void {
    const [node, share] = [this.#whoMayForget(random), random.next()]
    if (node === null) return
    const [bit, downMs] = [random.integer(0, 2 ** 32), this.#draw.nextDownMs(node)]
    this.#draw.happen({ type: 'bit-rot', node: node.id, share, bit, downMs })
  }

  /** A node that votes must not forget what it said; any other node may lose everything, where enough others know it. */
  #whoMayForget(random: Random): SimNode | null {
    const { nodes, options } = this.#draw
    const { roster, isAgreed } = options
    const mayForget = nodes.filter(node => !isAgreed || roster.memberOf(node) === null)
    const node = mayForget[Math.floor(random.next() * mayForget.length)]
    return node === undefined || nodes.length <= 2 ? null : node
  }

  /** The disk of each validator with this role is put back a few times to what it was at the last start. */
  #planRollbacks(random: Random, withinMs: number): void {
    const draw = this.#draw
    const { roster, schedule } = draw.options
    for (const [index, role] of roster.liars) {
      if (role !== 'rollback') continue
      for (let left = random.integer(1, ROLLBACKS_MAX); left > 0; left--)
        schedule.after(random.between(0.1, 0.9) * withinMs, () => {
          const node = draw.nodes[index]!
          draw.happen({ type: 'disk-loss', node: node.id, isEmpty: false, downMs: draw.nextDownMs(node) })
        })
    }
  }

  /** Each forgetful validator crashes once at least, and comes back without its votes from then on. */
  #planAmnesia(random: Random, withinMs: number): void {
    const draw = this.#draw
    const { roster, schedule } = draw.options
    for (const [index, role] of roster.liars) {
      if (role !== 'amnesia') continue
      // Amnesia happens even after the faults have ended.
      schedule.after(random.between(0.1, 0.9) * withinMs, () => {
        const node = draw.nodes[index]!
        const effects = node.isUp ? random.integer(0, CRASH_WITHIN_EFFECTS) : 0
        draw.happen({ type: 'amnesia', node: node.id, effects, downMs: draw.nextDownMs(node) })
      })
    }
  }
}
