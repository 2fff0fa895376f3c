// A tokenizer for our own TypeScript, just good enough for the house rules: comments are set aside, the text of
// strings, templates and regular expressions can't be mistaken for code, and `${…}` inside a template is code.
// TypeScript 7 has no stable JavaScript API to ask instead.

export type Token = {
  readonly kind: 'name' | 'number' | 'string' | 'template' | 'regex' | 'punctuation'
  /** As written; for a string, what stands between its quotes. Punctuation comes one character at a time. */
  readonly text: string
  readonly line: number
}

export type Comment = { readonly text: string; readonly line: number; readonly lines: number }

/** After these names a `/` begins a regular expression; after any other it divides. */
const beforeOperand = new Set(
  'return typeof instanceof in of new delete void throw case do else yield await extends'.split(' '),
)

const isNameStart = /[\p{ID_Start}$_#@]/u
const name = /[#@]?[\p{ID_Continue}$\u200c\u200d]+/uy
const number = /\d(?:[\w.]|(?<=[eE])[+-](?=\d))*/y
const regex = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y
const string = /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/sy
const templateChunk = /(?:[^`\\$]|\\.|\$(?!\{))*(?:`|\$\{)/sy

/** Cuts `source` into tokens and comments, in order. Throws an Error naming the line where it can't. */
export const tokenize = (source: string): { tokens: Token[]; comments: Comment[] } => {
  const tokens: Token[] = []
  const comments: Comment[] = []
  const braces: ('block' | 'template')[] = []
  let at = 0
  let line = 1

  const advance = (text: string): void => {
    at += text.length
    for (const character of text) if (character === '\n') line++
  }
  const match = (pattern: RegExp): string | null => {
    pattern.lastIndex = at
    return pattern.exec(source)?.[0] ?? null
  }
  const take = (kind: Token['kind'], text: string, shown = text): void => {
    tokens.push({ kind, text: shown, line })
    advance(text)
  }
  const takeTemplateChunk = (): void => {
    const text = match(templateChunk)
    if (text === null) throw new Error(`line ${line}: a template that does not end`)
    if (text.endsWith('${')) braces.push('template')
    take('template', text)
  }

  if (source.startsWith('#!')) advance(source.slice(0, source.indexOf('\n')))
  while (at < source.length) {
    const character = source.charAt(at)
    if (/\s/.test(character)) advance(character)
    else if (source.startsWith('//', at)) {
      const text = source.slice(at, end(source, '\n', at))
      comments.push({ text, line, lines: 1 })
      advance(text)
    } else if (source.startsWith('/*', at)) {
      const text = source.slice(at, end(source, '*/', at) + 2)
      comments.push({ text, line, lines: text.split('\n').length })
      advance(text)
    } else if (character === "'" || character === '"') {
      const text = match(string)
      if (text === null) throw new Error(`line ${line}: a string that does not end`)
      take('string', text, text.slice(1, -1))
    } else if (character === '`') {
      advance(character)
      takeTemplateChunk()
    } else if (character === '}' && braces.pop() === 'template') {
      advance(character)
      takeTemplateChunk()
    } else if (/\d/.test(character)) take('number', match(number) ?? character)
    else if (isNameStart.test(character)) take('name', match(name) ?? character)
    else {
      // A regular expression holds no line break: a `/` that finds no partner on its line divides after all.
      const text = character === '/' && !endsOperand(tokens) ? match(regex) : null
      if (text !== null) take('regex', text)
      else {
        if (character === '{') braces.push('block')
        take('punctuation', character)
      }
    }
  }
  return { tokens, comments }
}

const end = (source: string, mark: string, from: number): number => {
  const found = source.indexOf(mark, from)
  return found === -1 ? source.length : found
}

/** Whether the last token ends an operand, so that a `/` after it divides. */
const endsOperand = (tokens: readonly Token[]): boolean => {
  const last = tokens.at(-1)
  if (last === undefined) return false
  if (last.kind === 'name') return !beforeOperand.has(last.text)
  if (last.kind === 'template') return last.text.endsWith('`')
  if (last.kind !== 'punctuation') return true
  if (last.text === '!') return endsOperand(tokens.slice(-3, -1))
  if (last.text === '+' || last.text === '-') return tokens.at(-2)?.text === last.text
  return [')', ']', '}'].includes(last.text)
}
