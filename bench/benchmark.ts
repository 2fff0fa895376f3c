// What a benchmark is, and how its figures are made: what is measured and its reference run in turns in one process, so
// that a busy machine slows both, and their ratio is that of two runs side by side.
//
// Rates are per second of processor time, not of the clock, save where a benchmark says otherwise: what else runs on the
// machine then changes them little.

/** The figures of one run of a benchmark. */
export interface Figures {
  /** The median of the rounds. */
  readonly value: number
  /** The same of the reference, in the same unit. */
  readonly reference: number
  /** The median of the ratios of value to reference, each of one round. */
  readonly ratio: number
  /** The interquartile range of these ratios as a share of their median; null after one round. */
  readonly spread: number | null
}

/** What one run of a benchmark is given. */
export interface Settings {
  /** Whether the smallest sizes are enough, as they are to see that it works. */
  readonly isQuick: boolean
  /** The options of the benchmark, by name; those that are numbers are above 0. */
  readonly numbers: ReadonlyMap<string, number>
  readonly texts: ReadonlyMap<string, string>
  /** Prints a line for people. */
  readonly log: (line: string) => void
}

/** An option that takes a value. */
export interface BenchmarkOption {
  readonly summary: string
  readonly default: number | string
  /** The value with --quick; `default` unless given. */
  readonly quick?: number | string
  /** The values that there are; any unless given. */
  readonly choices?: readonly string[]
}

/** One entry of catalogue.ts. */
export interface Benchmark {
  readonly name: string
  /** What is measured, in one line. */
  readonly summary: string
  readonly unit: string
  /** What the reference is. */
  readonly reference: string
  /** Whether it is run when no benchmark is named: seconds, and no sockets. */
  readonly isShort: boolean
  readonly options: Readonly<Record<string, BenchmarkOption>>
  /** Measures. */
  run(settings: Settings): Promise<Figures>
}

/** One side of a benchmark: does some of its work, and returns the rate of it. */
export type Side = () => number | Promise<number>

const ROUNDS = 9
const QUICK_ROUNDS = 3

/** Runs both sides once unmeasured, and then in turns. */
export async function compare(
  { isQuick }: Pick<Settings, 'isQuick'>,
  { subject, reference }: { readonly subject: Side; readonly reference: Side },
): Promise<Figures> {
  const rounds: (readonly [number, number])[] = []
  await reference()
  await subject()
  for (let round = 0; round < (isQuick ? QUICK_ROUNDS : ROUNDS); round++)
    rounds.push([await subject(), await reference()])
  return figuresOf(rounds)
}

/** The figures of rounds, each the rates of the subject and of the reference. */
export function figuresOf(rounds: readonly (readonly [subject: number, reference: number])[]): Figures {
  const ratios = rounds.map(([subject, reference]) => subject / reference).sort((a, b) => a - b)
  const quartile = (share: number) => ratios[Math.round(share * (ratios.length - 1))]!
  const ratio = median(ratios)
  return {
    value: median(rounds.map(([subject]) => subject)),
    reference: median(rounds.map(([, reference]) => reference)),
    ratio,
    spread: rounds.length === 1 ? null : (quartile(0.75) - quartile(0.25)) / ratio,
  }
}

/** The rate of work done on this thread: `run` does some and returns how much, again and again until a round is full. */
export function threadRate({ isQuick }: Pick<Settings, 'isQuick'>, run: () => number): number {
  const before = process.threadCpuUsage()
  let count = 0
  for (;;) {
    count += run()
    const { user, system } = process.threadCpuUsage(before)
    if (user + system >= roundUs(isQuick)) return perSecond(count, user + system)
  }
}

/** The rate of work on this thread that can be done once only. */
export function onceRate(run: () => number): number {
  const before = process.threadCpuUsage()
  const count = run()
  const { user, system } = process.threadCpuUsage(before)
  return perSecond(count, Math.max(1, user + system))
}

/** The rate of work done by all threads of this process, which must be idle but for it. */
export async function processRate(
  { isQuick }: Pick<Settings, 'isQuick'>,
  run: () => Promise<number>,
): Promise<number> {
  const before = process.cpuUsage()
  let count = 0
  for (;;) {
    count += await run()
    const { user, system } = process.cpuUsage(before)
    if (user + system >= roundUs(isQuick)) return perSecond(count, user + system)
  }
}

/** The rate of work by the clock, for what several processes do. */
export async function clockRate(run: () => number | Promise<number>): Promise<number> {
  const startMs = performance.now()
  const count = await run()
  return perSecond(count, (performance.now() - startMs) * 1_000)
}

/** Microseconds of a round: many of the 4 ms by which Linux may advance the clock of a thread. */
function roundUs(isQuick: boolean): number {
  return isQuick ? 10_000 : 200_000
}

function perSecond(count: number, microseconds: number): number {
  return (count / microseconds) * 1e6
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!
}
