// What the repository's texts refer to: no file names a path outside the repository, and every path that a document
// names exists. Pure functions from paths and texts to findings; documents.test.ts runs them.

import { posix } from 'node:path'
import type { Finding, Source } from './rules.ts'

/** The one file that may look beside the clone: it is where tests find published data of others. */
const MAY_LOOK_OUTSIDE = 'test/vectors.ts'

/** What a hostile client asks for: no reference to anything. */
const ATTACK = '/etc/passwd'

/** Absolute paths of somebody's own folders. */
const MACHINE = /(?<![\w.~})-])\/(?:work|root)\/[\w.-]+/g

/** Every relative path of a file that leaves the repository, and every path of one machine. */
export const checkOutside = ({ path, text }: Source): Finding[] => {
  if (path === MAY_LOOK_OUTSIDE) return []
  return text.split('\n').flatMap((line, index) => {
    const find = (says: string): Finding => ({ rule: 'outside', path, line: index + 1, says })
    const climbing = [...line.matchAll(/(?:\.\.\/)+[\w./-]*/g)].map(([target]) => target)
    // Written as arguments of join(): '..', '..', 'name'.
    const joined = [...line.matchAll(/(?:'\.\.', ?)+'[\w./-]+'/g)].map(([target]) =>
      target
        .replaceAll(/'(, ?)?/g, '/')
        .replaceAll(/\/+/g, '/')
        .slice(1),
    )
    const leaving = [...climbing, ...joined].filter(
      target => posix.join(posix.dirname(path), target).startsWith('..') && !target.endsWith(ATTACK),
    )
    const named = [...line.matchAll(/(?<![\w/.-])shared\/[\w./-]+/g)].map(([target]) => target)
    const machine = [...line.matchAll(MACHINE)].map(([target]) => target)
    return [...leaving, ...named, ...machine].map(target =>
      find(`'${target}' is not a path of this repository`),
    )
  })
}

/** Every `name` that a document says is in `file` and that the file does not have; `read` gives a file's text, or null. */
export const checkNames = ({ path, text }: Source, read: (path: string) => string | null): Finding[] =>
  text.split('\n').flatMap((line, index) =>
    [...line.matchAll(/((?:`[\w.]+`, )*`[\w.]+`) in `(src\/[\w./-]+\.ts)`/g)].flatMap(([, names, file]) => {
      const words = [...names!.matchAll(/\w+/g)].map(([word]) => word)
      const source = read(file!) ?? ''
      return words
        .filter(word => !new RegExp(`\\b${word}\\b`).test(source))
        .map(word => ({ rule: 'documents', path, line: index + 1, says: `'${word}' is not in ${file}` }))
    }),
  )

const FOLDERS = 'src|test|docs|bench|examples|genesis|scenarios|bin|\\.ci'

/** Every path and link of a document that does not exist; `exists` takes a path from the root. */
export const checkPaths = ({ path, text }: Source, exists: (path: string) => boolean): Finding[] =>
  text.split('\n').flatMap((line, index) => {
    const quoted = [...line.matchAll(/`([^`]+)`/g)].map(([, code]) => code!)
    const paths = quoted.filter(code => new RegExp(`^(?:${FOLDERS})/[\\w./-]+$`).test(code))
    const links = [...line.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
      .map(([, target]) => target!)
      .filter(target => !target.includes(':'))
      .map(target => posix.join(posix.dirname(path), target))
    return [...paths, ...links]
      .filter(target => !exists(target.replace(/\/$/, '')))
      .map(target => ({ rule: 'documents', path, line: index + 1, says: `'${target}' does not exist` }))
  })
