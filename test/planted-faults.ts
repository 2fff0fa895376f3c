// Faults planted in the code on purpose, one at a time: the tests that are named must find every one of them, and
// nothing where there is none. What the tests of a rule are worth is seen only when the rule is broken.
//
//   bin/node24 test/planted-faults.ts [name…]                   all faults, or those whose name contains one of these
//   bin/node24 test/planted-faults.ts --simulate[=N] [name…]    how many seeds the simulator takes to find each
//
// The simulator makes seed 1 of each kind of runs that uses the broken code, then seed 2 of each, to seed N: see KINDS.
// What it does not find so, directed tests must find: a liar's blocks in the simulator, or those that the fault names.
//
// Each is planted in a copy of the sources (planted-copy.ts), as many at a time as there are processors, and the first test
// that fails is the answer. A snippet that is not found exactly once fails the run, and so does a test that a fault names
// and that is not there, or fails, where nothing is planted (planted-table.ts).

import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { PlantedCopy } from './planted-copy.ts'
import type { RunKind } from './planted-runs.ts'
import { FAULTS, type Fault } from './planted-table.ts'

const SEEDS = 30
/** Characters of a line of the simulator's table. */
const NAME_WIDTH = 90
const REASON_WIDTH = 110

/**
 * The kinds of runs. The first is `quorate sim --faults all`, the next three are `quorate sim --finality … --validators any
 * --faults all --byzantine all --blocks 5 --transfers 8`, and the last `quorate sim --swarm --finality …`.
 */
const KINDS: readonly RunKind[] = [
  { name: 'longest-chain', finality: 'longest-chain', pattern: null, isSwarm: false },
  { name: 'pbft', finality: 'pbft', pattern: 'all-to-all', isSwarm: false },
  { name: 'pbft leader-collected', finality: 'pbft', pattern: 'leader-collected', isSwarm: false },
  { name: 'hybrid', finality: 'hybrid', pattern: 'all-to-all', isSwarm: false },
  { name: 'swarm longest-chain', finality: 'longest-chain', pattern: null, isSwarm: true },
  { name: 'swarm pbft', finality: 'pbft', pattern: null, isSwarm: true },
  { name: 'swarm hybrid', finality: 'hybrid', pattern: null, isSwarm: true },
]

/** The scenarios of the simulator in which a peer tells every lie about blocks; a random run tells some, if any. */
const LIES = 'lab/adversary/lies'

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1))

const names = process.argv.slice(2).filter(argument => !argument.startsWith('--'))
const simulate = process.argv.find(argument => argument.startsWith('--simulate'))
const chosen = FAULTS.filter(
  fault => names.length === 0 || names.some(name => `${fault.file} ${fault.name}`.includes(name)),
)
assert.equal(new Set(FAULTS.map(fault => fault.name)).size, FAULTS.length, 'two faults have one name')

if (chosen.length === 0) {
  console.error(`planted-faults: no fault has a name with ${names.join(' or ')}`)
  process.exit(2)
}

const copies = Array.from(
  { length: Math.min(availableParallelism(), chosen.length) },
  () => new PlantedCopy(),
)
for (const fault of chosen) copies[0]!.assertPlantable(fault)
if (simulate === undefined) await testAll()
else await simulateAll(Number(simulate.split('=')[1] ?? SEEDS))

// ---- the tests

async function testAll(): Promise<void> {
  console.log(`1..${chosen.length + 1}`)
  const healthy = await findHealthy()
  let survivors = report(1, healthy === null, 'nothing is found where nothing is planted', healthy)
  const seen = plantEach((copy, fault) => findPlanted(copy, fault))
  for (const [index, fault] of chosen.entries()) {
    const found = await seen[index]!
    survivors += report(index + 2, found !== null, `${fault.name} (${fault.file})`, found)
  }
  console.log(`# ${chosen.length} faults, ${survivors} failed`)
  process.exitCode = survivors === 0 ? 0 : 1
}

/** The name of the first test that fails while a fault is planted, null for none. */
async function findPlanted(copy: PlantedCopy, { tests, only }: Fault): Promise<string | null> {
  return (await copy.runTests(tests, only === undefined ? [] : [only])).failed
}

/** What is wrong with the tests of the chosen faults where nothing is planted: null when all are there, and pass. */
async function findHealthy(): Promise<string | null> {
  const files = [...new Set(chosen.flatMap(fault => fault.tests))]
  const passed = new Map<string, readonly string[]>()
  const wrong: string[] = []
  const work = async (copy: PlantedCopy): Promise<void> => {
    for (let file = files.shift(); file !== undefined; file = files.shift()) {
      const only = chosen.filter(({ tests }) => tests.includes(file!)).map(fault => fault.only)
      const names = only.filter(name => name !== undefined)
      const seen = await copy.runTests([file], names.length < only.length ? [] : names)
      passed.set(file, seen.passed)
      if (seen.failed !== null) wrong.push(`${seen.failed} (${file})`)
    }
  }
  await Promise.all(copies.map(work))
  const missing = chosen.filter(
    ({ tests, only }) => only !== undefined && !tests.some(file => passed.get(file)!.includes(only)),
  )
  const lines = missing.map(({ name, tests, only }) => `${name}: ${tests.join(', ')} has no test '${only}'`)
  assert.ok(wrong.length > 0 || missing.length === 0, lines.join('\n'))
  return wrong[0] ?? null
}

/** What is seen of each fault, in their order: each copy takes the next that is not taken. */
function plantEach<T>(look: (copy: PlantedCopy, fault: Fault) => Promise<T>): readonly Promise<T>[] {
  const seen = chosen.map(() => Promise.withResolvers<T>())
  let taken = 0
  const work = async (copy: PlantedCopy): Promise<void> => {
    while (taken < chosen.length) {
      const index = taken++
      const fault = chosen[index]!
      await copy.planted(fault, () => look(copy, fault)).then(seen[index]!.resolve, seen[index]!.reject)
    }
  }
  for (const copy of copies) void work(copy)
  return seen.map(({ promise }) => promise)
}

function report(number: number, isGood: boolean, name: string, found: string | null): 0 | 1 {
  console.log(
    `${isGood ? 'ok' : 'not ok'} ${number} - ${name}${found === null ? '' : `\n  # found by: ${found}`}`,
  )
  return isGood ? 0 : 1
}

// ---- the simulator

/** How a fault was found: by the so many-th random run, or by a test. */
type Found = { readonly text: string; readonly runs: number | null }

async function simulateAll(seeds: number): Promise<void> {
  assert.ok(Number.isSafeInteger(seeds) && seeds > 0, '--simulate=N: N is the number of seeds of each kind')
  const tests = [LIES, ...new Set(chosen.flatMap(fault => fault.tests))]
  const healthy = await look(copies[0]!, KINDS, { seeds, tests })
  row('nothing planted', healthy?.text ?? 'nothing found')
  const runs: number[] = []
  let survivors = 0
  const seen = plantEach((copy, fault) =>
    look(copy, kindsOf(fault), { seeds, tests: [LIES, ...fault.tests] }),
  )
  for (const [index, fault] of chosen.entries()) {
    const found = await seen[index]!
    row(fault.name, found?.text ?? 'SURVIVES')
    if (found === null) survivors += 1
    else if (found.runs !== null) runs.push(found.runs)
  }
  const directed = chosen.length - survivors - runs.length
  runs.sort((a, b) => a - b)
  const effort = runs.length === 0 ? '' : ` (median ${runs[runs.length >> 1]} runs, worst ${runs.at(-1)})`
  console.log(`# ${seeds} seeds of each kind find ${runs.length} of ${chosen.length} faults${effort},`)
  console.log(`# directed tests ${directed} more; ${survivors} survive`)
  process.exitCode = survivors === 0 && healthy === null ? 0 : 1
}

function row(name: string, text: string): void {
  console.log(`${name.padEnd(NAME_WIDTH)} ${text}`)
}

/** The kinds of runs in which the code of a fault is used. */
function kindsOf({ file }: Fault): RunKind[] {
  const [, mode] = /^finality\/(longest-chain|pbft|hybrid)\.ts$/.exec(file) ?? []
  if (mode !== undefined) return KINDS.filter(kind => kind.finality === mode)
  const isOfVotes = file.startsWith('finality/') || file.startsWith('consensus/')
  return KINDS.filter(kind => !isOfVotes || kind.finality !== 'longest-chain')
}

/** What random runs find, or, when they find nothing, the tests one after the other. */
async function look(
  copy: PlantedCopy,
  kinds: readonly RunKind[],
  { seeds, tests }: { seeds: number; tests: readonly string[] },
): Promise<Found | null> {
  const found = await tryRuns(copy, kinds, seeds)
  if (found !== null) return found
  for (const test of tests) {
    const { failed } = await copy.runTests([test])
    if (failed !== null) return { text: `directed: ${failed} (${test})`, runs: null }
  }
  return null
}

/** The first random run that finds something: seed 1 of each kind, then seed 2 of each, and so on. */
async function tryRuns(copy: PlantedCopy, kinds: readonly RunKind[], seeds: number): Promise<Found | null> {
  const runs = await copy.startRuns()
  try {
    const count = seeds * kinds.length
    for (let run = 0; run < count; run++) {
      const kind = kinds[run % kinds.length]!
      const seed = Math.floor(run / kinds.length) + 1
      const reason = await runs.run({ ...kind, seed })
      if (reason === null) continue
      const words = reason.split('\n', 1)[0]!.slice(0, REASON_WIDTH)
      return { text: `seed ${seed} of ${kind.name} (run ${run + 1}): ${words}`, runs: run + 1 }
    }
    return null
  } finally {
    runs.end()
  }
}
