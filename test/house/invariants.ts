// The names of rules that the code refers to (S5, C7, L1, B-P7), and those that docs/invariants.md defines: each is a
// list of places, and a test holds that both have the same names.

import { tokenize } from './tokens.ts'

/** Where a rule is named. */
export type Mention = { readonly rule: string; readonly path: string; readonly line: number }

/** S, C, L, H, P, X for invariants, B-P, B-H and B-X for pitfalls. */
const NAME = /(?<![\w-])(?:B-[PHX]|[SCLHPX])\d{1,2}(?![\w-])/g
const PITFALL = /(?<![\w-])B-[PHX]\d{1,2}(?![\w-])/g

const mentionsIn = (text: string, name: RegExp, path: string, line: number): Mention[] =>
  text
    .split('\n')
    .flatMap((part, index) => [...part.matchAll(name)].map(([rule]) => ({ rule, path, line: line + index })))

/** The rules that comments and texts of a TypeScript file name; what only looks like one in code is none. */
export const mentionsOf = (path: string, text: string): Mention[] => {
  const { tokens, comments } = tokenize(text)
  return [...tokens.filter(({ kind }) => kind === 'string' || kind === 'template'), ...comments].flatMap(
    token => mentionsIn(token.text, NAME, path, token.line),
  )
}

/** The pitfalls that a file of another kind names: there `A0` and `P4` may mean anything. */
export const pitfallsOf = (path: string, text: string): Mention[] => mentionsIn(text, PITFALL, path, 1)

/** The rules that the document defines: each is an item of a list that begins with its name in bold. */
export const definitionsOf = (path: string, text: string): Mention[] =>
  text.split('\n').flatMap((line, index) => {
    const rule = /^- \*\*((?:B-)?[A-Z]\d{1,2})\b/.exec(line)?.[1]
    return rule === undefined ? [] : [{ rule, path, line: index + 1 }]
  })
