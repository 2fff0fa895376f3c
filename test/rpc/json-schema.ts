// Just enough of JSON Schema to check results against Ethereum's published OpenRPC document: the keywords
// that it uses and no others. An unknown keyword throws, so that nothing is passed over in silence.

import { existsSync, readFileSync } from 'node:fs'
import { vectorPath } from '../vectors.ts'

/** A schema, or the document that references lead into. */
export type Schema = { readonly [keyword: string]: unknown }

/** Ethereum's document, or null where it is not at hand. */
export function readOpenRpc(): Schema | null {
  const path = vectorPath('execution-apis.openrpc.json')
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Schema) : null
}

/** What is wrong with a value, one line each with its place. */
export function findFaults(document: Schema, schema: Schema, value: unknown, at = 'result'): string[] {
  return Object.entries(schema).flatMap(([keyword, argument]) => {
    const check = KEYWORDS[keyword]
    if (check === undefined) throw new Error(`the schema uses ${keyword}, which is not known here`)
    return check({ document, schema, argument, value, at })
  })
}

interface Check {
  readonly document: Schema
  readonly schema: Schema
  readonly argument: unknown
  readonly value: unknown
  readonly at: string
}

const nothing = (): string[] => []

const KEYWORDS: { readonly [keyword: string]: (check: Check) => string[] } = {
  title: nothing,
  description: nothing,
  $ref: ({ document, argument, value, at }) =>
    findFaults(document, resolve(document, String(argument)), value, at),
  type: ({ argument, value, at }) =>
    typeOf(value) === argument ? [] : [`${at} is ${typeOf(value)}, not ${argument}`],
  const: ({ argument, value, at }) => (value === argument ? [] : [`${at} is not ${argument}`]),
  enum: ({ argument, value, at }) =>
    (argument as unknown[]).includes(value) ? [] : [`${at} is not one of ${argument}`],
  pattern: ({ argument, value, at }) =>
    typeof value !== 'string' || new RegExp(String(argument)).test(value)
      ? []
      : [`${at} is ${value}, not ${argument}`],
  minimum: ({ argument, value, at }) =>
    typeof value !== 'number' || value >= Number(argument) ? [] : [`${at} is ${value}, below ${argument}`],
  maximum: ({ argument, value, at }) =>
    typeof value !== 'number' || value <= Number(argument) ? [] : [`${at} is ${value}, above ${argument}`],
  required: ({ argument, value, at }) =>
    (argument as string[])
      .filter(name => isObject(value) && !Object.hasOwn(value, name))
      .map(name => `${at}.${name} is missing`),
  properties: ({ document, argument, value, at }) =>
    Object.entries(argument as { [name: string]: Schema }).flatMap(([name, schema]) =>
      isObject(value) && Object.hasOwn(value, name)
        ? findFaults(document, schema, value[name], `${at}.${name}`)
        : [],
    ),
  patternProperties: ({ document, argument, value, at }) =>
    Object.entries(argument as { [pattern: string]: Schema }).flatMap(([pattern, schema]) =>
      Object.entries(isObject(value) ? value : {})
        .filter(([name]) => new RegExp(pattern).test(name))
        .flatMap(([name, item]) => findFaults(document, schema, item, `${at}.${name}`)),
    ),
  additionalProperties: ({ document, schema, argument, value, at }) =>
    unnamed(schema, value).flatMap(([name, item]) =>
      argument === false
        ? [`${at}.${name} is too many`]
        : findFaults(document, argument as Schema, item, `${at}.${name}`),
    ),
  items: ({ document, argument, value, at }) =>
    Array.isArray(value)
      ? value.flatMap((item, index) => findFaults(document, argument as Schema, item, `${at}[${index}]`))
      : [],
  not: ({ document, argument, value, at }) =>
    findFaults(document, argument as Schema, value, at).length > 0 ? [] : [`${at} is what it must not be`],
  allOf: ({ document, argument, value, at }) =>
    (argument as Schema[]).flatMap(schema => findFaults(document, schema, value, at)),
  anyOf: check => countMatches(check, matches => matches >= 1),
  // An empty array matches every schema of arrays, so there it can only mean any of them.
  oneOf: check => countMatches(check, matches => (Array.isArray(check.value) ? matches >= 1 : matches === 1)),
}

function countMatches(
  { document, argument, value, at }: Check,
  isRight: (matches: number) => boolean,
): string[] {
  const outcomes = (argument as Schema[]).map(schema => findFaults(document, schema, value, at))
  const matches = outcomes.filter(faults => faults.length === 0).length
  return isRight(matches) ? [] : [`${at} matches ${matches} of ${outcomes.length}`, ...outcomes.flat()]
}

function resolve(document: Schema, reference: string): Schema {
  let target: unknown = document
  for (const name of reference.replace(/^#\//, '').split('/')) target = (target as Schema)[name]
  if (!isObject(target)) throw new Error(`${reference} leads nowhere`)
  return target
}

/** The members that neither `properties` nor `patternProperties` speak of. */
function unnamed(schema: Schema, value: unknown): [string, unknown][] {
  const { properties = {}, patternProperties = {} } = schema as {
    properties?: object
    patternProperties?: object
  }
  const patterns = Object.keys(patternProperties).map(pattern => new RegExp(pattern))
  return Object.entries(isObject(value) ? value : {}).filter(
    ([name]) => !Object.hasOwn(properties, name) && !patterns.some(pattern => pattern.test(name)),
  )
}

function typeOf(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
}

function isObject(value: unknown): value is Schema {
  return typeOf(value) === 'object'
}
