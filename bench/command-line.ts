// What the command of all benchmarks is asked for.

import { parseArgs } from 'node:util'
import type { Benchmark, Settings } from './benchmark.ts'
import { BENCHMARKS } from './catalogue.ts'

/** Wrong names and options, for a person. */
export class UsageError extends Error {}

/** What to do: print help on some benchmarks, run several, each in a process of its own, or run one here. */
export type Command =
  | { readonly type: 'help'; readonly benchmarks: readonly Benchmark[] }
  | {
      readonly type: 'run-each'
      readonly benchmarks: readonly Benchmark[]
      readonly flags: readonly string[]
    }
  | {
      readonly type: 'run'
      readonly benchmark: Benchmark
      readonly settings: Omit<Settings, 'log'>
      readonly isJson: boolean
    }

/** Reads the words after the name of the command. Throws a UsageError. */
export function readCommand(parameters: readonly string[]): Command {
  const names = parse(parameters, allOptions()).positionals
  const unknown = names.find(name => BENCHMARKS.every(benchmark => benchmark.name !== name))
  if (unknown !== undefined) {
    const known = BENCHMARKS.map(({ name }) => name).join(', ')
    throw new UsageError(`there is no benchmark ${unknown}; there are ${known}`)
  }
  const chosen = BENCHMARKS.filter(({ name, isShort }) =>
    names.length === 0 ? isShort : names.includes(name),
  )
  const [benchmark, ...others] = chosen as [Benchmark, ...Benchmark[]]
  const { values } = parse(parameters, others.length === 0 ? benchmark.options : {})
  if (values.help === true) return { type: 'help', benchmarks: names.length === 0 ? BENCHMARKS : chosen }
  if (others.length > 0) {
    const flags = parameters.filter(text => text.startsWith('-'))
    return { type: 'run-each', benchmarks: chosen, flags }
  }
  return { type: 'run', benchmark, settings: settingsOf(benchmark, values), isJson: values.json === true }
}

type Options = Benchmark['options']
type Values = Readonly<Record<string, string | boolean | undefined>>

function parse(
  parameters: readonly string[],
  options: Options,
): { readonly values: Values; readonly positionals: readonly string[] } {
  try {
    return parseArgs({
      args: [...parameters],
      allowPositionals: true,
      options: {
        json: { type: 'boolean' },
        quick: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        ...Object.fromEntries(Object.keys(options).map(name => [name, { type: 'string' as const }])),
      },
    })
  } catch (error) {
    const [owner] = BENCHMARKS.filter(({ options: own }) =>
      parameters.some(text => text.startsWith('--') && text.slice(2).split('=')[0]! in own),
    )
    const hint = owner === undefined ? '' : ` (it is an option of ${owner.name}, run alone)`
    throw new UsageError(`${(error as Error).message.split('. ')[0]}${hint}`)
  }
}

function allOptions(): Options {
  return Object.assign({}, ...BENCHMARKS.map(({ options }) => options))
}

function settingsOf({ options }: Benchmark, values: Values): Omit<Settings, 'log'> {
  const isQuick = values.quick === true
  const numbers = new Map<string, number>()
  const texts = new Map<string, string>()
  for (const [name, option] of Object.entries(options)) {
    const fallback = isQuick ? (option.quick ?? option.default) : option.default
    const value = values[name] ?? fallback
    if (option.choices?.includes(String(value)) === false)
      throw new UsageError(`--${name} is ${option.choices.join(' or ')}, not ${value}`)
    if (typeof option.default === 'string') texts.set(name, String(value))
    else if (Number.isSafeInteger(Number(value)) && Number(value) > 0) numbers.set(name, Number(value))
    else throw new UsageError(`--${name} is ${value}, not a whole number above 0`)
  }
  return { isQuick, numbers, texts }
}
