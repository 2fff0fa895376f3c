// The command of all benchmarks:
//
//   npm run bench -- [NAME…] [--json] [--quick] [options of the benchmark]
//
// Without a name all that are short are run. Of several each has a process of its own, for what one makes the compiler
// assume slows the next.

import { spawnSync } from 'node:child_process'
import type { Benchmark, BenchmarkOption, Figures } from './benchmark.ts'
import { type Command, readCommand, UsageError } from './command-line.ts'

const NAME_WIDTH = 11
const OPTION_WIDTH = 24
const EXIT_USAGE = 2

try {
  await perform(readCommand(process.argv.slice(2)))
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(`bench: ${error.message}\nSee npm run bench -- --help.`)
  process.exitCode = EXIT_USAGE
}

async function perform(command: Command): Promise<void> {
  switch (command.type) {
    case 'help':
      return help(command.benchmarks)
    case 'run-each':
      return runEach(command.benchmarks, command.flags)
    case 'run': {
      const { benchmark, settings, isJson } = command
      const log = isJson ? (line: string) => console.error(line) : (line: string) => console.log(line)
      const figures = await benchmark.run({ ...settings, log })
      console.log(isJson ? jsonOf(benchmark, figures) : lineOf(benchmark, figures))
    }
  }
}

/** Runs each in a process of its own; fails when one fails. */
function runEach(chosen: readonly Benchmark[], flags: readonly string[]): void {
  for (const { name } of chosen) {
    const { status } = spawnSync(process.execPath, [import.meta.filename, name, ...flags], {
      stdio: 'inherit',
    })
    if (status !== 0) process.exitCode = status ?? 1
  }
}

function jsonOf({ name, unit }: Benchmark, { value, reference, ratio, spread }: Figures): string {
  return JSON.stringify({ name, value, unit, reference, ratio, spread })
}

function lineOf({ name, unit, reference: what }: Benchmark, figures: Figures): string {
  const { value, reference, ratio, spread } = figures
  const range = spread === null ? 'one round' : `spread ${(spread * 100).toFixed(0)} %`
  return [
    name.padEnd(NAME_WIDTH),
    `${show(value)} ${unit}`,
    `reference ${show(reference)} (${what})`,
    `ratio ${ratio.toPrecision(3)}`,
    range,
  ].join('  ')
}

function show(rate: number): string {
  return rate >= 100 ? Math.round(rate).toLocaleString('en-GB') : rate.toPrecision(3)
}

function help(benchmarks: readonly Benchmark[]): void {
  console.log('npm run bench -- [NAME…] [--json] [--quick] [options]\n')
  console.log(
    'Runs the benchmarks named, or all that are short. Each prints the median of its rounds, that of its',
  )
  console.log('reference in the same run, the median ratio, and the interquartile range of the ratios.\n')
  console.log(
    `${'  --json'.padEnd(OPTION_WIDTH)}one line of JSON for each: name, value, unit, reference, ratio, spread`,
  )
  console.log(`${'  --quick'.padEnd(OPTION_WIDTH)}the smallest sizes, only to see that it works\n`)
  for (const { name, summary, reference, isShort, options } of benchmarks) {
    const when = isShort ? '' : '; only by name'
    console.log(`${name.padEnd(NAME_WIDTH)} ${summary}, against ${reference}${when}`)
    for (const [option, { summary: what, default: value }] of Object.entries<BenchmarkOption>(options))
      console.log(
        `${`  --${option}`.padEnd(OPTION_WIDTH)}${what}${value === '' ? '' : `; ${value} unless given`}`,
      )
  }
}
