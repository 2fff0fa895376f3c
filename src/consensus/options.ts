// What the caller of a protocol may get wrong: its options, and the order of its inputs. A process that is made with others would misbehave much later and elsewhere (a
// timer of NaN milliseconds fires at once, a member beyond n is never heard), so the constructor refuses
// them.

import type { MemberIndex } from './process.ts'
import { MEMBERS_MAX } from './wire-fields.ts'

/** The options that all log protocols share. */
interface SharedOptions {
  readonly n: number
  readonly self: MemberIndex | null
  readonly timeoutMs: number
  readonly retransmitMs: number
  readonly pipeline: number
}

/** Throws a RangeError that says which option is out of its range, if one is. `pipelineMax` is the protocol's own. */
export function assertOptions(options: SharedOptions, { pipelineMax }: { pipelineMax: number }): void {
  const { n, self, timeoutMs, retransmitMs, pipeline } = options
  assertInteger('n', n, { min: 1, max: MEMBERS_MAX })
  if (self !== null) assertInteger('self', self, { min: 0, max: n - 1 })
  assertDelay('timeoutMs', timeoutMs)
  assertDelay('retransmitMs', retransmitMs)
  assertInteger('pipeline', pipeline, { min: 1, max: pipelineMax })
}

/** Throws a RangeError unless the option is a whole number within its bounds. */
export function assertInteger(name: string, value: number, { min, max }: { min: number; max: number }): void {
  if (!Number.isSafeInteger(value) || value < min || value > max)
    throw new RangeError(`${name}: expected a whole number from ${min} to ${max}, got ${String(value)}`)
}

/** Timers double up to 64 times their length and more, and must stay exact numbers. */
const DELAY_MS_MAX = 2 ** 31

function assertDelay(name: string, value: number): void {
  if (!(value > 0 && value <= DELAY_MS_MAX))
    throw new RangeError(`${name}: expected more than 0 and at most ${DELAY_MS_MAX} ms, got ${String(value)}`)
}

/** Throws an error unless `start` is the first input, and the first only. */
export function assertStarts(type: string, hasStarted: boolean): void {
  if (type === 'start' && hasStarted)
    throw new Error('start was given twice: a restarted process is a new one')
  if (type !== 'start' && !hasStarted) throw new Error(`${type} was given before start`)
}
