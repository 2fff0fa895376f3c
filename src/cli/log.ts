// A node's log: lines for people on a terminal, JSON lines for machines; always on stderr.
// pino makes the records; this file only chooses their form.

import { stderr } from 'node:process'
import pino, { type Logger } from 'pino'
import { terminalJson, terminalLine } from './terminal-text.ts'

/** The levels of a node's log. */
export const LOG_LEVELS = ['silent', 'error', 'warn', 'info', 'debug', 'trace'] as const

const NAMES: ReadonlyMap<number, string> = new Map([
  [10, 'trace'],
  [20, 'debug'],
  [30, 'info'],
  [40, 'warn'],
  [50, 'ERROR'],
  [60, 'FATAL'],
])

/** The log of a process. */
export function createLog(level: string, isJson: boolean): Logger {
  const options = { level, base: null }
  if (!isJson)
    return pino(options, {
      write: line => void stderr.write(`${terminalLine(forPeople(line))}\n`),
    })
  const destination = pino.destination({ dest: 2, sync: true })
  // A node goes on when its log has no reader, or the disk is full.
  destination.on('error', () => {})
  return pino(options, { write: line => void destination.write(`${terminalJson(line.trimEnd())}\n`) })
}

function forPeople(line: string): string {
  const { level, time, msg, ...rest } = JSON.parse(line) as { level: number; time: number; msg?: string }
  const fields = Object.entries(rest).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  return `${new Date(time).toISOString().slice(11, 23)} ${(NAMES.get(level) ?? '').padEnd(5)} ${[msg ?? '', ...fields].join(' ')}`
}
