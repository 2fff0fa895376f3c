// Finds types that a user of the package meets and can't name: those that a declaration reachable from an entry mentions,
// and that no entry exports. It reads the declarations that tsc writes, which have no bodies and one form.

import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** A name and the file that it comes from. */
type Place = { readonly file: string; readonly name: string }

/** The declarations of one file: its own by name, and where the names that it imports come from. */
type Declarations = {
  readonly own: ReadonlyMap<string, string>
  readonly imported: ReadonlyMap<string, Place>
}

const IMPORT = /^(?:import|export) (?:type )?\{([^}]*)\} from ['"](\.[^'"]*)\.(?:js|ts)['"];?$/gm
/** A type in the text of a declaration: constants are written in capitals. */
const TYPE = /(?<![.\w$'"])[A-Z][A-Z0-9]*[a-z][\w$]*/g
const DECLARATION = /^(?:export )?(?:declare )?(?:abstract )?(?:function|class|interface|type|const) ([\w$]+)/

/** `file name` of each type that can't be named, with what mentions it. */
export function unnamedTypes(entries: readonly string[]): string[] {
  const files = new Map<string, Declarations>()
  const read = (file: string): Declarations => {
    const known = files.get(file) ?? parse(file)
    files.set(file, known)
    return known
  }
  /** Where a name is declared, through files that only pass it on. */
  const resolve = (target: Place): Place => {
    const { own, imported } = read(target.file)
    const next = own.has(target.name) ? undefined : imported.get(target.name)
    return next === undefined ? target : resolve(next)
  }
  const named = new Set<string>()
  const waiting: Place[] = []
  for (const entry of entries) {
    if (read(entry).imported.size === 0) throw new Error(`${entry} has no form that is known here`)
    for (const { file, name } of [...read(entry).imported.values()].map(resolve)) {
      named.add(`${file} ${name}`)
      waiting.push({ file, name })
    }
  }
  const seen = new Set(named)
  const unnamed: string[] = []
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { own, imported } = read(next.file)
    const text = own.get(next.name) ?? ''
    for (const [identifier] of text.matchAll(TYPE)) {
      const found = own.has(identifier) ? { file: next.file, name: identifier } : imported.get(identifier)
      const target = found === undefined ? undefined : resolve(found)
      const key = target === undefined ? '' : `${target.file} ${target.name}`
      if (target === undefined || seen.has(key)) continue
      seen.add(key)
      unnamed.push(`${key} (in ${next.name})`)
      waiting.push(target)
    }
  }
  return unnamed
}

function parse(file: string): Declarations {
  const text = readFileSync(file, 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
  const imported = new Map<string, Place>()
  for (const [, names, path] of text.matchAll(IMPORT))
    for (const part of names!
      .split(',')
      .map(name => name.trim().replace(/^type /, ''))
      .filter(Boolean)) {
      const [name, alias] = part.split(' as ')
      imported.set(alias ?? name!, { file: `${join(dirname(file), path!)}.d.ts`, name: name! })
    }
  const own = new Map<string, string>()
  for (const block of text.split(/^(?=(?:export|declare|type|interface|import) )/m)) {
    const name = DECLARATION.exec(block)?.[1]
    if (name !== undefined) own.set(name, `${own.get(name) ?? ''}${block}`)
  }
  return { own, imported }
}
