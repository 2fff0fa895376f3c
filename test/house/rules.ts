// The rules of the house: what may import what, what stays pure, how files look, and that README and test/ tell the
// truth about src/. Each rule is a pure function from paths and texts to findings; rules.test.ts runs them all.

import { posix } from 'node:path'
import { BYZANTINE_ROLES } from '../../src/lab/adversary/byzantine/roles.ts'
import { type Comment, type Token, tokenize } from './tokens.ts'

/** A file of the tree: its path from the root of the project, with `/`, and its text. */
export type Source = { readonly path: string; readonly text: string }

export type Finding = {
  readonly rule: string
  readonly path: string
  readonly line: number
  readonly says: string
}

/** One line for people, in the form that editors turn into a link. */
export const show = ({ rule, path, line, says }: Finding): string => `${path}:${line} ${rule}: ${says}`

type Arrows = {
  /** Which other folders of src. */
  readonly folders: readonly string[]
  /** Which npm packages and modules of Node; a `*` at the end stands for the rest. */
  readonly packages: readonly string[]
}

/** What every room that runs in virtual time may import: the product as far as it is pure, and each other. */
const simulated: Arrows = {
  folders: [
    'signatures',
    'replica',
    'finality',
    'consensus',
    'execution',
    'chain',
    'encoding',
    'collections',
    'lab/virtual',
    'lab/network',
    'lab/cluster',
    'lab/faults',
    'lab/oracle',
    'lab/pbft',
    'lab/adversary',
    'lab/strangers',
    'lab/clients',
    'lab/swarm',
  ],
  packages: [],
}

/**
 * What each folder of src, or one file, may import, types included; the longest name that fits a file counts. A folder that is not here
 * may not exist. The arrows point one way only: a folder names only folders that stand above it, and nothing but `cli`
 * names the laboratory.
 */
export const mayImport: Readonly<Record<string, Arrows>> = {
  collections: { folders: [], packages: [] },
  encoding: { folders: [], packages: ['@noble/*'] },
  files: { folders: [], packages: ['node:*'] },
  chain: { folders: ['encoding'], packages: ['@noble/*'] },
  // The one pure file that calls Node: OpenSSL's SHA-256 has no state, no clock and no chance.
  'chain/hash.ts': { folders: [], packages: ['@noble/*', 'node:crypto'] },
  execution: { folders: ['chain', 'encoding'], packages: [] },
  consensus: { folders: ['encoding', 'collections'], packages: [] },
  finality: { folders: ['consensus', 'execution', 'chain', 'encoding', 'collections'], packages: [] },
  replica: { folders: ['finality', 'execution', 'chain', 'encoding', 'collections'], packages: [] },
  mining: { folders: ['chain', 'encoding'], packages: ['node:worker_threads', 'node:crypto', 'node:os'] },
  signatures: {
    folders: ['chain', 'encoding', 'collections'],
    packages: [
      '@bitauth/libauth',
      '@noble/*',
      'secp256k1',
      'node:crypto',
      'node:module',
      'node:os',
      'node:worker_threads',
    ],
  },
  // What keeps strangers from using up a process, or ending it: for peers and RPC clients alike.
  defence: { folders: ['collections'], packages: ['node:net', '@multiformats/multiaddr'] },
  node: {
    folders: [
      'defence',
      'replica',
      'finality',
      'execution',
      'chain',
      'mining',
      'signatures',
      'files',
      'encoding',
      'collections',
    ],
    packages: ['libp2p', '@libp2p/*', '@multiformats/*', 'level', 'pino', 'node:*'],
  },
  rpc: {
    folders: ['defence', 'replica', 'finality', 'execution', 'chain', 'files', 'encoding', 'collections'],
    packages: ['node:*'],
  },
  wallet: {
    folders: ['finality', 'chain', 'signatures', 'files', 'encoding'],
    packages: ['@noble/*', 'node:*'],
  },
  lab: {
    folders: [
      'wallet',
      'rpc',
      'node',
      'signatures',
      'mining',
      'replica',
      'finality',
      'consensus',
      'execution',
      'chain',
      'files',
      'encoding',
      'collections',
      'lab',
    ],
    packages: ['node:*', 'vega', 'vega-lite'],
  },
  ...Object.fromEntries(
    simulated.folders.filter(folder => folder.startsWith('lab/')).map(folder => [folder, simulated]),
  ),
  // What stands between real nodes and their sockets.
  'lab/links': {
    folders: ['rpc', 'node', 'defence', 'replica'],
    packages: ['@libp2p/interface', '@libp2p/utils'],
  },
  // Liars speak the protocol that they break.
  'lab/adversary/byzantine': { folders: ['finality', 'consensus', 'chain', 'encoding'], packages: [] },
  cli: {
    folders: [
      'lab',
      'wallet',
      'rpc',
      'node',
      'defence',
      'signatures',
      'mining',
      'replica',
      'finality',
      'consensus',
      'execution',
      'chain',
      'files',
      'encoding',
      'collections',
    ],
    packages: ['yargs', 'yargs/*', 'pino', 'node:*'],
  },
  // What users of the package import, one file for each entry of its `exports`: the only files that re-export.
  exports: { folders: ['lab', 'finality', 'consensus', 'execution', 'chain', 'encoding'], packages: [] },
}

const clocks = ['Date', 'performance', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask']
const waiting = ['async', 'await', 'Promise']
const surroundings = ['process', 'globalThis', 'crypto', 'fetch', 'WebSocket', 'Worker', 'require', 'eval']
const locale = ['Intl', '.localeCompare', '.toLocale*']

/**
 * Which names a folder's code may not use; one that begins with a dot is a property. `Math.random` is banned wherever
 * anything is. The simulated rooms of the laboratory are deterministic too, but they may print.
 */
export const mayNotUse: Readonly<Record<string, readonly string[]>> = {
  collections: [...clocks, ...waiting, ...surroundings, ...locale, 'console'],
  encoding: [...clocks, ...waiting, ...surroundings, ...locale, 'console'],
  chain: [...clocks, ...waiting, ...surroundings, ...locale, 'console'],
  execution: [...clocks, ...waiting, ...surroundings, ...locale, 'console'],
  consensus: [...clocks, ...waiting, ...surroundings, ...locale, 'console'],
  finality: [...clocks, ...waiting, ...surroundings, ...locale, 'console'],
  replica: [...clocks, ...waiting, ...surroundings, ...locale, 'console'],
  ...Object.fromEntries(
    [...simulated.folders, 'lab/adversary/byzantine']
      .filter(folder => folder.startsWith('lab/'))
      .map(folder => [folder, [...clocks, ...waiting, ...surroundings, ...locale]]),
  ),
}

/** Folder names that say nothing of what is inside. */
const emptyNames = ['utils', 'util', 'common', 'helpers', 'core', 'lib', 'types', 'misc', 'shared']

/** Folders of test/ that mirror no folder of src/: they look at the whole. */
const wholeTests = ['house', 'scenarios', 'end-to-end', 'hostile', 'fuzz', 'examples', 'bench']

/** Every rule that looks at one file of src/. */
export const checkSource = (source: Source): Finding[] => {
  let read: ReturnType<typeof tokenize>
  try {
    read = tokenize(source.text)
  } catch (error) {
    return [{ rule: 'syntax', path: source.path, line: 1, says: String(error) }]
  }
  const { tokens, comments } = read
  return [
    ...checkPlace(source.path),
    ...checkHeader(source, comments),
    ...checkImports(source.path, tokens),
    ...checkPurity(source.path, tokens),
    ...checkSyntax(source.path, tokens),
    ...checkFileNames(source.path, tokens),
    ...checkHandlers(source.path, tokens),
    ...checkMessageNames(source.path, tokens),
    ...checkHonesty(source.path, tokens),
  ]
}

/** The folder of src that a path belongs to, or the file itself: the longest name in the table, else the outermost; or null. */
const folderOf = (path: string): string | null =>
  Object.keys(mayImport)
    .filter(name => path === `src/${name}` || path.startsWith(`src/${name}/`))
    .reduce<string | null>(
      (longest, folder) => (folder.length > (longest?.length ?? 0) ? folder : longest),
      null,
    ) ??
  /^src\/([^/]+)\//.exec(path)?.[1] ??
  null

/** Whether `folder` is one of these, or inside one. */
const isWithin = (folder: string, folders: readonly string[]): boolean =>
  folders.some(allowed => folder === allowed || folder.startsWith(`${allowed}/`))

const checkPlace = (path: string): Finding[] => {
  const findings: Finding[] = []
  const find = (says: string): void => void findings.push({ rule: 'place', path, line: 1, says })
  const folder = folderOf(path)
  if (folder === null) find('a file of src belongs to one of its folders')
  else if (!(folder in mayImport)) find(`src/${folder} is not in the table mayImport of test/house/rules.ts`)
  for (const name of path.split('/').slice(1, -1)) {
    if (emptyNames.includes(name)) find(`the folder name '${name}' does not say what is inside`)
  }
  if (posix.basename(path) === 'index.ts') find('no barrels: import each thing from the file that it is in')
  return findings
}

/** A file begins with 2 to 10 lines of comment: one block, or `//` on consecutive lines. */
const checkHeader = ({ path, text }: Source, comments: readonly Comment[]): Finding[] => {
  const first = text.startsWith('#!') ? 2 : 1
  const [head] = comments
  let lines = 0
  if (head?.line === first && text.split('\n')[first - 1]?.startsWith('/')) {
    lines = head.lines
    if (head.text.startsWith('//')) {
      while (comments[lines]?.line === first + lines && comments[lines]?.text.startsWith('//')) lines++
    }
  }
  if (lines >= 2 && lines <= 10) return []
  return [{ rule: 'header', path, line: 1, says: `begins with ${lines} lines of comment, not with 2 to 10` }]
}

/** What a file imports: statically, as a type, by `export … from`, `import(…)` or `require(…)`; null if computed. */
const importsOf = (tokens: readonly Token[]): { readonly line: number; readonly from: string | null }[] => {
  const imports: { line: number; from: string | null }[] = []
  tokens.forEach((token, index) => {
    if (token.kind !== 'name' || isProperty(tokens, index)) return
    const next = tokens[index + 1]
    let source: Token | null | undefined
    if ((token.text === 'import' || token.text === 'require') && is(next, '(')) {
      const argument = tokens[index + 2]
      const ends = is(tokens[index + 3], ')') || is(tokens[index + 3], ',')
      source = argument?.kind === 'string' && ends ? argument : null
    } else if (token.text === 'import' && next?.kind === 'string') source = next
    else if (token.text === 'import' || (token.text === 'export' && isReexport(tokens, index))) {
      const from = tokens.findIndex(
        ({ text }, at) => at > index && text === 'from' && tokens[at + 1]?.kind === 'string',
      )
      source = tokens[from + 1]
    } else return
    imports.push({ line: token.line, from: source?.text ?? null })
  })
  return imports
}

const is = (token: Token | undefined, text: string): boolean =>
  token?.kind === 'punctuation' && token.text === text

/** `export * …`, or `export { … } from`, with or without `type`. */
const isReexport = (tokens: readonly Token[], index: number): boolean => {
  const start = index + (tokens[index + 1]?.text === 'type' ? 2 : 1)
  if (is(tokens[start], '*')) return true
  if (!is(tokens[start], '{')) return false
  const close = tokens.findIndex((token, at) => at > start && is(token, '}'))
  return tokens[close + 1]?.text === 'from'
}

/** Whether the name at `index` is only a property (`a.name`, `import.meta`) or a key (`{ name: … }`, `name?: …`). */
const isProperty = (tokens: readonly Token[], index: number): boolean => {
  const [before, token, after, second] = [
    tokens[index - 1],
    tokens[index],
    tokens[index + 1],
    tokens[index + 2],
  ]
  const spread = is(before, '.') && is(tokens[index - 2], '.')
  if (is(before, '.') && !spread) return true
  if (token?.text === 'import' && is(after, '.')) return true
  if (!is(after, ':') && !(is(after, '?') && is(second, ':'))) return false
  const separated = before?.kind === 'punctuation' && '{,;('.includes(before.text)
  return before === undefined || separated || before.text === 'readonly' || before.line < (token?.line ?? 0)
}

const checkImports = (path: string, tokens: readonly Token[]): Finding[] => {
  const folder = folderOf(path)
  const arrows = folder === null ? undefined : mayImport[folder]
  if (folder === null || arrows === undefined) return []
  return importsOf(tokens).flatMap(({ line, from }) => {
    const reason = from === null ? 'imports a computed name' : refuseImport(path, folder, arrows, from)
    return reason === null ? [] : [{ rule: 'arrows', path, line, says: reason }]
  })
}

/** Why `from` may not be imported by the file at `path`, or null. */
const refuseImport = (path: string, folder: string, arrows: Arrows, from: string): string | null => {
  if (!from.startsWith('.')) {
    const allowed = arrows.packages.some(pattern => fits(pattern, from))
    return allowed ? null : `src/${folder} may not import the package '${from}'`
  }
  const target = posix.join(posix.dirname(path), from)
  const targetFolder = folderOf(target)
  if (targetFolder === null) return `imports '${target}', which is in no folder of src`
  if (isWithin(targetFolder, [folder, ...arrows.folders])) return null
  return `src/${folder} may not import from src/${targetFolder}`
}

const fits = (pattern: string, name: string): boolean =>
  pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern

const checkPurity = (path: string, tokens: readonly Token[]): Finding[] => {
  const folder = folderOf(path)
  const banned = folder === null ? undefined : mayNotUse[folder]
  if (banned === undefined) return []
  const rule = 'purity'
  return tokens.flatMap(({ kind, text, line }, index) => {
    if (kind !== 'name') return []
    const dotted = is(tokens[index - 1], '.') && !is(tokens[index - 2], '.')
    if (dotted && banned.some(pattern => pattern.startsWith('.') && fits(pattern, `.${text}`))) {
      return [{ rule, path, line, says: `src/${folder} may not use '.${text}'` }]
    }
    if (isProperty(tokens, index)) return []
    if (banned.includes(text)) return [{ rule, path, line, says: `src/${folder} may not use '${text}'` }]
    const plainMath = is(tokens[index + 1], '.') && tokens[index + 2]?.text !== 'random'
    if (text === 'Math' && !plainMath)
      return [{ rule, path, line, says: `src/${folder} may not use 'Math.random'` }]
    return []
  })
}

/** What the language has and this code does without: see CONTRIBUTING.md; only erasable syntax is run as it stands. */
const checkSyntax = (path: string, tokens: readonly Token[]): Finding[] =>
  tokens.flatMap(({ kind, text, line }, index) => {
    if (kind !== 'name' || isProperty(tokens, index)) return []
    const find = (says: string): Finding[] => [{ rule: 'syntax', path, line, says }]
    const [next, second] = [tokens[index + 1], tokens[index + 2]]
    const opens = next?.kind === 'name' && (is(second, '{') || is(second, '.'))
    if (text === 'enum' && opens) return find('no enum: a union of strings, or a const object')
    if ((text === 'namespace' || text === 'module') && opens) return find('no namespace: a file is one')
    if (text === 'default' && tokens[index - 1]?.text === 'export')
      return find('no default export: export a name')
    if (text === 'default' && tokens[index - 1]?.text === 'as')
      return find('no default export: export a name')
    if (text === 'export' && is(next, '*'))
      return find('no barrels: import each thing from the file that it is in')
    if (text === 'any' && !is(next, '(')) return find("no 'any': 'unknown', narrowed where it comes in")
    return []
  })

/**
 * tsc rewrites the names in imports only: a worker started as './worker.ts' is './worker.js' in the built package. So
 * a file that names a `.ts` file outside an import must name its `.js` twin too, or take the ending from its own name.
 */
const checkFileNames = (path: string, tokens: readonly Token[]): Finding[] => {
  const imported = importsOf(tokens).map(({ from }) => from)
  const strings = new Set(tokens.filter(({ kind }) => kind === 'string').map(({ text }) => text))
  return tokens.flatMap(({ kind, text, line }) => {
    if (kind !== 'string' || !/^\.\.?\/.*\.ts$/.test(text) || imported.includes(text)) return []
    const twin = text.replace(/ts$/, 'js')
    const says = `'${text}' is '${twin}' in the built package, and this file does not name that`
    return strings.has(twin) ? [] : [{ rule: 'built', path, line, says }]
  })
}

/** Files of the product that mean something else by the name of a role. */
const otherMeanings: Readonly<Record<string, readonly string[]>> = {
  // The model of faults, by the field's word.
  byzantine: ['src/consensus/kit.ts', 'src/consensus/pbft/kit.ts'],
  silent: ['src/node/host.ts', 'src/node/peer-link.ts'],
  replay: ['src/replica/replay.ts'],
}

/** Nobody lies in the product: only the laboratory, and the command line that asks for a liar, know how a validator may. */
const checkHonesty = (path: string, tokens: readonly Token[]): Finding[] => {
  if (path.startsWith('src/lab/') || path.startsWith('src/cli/')) return []
  const find = (line: number, name: string): Finding[] => {
    if (otherMeanings[name]?.includes(path)) return []
    return [
      { rule: 'honesty', path, line, says: `only src/lab and src/cli know the role '${name}' of a liar` },
    ]
  }
  const roles: readonly string[] = [...BYZANTINE_ROLES, 'byzantine']
  const named = path.split(/[/.]/).filter(part => roles.includes(part))
  const said = tokens.filter(({ kind, text }) => kind === 'string' && roles.includes(text))
  return [...named.flatMap(name => find(1, name)), ...said.flatMap(({ line, text }) => find(line, text))]
}

/** What takes a function that nobody awaits, called by its name or as a method. */
const callers = [
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'addEventListener',
  'on',
  'once',
]

/**
 * An exception in a listener or a timer ends the process, and strangers set off most of those of src/node. So none is
 * written in place there but as an argument of `guarded` (src/defence/guarded.ts); one that has a name was thought about.
 */
const checkHandlers = (path: string, tokens: readonly Token[]): Finding[] => {
  if (folderOf(path) !== 'node') return []
  return tokens.flatMap(({ kind, text, line }, index) => {
    if (kind !== 'name' || !callers.includes(text) || !is(tokens[index + 1], '(')) return []
    const says = `a handler of '${text}' is written in place: wrap it in guarded(…)`
    return hasBareFunction(tokens, index + 1) ? [{ rule: 'handlers', path, line, says }] : []
  })
}

/** Whether a function is written between the bracket at `open` and its end, but for arguments of `guarded`. */
const hasBareFunction = (tokens: readonly Token[], open: number): boolean => {
  let depth = 0
  let guard = Number.POSITIVE_INFINITY
  for (let at = open; at < tokens.length; at++) {
    if (is(tokens[at], '(')) {
      depth += 1
      if (tokens[at - 1]?.text === 'guarded') guard = Math.min(guard, depth)
    }
    const isArrow = is(tokens[at], '=') && is(tokens[at + 1], '>')
    if ((isArrow || tokens[at]?.text === 'function') && depth < guard) return true
    if (!is(tokens[at], ')')) continue
    if (depth === guard) guard = Number.POSITIVE_INFINITY
    depth -= 1
    if (depth === 0) return false
  }
  return false
}

/** Kinds of PBFT's messages that no other part of the code has a word of its own for. */
const messageNames = ['pre-prepare', 'view-change', 'new-view']

/** Where a protocol's messages may be named: in its folder, and where the laboratory watches it or lies in its name. */
const namesMessages = ['consensus', 'lab/pbft', 'lab/adversary']

/**
 * All that stands above the protocols takes them by their kits: `MessageFacts` tells what a message is for. The name of a
 * message would be one more place to change for the next protocol.
 */
const checkMessageNames = (path: string, tokens: readonly Token[]): Finding[] => {
  if (namesMessages.some(folder => path.startsWith(`src/${folder}/`))) return []
  return tokens.flatMap(({ kind, text, line }) => {
    if (kind !== 'string' || !messageNames.includes(text)) return []
    const says = `'${text}' is a message of one protocol: ask its kit what the message is for`
    return [{ rule: 'messages', path, line, says }]
  })
}

/**
 * What a finality mode is stands in its own file (src/finality/modes) and is asked of the registry: no other file compares
 * names. A protocol of src/consensus, which stands above finality, may have the name of a mode.
 */
export const checkModeNames = ({ path, text }: Source, names: readonly string[]): Finding[] => {
  const folder = folderOf(path)
  if (folder === null || isWithin(folder, ['finality', 'consensus'])) return []
  return tokenize(text).tokens.flatMap(({ kind, text, line }) => {
    const isName =
      (kind === 'string' && names.includes(text)) ||
      (kind === 'template' && names.includes(text.slice(0, -1)))
    const says = `'${text}' is a finality mode: ask the registry, or import the file of the mode`
    return isName ? [{ rule: 'modes', path, line, says }] : []
  })
}

/** README's tree (a fenced block that begins with ```tree) lists exactly the folders of src; null if no README. */
export const checkReadme = (readme: string | null, srcFolders: readonly string[]): Finding[] => {
  const find = (says: string, line = 1): Finding => ({ rule: 'readme', path: 'README.md', line, says })
  if (readme === null) return [find('there is no README.md')]
  const lines = readme.split('\n')
  const first = lines.findIndex(line => /^```tree\b/.test(line))
  if (first === -1) return [find('there is no tree: a fenced block that begins with ```tree')]
  const length = lines.slice(first + 1).findIndex(line => line.startsWith('```'))
  const listed = lines
    .slice(first + 1, length === -1 ? undefined : first + 1 + length)
    .flatMap((text, index) => {
      const folder = /(?:^|\s)src\/([\w-]+)/.exec(text)?.[1]
      return folder === undefined ? [] : [{ folder, line: first + 2 + index }]
    })
  const gone = listed.filter(({ folder }) => !srcFolders.includes(folder))
  const missing = srcFolders.filter(folder => !listed.some(entry => entry.folder === folder))
  return [
    ...gone.map(({ folder, line }) => find(`the tree lists src/${folder}, which does not exist`, line)),
    ...missing.map(folder => find(`the tree does not list src/${folder}`, first + 1)),
  ]
}

/** Every folder of test/ is named for the folder of src/ that it tests, but for the few that test the whole. */
export const checkMirror = (testFolders: readonly string[], srcFolders: readonly string[]): Finding[] =>
  testFolders
    .filter(folder => !srcFolders.includes(folder) && !wholeTests.includes(folder))
    .map(folder => ({ rule: 'mirror', path: `test/${folder}`, line: 1, says: `there is no src/${folder}` }))
