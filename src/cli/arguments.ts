// From the words of a command line to a command and its values, by the tables of the commands. What makes no sense ends
// the command with what was typed, what was expected and where to read on: nothing is guessed, nothing given is dropped.
//
// The rules, for all options of all commands: an option that takes a value needs one, and an empty one is none, for it
// is what an unset variable of the shell leaves behind. Of one that is given twice the last counts, unless its table
// says that it is a list; then each time adds one value. A value may begin with a dash, but not with two.

import type { Options } from 'yargs'
import { type Command, type CommandGroup, nameOf } from './command.ts'
import { CommandError, EXIT } from './exit-codes.ts'

/** What a command line asks for. `path` is the names of the command: `wallet`, `send`. */
export type Request =
  | { readonly type: 'version' }
  | { readonly type: 'help'; readonly path: readonly string[] }
  | {
      readonly type: 'run'
      readonly command: Command
      readonly args: Readonly<Record<string, unknown>>
    }

/** What every command takes. */
export const GLOBAL_OPTIONS = {
  json: { type: 'boolean', default: false, describe: 'Print the answer as one line of JSON on stdout' },
} as const

/** What stands in for a command. */
const INSTEAD = {
  help: { type: 'boolean', default: false, describe: 'Show help' },
  version: { type: 'boolean', default: false, describe: 'Show version number' },
} as const

const EVERYWHERE: Readonly<Record<string, Options>> = { ...GLOBAL_OPTIONS, ...INSTEAD }

/** Reads the words after the program's name. Throws a `CommandError` of usage. */
export function readArguments(
  words: readonly string[],
  commands: readonly (Command | CommandGroup)[],
): Request {
  const rest = [...words]
  const path: string[] = []
  let isHelp = false
  let level: readonly (Command | CommandGroup)[] | null = commands
  let command: Command | null = null
  while (level !== null) {
    const index = findCommand(rest)
    const [word] = index === null ? [] : rest.splice(index, 1)
    if (word === 'help') {
      isHelp = true
      continue
    }
    const found: Command | CommandGroup | undefined = level.find(entry => nameOf(entry) === word)
    if (found === undefined) return endWithoutCommand(word, rest, { path, level, isHelp })
    path.push(nameOf(found))
    level = 'commands' in found ? found.commands : null
    if ('run' in found) command = found
  }
  if (isHelp || asks(rest, 'help') || rest.at(-1) === 'help') return { type: 'help', path }
  if (asks(rest, 'version')) return { type: 'version' }
  return { type: 'run', command: command!, args: readValues(rest, command!, path) }
}

/** The line that names a command's help. */
function seeHelp(path: readonly string[]): string {
  return `See ${['quorate', ...path, '--help'].join(' ')}.`
}

/** Where the command's name is: the first word that is no option, nor what may be the value of one before it. */
function findCommand(words: readonly string[]): number | null {
  for (const [index, word] of words.entries()) {
    if (isOption(word)) continue
    const before = words[index - 1]
    const isFree = before === undefined || !isOption(before) || before.includes('=')
    if (isFree || isBoolean(EVERYWHERE[before.slice(2)])) return index
  }
  return null
}

function endWithoutCommand(
  word: string | undefined,
  words: readonly string[],
  {
    path,
    level,
    isHelp,
  }: {
    readonly path: readonly string[]
    readonly level: readonly (Command | CommandGroup)[]
    readonly isHelp: boolean
  },
): Request {
  if (isHelp || asks(words, 'help')) return { type: 'help', path }
  if (asks(words, 'version')) return { type: 'version' }
  const see = seeHelp(path)
  if (word === undefined) {
    // The mistake is rather in an option than in what does not follow it.
    for (const option of words.filter(isOption)) readOption(option, EVERYWHERE, path)
    const cause = path.length === 0 ? 'which command?' : `${path.join(' ')} needs a command`
    throw new CommandError(EXIT.usage, cause, see)
  }
  const cause = `unknown command ${[...path, word].join(' ')}`
  throw new CommandError(EXIT.usage, cause, suggest(word, level.map(nameOf), see))
}

/** Whether one of the words is this option; after `--` there are none. */
function asks(words: readonly string[], option: 'help' | 'version'): boolean {
  const end = words.indexOf('--')
  return words.slice(0, end === -1 ? words.length : end).includes(`--${option}`)
}

/** A word that names an option. `-` alone is standard input or output, and `-5` a number. */
function isOption(word: string): boolean {
  return /^-[^\d.]/.test(word)
}

function readValues(
  words: readonly string[],
  command: Command,
  path: readonly string[],
): Record<string, unknown> {
  const table = { ...EVERYWHERE, ...command.options }
  const given = new Map<string, unknown>()
  const loose: string[] = []
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!
    if (word === '--') {
      loose.push(...words.slice(index + 1))
      break
    }
    if (!isOption(word)) {
      loose.push(word)
      continue
    }
    const { name, option, text, isNegated } = readOption(word, table, path)
    const next = words[index + 1]
    if (isBoolean(option)) {
      const isNext = text === null && !isNegated && (next === 'true' || next === 'false')
      if (isNext) index++
      given.set(name, readFlag(name, isNext ? next : text, isNegated))
      continue
    }
    if (text === null) index++
    const value = readValue(name, option, text ?? next, path)
    const list = given.get(name)
    given.set(name, isList(option) ? [...(Array.isArray(list) ? list : []), value] : value)
  }
  const args: Record<string, unknown> = {}
  for (const [name, option] of Object.entries(table))
    args[name] = given.has(name) ? given.get(name) : option.default
  assertAllGiven(command, given, path)
  return Object.assign(args, readPositionals(command, loose, path))
}

interface Named {
  readonly name: string
  readonly option: Options
  /** What stands behind `=`, or null. */
  readonly text: string | null
  /** Written `--no-name`. */
  readonly isNegated: boolean
}

function readOption(word: string, table: Readonly<Record<string, Options>>, path: readonly string[]): Named {
  const equals = word.indexOf('=')
  const written = equals === -1 ? word : word.slice(0, equals)
  const text = equals === -1 ? null : word.slice(equals + 1)
  // Programs write rpcPort where people write rpc-port.
  const name = written.slice(2).replaceAll(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)
  const isLong = written.startsWith('--')
  if (isLong && Object.hasOwn(table, name)) return { name, option: table[name]!, text, isNegated: false }
  const positive = name.slice(3)
  if (isLong && name.startsWith('no-') && Object.hasOwn(table, positive) && isBoolean(table[positive]))
    return { name: positive, option: table[positive]!, text, isNegated: true }
  const names = Object.keys(table).map(option => `--${option}`)
  const near = written === '-h' ? '--help' : `--${written.replace(/^-+/, '')}`
  throw new CommandError(EXIT.usage, `unknown option ${written}`, suggest(near, names, seeHelp(path)))
}

function readFlag(name: string, text: string | null, isNegated: boolean): boolean {
  if (text === null) return !isNegated
  if ((text === 'true' || text === 'false') && !isNegated) return text === 'true'
  throw new CommandError(EXIT.usage, `--${name}: it is given or not, without a value, got ${shown(text)}`)
}

/** The value of an option that takes one. */
function readValue(
  name: string,
  option: Options,
  text: string | undefined,
  path: readonly string[],
): string | number {
  if (text === undefined || text.startsWith('--') || text.trim() === '')
    throw new CommandError(EXIT.usage, `--${name} needs a value`, seeHelp(path))
  return typed(`--${name}`, option, text, path)
}

function typed(
  what: string,
  { type, choices }: Pick<Options, 'type' | 'choices'>,
  text: string,
  path: readonly string[],
): string | number {
  const known = choices?.map(String)
  if (known !== undefined && !known.includes(text)) {
    const cause = `${what}: expected one of ${known.join(', ')}, got ${shown(text)}`
    throw new CommandError(EXIT.usage, cause, suggest(text, known, seeHelp(path)))
  }
  if (type !== 'number') return text
  const number = Number(text)
  if (!Number.isNaN(number)) return number
  throw new CommandError(EXIT.usage, `${what}: expected a number, got ${shown(text)}`, seeHelp(path))
}

function assertAllGiven(
  { options }: Command,
  given: ReadonlyMap<string, unknown>,
  path: readonly string[],
): void {
  const missing = Object.entries(options).filter(
    ([name, { demandOption }]) => demandOption === true && !given.has(name),
  )
  if (missing.length === 0) return
  const names = missing.map(([name]) => `--${name}`).join(', ')
  throw new CommandError(EXIT.usage, `${path.join(' ')} needs ${names}`, seeHelp(path))
}

function readPositionals(
  { usage, positionals }: Command,
  loose: readonly string[],
  path: readonly string[],
): Record<string, unknown> {
  const left = [...loose]
  const values: Record<string, unknown> = {}
  for (const [, bracket, name = '', dots] of usage.matchAll(/([<[])([a-z-]+)(\.\.)?[>\]]/g)) {
    const option = positionals[name] ?? {}
    const taken = left.splice(0, dots === undefined ? 1 : left.length)
    if (taken.length === 0 && bracket === '<')
      throw new CommandError(EXIT.usage, `${path.join(' ')} needs <${name}>`, seeHelp(path))
    if (taken.some(word => word.trim() === ''))
      throw new CommandError(EXIT.usage, `<${name}> is empty`, seeHelp(path))
    const read = taken.map(word => typed(`<${name}>`, option, word, path))
    values[name] = taken.length === 0 ? option.default : dots === undefined ? read[0] : read
  }
  if (left.length === 0) return values
  throw new CommandError(
    EXIT.usage,
    `${path.join(' ')} does not know what to do with ${left.map(shown).join(' ')}`,
    seeHelp(path),
  )
}

function isBoolean(option: Options | undefined): boolean {
  return option?.type === 'boolean' || option?.boolean === true
}

function isList({ type, array }: Options): boolean {
  return array === true || type === 'array'
}

/** A word as it was typed; one that a reader might overlook is quoted. */
function shown(text: string): string {
  return /^[^\s"]+$/.test(text) ? text : JSON.stringify(text)
}

/** The remedy of a word that is not known: one that is close, if there is one, and where to read on. */
function suggest(word: string, known: readonly string[], see: string): string {
  const near = known
    .map(name => ({ name, distance: name.startsWith(word) ? 1 : countEdits(word, name) }))
    .filter(({ name, distance }) => distance <= Math.floor((name.length + 2) / 3))
    .toSorted((a, b) => a.distance - b.distance)[0]
  return near === undefined ? see : `Did you mean ${near.name}? ${see}`
}

/** Letters to insert, delete or change to make one word of another (Levenshtein, 1966). */
function countEdits(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (const [i, letter] of [...from].entries()) {
    const next = [i + 1]
    for (const [j, other] of [...to].entries())
      next.push(Math.min(next[j]! + 1, row[j + 1]! + 1, row[j]! + (letter === other ? 0 : 1)))
    row = next
  }
  return row[to.length]!
}
